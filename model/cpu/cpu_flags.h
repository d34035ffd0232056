/*
 * The arithmetic flags, kept as what they are computed from.
 *
 * flag_result  the result, sign-extended to 64 bits.  ZF: its low 32 bits are 0.  SF: bit 63.
 *              PF: even parity of (bits 7:0) xor (bits 39:32); sign extension leaves that parity alone.
 * flag_carries carry (or borrow) out of each bit, shifted left so that the operand's top bit is bit 31.
 *              CF: bit 31.  OF: bit 31 xor bit 30.  AF: bit 3 (the carry out of bit 3, not shifted).
 *
 * The spare bits make every combination of flags representable (flags_set).
 *
 * Flags that the manual leaves undefined: AF = 0 after logic operations, shifts and multiplications; SF, ZF, PF of
 * a multiplication from the low half; OF of a shift by more than one as for a shift by one; DIV and the
 * flags besides ZF of BSF and BSR unchanged; those of a decimal adjustment from the addition to AL that it is. The
 * 80386's shifts and bit tests do as an 80386 does (cpu_shift.c, cpu_bit.c).
 */
#ifndef MMU86_CPU_FLAGS_H
#define MMU86_CPU_FLAGS_H

#include "cpu_priv.h"

enum {
  FLAGS_ARITHMETIC = X86_CF | X86_PF_FLAG | X86_AF | X86_ZF | X86_SF | X86_OF_FLAG,
  FLAGS_FIXED = 2,
};

static inline bool flag_cf(const cpu_t *cpu) {
  return cpu->flag_carries >> 31;
}
static inline bool flag_of(const cpu_t *cpu) {
  return (cpu->flag_carries ^ cpu->flag_carries << 1) >> 31;
}
static inline bool flag_af(const cpu_t *cpu) {
  return cpu->flag_carries >> 3 & 1;
}
static inline bool flag_zf(const cpu_t *cpu) {
  return (uint32_t)cpu->flag_result == 0;
}
static inline bool flag_sf(const cpu_t *cpu) {
  return cpu->flag_result < 0;
}
static inline bool flag_pf(const cpu_t *cpu) {
  unsigned p = ((unsigned)cpu->flag_result ^ (unsigned)((uint64_t)cpu->flag_result >> 32)) & 0xFF;
  p ^= p >> 4;
  return 0x9669 >> (p & 15) & 1;
}

static inline void flags_result(cpu_t *cpu, uint32_t result, uint32_t carries, unsigned size) {
  unsigned shift = 32 - 8 * size;
  cpu->flag_result = (int32_t)(result << shift) >> shift;
  cpu->flag_carries = carries << shift | (carries & 8);
}

static inline void flags_add(cpu_t *cpu, uint32_t a, uint32_t b, uint32_t r, unsigned size) {
  flags_result(cpu, r, (a & b) | ((a | b) & ~r), size);
}

static inline void flags_sub(cpu_t *cpu, uint32_t a, uint32_t b, uint32_t r, unsigned size) {
  flags_result(cpu, r, (~a & b) | ((~a | b) & r), size);
}

static inline void flags_logic(cpu_t *cpu, uint32_t r, unsigned size) {
  flags_result(cpu, r, 0, size);
}

static inline void flags_set_cf_of(cpu_t *cpu, bool cf, bool of) {
  cpu->flag_carries = (cpu->flag_carries & 8) | (uint32_t)cf << 31 | (uint32_t)(cf != of) << 30;
}

static inline void flags_set_cf(cpu_t *cpu, bool cf) {
  flags_set_cf_of(cpu, cf, flag_of(cpu));
}

/* All six arithmetic flags at once, from their EFLAGS bits. */
static inline void flags_set_arithmetic(cpu_t *cpu, uint32_t f) {
  uint64_t low = f & X86_ZF ? 0 : 1;
  bool parity_flip = ((f & X86_PF_FLAG) != 0) != (low == 0);
  cpu->flag_result = (int64_t)(low | (uint64_t)parity_flip << 32 | (uint64_t)((f & X86_SF) != 0) << 63);
  cpu->flag_carries = f & X86_AF ? 8 : 0;
  flags_set_cf_of(cpu, f & X86_CF, f & X86_OF_FLAG);
}

static inline uint32_t flags_arithmetic(const cpu_t *cpu) {
  return (flag_cf(cpu) ? X86_CF : 0) | (flag_pf(cpu) ? X86_PF_FLAG : 0) | (flag_af(cpu) ? X86_AF : 0) |
         (flag_zf(cpu) ? X86_ZF : 0) | (flag_sf(cpu) ? X86_SF : 0) | (flag_of(cpu) ? X86_OF_FLAG : 0);
}

static inline uint32_t flags_get(const cpu_t *cpu) {
  return cpu->eflags | FLAGS_FIXED | flags_arithmetic(cpu);
}

/* The flags besides the arithmetic ones, and what follows from them. */
static inline void flags_set_system(cpu_t *cpu, uint32_t f) {
  cpu->eflags = f & cpu->model.eflags;
  cpu->data_req.ac = (f & X86_AC_FLAG) != 0;
  cpu->data_req.vm = cpu->fetch_req.vm = (f & X86_VM) != 0;
  cpu->attention &= ~(uint32_t)(ATTENTION_TRAP | ATTENTION_RESUME);
  if (f & X86_TF) cpu->attention |= ATTENTION_TRAP;
  if (f & X86_RF) cpu->attention |= ATTENTION_RESUME;
}

static inline void flags_set(cpu_t *cpu, uint32_t f) {
  flags_set_arithmetic(cpu, f);
  flags_set_system(cpu, f);
}

/* The condition in the low four bits of Jcc, SETcc, CMOVcc. */
static inline bool condition(const cpu_t *cpu, unsigned cc) {
  bool c = false;
  switch (cc >> 1) {
  case 0:
    c = flag_of(cpu);
    break;
  case 1:
    c = flag_cf(cpu);
    break;
  case 2:
    c = flag_zf(cpu);
    break;
  case 3:
    c = flag_cf(cpu) || flag_zf(cpu);
    break;
  case 4:
    c = flag_sf(cpu);
    break;
  case 5:
    c = flag_pf(cpu);
    break;
  case 6:
    c = flag_sf(cpu) != flag_of(cpu);
    break;
  case 7:
    c = flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu);
    break;
  }
  return c != (cc & 1);
}

#endif
