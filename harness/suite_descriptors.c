#include "suite_priv.h"

/*
 * Descriptors of every type and privilege for every reason, and the page of the accessed or busy bit with every
 * combination of rights.
 */

/* What a reason loads. */
static const struct {
  uint8_t seg;
  uint16_t attr; /* of a descriptor that it accepts, with the accessed or busy bit as it has to be, DPL 0 */
} reasons[] = {
    [MMU_LOAD_DATA] = {MMU_SEG_FS, 0x092},
    [MMU_LOAD_STACK] = {MMU_SEG_SS, 0x092},
    [MMU_LOAD_STACK_INNER] = {MMU_SEG_STAGED_SS, 0x092},
    [MMU_LOAD_CODE_JUMP] = {MMU_SEG_CS, 0x09A},
    [MMU_LOAD_CODE_RETURN] = {MMU_SEG_CS, 0x09A},
    [MMU_LOAD_CODE_GATE] = {MMU_SEG_STAGED_CS, 0x09A},
    [MMU_LOAD_LDT] = {MMU_SEG_LDTR, 0x082},
    [MMU_LOAD_TASK] = {MMU_SEG_TR, 0x089},
    [MMU_LOAD_CODE_GATE_JUMP] = {MMU_SEG_CS, 0x09A},
    [MMU_LOAD_TASK_NEW] = {MMU_SEG_STAGED_TR, 0x089},
    [MMU_LOAD_TASK_RETURN] = {MMU_SEG_STAGED_TR, 0x08B},
    [MMU_LOAD_SWITCH_LDT] = {MMU_SEG_LDTR, 0x082},
    [MMU_LOAD_SWITCH_CODE] = {MMU_SEG_CS, 0x09A},
    [MMU_LOAD_SWITCH_STACK] = {MMU_SEG_SS, 0x092},
    [MMU_LOAD_SWITCH_DATA] = {MMU_SEG_FS, 0x092},
};

enum { REASONS = sizeof reasons / sizeof *reasons };

/* --- types and privileges, without paging --- */

static bool restore_ldt(suite_t *s) {
  return suite_segment(s, MMU_SEG_LDTR, SUITE_LDT, 0x7F, 0x082);
}

/* A selector of entry 1 of the GDT or LDT, and a descriptor there. */
static uint16_t place(suite_t *s, unsigned ti, unsigned rpl, uint32_t limit, unsigned attr) {
  suite_store64(s, (ti ? SUITE_LDT : SUITE_GDT) + 8, suite_descriptor(0x1000, limit, attr));
  return (uint16_t)(8 | ti << 2 | rpl);
}

/* All types, DPLs and P: 8 bits of the attributes. */
static bool types(suite_t *s) {
  static const uint32_t limits[] = {0xFFFFF, 0x2B, 0x2A, 0x67, 0x66};
  for (unsigned n = 0; n < REASONS * 256u * 4 * 4 * 2; n++) {
    if (!suite_next(s)) continue;
    unsigned attr = n & 0xFF, rpl = n >> 8 & 3, cpl = n >> 10 & 3, ti = n >> 12 & 1, reason = n >> 13;
    bool task = reason == MMU_LOAD_TASK || reason == MMU_LOAD_TASK_NEW || reason == MMU_LOAD_TASK_RETURN;
    for (unsigned l = 0; l < (task ? sizeof limits / sizeof *limits : 1); l++) {
      mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .reason = (uint8_t)reason, .seg = reasons[reason].seg};
      req.cpl = (uint8_t)cpl;
      req.ext = n * 7 >> 3 & 1;
      req.selector = place(s, ti, rpl, limits[l], attr);
      if ((ti || req.seg == MMU_SEG_LDTR) && !restore_ldt(s)) return false;
      if (!suite_do(s, req)) return false;
    }
  }
  return restore_ldt(s);
}

/* Selectors of nothing: null, beyond either table, of an LDT that there is not. */
static bool nowhere(suite_t *s) {
  static const uint16_t selectors[] = {0, 1, 2, 3, 4, 0x78, 0x7C, 0x80, 0x84, 0xFFF8, 0xFFFC, 0xFFFF};
  for (unsigned n = 0; n < REASONS * 4u * 2 * sizeof selectors / sizeof *selectors; n++) {
    if (!suite_next(s)) continue;
    unsigned reason = n % REASONS, cpl = n / REASONS & 3, usable = n / REASONS >> 2 & 1;
    mmu_req_t ldt = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = MMU_SEG_LDTR, .offset = SUITE_LDT};
    ldt.data = 0x7F | (uint64_t)0x082 << 32 | (uint64_t)usable << 48;
    mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .reason = (uint8_t)reason, .seg = reasons[reason].seg, .cpl = (uint8_t)cpl};
    req.selector = selectors[n / REASONS >> 3];
    if (!suite_do(s, ldt) || !suite_do(s, req)) return false;
  }
  return restore_ldt(s);
}

static bool verifications(suite_t *s) {
  for (unsigned n = 0; n < 4 * 256 * 4 * 4; n++) {
    if (!suite_next(s)) continue;
    mmu_req_t req = {.op = MMU_OP_VERIFY, .reason = n & 3, .cpl = n >> 10 & 3};
    req.selector = place(s, 0, n >> 12 & 3, 0x12345, n >> 2 & 0xFF);
    if (!suite_do(s, req)) return false;
  }
  return true;
}

static bool gates(suite_t *s) {
  if (!suite_table(s, MMU_SEG_IDTR, SUITE_GDT, 0xF)) return false;
  for (unsigned n = 0; n < 256 * 4 * 8; n++) {
    if (!suite_next(s)) continue;
    place(s, 0, 0, 0, n & 0xFF);
    mmu_req_t req = {.op = MMU_OP_LOAD_GATE, .cpl = n >> 8 & 3, .offset = n >> 12 & 1 ? 1 : 2};
    req.reason = n >> 10 & 1 ? MMU_EVENT_SOFTWARE : MMU_EVENT_PROCESSOR;
    req.ext = n >> 11 & 1;
    if (!suite_do(s, req)) return false;
  }
  return true;
}

/* --- the page of the accessed and busy bit --- */

/*
 * The descriptor straddles a page: its bytes 0..3 are on the first, the byte with the bit is on the second.
 */
enum { FIRST_PAGE = 0x00C05000, FRAME = 0x00300000, AT = FIRST_PAGE + 0xFFC };

static void map(suite_t *s, uint32_t laddr, uint32_t frame, uint32_t pde_flags, uint32_t pte_flags) {
  suite_store32(s, SUITE_PD + 4 * (laddr >> 22), SUITE_PT | pde_flags);
  suite_store32(s, SUITE_PT + 4 * (laddr >> 12 & 1023), frame | pte_flags);
}

/* P, W, U, A and D as a number's bits. */
static uint32_t flags_of(unsigned n) {
  return (n & 7) | (n & 8 ? X86_PTE_A : 0) | (n & 16 ? X86_PTE_D : 0);
}

static bool bit_on_its_page(suite_t *s) {
  if (!suite_table(s, MMU_SEG_GDTR, AT - 8, 0xF)) return false;
  for (unsigned wp = 0; wp < 2; wp++) {
    for (unsigned smap = 0; smap < 2; smap++) {
      if (!suite_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | (wp ? X86_CR0_WP : 0))) return false;
      if (!suite_cr(s, 4, smap ? X86_CR4_SMAP : 0)) return false;
      for (unsigned n = 0; n < REASONS * 32u * 32 * 2; n++) {
        if (!suite_next(s)) continue;
        unsigned reason = n % REASONS, set = n / REASONS & 1, pde = n / REASONS >> 1 & 31, pte = n / REASONS >> 6;
        uint64_t descriptor = suite_descriptor(0, 0xFFFFF, reasons[reason].attr ^ set);
        map(s, FIRST_PAGE, FRAME, SUITE_OPEN, SUITE_OPEN);
        map(s, FIRST_PAGE + 0x1000, FRAME + 0x1000, flags_of(pde), flags_of(pte));
        suite_store32(s, FRAME + 0xFFC, (uint32_t)descriptor);
        suite_store32(s, FRAME + 0x1000, (uint32_t)(descriptor >> 32));
        mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .reason = (uint8_t)reason, .seg = reasons[reason].seg, .selector = 8};
        if (!suite_invlpg(s, FIRST_PAGE) || !suite_invlpg(s, FIRST_PAGE + 0x1000)) return false;
        if (!suite_do(s, req)) return false;
        suite_store32(s, FRAME + 0x1000, (uint32_t)(descriptor >> 32)); /* warm: once more from the start */
        if (!suite_do(s, req)) return false;
        if (reasons[reason].seg != MMU_SEG_TR) continue;
        mmu_req_t mark = {.op = MMU_OP_MARK_TASK, .selector = 8, .data = set};
        if (!suite_do(s, mark)) return false;
      }
    }
  }
  return true;
}

bool suite_descriptors(suite_t *s) {
  return suite_table(s, MMU_SEG_GDTR, SUITE_GDT, 0x7F) && restore_ldt(s) && types(s) && nowhere(s) &&
         verifications(s) && gates(s) && bit_on_its_page(s);
}
