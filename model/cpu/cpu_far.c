/*
 * Far transfers: JMP, CALL, RET, IRET, and the software interrupts.
 *
 * The new CS and SS are staged and checked; they come into force together with everything else.
 *
 * Source: the operation sections of "JMP", "CALL", "RET", "IRET/IRETD".
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static bool unimplemented_system(cpu_t *cpu) {
  switch (cpu->rsp.descriptor >> 40 & 15) {
  case 5:
    return cpu_unimplemented(cpu, "task gate");
  case 4:
  case 12:
    return cpu_unimplemented(cpu, "call gate");
  default:
    return cpu_unimplemented(cpu, "task switch");
  }
}

/* Makes CS:offset the next instruction. The new CS is staged (protected mode) or just a selector. */
static bool enter_code(cpu_t *cpu, uint16_t selector, uint32_t offset) {
  bool ok = protected_mode(cpu) ? cpu_commit_segment(cpu, MMU_SEG_CS, MMU_SEG_STAGED_CS)
                                : cpu_set_segment_real(cpu, MMU_SEG_CS, selector);
  cpu->next_eip = offset;
  return ok;
}

static bool far_transfer(cpu_t *cpu, const insn_t *in, uint16_t selector, uint32_t offset, bool call) {
  uint32_t limit = cpu->seg[MMU_SEG_CS].limit;
  if (protected_mode(cpu)) {
    if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, selector, MMU_LOAD_CODE_JUMP, cpu->cpl, false)) return false;
    if (cpu->rsp.system) return unimplemented_system(cpu);
    limit = cpu->seg[MMU_SEG_STAGED_CS].limit;
  }
  ref_t cs, eip;
  int32_t size = in->size;
  uint32_t top = stack_offset(cpu, -2 * size);
  if (call && !cpu_mem_ref(cpu, MMU_SEG_SS, stack_offset(cpu, -size), in->size, MMU_WRITE, false, &cs)) return false;
  if (call && !cpu_mem_ref(cpu, MMU_SEG_SS, top, in->size, MMU_WRITE, false, &eip)) return false;
  if (offset > limit) return raise_fault(cpu, X86_GP, 0);
  if (call) {
    cpu_ref_write(cpu, &cs, cpu->seg[MMU_SEG_CS].selector);
    cpu_ref_write(cpu, &eip, cpu->next_eip);
    stack_commit(cpu, top);
  }
  return enter_code(cpu, selector, offset);
}

static bool far_direct(cpu_t *cpu, const insn_t *in) {
  return far_transfer(cpu, in, in->imm2, in->imm & operand_mask(in->size), in->opcode == 0x9A);
}

static bool far_indirect(cpu_t *cpu, const insn_t *in) {
  uint64_t pointer;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), in->size + 2u, &pointer)) return false;
  uint32_t offset = (uint32_t)pointer & operand_mask(in->size);
  return far_transfer(cpu, in, (uint16_t)(pointer >> 8 * in->size), offset, in->reg == 3);
}

/* What RET and IRET pop, in stack order. */
typedef struct {
  uint32_t eip, cs, eflags, esp, ss;
} frame_t;

/* The rest of RET or IRET to an outer level. delta: where ESP and SS lie, from the top of the stack. */
static bool return_outer(cpu_t *cpu, const insn_t *in, frame_t *frame, int32_t delta, uint32_t release, bool iret) {
  unsigned cpl = frame->cs & 3;
  if (!stack_read(cpu, delta, in->size, &frame->esp)) return false;
  if (!stack_read(cpu, delta + in->size, in->size, &frame->ss)) return false;
  if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_SS, (uint16_t)frame->ss, MMU_LOAD_STACK, cpl, false)) return false;
  if (frame->eip > cpu->seg[MMU_SEG_STAGED_CS].limit) return raise_fault(cpu, X86_GP, 0);
  if (!enter_code(cpu, 0, frame->eip) || !cpu_commit_segment(cpu, MMU_SEG_SS, MMU_SEG_STAGED_SS)) return false;
  if (iret) cpu_flags_load(cpu, frame->eflags, in->size, true); /* with the rights of the old CPL */
  cpu_set_cpl(cpu, cpl);
  stack_commit(cpu, frame->esp + release);
  return cpu_drop_inner_segments(cpu);
}

static bool far_return(cpu_t *cpu, const insn_t *in) {
  frame_t frame = {0};
  bool iret = in->opcode == 0xCF;
  uint32_t release = in->opcode == 0xCA ? in->imm & 0xFFFF : 0;
  int32_t size = in->size, delta = (int32_t)release + (iret ? 3 : 2) * size;
  uint32_t limit = cpu->seg[MMU_SEG_CS].limit;
  if (iret && protected_mode(cpu) && (cpu->eflags & X86_NT)) return cpu_unimplemented(cpu, "return from a nested task");
  if (!stack_read(cpu, 0, in->size, &frame.eip) || !stack_read(cpu, size, in->size, &frame.cs)) return false;
  if (iret && !stack_read(cpu, 2 * size, in->size, &frame.eflags)) return false;
  if (protected_mode(cpu)) {
    if (iret && size == 4 && (frame.eflags & X86_VM) && cpu->cpl == 0)
      return cpu_unimplemented(cpu, "return to virtual-8086 mode");
    if (!cpu_load_descriptor(cpu, MMU_SEG_STAGED_CS, (uint16_t)frame.cs, MMU_LOAD_CODE_RETURN, cpu->cpl, false))
      return false;
    if ((frame.cs & 3) > cpu->cpl) return return_outer(cpu, in, &frame, delta, release, iret);
    limit = cpu->seg[MMU_SEG_STAGED_CS].limit;
  }
  if (frame.eip > limit) return raise_fault(cpu, X86_GP, 0);
  if (!enter_code(cpu, (uint16_t)frame.cs, frame.eip)) return false;
  stack_commit(cpu, stack_offset(cpu, delta));
  if (iret) cpu_flags_load(cpu, frame.eflags, in->size, true);
  return true;
}

/* --- software interrupts --- */

static bool software_interrupt(cpu_t *cpu, unsigned vector) {
  return cpu_deliver(cpu, (uint8_t)vector, EVENT_SOFTWARE, 0, (uint32_t)cpu->next_eip);
}

static bool int3(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return software_interrupt(cpu, X86_BP);
}

static bool int_n(cpu_t *cpu, const insn_t *in) {
  return software_interrupt(cpu, in->imm & 0xFF);
}

static bool into(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return !flag_of(cpu) || software_interrupt(cpu, X86_OF);
}

/* INT1: a debug trap that no gate's DPL keeps out. */
static bool int1(cpu_t *cpu, const insn_t *in) {
  (void)in;
  return cpu_deliver(cpu, X86_DB, EVENT_EXCEPTION, 0, (uint32_t)cpu->next_eip);
}

static bool bound(cpu_t *cpu, const insn_t *in) {
  uint64_t pair;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), 2u * in->size, &pair)) return false;
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
  case 0xCF:
    return far_return;
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
