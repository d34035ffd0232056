/*
 * seg: the segment registers with their hidden parts, the check of each reference against them, and the loading of
 * descriptors.
 *
 * Twin: rtl/mmu_seg.sv.
 * Source: "Protected-Mode Memory Management" (Segment Registers, Segment Descriptors), "Protection" (Limit Checking,
 * Type Checking, Privilege Levels), "8086 Emulation".
 */
#include <assert.h>

#include "mmu_priv.h"

/* Types of system descriptors (S = 0). Source: "System Descriptor Types". */
enum {
  SYSTEM_TSS_16 = 0x1,
  SYSTEM_LDT = 0x2,
  SYSTEM_CALL_GATE_16 = 0x4,
  SYSTEM_TASK_GATE = 0x5,
  SYSTEM_TSS_32 = 0x9,
  SYSTEM_CALL_GATE_32 = 0xC,
  SYSTEM_TSS_BUSY = 0x2, /* this bit of a TSS's type */
};

/* Fields of a selector. An error code has the selector's index and TI, and EXT in bit 0. */
enum { SELECTOR_RPL = 0x0003, SELECTOR_TI = 0x0004, SELECTOR_INDEX = 0xFFF8 };

static uint16_t selector_error(uint16_t selector, bool ext) {
  return (uint16_t)((selector & (SELECTOR_INDEX | SELECTOR_TI)) | ext);
}

static bool is_code(uint16_t attr) {
  return (attr & MMU_ATTR_S) && (attr & MMU_ATTR_CODE);
}
static bool is_data(uint16_t attr) {
  return (attr & MMU_ATTR_S) && !(attr & MMU_ATTR_CODE);
}
static bool is_conforming(uint16_t attr) {
  return is_code(attr) && attr & MMU_ATTR_CONFORMING;
}
static bool is_readable(uint16_t attr) {
  return is_data(attr) || (is_code(attr) && attr & MMU_ATTR_READABLE);
}
static bool is_writable(uint16_t attr) {
  return is_data(attr) && attr & MMU_ATTR_WRITABLE;
}
static bool is_expand_down(uint16_t attr) {
  return is_data(attr) && attr & MMU_ATTR_EXPAND_DOWN;
}
static unsigned dpl_of(uint16_t attr) {
  return (attr & MMU_ATTR_DPL) >> MMU_ATTR_DPL_SHIFT;
}
static unsigned system_type(uint16_t attr) {
  return attr & MMU_ATTR_TYPE;
}

/* Do all bytes of an operand lie in the segment? Source: "Limit Checking". */
static bool within_limit(const mmu_t *mmu, const mmu_seg_t *seg, uint32_t offset, unsigned size) {
  uint64_t last = (uint64_t)offset + size - 1;
  if (is_expand_down(seg->attr))
    return offset > seg->limit && last <= (seg->attr & MMU_ATTR_DB ? 0xFFFFFFFFu : 0xFFFFu);
  return last <= seg->limit || (mmu->config.limit_wraps && seg->limit == 0xFFFFFFFFu);
}

bool mmu_seg_check(const mmu_t *mmu, const mmu_req_t *req, uint32_t *laddr, mmu_rsp_t *rsp) {
  const mmu_seg_t *seg = &mmu->seg[req->seg];
  bool stack = req->seg == MMU_SEG_SS || req->seg == MMU_SEG_STAGED_SS;
  /* The new stack of a privilege change has no room: the error code names it. Source: "INT n/INTO/INT3/INT1". */
  uint16_t error_code = req->seg == MMU_SEG_STAGED_SS ? selector_error(seg->selector, req->ext) : 0;
  uint32_t offset = (uint32_t)req->offset;

  if (mmu->cr0 & X86_CR0_PE && !req->vm) {
    if (!seg->usable) return mmu_fault(rsp, stack ? X86_SS : X86_GP, error_code);
    if (req->access == MMU_WRITE && !is_writable(seg->attr)) return mmu_fault(rsp, X86_GP, error_code);
    if (req->access == MMU_READ && !is_readable(seg->attr)) return mmu_fault(rsp, X86_GP, error_code);
  }
  if (!within_limit(mmu, seg, offset, req->size)) return mmu_fault(rsp, stack ? X86_SS : X86_GP, error_code);
  *laddr = (uint32_t)seg->base + offset;
  return true;
}

/* Which faults the checks of a LOAD_SEG raise, by reason. */
typedef struct {
  bool null_allowed;
  uint8_t vector;      /* a null selector that is not allowed, beyond the table, type or privilege */
  uint8_t not_present; /* vector */
} load_rule_t;

static const load_rule_t LOAD_RULES[] = {
    [MMU_LOAD_DATA] = {true, X86_GP, X86_NP},         [MMU_LOAD_STACK] = {false, X86_GP, X86_SS},
    [MMU_LOAD_STACK_INNER] = {false, X86_TS, X86_SS}, [MMU_LOAD_CODE_JUMP] = {false, X86_GP, X86_NP},
    [MMU_LOAD_CODE_RETURN] = {false, X86_GP, X86_NP}, [MMU_LOAD_CODE_GATE] = {false, X86_GP, X86_NP},
    [MMU_LOAD_LDT] = {true, X86_GP, X86_NP},          [MMU_LOAD_TASK] = {false, X86_GP, X86_NP},
};

/* May a descriptor with these attributes be loaded for this reason? */
static bool loadable(mmu_load_t reason, uint16_t attr, unsigned rpl, unsigned cpl) {
  unsigned dpl = dpl_of(attr);
  bool system = !(attr & MMU_ATTR_S);
  switch (reason) {
  case MMU_LOAD_DATA:
    return is_readable(attr) && (is_conforming(attr) || (rpl <= dpl && cpl <= dpl));
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
    return is_writable(attr) && rpl == cpl && dpl == cpl;
  case MMU_LOAD_CODE_JUMP:
    return is_code(attr) && (is_conforming(attr) ? dpl <= cpl : rpl <= cpl && dpl == cpl);
  case MMU_LOAD_CODE_RETURN:
    return is_code(attr) && rpl >= cpl && (is_conforming(attr) ? dpl <= rpl : dpl == rpl);
  case MMU_LOAD_CODE_GATE:
    return is_code(attr) && dpl <= cpl;
  case MMU_LOAD_LDT:
    return system && system_type(attr) == SYSTEM_LDT;
  case MMU_LOAD_TASK:
    return system && (system_type(attr) == SYSTEM_TSS_16 || system_type(attr) == SYSTEM_TSS_32);
  }
  return false;
}

/* Is it a gate or TSS, through which a far JMP or CALL goes elsewhere than to a code segment? */
static bool is_far_target(uint16_t attr) {
  if (attr & MMU_ATTR_S) return false;
  switch (system_type(attr)) {
  case SYSTEM_TSS_16:
  case SYSTEM_CALL_GATE_16:
  case SYSTEM_TASK_GATE:
  case SYSTEM_TSS_32:
  case SYSTEM_CALL_GATE_32:
    return true;
  default:
    return false;
  }
}

/* The linear address of a selector's descriptor; false if it is beyond the end of its table. */
static bool find_descriptor(const mmu_t *mmu, uint16_t selector, uint32_t *laddr) {
  const mmu_seg_t *ldtr = &mmu->seg[MMU_SEG_LDTR];
  bool local = selector & SELECTOR_TI;
  uint32_t base = local ? (uint32_t)ldtr->base : mmu->gdtr.base;
  uint32_t limit = local ? ldtr->limit : mmu->gdtr.limit;
  *laddr = base + (selector & SELECTOR_INDEX);
  return (!local || ldtr->usable) && (selector | 7u) <= limit;
}

/* Reads a descriptor, once both of its pages are translated where it straddles two. */
static bool read_descriptor(mmu_t *mmu, uint32_t laddr, uint64_t *descriptor, mmu_rsp_t *rsp) {
  const mmu_rights_t *rights = &mmu->rights[MMU_BY_SUPERVISOR][MMU_READ];
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  mmu_page_t page, next;
  if (!mmu_translate(mmu, rights, laddr, &page, rsp)) return false;
  if (room >= 8) {
    *descriptor = mmu_mem_read(mmu, MMU_MEM_DESCRIPTOR, page.paddr, 8, rsp);
    return true;
  }
  if (!mmu_translate(mmu, rights, laddr + room, &next, rsp)) return false;
  *descriptor = mmu_mem_read(mmu, MMU_MEM_DESCRIPTOR, page.paddr, room, rsp);
  *descriptor |= mmu_mem_read(mmu, MMU_MEM_DESCRIPTOR, next.paddr, 8 - room, rsp) << 8 * room;
  return true;
}

/* Sets bits of the descriptor's type, its byte 5, in memory. Effects: *attr is then as memory is. */
static bool mark_descriptor(mmu_t *mmu, uint32_t laddr, uint16_t bits, uint16_t *attr, mmu_rsp_t *rsp) {
  const mmu_rights_t *rights = &mmu->rights[MMU_BY_SUPERVISOR][MMU_WRITE];
  mmu_page_t page;
  if (!mmu_translate(mmu, rights, laddr + 5, &page, rsp)) return false;
  *attr |= bits;
  mmu_mem_write(mmu, MMU_MEM_DESCRIPTOR, page.paddr, 1, *attr & 0xFF, rsp);
  return true;
}

/* The hidden part that a descriptor stands for. Source: "Segment Descriptors". */
static mmu_seg_t unpack(uint64_t descriptor, uint16_t selector) {
  mmu_seg_t seg = {.selector = selector, .usable = true};
  seg.base = (descriptor >> 16 & 0xFFFFFF) | (descriptor >> 56 << 24);
  seg.limit = (uint32_t)((descriptor & 0xFFFF) | (descriptor >> 32 & 0xF0000));
  seg.attr = (uint16_t)((descriptor >> 40 & 0xFF) | (descriptor >> 44 & 0xF00));
  if (seg.attr & MMU_ATTR_G) seg.limit = seg.limit << 12 | 0xFFF;
  return seg;
}

/* Is seg a register of the reason's kind, or its staging register? */
static bool takes(mmu_load_t reason, unsigned seg) {
  switch (reason) {
  case MMU_LOAD_DATA:
    return seg == MMU_SEG_ES || (seg >= MMU_SEG_DS && seg <= MMU_SEG_GS);
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
    return seg == MMU_SEG_SS || seg == MMU_SEG_STAGED_SS;
  case MMU_LOAD_CODE_JUMP:
  case MMU_LOAD_CODE_RETURN:
  case MMU_LOAD_CODE_GATE:
    return seg == MMU_SEG_CS || seg == MMU_SEG_STAGED_CS;
  case MMU_LOAD_LDT:
    return seg == MMU_SEG_LDTR;
  case MMU_LOAD_TASK:
    return seg == MMU_SEG_TR;
  }
  return false;
}

/* The selector that the register will hold: its RPL becomes the CPL that a transfer without a return has. */
static uint16_t visible_selector(mmu_load_t reason, uint16_t selector, uint16_t attr, unsigned cpl) {
  unsigned rpl = selector & SELECTOR_RPL;
  if (reason == MMU_LOAD_CODE_JUMP) rpl = cpl;
  if (reason == MMU_LOAD_CODE_GATE) rpl = is_conforming(attr) ? cpl : dpl_of(attr);
  return (uint16_t)((selector & (SELECTOR_INDEX | SELECTOR_TI)) | rpl);
}

void mmu_seg_load(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE && !req->vm);
  assert(req->cpl <= 3 && takes(req->reason, req->seg));
  const load_rule_t *rule = &LOAD_RULES[req->reason];
  mmu_seg_t *target = &mmu->seg[req->seg];
  uint16_t selector = req->selector;
  uint16_t error_code = selector_error(selector, req->ext);

  if ((selector & (SELECTOR_INDEX | SELECTOR_TI)) == 0) {
    if (!rule->null_allowed) {
      mmu_fault(rsp, rule->vector, error_code);
      return;
    }
    target->selector = selector;
    target->usable = false;
    rsp->seg = *target;
    return;
  }

  uint32_t laddr;
  bool global_only = req->reason == MMU_LOAD_LDT || req->reason == MMU_LOAD_TASK;
  if ((global_only && selector & SELECTOR_TI) || !find_descriptor(mmu, selector, &laddr)) {
    mmu_fault(rsp, rule->vector, error_code);
    return;
  }
  if (!read_descriptor(mmu, laddr, &rsp->descriptor, rsp)) return;

  mmu_seg_t seg = unpack(rsp->descriptor, selector);
  if (req->reason == MMU_LOAD_CODE_JUMP && is_far_target(seg.attr)) {
    rsp->system = true;
    return;
  }
  if (!loadable(req->reason, seg.attr, selector & SELECTOR_RPL, req->cpl)) {
    mmu_fault(rsp, rule->vector, error_code);
    return;
  }
  if (!(seg.attr & MMU_ATTR_P)) {
    mmu_fault(rsp, rule->not_present, error_code);
    return;
  }

  uint16_t mark = 0;
  if (seg.attr & MMU_ATTR_S) mark = MMU_ATTR_ACCESSED;
  if (req->reason == MMU_LOAD_TASK) mark = SYSTEM_TSS_BUSY;
  if ((seg.attr & mark) != mark && !mark_descriptor(mmu, laddr, mark, &seg.attr, rsp)) return;

  seg.selector = visible_selector(req->reason, selector, seg.attr, req->cpl);
  *target = seg;
  rsp->seg = seg;
}

void mmu_seg_commit(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert((req->reason == MMU_SEG_STAGED_CS && req->seg == MMU_SEG_CS) ||
         (req->reason == MMU_SEG_STAGED_SS && req->seg == MMU_SEG_SS));
  mmu->seg[req->seg] = mmu->seg[req->reason];
  rsp->seg = mmu->seg[req->seg];
}

void mmu_seg_set(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(req->seg < MMU_SEG_COUNT && req->reason <= MMU_SET_RAW);
  mmu_seg_t *seg = &mmu->seg[req->seg];
  seg->selector = req->selector;
  seg->base = (uint32_t)req->selector << 4;
  seg->usable = true;
  if (req->reason == MMU_SET_V86) {
    seg->limit = 0xFFFF;
    seg->attr = MMU_ATTR_P | MMU_ATTR_DPL | MMU_ATTR_S | MMU_ATTR_WRITABLE | MMU_ATTR_ACCESSED;
  } else if (req->reason == MMU_SET_RAW) {
    seg->base = (uint32_t)req->offset;
    seg->limit = (uint32_t)req->data;
    seg->attr = (uint16_t)(req->data >> 32 & 0xFFF);
    seg->usable = req->data >> 48 & 1;
  }
  rsp->seg = *seg;
}

void mmu_seg_reset(mmu_t *mmu) {
  const mmu_seg_t data = {.limit = 0xFFFF, .attr = 0x093, .usable = true};
  for (unsigned i = MMU_SEG_ES; i <= MMU_SEG_GS; i++)
    mmu->seg[i] = data;
  mmu->seg[MMU_SEG_CS] =
      (mmu_seg_t){.selector = 0xF000, .base = 0xFFFF0000u, .limit = 0xFFFF, .attr = 0x09B, .usable = true};
  mmu->seg[MMU_SEG_LDTR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x082, .usable = true};
  mmu->seg[MMU_SEG_TR] = (mmu_seg_t){.limit = 0xFFFF, .attr = 0x08B, .usable = true};
  mmu->seg[MMU_SEG_STAGED_CS] = mmu->seg[MMU_SEG_STAGED_SS] = (mmu_seg_t){0};
}
