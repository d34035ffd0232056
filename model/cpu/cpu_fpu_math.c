/*
 * FPREM FPREM1 FRNDINT FSCALE FXTRACT, and the transcendental ones.
 */
#include "cpu_fpu.h"

/* Replaces ST(0) by f(ST(0)). */
static bool replace(cpu_t *cpu, const insn_t *in, float80_t (*f)(float_env_t *env, float80_t a)) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!fpu_need(fpu, 0, 0)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t r = f(&env, fpu_get(fpu, 0));
  if (fpu_raise(fpu, &env)) fpu_set(fpu, 0, r);
  return true;
}

static bool frndint(cpu_t *cpu, const insn_t *in) {
  return replace(cpu, in, float_round);
}
static bool f2xm1(cpu_t *cpu, const insn_t *in) {
  return replace(cpu, in, float_2xm1);
}

/* Replaces ST(1) by f(ST(1), ST(0)) and pops. */
static bool combine(cpu_t *cpu, const insn_t *in, float80_t (*f)(float_env_t *env, float80_t y, float80_t x)) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (fpu_empty(fpu, 0) || fpu_empty(fpu, 1)) {
    if (!fpu_stack_fault(fpu, false)) return true;
    fpu_set(fpu, 1, FLOAT_INDEFINITE);
  } else {
    float_env_t env = fpu_env(fpu);
    float80_t r = f(&env, fpu_get(fpu, 1), fpu_get(fpu, 0));
    if (!fpu_raise(fpu, &env)) return true;
    fpu_set(fpu, 1, r);
  }
  fpu_pop(fpu);
  return true;
}

static bool fyl2x(cpu_t *cpu, const insn_t *in) {
  return combine(cpu, in, float_yl2x);
}
static bool fpatan(cpu_t *cpu, const insn_t *in) {
  return combine(cpu, in, float_atan2);
}
static bool fyl2xp1(cpu_t *cpu, const insn_t *in) {
  return combine(cpu, in, float_yl2xp1);
}

/* --- remainders, scale --- */

static bool fprem(cpu_t *cpu, const insn_t *in) { /* and FPREM1 */
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  fpu_set_condition(fpu, FPU_C2, 0);
  if (!fpu_need(fpu, 0, 0) || !fpu_need(fpu, 1, 0)) return true;
  float_env_t env = fpu_env(fpu);
  uint64_t quotient;
  bool partial;
  float80_t r = float_rem(&env, fpu_get(fpu, 0), fpu_get(fpu, 1), in->rm == 5, &quotient, &partial);
  if (!fpu_raise(fpu, &env)) return true;
  fpu_set(fpu, 0, r);
  if (float_is_nan(r)) return true;
  unsigned condition = partial ? FPU_C2 : 0;
  if (quotient & 1) condition |= FPU_C1;
  if (quotient & 2) condition |= FPU_C3;
  if (quotient & 4) condition |= FPU_C0;
  fpu_set_condition(fpu, FPU_CONDITION, condition);
  return true;
}

static bool fscale(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!fpu_need(fpu, 0, 0) || !fpu_need(fpu, 1, 0)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t r = float_scale(&env, fpu_get(fpu, 0), fpu_get(fpu, 1));
  if (fpu_raise(fpu, &env)) fpu_set(fpu, 0, r);
  return true;
}

/* --- those with two results: one replaces ST(0), the other is pushed --- */

/* Is there an operand in ST(0), and room for another result? A masked stack fault gives two indefinites. */
static bool two_results(fpu_t *fpu) {
  bool underflow = fpu_empty(fpu, 0);
  if (!underflow && fpu_empty(fpu, 7)) return true;
  if (fpu_stack_fault(fpu, !underflow)) {
    fpu_set(fpu, 0, FLOAT_INDEFINITE);
    fpu_push(fpu, FLOAT_INDEFINITE);
  }
  return false;
}

static bool fxtract(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!two_results(fpu)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t exponent, significand = float_extract(&env, fpu_get(fpu, 0), &exponent);
  if (!fpu_raise(fpu, &env)) return true;
  fpu_set(fpu, 0, exponent);
  fpu_push(fpu, significand);
  return true;
}

/* FSIN FCOS FSINCOS FPTAN reach to 2^63: beyond, C2 = 1 and nothing else happens. */
static bool in_range(fpu_t *fpu) {
  float80_t a = fpu_get(fpu, 0);
  bool beyond = float_classify(a) == FLOAT_IS_NORMAL && (a.exponent & 0x7FFF) >= 0x3FFF + 63;
  fpu_set_condition(fpu, FPU_C1 | FPU_C2, beyond ? FPU_C2 : 0);
  return !beyond;
}

static bool fsin(cpu_t *cpu, const insn_t *in) { /* and FCOS */
  fpu_t *fpu = &cpu->fpu;
  fpu_set_condition(fpu, FPU_C2, 0);
  if (!fpu_empty(fpu, 0) && !in_range(fpu)) {
    fpu_note(cpu, in, false);
    return true;
  }
  return replace(cpu, in, in->rm == 6 ? float_sin : float_cos);
}

static bool fsincos(cpu_t *cpu, const insn_t *in) { /* and FPTAN */
  fpu_t *fpu = &cpu->fpu;
  bool tangent = in->rm == 2;
  fpu_note(cpu, in, false);
  fpu_set_condition(fpu, FPU_C2, 0);
  if (!two_results(fpu) || !in_range(fpu)) return true;
  float_env_t env = fpu_env(fpu);
  float80_t a = fpu_get(fpu, 0), first = tangent ? float_tan(&env, a) : float_sin(&env, a);
  float80_t second = tangent && !float_is_nan(first) ? FLOAT_ONE : tangent ? first : float_cos(&env, a);
  if (!fpu_raise(fpu, &env)) return true;
  fpu_set(fpu, 0, first);
  fpu_push(fpu, second);
  return true;
}

fpu_handler_t fpu_bind_math(const insn_t *in) {
  static const fpu_handler_t table[16] = {f2xm1, fyl2x,   NULL, fpatan, fxtract, fprem,  NULL, NULL,
                                          fprem, fyl2xp1, NULL, NULL,   frndint, fscale, fsin, fsin};
  if (in->mem || in->opcode != 0xD9 || in->reg < 6) return NULL;
  bool two = (in->reg == 6 && in->rm == 2) || (in->reg == 7 && in->rm == 3);
  return two ? fsincos : table[(in->reg - 6) << 3 | in->rm];
}
