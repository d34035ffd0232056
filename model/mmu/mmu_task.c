/*
 * seg: MARK_TASK. The busy bit of a task's TSS descriptor, in the steps of a task switch.
 *
 * Twin: rtl/mmu_task.sv.
 * Source: "TSS Descriptor", "Task Switching".
 */
#include <assert.h>

#include "mmu_desc.h"

void mmu_task_mark(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE);
  const mmu_rights_t *rights = &mmu->rights[MMU_BY_SUPERVISOR][MMU_WRITE];
  uint32_t laddr = mmu->gdtr.base + (req->selector & SELECTOR_INDEX) + 5;
  mmu_page_t page;
  if (!mmu_translate(mmu, rights, laddr, 1, &page, rsp)) return;
  uint64_t before, after;
  do {
    before = mmu_mem_read(mmu, MMU_MEM_DESCRIPTOR, page.paddr, 1, rsp);
    after = req->data & 1 ? before | SYSTEM_TSS_BUSY : before & ~(uint64_t)SYSTEM_TSS_BUSY;
  } while (!mmu_mem_update(mmu, MMU_MEM_DESCRIPTOR, page.paddr, 1, before, after, rsp));
}
