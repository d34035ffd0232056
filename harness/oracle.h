/*
 * The architectural check level: is a device's answer one of those that the architecture allows?
 *
 * A device may cache translations as it likes, so there is no one answer that a reference could give. The oracle looks
 * for a legal execution: the reference runs the transaction, each page being translated by a walk through memory or by
 * a translation that history.h says was legal at some moment since the last invalidation that covered it, and the
 * result must equal the device's answer in every field and every reference to memory. What is cached is the only thing
 * that is chosen; the device's answer never becomes the reference's. TLB events are not compared.
 *
 * The device's reads are checked against the reference's memory, its updates are carried out there when it makes them.
 */
#ifndef MMU86_ORACLE_H
#define MMU86_ORACLE_H

#include "history.h"
#include "mmu.h"
#include "world.h"

/* What an answer is. */
typedef enum {
  ORACLE_FRESH = 0,     /* what memory holds */
  ORACLE_STALE_LEGAL,   /* what memory held since the last invalidation that covers it */
  ORACLE_STALE_ILLEGAL, /* what an invalidation should have dropped */
  ORACLE_WRONG,         /* what no page ever was, as far as is remembered */
} oracle_verdict_t;

enum { ORACLE_VERDICTS = 4 };

const char *oracle_verdict_name(oracle_verdict_t verdict);

typedef struct oracle oracle_t;

/*
 * mmu: the reference; it remembers nothing from now on. world: its memory, which is written through mmu's port.
 * config: the device's. Returns NULL without memory.
 */
oracle_t *oracle_create(mmu_t *mmu, const world_t *world, const mmu_config_t *config);
void oracle_destroy(oracle_t *oracle);

/* What a device does not tell is not compared. differences: lockstep_diff_t. */
void oracle_ignore(oracle_t *oracle, unsigned differences);

/* When a device has referred to memory, and what was there right before. */
typedef struct {
  moment_t when;
  uint64_t held; /* as many bytes as the reference has */
} oracle_seen_t;

/*
 * Judges a device's answer. sequence: the transaction's number. accepted: when the request was (history_now). answer:
 * the device's, with all its references. cut: the device was told to forget the request: only its references count,
 * which must be the first ones of a legal execution. rsp: the reference's response: the legal one that was found, or
 * the one nearest to it. seen: of each reference (oracle_referred): an update is to be lost if memory no longer held
 * what it was made from, and only then. Effects: the reference's registers are as after the transaction; what the
 * answer says of invalidations is noted. differences: lockstep_diff_t; 0 if it is legal.
 */
oracle_verdict_t oracle_judge(oracle_t *oracle, uint64_t sequence, moment_t accepted, const mmu_req_t *req,
                              const mmu_rsp_t *answer, const oracle_seen_t *seen, bool cut, mmu_rsp_t *rsp,
                              unsigned *differences);

/*
 * A request that is still on its way has made these references so far: what its walks have found may be cached already.
 * accepted, req, seen: as above.
 */
void oracle_glimpse(oracle_t *oracle, moment_t accepted, const mmu_req_t *req, const mmu_rsp_t *so_far,
                    const oracle_seen_t *seen);

/*
 * The device has referred to memory, seen: so; an update that was not lost is carried out in the reference's world.
 * Returns false if memory cannot have been like that: a read of something else, or an update made from something else,
 * which would undo what others have stored since.
 */
bool oracle_referred(oracle_t *oracle, const mmu_mem_t *reference, oracle_seen_t *seen);

/* The history, to be told of stores and maps. */
history_t *oracle_history(oracle_t *oracle);

/* RESET of the reference has happened: mmu_init. */
void oracle_reset(oracle_t *oracle);

/* What an illegal answer was made of: valid after ORACLE_STALE_ILLEGAL. laddr: the page's. */
typedef struct {
  uint32_t laddr;
  history_page_t page;
} oracle_stale_t;

oracle_stale_t oracle_stale(const oracle_t *oracle);

/* What one page was translated by in the execution that was found. */
typedef struct {
  uint32_t laddr;
  bool walked;         /* by a walk; else by this: */
  history_page_t page; /* of ORACLE_FRESH: only entry and page_size */
} oracle_used_t;

enum { ORACLE_USED_MAX = 24 };

/*
 * The translations of the last answer, in their order: valid unless that is ORACLE_WRONG. Returns their number; the
 * ones past it were walked.
 */
unsigned oracle_used(const oracle_t *oracle, oracle_used_t used[ORACLE_USED_MAX]);

/* Answers so far, by verdict. */
uint64_t oracle_count(const oracle_t *oracle, oracle_verdict_t verdict);

#endif
