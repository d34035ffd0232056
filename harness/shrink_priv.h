/*
 * The parts of the shrinker: each makes candidates and keeps those that still fail.
 */
#ifndef MMU86_SHRINK_PRIV_H
#define MMU86_SHRINK_PRIV_H

#include "shrink.h"

typedef struct {
  const shrink_config_t *config;
  bench_env_t env;  /* with which best fails */
  failure_t target; /* what a candidate has to do */
  records_t best;   /* does it, in its last record */
  failure_t found;  /* what best does */
  records_t trial;  /* the candidate under construction */
  records_pool_t *pool;
  uint64_t candidates, kept;
  bool in_phase; /* candidates whose references are others get their delays set right: shrink_in_phase */
  bool stopped;  /* no further candidates */
} shrink_t;

/* Replays trial. If it fails as it should it becomes best, cut behind the record that fails. Returns whether. */
bool shrink_try(shrink_t *s);

/* The same, with nothing else tried if it does not. *failure: what came of it. */
bool shrink_attempt(shrink_t *s, failure_t *failure);

/*
 * trial has ended without a failure, which *failure says: tries it with the seed with which its last references are
 * delayed as best's last ones are. Returns whether it then fails as it should; env is as before if not.
 * (shrink_timing.c)
 */
bool shrink_in_phase(shrink_t *s, failure_t *failure);

/*
 * Tries best with less latency of memory than env has: none, or a little with the delays that a few seeds give. Returns
 * whether that will do; env is as before if not. (shrink_timing.c)
 */
bool shrink_latency(shrink_t *s, uint32_t latency);

/*
 * Removes a request and some of the clock cycles that pass between it and the next kill: what follows comes earlier, as
 * it would without the request. (shrink_timing.c)
 */
void shrink_hasten(shrink_t *s);

/* Field by field: what lies between fields has no meaning. */
bool shrink_same_record(const trace_record_t *a, const trace_record_t *b);

/* Tries best with record i replaced; false, without a replay, if that is what it is or if no trace may hold it. */
bool shrink_try_record(shrink_t *s, size_t i, const trace_record_t *record);

/* Removes records: chunks of all sizes; pairs. Merges two that set the same thing. (shrink_remove.c) */
void shrink_remove_chunks(shrink_t *s);
void shrink_remove_pairs(shrink_t *s);
void shrink_merge(shrink_t *s);

/* Puts registers and memory as they stand in place of a long prefix. (shrink_memory.c) */
void shrink_replace_prefix(shrink_t *s);

/* Keeps of stores and loads what an MMU ever reads. (shrink_memory.c) */
void shrink_unread_memory(shrink_t *s);

/* Simplifies each record by itself. (shrink_fields.c) */
void shrink_fields(shrink_t *s);

/* Gives page frames, directory and table entries and bases small numbers, in all records at once. (shrink_rename.c) */
void shrink_rename(shrink_t *s);

/* Does CR3 name this page frame? Does a store or a load go there? (shrink_rename.c) */
bool shrink_is_directory(const records_t *list, uint64_t frame);
bool shrink_frame_used(const records_t *list, uint64_t frame);

/* Makes pages of 4 MiB pages of 4 KiB, if that costs no records. (shrink_pages.c) */
void shrink_small_pages(shrink_t *s);

/* For the reader: joins the halves of descriptors, puts stores first. (shrink_rename.c) */
void shrink_arrange(shrink_t *s);

/* The loop over all of them. best, found and target are set. (shrink.c) */
void shrink_reduce(shrink_t *s);

/* --- what a stream leaves behind (shrink_state.c) --- */

/* Noted while the reference replays a stream, so that its state can be put into records. */
typedef struct {
  uint8_t *pages; /* a bit for each page of RAM that was written */
  uint64_t n_pages;
  mmu_req_t tables[2]; /* the last LOAD_TABLE of GDTR and IDTR since RESET; op is another if there was none */
  bool mapped, tagged;
  uint8_t origin;
} ledger_t;

void ledger_open(ledger_t *ledger, uint64_t ram_bytes);
void ledger_close(ledger_t *ledger);

/* After a record has been done. rsp: to a request. */
void ledger_note(ledger_t *ledger, const trace_record_t *record, const mmu_rsp_t *rsp);

/* Appends records that lead from RESET to the reference's state. */
void ledger_capture(const ledger_t *ledger, const subject_t *reference, records_pool_t *pool, records_t *list);

#endif
