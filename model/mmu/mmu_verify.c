/*
 * seg: VERIFY. What LAR, LSL, VERR and VERW ask of a descriptor: yes or no, never a fault of segmentation.
 *
 * Twin: rtl/mmu_verify.sv.
 * Source: "LAR—Load Access Rights Byte", "LSL—Load Segment Limit", "VERR/VERW—Verify a Segment for Reading or
 * Writing".
 */
#include <assert.h>

#include "mmu_desc.h"

enum {
  ANY_TSS = 1 << SYSTEM_TSS_16 | 1 << SYSTEM_TSS_16_BUSY | 1 << SYSTEM_TSS_32 | 1 << SYSTEM_TSS_32_BUSY,
  WITH_LIMIT = ANY_TSS | 1 << SYSTEM_LDT,
  WITH_RIGHTS = WITH_LIMIT | 1 << SYSTEM_CALL_GATE_16 | 1 << SYSTEM_TASK_GATE | 1 << SYSTEM_CALL_GATE_32,
};

/* Is a descriptor with these attributes of a type that the instruction knows? */
static bool has_valid_type(mmu_verify_t reason, uint16_t attr) {
  switch (reason) {
  case MMU_VERIFY_LAR:
    return !is_system(attr) || has_system_type(attr, WITH_RIGHTS);
  case MMU_VERIFY_LSL:
    return !is_system(attr) || has_system_type(attr, WITH_LIMIT);
  case MMU_VERIFY_READ:
    return is_readable(attr);
  case MMU_VERIFY_WRITE:
    return is_writable(attr);
  }
  return false;
}

void mmu_verify(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE && !req->vm);
  assert(req->reason <= MMU_VERIFY_WRITE && req->cpl <= 3);
  uint32_t laddr;
  if (is_null(req->selector) || !mmu_desc_find(mmu, req->selector, &laddr)) return;
  if (!mmu_system_read(mmu, MMU_MEM_DESCRIPTOR, laddr, 8, &rsp->descriptor, rsp)) return;

  mmu_seg_t seg = mmu_desc_unpack(rsp->descriptor, req->selector);
  unsigned dpl = dpl_of(seg.attr), rpl = req->selector & SELECTOR_RPL;
  bool visible = is_conforming(seg.attr) || (req->cpl <= dpl && rpl <= dpl);
  rsp->verified = visible && has_valid_type(req->reason, seg.attr);
  if (rsp->verified && req->reason == MMU_VERIFY_LSL) rsp->seg.limit = seg.limit;
}
