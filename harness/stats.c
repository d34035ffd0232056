#include "stats.h"

#include <assert.h>

static void count_request(stats_t *stats, const mmu_req_t *req) {
  switch (req->op) {
  case MMU_OP_ACCESS:
    if (req->access == MMU_EXECUTE)
      stats->fetches++;
    else if (req->access == MMU_READ)
      stats->reads++;
    else
      stats->writes++;
    break;
  case MMU_OP_SYSTEM:
  case MMU_OP_CHECK_IO:
  case MMU_OP_MARK_TASK:
    stats->system++;
    break;
  case MMU_OP_LOAD_SEG:
  case MMU_OP_VERIFY:
  case MMU_OP_LOAD_GATE:
    stats->descriptor_loads++;
    break;
  default:
    stats->control++;
    return;
  }
  stats->references++;
}

void stats_count(stats_t *stats, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  count_request(stats, req);
  for (unsigned i = 0; i < rsp->n_tlb; i++) {
    switch (rsp->tlb[i].kind) {
    case MMU_TLB_HIT:
      stats->tlb_hits++;
      break;
    case MMU_TLB_FILL:
      stats->tlb_evictions += rsp->tlb[i].evicted;
      break;
    default:
      stats->tlb_misses++;
      stats->walks++;
    }
  }
  if (rsp->fault) stats->faults[rsp->vector % STATS_VECTORS]++;
}

uint64_t stats_faults(const stats_t *stats) {
  uint64_t sum = 0;
  for (unsigned v = 0; v < STATS_VECTORS; v++)
    sum += stats->faults[v];
  return sum;
}

static stats_share_t sums(const stats_t *stats) {
  return (stats_share_t){.references = stats->references,
                         .tlb_hits = stats->tlb_hits,
                         .tlb_misses = stats->tlb_misses,
                         .walks = stats->walks,
                         .faults = stats_faults(stats)};
}

stats_share_t stats_share(const stats_t *stats, unsigned origin) {
  stats_share_t share = stats->ended[origin];
  if (origin != stats->origin) return share;
  const stats_share_t now = sums(stats), *begun = &stats->begun;
  share.references += now.references - begun->references;
  share.tlb_hits += now.tlb_hits - begun->tlb_hits;
  share.tlb_misses += now.tlb_misses - begun->tlb_misses;
  share.walks += now.walks - begun->walks;
  share.faults += now.faults - begun->faults;
  return share;
}

void stats_set_origin(stats_t *stats, uint8_t origin) {
  assert(origin < ORIGIN_COUNT);
  stats->ended[stats->origin] = stats_share(stats, stats->origin);
  stats->begun = sums(stats);
  stats->origin = origin;
  stats->tagged = true;
}
