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

/* Do all bytes of an operand lie in the segment? Source: "Limit Checking". */
static bool within_limit(const mmu_t *mmu, const mmu_seg_t *seg, uint32_t offset, unsigned size) {
  uint64_t last = (uint64_t)offset + size - 1;
  if (is_expand_down(seg->attr))
    return offset > seg->limit && last <= (seg->attr & MMU_ATTR_DB ? 0xFFFFFFFFu : 0xFFFFu);
  return last <= seg->limit || (mmu->config.limit_wraps && seg->limit == 0xFFFFFFFFu);
}

/* Is an operand at laddr less aligned than the request asks, where that is a fault? Source: "Control Registers" (AM).
 */
static bool is_misaligned(const mmu_t *mmu, const mmu_req_t *req, uint32_t laddr) {
  if ((laddr & ((1u << req->align) - 1)) == 0) return false;
  return mmu->cr0 & X86_CR0_AM && mmu->cr0 & X86_CR0_PE && req->ac && req->cpl == 3 && !req->implicit;
}

/* The error code of a fault in the segment: the new stack of a privilege change that has no room is named.
 * Source: "INT n/INTO/INT3/INT1". */
static uint16_t error_code_of(const mmu_t *mmu, const mmu_req_t *req) {
  return req->seg == MMU_SEG_STAGED_SS ? selector_error(mmu->seg[req->seg].selector, req->ext) : req->ext;
}

static bool type_fault(const mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  return mmu_fault(rsp, X86_GP, error_code_of(mmu, req));
}

/* The register is unusable, or the operand is beyond its limit. */
static bool limit_fault(const mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bool stack = req->seg == MMU_SEG_SS || req->seg == MMU_SEG_STAGED_SS;
  return mmu_fault(rsp, stack ? X86_SS : X86_GP, error_code_of(mmu, req));
}

bool mmu_seg_check(const mmu_t *mmu, const mmu_req_t *req, uint32_t *laddr, mmu_rsp_t *rsp) {
  const mmu_seg_t *seg = &mmu->seg[req->seg];
  uint32_t offset = (uint32_t)req->offset;

  if (mmu->cr0 & X86_CR0_PE && !req->vm) {
    if (!seg->usable) return limit_fault(mmu, req, rsp);
    if (req->access == MMU_WRITE && !is_writable(seg->attr)) return type_fault(mmu, req, rsp);
    if (req->access == MMU_READ && !is_readable(seg->attr)) return type_fault(mmu, req, rsp);
  }
  if (!within_limit(mmu, seg, offset, req->size)) return limit_fault(mmu, req, rsp);
  *laddr = (uint32_t)seg->base + offset;
  if (req->align && is_misaligned(mmu, req, *laddr)) return mmu_fault(rsp, X86_AC, req->ext);
  return true;
}

void mmu_seg_commit(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert((req->reason == MMU_SEG_STAGED_CS && req->seg == MMU_SEG_CS) ||
         (req->reason == MMU_SEG_STAGED_SS && req->seg == MMU_SEG_SS) ||
         (req->reason == MMU_SEG_STAGED_TR && req->seg == MMU_SEG_TR));
  mmu_seg_t *seg = &mmu->seg[req->seg];
  *seg = mmu->seg[req->reason];
  if (req->seg == MMU_SEG_TR) seg->attr |= SYSTEM_TSS_BUSY;
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
}
