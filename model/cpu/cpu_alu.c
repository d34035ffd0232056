/*
 * ADD OR ADC SBB AND SUB XOR CMP TEST, INC DEC NEG NOT, and the exchanging ones: XADD CMPXCHG CMPXCHG8B.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

/* The order of the first eight is that of the opcodes. */
enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST };

static inline bool writes(unsigned op) {
  return op != CMP && op != TEST;
}

/* Computes a op b, sets the flags. op and size are constants where it is inlined. */
static inline uint32_t compute(cpu_t *cpu, unsigned op, uint32_t a, uint32_t b, unsigned size) {
  uint32_t r;
  switch (op) {
  case ADD:
    r = a + b;
    flags_add(cpu, a, b, r, size);
    return r;
  case ADC:
    r = a + b + flag_cf(cpu);
    flags_add(cpu, a, b, r, size);
    return r;
  case SUB:
  case CMP:
    r = a - b;
    flags_sub(cpu, a, b, r, size);
    return r;
  case SBB:
    r = a - b - flag_cf(cpu);
    flags_sub(cpu, a, b, r, size);
    return r;
  case OR:
    r = a | b;
    break;
  case XOR:
    r = a ^ b;
    break;
  default:
    r = a & b;
    break;
  }
  flags_logic(cpu, r, size);
  return r;
}

/* register op= b */
static inline bool to_register(cpu_t *cpu, unsigned op, unsigned r, uint32_t b, unsigned size) {
  uint32_t result = compute(cpu, op, reg_get(cpu, r, size), b, size);
  if (writes(op)) reg_set(cpu, r, size, result);
  return true;
}

/* memory op= b */
static inline bool to_memory(cpu_t *cpu, const insn_t *in, unsigned op, uint32_t b, unsigned size) {
  uint32_t a;
  ref_t ref;
  uint32_t offset = effective_address(cpu, in);
  if (!writes(op)) {
    if (!cpu_mem_read(cpu, in->seg, offset, size, &a)) return false;
    compute(cpu, op, a, b, size);
    return true;
  }
  if (!cpu_mem_ref(cpu, in->seg, offset, size, MMU_WRITE, true, &ref)) return false;
  a = (uint32_t)cpu_ref_read(cpu, &ref);
  cpu_ref_write(cpu, &ref, compute(cpu, op, a, b, size));
  return true;
}

static inline bool from_memory(cpu_t *cpu, const insn_t *in, unsigned op, unsigned size) {
  uint32_t b;
  if (!cpu_mem_read(cpu, in->seg, effective_address(cpu, in), size, &b)) return false;
  return to_register(cpu, op, in->reg, b, size);
}

/* The five forms of an operation at one size, each a function of its own. */
#define FORMS(OP, SIZE)                                                                                                \
  static bool OP##_rm_r_##SIZE(cpu_t *cpu, const insn_t *in) {                                                         \
    return to_register(cpu, OP, in->rm, reg_get(cpu, in->reg, SIZE), SIZE);                                            \
  }                                                                                                                    \
  static bool OP##_r_rm_##SIZE(cpu_t *cpu, const insn_t *in) {                                                         \
    return to_register(cpu, OP, in->reg, reg_get(cpu, in->rm, SIZE), SIZE);                                            \
  }                                                                                                                    \
  static bool OP##_r_i_##SIZE(cpu_t *cpu, const insn_t *in) {                                                          \
    return to_register(cpu, OP, in->rm, in->imm, SIZE);                                                                \
  }                                                                                                                    \
  static bool OP##_m_r_##SIZE(cpu_t *cpu, const insn_t *in) {                                                          \
    return to_memory(cpu, in, OP, reg_get(cpu, in->reg, SIZE), SIZE);                                                  \
  }                                                                                                                    \
  static bool OP##_m_i_##SIZE(cpu_t *cpu, const insn_t *in) {                                                          \
    return to_memory(cpu, in, OP, in->imm, SIZE);                                                                      \
  }                                                                                                                    \
  static bool OP##_r_m_##SIZE(cpu_t *cpu, const insn_t *in) {                                                          \
    return from_memory(cpu, in, OP, SIZE);                                                                             \
  }
#define OPERATION(OP) FORMS(OP, 1) FORMS(OP, 2) FORMS(OP, 4)

OPERATION(ADD)
OPERATION(OR)
OPERATION(ADC)
OPERATION(SBB)
OPERATION(AND)
OPERATION(SUB)
OPERATION(XOR)
OPERATION(CMP)
OPERATION(TEST)

enum { FORM_RM_R, FORM_R_RM, FORM_R_I, FORM_M_R, FORM_M_I, FORM_R_M };
#define ROW(OP, SIZE)                                                                                                  \
  { OP##_rm_r_##SIZE, OP##_r_rm_##SIZE, OP##_r_i_##SIZE, OP##_m_r_##SIZE, OP##_m_i_##SIZE, OP##_r_m_##SIZE }
#define ROWS(OP)                                                                                                       \
  { ROW(OP, 1), ROW(OP, 2), ROW(OP, 4) }
static const handler_t forms[9][3][6] = {ROWS(ADD), ROWS(OR),  ROWS(ADC), ROWS(SBB), ROWS(AND),
                                         ROWS(SUB), ROWS(XOR), ROWS(CMP), ROWS(TEST)};

/* --- one operand --- */

static inline uint32_t increment(cpu_t *cpu, uint32_t a, unsigned size) {
  bool cf = flag_cf(cpu);
  flags_add(cpu, a, 1, a + 1, size);
  flags_set_cf(cpu, cf);
  return a + 1;
}

static inline uint32_t decrement(cpu_t *cpu, uint32_t a, unsigned size) {
  bool cf = flag_cf(cpu);
  flags_sub(cpu, a, 1, a - 1, size);
  flags_set_cf(cpu, cf);
  return a - 1;
}

static bool inc_r32(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = increment(cpu, (uint32_t)cpu->gpr[in->rm], 4);
  return true;
}

static bool dec_r32(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = decrement(cpu, (uint32_t)cpu->gpr[in->rm], 4);
  return true;
}

static bool inc(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  rm_finish(cpu, in, in->size, &ref, increment(cpu, a, in->size));
  return true;
}

static bool dec(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  rm_finish(cpu, in, in->size, &ref, decrement(cpu, a, in->size));
  return true;
}

static bool not(cpu_t * cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  rm_finish(cpu, in, in->size, &ref, ~a);
  return true;
}

static bool neg(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  rm_finish(cpu, in, in->size, &ref, compute(cpu, SUB, 0, a, in->size));
  return true;
}

/* --- exchange --- */

static bool xadd(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  uint32_t sum = compute(cpu, ADD, a, reg_get(cpu, in->reg, in->size), in->size);
  /* The register first: with both operands the same register, the sum stays. */
  reg_set(cpu, in->reg, in->size, a);
  rm_finish(cpu, in, in->size, &ref, sum);
  return true;
}

/* The destination is written in either case. */
static bool cmpxchg(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  uint32_t accumulator = reg_get(cpu, CPU_EAX, in->size);
  compute(cpu, CMP, accumulator, a, in->size);
  if (flag_zf(cpu)) {
    rm_finish(cpu, in, in->size, &ref, reg_get(cpu, in->reg, in->size));
  } else {
    if (in->mem) cpu_ref_write(cpu, &ref, a);
    reg_set(cpu, CPU_EAX, in->size, a);
  }
  return true;
}

static bool cmpxchg8b(cpu_t *cpu, const insn_t *in) {
  ref_t ref;
  if (!cpu_mem_ref(cpu, in->seg, effective_address(cpu, in), 8, MMU_WRITE, true, &ref)) return false;
  uint64_t old = cpu_ref_read(cpu, &ref);
  uint64_t expected = cpu->gpr[CPU_EDX] << 32 | (uint32_t)cpu->gpr[CPU_EAX];
  bool equal = old == expected;
  cpu_ref_write(cpu, &ref, equal ? cpu->gpr[CPU_ECX] << 32 | (uint32_t)cpu->gpr[CPU_EBX] : old);
  if (!equal) {
    cpu->gpr[CPU_EAX] = (uint32_t)old;
    cpu->gpr[CPU_EDX] = old >> 32;
  }
  uint32_t others = flags_arithmetic(cpu) & ~(uint32_t)X86_ZF;
  flags_set_arithmetic(cpu, others | (equal ? X86_ZF : 0));
  return true;
}

/* --- choice --- */

static handler_t form(insn_t *in, unsigned op, bool byte, unsigned reg_form, unsigned mem_form) {
  if (byte) in->size = 1;
  return forms[op][in->size >> 1][in->mem ? mem_form : reg_form];
}

static handler_t bind_one_operand(insn_t *in) {
  bool byte = !(in->opcode & 1);
  if (in->opcode == 0xF6 || in->opcode == 0xF7) {
    switch (in->reg) {
    case 0:
    case 1:
      return form(in, TEST, byte, FORM_R_I, FORM_M_I);
    case 2:
    case 3:
      if (byte) in->size = 1;
      return in->reg == 2 ? not : neg;
    default:
      return NULL;
    }
  }
  if (in->reg > 1) return NULL; /* FEH, FFH */
  if (byte) in->size = 1;
  if (in->size == 4 && !in->mem) return in->reg ? dec_r32 : inc_r32;
  return in->reg ? dec : inc;
}

static handler_t bind_two_byte(insn_t *in) {
  switch (in->opcode) {
  case 0xB0:
    in->size = 1;
    return cmpxchg;
  case 0xB1:
    return cmpxchg;
  case 0xC0:
    in->size = 1;
    return xadd;
  case 0xC1:
    return xadd;
  case 0xC7:
    return in->reg == 1 && in->mem ? cmpxchg8b : NULL;
  default:
    return NULL;
  }
}

handler_t cpu_bind_alu(insn_t *in) {
  unsigned opcode = in->opcode;
  bool byte = !(opcode & 1);
  if (in->opcode2) return bind_two_byte(in);
  if (opcode < 0x40 && (opcode & 7) < 6) {
    unsigned op = opcode >> 3;
    switch (opcode & 7) {
    case 0:
    case 1:
      return form(in, op, byte, FORM_RM_R, FORM_M_R);
    case 2:
    case 3:
      return form(in, op, byte, FORM_R_RM, FORM_R_M);
    default:
      in->rm = CPU_EAX;
      return form(in, op, byte, FORM_R_I, FORM_R_I);
    }
  }
  switch (opcode) {
  case 0x80:
  case 0x81:
  case 0x82:
    return form(in, in->reg, byte, FORM_R_I, FORM_M_I);
  case 0x83:
    return form(in, in->reg, false, FORM_R_I, FORM_M_I);
  case 0x84:
  case 0x85:
    return form(in, TEST, byte, FORM_RM_R, FORM_M_R);
  case 0xA8:
  case 0xA9:
    in->rm = CPU_EAX;
    return form(in, TEST, byte, FORM_R_I, FORM_R_I);
  case 0xF6:
  case 0xF7:
  case 0xFE:
  case 0xFF:
    return bind_one_operand(in);
  default:
    break;
  }
  if (opcode >= 0x40 && opcode < 0x48) return in->size == 4 ? inc_r32 : inc;
  if (opcode >= 0x48 && opcode < 0x50) return in->size == 4 ? dec_r32 : dec;
  return NULL;
}
