#include "dut_answer.h"

#include <string.h>

static const dut_oddity_t sound;

static dut_oddity_t odd(const char *what, unsigned value) {
  return (dut_oddity_t){what, value};
}

static bool is_bool(const bool *value) {
  unsigned char byte;
  memcpy(&byte, value, 1);
  return byte <= 1;
}

static dut_oddity_t of_event(const mmu_tlb_event_t *e) {
  if (e->kind > MMU_TLB_FILL) return odd("a TLB event of kind", e->kind);
  if (e->set >= MMU_TLB_SETS_MAX) return odd("a TLB event in set", e->set);
  if (e->way >= MMU_TLB_LARGE_MAX) return odd("a TLB event in way", e->way);
  if (!is_bool(&e->large) || !is_bool(&e->evicted)) return odd("a TLB event with a bool that is none:", 2);
  return sound;
}

static dut_oddity_t of_reference(const mmu_mem_t *m) {
  if (m->size < 1 || m->size > 8) return odd("a reference to memory of size", m->size);
  if (m->kind > MMU_MEM_TSS) return odd("a reference to memory of kind", m->kind);
  if (!is_bool(&m->write) || !is_bool(&m->lost)) return odd("a reference with a bool that is none:", 2);
  return sound;
}

/* A response without its logs. */
static dut_oddity_t of_answer(const mmu_rsp_t *r) {
  if (r->vector > 31) return odd("vector", r->vector);
  if (r->first > 16) return odd("bytes on the first page:", r->first);
  const bool *const bools[] = {&r->fault,  &r->system, &r->verified, &r->split, &r->seg.usable,
                               &r->pcd[0], &r->pcd[1], &r->pwt[0],   &r->pwt[1]};
  for (unsigned i = 0; i < sizeof bools / sizeof *bools; i++)
    if (!is_bool(bools[i])) return odd("a bool that is none:", 2);
  for (unsigned page = 0; page < 2; page++)
    if (r->page_size[page] > MMU_PAGE_4M) return odd("a page size", r->page_size[page]);
  return sound;
}

dut_oddity_t dut_answer_oddity(const mmu_rsp_t *r) {
  dut_oddity_t found = sound;
  if (r->n_mem > MMU_MEM_MAX) return odd("references to memory:", r->n_mem);
  if (r->n_tlb > MMU_TLB_MAX) return odd("TLB events:", r->n_tlb);
  for (unsigned i = 0; i < r->n_mem && !found.what; i++)
    found = of_reference(&r->mem[i]);
  for (unsigned i = 0; i < r->n_tlb && !found.what; i++)
    found = of_event(&r->tlb[i]);
  return found.what ? found : of_answer(r);
}

dut_oddity_t dut_cycle_oddity(const dut_cycle_t *c) {
  dut_oddity_t found = sound;
  if ((unsigned)c->on_behalf >= DUT_PORTS) return odd("a reference on behalf of port", (unsigned)c->on_behalf);
  if (c->referred) found = of_reference(&c->reference);
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    if (c->valid[port] && !found.what) found = of_answer(c->rsp[port]);
    if (c->has_event[port] && !found.what) found = of_event(&c->event[port]);
  }
  return found;
}
