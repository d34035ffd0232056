/*
 * FADD FMUL FSUB FSUBR FDIV FDIVR in all forms, FSQRT FABS FCHS.
 */
#include "cpu_fpu.h"

enum { ADD = 0, MUL = 1, SUB = 4, SUBR, DIV, DIVR };

static float80_t compute(float_env_t *env, unsigned op, float80_t a, float80_t b) {
  switch (op) {
  case ADD:
    return float_add(env, a, b);
  case MUL:
    return float_mul(env, a, b);
  case SUB:
    return float_sub(env, a, b);
  case SUBR:
    return float_sub(env, b, a);
  case DIV:
    return float_div(env, a, b);
  default:
    return float_div(env, b, a);
  }
}

/* Reads a memory operand of D8H, DAH, DCH, DEH: 32-bit real, 32-bit integer, 64-bit real, 16-bit integer. */
static bool read_operand(cpu_t *cpu, const insn_t *in, float80_t *value, bool *denormal) {
  uint64_t bits;
  unsigned size = in->opcode == 0xDC ? 8 : in->opcode == 0xDE ? 2 : 4;
  *denormal = false;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), size, &bits)) return false;
  switch (in->opcode) {
  case 0xD8:
    *value = float_from_32((uint32_t)bits, denormal);
    return true;
  case 0xDA:
    *value = float_from_int((int32_t)bits);
    return true;
  case 0xDC:
    *value = float_from_64(bits, denormal);
    return true;
  default:
    *value = float_from_int((int16_t)bits);
    return true;
  }
}

static bool arith_memory(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  float80_t b;
  bool denormal;
  if (!read_operand(cpu, in, &b, &denormal)) return false;
  fpu_note(cpu, in, true);
  if (!fpu_need(fpu, 0, 0)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t a = fpu_get(fpu, 0), r = compute(&env, in->reg, a, b);
  if (denormal && !float_is_nan(a) && !(env.flags & (FLOAT_INVALID | FLOAT_ZERO_DIVIDE))) env.flags |= FLOAT_DENORMAL;
  if (fpu_raise(fpu, &env)) fpu_set(fpu, 0, r);
  return true;
}

/* D8H: ST(0) op= ST(i). DCH, DEH: ST(i) op= ST(0), where SUB and SUBR, DIV and DIVR have changed places. */
static bool arith_registers(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  unsigned to = in->opcode == 0xD8 ? 0 : in->rm, from = in->opcode == 0xD8 ? in->rm : 0;
  unsigned op = in->opcode != 0xD8 && in->reg >= SUB ? in->reg ^ 1u : in->reg;
  bool pop = in->opcode == 0xDE;
  fpu_note(cpu, in, false);
  if (fpu_empty(fpu, to) || fpu_empty(fpu, from)) {
    if (!fpu_stack_fault(fpu, false)) return true;
    fpu_set(fpu, to, FLOAT_INDEFINITE);
  } else {
    float_env_t env = fpu_env(fpu);
    float80_t r = compute(&env, op, fpu_get(fpu, to), fpu_get(fpu, from));
    if (!fpu_raise(fpu, &env)) return true;
    fpu_set(fpu, to, r);
  }
  if (pop) fpu_pop(fpu);
  return true;
}

static bool sign(cpu_t *cpu, const insn_t *in) { /* FCHS, FABS: of any pattern */
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!fpu_need(fpu, 0, 0)) return true;
  float80_t a = fpu_get(fpu, 0);
  a.exponent = in->rm == 0 ? a.exponent ^ 0x8000 : a.exponent & 0x7FFF;
  fpu_set_condition(fpu, FPU_C1, 0);
  fpu_set(fpu, 0, a);
  return true;
}

static bool fsqrt(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!fpu_need(fpu, 0, 0)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t r = float_sqrt(&env, fpu_get(fpu, 0));
  if (fpu_raise(fpu, &env)) fpu_set(fpu, 0, r);
  return true;
}

fpu_handler_t fpu_bind_arith(const insn_t *in) {
  bool operation = in->reg != 2 && in->reg != 3;
  if (in->mem) return !(in->opcode & 1) && operation ? arith_memory : NULL;
  switch (in->opcode) {
  case 0xD8:
  case 0xDC:
  case 0xDE:
    return operation ? arith_registers : NULL;
  case 0xD9:
    if (in->reg == 4 && in->rm < 2) return sign;
    return in->reg == 7 && in->rm == 2 ? fsqrt : NULL;
  default:
    return NULL;
  }
}
