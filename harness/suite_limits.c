#include "suite_priv.h"

/*
 * Limits without paging, so that every linear address can be reached: raw hidden parts, descriptors of both
 * granularities, the tables' own limits.
 */

static const uint8_t sizes[] = {1, 2, 3, 4, 8, 10, 16};

enum { SIZES = sizeof sizes / sizeof *sizes };

/* Offsets about an edge: from 17 before it to 2 behind, modulo 2^32. */
enum { BEFORE = 17, AROUND = 20 };

static bool about(suite_t *s, uint32_t edge, mmu_req_t req) {
  for (unsigned n = 0; n < SIZES * AROUND; n++) {
    req.size = sizes[n / AROUND];
    req.offset = (uint32_t)(edge - BEFORE + n % AROUND);
    if (req.access == MMU_EXECUTE && req.op == MMU_OP_ACCESS && req.size == 16) req.size = 15;
    if (suite_next(s) && !suite_do(s, req)) return false;
  }
  return true;
}

/* Every access through a register, about all that may be an edge of its segment. */
static bool accesses(suite_t *s, unsigned seg, uint32_t limit, bool vm) {
  const uint32_t edges[] = {0, limit, limit + 1, 0xFFFF, 0xFFFFFFFF};
  for (unsigned access = MMU_READ; access <= MMU_EXECUTE; access++) {
    if (access == MMU_EXECUTE && seg != MMU_SEG_CS) continue;
    mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = (uint8_t)seg, .access = (uint8_t)access, .vm = vm, .cpl = vm ? 3 : 0};
    for (unsigned e = 0; e < sizeof edges / sizeof *edges; e++)
      if (!about(s, edges[e], req)) return false;
  }
  return true;
}

static const uint32_t limits[] = {0,      1,       0xE,     0xFFF,      0x7FFF,     0xFFFE,
                                  0xFFFF, 0x10000, 0xFFFFF, 0xFFFFEFFF, 0xFFFFFFFE, 0xFFFFFFFF};

enum { LIMITS = sizeof limits / sizeof *limits };

/* Read-write data, expand-down, both sizes of the upper bound; code of each kind; a system type. */
static const uint16_t attrs[] = {0x093, 0x493, 0x097, 0x497, 0x095, 0x091, 0x49B, 0x099, 0x49F, 0x08B};

static const uint8_t registers[] = {MMU_SEG_ES, MMU_SEG_CS, MMU_SEG_SS,        MMU_SEG_DS,
                                    MMU_SEG_FS, MMU_SEG_GS, MMU_SEG_STAGED_CS, MMU_SEG_STAGED_SS};

/* Hidden parts as they are set, in one mode. */
static bool raw(suite_t *s, bool vm) {
  static const uint32_t bases[] = {0, 0xFFFFFFF0};
  for (unsigned r = 0; r < sizeof registers; r++)
    for (unsigned a = 0; a < sizeof attrs / sizeof *attrs; a++)
      for (unsigned l = 0; l < LIMITS && !s->stopped; l++) {
        if (!suite_segment(s, registers[r], bases[(a + l) & 1], limits[l], attrs[a])) return false;
        if (!accesses(s, registers[r], limits[l], vm)) return false;
      }
  return true;
}

/* Descriptors: the limit that granularity makes of 20 bits. */
static bool loaded(suite_t *s) {
  static const uint32_t fields[] = {0, 1, 0xF, 0x7FFF, 0xFFFF, 0xFFFFE, 0xFFFFF};
  static const struct {
    uint8_t reason, seg;
    uint16_t attr;
  } kinds[] = {{MMU_LOAD_DATA, MMU_SEG_DS, 0x093},      {MMU_LOAD_DATA, MMU_SEG_GS, 0x497},
               {MMU_LOAD_STACK, MMU_SEG_SS, 0x493},     {MMU_LOAD_STACK, MMU_SEG_STAGED_SS, 0x097},
               {MMU_LOAD_CODE_JUMP, MMU_SEG_CS, 0x49B}, {MMU_LOAD_STACK, MMU_SEG_SS, 0x497}};
  if (!suite_table(s, MMU_SEG_GDTR, SUITE_GDT, 0xFFFF)) return false;
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (unsigned f = 0; f < 2 * sizeof fields / sizeof *fields && !s->stopped; f++) {
      unsigned granular = f & 1 ? MMU_ATTR_G : 0;
      uint32_t field = fields[f / 2], limit = granular ? field << 12 | 0xFFF : field;
      suite_store64(s, SUITE_GDT + 8, suite_descriptor(0, field, kinds[k].attr | granular));
      mmu_req_t load = {.op = MMU_OP_LOAD_SEG, .reason = kinds[k].reason, .seg = kinds[k].seg, .selector = 8};
      if (!suite_do(s, load) || !accesses(s, kinds[k].seg, limit, false)) return false;
    }
  return true;
}

/* The limits of GDT, IDT, LDT and TSS. */
static bool tables(suite_t *s) {
  static const uint8_t segs[] = {MMU_SEG_GDTR, MMU_SEG_IDTR, MMU_SEG_LDTR, MMU_SEG_TR, MMU_SEG_STAGED_TR};
  for (unsigned t = 0; t < sizeof segs; t++)
    for (unsigned l = 0; l < LIMITS && !s->stopped; l++) {
      bool has_hidden_part = segs[t] < MMU_SEG_COUNT;
      if (has_hidden_part ? !suite_segment(s, segs[t], SUITE_GDT, limits[l], 0x08B)
                          : !suite_table(s, segs[t], SUITE_GDT, limits[l] & 0xFFFF))
        return false;
      uint32_t limit = has_hidden_part ? limits[l] : limits[l] & 0xFFFF;
      for (unsigned n = 0; n < 4; n++) {
        mmu_req_t req = {.op = MMU_OP_SYSTEM, .seg = segs[t], .access = n & 1, .ext = n & 2};
        if (!about(s, limit, req)) return false;
      }
    }
  return true;
}

bool suite_limits(suite_t *s) {
  if (!raw(s, false) || !raw(s, true) || !loaded(s) || !tables(s)) return false;
  /* Real mode: the hidden parts as they are. */
  return suite_cr(s, 0, X86_CR0_ET) && raw(s, false) && suite_cr(s, 0, X86_CR0_PE | X86_CR0_ET);
}
