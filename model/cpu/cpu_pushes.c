/*
 * The pushes of a far CALL or an interrupt, on the current stack or on that of an inner privilege level.
 *
 * Source: "Stack Switching", and the operation sections of "CALL" and "INT n/INTO/INT3/INT1", which tell in what order
 * the new stack, its room, the new EIP and then the pushes themselves are found faulty.
 */
#include "cpu_transfer.h"

void cpu_pushes_current(const cpu_t *cpu, pushes_t *p, unsigned size, bool ext) {
  p->esp = (uint32_t)cpu->gpr[CPU_ESP];
  p->mask = cpu->stack_mask;
  p->seg = MMU_SEG_SS;
  p->cpl = cpu->cpl;
  p->size = (uint8_t)size;
  p->ext = ext;
  p->n = 0;
}

bool cpu_pushes_inner(cpu_t *cpu, pushes_t *p, unsigned size, unsigned cpl, bool ext) {
  bool wide = cpu->seg[MMU_SEG_TR].attr & 8; /* a 32-bit TSS */
  ref_t ref;
  if (!cpu_mem_ref_system(cpu, MMU_SEG_TR, wide ? 4 + 8 * cpl : 2 + 4 * cpl, wide ? 6 : 4, MMU_READ, ext, &ref))
    return false;
  uint64_t data = cpu_ref_read(cpu, &ref);
  uint16_t ss = (uint16_t)(data >> (wide ? 32 : 16));
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_SS, ss, MMU_LOAD_STACK_INNER, cpl, ext)) return false;
  p->esp = wide ? (uint32_t)data : (uint16_t)data;
  p->mask = cpu->seg[MMU_SEG_STAGED_SS].attr & MMU_ATTR_DB ? UINT32_MAX : 0xFFFF;
  p->seg = MMU_SEG_STAGED_SS;
  p->cpl = (uint8_t)cpl;
  p->size = (uint8_t)size;
  p->ext = ext;
  p->n = 0;
  return true;
}

static uint32_t offset_of(const pushes_t *p, unsigned i) {
  return (p->esp - (i + 1) * p->size) & p->mask;
}

/* Do all pushes lie within the stack's limit? (Only asked where another fault would otherwise hide it.) */
static bool has_room(const cpu_t *cpu, const pushes_t *p) {
  const mmu_seg_t *seg = &cpu->seg[p->seg];
  bool down = (seg->attr & (MMU_ATTR_S | MMU_ATTR_CODE | MMU_ATTR_EXPAND_DOWN)) == (MMU_ATTR_S | MMU_ATTR_EXPAND_DOWN);
  uint64_t upper = !down ? seg->limit : seg->attr & MMU_ATTR_DB ? UINT32_MAX : 0xFFFF;
  for (unsigned i = 0; i < p->n; i++) {
    uint32_t offset = offset_of(p, i);
    if ((down && offset <= seg->limit) || (uint64_t)offset + p->size - 1 > upper) return false;
  }
  return true;
}

static bool no_room(cpu_t *cpu, const pushes_t *p) {
  uint16_t selector = p->seg == MMU_SEG_STAGED_SS ? cpu->seg[p->seg].selector & 0xFFFC : 0;
  return raise_fault(cpu, X86_SS, selector | p->ext);
}

bool cpu_pushes_translate(cpu_t *cpu, pushes_t *p, uint32_t eip, uint32_t limit) {
  if (eip > limit) return has_room(cpu, p) ? raise_fault(cpu, X86_GP, p->ext) : no_room(cpu, p);
  bool ok = true, staged = p->seg == MMU_SEG_STAGED_SS;
  mmu_req_t *req = &cpu->data_req;
  const bool vm = req->vm;
  req->cpl = p->cpl;
  req->ext = p->ext;
  req->vm = vm && !staged; /* an inner stack is never one of virtual-8086 mode */
  for (unsigned i = 0; i < p->n && ok; i++)
    ok = cpu_mem_ref(cpu, p->seg, offset_of(p, i), p->size, MMU_WRITE, false, &p->ref[i]);
  req->cpl = cpu->cpl;
  req->ext = false;
  req->vm = vm;
  return ok;
}

void cpu_pushes_write(cpu_t *cpu, const pushes_t *p) {
  for (unsigned i = 0; i < p->n; i++)
    cpu_ref_write(cpu, &p->ref[i], p->value[i]);
}

void cpu_pushes_commit(cpu_t *cpu, const pushes_t *p) {
  cpu->gpr[CPU_ESP] = p->esp;
  reg_set_masked(cpu, CPU_ESP, p->mask, p->esp - p->n * p->size);
}
