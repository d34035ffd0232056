/*
 * What a run counts, from the reference's responses alone.
 */
#ifndef MMU86_STATS_H
#define MMU86_STATS_H

#include "mmu.h"
#include "origin.h"

enum { STATS_VECTORS = 32 };

/* What one origin has had of a run. */
typedef struct {
  uint64_t references, tlb_hits, tlb_misses, walks, faults;
} stats_share_t;

typedef struct {
  uint64_t references; /* all of the kinds below but control */
  uint64_t fetches, reads, writes;
  uint64_t system;           /* references to descriptor tables, TSS, IDT */
  uint64_t descriptor_loads; /* LOAD_SEG, VERIFY, LOAD_GATE */
  uint64_t control;          /* register writes, invalidations and the like */
  uint64_t tlb_hits, tlb_misses, tlb_evictions, walks;
  uint64_t faults[STATS_VECTORS];
  bool tagged;                       /* the guest has said whose references these are */
  uint8_t origin;                    /* of the next one */
  stats_share_t begun;               /* the sums of all origins when this one began */
  stats_share_t ended[ORIGIN_COUNT]; /* by origin, but for what has come since then */
} stats_t;

/* Whether a request is a reference: to memory by the guest, or to a table on its behalf. */
static inline bool stats_is_reference(const mmu_req_t *req) {
  return req->op <= MMU_OP_LOAD_SEG || req->op >= MMU_OP_VERIFY;
}

void stats_count(stats_t *stats, const mmu_req_t *req, const mmu_rsp_t *rsp);

/* Sum of faults over all vectors. */
uint64_t stats_faults(const stats_t *stats);

/*
 * What follows is of another origin (less than ORIGIN_COUNT). Shares are taken of the sums at each change, so that
 * stats_count does not know of origins.
 */
void stats_set_origin(stats_t *stats, uint8_t origin);

/* What an origin (less than ORIGIN_COUNT) has had until now. */
stats_share_t stats_share(const stats_t *stats, unsigned origin);

#endif
