#include "suite_priv.h"

/*
 * Operands over the end of a page: inside a page table, at 4 MiB and at 4 GiB, with every pair of pages.
 */
typedef enum { OK, ABSENT, READ_ONLY, SUPERVISOR, NO_TABLE, LARGE, LARGE_SUPERVISOR, RESERVED, KINDS } kind_t;

enum { SIZES = 16, FIRST_TABLE = SUITE_PT, SECOND_TABLE = SUITE_PT + 0x1000 };

/* First address of the second page. */
static const uint32_t boundaries[] = {0x00805000, 0x00C00000, 0x00000000};

static bool is_table(kind_t kind) {
  return kind <= SUPERVISOR;
}

static uint32_t rights(kind_t kind) {
  if (kind == ABSENT) return X86_PTE_W | X86_PTE_U;
  if (kind == READ_ONLY) return X86_PTE_P | X86_PTE_U;
  if (kind == SUPERVISOR || kind == LARGE_SUPERVISOR) return X86_PTE_P | X86_PTE_W;
  return X86_PTE_P | X86_PTE_W | X86_PTE_U;
}

/* Maps the page at laddr. table: the page table that it may use. */
static void map(suite_t *s, uint32_t laddr, kind_t kind, uint32_t table, uint32_t frame) {
  uint32_t pde = table | X86_PTE_P | X86_PTE_W | X86_PTE_U;
  if (kind == NO_TABLE) pde = table;
  if (!is_table(kind) && kind != NO_TABLE) pde = (frame & 0xFFC00000) | X86_PDE_PS | rights(kind);
  if (kind == RESERVED) pde |= 1u << 13;
  suite_store32(s, SUITE_PD + 4 * (laddr >> 22), pde);
  suite_store32(s, table + 4 * (laddr >> 12 & 1023), frame | rights(kind));
}

/* Each operand that touches both pages, or just not; cold, then warm. base: of the segment. */
static bool operands(suite_t *s, uint32_t boundary, kind_t first, kind_t second, mmu_req_t req, uint32_t base) {
  bool one_table = boundary & 0x3FFFFF;
  for (unsigned size = 1; size <= SIZES; size++)
    for (unsigned before = 0; before <= size; before++) {
      if (!suite_next(s)) continue;
      map(s, boundary - 1, first, FIRST_TABLE, 0x00300000);
      map(s, boundary, second, one_table ? FIRST_TABLE : SECOND_TABLE, 0x00305000);
      req.size = (uint8_t)(req.access == MMU_EXECUTE && size == SIZES ? SIZES - 1 : size);
      req.offset = (uint32_t)(boundary - before - base);
      if (!suite_invlpg(s, boundary - 1) || !suite_invlpg(s, boundary)) return false;
      if (!suite_do(s, req) || !suite_do(s, req)) return false;
    }
  return true;
}

/* With a flat segment an operand over 4 GiB is beyond the limit; through a segment with a base it wraps. */
static bool wrapping(suite_t *s, kind_t first, kind_t second, mmu_req_t req) {
  const uint32_t base = 0x80000000;
  unsigned attr = req.seg == MMU_SEG_CS ? 0xC9B : 0xC93;
  return suite_segment(s, req.seg, base, 0xFFFFFFFF, attr) && operands(s, 0, first, second, req, base) &&
         suite_segment(s, req.seg, 0, 0xFFFFFFFF, attr);
}

static bool accesses(suite_t *s, uint32_t boundary, kind_t first, kind_t second) {
  for (unsigned n = 0; n < 6 && !s->stopped; n++) {
    mmu_req_t req = {.op = MMU_OP_ACCESS, .access = n % 3, .cpl = n >= 3 ? 3 : 0};
    req.seg = req.access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS;
    if (!operands(s, boundary, first, second, req, 0)) return false;
    if (!boundary && !wrapping(s, first, second, req)) return false;
  }
  return true;
}

bool suite_straddle(suite_t *s) {
  if (!suite_cr(s, 4, X86_CR4_PSE)) return false;
  for (unsigned wp = 0; wp < 2; wp++) {
    if (!suite_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | (wp ? X86_CR0_WP : 0))) return false;
    for (unsigned b = 0; b < sizeof boundaries / sizeof *boundaries; b++)
      for (unsigned n = 0; n < KINDS * KINDS; n++) {
        kind_t first = n / KINDS, second = n % KINDS;
        /* Inside a page table both pages have the same directory entry. */
        bool possible = !(boundaries[b] & 0x3FFFFF) || first == second || (is_table(first) && is_table(second));
        if (possible && !accesses(s, boundaries[b], first, second)) return false;
      }
  }
  return true;
}
