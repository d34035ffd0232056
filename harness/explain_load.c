/*
 * LOAD_SEG: every reason with its checks.
 *
 * Source: DESIGN.md 3.3 and 3.9, and the sections named there.
 */
#include <inttypes.h>

#include "explain_priv.h"

/* What depends on the reason alone. */
typedef struct {
  uint8_t vector;      /* of null, out of table, type and privilege */
  uint8_t not_present; /* vector */
  bool null_allowed, global_only, tss;
  const char *null_section, *table_section, *section, *absent_section;
} reason_t;

/* Titles of the SDM's sections. */
static const char invalid_tss[] = "\"Invalid TSS Conditions\"";
static const char tables[] = "\"Segment Descriptor Tables\"";
static const char task_switch[] = "\"Exception Conditions Checked During a Task Switch\"";
static const char absent[] = "\"Segment Not Present (#NP)\"";
static const char stack_fault[] = "\"Stack Fault Exception (#SS)\"";

static const reason_t reasons[] = {
    [MMU_LOAD_DATA] = {X86_GP, X86_NP, true, false, false, "", tables,
                       "\"Privilege Level Checking When Accessing Data Segments\"", absent},
    [MMU_LOAD_STACK] = {X86_GP, X86_SS, false, false, false, "\"MOV\"", tables,
                        "\"Privilege Level Checking When Loading the SS Register\"", stack_fault},
    [MMU_LOAD_STACK_INNER] = {X86_TS, X86_SS, false, false, false, invalid_tss, invalid_tss,
                              "\"INT n\", \"CALL\": MORE-PRIVILEGE", stack_fault},
    [MMU_LOAD_CODE_JUMP] = {X86_GP, X86_NP, false, false, false, "\"JMP\", \"CALL\"", tables,
                            "\"Direct Calls or Jumps to Code Segments\"", absent},
    [MMU_LOAD_CODE_RETURN] = {X86_GP, X86_NP, false, false, false, "\"RET\", \"IRET\"", tables, "\"RET\", \"IRET\"",
                              absent},
    [MMU_LOAD_CODE_GATE] = {X86_GP, X86_NP, false, false, false, "\"CALL\", \"INT n\"", tables,
                            "\"Accessing a Code Segment Through a Call Gate\"", absent},
    [MMU_LOAD_LDT] = {X86_GP, X86_NP, true, true, false, "", tables, "\"LLDT\"", absent},
    [MMU_LOAD_TASK] = {X86_GP, X86_NP, false, true, false, "\"LTR\"", tables, "\"LTR\"", absent},
    [MMU_LOAD_CODE_GATE_JUMP] = {X86_GP, X86_NP, false, false, false, "\"JMP\"", tables, "\"JMP\": CALL-GATE", absent},
    [MMU_LOAD_TASK_NEW] = {X86_GP, X86_NP, false, true, true, "\"JMP\", \"CALL\", \"INT n\"", tables, task_switch,
                           absent},
    [MMU_LOAD_TASK_RETURN] = {X86_TS, X86_NP, false, true, true, invalid_tss, invalid_tss, task_switch, absent},
    [MMU_LOAD_SWITCH_LDT] = {X86_TS, X86_TS, true, true, false, "", invalid_tss, task_switch, invalid_tss},
    [MMU_LOAD_SWITCH_CODE] = {X86_TS, X86_NP, false, false, false, invalid_tss, invalid_tss, task_switch, absent},
    [MMU_LOAD_SWITCH_STACK] = {X86_TS, X86_SS, false, false, false, invalid_tss, invalid_tss, task_switch, stack_fault},
    [MMU_LOAD_SWITCH_DATA] = {X86_TS, X86_NP, true, false, false, "", invalid_tss, task_switch, absent},
};

/* The descriptor that is judged, and for what. */
typedef struct {
  const reason_t *reason;
  unsigned attr, dpl, rpl, cpl;
  uint16_t error_code;
} judged_t;

static void check(explain_t *x, const judged_t *j, explain_check_t check, const char *rule, bool passes) {
  explain_rule_t r = {check, j->reason->vector, j->error_code, rule, j->reason->section, NULL};
  explain_check(x, r, passes, "S = %u, type %x; DPL %u, RPL %u, CPL %u", j->attr >> 4 & 1, j->attr & MMU_ATTR_TYPE,
                j->dpl, j->rpl, j->cpl);
}

static void judge_data(explain_t *x, const judged_t *j) {
  check(x, j, CHECK_DATA_TYPE, "type: data, or readable code", attr_reads(j->attr));
  check(x, j, CHECK_DATA_PRIVILEGE, "privilege: conforming code, or RPL <= DPL and CPL <= DPL",
        attr_is_conforming(j->attr) || (j->rpl <= j->dpl && j->cpl <= j->dpl));
}

static void judge_stack(explain_t *x, const judged_t *j) {
  check(x, j, CHECK_STACK_RPL, "privilege: RPL = CPL", j->rpl == j->cpl);
  check(x, j, CHECK_STACK_TYPE, "type: writable data", attr_writes(j->attr));
  check(x, j, CHECK_STACK_DPL, "privilege: DPL = CPL", j->dpl == j->cpl);
}

/* Code whose DPL is compared with a level: at most that if conforming, else equal. */
static void judge_code(explain_t *x, const judged_t *j, const char *rule, unsigned level) {
  bool conforming = attr_is_conforming(j->attr);
  check(x, j, CHECK_CODE_TYPE, "type: code", attr_is_code(j->attr));
  check(x, j, CHECK_CODE_DPL, rule, conforming ? j->dpl <= level : j->dpl == level);
}

/* CODE_JUMP to a gate or TSS, which is passed on. */
static void judge_target(explain_t *x, const judged_t *j, uint16_t selector) {
  enum { TSS = 1 << 1 | 1 << 9, TARGETS = TSS | 1 << 4 | 1 << 5 | 1 << 0xC };
  check(x, j, CHECK_TARGET_TYPE, "type: available TSS (1, 9), call gate (4, C) or task gate (5)",
        attr_is_type(j->attr, TARGETS));
  if (attr_is_type(j->attr, TSS)) check(x, j, CHECK_TARGET_TABLE, "a TSS descriptor: TI = 0", !(selector & 4));
  check(x, j, CHECK_TARGET_DPL, "privilege: CPL <= DPL and RPL <= DPL", j->cpl <= j->dpl && j->rpl <= j->dpl);
}

static void judge_jump(explain_t *x, const judged_t *j) {
  if (!x->over && attr_is_system(j->attr)) {
    judge_target(x, j, x->req->selector);
    return;
  }
  judge_code(x, j, "privilege: DPL <= CPL if conforming, else DPL = CPL", j->cpl);
  check(x, j, CHECK_CODE_RPL, "privilege: conforming, or RPL <= CPL", attr_is_conforming(j->attr) || j->rpl <= j->cpl);
}

static void judge_type(explain_t *x, const judged_t *j) {
  switch (x->req->reason) {
  case MMU_LOAD_DATA:
  case MMU_LOAD_SWITCH_DATA:
    judge_data(x, j);
    break;
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
  case MMU_LOAD_SWITCH_STACK:
    judge_stack(x, j);
    break;
  case MMU_LOAD_CODE_JUMP:
    judge_jump(x, j);
    break;
  case MMU_LOAD_CODE_RETURN:
    check(x, j, CHECK_CODE_RPL, "privilege: RPL >= CPL", j->rpl >= j->cpl);
    judge_code(x, j, "privilege: DPL <= RPL if conforming, else DPL = RPL", j->rpl);
    break;
  case MMU_LOAD_SWITCH_CODE:
    judge_code(x, j, "privilege: DPL <= RPL if conforming, else DPL = RPL", j->rpl);
    break;
  case MMU_LOAD_CODE_GATE_JUMP:
    judge_code(x, j, "privilege: DPL <= CPL if conforming, else DPL = CPL", j->cpl);
    break;
  case MMU_LOAD_CODE_GATE:
    check(x, j, CHECK_CODE_TYPE, "type: code", attr_is_code(j->attr));
    check(x, j, CHECK_CODE_DPL, "privilege: DPL <= CPL", j->dpl <= j->cpl);
    break;
  case MMU_LOAD_LDT:
  case MMU_LOAD_SWITCH_LDT:
    check(x, j, CHECK_LDT_TYPE, "type: LDT (S = 0, type 2)", attr_is_type(j->attr, 1 << 2));
    break;
  case MMU_LOAD_TASK_RETURN:
    check(x, j, CHECK_TSS_TYPE, "type: busy TSS (S = 0, type 3 or B)", attr_is_type(j->attr, 1 << 3 | 1 << 0xB));
    break;
  default: /* MMU_LOAD_TASK, MMU_LOAD_TASK_NEW */
    check(x, j, CHECK_TSS_TYPE, "type: available TSS (S = 0, type 1 or 9)", attr_is_type(j->attr, 1 << 1 | 1 << 9));
  }
}

static void check_rest(explain_t *x, const judged_t *j, const mmu_seg_t *seg) {
  explain_rule_t present = {
      CHECK_PRESENT, j->reason->not_present, j->error_code, "the segment is present", j->reason->absent_section, NULL};
  explain_check(x, present, seg->attr & MMU_ATTR_P, "P = %u", seg->attr >> 7 & 1);
  if (!j->reason->tss) return;
  uint32_t least = seg->attr & 8 ? 0x67 : 0x2B;
  explain_rule_t limit = {CHECK_TSS_LIMIT,      X86_TS,
                          j->error_code,        "the TSS holds its static part: limit >= 67H (16-bit: 2BH)",
                          "\"TSS Descriptor\"", NULL};
  explain_check(x, limit, seg->limit >= least, "limit %08" PRIx32 ", least %02" PRIx32, seg->limit, least);
}

/* Sets the accessed or busy bit in memory, if it is to be set and is not. Returns false if the update is lost. */
static bool mark(explain_t *x, const explain_place_t *place, mmu_seg_t *seg) {
  unsigned bit = !attr_is_system(seg->attr) ? 1 : x->req->reason == MMU_LOAD_TASK ? 2 : 0;
  uint16_t before = seg->attr;
  if (x->over || (before & bit) == bit) return true;
  const char *what = bit == 1 ? "the descriptor's accessed bit" : "the descriptor's busy bit";
  const explain_page_t *page =
      explain_translate(x, (explain_asked_t){what, 0, MMU_WRITE, BY_SUPERVISOR, place->laddr + 5});
  seg->attr |= (uint16_t)bit;
  if (!explain_update(x, MMU_MEM_DESCRIPTOR, page->paddr, 1, before & 0xFF, seg->attr & 0xFF)) {
    explain_done(x, "an update is lost: byte 5 has changed since it was read",
                 "the descriptor is read and judged again");
    return false;
  }
  explain_done(x, bit == 1 ? "the accessed bit is set in memory" : "the busy bit is set in memory",
               "byte 5 at physical %08" PRIx32 " <- %02x", page->paddr, seg->attr & 0xFF);
  return true;
}

static void install(explain_t *x, const judged_t *j, mmu_seg_t seg) {
  static const char *const what = "the hidden part is installed";
  unsigned rpl = j->rpl;
  if (x->req->reason == MMU_LOAD_CODE_JUMP) rpl = j->cpl;
  if (x->req->reason == MMU_LOAD_CODE_GATE || x->req->reason == MMU_LOAD_CODE_GATE_JUMP)
    rpl = attr_is_conforming(seg.attr) ? j->cpl : j->dpl;
  seg.selector = (uint16_t)((x->req->selector & 0xFFFC) | rpl);
  if (!explain_done(x, what, "selector %04x%s", seg.selector, rpl == j->rpl ? "" : ": its RPL becomes the CPL")) return;
  x->state->seg[x->req->seg] = x->rsp->seg = seg;
}

static void load_null(explain_t *x) {
  mmu_seg_t *seg = &x->state->seg[x->req->seg];
  explain_done(x, "a null selector may be loaded", "%04x: the register becomes unusable", x->req->selector);
  seg->selector = x->req->selector;
  seg->usable = false;
  x->rsp->seg = *seg;
}

/* From the reading of the descriptor on. Returns false if it has changed meanwhile: it is read and judged again. */
static bool load_descriptor(explain_t *x, explain_place_t *place, uint16_t error_code) {
  const mmu_req_t *req = x->req;
  mmu_seg_t seg = explain_unpack(explain_read_place(x, place, "the descriptor"), req->selector);
  judged_t judged = {&reasons[req->reason], seg.attr, attr_dpl(seg.attr), req->selector & 3, req->cpl, error_code};
  judge_type(x, &judged);
  check_rest(x, &judged, &seg);
  if (!x->over && req->reason == MMU_LOAD_CODE_JUMP && attr_is_system(seg.attr)) {
    explain_done(x, "the gate or TSS is passed on", "nothing is installed");
    x->rsp->system = true;
    return true;
  }
  if (!mark(x, place, &seg)) return false;
  install(x, &judged, seg);
  return true;
}

void explain_load(explain_t *x) {
  const mmu_req_t *req = x->req;
  const reason_t *reason = &reasons[req->reason];
  uint16_t error_code = (uint16_t)((req->selector & 0xFFFC) | req->ext);
  bool null = (req->selector & 0xFFFC) == 0;
  if (null && reason->null_allowed) {
    load_null(x);
    return;
  }
  explain_place_t place = explain_find(x, req->selector);
  x->out->place = place;
  if (!reason->null_allowed)
    explain_check(
        x,
        (explain_rule_t){CHECK_NULL, reason->vector, req->ext, "the selector is not null", reason->null_section, NULL},
        !null, "selector %04x", req->selector);
  if (reason->global_only)
    explain_check(x,
                  (explain_rule_t){CHECK_GLOBAL, reason->vector, error_code, "the descriptor is in the GDT: TI = 0",
                                   reason->section, NULL},
                  !(req->selector & 4), "TI = %u", req->selector >> 2 & 1);
  explain_check(x,
                (explain_rule_t){CHECK_TABLE, reason->vector, error_code, "the descriptor is within its table",
                                 reason->table_section, NULL},
                place.inside, "last byte %04x, limit of the %s %08" PRIx32 "%s", req->selector | 7u,
                req->selector & 4 ? "LDT" : "GDT", place.table_limit,
                req->selector & 4 && !x->state->seg[MMU_SEG_LDTR].usable ? ", LDTR unusable" : "");
  while (!load_descriptor(x, &place, error_code))
    continue;
}
