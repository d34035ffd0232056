/*
 * A co-simulation as the commands set it up from their options: a DUT or none, its world, trace and waveform.
 */
#ifndef MMU86_COSIM_H
#define MMU86_COSIM_H

#include "lockstep.h"
#include "options.h"
#include "recorder.h"
#include "report.h"

/* Clock cycles after which a transaction counts as hung. */
enum { COSIM_CYCLE_LIMIT = 100000 };

typedef struct {
  const options_t *options;
  const dut_ops_t *dut; /* NULL for --dut none */
  lockstep_t ls;
  world_t dut_world;
  uint64_t ram_bytes;
  mmu_config_t mmu;    /* for the reference: what the DUT declares */
  unsigned violations; /* unreachable bins of the coverage that were hit: cosim_finish */
  snapshots_t *snapshots;
  char wave_path[OUTPUT_PATH];    /* of --wave, while it is written */
  char wave_setup[OUTPUT_PATH];   /* GTKWave's, beside a view */
  bool wave_setup_kept;           /* another one is there */
  bool vcd;                       /* wave_path is a scratch file, of which a VCD is made in the end */
  bool dut_covered;               /* the DUT's own coverage is written */
  recorder_t recorder;            /* with --json */
  snapshot_wave_t failure;        /* made by cosim_report */
  char failure_path[OUTPUT_PATH]; /* where it goes: --failure-wave, or beside --json or --trace, or the working
                                     directory */
} cosim_t;

/*
 * Opens everything that the options name. ram_bytes: of each world.
 * Returns false and one line in error; cosim_close is then not called.
 */
bool cosim_open(cosim_t *cosim, const options_t *options, uint64_t ram_bytes, char *error, unsigned error_bytes);

/*
 * Has the DUT's answers judged as --check says, and recorded for --json. mmu, world: the reference, fresh, and its
 * memory. Returns false and one line in error.
 */
bool cosim_judge(cosim_t *cosim, mmu_t *mmu, const world_t *world, char *error, unsigned error_bytes);
/* The DUT that the options name. Returns NULL and one line in error if there is none, or if it is "none". */
const dut_ops_t *cosim_find_dut(const options_t *options, char *error, unsigned error_bytes);

/* Where a failure's waveform goes: failure_path. Returns whether there may be one. */
bool cosim_failure_path(const options_t *options, char path[OUTPUT_PATH]);

/* Refuses options of which two files would be one: an input and an output, or two outputs, set-ups for the viewer and a
 * failure's waveform among them. Returns false and one line in error. */
bool cosim_check_paths(const options_t *options, char *error, unsigned error_bytes);

/*
 * Reports the mismatch that has ended the run, after writing its waveform if the options ask for one. context: without
 * the waveform. out, mmu: see report_mismatch.
 */
void cosim_report(cosim_t *cosim, FILE *out, const mmu_t *mmu, report_context_t context);

/* Ends waveform and trace, writes both coverages, names violations. Returns false and one line in error if a file is
 * not whole. */
bool cosim_finish(cosim_t *cosim, char *error, unsigned error_bytes);

/* The exit status of a run that ended with `status` and whose outputs are whole, or not: a violation of the coverage is
 * as bad as a mismatch, and a mismatch is told rather than that an output is lost. */
int cosim_status(const cosim_t *cosim, int status, bool whole);

/*
 * Closes the DUT and frees the rest. Returns the exit status of a run that would have ended with `status`: what a DUT
 * does wrong on closing is said on standard error, and is as bad as a mismatch.
 */
int cosim_close(cosim_t *cosim, int status);

/* Writes the names and descriptions of the DUTs for --help. */
void cosim_list_duts(FILE *out);

#endif
