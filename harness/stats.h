/*
 * What a run counts, from the reference's responses alone.
 */
#ifndef MMU86_STATS_H
#define MMU86_STATS_H

#include "mmu.h"

enum { STATS_VECTORS = 32 };

typedef struct {
  uint64_t references; /* all of the kinds below but control */
  uint64_t fetches, reads, writes;
  uint64_t system;           /* references to descriptor tables, TSS, IDT */
  uint64_t descriptor_loads; /* LOAD_SEG, VERIFY, LOAD_GATE */
  uint64_t control;          /* register writes, invalidations and the like */
  uint64_t tlb_hits, tlb_misses, tlb_evictions, walks;
  uint64_t faults[STATS_VECTORS];
} stats_t;

/* Whether a request is a reference: to memory by the guest, or to a table on its behalf. */
static inline bool stats_is_reference(const mmu_req_t *req) {
  return req->op <= MMU_OP_LOAD_SEG || req->op >= MMU_OP_VERIFY;
}

void stats_count(stats_t *stats, const mmu_req_t *req, const mmu_rsp_t *rsp);

/* Sum of faults over all vectors. */
uint64_t stats_faults(const stats_t *stats);

#endif
