/*
 * FCOM FCOMP FCOMPP FICOM FUCOM FUCOMP FUCOMPP FCOMI FUCOMI, FTST, FXAM.
 */
#include "cpu_flags.h"
#include "cpu_fpu.h"

/* By float_relation_t. */
static const uint16_t conditions[] = {FPU_C0, FPU_C3, 0, FPU_C3 | FPU_C2 | FPU_C0};

static void set_relation(fpu_t *fpu, float_relation_t relation) {
  fpu_set_condition(fpu, FPU_C0 | FPU_C2 | FPU_C3, conditions[relation]);
}

/* Returns false if an unmasked exception keeps the instruction from doing anything. b: NULL if its register is empty.
 */
static bool relate(fpu_t *fpu, const float80_t *b, bool quiet, bool denormal, float_relation_t *relation) {
  *relation = FLOAT_UNORDERED;
  if (fpu_empty(fpu, 0) || !b) return fpu_stack_fault(fpu, false);
  float_env_t env = fpu_env(fpu);
  *relation = float_compare(&env, fpu_get(fpu, 0), *b, quiet);
  if (denormal && *relation != FLOAT_UNORDERED) env.flags |= FLOAT_DENORMAL;
  return fpu_raise(fpu, &env);
}

static bool compare_memory(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  uint64_t bits;
  bool denormal = false;
  float80_t b;
  float_relation_t relation;
  unsigned size = in->opcode == 0xDC ? 8 : in->opcode == 0xDE ? 2 : 4;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), size, &bits)) return false;
  fpu_note(cpu, in, true);
  if (in->opcode == 0xD8)
    b = float_from_32((uint32_t)bits, &denormal);
  else if (in->opcode == 0xDC)
    b = float_from_64(bits, &denormal);
  else
    b = float_from_int(in->opcode == 0xDA ? (int32_t)bits : (int16_t)bits);
  if (!relate(fpu, &b, false, denormal, &relation)) return true;
  set_relation(fpu, relation);
  if (in->reg == 3) fpu_pop(fpu);
  return true;
}

static bool compare(cpu_t *cpu, const insn_t *in, bool quiet, unsigned pops) {
  fpu_t *fpu = &cpu->fpu;
  float_relation_t relation;
  float80_t b = fpu_get(fpu, in->rm);
  fpu_note(cpu, in, false);
  if (!relate(fpu, fpu_empty(fpu, in->rm) ? NULL : &b, quiet, false, &relation)) return true;
  set_relation(fpu, relation);
  while (pops--)
    fpu_pop(fpu);
  return true;
}

static bool fcom(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, false, 0);
}
static bool fcomp(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, false, 1);
}
static bool fcompp(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, false, 2);
}
static bool fucom(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, true, 0);
}
static bool fucomp(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, true, 1);
}
static bool fucompp(cpu_t *cpu, const insn_t *in) {
  return compare(cpu, in, true, 2);
}

/* FCOMI FCOMIP FUCOMI FUCOMIP: ZF, PF and CF; OF, SF and AF are cleared. */
static bool fcomi(cpu_t *cpu, const insn_t *in) {
  static const uint32_t flags[] = {X86_CF, X86_ZF, 0, X86_ZF | X86_PF_FLAG | X86_CF};
  fpu_t *fpu = &cpu->fpu;
  float_relation_t relation;
  float80_t b = fpu_get(fpu, in->rm);
  fpu_note(cpu, in, false);
  if (!relate(fpu, fpu_empty(fpu, in->rm) ? NULL : &b, in->reg == 5, false, &relation)) return true;
  flags_set_arithmetic(cpu, flags[relation]);
  if (in->opcode == 0xDF) fpu_pop(fpu);
  return true;
}

static bool ftst(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  float_relation_t relation;
  const float80_t zero = {0};
  fpu_note(cpu, in, false);
  if (relate(fpu, &zero, false, false, &relation)) set_relation(fpu, relation);
  return true;
}

static bool fxam(cpu_t *cpu, const insn_t *in) {
  static const uint16_t classes[] = {[FLOAT_IS_ZERO] = FPU_C3,   [FLOAT_IS_DENORMAL] = FPU_C3 | FPU_C2,
                                     [FLOAT_IS_NORMAL] = FPU_C2, [FLOAT_IS_INFINITY] = FPU_C2 | FPU_C0,
                                     [FLOAT_IS_QNAN] = FPU_C0,   [FLOAT_IS_SNAN] = FPU_C0,
                                     [FLOAT_IS_UNSUPPORTED] = 0};
  fpu_t *fpu = &cpu->fpu;
  float80_t a = fpu_get(fpu, 0);
  unsigned class = fpu_empty(fpu, 0) ? FPU_C3 | FPU_C0 : classes[float_classify(a)];
  fpu_note(cpu, in, false);
  fpu_set_condition(fpu, FPU_CONDITION, class | (float_sign(a) ? FPU_C1 : 0));
  return true;
}

fpu_handler_t fpu_bind_compare(const insn_t *in) {
  unsigned reg = in->reg;
  if (in->mem) return !(in->opcode & 1) && (reg == 2 || reg == 3) ? compare_memory : NULL;
  switch (in->opcode) {
  case 0xD8:
  case 0xDC: /* undocumented */
    return reg == 2 ? fcom : reg == 3 ? fcomp : NULL;
  case 0xD9:
    return reg != 4 ? NULL : in->rm == 4 ? ftst : in->rm == 5 ? fxam : NULL;
  case 0xDA:
    return reg == 5 && in->rm == 1 ? fucompp : NULL;
  case 0xDB:
  case 0xDF:
    return reg == 5 || reg == 6 ? fcomi : NULL;
  case 0xDD:
    return reg == 4 ? fucom : reg == 5 ? fucomp : NULL;
  case 0xDE: /* DEH D0H: undocumented */
    return reg == 2 ? fcomp : reg == 3 && in->rm == 1 ? fcompp : NULL;
  default:
    return NULL;
  }
}
