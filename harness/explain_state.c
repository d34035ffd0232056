#include "explain_state.h"

#include <string.h>

#include "x86.h"

void explain_state_reset(explain_state_t *state, const mmu_config_t *config) {
  memset(state, 0, sizeof *state);
  state->config = *config;
  state->cr0 = 0x60000010;
  state->gdtr.limit = state->idtr.limit = 0xFFFF;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_TR; seg++)
    state->seg[seg] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x093, .usable = true};
  state->seg[MMU_SEG_CS].selector = 0xF000;
  state->seg[MMU_SEG_CS].base = 0xFFFF0000;
  state->seg[MMU_SEG_CS].attr = 0x09B;
  state->seg[MMU_SEG_LDTR].attr = 0x082;
  state->seg[MMU_SEG_TR].attr = 0x08B;
  explain_tlb_drop_all(state);
}

void explain_follow_reset(explain_follow_t *follow, const mmu_config_t *config) {
  *follow = (explain_follow_t){.config = *config, .gdtr.limit = 0xFFFF, .idtr.limit = 0xFFFF};
}

void explain_follow(explain_follow_t *follow, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (req->op == MMU_OP_LOAD_TABLE) {
    explain_table_t table = {(uint32_t)req->offset, (uint16_t)req->data};
    *(req->seg == MMU_SEG_GDTR ? &follow->gdtr : &follow->idtr) = table;
  }
  for (unsigned i = 0; i < rsp->n_tlb; i++) {
    const mmu_tlb_event_t *event = &rsp->tlb[i];
    explain_slot_t slot = {event->large, event->set, event->way};
    if (event->kind == MMU_TLB_HIT || event->kind == MMU_TLB_FILL)
      explain_plru_touch(&follow->plru, &follow->config, slot);
  }
}

void explain_state_read(explain_state_t *state, const mmu_t *mmu, const explain_follow_t *follow) {
  memset(state, 0, sizeof *state);
  const mmu_config_t *config = &follow->config;
  state->config = *config;
  state->cr0 = (uint32_t)mmu_cr(mmu, 0);
  state->cr3 = (uint32_t)mmu_cr(mmu, 3);
  state->cr4 = (uint32_t)mmu_cr(mmu, 4);
  state->gdtr = follow->gdtr;
  state->idtr = follow->idtr;
  state->plru = follow->plru;
  for (unsigned seg = 0; seg < MMU_SEG_COUNT; seg++)
    state->seg[seg] = mmu_seg(mmu, (mmu_seg_id_t)seg);
  for (unsigned set = 0; set < config->tlb_sets; set++)
    for (unsigned way = 0; way < config->tlb_ways; way++)
      state->small[set][way] = mmu_tlb_entry(mmu, false, set, way);
  for (unsigned way = 0; way < config->tlb_large; way++)
    state->large[way] = mmu_tlb_entry(mmu, true, 0, way);
}

/* --- the TLB --- */

static unsigned set_of(const explain_state_t *state, uint32_t laddr) {
  return laddr >> 12 & (state->config.tlb_sets - 1u);
}

/* Without a TLB neither array ever holds anything. */
static unsigned ways_of(const explain_state_t *state, bool large) {
  if (state->config.tlb_sets == 0) return 0;
  return large ? state->config.tlb_large : state->config.tlb_ways;
}

static unsigned page_shift(bool large) {
  return large ? 22 : 12;
}

mmu_tlb_view_t *explain_tlb_at(explain_state_t *state, explain_slot_t slot) {
  return slot.large ? &state->large[slot.way] : &state->small[slot.set][slot.way];
}

/* The slot of one array that holds laddr's page. */
static bool find_in(explain_state_t *state, uint32_t laddr, bool large, explain_slot_t *slot) {
  unsigned ways = ways_of(state, large);
  *slot = (explain_slot_t){large, (uint8_t)(large ? 0 : set_of(state, laddr)), 0};
  for (; slot->way < ways; slot->way++) {
    const mmu_tlb_view_t *entry = explain_tlb_at(state, *slot);
    if (entry->valid && (entry->laddr ^ laddr) >> page_shift(large) == 0) return true;
  }
  return false;
}

bool explain_tlb_find(explain_state_t *state, uint32_t laddr, explain_slot_t *slot) {
  return find_in(state, laddr, false, slot) || find_in(state, laddr, true, slot);
}

explain_slot_t explain_tlb_victim(explain_state_t *state, uint32_t laddr, bool large) {
  unsigned ways = large ? state->config.tlb_large : state->config.tlb_ways;
  explain_slot_t slot = {large, (uint8_t)(large ? 0 : set_of(state, laddr)), 0};
  for (; slot.way < ways; slot.way++)
    if (!explain_tlb_at(state, slot)->valid) return slot;
  uint32_t tree = large ? state->plru.large : state->plru.small[slot.set];
  unsigned low = 0, node = 1;
  for (unsigned half = ways / 2; half > 0; half /= 2) {
    bool upper = tree >> node & 1;
    if (upper) low += half;
    node = 2 * node + upper;
  }
  slot.way = (uint8_t)low;
  return slot;
}

void explain_plru_touch(explain_plru_t *plru, const mmu_config_t *config, explain_slot_t slot) {
  uint32_t *tree = slot.large ? &plru->large : &plru->small[slot.set];
  unsigned node = 1;
  for (unsigned half = (slot.large ? config->tlb_large : config->tlb_ways) / 2u; half > 0; half /= 2) {
    bool upper = slot.way & half;
    *tree = upper ? *tree & ~(1u << node) : *tree | 1u << node;
    node = 2 * node + upper;
  }
}

void explain_tlb_drop_page(explain_state_t *state, uint32_t laddr) {
  explain_slot_t slot;
  for (unsigned large = 0; large < 2; large++)
    if (find_in(state, laddr, large, &slot)) *explain_tlb_at(state, slot) = (mmu_tlb_view_t){.large = large};
}

static void drop(explain_state_t *state, bool globals_too) {
  const mmu_config_t *config = &state->config;
  for (unsigned set = 0; set < config->tlb_sets; set++)
    for (unsigned way = 0; way < config->tlb_ways; way++)
      if (globals_too || !state->small[set][way].global) state->small[set][way] = (mmu_tlb_view_t){0};
  for (unsigned way = 0; way < config->tlb_large; way++)
    if (globals_too || !state->large[way].global) state->large[way] = (mmu_tlb_view_t){.large = true};
}

void explain_tlb_drop_local(explain_state_t *state) {
  drop(state, false);
}

void explain_tlb_drop_all(explain_state_t *state) {
  drop(state, true);
}
