/*
 * Recipes: modes, faults, control registers, SET_SEG, segment checks, alignment, SYSTEM.
 */
#include "steer.h"

/* --- operation, fault --- */

/* GDTR and IDTR lead to a page that is not there. */
static void unmap_tables(steer_t *s) {
  steer_page(s, STEER_A, 0);
  steer_load_table(s, MMU_SEG_GDTR, STEER_A, STEER_TABLE_LIMIT);
  steer_load_table(s, MMU_SEG_IDTR, STEER_A, 0x7FF);
  steer_raw(s, MMU_SEG_TR, STEER_A, 0x1FF, 0x08B, true);
}

static mmu_req_t request_of(unsigned op, bool fault) {
  mmu_req_t access = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = fault ? 0x10000 : 0x1000};
  mmu_req_t set = {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_ES, .selector = 8, .data = 0xFFFFFFFF | 0x0001C93ull << 32};
  switch (op) {
  case DO_FETCH:
    access.seg = MMU_SEG_CS;
    access.access = MMU_EXECUTE;
    return access;
  case DO_WRITE:
    access.access = MMU_WRITE;
    return access;
  case DO_SYSTEM:
    return (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_GDTR, .size = 8, .offset = fault ? 0xFFF0 : 0x40};
  case DO_LOAD_SEG:
    return (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .selector = fault ? 0xFFF8 : STEER_SELECTOR};
  case DO_COMMIT_SEG:
    return (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS};
  case DO_SET_REAL:
  case DO_SET_V86:
  case DO_SET_RAW:
  case DO_SET_OUTER:
    set.reason = (uint8_t)(op - DO_SET_REAL);
    return set;
  case DO_WRITE_CR0:
    return (mmu_req_t){.op = MMU_OP_WRITE_CR, .data = fault ? 1ull << 32 : X86_CR0_PE | X86_CR0_ET};
  case DO_WRITE_CR3:
    return (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = STEER_PD};
  case DO_WRITE_CR4:
    return (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 4, .data = fault ? X86_CR4_PAE : X86_CR4_PSE};
  case DO_LOAD_TABLE:
    return (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = STEER_IDT, .data = 0x7FF};
  case DO_INVLPG:
    return (mmu_req_t){.op = MMU_OP_INVLPG, .offset = 0x1000};
  case DO_VERIFY:
    return (mmu_req_t){.op = MMU_OP_VERIFY, .selector = STEER_SELECTOR};
  case DO_LOAD_GATE:
    return (mmu_req_t){.op = MMU_OP_LOAD_GATE, .offset = 8};
  case DO_CHECK_IO:
    return (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = 1};
  case DO_MARK_TASK:
    return (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = STEER_SELECTOR};
  default:
    return access;
  }
}

static void operation(steer_t *s, const unsigned *at) {
  unsigned mode = at[0], op = at[2];
  bool paging = at[1], fault = at[3];
  if (paging)
    steer_paging(s, 0, 0);
  else
    steer_fresh(s);
  steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, 0xFFFFF, 0xC93);
  steer_descriptor(s, STEER_IDT + 8 * 8, STEER_SELECTOR, 0x1000, steer_attr(0x0E, 3));
  steer_store(s, STEER_TSS + 0x66, 2, 0x68);
  steer_store(s, STEER_TSS + 0x68, 4, 0);
  if (fault && op == DO_LOAD_GATE) steer_load_table(s, MMU_SEG_IDTR, STEER_IDT, 7);
  if (fault && op == DO_CHECK_IO) steer_raw(s, MMU_SEG_TR, STEER_TSS, 0x10, 0x08B, true);
  if (fault && (op == DO_VERIFY || op == DO_MARK_TASK)) unmap_tables(s);
  if (fault && op <= DO_FETCH)
    for (unsigned seg = MMU_SEG_CS; seg <= MMU_SEG_DS; seg++)
      steer_raw(s, seg, 0, 0xFFFF, seg == MMU_SEG_CS ? 0x09B : 0x093, true);
  mmu_req_t req = request_of(op, fault);
  if (mode == MODE_V86) req.vm = true, req.cpl = 3;
  if (mode == MODE_REAL) steer_cr(s, 0, X86_CR0_ET);
  if (mode == MODE_REAL && op == DO_WRITE_CR0 && !fault) req.data = X86_CR0_ET;
  if (paging && req.vm && op <= DO_FETCH) {
    steer_page(s, STEER_A, STEER_OK);
    if (!fault) req.offset = STEER_A;
  }
  steer_send(s, req);
}

static void fault(steer_t *s, const unsigned *at) {
  enum { TS, NP, SS, GP, PF, AC };
  unsigned vector = at[1];
  mmu_req_t req = {0};
  steer_paging(s, vector == AC ? X86_CR0_AM : 0, 0);
  if (vector == PF) unmap_tables(s);
  steer_descriptor(s, STEER_GDT + STEER_SELECTOR, 0, 0xFFFFF, 0x813 | (vector == SS ? 0 : 0)); /* data, not present */
  steer_descriptor(s, STEER_IDT + 8 * 8, 8, 0, 0x00E);                                         /* a gate, not present */
  steer_raw(s, MMU_SEG_SS, 0, 0xFFF, 0x093, true);
  switch (at[0]) {
  case 0:
    req = (mmu_req_t){.op = MMU_OP_ACCESS, .seg = vector == SS ? MMU_SEG_SS : MMU_SEG_DS, .size = 4, .offset = STEER_A};
    if (vector == GP) req.access = MMU_WRITE, steer_raw(s, MMU_SEG_DS, 0, 0xFFF, 0x093, true);
    if (vector == AC) req.offset = 0x1001, req.align = 2, req.ac = true, req.cpl = 3;
    break;
  case 1:
    req =
        (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = vector == TS ? MMU_SEG_TR : MMU_SEG_GDTR, .size = 4, .offset = 0x8000};
    if (vector == PF) req.offset = 0;
    break;
  case 2:
    req = (mmu_req_t){.op = MMU_OP_LOAD_SEG, .reason = MMU_LOAD_DATA, .seg = MMU_SEG_DS, .selector = STEER_SELECTOR};
    if (vector == TS) req.reason = MMU_LOAD_STACK_INNER, req.seg = MMU_SEG_SS, req.selector = 0;
    if (vector == SS) req.reason = MMU_LOAD_STACK, req.seg = MMU_SEG_SS;
    if (vector == GP) req.selector = 0xFFF8;
    break;
  case 3:
    req = request_of(DO_WRITE_CR0, true);
    break;
  case 4:
    req = request_of(DO_VERIFY, true);
    break;
  case 5:
    req = request_of(DO_LOAD_GATE, true);
    if (vector == GP) req.offset = 9, steer_store(s, STEER_IDT + 8 * 9, 8, 0);
    break;
  case 6:
    req = request_of(DO_CHECK_IO, true);
    if (vector == GP) steer_raw(s, MMU_SEG_TR, STEER_TSS, 0x10, 0x08B, true);
    break;
  default:
    req = request_of(DO_MARK_TASK, true);
  }
  req.ext = at[2];
  steer_send(s, req);
}

/* --- control registers --- */

static void control_bit(steer_t *s, const unsigned *at) {
  uint64_t mask = coverage_control_mask[at[0]];
  unsigned cr = coverage_control_cr[at[0]];
  bool before = at[1] >= 2, after = at[1] % 2;
  uint64_t base = cr ? 0 : X86_CR0_ET, on = base | mask;
  if (at[0] == CONTROL_PG) on |= X86_CR0_PE;
  if (at[0] == CONTROL_NW) on |= X86_CR0_CD;
  steer_fresh(s);
  steer_cr(s, 3, STEER_PD);
  steer_cr(s, cr, before ? on : base);
  steer_cr(s, cr, after ? on : base);
}

static void control_refused(steer_t *s, const unsigned *at) {
  static const uint64_t values[REFUSED_COUNT] = {X86_CR0_PG, X86_CR0_NW, 1ull << 32, X86_CR4_PAE,
                                                 1 << 11,    1 << 22,    1ull << 63};
  steer_fresh(s);
  steer_cr(s, at[0] < REFUSED_PAE ? 0 : 4, values[at[0]]);
}

/* --- SET_SEG, COMMIT_SEG --- */

static void set_seg(steer_t *s, const unsigned *at) {
  static const struct {
    uint16_t attr;
    bool usable;
  } outer[SET_COUNT] = {
      [OUTER_UNUSABLE] = {0x093, false}, [OUTER_ALLOWED] = {0x0F3, true}, [OUTER_CONFORMING] = {0x09E, true},
      [OUTER_SYSTEM] = {0x082, true},    [OUTER_DATA] = {0x093, true},    [OUTER_CODE] = {0x09A, true}};
  unsigned kind = at[0], seg = at[1];
  steer_fresh(s);
  if (kind >= OUTER_UNUSABLE) {
    steer_raw(s, seg, 0, 0xFFFF, outer[kind].attr, outer[kind].usable);
    steer_send(s, (mmu_req_t){.op = MMU_OP_SET_SEG, .reason = MMU_SET_OUTER, .seg = (uint8_t)seg, .cpl = 3});
  } else if (kind >= SET_USABLE) {
    steer_raw(s, seg, 0, 0xFFFF, 0x093, kind == SET_USABLE);
  } else {
    uint8_t reason = kind == SET_REAL ? MMU_SET_REAL : MMU_SET_V86;
    steer_send(s, (mmu_req_t){.op = MMU_OP_SET_SEG, .reason = reason, .seg = (uint8_t)seg, .selector = 0x1000});
  }
}

static void commit_seg(steer_t *s, const unsigned *at) {
  static const uint8_t seg[] = {MMU_SEG_CS, MMU_SEG_SS, MMU_SEG_TR};
  uint8_t staged = (uint8_t)(MMU_SEG_STAGED_CS + at[0]);
  steer_fresh(s);
  steer_raw(s, staged, 0, 0xFFFF, 0x09B, at[1]);
  steer_send(s, (mmu_req_t){.op = MMU_OP_COMMIT_SEG, .seg = seg[at[0]], .reason = staged});
}

/* --- segment, align --- */

/* A hidden part and an operand about one of its bounds. */
static void segment(steer_t *s, const unsigned *at) {
  enum { DOWN = MMU_ATTR_EXPAND_DOWN, BIG = MMU_ATTR_DB };
  static const struct {
    uint32_t limit, offset;
    unsigned attr;
    uint8_t size;
  } bounds[SEG_CHECKS] = {
      [SEG_INSIDE] = {0xFFFF, 0x1000, 0, 4},
      [SEG_UNUSABLE] = {0xFFFF, 0x1000, 0, 4},
      [SEG_TYPE] = {0xFFFF, 0x1000, 0, 4},
      [UP_LAST_AT] = {0xFFFF, 0xFFFC, 0, 4},
      [UP_LAST_BEYOND] = {0xFFFF, 0xFFFD, 0, 4},
      [UP_FIRST_BEYOND] = {0xFFFF, 0x10000, 0, 4},
      [UP_WRAPS] = {0xFFFFFFFF, 0xFFFFFFFE, 0, 4},
      [DOWN16_FIRST_AT] = {0xFFF, 0xFFF, DOWN, 4},
      [DOWN16_FIRST_INSIDE] = {0xFFF, 0x1000, DOWN, 4},
      [DOWN16_LAST_AT] = {0xFFF, 0xFFFC, DOWN, 4},
      [DOWN16_LAST_BEYOND] = {0xFFF, 0xFFFD, DOWN, 4},
      [DOWN32_FIRST_AT] = {0xFFF, 0xFFF, DOWN | BIG, 4},
      [DOWN32_FIRST_INSIDE] = {0xFFF, 0x1000, DOWN | BIG, 4},
      [DOWN32_LAST_AT] = {0xFFF, 0xFFFFFFFC, DOWN | BIG, 4},
      [DOWN32_WRAPS] = {0xFFF, 0xFFFFFFFD, DOWN | BIG, 4},
      [SEG_MISALIGNED] = {0xFFFF, 0x1001, 0, 4},
  };
  unsigned mode = at[0], access = at[2], check = at[3];
  uint8_t seg = coverage_access_register[at[1]];
  unsigned attr = 0x093 | bounds[check].attr;
  if (check == SEG_TYPE) attr = access == MMU_WRITE ? 0x091 : 0x098;
  if (access == MMU_EXECUTE && !(bounds[check].attr & DOWN)) attr = 0x09A;
  steer_fresh(s);
  steer_raw(s, seg, 0, bounds[check].limit, attr, check != SEG_UNUSABLE);
  mmu_req_t req = {.op = MMU_OP_ACCESS, .access = (uint8_t)access, .seg = seg, .size = bounds[check].size};
  req.offset = bounds[check].offset;
  req.vm = mode == MODE_V86;
  if (check == SEG_MISALIGNED) req.align = 2, req.ac = true;
  if (check == SEG_MISALIGNED || req.vm) req.cpl = 3;
  steer_cr(s, 0, mode == MODE_REAL ? X86_CR0_ET : X86_CR0_ET | X86_CR0_PE | X86_CR0_AM);
  steer_send(s, req);
}

static void align(steer_t *s, const unsigned *at) {
  unsigned mode = at[0], align = at[2] + 1, which = at[3];
  mmu_req_t req = {
      .op = MMU_OP_ACCESS, .access = (uint8_t)at[1], .seg = MMU_SEG_DS, .size = 8, .align = (uint8_t)align};
  req.offset = 0x1000 + (which == ALIGN_ALIGNED ? 0 : 1u << (align - 1));
  req.cpl = which == ALIGN_CPL ? 0 : 3;
  req.ac = which != ALIGN_NO_AC;
  req.implicit = which == ALIGN_IMPLICIT;
  req.vm = mode == MODE_V86;
  steer_fresh(s);
  steer_cr(s, 0, X86_CR0_ET | (mode == MODE_REAL ? 0 : X86_CR0_PE) | (which == ALIGN_NO_AM ? 0 : X86_CR0_AM));
  steer_send(s, req);
}

/* --- SYSTEM --- */

static void system_table(steer_t *s, const unsigned *at) {
  enum { LIMIT = 0xFF };
  static const uint32_t offsets[SYS_CASES] = {0x10, LIMIT - 3, LIMIT - 2, LIMIT + 1, 0x10};
  uint8_t table = coverage_system_table[at[0]];
  steer_fresh(s);
  steer_load_table(s, MMU_SEG_GDTR, STEER_GDT, LIMIT);
  steer_load_table(s, MMU_SEG_IDTR, STEER_IDT, LIMIT);
  if (table < MMU_SEG_COUNT) steer_raw(s, table, STEER_TSS, LIMIT, 0x08B, at[2] != SYS_UNUSABLE);
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .access = (uint8_t)at[1], .seg = table, .size = 4, .offset = offsets[at[2]]};
  steer_send(s, req);
}

const steer_recipe_t steer_segments[] = {
    {&coverage_operation, operation},     {&coverage_fault, fault},
    {&coverage_control_bit, control_bit}, {&coverage_control_refused, control_refused},
    {&coverage_set_seg, set_seg},         {&coverage_commit, commit_seg},
    {&coverage_segment, segment},         {&coverage_align, align},
    {&coverage_system, system_table},     {NULL, NULL},
};
