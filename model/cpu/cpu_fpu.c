/*
 * The way into an x87 instruction, and exceptions.
 */
#include "cpu_fpu.h"

float_env_t fpu_env(const fpu_t *fpu) {
  static const uint8_t precision[4] = {24, 64, 53, 64}; /* 1 is reserved */
  return (float_env_t){.rounding = fpu->control >> 10 & 3,
                       .precision = precision[fpu->control >> 8 & 3],
                       .masks = fpu->control & FPU_EXCEPTIONS};
}

static void enter(fpu_t *fpu, const float_env_t *env) {
  bool up = env->up && (env->flags & FLOAT_INEXACT);
  fpu_set_condition(fpu, FPU_C1, (unsigned)(env->flags | (up ? FPU_C1 : 0)));
}

bool fpu_raise(fpu_t *fpu, float_env_t *env) {
  bool stopped = env->flags & FPU_BEFORE & ~env->masks;
  if (stopped) {
    env->flags &= FPU_BEFORE;
    env->up = false;
  }
  enter(fpu, env);
  return !stopped;
}

bool fpu_raise_store(fpu_t *fpu, float_env_t *env) {
  unsigned stopping = env->flags & ~env->masks & (FPU_BEFORE | FLOAT_OVERFLOW | FLOAT_UNDERFLOW);
  if (stopping) {
    env->flags &= (uint8_t)~FLOAT_INEXACT; /* nothing has been rounded */
    env->up = false;
  }
  enter(fpu, env);
  return !stopping;
}

bool fpu_stack_fault(fpu_t *fpu, bool overflow) {
  fpu_set_condition(fpu, FPU_C1, FLOAT_INVALID | FPU_SF | (overflow ? FPU_C1 : 0));
  return fpu->control & FLOAT_INVALID;
}

bool fpu_need(fpu_t *fpu, unsigned i, unsigned to) {
  if (!fpu_empty(fpu, i)) return true;
  if (fpu_stack_fault(fpu, false)) fpu_set(fpu, to, FLOAT_INDEFINITE);
  return false;
}

void fpu_note(cpu_t *cpu, const insn_t *in, bool operand) {
  fpu_t *fpu = &cpu->fpu;
  fpu->opcode = (uint16_t)((in->opcode & 7) << 8 | in->modrm);
  fpu->ip = (uint32_t)cpu->eip;
  fpu->cs = cpu->seg[MMU_SEG_CS].selector;
  if (!operand) return;
  fpu->dp = effective_address(cpu, in);
  fpu->ds = cpu->seg[in->seg].selector;
}

void fpu_init(fpu_t *fpu) {
  fpu->control = 0x37F;
  fpu->status = 0;
  fpu->top = 0;
  fpu->full = 0;
  fpu->opcode = 0;
  fpu->ip = fpu->dp = 0;
  fpu->cs = fpu->ds = 0;
}

/* "Processor State After Reset": the tags say that all registers hold zero. */
void fpu_power_up(cpu_t *cpu) {
  fpu_init(&cpu->fpu);
  cpu->fpu.control = 0x40;
  cpu->fpu.full = 0xFF;
}

/*
 * An unmasked exception of an earlier instruction. Returns false with #MF; with CR0.NE = 0 the processor asserts FERR#
 * and waits for an interrupt: true, with *waiting.
 */
static bool report(cpu_t *cpu, bool *waiting) {
  if (!fpu_pending(&cpu->fpu)) {
    cpu->fpu.ignne = false;
    return true;
  }
  if (cpu->cr0 & X86_CR0_NE) return raise_fault(cpu, X86_MF, 0);
  if (cpu->fpu.ignne || !cpu->port.fpu_error) return true;
  cpu->port.fpu_error(cpu->port.ctx);
  stay(cpu);
  *waiting = true;
  return true;
}

static bool wait(cpu_t *cpu, const insn_t *in) { /* 9BH */
  (void)in;
  bool waiting = false, trap = (cpu->cr0 & X86_CR0_MP) && (cpu->cr0 & X86_CR0_TS);
  return trap ? raise_fault(cpu, X86_NM, 0) : report(cpu, &waiting);
}

/* Chosen once: the same instruction always has the same handler. */
static fpu_handler_t handler_of(const insn_t *in) {
  static fpu_handler_t (*const groups[])(const insn_t *) = {fpu_bind_arith, fpu_bind_move, fpu_bind_compare,
                                                            fpu_bind_math, fpu_bind_control};
  if (in->opcode2) return fpu_bind_fxsave(in);
  for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++) {
    fpu_handler_t run = groups[i](in);
    if (run) return run;
  }
  return NULL;
}

static bool available(cpu_t *cpu) {
  return !(cpu->cr0 & (X86_CR0_EM | X86_CR0_TS)) || raise_fault(cpu, X86_NM, 0);
}

static bool run_waiting(cpu_t *cpu, const insn_t *in) {
  bool waiting = false;
  if (!available(cpu) || !report(cpu, &waiting)) return false;
  return waiting || handler_of(in)(cpu, in);
}

static bool run_at_once(cpu_t *cpu, const insn_t *in) {
  return available(cpu) && handler_of(in)(cpu, in);
}

/* FNINIT FNCLEX FNSTCW FNSTSW FNSTENV FNSAVE, and what the 287 had for modes, do not look for exceptions. */
static bool is_waiting(const insn_t *in) {
  if (!in->mem) return !(in->opcode == 0xDB && in->reg == 4) && !(in->opcode == 0xDF && in->reg == 4);
  if (in->opcode == 0xD9) return in->reg < 6;
  return in->opcode != 0xDD || in->reg < 6;
}

handler_t cpu_bind_fpu(insn_t *in) {
  if (in->opcode2) return handler_of(in) ? run_at_once : NULL;
  if (in->opcode == 0x9B) return wait;
  if ((in->opcode & 0xF8) != 0xD8 || !handler_of(in)) return NULL;
  return is_waiting(in) ? run_waiting : run_at_once;
}
