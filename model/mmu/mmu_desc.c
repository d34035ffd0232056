/*
 * seg: LOAD_SEG. Finds a selector's descriptor, judges it for the reason of the load, marks and installs it.
 *
 * Twin: rtl/mmu_desc.sv.
 * Source: "Privilege Level Checking When Accessing Data Segments" and the sections that follow it, "Task Switching"
 * (Exception Conditions Checked During a Task Switch); the operation sections of MOV, JMP, CALL, RET, IRET, INT n,
 * LLDT and LTR.
 */
#include <assert.h>

#include "mmu_desc.h"

enum {
  AVAILABLE_TSS = 1 << SYSTEM_TSS_16 | 1 << SYSTEM_TSS_32,
  BUSY_TSS = 1 << SYSTEM_TSS_16_BUSY | 1 << SYSTEM_TSS_32_BUSY,
  /* Through these a far JMP or CALL goes elsewhere than to a code segment. */
  FAR_TARGETS = AVAILABLE_TSS | 1 << SYSTEM_CALL_GATE_16 | 1 << SYSTEM_TASK_GATE | 1 << SYSTEM_CALL_GATE_32,
};

enum {
  DATA_REGISTERS = 1 << MMU_SEG_ES | 1 << MMU_SEG_DS | 1 << MMU_SEG_FS | 1 << MMU_SEG_GS,
  STACK_REGISTERS = 1 << MMU_SEG_SS | 1 << MMU_SEG_STAGED_SS,
  CODE_REGISTERS = 1 << MMU_SEG_CS | 1 << MMU_SEG_STAGED_CS,
};

/* What a reason asks, apart from type and privilege: see loadable. */
typedef struct {
  uint16_t targets;    /* bit n: it may load register n */
  bool null_allowed;   /* a null selector makes the register unusable */
  bool global_only;    /* the descriptor has to be in the GDT */
  bool has_limit;      /* of a TSS, is checked: #TS */
  uint8_t vector;      /* of a null selector that is not allowed, beyond the table, type or privilege */
  uint8_t not_present; /* vector */
} load_rule_t;

static const load_rule_t LOAD_RULES[] = {
    [MMU_LOAD_DATA] = {DATA_REGISTERS, true, false, false, X86_GP, X86_NP},
    [MMU_LOAD_STACK] = {STACK_REGISTERS, false, false, false, X86_GP, X86_SS},
    [MMU_LOAD_STACK_INNER] = {STACK_REGISTERS, false, false, false, X86_TS, X86_SS},
    [MMU_LOAD_CODE_JUMP] = {CODE_REGISTERS, false, false, false, X86_GP, X86_NP},
    [MMU_LOAD_CODE_RETURN] = {CODE_REGISTERS, false, false, false, X86_GP, X86_NP},
    [MMU_LOAD_CODE_GATE] = {CODE_REGISTERS, false, false, false, X86_GP, X86_NP},
    [MMU_LOAD_LDT] = {1 << MMU_SEG_LDTR, true, true, false, X86_GP, X86_NP},
    [MMU_LOAD_TASK] = {1 << MMU_SEG_TR, false, true, false, X86_GP, X86_NP},
    [MMU_LOAD_CODE_GATE_JUMP] = {CODE_REGISTERS, false, false, false, X86_GP, X86_NP},
    [MMU_LOAD_TASK_NEW] = {1 << MMU_SEG_STAGED_TR, false, true, true, X86_GP, X86_NP},
    [MMU_LOAD_TASK_RETURN] = {1 << MMU_SEG_STAGED_TR, false, true, true, X86_TS, X86_NP},
    [MMU_LOAD_SWITCH_LDT] = {1 << MMU_SEG_LDTR, true, true, false, X86_TS, X86_TS},
    [MMU_LOAD_SWITCH_CODE] = {1 << MMU_SEG_CS, false, false, false, X86_TS, X86_NP},
    [MMU_LOAD_SWITCH_STACK] = {1 << MMU_SEG_SS, false, false, false, X86_TS, X86_SS},
    [MMU_LOAD_SWITCH_DATA] = {DATA_REGISTERS, true, false, false, X86_TS, X86_NP},
};

enum { LOAD_REASONS = sizeof LOAD_RULES / sizeof LOAD_RULES[0] };

/* May a far JMP or CALL by this selector go through a gate or TSS? A TSS has to be in the GDT. */
static bool reachable(uint16_t attr, uint16_t selector, unsigned cpl) {
  unsigned dpl = dpl_of(attr);
  if (has_system_type(attr, AVAILABLE_TSS) && selector & SELECTOR_TI) return false;
  return has_system_type(attr, FAR_TARGETS) && cpl <= dpl && (selector & SELECTOR_RPL) <= dpl;
}

/* May a descriptor with these attributes be loaded for this reason? For a gate or TSS: may CODE_JUMP pass it on? */
static bool loadable(mmu_load_t reason, uint16_t attr, uint16_t selector, unsigned cpl) {
  unsigned dpl = dpl_of(attr), rpl = selector & SELECTOR_RPL;
  switch (reason) {
  case MMU_LOAD_DATA:
  case MMU_LOAD_SWITCH_DATA:
    return is_readable(attr) && (is_conforming(attr) || (rpl <= dpl && cpl <= dpl));
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
  case MMU_LOAD_SWITCH_STACK:
    return is_writable(attr) && rpl == cpl && dpl == cpl;
  case MMU_LOAD_CODE_JUMP:
    if (is_system(attr)) return reachable(attr, selector, cpl);
    return is_code(attr) && (is_conforming(attr) ? dpl <= cpl : rpl <= cpl && dpl == cpl);
  case MMU_LOAD_CODE_RETURN:
    return is_code(attr) && rpl >= cpl && (is_conforming(attr) ? dpl <= rpl : dpl == rpl);
  case MMU_LOAD_CODE_GATE:
    return is_code(attr) && dpl <= cpl;
  case MMU_LOAD_CODE_GATE_JUMP:
    return is_code(attr) && (is_conforming(attr) ? dpl <= cpl : dpl == cpl);
  case MMU_LOAD_SWITCH_CODE:
    return is_code(attr) && (is_conforming(attr) ? dpl <= rpl : dpl == rpl);
  case MMU_LOAD_LDT:
  case MMU_LOAD_SWITCH_LDT:
    return has_system_type(attr, 1 << SYSTEM_LDT);
  case MMU_LOAD_TASK:
  case MMU_LOAD_TASK_NEW:
    return has_system_type(attr, AVAILABLE_TSS);
  case MMU_LOAD_TASK_RETURN:
    return has_system_type(attr, BUSY_TSS);
  }
  return false;
}

static bool holds_static_part(const mmu_seg_t *tss) {
  bool is_32_bit = has_system_type(tss->attr, 1 << SYSTEM_TSS_32 | 1 << SYSTEM_TSS_32_BUSY);
  return tss->limit >= (is_32_bit ? TSS_32_LIMIT : TSS_16_LIMIT);
}

bool mmu_desc_find(const mmu_t *mmu, uint16_t selector, uint32_t *laddr) {
  const mmu_seg_t *ldtr = &mmu->seg[MMU_SEG_LDTR];
  bool local = selector & SELECTOR_TI;
  uint32_t base = local ? (uint32_t)ldtr->base : mmu->gdtr.base;
  uint32_t limit = local ? ldtr->limit : mmu->gdtr.limit;
  *laddr = base + (selector & SELECTOR_INDEX);
  return (!local || ldtr->usable) && (selector | 7u) <= limit;
}

mmu_seg_t mmu_desc_unpack(uint64_t descriptor, uint16_t selector) {
  mmu_seg_t seg = {.selector = selector, .attr = descriptor_attr(descriptor), .usable = true};
  seg.base = (descriptor >> 16 & 0xFFFFFF) | (descriptor >> 56 << 24);
  seg.limit = (uint32_t)((descriptor & 0xFFFF) | (descriptor >> 32 & 0xF0000));
  if (seg.attr & MMU_ATTR_G) seg.limit = seg.limit << 12 | 0xFFF;
  return seg;
}

/* How the setting of the accessed or busy bit ends. */
typedef enum { MARKED, FAULTED, LOST } mark_t;

/*
 * Sets bits of the descriptor's type, its byte 5, in memory. Effects: *attr is then as memory is.
 * LOST: the byte has changed since it was read.
 */
static mark_t mark_descriptor(mmu_t *mmu, uint32_t laddr, uint16_t bits, uint16_t *attr, mmu_rsp_t *rsp) {
  const mmu_rights_t *rights = &mmu->rights[MMU_BY_SUPERVISOR][MMU_WRITE];
  uint16_t before = *attr;
  mmu_page_t page;
  *attr |= bits;
  if (*attr == before) return MARKED;
  if (!mmu_translate(mmu, rights, laddr + 5, 1, &page, rsp)) return FAULTED;
  return mmu_mem_update(mmu, MMU_MEM_DESCRIPTOR, page.paddr, 1, before & 0xFF, *attr & 0xFF, rsp) ? MARKED : LOST;
}

/* The selector that the register will hold: its RPL becomes the CPL that a transfer without a return has. */
static uint16_t visible_selector(mmu_load_t reason, uint16_t selector, uint16_t attr, unsigned cpl) {
  unsigned rpl = selector & SELECTOR_RPL;
  if (reason == MMU_LOAD_CODE_JUMP) rpl = cpl;
  if (reason == MMU_LOAD_CODE_GATE || reason == MMU_LOAD_CODE_GATE_JUMP) rpl = is_conforming(attr) ? cpl : dpl_of(attr);
  return (uint16_t)((selector & (SELECTOR_INDEX | SELECTOR_TI)) | rpl);
}

static void load_null(mmu_seg_t *target, uint16_t selector, mmu_rsp_t *rsp) {
  target->selector = selector;
  target->usable = false;
  rsp->seg = *target;
}

/* All checks of a descriptor that was read; then seg may be installed, or passed on if it is a gate or TSS. */
static bool judge(const mmu_req_t *req, const load_rule_t *rule, const mmu_seg_t *seg, mmu_rsp_t *rsp) {
  uint16_t error_code = selector_error(req->selector, req->ext);
  if (!loadable(req->reason, seg->attr, req->selector, req->cpl)) return mmu_fault(rsp, rule->vector, error_code);
  if (!(seg->attr & MMU_ATTR_P)) return mmu_fault(rsp, rule->not_present, error_code);
  if (rule->has_limit && !holds_static_part(seg)) return mmu_fault(rsp, X86_TS, error_code);
  return true;
}

/*
 * The descriptor at laddr: read, judged, its accessed or busy bit set. A descriptor that changes in between is read and
 * judged again. Returns true if *seg may be installed.
 */
static bool fetch_descriptor(mmu_t *mmu, const mmu_req_t *req, const load_rule_t *rule, uint32_t laddr, mmu_seg_t *seg,
                             mmu_rsp_t *rsp) {
  for (;;) {
    if (!mmu_system_read(mmu, MMU_MEM_DESCRIPTOR, laddr, 8, &rsp->descriptor, rsp)) return false;
    *seg = mmu_desc_unpack(rsp->descriptor, req->selector);
    if (!judge(req, rule, seg, rsp)) return false;
    if (req->reason == MMU_LOAD_CODE_JUMP && is_system(seg->attr)) {
      rsp->system = true;
      return false;
    }
    uint16_t mark = 0;
    if (!is_system(seg->attr)) mark = MMU_ATTR_ACCESSED;
    if (req->reason == MMU_LOAD_TASK) mark = SYSTEM_TSS_BUSY;
    mark_t marked = mark_descriptor(mmu, laddr, mark, &seg->attr, rsp);
    if (marked != LOST) return marked == MARKED;
  }
}

void mmu_seg_load(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE && !req->vm);
  assert(req->reason < LOAD_REASONS && req->cpl <= 3 && req->seg < MMU_SEG_COUNT);
  const load_rule_t *rule = &LOAD_RULES[req->reason];
  assert(rule->targets >> req->seg & 1);
  mmu_seg_t *target = &mmu->seg[req->seg];
  uint16_t selector = req->selector;

  if (is_null(selector) && rule->null_allowed) {
    load_null(target, selector, rsp);
    mmu_derive_windows(mmu, req->seg);
    return;
  }
  uint32_t laddr;
  bool outside = is_null(selector) || (rule->global_only && selector & SELECTOR_TI);
  if (outside || !mmu_desc_find(mmu, selector, &laddr)) {
    mmu_fault(rsp, rule->vector, selector_error(selector, req->ext));
    return;
  }
  mmu_seg_t seg;
  if (!fetch_descriptor(mmu, req, rule, laddr, &seg, rsp)) return;

  seg.selector = visible_selector(req->reason, selector, seg.attr, req->cpl);
  *target = seg;
  mmu_derive_windows(mmu, req->seg);
  rsp->seg = seg;
}
