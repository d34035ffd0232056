/*
 * One record of a trace, given to both sides: what replay and shrink have in common.
 */
#ifndef MMU86_REPLAY_H
#define MMU86_REPLAY_H

#include "rig.h"

typedef enum {
  REPLAY_AGREE,   /* done; both sides agree so far */
  REPLAY_DIFFERS, /* the lockstep's state says how */
  REPLAY_REFUSED, /* nothing was done: the reference or the DUT cannot be given this now */
} replay_status_t;

/*
 * Does a record: a transaction, or what happens between two. A stream whose requests overlap needs rig->ls->overlap,
 * and overlap_drain at its end: a REQUEST is only offered then. Without rig->ls->overlap one request is done after
 * another and clock cycles mean nothing.
 *
 * rsp: the reference's response to a request, nothing if it is only offered; else untouched.
 * why: one line if the status is REPLAY_REFUSED (a request that makes sense in protected mode only, a RESET of a DUT
 * that has none, or of a stream whose requests overlap).
 */
replay_status_t replay_record(rig_t *rig, const trace_record_t *record, mmu_rsp_t *rsp, char *why, unsigned why_bytes);

#endif
