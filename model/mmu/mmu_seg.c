/*
 * seg: the segment registers with their hidden parts, the check of each reference against them, and the operations on
 * a register that read no descriptor.
 *
 * Twin: rtl/mmu_seg.sv.
 * Source: "Protected-Mode Memory Management" (Segment Registers, Segment Descriptors), "Protection" (Limit Checking,
 * Type Checking, Privilege Levels), "Alignment Check Exception (#AC)", "8086 Emulation".
 */
#include <assert.h>

#include "mmu_desc.h"

/* Source: "Limit Checking". */
static mmu_window_t limits_of(const mmu_t *mmu, const mmu_seg_t *seg) {
  if (is_expand_down(seg->attr))
    return (mmu_window_t){seg->limit + UINT64_C(1), seg->attr & MMU_ATTR_DB ? 0xFFFFFFFFu : 0xFFFFu};
  bool wraps = mmu->config.limit_wraps && seg->limit == 0xFFFFFFFFu;
  return (mmu_window_t){0, wraps ? UINT64_MAX : seg->limit};
}

/* Source: "Type Checking". */
static bool has_type_for(const mmu_seg_t *seg, mmu_access_t access) {
  return access == MMU_WRITE ? is_writable(seg->attr) : access == MMU_READ ? is_readable(seg->attr) : true;
}

void mmu_derive_windows(mmu_t *mmu, unsigned id) {
  const mmu_seg_t *seg = &mmu->seg[id];
  const mmu_window_t none = {UINT64_MAX, 0}, some = limits_of(mmu, seg);
  for (unsigned access = MMU_READ; access <= MMU_EXECUTE; access++) {
    bool closed = mmu->cr0 & X86_CR0_PE && !(seg->usable && has_type_for(seg, (mmu_access_t)access));
    mmu->window[id][access] = closed ? none : some;
  }
  mmu->window[id][MMU_WINDOW_V86] = some;
}

void mmu_derive_all_windows(mmu_t *mmu) {
  for (unsigned id = 0; id < MMU_SEG_COUNT; id++)
    mmu_derive_windows(mmu, id);
}

/* The error code of a fault in the segment: the new stack of a privilege change that has no room is named.
 * Source: "INT n/INTO/INT3/INT1". */
static uint16_t error_code_of(const mmu_t *mmu, const mmu_req_t *req) {
  return req->seg == MMU_SEG_STAGED_SS ? selector_error(mmu->seg[req->seg].selector, req->ext) : req->ext;
}

bool mmu_seg_fault(const mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  const mmu_seg_t *seg = &mmu->seg[req->seg];
  uint64_t first = (uint32_t)req->offset, last = first + req->size - 1;
  const mmu_window_t *limits = &mmu->window[req->seg][MMU_WINDOW_V86];
  bool stack = req->seg == MMU_SEG_SS || req->seg == MMU_SEG_STAGED_SS;
  uint16_t error_code = error_code_of(mmu, req);
  if (mmu->cr0 & X86_CR0_PE && !req->vm) {
    if (!seg->usable) return mmu_fault(rsp, stack ? X86_SS : X86_GP, error_code);
    if (!has_type_for(seg, (mmu_access_t)req->access)) return mmu_fault(rsp, X86_GP, error_code);
  }
  if (first < limits->first || last > limits->last) return mmu_fault(rsp, stack ? X86_SS : X86_GP, error_code);
  assert(mmu_is_misaligned(mmu, req, (uint32_t)(seg->base + first)));
  return mmu_fault(rsp, X86_AC, req->ext);
}

void mmu_seg_commit(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert((req->reason == MMU_SEG_STAGED_CS && req->seg == MMU_SEG_CS) ||
         (req->reason == MMU_SEG_STAGED_SS && req->seg == MMU_SEG_SS) ||
         (req->reason == MMU_SEG_STAGED_TR && req->seg == MMU_SEG_TR));
  mmu_seg_t *seg = &mmu->seg[req->seg];
  *seg = mmu->seg[req->reason];
  if (req->seg == MMU_SEG_TR) seg->attr |= SYSTEM_TSS_BUSY;
  mmu_derive_windows(mmu, req->seg);
  rsp->seg = *seg;
}

/* Source: "RET", RETURN-TO-OUTER-PRIVILEGE-LEVEL. */
static void set_outer(mmu_seg_t *seg, unsigned cpl) {
  bool guarded = is_data(seg->attr) || (is_code(seg->attr) && !is_conforming(seg->attr));
  if (!seg->usable || !guarded || dpl_of(seg->attr) >= cpl) return;
  seg->selector = 0;
  seg->usable = false;
}

/* Real and virtual-8086 mode. Source: "Real-Address Mode Operation", "Virtual-8086 Mode". */
static void set_shifted(mmu_seg_t *seg, uint16_t selector) {
  seg->selector = selector;
  seg->base = (uint32_t)selector << 4;
  seg->usable = true;
}

void mmu_seg_set(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(req->seg < MMU_SEG_COUNT);
  mmu_seg_t *seg = &mmu->seg[req->seg];
  switch (req->reason) {
  case MMU_SET_REAL:
    set_shifted(seg, req->selector);
    break;
  case MMU_SET_V86:
    set_shifted(seg, req->selector);
    seg->limit = 0xFFFF;
    seg->attr = MMU_ATTR_P | MMU_ATTR_DPL | MMU_ATTR_S | MMU_ATTR_WRITABLE | MMU_ATTR_ACCESSED;
    break;
  case MMU_SET_RAW:
    *seg = (mmu_seg_t){.base = (uint32_t)req->offset,
                       .limit = (uint32_t)req->data,
                       .selector = req->selector,
                       .attr = (uint16_t)(req->data >> 32 & 0xFFF),
                       .usable = req->data >> 48 & 1};
    break;
  default:
    assert(req->reason == MMU_SET_OUTER && req->cpl <= 3);
    assert(req->seg <= MMU_SEG_GS && req->seg != MMU_SEG_CS && req->seg != MMU_SEG_SS);
    set_outer(seg, req->cpl);
  }
  mmu_derive_windows(mmu, req->seg);
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
  for (unsigned i = MMU_SEG_STAGED_CS; i < MMU_SEG_COUNT; i++)
    mmu->seg[i] = (mmu_seg_t){0};
  mmu_derive_all_windows(mmu);
}
