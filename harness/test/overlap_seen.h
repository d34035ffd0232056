/*
 * What tests of waveforms of overlapping requests share: the RTL, with a bug or without, under random requests; and
 * what a file shows of them, which must agree with the ports' own signals at any time.
 */
#ifndef MMU86_OVERLAP_SEEN_H
#define MMU86_OVERLAP_SEEN_H

#include "gtkwave/fstapi.h"
#include "overlap.h"
#include "rig.h"
#include "snapshot.h"
#include "stimulus.h"

enum { OVERLAP_TRANSACTIONS = 2000, OVERLAP_NUMBERS = 2 * OVERLAP_TRANSACTIONS, OVERLAP_RAM = STIMULUS_RAM_MIN };

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  overlap_t overlap;
  stimulus_t stimulus;
} bench_t;

/* arguments: of wrong_rtl. every: of the snapshots; 0: none. live: a waveform may be written from the start. */
void open_bench(bench_t *bench, const char *arguments, uint64_t every, bool live);
void close_bench(bench_t *bench);

/* Random requests, kills and stores. Returns whether all are legal. */
bool drive(bench_t *bench);

/* Signals of the file: the group's, and for each port the group's and the port's own. */
typedef enum { SEQUENCE, MISMATCH, KILLED, CLOCK, PORT_SIGNALS } signal_t;
typedef enum {
  PHASE,
  NUMBER,
  OP,
  OFFSET,
  SIZE,
  DUT_PADDR,
  MODEL_PADDR,
  DUT_LADDR,
  REFERENCES,
  REQ_VALID,
  RSP_VALID,
  OFS
} of_t;

enum { SIGNALS = PORT_SIGNALS + DUT_PORTS * OFS };

/* Their values at one time, the last one in the end, and what was seen until then. */
typedef struct {
  fstHandle handle[SIGNALS];
  uint64_t value[SIGNALS];
  uint64_t time;
  uint64_t first; /* sequence */
  uint64_t rise, rises;
  bool any;
  uint8_t numbers[OVERLAP_NUMBERS]; /* answered: how often one came */
  uint64_t answered, translated, killed;
  uint64_t last[DUT_PORTS];   /* number */
  uint64_t offers[DUT_PORTS]; /* the port's request is valid */
  dut_phase_t phase[DUT_PORTS];
  bool looked;
  bool carried[DUT_PORTS];          /* what the port does it did before the file began */
  uint8_t cut_off[OVERLAP_NUMBERS]; /* answered: such a one */
} seen_t;

/* The value of a port's signal. */
uint64_t at(const seen_t *seen, unsigned port, of_t of);

/* Reads a file and checks it as it goes. */
void read_wave(const char *path, seen_t *seen);

#endif
