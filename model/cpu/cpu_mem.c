/*
 * Operand access: one transaction, then data at the physical addresses of its response.
 *
 * What is rare, an operand on two pages, is kept out of line, so that the others need not save registers for it.
 */
#include "cpu_priv.h"

static bool translated(cpu_t *cpu, const mmu_req_t *req, ref_t *ref) {
  mmu_rsp_t *rsp = &cpu->rsp;
  if (!cpu->port.translate(cpu->port.ctx, req, rsp)) return cpu_stop_here(cpu, CPU_STOP_REQUEST);
  if (rsp->fault) {
    cpu->fault.vector = rsp->vector;
    cpu->fault.error_code = rsp->error_code;
    cpu->fault.cr2 = rsp->cr2;
    return false;
  }
  ref->paddr[0] = rsp->paddr[0];
  ref->size = ref->first = req->size;
  if (rsp->split) {
    ref->paddr[1] = rsp->paddr[1];
    ref->first = rsp->first;
  }
  return true;
}

bool cpu_mem_ref_aligned(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool rmw,
                         unsigned align, ref_t *ref) {
  mmu_req_t *req = &cpu->data_req;
  req->seg = (uint8_t)seg;
  req->access = (uint8_t)access;
  req->size = (uint8_t)size;
  req->align = (uint8_t)align;
  req->rmw = rmw;
  req->offset = offset;
  return translated(cpu, req, ref);
}

/*
 * By size: word, doubleword, far pointer with a 32-bit offset, quadword, double extended-precision floating point.
 * Source: "Alignment Check Exception", table "Alignment Requirements by Data Type".
 */
static const uint8_t alignment[17] = {[2] = 1, [4] = 2, [6] = 2, [8] = 3, [10] = 3};

bool cpu_mem_ref(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool rmw, ref_t *ref) {
  return cpu_mem_ref_aligned(cpu, seg, offset, size, access, rmw, alignment[size], ref);
}

bool cpu_mem_ref_system(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, mmu_access_t access, bool ext,
                        ref_t *ref) {
  mmu_req_t req = {.op = MMU_OP_SYSTEM,
                   .seg = (uint8_t)seg,
                   .access = (uint8_t)access,
                   .size = (uint8_t)size,
                   .ext = ext,
                   .offset = offset};
  return translated(cpu, &req, ref);
}

static __attribute__((noinline)) uint64_t read_split(cpu_t *cpu, const ref_t *ref) {
  unsigned rest = ref->size - ref->first;
  uint64_t low = cpu->port.read(cpu->port.ctx, ref->paddr[0], ref->first);
  uint64_t high = cpu->port.read(cpu->port.ctx, ref->paddr[1], rest);
  return low | high << 8 * ref->first;
}

uint64_t cpu_ref_read(cpu_t *cpu, const ref_t *ref) {
  if (ref->first != ref->size) return read_split(cpu, ref);
  return cpu->port.read(cpu->port.ctx, ref->paddr[0], ref->size);
}

static void store(cpu_t *cpu, uint64_t paddr, unsigned size, uint64_t value) {
  cpu->port.write(cpu->port.ctx, paddr, size, value);
  if (cpu->code[paddr >> 12 & (CODE_PAGES - 1)]) cpu_code_changed(cpu, paddr, size);
}

static __attribute__((noinline)) void write_split(cpu_t *cpu, const ref_t *ref, uint64_t value) {
  store(cpu, ref->paddr[0], ref->first, value & ((UINT64_C(1) << 8 * ref->first) - 1));
  store(cpu, ref->paddr[1], ref->size - ref->first, value >> 8 * ref->first);
}

void cpu_ref_write(cpu_t *cpu, const ref_t *ref, uint64_t value) {
  if (ref->size < 8) value &= (UINT64_C(1) << 8 * ref->size) - 1;
  if (ref->first == ref->size)
    store(cpu, ref->paddr[0], ref->size, value);
  else
    write_split(cpu, ref, value);
}

void cpu_ref_read_bytes(cpu_t *cpu, const ref_t *ref, uint8_t *bytes) {
  for (unsigned at = 0, n; at < ref->size; at += n) {
    bool first = at < ref->first;
    unsigned left = (first ? ref->first : ref->size) - at;
    n = left < 8 ? left : 8;
    uint64_t data = cpu->port.read(cpu->port.ctx, first ? ref->paddr[0] + at : ref->paddr[1] + (at - ref->first), n);
    for (unsigned i = 0; i < n; i++)
      bytes[at + i] = (uint8_t)(data >> 8 * i);
  }
}

void cpu_ref_write_bytes(cpu_t *cpu, const ref_t *ref, const uint8_t *bytes) {
  for (unsigned at = 0, n; at < ref->size; at += n) {
    bool first = at < ref->first;
    unsigned left = (first ? ref->first : ref->size) - at;
    n = left < 8 ? left : 8;
    uint64_t data = 0;
    for (unsigned i = 0; i < n; i++)
      data |= (uint64_t)bytes[at + i] << 8 * i;
    store(cpu, first ? ref->paddr[0] + at : ref->paddr[1] + (at - ref->first), n, data);
  }
}

bool cpu_mem_read(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint32_t *value) {
  ref_t ref;
  if (!cpu_mem_ref(cpu, seg, offset, size, MMU_READ, false, &ref)) return false;
  *value = (uint32_t)cpu_ref_read(cpu, &ref);
  return true;
}

bool cpu_mem_read64(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint64_t *value) {
  ref_t ref;
  if (!cpu_mem_ref(cpu, seg, offset, size, MMU_READ, false, &ref)) return false;
  *value = cpu_ref_read(cpu, &ref);
  return true;
}

bool cpu_mem_write(cpu_t *cpu, unsigned seg, uint32_t offset, unsigned size, uint32_t value) {
  ref_t ref;
  if (!cpu_mem_ref(cpu, seg, offset, size, MMU_WRITE, false, &ref)) return false;
  cpu_ref_write(cpu, &ref, value);
  return true;
}

bool cpu_mem_read_pair(cpu_t *cpu, const insn_t *in, uint64_t *value) {
  ref_t ref;
  if (!cpu_mem_ref_aligned(cpu, in->seg, effective_address(cpu, in), 2u * in->size, MMU_READ, false,
                           alignment[in->size], &ref))
    return false;
  *value = cpu_ref_read(cpu, &ref);
  return true;
}

/* "32-bit far pointer: 2; 48-bit far pointer: 4" */
bool cpu_mem_read_pointer(cpu_t *cpu, const insn_t *in, uint32_t *offset, uint16_t *selector) {
  ref_t ref;
  if (!cpu_mem_ref_aligned(cpu, in->seg, effective_address(cpu, in), in->size + 2u, MMU_READ, false,
                           alignment[in->size], &ref))
    return false;
  uint64_t pointer = cpu_ref_read(cpu, &ref);
  *offset = (uint32_t)pointer & operand_mask(in->size);
  *selector = (uint16_t)(pointer >> 8 * in->size);
  return true;
}
