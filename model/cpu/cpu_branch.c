/*
 * Near transfers: Jcc JMP CALL RET LOOP JECXZ. A target beyond the limit of CS faults here, at the branch.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

static inline uint32_t target_of(const cpu_t *cpu, const insn_t *in) {
  return (uint32_t)(cpu->next_eip + in->imm) & operand_mask(in->size);
}

#define JCC(CC)                                                                                                        \
  static bool jcc_##CC(cpu_t *cpu, const insn_t *in) {                                                                 \
    return !condition(cpu, CC) || branch(cpu, target_of(cpu, in));                                                     \
  }
JCC(0)
JCC(1)
JCC(2)
JCC(3)
JCC(4)
JCC(5)
JCC(6)
JCC(7)
JCC(8)
JCC(9)
JCC(10)
JCC(11)
JCC(12)
JCC(13)
JCC(14)
JCC(15)
static const handler_t jcc[16] = {jcc_0, jcc_1, jcc_2,  jcc_3,  jcc_4,  jcc_5,  jcc_6,  jcc_7,
                                  jcc_8, jcc_9, jcc_10, jcc_11, jcc_12, jcc_13, jcc_14, jcc_15};

static bool jmp(cpu_t *cpu, const insn_t *in) {
  return branch(cpu, target_of(cpu, in));
}

static bool jmp_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t target;
  return rm_read(cpu, in, in->size, &target) && branch(cpu, target);
}

static bool call_to(cpu_t *cpu, const insn_t *in, uint32_t target) {
  uint32_t return_eip = (uint32_t)cpu->next_eip;
  return branch(cpu, target) && push(cpu, in->size, return_eip);
}

static bool call(cpu_t *cpu, const insn_t *in) {
  return call_to(cpu, in, target_of(cpu, in));
}

static bool call_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t target;
  return rm_read(cpu, in, in->size, &target) && call_to(cpu, in, target);
}

static bool ret(cpu_t *cpu, const insn_t *in) {
  uint32_t target, release = in->opcode == 0xC2 ? in->imm & 0xFFFF : 0;
  if (!stack_read(cpu, 0, in->size, &target) || !branch(cpu, target)) return false;
  stack_commit(cpu, stack_offset(cpu, (int32_t)(in->size + release)));
  return true;
}

/* LOOPNE, LOOPE, LOOP, JCXZ. The counter has the address size. */
static bool loop(cpu_t *cpu, const insn_t *in) {
  uint32_t count = (uint32_t)cpu->gpr[CPU_ECX] & in->address_mask;
  if (in->opcode == 0xE3) return count != 0 || branch(cpu, target_of(cpu, in));
  count = (count - 1) & in->address_mask;
  bool taken = count != 0;
  if (in->opcode == 0xE0) taken = taken && !flag_zf(cpu);
  if (in->opcode == 0xE1) taken = taken && flag_zf(cpu);
  if (taken && !branch(cpu, target_of(cpu, in))) return false;
  reg_set_masked(cpu, CPU_ECX, in->address_mask, count);
  return true;
}

handler_t cpu_bind_branch(insn_t *in) {
  unsigned opcode = in->opcode;
  if (in->opcode2) return (opcode & 0xF0) == 0x80 ? jcc[opcode & 15] : NULL;
  if ((opcode & 0xF0) == 0x70) return jcc[opcode & 15];
  switch (opcode) {
  case 0xC2:
  case 0xC3:
    return ret;
  case 0xE0:
  case 0xE1:
  case 0xE2:
  case 0xE3:
    return loop;
  case 0xE8:
    return call;
  case 0xE9:
  case 0xEB:
    return jmp;
  case 0xFF:
    return in->reg == 2 ? call_rm : in->reg == 4 ? jmp_rm : NULL;
  default:
    return NULL;
  }
}
