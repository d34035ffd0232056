/*
 * The waveform of a failure, made after it: device and memory go back to the oldest snapshot, and what happened since
 * is repeated with waves on, up to the transaction that failed.
 */
#ifndef MMU86_SNAPSHOT_WAVE_H
#define MMU86_SNAPSHOT_WAVE_H

#include "lockstep.h"
#include "output.h"
#include "setup_file.h"
#include "snapshot.h"

typedef struct {
  bool written;        /* the waveform is whole, and the set-up, if it was not kept */
  bool setup_kept;     /* the set-up that is there is not ours: it knows nothing of the failure */
  bool overlapped;     /* requests overlap: the set-up is the one for those */
  bool repeated;       /* and end with the failure; else error says where the device went another way */
  uint64_t first;      /* number of the first transaction that is shown; the last one is the failed one */
  uint64_t begin, end; /* of the failed one (else the one that went another way), in the waveform's unit of time */
  uint64_t marker;     /* where the viewer looks: the answer that differs, the broken rule; the request if it hangs */
  char setup[OUTPUT_PATH + 8]; /* the GTKWave set-up: the waveform's name and .gtkw */
  char error[512];             /* why it is not written, or not repeated; else "" */
} snapshot_wave_t;

/*
 * ls: its state is not AGREE, it has snapshots and no open waveform. Device and its world are afterwards as they were
 * after the failure, if it is repeated. stop: asked between transactions; true ends the waveform early. May be NULL.
 */
void snapshot_wave_write(lockstep_t *ls, const char *path, bool (*stop)(void), snapshot_wave_t *wave);

/* Writes the set-up that goes with the waveform: waveforms/lockstep.gtkw or overlap.gtkw at the marker. */
setup_file_t snapshot_setup_write(const char *path, const snapshot_wave_t *wave);

#endif
