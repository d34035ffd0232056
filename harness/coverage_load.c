/*
 * Coverage groups: LOAD_SEG. DESIGN 3.3, whose table stands here a third time: what can be accepted decides which bins
 * are unreachable, so an MMU or a coverage model that reads it differently hits one of those.
 */
#include "coverage_groups.h"

enum {
  CODE_TYPES = 0xFF000000u,
  CONFORMING_TYPES = 0xF0000000u,
  WRITABLE_TYPES = 0x00CC0000u,
  READABLE_TYPES = 0xCCFF0000u,
  AVAILABLE_TSS = 1 << 1 | 1 << 9,
  BUSY_TSS = 1 << 3 | 1 << 11,
  FAR_TARGETS = AVAILABLE_TSS | 1 << 4 | 1 << 5 | 1 << 12,
  LDT = 1 << 2,
};

/* By reason: bit n: type n. */
static const uint32_t accepted[LOAD_REASONS] = {[MMU_LOAD_DATA] = READABLE_TYPES,
                                                [MMU_LOAD_STACK] = WRITABLE_TYPES,
                                                [MMU_LOAD_STACK_INNER] = WRITABLE_TYPES,
                                                [MMU_LOAD_CODE_JUMP] = CODE_TYPES | FAR_TARGETS,
                                                [MMU_LOAD_CODE_RETURN] = CODE_TYPES,
                                                [MMU_LOAD_CODE_GATE] = CODE_TYPES,
                                                [MMU_LOAD_LDT] = LDT,
                                                [MMU_LOAD_TASK] = AVAILABLE_TSS,
                                                [MMU_LOAD_CODE_GATE_JUMP] = CODE_TYPES,
                                                [MMU_LOAD_TASK_NEW] = AVAILABLE_TSS,
                                                [MMU_LOAD_TASK_RETURN] = BUSY_TSS,
                                                [MMU_LOAD_SWITCH_LDT] = LDT,
                                                [MMU_LOAD_SWITCH_CODE] = CODE_TYPES,
                                                [MMU_LOAD_SWITCH_STACK] = WRITABLE_TYPES,
                                                [MMU_LOAD_SWITCH_DATA] = READABLE_TYPES};

enum {
  GLOBAL_REASONS = 1 << MMU_LOAD_LDT | 1 << MMU_LOAD_TASK | 1 << MMU_LOAD_TASK_NEW | 1 << MMU_LOAD_TASK_RETURN |
                   1 << MMU_LOAD_SWITCH_LDT,
  LIMIT_REASONS = 1 << MMU_LOAD_TASK_NEW | 1 << MMU_LOAD_TASK_RETURN,
  DATA_REASONS = 1 << MMU_LOAD_DATA | 1 << MMU_LOAD_SWITCH_DATA,
};

bool coverage_loads_type(unsigned reason, unsigned type) {
  return accepted[reason] >> type & 1;
}

static bool is_conforming(unsigned type) {
  return CONFORMING_TYPES >> type & 1;
}

bool coverage_load_is_privileged(unsigned reason, unsigned type) {
  if (GLOBAL_REASONS >> reason & 1) return false;
  return !(DATA_REASONS >> reason & 1 && is_conforming(type));
}

bool coverage_load_permits(unsigned reason, unsigned type, unsigned rpl, unsigned cpl, unsigned dpl) {
  bool conforming = is_conforming(type);
  switch (reason) {
  case MMU_LOAD_DATA:
  case MMU_LOAD_SWITCH_DATA:
    return conforming || (rpl <= dpl && cpl <= dpl);
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
  case MMU_LOAD_SWITCH_STACK:
    return rpl == cpl && dpl == cpl;
  case MMU_LOAD_CODE_JUMP:
    if (type < 16) return cpl <= dpl && rpl <= dpl;
    return conforming ? dpl <= cpl : rpl <= cpl && dpl == cpl;
  case MMU_LOAD_CODE_RETURN:
    return rpl >= cpl && (conforming ? dpl <= rpl : dpl == rpl);
  case MMU_LOAD_CODE_GATE:
    return dpl <= cpl;
  case MMU_LOAD_CODE_GATE_JUMP:
    return conforming ? dpl <= cpl : dpl == cpl;
  case MMU_LOAD_SWITCH_CODE:
    return conforming ? dpl <= rpl : dpl == rpl;
  default:
    return true;
  }
}

unsigned coverage_load_kind(unsigned type) {
  if (type < 16) return KIND_GATE;
  if (is_conforming(type)) return KIND_CONFORMING;
  return type < 24 ? KIND_DATA : KIND_CODE;
}

/* What the operation read, if it judged it: a page fault of the descriptor's own pages leaves nothing to judge. */
static bool judged(const coverage_view_t *v) {
  return v->req->op == MMU_OP_LOAD_SEG && v->reads_descriptor;
}

/* --- load_type --- */

static const char *const verdict_names[LOAD_VERDICTS] = {"loaded", "passed on", "refused", "not present",
                                                         "TSS too short"};
static const coverage_dim_t type_dims[] = {COVERAGE_DIM("reason", coverage_reason_names),
                                           COVERAGE_DIM("type", coverage_type_names),
                                           COVERAGE_DIM("verdict", verdict_names)};

static const char *type_unreachable(const unsigned *at) {
  unsigned reason = at[0], type = at[1], verdict = at[2];
  bool accepts = coverage_loads_type(reason, type), passes = reason == MMU_LOAD_CODE_JUMP && type < 16;
  if (verdict == REFUSED && accepts && !coverage_load_is_privileged(reason, type))
    return "a right type is not refused: no privilege rule for this reason and type";
  if (verdict == REFUSED) return NULL;
  if (!accepts) return "the type is always refused for this reason";
  if (verdict == PASSED_ON && !passes) return "only CODE_JUMP passes on, and only gates and TSSs";
  if (verdict == LOADED && passes) return "CODE_JUMP installs no gate or TSS";
  if (verdict == SHORT_LIMIT && !(LIMIT_REASONS >> reason & 1)) return "only TASK_NEW and TASK_RETURN check the limit";
  return NULL;
}

static unsigned verdict_of(const coverage_view_t *v, uint16_t attr) {
  const mmu_req_t *req = v->req;
  unsigned type = coverage_type(attr);
  if (!v->rsp->fault || v->rsp->vector == X86_PF) return v->rsp->system ? PASSED_ON : LOADED;
  bool local_tss = AVAILABLE_TSS >> type & 1 && req->selector & 4;
  bool permitted = coverage_load_permits(req->reason, type, req->selector & 3, req->cpl, coverage_dpl(attr));
  if (!coverage_loads_type(req->reason, type) || !permitted || (req->reason == MMU_LOAD_CODE_JUMP && local_tss))
    return REFUSED;
  return attr & MMU_ATTR_P ? SHORT_LIMIT : NOT_PRESENT;
}

static void type_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (!judged(v)) return;
  uint16_t attr = coverage_attr(v->rsp->descriptor);
  coverage_hit(c, group, (unsigned[]){v->req->reason, coverage_type(attr), verdict_of(v, attr)});
}

const coverage_group_t coverage_load_type = {
    "load_type", "LOAD_SEG: reason x type of the descriptor x verdict", type_dims, 3, type_unreachable, type_sample};

/* --- load_privilege --- */

static const char *const kind_names[LOAD_KINDS] = {"data", "code", "conforming code", "gate or TSS"};
static const char *const rpl_cpl_names[] = {"RPL < CPL", "RPL = CPL", "RPL > CPL"};
static const char *const dpl_cpl_names[] = {"DPL < CPL", "DPL = CPL", "DPL > CPL"};
static const char *const dpl_rpl_names[] = {"DPL < RPL", "DPL = RPL", "DPL > RPL"};
static const char *const permit_names[] = {"refused", "permitted"};
static const coverage_dim_t privilege_dims[] = {
    COVERAGE_DIM("reason", coverage_reason_names), COVERAGE_DIM("kind", kind_names),
    COVERAGE_DIM("rpl_cpl", rpl_cpl_names),        COVERAGE_DIM("dpl_cpl", dpl_cpl_names),
    COVERAGE_DIM("dpl_rpl", dpl_rpl_names),        COVERAGE_DIM("verdict", permit_names)};

static unsigned order(unsigned a, unsigned b) {
  return a < b ? 0 : a == b ? 1 : 2;
}

static bool is_ordered(const unsigned *at, unsigned rpl, unsigned cpl, unsigned dpl) {
  return order(rpl, cpl) == at[2] && order(dpl, cpl) == at[3] && order(dpl, rpl) == at[4];
}

static const char *privilege_unreachable(const unsigned *at) {
  static const uint8_t example[LOAD_KINDS] = {0x12, 0x1A, 0x1E, 0x0C};
  unsigned reason = at[0], type = example[at[1]];
  if (GLOBAL_REASONS >> reason & 1) return "no privilege rule for this reason";
  if (!coverage_loads_type(reason, type)) return "the kind is refused whatever its privilege";
  for (unsigned n = 0; n < 64; n++) {
    unsigned rpl = n & 3, cpl = n >> 2 & 3, dpl = n >> 4;
    if (!is_ordered(at, rpl, cpl, dpl)) continue;
    bool permitted = coverage_load_permits(reason, type, rpl, cpl, dpl);
    return permitted == at[5] ? NULL : "DESIGN 3.3 decides otherwise for this order of levels";
  }
  return "no three levels are in this order";
}

static void privilege_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (!judged(v)) return;
  const mmu_req_t *req = v->req;
  uint16_t attr = coverage_attr(v->rsp->descriptor);
  unsigned type = coverage_type(attr), rpl = req->selector & 3, dpl = coverage_dpl(attr);
  if (GLOBAL_REASONS >> req->reason & 1 || !coverage_loads_type(req->reason, type)) return;
  if (req->reason == MMU_LOAD_CODE_JUMP && type < 16 && req->selector & 4) return; /* refused for its table */
  bool absent = v->rsp->fault && !(attr & MMU_ATTR_P);
  if (absent) return; /* present ones tell it more clearly */
  bool permitted = !v->rsp->fault || v->rsp->vector == X86_PF;
  coverage_hit(c, group,
               (unsigned[]){req->reason, coverage_load_kind(type), order(rpl, req->cpl), order(dpl, req->cpl),
                            order(dpl, rpl), permitted});
}

const coverage_group_t coverage_load_privilege = {
    "load_privilege",      "LOAD_SEG: reason x kind of descriptor x order of RPL, CPL, DPL x verdict",
    privilege_dims,        6,
    privilege_unreachable, privilege_sample};

/* --- load_find --- */

static const char *const find_names[FIND_CASES] = {"null selector",
                                                   "last descriptor of the GDT",
                                                   "a byte beyond the GDT",
                                                   "last descriptor of the LDT",
                                                   "a byte beyond the LDT",
                                                   "LDTR unusable",
                                                   "TI = 1 where the GDT is due",
                                                   "#PF of the descriptor",
                                                   "#PF of its second page",
                                                   "accessed or busy bit written",
                                                   "accessed bit set before",
                                                   "#PF of the accessed or busy bit"};
static const coverage_dim_t find_dims[] = {COVERAGE_DIM("reason", coverage_reason_names),
                                           COVERAGE_DIM("case", find_names)};

static const char *find_unreachable(const unsigned *at) {
  unsigned reason = at[0], which = at[1];
  bool global = GLOBAL_REASONS >> reason & 1, writes = !global || reason == MMU_LOAD_TASK;
  if (global && (which == FIND_LDT_END || which == FIND_LDT_BEYOND || which == FIND_LDTR_UNUSABLE))
    return "TI = 1 is refused before any table is asked";
  if (!global && which == FIND_LOCAL) return "the descriptor may be in either table";
  if (!writes && (which == FIND_MARKED || which == FIND_PF_MARK)) return "the reason writes no bit";
  if (global && which == FIND_MARKED_BEFORE) return "no accessed bit in a system descriptor; TASK refuses a busy TSS";
  return NULL;
}

/* The case of a selector that leads to no descriptor or to one at the end of its table; FIND_CASES: none of them. */
static unsigned selector_case(const coverage_view_t *v) {
  uint16_t selector = v->req->selector;
  bool local = selector & 4;
  uint32_t limit = local ? v->ldtr.limit : v->gdtr.limit, last = selector | 7u;
  if ((selector & 0xFFFC) == 0) return FIND_NULL;
  if (local && GLOBAL_REASONS >> v->req->reason & 1) return FIND_LOCAL;
  if (local && !v->ldtr.usable) return FIND_LDTR_UNUSABLE;
  if (last == limit) return local ? FIND_LDT_END : FIND_GDT_END;
  if (last == limit + 1) return local ? FIND_LDT_BEYOND : FIND_GDT_BEYOND;
  return FIND_CASES;
}

static void find_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  if (v->req->op != MMU_OP_LOAD_SEG) return;
  unsigned at[] = {v->req->reason, selector_case(v)};
  if (at[1] != FIND_CASES) coverage_hit(c, group, at);
  const coverage_part_t *last = v->n_parts ? &v->part[v->n_parts - 1] : NULL;
  bool page_fault = v->rsp->fault && v->rsp->vector == X86_PF && last;
  if (page_fault) {
    at[1] = last->by != BY_DESCRIPTOR ? FIND_PF_MARK : last->part ? FIND_PF_SECOND : FIND_PF_FIRST;
    coverage_hit(c, group, at);
  }
  if (v->rsp->fault || !judged(v) || v->rsp->system) return;
  bool wrote = false;
  for (unsigned i = 0; i < v->rsp->n_mem; i++)
    if (v->rsp->mem[i].kind == MMU_MEM_DESCRIPTOR && v->rsp->mem[i].write) wrote = true;
  uint16_t attr = coverage_attr(v->rsp->descriptor);
  if (!wrote && !(attr & MMU_ATTR_S)) return;
  at[1] = wrote ? FIND_MARKED : FIND_MARKED_BEFORE;
  coverage_hit(c, group, at);
}

const coverage_group_t coverage_load_find = {
    "load_find", "LOAD_SEG: reason x how the descriptor is found and marked", find_dims, 2, find_unreachable,
    find_sample};
