#include "cycle_counts.h"

#include <assert.h>

#include "stats.h"

unsigned cycles_bin(uint64_t cycles) {
  if (cycles < CYCLES_EXACT) return (unsigned)cycles;
  unsigned octave = 0;
  while (octave < CYCLES_OCTAVES - 1 && cycles >> (octave + 1) >= CYCLES_EXACT)
    octave++;
  uint64_t part = (cycles >> octave) / (CYCLES_EXACT / CYCLES_PARTS) - CYCLES_PARTS;
  if (part >= CYCLES_PARTS) part = CYCLES_PARTS - 1;
  return CYCLES_EXACT + CYCLES_PARTS * octave + (unsigned)part;
}

uint64_t cycles_first(unsigned bin) {
  if (bin < CYCLES_EXACT) return bin;
  unsigned octave = (bin - CYCLES_EXACT) / CYCLES_PARTS, part = (bin - CYCLES_EXACT) % CYCLES_PARTS;
  return (uint64_t)(CYCLES_PARTS + part) * (CYCLES_EXACT / CYCLES_PARTS) << octave;
}

uint64_t cycles_last(unsigned bin) {
  return cycles_first(bin + 1) - 1;
}

static cycles_class_t class_of_walk(const mmu_rsp_t *rsp) {
  unsigned references = rsp->n_mem < 1 ? 1 : rsp->n_mem > 5 ? 5 : rsp->n_mem;
  return (cycles_class_t)(CYCLES_HIT + references);
}

/* The walk of a transaction by the TLB's events; CYCLES_HIT if there is none. Without events references tell. */
static cycles_class_t class_of_access(const mmu_rsp_t *rsp) {
  if (rsp->n_tlb == 0) return rsp->n_mem ? class_of_walk(rsp) : CYCLES_UNTRANSLATED;
  for (unsigned i = 0; i < rsp->n_tlb; i++)
    if (rsp->tlb[i].kind != MMU_TLB_HIT && rsp->tlb[i].kind != MMU_TLB_FILL) return class_of_walk(rsp);
  return CYCLES_HIT;
}

cycles_class_t cycles_class(const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (req->op == MMU_OP_ACCESS || req->op == MMU_OP_SYSTEM) return class_of_access(rsp);
  return stats_is_reference(req) ? CYCLES_TABLE : CYCLES_CONTROL;
}

const char *cycles_class_name(unsigned class, bool told) {
  static const char *const names[CYCLES_CLASSES] = {"hit",       "walk_1",       "walk_2", "walk_3", "walk_4",
                                                    "walk_more", "untranslated", "table",  "control"};
  assert(class < CYCLES_CLASSES);
  if (class == CYCLES_UNTRANSLATED && !told) return "no_walk";
  return names[class];
}

void cycle_counts_add(cycle_counts_t *counts, cycles_class_t class, uint64_t cycles) {
  cycles_share_t *share = &counts->share[class];
  share->transactions++;
  share->cycles += cycles;
  share->bin[cycles_bin(cycles)]++;
}
