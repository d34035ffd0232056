#include "recorder.h"

#include <string.h>

void recorder_start(recorder_t *r, const lockstep_t *ls, const mmu_config_t *geometry, bool overlapped) {
  memset(r, 0, sizeof *r);
  timeline_start(&r->timeline);
  r->geometry = *geometry;
  r->has_entries = !ls->oracle && !(ls->dut && ls->dut->traits.own_caching) && geometry->tlb_sets > 0;
  r->has_cycles = ls->dut && !overlapped;
  if (ls->dut) r->cycles = ls->dut->cycles(ls->handle);
}

static uint32_t valid_entries(const mmu_t *mmu, bool large, unsigned sets, unsigned ways) {
  uint32_t n = 0;
  for (unsigned set = 0; set < sets; set++)
    for (unsigned way = 0; way < ways; way++)
      n += mmu_tlb_entry(mmu, large, set, way).valid;
  return n;
}

timeline_point_t recorder_now(const recorder_t *r, const lockstep_t *ls, const mmu_t *mmu) {
  const stats_t *s = &ls->stats;
  timeline_point_t point = {
      .tlb_hits = s->tlb_hits, .tlb_misses = s->tlb_misses, .walks = s->walks, .faults = stats_faults(s)};
  if (ls->dut) point.cycles = ls->dut->cycles(ls->handle);
  if (!r->has_entries || !mmu) return point;
  point.entries_4k = valid_entries(mmu, false, r->geometry.tlb_sets, r->geometry.tlb_ways);
  point.entries_4m = valid_entries(mmu, true, 1, r->geometry.tlb_large);
  return point;
}

void recorder_note(recorder_t *r, const lockstep_t *ls, const mmu_t *mmu, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (r->has_cycles) {
    uint64_t cycles = ls->dut->cycles(ls->handle);
    cycle_counts_add(&r->counts, cycles_class(req, rsp), cycles - r->cycles);
    r->cycles = cycles;
  }
  if (ls->sequence < r->timeline.next) return;
  timeline_point_t point = recorder_now(r, ls, mmu);
  timeline_add(&r->timeline, &point);
}
