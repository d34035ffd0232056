/*
 * The speed of each part: one round of all measurements on one image. Rounds are repeated by the caller, so that
 * ratios compare what ran in the same minute.
 */
#ifndef MMU86_BENCH_H
#define MMU86_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench_fuzz.h"

typedef struct {
  const char *image, *cmdline;
  uint64_t ram_bytes;
  uint64_t emulator_insns; /* most instructions of the run without a DUT */
  uint64_t lockstep_insns; /* most instructions of the lockstep run, whose stream the bare RTL replays */
  uint64_t wave_insns;     /* most instructions of the runs with and without a waveform */
  uint64_t snapshot_insns; /* most instructions of the runs with and without snapshots */
  uint64_t snapshot_every; /* transactions */
  uint64_t fuzz_count;     /* random transactions */
  const char *wave_path;   /* scratch files, removed afterwards */
  const char *trace_path;
  const char *loop;    /* the ROM of sw/bench/loop.S, or NULL: the loop is not measured */
  uint64_t loop_insns; /* instructions of the loop; fewer than the ROM runs */
  bool bochs;          /* give the loop to Bochs as well */
} bench_setup_t;

/* One round's figures. */
typedef struct {
  double emulator_mips;          /* million instructions/s, emulator and reference, no DUT */
  double model_hits_per_s;       /* TLB hits/s of the reference alone */
  double lockstep_refs_per_s;    /* emulator, reference, RTL and comparison */
  double bare_rtl_refs_per_s;    /* the RTL alone on the same stream */
  double lockstep_to_bare_ratio; /* of the two above */
  double wave_cost_ratio;        /* time with a waveform of every cycle / without */
  double snapshot_cost_ratio;    /* time ready for a failure's waveform / not, in turns of some milliseconds */
  bench_fuzz_t fuzz;
  /* 0 if not measured: */
  double loop_mips;   /* million instructions/s in the loop, emulator and reference, no DUT */
  double bochs_mips;  /* the same loop on Bochs */
  double bochs_ratio; /* of the two above */
} bench_round_t;

enum { BENCH_FIGURES = 14 };

/* Does one round. Returns false and one line in error if something cannot be set up or the two sides differ. */
bool bench_round(const bench_setup_t *setup, bench_round_t *round, char *error, unsigned error_bytes);

#endif
