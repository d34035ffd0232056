/*
 * PUSH and POP without segment registers, PUSHA POPA PUSHF POPF, ENTER LEAVE.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static bool push_r32(cpu_t *cpu, const insn_t *in) {
  return push(cpu, 4, (uint32_t)cpu->gpr[in->rm]);
}

static bool pop_r32(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!stack_read(cpu, 0, 4, &value)) return false;
  stack_commit(cpu, stack_offset(cpu, 4));
  cpu->gpr[in->rm] = value;
  return true;
}

static bool push_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  return rm_read(cpu, in, in->size, &value) && push(cpu, in->size, value);
}

static bool push_i(cpu_t *cpu, const insn_t *in) {
  return push(cpu, in->size, in->imm);
}

/* The address of a memory destination is computed with ESP as it is after the pop. */
static bool pop_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t value;
  if (!stack_read(cpu, 0, in->size, &value)) return false;
  uint64_t esp = cpu->gpr[CPU_ESP];
  stack_commit(cpu, stack_offset(cpu, in->size));
  if (rm_write(cpu, in, in->size, value)) return true;
  cpu->gpr[CPU_ESP] = esp;
  return false;
}

static bool pusha(cpu_t *cpu, const insn_t *in) {
  ref_t ref[8];
  for (unsigned r = 0; r < 8; r++) {
    uint32_t offset = stack_offset(cpu, -(int32_t)((r + 1) * in->size));
    if (!cpu_mem_ref(cpu, MMU_SEG_SS, offset, in->size, MMU_WRITE, false, &ref[r])) return false;
  }
  for (unsigned r = 0; r < 8; r++)
    cpu_ref_write(cpu, &ref[r], cpu->gpr[r]);
  stack_commit(cpu, stack_offset(cpu, -8 * (int32_t)in->size));
  return true;
}

static bool popa(cpu_t *cpu, const insn_t *in) {
  uint32_t value[8];
  for (unsigned i = 0; i < 8; i++) {
    if (!stack_read(cpu, (int32_t)(i * in->size), in->size, &value[i])) return false;
  }
  stack_commit(cpu, stack_offset(cpu, 8 * in->size));
  for (unsigned r = 0; r < 8; r++) {
    if (r != CPU_ESP) reg_set(cpu, r, in->size, value[7 - r]);
  }
  return true;
}

/* In virtual-8086 mode PUSHF and POPF are sensitive to IOPL. */
static bool flags_allowed(cpu_t *cpu) {
  return !virtual_8086(cpu) || iopl(cpu) == 3 || raise_fault(cpu, X86_GP, 0);
}

static bool pushf(cpu_t *cpu, const insn_t *in) {
  if (!flags_allowed(cpu)) return false;
  return push(cpu, in->size, flags_get(cpu) & ~(uint32_t)(X86_VM | X86_RF));
}

static bool popf(cpu_t *cpu, const insn_t *in) {
  uint32_t image;
  if (!flags_allowed(cpu) || !stack_read(cpu, 0, in->size, &image)) return false;
  stack_commit(cpu, stack_offset(cpu, in->size));
  /* POPF leaves VM, VIF, VIP and clears RF. */
  cpu_flags_load(cpu, image & ~(uint32_t)X86_RF, in->size, false);
  return true;
}

static bool leave(cpu_t *cpu, const insn_t *in) {
  uint32_t value, frame = (uint32_t)cpu->gpr[CPU_EBP] & cpu->stack_mask;
  if (!cpu_mem_read(cpu, MMU_SEG_SS, frame, in->size, &value)) return false;
  stack_commit(cpu, frame + in->size);
  reg_set(cpu, CPU_EBP, in->size, value);
  return true;
}

/*
 * Every element is translated first, then read and written in order: the frame pointers that are copied may lie where
 * the new ones go.
 */
static bool enter(cpu_t *cpu, const insn_t *in) {
  unsigned level = in->imm2 & 31;
  int32_t size = in->size;
  ref_t from[32], to[33], unused;
  for (unsigned i = 0; i <= level; i++) {
    uint32_t offset = ((uint32_t)cpu->gpr[CPU_EBP] - i * in->size) & cpu->stack_mask;
    bool copied = i > 0 && i < level;
    if (copied && !cpu_mem_ref(cpu, MMU_SEG_SS, offset, in->size, MMU_READ, false, &from[i])) return false;
    offset = stack_offset(cpu, -size * (int32_t)(i + 1));
    if (!cpu_mem_ref(cpu, MMU_SEG_SS, offset, in->size, MMU_WRITE, false, &to[i])) return false;
  }
  /* "A page fault occurs if a write using the final value of the stack pointer would cause one." */
  uint32_t final = stack_offset(cpu, -size * (int32_t)(level + 1) - (int32_t)(in->imm & 0xFFFF));
  if (!cpu_mem_ref(cpu, MMU_SEG_SS, final, in->size, MMU_WRITE, false, &unused)) return false;

  /* The frame's address is all of ESP as it is after the first push, on a 16-bit stack too. */
  uint32_t frame = ((uint32_t)cpu->gpr[CPU_ESP] & ~cpu->stack_mask) | stack_offset(cpu, -size);
  cpu_ref_write(cpu, &to[0], cpu->gpr[CPU_EBP]);
  for (unsigned i = 1; i < level; i++)
    cpu_ref_write(cpu, &to[i], cpu_ref_read(cpu, &from[i]));
  if (level) cpu_ref_write(cpu, &to[level], frame);
  reg_set(cpu, CPU_EBP, in->size, frame);
  stack_commit(cpu, final);
  return true;
}

handler_t cpu_bind_stack(insn_t *in) {
  unsigned opcode = in->opcode;
  bool fast = in->size == 4;
  if (in->opcode2) return NULL;
  switch (opcode) {
  case 0x60:
    return pusha;
  case 0x61:
    return popa;
  case 0x68:
  case 0x6A:
    return push_i;
  case 0x8F:
    return in->reg != 0 ? NULL : fast && !in->mem ? pop_r32 : pop_rm;
  case 0x9C:
    return pushf;
  case 0x9D:
    return popf;
  case 0xC8:
    return enter;
  case 0xC9:
    return leave;
  case 0xFF:
    return in->reg != 6 ? NULL : fast && !in->mem ? push_r32 : push_rm;
  default:
    break;
  }
  if ((opcode & 0xF8) == 0x50) return fast ? push_r32 : push_rm;
  if ((opcode & 0xF8) == 0x58) return fast ? pop_r32 : pop_rm;
  return NULL;
}
