/*
 * seg: CHECK_IO. The I/O permission bitmap in the TSS of the current task.
 *
 * Twin: rtl/mmu_io.sv.
 * Source: "I/O Permission Bit Map", "Task-State Segment (TSS)"; the operation section of IN.
 */
#include <assert.h>

#include "mmu_desc.h"

enum { TSS_MAP_BASE = 0x66 }; /* offset of the field that says where the bitmap begins */

/* Has the current task a TSS that could hold a bitmap? */
static bool is_32_bit_task(const mmu_seg_t *tr) {
  return tr->usable && has_system_type(tr->attr, 1 << SYSTEM_TSS_32 | 1 << SYSTEM_TSS_32_BUSY) &&
         tr->limit >= TSS_32_LIMIT;
}

void mmu_io_check(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE);
  assert((req->size == 1 || req->size == 2 || req->size == 4) && req->offset <= 0xFFFF);
  const mmu_seg_t *tr = &mmu->seg[MMU_SEG_TR];
  uint32_t base = (uint32_t)tr->base, port = (uint32_t)req->offset;
  uint64_t map, bits;

  if (!is_32_bit_task(tr)) {
    mmu_fault(rsp, X86_GP, 0);
    return;
  }
  if (!mmu_system_read(mmu, MMU_MEM_TSS, base + TSS_MAP_BASE, 2, &map, rsp)) return;
  /* Two bytes always: any four ports lie in two bytes of the map, which so ends with a byte of ones of its own. */
  uint32_t at = (uint32_t)map + port / 8;
  if (at + 1 > tr->limit) {
    mmu_fault(rsp, X86_GP, 0);
    return;
  }
  if (!mmu_system_read(mmu, MMU_MEM_TSS, base + at, 2, &bits, rsp)) return;
  uint32_t asked = ((1u << req->size) - 1) << port % 8;
  if (bits & asked) mmu_fault(rsp, X86_GP, 0);
}
