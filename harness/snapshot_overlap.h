/*
 * The repetition of requests that overlapped, clock cycle by clock cycle. Part of snapshot_wave.h.
 *
 * What kept the ports' rules in the run keeps them again (overlap.h), but for the oracle: its judgement is known. So a
 * broken rule is found anew, and the waveform has the same signals as one that --wave writes.
 */
#ifndef MMU86_SNAPSHOT_OVERLAP_H
#define MMU86_SNAPSHOT_OVERLAP_H

#include "snapshot_wave.h"

/*
 * Device and world are as before stretch `oldest`, the waveform is open if wave->written. Fills in wave->repeated,
 * begin, end, marker and, if it goes another way or is stopped, error. stop: as in snapshot_wave_write.
 */
void snapshot_overlap_repeat(lockstep_t *ls, unsigned oldest, bool (*stop)(void), snapshot_wave_t *wave);

/* Says in wave->error that the device has gone another way: "the repetition HOW at transaction ...". Returns false. */
bool snapshot_strayed(snapshot_wave_t *wave, uint64_t sequence, const char *how);

#endif
