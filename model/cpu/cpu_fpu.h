/*
 * The x87 FPU: what its files share.
 *
 * An operation first raises its exceptions (fpu_raise), which says whether its result may be stored; then stores it.
 * With an unmasked invalid, denormal or zero-divide exception nothing but the status word changes. ES and B are not
 * kept: they follow from the exceptions and the masks.
 *
 * Source: SDM volume 1, "Programming with the x87 FPU"; volume 2, the instructions.
 */
#ifndef MMU86_CPU_FPU_H
#define MMU86_CPU_FPU_H

#include "cpu_float.h"
#include "cpu_priv.h"

enum {
  FPU_EXCEPTIONS = 0x3F,
  FPU_SF = 1 << 6,
  FPU_ES = 1 << 7,
  FPU_C0 = 1 << 8,
  FPU_C1 = 1 << 9,
  FPU_C2 = 1 << 10,
  FPU_C3 = 1 << 14,
  FPU_B = 1 << 15,
  FPU_CONDITION = FPU_C0 | FPU_C1 | FPU_C2 | FPU_C3,
  /* Those that keep an operation from happening. */
  FPU_BEFORE = FLOAT_INVALID | FLOAT_DENORMAL | FLOAT_ZERO_DIVIDE,
};

typedef bool (*fpu_handler_t)(cpu_t *cpu, const insn_t *in);

/* The physical register ST(i). */
static inline unsigned fpu_physical(const fpu_t *fpu, unsigned i) {
  return (fpu->top + i) & 7;
}

static inline bool fpu_empty(const fpu_t *fpu, unsigned i) {
  return !(fpu->full >> fpu_physical(fpu, i) & 1);
}

static inline float80_t fpu_get(const fpu_t *fpu, unsigned i) {
  return fpu->reg[fpu_physical(fpu, i)];
}

static inline void fpu_set(fpu_t *fpu, unsigned i, float80_t value) {
  fpu->reg[fpu_physical(fpu, i)] = value;
  fpu->full |= (uint8_t)(1u << fpu_physical(fpu, i));
}

static inline void fpu_free(fpu_t *fpu, unsigned i) {
  fpu->full &= (uint8_t) ~(1u << fpu_physical(fpu, i));
}

static inline void fpu_pop(fpu_t *fpu) {
  fpu_free(fpu, 0);
  fpu->top = (fpu->top + 1) & 7;
}

static inline void fpu_push(fpu_t *fpu, float80_t value) {
  fpu->top = (fpu->top - 1) & 7;
  fpu_set(fpu, 0, value);
}

static inline bool fpu_pending(const fpu_t *fpu) {
  return fpu->status & FPU_EXCEPTIONS & ~fpu->control;
}

static inline uint16_t fpu_status_word(const fpu_t *fpu) {
  return (uint16_t)(fpu->status | fpu->top << 11 | (fpu_pending(fpu) ? FPU_ES | FPU_B : 0));
}

/* The status word as FLDENV and its like load it. */
static inline void fpu_set_status(fpu_t *fpu, uint32_t value) {
  fpu->status = (uint16_t)(value & (FPU_CONDITION | FPU_SF | FPU_EXCEPTIONS));
  fpu->top = value >> 11 & 7;
}

static inline void fpu_set_control(fpu_t *fpu, uint32_t value) {
  fpu->control = (uint16_t)((value & 0x1F3F) | 0x40);
}

static inline void fpu_set_condition(fpu_t *fpu, unsigned clear, unsigned set) {
  fpu->status = (uint16_t)((fpu->status & ~clear) | set);
}

/* How the control word says to calculate; nothing raised yet. */
float_env_t fpu_env(const fpu_t *fpu);

/* Enters the raised exceptions into the status word, and C1. Returns false if the result must not be stored. */
bool fpu_raise(fpu_t *fpu, float_env_t *env);
/* The same for a result that goes to memory: an unmasked overflow or underflow keeps it from there too. */
bool fpu_raise_store(fpu_t *fpu, float_env_t *env);

/* A stack fault; overflow: C1 = 1. Returns true if the invalid exception is masked. */
bool fpu_stack_fault(fpu_t *fpu, bool overflow);
/* Is there something in ST(i)? If not, raises the underflow and stores the indefinite in ST(to) if that is masked. */
bool fpu_need(fpu_t *fpu, unsigned i, unsigned to);

/* Notes the instruction and, with operand, its memory operand. */
void fpu_note(cpu_t *cpu, const insn_t *in, bool operand);

void fpu_power_up(cpu_t *cpu);
void fpu_init(fpu_t *fpu);

/*
 * Each file's handlers: for the memory form in->opcode, in->reg, or the register form with in->rm as well; NULL if
 * there is none. `waits` of cpu_fpu.c has been passed when one is called.
 */
fpu_handler_t fpu_bind_arith(const insn_t *in);
fpu_handler_t fpu_bind_move(const insn_t *in);
fpu_handler_t fpu_bind_compare(const insn_t *in);
fpu_handler_t fpu_bind_math(const insn_t *in);
fpu_handler_t fpu_bind_control(const insn_t *in);
fpu_handler_t fpu_bind_fxsave(const insn_t *in); /* of the two-byte map */

#endif
