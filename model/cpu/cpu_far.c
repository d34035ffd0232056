/*
 * Far JMP and CALL, and the software interrupts.
 *
 * The new CS is staged and checked; it comes into force together with everything else.
 *
 * Source: the operation sections of "JMP", "CALL", "INT n/INTO/INT3/INT1", "BOUND".
 */
#include "cpu_flags.h"
#include "cpu_transfer.h"

/* In real and virtual-8086 mode the new CS has the old one's limit. */
static bool far_transfer(cpu_t *cpu, const insn_t *in, uint16_t selector, uint32_t offset, bool call) {
  const bool named = uses_descriptors(cpu);
  uint32_t limit = cpu->seg[MMU_SEG_CS].limit;
  if (named) {
    if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, selector, MMU_LOAD_CODE_JUMP, cpu->cpl, false)) return false;
    if (cpu->rsp.system) return cpu_far_system(cpu, selector, cpu->rsp.descriptor, call);
    limit = cpu->seg[MMU_SEG_STAGED_CS].limit;
  }
  pushes_t p;
  cpu_pushes_current(cpu, &p, in->size, false);
  if (call) {
    cpu_pushes_add(&p, cpu->seg[MMU_SEG_CS].selector);
    cpu_pushes_add(&p, (uint32_t)cpu->next_eip);
  }
  if (!cpu_pushes_translate(cpu, &p, offset, limit)) return false;
  cpu_pushes_write(cpu, &p);
  bool ok = named ? cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)
                  : cpu_set_segment_shifted(cpu, MMU_SEG_CS, selector);
  if (!ok) return false;
  cpu_pushes_commit(cpu, &p);
  cpu->next_eip = offset;
  return true;
}

static bool far_direct(cpu_t *cpu, const insn_t *in) {
  return far_transfer(cpu, in, in->imm2, in->imm & operand_mask(in->size), in->opcode == 0x9A);
}

static bool far_indirect(cpu_t *cpu, const insn_t *in) {
  uint32_t offset;
  uint16_t selector;
  return cpu_mem_read_pointer(cpu, in, &offset, &selector) && far_transfer(cpu, in, selector, offset, in->reg == 3);
}

/* --- software interrupts --- */

static bool software_interrupt(cpu_t *cpu, unsigned vector) {
  return cpu_deliver(cpu, (uint8_t)vector, EVENT_SOFTWARE, 0, (uint32_t)cpu->next_eip);
}

static bool int3(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return software_interrupt(cpu, X86_BP);
}

/* In virtual-8086 mode INT n, unlike INT3 and INTO, is sensitive to IOPL. */
static bool int_n(cpu_t *cpu, const insn_t *in) {
  if (virtual_8086(cpu) && iopl(cpu) != 3) return raise_fault(cpu, X86_GP, 0);
  return software_interrupt(cpu, in->imm & 0xFF);
}

static bool into(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return !flag_of(cpu) || software_interrupt(cpu, X86_OF);
}

/* INT1: a debug trap that no gate's DPL keeps out. */
static bool int1(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return cpu_deliver(cpu, X86_DB, EVENT_TRAP, 0, (uint32_t)cpu->next_eip);
}

static bool bound(cpu_t *cpu, const insn_t *in) {
  uint64_t pair;
  if (!cpu_mem_read_pair(cpu, in, &pair)) return false;
  bool wide = in->size == 4;
  int32_t index = wide ? (int32_t)cpu->gpr[in->reg] : (int16_t)cpu->gpr[in->reg];
  int32_t low = wide ? (int32_t)pair : (int16_t)pair, high = wide ? (int32_t)(pair >> 32) : (int16_t)(pair >> 16);
  return (index >= low && index <= high) || raise_fault(cpu, X86_BR, 0);
}

handler_t cpu_bind_far(insn_t *in) {
  if (in->opcode2) return NULL;
  switch (in->opcode) {
  case 0x62:
    return bound;
  case 0x9A:
  case 0xEA:
    return far_direct;
  case 0xCA:
  case 0xCB:
    return cpu_far_return;
  case 0xCF:
    return cpu_iret;
  case 0xCC:
    return int3;
  case 0xCD:
    return int_n;
  case 0xCE:
    return into;
  case 0xF1:
    return int1;
  case 0xFF:
    return in->mem && (in->reg == 3 || in->reg == 5) ? far_indirect : NULL;
  default:
    return NULL;
  }
}
