/*
 * Coverage groups: the segment check of ACCESS, alignment, the tables of SYSTEM. DESIGN 3.1, 3.2.
 */
#include "coverage_groups.h"

const uint8_t coverage_access_register[ACCESS_REGISTERS] = {
    MMU_SEG_ES, MMU_SEG_CS, MMU_SEG_SS, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS, MMU_SEG_STAGED_CS, MMU_SEG_STAGED_SS};
const char *const coverage_access_register_names[ACCESS_REGISTERS] = {"ES", "CS", "SS",        "DS",
                                                                      "FS", "GS", "STAGED_CS", "STAGED_SS"};
const char *const coverage_access_names[3] = {"read", "write", "fetch"};

/* --- segment --- */

static const char *const check_names[SEG_CHECKS] = {
    "inside",
    "unusable",
    "type",
    "up: last byte at the limit",
    "up: last byte beyond it",
    "up: first byte beyond it",
    "up: wraps at 4 GiB",
    "down 16: first byte at the limit",
    "down 16: first byte behind it",
    "down 16: last byte FFFFH",
    "down 16: last byte 10000H",
    "down 32: first byte at the limit",
    "down 32: first byte behind it",
    "down 32: last byte FFFFFFFFH",
    "down 32: wraps at 4 GiB",
    "misaligned",
};
static const coverage_dim_t segment_dims[] = {
    COVERAGE_DIM("mode", coverage_mode_names), COVERAGE_DIM("register", coverage_access_register_names),
    COVERAGE_DIM("access", coverage_access_names), COVERAGE_DIM("check", check_names)};

static const char *segment_unreachable(const unsigned *at) {
  unsigned mode = at[0], access = at[2], check = at[3];
  if (access == MMU_EXECUTE && coverage_access_register[at[1]] != MMU_SEG_CS) return "a fetch goes through CS";
  if (mode != MODE_PROTECTED && (check == SEG_UNUSABLE || check == SEG_TYPE)) return "only protected mode checks it";
  if (access == MMU_EXECUTE && check == SEG_TYPE) return "a fetch has no type check";
  if (check == SEG_MISALIGNED && access == MMU_EXECUTE) return "a fetch has align = 0";
  if (check == SEG_MISALIGNED && mode == MODE_REAL) return "no alignment check with CR0.PE = 0";
  return NULL;
}

static unsigned register_index(unsigned seg) {
  unsigned i = 0;
  while (i < ACCESS_REGISTERS && coverage_access_register[i] != seg)
    i++;
  return i;
}

static bool type_fails(const coverage_view_t *v) {
  uint16_t attr = v->seg.attr;
  bool code = attr & MMU_ATTR_CODE, bit = attr & MMU_ATTR_WRITABLE;
  if (v->req->access == MMU_EXECUTE) return false;
  if (!(attr & MMU_ATTR_S)) return true;
  return v->req->access == MMU_WRITE ? code || !bit : code && !bit;
}

static void hit_limits(coverage_t *c, unsigned group, const coverage_view_t *v, unsigned *at) {
  uint64_t first = v->req->offset, last = first + v->req->size - 1, limit = v->seg.limit;
  uint16_t attr = v->seg.attr;
  bool down = (attr & (MMU_ATTR_S | MMU_ATTR_CODE | MMU_ATTR_EXPAND_DOWN)) == (MMU_ATTR_S | MMU_ATTR_EXPAND_DOWN);
  bool big = attr & MMU_ATTR_DB, touched = false;
  uint64_t upper = big ? 0xFFFFFFFF : 0xFFFF;
  const struct {
    bool is;
    coverage_seg_check_t check;
  } cases[] = {
      {!down && last == limit, UP_LAST_AT},
      {!down && first <= limit && last == limit + 1, UP_LAST_BEYOND},
      {!down && first == limit + 1, UP_FIRST_BEYOND},
      {!down && last > 0xFFFFFFFF, UP_WRAPS},
      {down && first == limit, big ? DOWN32_FIRST_AT : DOWN16_FIRST_AT},
      {down && first == limit + 1 && last <= upper, big ? DOWN32_FIRST_INSIDE : DOWN16_FIRST_INSIDE},
      {down && first > limit && last == upper, big ? DOWN32_LAST_AT : DOWN16_LAST_AT},
      {down && big && first > limit && last > upper, DOWN32_WRAPS},
      {down && !big && first > limit && last == upper + 1, DOWN16_LAST_BEYOND},
      {v->rsp->fault && v->rsp->vector == X86_AC, SEG_MISALIGNED},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (!cases[i].is) continue;
    touched = true;
    at[3] = cases[i].check;
    coverage_hit(c, group, at);
  }
  at[3] = SEG_INSIDE;
  bool passed = !v->rsp->fault || v->rsp->vector == X86_PF;
  if (!touched && passed) coverage_hit(c, group, at);
}

static void segment_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_ACCESS) return;
  unsigned at[] = {coverage_mode(v), register_index(v->req->seg), v->req->access, SEG_UNUSABLE};
  bool protected_mode = at[0] == MODE_PROTECTED;
  if (protected_mode && !v->seg.usable) {
    coverage_hit(c, group, at);
  } else if (protected_mode && type_fails(v)) {
    at[3] = SEG_TYPE;
    coverage_hit(c, group, at);
  } else {
    hit_limits(c, group, v, at);
  }
}

const coverage_group_t coverage_segment = {
    "segment",     "ACCESS: mode x register x access x check of the segment", segment_dims, 4, segment_unreachable,
    segment_sample};

/* --- align --- */

static const char *const align_names[] = {"2 bytes", "4 bytes", "8 bytes"};
static const char *const align_cases[ALIGN_CASES] = {"#AC",     "aligned",  "CR0.AM = 0", "EFLAGS.AC = 0",
                                                     "CPL < 3", "implicit", "CR0.PE = 0"};
static const char *const data_accesses[] = {"read", "write"};
static const coverage_dim_t align_dims[] = {COVERAGE_DIM("mode", coverage_mode_names),
                                            COVERAGE_DIM("access", data_accesses),
                                            COVERAGE_DIM("alignment", align_names), COVERAGE_DIM("case", align_cases)};

static const char *align_unreachable(const unsigned *at) {
  unsigned mode = at[0], which = at[3];
  if (mode == MODE_REAL && which != ALIGN_REAL && which != ALIGN_ALIGNED)
    return "in real mode CR0.PE = 0 is reason enough";
  if (mode != MODE_REAL && which == ALIGN_REAL) return "CR0.PE is 1 in this mode";
  if (mode == MODE_V86 && which == ALIGN_CPL) return "virtual-8086 mode has CPL 3";
  return NULL;
}

static void align_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  if (req->op != MMU_OP_ACCESS || req->align == 0) return;
  if (v->rsp->fault && v->rsp->vector != X86_AC && v->rsp->vector != X86_PF) return;
  unsigned at[] = {coverage_mode(v), req->access, req->align - 1u, ALIGN_FAULTS};
  uint32_t laddr = (uint32_t)(v->seg.base + req->offset);
  bool missing[] = {false, false, !(v->cr0 & X86_CR0_AM), !req->ac, req->cpl != 3, req->implicit, v->real};
  unsigned lacks = 0;
  for (unsigned i = 0; i < ALIGN_CASES; i++)
    if (missing[i]) lacks++, at[3] = i;
  if ((laddr & ((1u << req->align) - 1)) == 0)
    at[3] = ALIGN_ALIGNED;
  else if (v->real)
    at[3] = ALIGN_REAL;
  else if (lacks > 1)
    return; /* each alone has to hold it back */
  coverage_hit(c, group, at);
}

const coverage_group_t coverage_align = {
    "align",     "ACCESS: mode x access x alignment x why there is #AC or not", align_dims, 4, align_unreachable,
    align_sample};

/* --- SYSTEM --- */

const uint8_t coverage_system_table[SYSTEM_TABLES] = {MMU_SEG_LINEAR, MMU_SEG_GDTR, MMU_SEG_IDTR,
                                                      MMU_SEG_LDTR,   MMU_SEG_TR,   MMU_SEG_STAGED_TR};
static const char *const table_names[SYSTEM_TABLES] = {"LINEAR", "GDTR", "IDTR", "LDTR", "TR", "STAGED_TR"};
static const char *const position_names[SYS_CASES] = {"inside", "last byte at the limit", "last byte beyond it",
                                                      "first byte beyond it", "unusable"};
static const coverage_dim_t system_dims[] = {COVERAGE_DIM("table", table_names), COVERAGE_DIM("access", data_accesses),
                                             COVERAGE_DIM("place", position_names)};

static const char *system_unreachable(const unsigned *at) {
  unsigned table = coverage_system_table[at[0]];
  if (table == MMU_SEG_LINEAR && at[2] != SYS_INSIDE) return "a linear address has no table";
  if (at[2] == SYS_UNUSABLE && (table == MMU_SEG_GDTR || table == MMU_SEG_IDTR))
    return "GDTR and IDTR are always usable";
  return NULL;
}

static void system_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  if (req->op != MMU_OP_SYSTEM || req->access == MMU_EXECUTE) return;
  unsigned at[] = {0, req->access, SYS_INSIDE};
  while (coverage_system_table[at[0]] != req->seg)
    at[0]++;
  uint64_t limit = req->seg == MMU_SEG_GDTR ? v->gdtr.limit : req->seg == MMU_SEG_IDTR ? v->idtr.limit : v->seg.limit;
  uint64_t first = req->offset, last = first + req->size - 1;
  if (req->seg != MMU_SEG_LINEAR) {
    if (req->seg < MMU_SEG_COUNT && !v->seg.usable)
      at[2] = SYS_UNUSABLE;
    else if (last == limit)
      at[2] = SYS_LAST_AT;
    else if (first == limit + 1)
      at[2] = SYS_FIRST_BEYOND;
    else if (last == limit + 1)
      at[2] = SYS_LAST_BEYOND;
    else if (last > limit)
      return;
  }
  coverage_hit(c, group, at);
}

const coverage_group_t coverage_system = {
    "system", "SYSTEM: table x access x place within it", system_dims, 3, system_unreachable, system_sample};
