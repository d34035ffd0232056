/// The checks of segment loads and accesses, as the manual states them. SDM: the instructions' operation sections,
/// "Privilege Level Checking When Accessing Data Segments", "Limit Checking", "Type Checking". From nothing of model/
/// or rtl/.
#include "segmatrix.h"
#include <arch/traps.h>

enum {
  TSS_16 = 1,
  LDT = 2,
  TSS_16_BUSY = 3,
  CALL_GATE_16 = 4,
  TASK_GATE = 5,
  TSS_32 = 9,
  TSS_32_BUSY = 11,
  CALL_GATE_32 = 12
};

static u32 max_u32(u32 a, u32 b) {
  return a > b ? a : b;
}

static bool is_null(u16 selector) {
  return !(selector & ~3);
}

static u32 rpl_of(u16 selector) {
  return selector & 3;
}

static struct load_outcome fault(u32 vector, u32 selector) {
  return (struct load_outcome){.vector = vector, .error_code = selector & 0xFFFC};
}

static struct load_outcome done(u32 mark) {
  return (struct load_outcome){.vector = RING3_DONE, .mark = mark};
}

/// "MOV", "POP", "LDS/LES/LFS/LGS/LSS" into DS, ES, FS, GS.
static struct load_outcome load_data(const struct load_case *load) {
  u32 access = load->access, level = max_u32(load->cpl, rpl_of(load->selector));

  if (is_null(load->selector)) return done(0);
  if (load->beyond || !is_readable(access)) return fault(TRAP_GP, load->selector);
  if (!is_conforming(access) && dpl_of(access) < level) return fault(TRAP_GP, load->selector);
  return access & DESC_PRESENT ? done(DESC_ACCESSED) : fault(TRAP_NP, load->selector);
}

/// The same into SS.
static struct load_outcome load_stack(const struct load_case *load) {
  u32 access = load->access;

  if (is_null(load->selector)) return fault(TRAP_GP, 0);
  if (load->beyond || rpl_of(load->selector) != load->cpl || !is_writable(access) || dpl_of(access) != load->cpl)
    return fault(TRAP_GP, load->selector);
  return access & DESC_PRESENT ? done(DESC_ACCESSED) : fault(TRAP_SS, load->selector);
}

/// "JMP", "CALL" to what is no code segment.
static struct load_outcome enter_system(const struct load_case *load) {
  switch (load->access & 0xF) {
  case TSS_16:
  case TSS_32:
  case TASK_GATE:
  case CALL_GATE_16:
  case CALL_GATE_32:
    if (dpl_of(load->access) < max_u32(load->cpl, rpl_of(load->selector))) return fault(TRAP_GP, load->selector);
    if (!(load->access & DESC_PRESENT)) return fault(TRAP_NP, load->selector);
    return (struct load_outcome){.switches = true};
  default:
    return fault(TRAP_GP, load->selector);
  }
}

/// "JMP", "CALL", far.
static struct load_outcome transfer(const struct load_case *load) {
  u32 access = load->access, dpl = dpl_of(access);

  if (is_null(load->selector)) return fault(TRAP_GP, 0);
  if (load->beyond) return fault(TRAP_GP, load->selector);
  if (!is_segment(access)) return enter_system(load);
  bool reachable = is_conforming(access) ? dpl <= load->cpl : rpl_of(load->selector) <= load->cpl && dpl == load->cpl;
  if (!is_code(access) || !reachable) return fault(TRAP_GP, load->selector);
  return access & DESC_PRESENT ? done(DESC_ACCESSED) : fault(TRAP_NP, load->selector);
}

/// "RET", far.
static struct load_outcome transfer_back(const struct load_case *load) {
  u32 access = load->access, dpl = dpl_of(access), rpl = rpl_of(load->selector);

  if (is_null(load->selector)) return fault(TRAP_GP, 0);
  if (load->beyond || !is_code(access) || rpl < load->cpl) return fault(TRAP_GP, load->selector);
  if (is_conforming(access) ? dpl > rpl : dpl != rpl) return fault(TRAP_GP, load->selector);
  return access & DESC_PRESENT ? done(DESC_ACCESSED) : fault(TRAP_NP, load->selector);
}

/// "LLDT", "LTR".
static struct load_outcome load_system(const struct load_case *load) {
  enum { TI = 4 };
  u32 type = load->access & 0x1F;
  bool right = load->load == LOAD_LLDT ? type == LDT : type == TSS_16 || type == TSS_32;

  if (load->cpl) return fault(TRAP_GP, 0);
  if (is_null(load->selector)) return load->load == LOAD_LLDT ? done(0) : fault(TRAP_GP, 0);
  if (load->selector & TI || load->beyond || !right) return fault(TRAP_GP, load->selector);
  if (!(load->access & DESC_PRESENT)) return fault(TRAP_NP, load->selector);
  return done(load->load == LOAD_LTR ? DESC_TSS_BUSY : 0);
}

struct load_outcome expected_load(const struct load_case *load) {
  switch (load->load) {
  case LOAD_JUMP:
  case LOAD_CALL:
    return transfer(load);
  case LOAD_RETURN:
    return transfer_back(load);
  case LOAD_LLDT:
  case LOAD_LTR:
    return load_system(load);
  default:
    return load->seg == SEG_SS ? load_stack(load) : load_data(load);
  }
}

/// "LAR", "LSL", "VERR/VERW". Presence does not count.
struct verdicts expected_verdicts(const struct load_case *load) {
  u32 access = load->access, type = access & 0xF;

  if (is_null(load->selector) || load->beyond) return (struct verdicts){false, false, false, false};
  bool visible = is_conforming(access) || dpl_of(access) >= max_u32(load->cpl, rpl_of(load->selector));
  bool task = type == TSS_16 || type == TSS_16_BUSY || type == TSS_32 || type == TSS_32_BUSY;
  bool gate = type == CALL_GATE_16 || type == CALL_GATE_32 || type == TASK_GATE;
  bool segment = is_segment(access), has_limit = segment || task || type == LDT;
  return (struct verdicts){.lar = visible && (has_limit || gate),
                           .lsl = visible && has_limit,
                           .verr = visible && is_readable(access),
                           .verw = visible && is_writable(access)};
}

/// "Limit Checking": expand-down segments hold what lies above the limit, up to FFFFH or FFFFFFFFH by the B flag.
static bool is_inside(const struct use_case *use) {
  u32 limit = limit_of(use->desc), access = use->desc.b >> 8 & 0xFF, upper = use->desc.b & 0x00400000 ? ~0U : 0xFFFF;
  u64 last = (u64)use->offset + use->size - 1;

  return is_expand_down(access) ? use->offset > limit && last <= upper : last <= limit;
}

bool use_is_allowed(const struct use_case *use) {
  u32 access = use->desc.b >> 8 & 0xFF;

  return (use->write ? is_writable(access) : is_readable(access)) && is_inside(use);
}
