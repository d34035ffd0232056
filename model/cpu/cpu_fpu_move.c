/*
 * Loads, stores, constants, FXCH, FCMOVcc, FFREE, FINCSTP, FDECSTP.
 */
#include "cpu_flags.h"
#include "cpu_fpu.h"

/* --- loads --- */

/* Pushes a value that brought no exception but perhaps env's. */
static void load(fpu_t *fpu, float80_t value, float_env_t *env) {
  if (!fpu_empty(fpu, 7)) {
    if (fpu_stack_fault(fpu, true)) fpu_push(fpu, FLOAT_INDEFINITE);
    return;
  }
  bool invalid = !fpu_raise(fpu, env) && (env->flags & FLOAT_INVALID);
  if (!invalid) fpu_push(fpu, value); /* an unmasked denormal exception does not keep a load from happening */
}

/* A real from memory: an SNaN becomes quiet, a denormal is reported. */
static void load_real(fpu_t *fpu, float80_t value, bool denormal) {
  float_env_t env = fpu_env(fpu);
  if (denormal) env.flags |= FLOAT_DENORMAL;
  if (float_classify(value) == FLOAT_IS_SNAN) {
    env.flags |= FLOAT_INVALID;
    value.significand |= UINT64_C(1) << 62;
  }
  load(fpu, value, &env);
}

static bool load_memory(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  float_env_t env = fpu_env(fpu);
  uint64_t bits;
  bool denormal;
  unsigned size = in->opcode == 0xDD || in->reg == 5 ? 8 : in->opcode == 0xDF ? 2 : 4;
  if (!cpu_mem_read64(cpu, in->seg, effective_address(cpu, in), size, &bits)) return false;
  fpu_note(cpu, in, true);
  float80_t value;
  switch (in->opcode) {
  case 0xD9:
    value = float_from_32((uint32_t)bits, &denormal);
    load_real(fpu, value, denormal);
    return true;
  case 0xDD:
    value = float_from_64(bits, &denormal);
    load_real(fpu, value, denormal);
    return true;
  case 0xDB:
    load(fpu, float_from_int((int32_t)bits), &env);
    return true;
  default:
    load(fpu, float_from_int(size == 8 ? (int64_t)bits : (int16_t)bits), &env);
    return true;
  }
}

/* The ten bytes of an 80-bit real or a packed decimal: one transaction. */
static bool load_ten(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  float_env_t env = fpu_env(fpu);
  ref_t ref;
  uint8_t bytes[10];
  if (!cpu_mem_ref(cpu, in->seg, effective_address(cpu, in), sizeof bytes, MMU_READ, false, &ref)) return false;
  cpu_ref_read_bytes(cpu, &ref, bytes);
  fpu_note(cpu, in, true);
  float80_t value = float_from_bytes(bytes);
  load(fpu, in->opcode == 0xDB ? value : float_from_bcd(value.significand, value.exponent), &env);
  return true;
}

static bool load_register(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  float_env_t env = fpu_env(fpu);
  fpu_note(cpu, in, false);
  if (!fpu_empty(fpu, in->rm)) {
    load(fpu, fpu_get(fpu, in->rm), &env);
  } else if (fpu_stack_fault(fpu, false)) {
    fpu_push(fpu, FLOAT_INDEFINITE);
  }
  return true;
}

/* 1, log2(10), log2(e), pi, log10(2), ln(2), 0: the pattern cut off, and the bits behind it rounded by RC. */
static bool constant(cpu_t *cpu, const insn_t *in) {
  static const struct {
    float80_t value;
    bool inexact, below; /* below: the pattern is less than the number, which is nearer to it than to the next one */
  } table[7] = {{{UINT64_C(0x8000000000000000), 0x3FFF}, false, false},
                {{UINT64_C(0xD49A784BCD1B8AFE), 0x4000}, true, true},
                {{UINT64_C(0xB8AA3B295C17F0BC), 0x3FFF}, true, false},
                {{UINT64_C(0xC90FDAA22168C235), 0x4000}, true, false},
                {{UINT64_C(0x9A209A84FBCFF799), 0x3FFD}, true, false},
                {{UINT64_C(0xB17217F7D1CF79AC), 0x3FFE}, true, false},
                {{0, 0}, false, false}};
  fpu_t *fpu = &cpu->fpu;
  float_env_t env = fpu_env(fpu);
  float80_t value = table[in->rm].value;
  fpu_note(cpu, in, false);
  if (table[in->rm].inexact) {
    bool up = env.rounding == FLOAT_UP;
    bool down = env.rounding == FLOAT_DOWN || env.rounding == FLOAT_CHOP;
    if (table[in->rm].below ? up : false) value.significand++;
    if (table[in->rm].below ? false : down) value.significand--;
  }
  load(fpu, value, &env);
  return true;
}

/* --- stores --- */

/* What is stored, and where: opcode and reg say in which format. */
typedef struct {
  unsigned size;
  bool pop;
} store_form_t;

static store_form_t store_form(const insn_t *in) {
  bool pop = in->reg & 1 || in->reg == 6;
  switch (in->opcode) {
  case 0xD9:
    return (store_form_t){4, pop};
  case 0xDB:
    return (store_form_t){in->reg == 7 ? 10 : 4, pop};
  case 0xDD:
    return (store_form_t){8, pop};
  default:
    return (store_form_t){in->reg == 6 ? 10 : in->reg == 7 ? 8 : 2, pop};
  }
}

/* Converts ST(0) to the instruction's format. */
static void convert(float_env_t *env, const insn_t *in, float80_t a, uint8_t bytes[10]) {
  uint64_t low;
  uint16_t high = 0;
  if (in->opcode == 0xD9) {
    low = float_to_32(env, a);
  } else if (in->opcode == 0xDD) {
    low = float_to_64(env, a);
  } else if (in->opcode == 0xDB && in->reg == 7) {
    low = a.significand;
    high = a.exponent;
  } else if (in->opcode == 0xDF && in->reg == 6) {
    float_to_bcd(env, a, &low, &high);
  } else {
    low = (uint64_t)float_to_int(env, a, in->opcode == 0xDB ? 32 : in->reg == 7 ? 64 : 16);
  }
  float_to_bytes((float80_t){low, high}, bytes);
}

static bool store_memory(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  store_form_t form = store_form(in);
  float_env_t env = fpu_env(fpu);
  ref_t ref;
  uint8_t bytes[10];
  if (!cpu_mem_ref(cpu, in->seg, effective_address(cpu, in), form.size, MMU_WRITE, false, &ref)) return false;
  fpu_note(cpu, in, true);
  bool empty = fpu_empty(fpu, 0);
  convert(&env, in, empty ? FLOAT_INDEFINITE : fpu_get(fpu, 0), bytes);
  bool store = empty ? fpu_stack_fault(fpu, false) : fpu_raise_store(fpu, &env);
  if (!store) return true;
  cpu_ref_write_bytes(cpu, &ref, bytes);
  if (form.pop) fpu_pop(fpu);
  return true;
}

static bool store_register(cpu_t *cpu, const insn_t *in) { /* FST, FSTP */
  fpu_t *fpu = &cpu->fpu;
  bool pop = in->opcode != 0xDD || in->reg == 3;
  fpu_note(cpu, in, false);
  if (fpu_empty(fpu, 0) && in->opcode == 0xD9) {
    fpu_set_condition(fpu, FPU_C1, 0); /* undocumented: no exception, and nothing is stored */
  } else if (fpu_empty(fpu, 0)) {
    if (!fpu_stack_fault(fpu, false)) return true;
    fpu_set(fpu, in->rm, FLOAT_INDEFINITE);
  } else {
    fpu_set_condition(fpu, FPU_C1, 0);
    fpu_set(fpu, in->rm, fpu_get(fpu, 0));
  }
  if (pop) fpu_pop(fpu);
  return true;
}

/* --- within the stack --- */

static bool fxch(cpu_t *cpu, const insn_t *in) {
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  fpu_set_condition(fpu, FPU_C1, 0);
  bool empty_0 = fpu_empty(fpu, 0), empty_i = fpu_empty(fpu, in->rm);
  if ((empty_0 || empty_i) && !fpu_stack_fault(fpu, false)) return true;
  float80_t a = empty_0 ? FLOAT_INDEFINITE : fpu_get(fpu, 0);
  float80_t b = empty_i ? FLOAT_INDEFINITE : fpu_get(fpu, in->rm);
  fpu_set(fpu, 0, b);
  fpu_set(fpu, in->rm, a);
  return true;
}

/* DAH: B E BE U; DBH: their contraries. */
static bool fcmov(cpu_t *cpu, const insn_t *in) {
  static const uint8_t codes[4] = {2, 4, 6, 10};
  fpu_t *fpu = &cpu->fpu;
  fpu_note(cpu, in, false);
  if (!fpu_need(fpu, 0, 0) || !fpu_need(fpu, in->rm, 0)) return true;
  if (condition(cpu, codes[in->reg] | (in->opcode & 1u))) fpu_set(fpu, 0, fpu_get(fpu, in->rm));
  return true;
}

static bool ffree(cpu_t *cpu, const insn_t *in) { /* DFH: and pop, undocumented */
  fpu_note(cpu, in, false);
  fpu_free(&cpu->fpu, in->rm);
  if (in->opcode == 0xDF) fpu_pop(&cpu->fpu);
  return true;
}

static bool turn(cpu_t *cpu, const insn_t *in) { /* FDECSTP, FINCSTP */
  fpu_note(cpu, in, false);
  fpu_set_condition(&cpu->fpu, FPU_C1, 0);
  cpu->fpu.top = (cpu->fpu.top + (in->rm == 6 ? 7 : 1)) & 7;
  return true;
}

static fpu_handler_t bind_memory(const insn_t *in) {
  unsigned reg = in->reg;
  if (!(in->opcode & 1)) return NULL;
  if (reg == 0) return load_memory;
  if (reg == 2 || reg == 3) return store_memory;
  if (in->opcode == 0xDB) return reg == 5 ? load_ten : reg == 7 ? store_memory : NULL;
  if (in->opcode != 0xDF) return NULL;
  return reg == 4 ? load_ten : reg == 5 ? load_memory : reg >= 6 ? store_memory : NULL;
}

fpu_handler_t fpu_bind_move(const insn_t *in) {
  unsigned reg = in->reg, rm = in->rm;
  if (in->mem) return bind_memory(in);
  switch (in->opcode) {
  case 0xD9:
    if (reg == 5) return rm < 7 ? constant : NULL;
    if (reg == 6) return rm >= 6 ? turn : NULL;
    return reg == 0 ? load_register : reg == 1 ? fxch : reg == 3 ? store_register : NULL;
  case 0xDA:
  case 0xDB:
    return reg < 4 ? fcmov : NULL;
  case 0xDD: /* DDH C8H, DFH C8H, DFH D0H, D8H: undocumented */
    return reg == 0 ? ffree : reg == 1 ? fxch : reg == 2 || reg == 3 ? store_register : NULL;
  case 0xDF:
    return reg == 0 ? ffree : reg == 1 ? fxch : reg == 2 || reg == 3 ? store_register : NULL;
  default:
    return NULL;
  }
}
