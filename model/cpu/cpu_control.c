/*
 * Requests that change the MMU's state, and the emulator's mirror of it.
 */
#include "cpu_priv.h"

enum { CR0_CACHE = X86_CR0_CD | X86_CR0_NW };

void cpu_set_cpl(cpu_t *cpu, unsigned cpl) {
  cpu->cpl = (uint8_t)cpl;
  cpu->fetch_req.cpl = (uint8_t)cpl;
  cpu->data_req.cpl = (uint8_t)cpl;
}

void cpu_update_mode(cpu_t *cpu) {
  cpu->mode = 0;
  if (cpu->seg[MMU_SEG_CS].attr & MMU_ATTR_DB) cpu->mode |= INSN_MODE_32;
  if (!uses_descriptors(cpu)) cpu->mode |= INSN_MODE_REAL;
  cpu->stack_mask = cpu->seg[MMU_SEG_SS].attr & MMU_ATTR_DB ? UINT32_MAX : 0xFFFF;
}

static void mirror(cpu_t *cpu, const mmu_req_t *req) {
  switch (req->op) {
  case MMU_OP_LOAD_SEG:
    if (cpu->rsp.system) return;
    cpu->seg[req->seg] = cpu->rsp.seg;
    break;
  case MMU_OP_COMMIT_SEG:
  case MMU_OP_SET_SEG:
    cpu->seg[req->seg] = cpu->rsp.seg;
    break;
  case MMU_OP_WRITE_CR:
    if (req->cr == 0) cpu->cr0 = (req->data & 0xE005003F) | X86_CR0_ET;
    if (req->cr == 3) cpu->cr3 = (uint32_t)req->data;
    if (req->cr == 4) {
      cpu->cr4 = (uint32_t)req->data;
      cpu_debug_update(cpu);
    }
    break;
  case MMU_OP_LOAD_TABLE:
    if (req->seg == MMU_SEG_GDTR) {
      cpu->gdtr.base = (uint32_t)req->offset;
      cpu->gdtr.limit = (uint16_t)req->data;
    } else {
      cpu->idtr.base = (uint32_t)req->offset;
      cpu->idtr.limit = (uint16_t)req->data;
    }
    break;
  default:
    return;
  }
  cpu_update_mode(cpu);
}

bool cpu_control(cpu_t *cpu, const mmu_req_t *req) {
  if (!cpu->port.translate(cpu->port.ctx, req, &cpu->rsp)) return cpu_stop_here(cpu, CPU_STOP_REQUEST);
  if (cpu->rsp.fault) {
    cpu->fault.vector = cpu->rsp.vector;
    cpu->fault.error_code = cpu->rsp.error_code;
    cpu->fault.cr2 = cpu->rsp.cr2;
    return false;
  }
  mirror(cpu, req);
  return true;
}

bool cpu_load_descriptor(cpu_t *cpu, unsigned seg, uint16_t selector, mmu_load_t reason, unsigned cpl, bool ext) {
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG,
                   .seg = (uint8_t)seg,
                   .cpl = (uint8_t)cpl,
                   .reason = (uint8_t)reason,
                   .ext = ext,
                   .selector = selector};
  return cpu_control(cpu, &req);
}

bool cpu_set_segment(cpu_t *cpu, unsigned seg, uint16_t selector, mmu_set_t how) {
  mmu_req_t req = {.op = MMU_OP_SET_SEG, .seg = (uint8_t)seg, .reason = (uint8_t)how, .selector = selector};
  return cpu_control(cpu, &req);
}

bool cpu_set_segment_shifted(cpu_t *cpu, unsigned seg, uint16_t selector) {
  return cpu_set_segment(cpu, seg, selector, virtual_8086(cpu) ? MMU_SET_V86 : MMU_SET_REAL);
}

bool cpu_load_segment(cpu_t *cpu, unsigned seg, uint16_t selector) {
  if (!uses_descriptors(cpu)) return cpu_set_segment_shifted(cpu, seg, selector);
  return cpu_load_descriptor(cpu, seg, selector, seg == MMU_SEG_SS ? MMU_LOAD_STACK : MMU_LOAD_DATA, cpu->cpl, false);
}

bool cpu_commit_segment(cpu_t *cpu, unsigned seg, unsigned staged) {
  mmu_req_t req = {.op = MMU_OP_COMMIT_SEG, .seg = (uint8_t)seg, .reason = (uint8_t)staged};
  return cpu_control(cpu, &req);
}

bool cpu_write_cr(cpu_t *cpu, unsigned cr, uint64_t value) {
  if (cr == 0) value = (value & cpu->model.cr0) | (cpu->cr0 & ~(uint64_t)cpu->model.cr0 & CR0_CACHE);
  if (cr == 4 && (value & ~(uint64_t)cpu->model.cr4)) return raise_fault(cpu, X86_GP, 0);
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = (uint8_t)cr, .data = value};
  return cpu_control(cpu, &req);
}

bool cpu_verify(cpu_t *cpu, uint16_t selector, mmu_verify_t what) {
  mmu_req_t req = {.op = MMU_OP_VERIFY, .cpl = cpu->cpl, .reason = (uint8_t)what, .selector = selector};
  return cpu_control(cpu, &req);
}

/* Source: "I/O Privilege Level", "I/O Permission Bit Map", "Protected-Mode I/O" of virtual-8086 mode. */
bool cpu_check_io(cpu_t *cpu, uint16_t port, unsigned size) {
  if (!protected_mode(cpu) || (cpu->cpl <= iopl(cpu) && !virtual_8086(cpu))) return true;
  mmu_req_t req = {.op = MMU_OP_CHECK_IO, .size = (uint8_t)size, .offset = port};
  return cpu_control(cpu, &req);
}

/* --- for loaders and tests --- */

bool cpu_send(cpu_t *cpu, const mmu_req_t *req) {
  bool stopping = cpu->stopping;
  cpu_stop_t stop = cpu->stop;
  bool ok = cpu_control(cpu, req);
  cpu->stopping = stopping;
  cpu->stop = stop;
  if (ok && req->op == MMU_OP_SET_SEG && req->seg == MMU_SEG_CS) {
    if (req->reason == MMU_SET_RAW) cpu_set_cpl(cpu, req->selector & 3);
  }
  return ok;
}
