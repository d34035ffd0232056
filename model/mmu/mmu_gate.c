/*
 * seg: LOAD_GATE. The gate of the IDT that an exception, an interrupt or INT n goes through.
 *
 * Twin: rtl/mmu_gate.sv.
 * Source: "IDT Descriptors", "Exception- and Interrupt-Handler Procedures", "Error Code", and the operation section of
 * INT n/INTO/INT3/INT1.
 */
#include <assert.h>

#include "mmu_desc.h"

enum {
  GATES = 1 << SYSTEM_TASK_GATE | 1 << SYSTEM_INTERRUPT_GATE_16 | 1 << SYSTEM_TRAP_GATE_16 |
          1 << SYSTEM_INTERRUPT_GATE_32 | 1 << SYSTEM_TRAP_GATE_32,
};

enum { ERROR_IDT = 2 }; /* bit of an error code: its index is a vector */

void mmu_gate_load(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  assert(mmu->cr0 & X86_CR0_PE);
  assert(req->reason <= MMU_EVENT_SOFTWARE && req->cpl <= 3 && req->offset <= 0xFF);
  uint16_t offset = (uint16_t)(8 * req->offset);
  uint16_t error_code = (uint16_t)(offset | ERROR_IDT | req->ext);

  if (offset + 7 > mmu->idtr.limit) {
    mmu_fault(rsp, X86_GP, error_code);
    return;
  }
  if (!mmu_system_read(mmu, MMU_MEM_DESCRIPTOR, mmu->idtr.base + offset, 8, &rsp->descriptor, rsp)) return;

  uint16_t attr = descriptor_attr(rsp->descriptor);
  bool permitted = req->reason != MMU_EVENT_SOFTWARE || req->cpl <= dpl_of(attr);
  if (!has_system_type(attr, GATES) || !permitted)
    mmu_fault(rsp, X86_GP, error_code);
  else if (!(attr & MMU_ATTR_P))
    mmu_fault(rsp, X86_NP, error_code);
}
