/*
 * Recipes: LOAD_SEG, VERIFY, LOAD_GATE, CHECK_IO, MARK_TASK.
 */
#include "steer.h"

/* --- LOAD_SEG --- */

/* Levels that the rules of a reason permit, or refuse. Returns false if there are none. */
static bool find_levels(unsigned reason, unsigned type, bool permitted, unsigned *rpl, unsigned *cpl, unsigned *dpl) {
  for (unsigned n = 0; n < 64; n++) {
    *rpl = n & 3, *cpl = n >> 2 & 3, *dpl = n >> 4;
    if (coverage_load_permits(reason, type, *rpl, *cpl, *dpl) == permitted) return true;
  }
  return false;
}

static void load_type(steer_t *s, const unsigned *at) {
  unsigned reason = at[0], type = at[1], verdict = at[2], rpl = 0, cpl = 0, dpl = 0;
  bool accepts = coverage_loads_type(reason, type);
  if (!find_levels(reason, type, !(accepts && verdict == REFUSED), &rpl, &cpl, &dpl)) return;
  unsigned attr = type | dpl << MMU_ATTR_DPL_SHIFT | (verdict == NOT_PRESENT ? 0 : MMU_ATTR_P);
  steer_fresh(s);
  steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, verdict == SHORT_LIMIT ? 1 : 0x67, attr);
  steer_load(s, reason, (uint16_t)(STEER_SELECTOR | rpl), cpl);
}

static unsigned order(unsigned a, unsigned b) {
  return a < b ? 0 : a == b ? 1 : 2;
}

static void load_privilege(steer_t *s, const unsigned *at) {
  static const uint8_t types[LOAD_KINDS] = {0x12, 0x1A, 0x1E, 0x0C};
  for (unsigned n = 0; n < 64; n++) {
    unsigned rpl = n & 3, cpl = n >> 2 & 3, dpl = n >> 4;
    if (order(rpl, cpl) != at[2] || order(dpl, cpl) != at[3] || order(dpl, rpl) != at[4]) continue;
    steer_fresh(s);
    steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, 0xFFFFF, steer_attr(types[at[1]], dpl));
    steer_load(s, at[0], (uint16_t)(STEER_SELECTOR | rpl), cpl);
    return;
  }
}

/* A table in region A whose descriptor number STEER_SELECTOR / 8 stands at byte `at` of the region. */
static void move_table(steer_t *s, unsigned seg, uint32_t at) {
  steer_load_table(s, seg, STEER_A + at - STEER_SELECTOR, STEER_TABLE_LIMIT);
}

static void load_find(steer_t *s, const unsigned *at) {
  enum { STRADDLING = 0xFFC };
  unsigned reason = at[0], which = at[1], attr = steer_attr_for(reason);
  uint16_t selector = STEER_SELECTOR;
  steer_paging(s, X86_CR0_WP, 0);
  if (which == FIND_MARKED_BEFORE) attr |= MMU_ATTR_ACCESSED;
  steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, 0x67, attr);
  steer_descriptor(s, STEER_LDT + STEER_SELECTOR, 0, 0x67, attr);
  if (which == FIND_NULL) selector = 0;
  if (which >= FIND_LDT_END && which <= FIND_LOCAL) selector |= 4;
  uint32_t limit = STEER_SELECTOR + (which == FIND_GDT_END || which == FIND_LDT_END ? 7 : 6);
  if (which == FIND_GDT_END || which == FIND_GDT_BEYOND) steer_load_table(s, MMU_SEG_GDTR, STEER_GDT, limit);
  if (which == FIND_LDT_END || which == FIND_LDT_BEYOND) steer_raw(s, MMU_SEG_LDTR, STEER_LDT, limit, 0x082, true);
  if (which == FIND_LDTR_UNUSABLE) steer_raw(s, MMU_SEG_LDTR, STEER_LDT, STEER_TABLE_LIMIT, 0x082, false);
  if (which == FIND_PF_FIRST || which == FIND_PF_SECOND) {
    steer_page(s, STEER_A, which == FIND_PF_FIRST ? 0 : STEER_OK);
    steer_page(s, STEER_A + 0x1000, 0);
    move_table(s, MMU_SEG_GDTR, STRADDLING);
  }
  if (which == FIND_PF_MARK) {
    steer_page(s, STEER_A, X86_PTE_P | X86_PTE_A);
    steer_descriptor(s, steer_frame(STEER_A + 0x100), 0, 0x67, attr);
    move_table(s, MMU_SEG_GDTR, 0x100);
  }
  steer_load(s, reason, selector, 0);
}

/* --- VERIFY, LOAD_GATE --- */

static void verify(steer_t *s, unsigned kind, uint16_t selector, unsigned cpl) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_VERIFY, .reason = (uint8_t)kind, .selector = selector, .cpl = (uint8_t)cpl});
}

static void verify_type(steer_t *s, const unsigned *at) {
  unsigned attr = at[1] | (at[2] ? MMU_ATTR_P : 0);
  steer_fresh(s);
  steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, 0xFFFFF, attr);
  verify(s, at[0], STEER_SELECTOR, at[3] == 2 ? 3 : 0);
}

static void verify_find(steer_t *s, const unsigned *at) {
  enum { NULL_SELECTOR, GDT_END, GDT_BEYOND, LDT_END, LDT_BEYOND, LDTR_UNUSABLE, PF_FIRST, PF_SECOND };
  unsigned which = at[1];
  uint16_t selector = which == NULL_SELECTOR ? 3 : STEER_SELECTOR;
  uint32_t limit = STEER_SELECTOR + (which == GDT_END || which == LDT_END ? 7 : 6);
  steer_paging(s, 0, 0);
  if (which >= LDT_END && which <= LDTR_UNUSABLE) selector |= 4;
  if (which == GDT_END || which == GDT_BEYOND) steer_load_table(s, MMU_SEG_GDTR, STEER_GDT, limit);
  if (selector & 4) steer_raw(s, MMU_SEG_LDTR, STEER_LDT, limit, 0x082, which != LDTR_UNUSABLE);
  if (which >= PF_FIRST) {
    steer_page(s, STEER_A, which == PF_FIRST ? 0 : STEER_OK);
    steer_page(s, STEER_A + 0x1000, 0);
    move_table(s, MMU_SEG_GDTR, 0xFFC);
  }
  verify(s, at[0], selector, 0);
}

static void load_gate(steer_t *s, unsigned event, unsigned cpl, bool vm) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_LOAD_GATE,
                            .reason = (uint8_t)event,
                            .offset = STEER_SELECTOR / 8,
                            .cpl = (uint8_t)cpl,
                            .vm = vm});
}

static void gate_type(steer_t *s, const unsigned *at) {
  enum { TAKEN, WRONG_TYPE, DPL, ABSENT };
  unsigned attr = at[1] | (at[2] == DPL ? 0 : 3 << MMU_ATTR_DPL_SHIFT) | (at[2] == ABSENT ? 0 : MMU_ATTR_P);
  steer_fresh(s);
  steer_descriptor(s, STEER_IDT + STEER_SELECTOR, 8, 0, attr);
  load_gate(s, at[0], 3, false);
}

static void gate_find(steer_t *s, const unsigned *at) {
  enum { END, BEYOND, PF_FIRST, PF_SECOND };
  unsigned which = at[2];
  steer_paging(s, 0, 0);
  steer_load_table(s, MMU_SEG_IDTR, STEER_IDT, STEER_SELECTOR + (which == END ? 7 : 6));
  if (which >= PF_FIRST) {
    steer_page(s, STEER_A, which == PF_FIRST ? 0 : STEER_OK);
    steer_page(s, STEER_A + 0x1000, 0);
    move_table(s, MMU_SEG_IDTR, 0xFFC);
  }
  load_gate(s, at[0], 3, at[1] == MODE_V86);
}

/* --- CHECK_IO, MARK_TASK --- */

static void check_io(steer_t *s, unsigned size_index, unsigned port) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = (uint8_t)(1u << size_index), .offset = port});
}

static void io_bits(steer_t *s, const unsigned *at) {
  unsigned size = 1u << at[0], first = at[1];
  uint32_t low = 1u << first, high = 1u << (first + size - 1), asked = ((1u << size) - 1) << first;
  const uint32_t maps[IO_BITS] = {0, low, high, ~asked & 0xFFFF};
  steer_fresh(s);
  steer_store(s, STEER_TSS + 0x66, 2, 0x80);
  steer_store(s, STEER_TSS + 0x80, 4, maps[at[2]]);
  check_io(s, at[0], first);
}

static void io_find(steer_t *s, const unsigned *at) {
  enum { LIMIT = 0x1FF };
  unsigned which = at[1], map = 0x80, limit = LIMIT, attr = 0x08B;
  uint32_t base = STEER_TSS;
  steer_paging(s, 0, 0);
  if (which == IO_TR_TYPE) attr = 0x083;
  if (which == IO_TR_SHORT) limit = 0x66;
  if (which == IO_TR_SHORTEST) limit = 0x67;
  if (which == IO_MAP_END) map = LIMIT - 1;
  if (which == IO_MAP_BEYOND) map = LIMIT;
  if (which >= IO_MAP_STRADDLES) {
    bool first = which == IO_PF_FIELD || which == IO_PF_MAP,
         field = which == IO_PF_FIELD || which == IO_PF_FIELD_SECOND;
    if (!field) map = 0x11FF, limit = 0x1FFF;
    base = field ? STEER_A + 0xFFF - 0x66 : STEER_A + 0xE00; /* the field, or the map, straddles pages */
    uint32_t page = field ? STEER_A : STEER_A + 0x1000, bad = first ? page : page + 0x1000;
    for (unsigned i = 0; i < 3; i++)
      steer_page(s, STEER_A + 0x1000 * i, STEER_OK);
    steer_store(s, steer_frame(base + 0x66), 2, map);
    steer_store(s, steer_frame(base + map), 4, 0);
    if (which != IO_MAP_STRADDLES) steer_page(s, bad, 0);
  } else {
    steer_store(s, STEER_TSS + 0x66, 2, map);
  }
  steer_raw(s, MMU_SEG_TR, base, limit, attr, which != IO_TR_UNUSABLE);
  check_io(s, at[0], 0);
}

static void mark_task(steer_t *s, const unsigned *at) {
  unsigned which = at[1], attr = which == MARK_WAS_SET ? 0x08B : 0x089;
  steer_paging(s, X86_CR0_WP, 0);
  steer_page(s, STEER_A, which == MARK_ABSENT ? 0 : which == MARK_READ_ONLY ? X86_PTE_P : STEER_OK);
  steer_descriptor(s, steer_frame(STEER_A + 0x100), 0, 0x67, attr);
  move_table(s, MMU_SEG_GDTR, 0x100);
  steer_send(s, (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = STEER_SELECTOR, .data = at[0]});
}

const steer_recipe_t steer_tables[] = {
    {&coverage_load_type, load_type},
    {&coverage_load_privilege, load_privilege},
    {&coverage_load_find, load_find},
    {&coverage_verify_type, verify_type},
    {&coverage_verify_find, verify_find},
    {&coverage_gate_type, gate_type},
    {&coverage_gate_find, gate_find},
    {&coverage_io_bits, io_bits},
    {&coverage_io_find, io_find},
    {&coverage_mark, mark_task},
    {NULL, NULL},
};
