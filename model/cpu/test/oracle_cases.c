#include "oracle_cases.h"

#include <stdbool.h>
#include <string.h>

#include "cpu.h"
#include "oracle_x87.h"
#include "x86.h"

uint32_t oracle_random(oracle_random_t *random) {
  random->state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t z = random->state;
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return (uint32_t)((z ^ z >> 31) >> 16);
}

uint32_t oracle_value(oracle_random_t *random) {
  static const uint32_t corners[] = {0,      1,      2,       0x7F,       0x80,       0xFF,       0x100,     0x7FFF,
                                     0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE};
  switch (oracle_below(random, 4)) {
  case 0:
    return corners[oracle_below(random, sizeof corners / sizeof *corners)];
  case 1:
    return oracle_below(random, 256) - 128;
  default:
    return oracle_random(random);
  }
}

/* --- instruction forms --- */

enum { NONE, MODRM, MODRM_REG, MODRM_MEM }; /* either; register only; memory only */
enum { IMM_NONE, IMM_8, IMM_Z /* 2 or 4 bytes by the operand size */, IMM_16, IMM_16_8 };

/* What the values need, and which flags the instruction leaves undefined. */
typedef enum {
  PLAIN,
  LOGIC,
  SHIFT,
  ROTATE,
  DOUBLE_SHIFT,
  MULTIPLY,
  DIVIDE,
  SCAN,
  BIT,
  BIT_STRING,
  ADJUST_DAA,
  ADJUST_AAA,
  ADJUST_AAM,
  STRING,
  EXCHANGE, /* no register operand may be ESP */
  POP_FLAGS,
  FRAME,
  SWAP,
  ADJUST_RPL, /* ARPL: whether its fault is one of a read or of a write is the processor's choice */
  BRANCH,
  COUNTER,   /* LOOP, JECXZ */
  TRANSLATE, /* XLAT */
  DIRECT,    /* an offset of a memory operand */
  RETURN,
  JUMP_NEAR, /* a displacement of the operand size; 16 bits: EIP is cut off */
  JUMP_REG,  /* through a register */
  PRIVILEGED,
  INVALID,
  HINT,
} class_t;

typedef struct {
  uint8_t map;      /* 0FH or 0 */
  uint8_t from, to; /* opcodes */
  uint8_t regs;     /* a set of ModRM.reg values; 0: any */
  uint8_t modrm, imm;
  uint8_t class;
} form_t;

static const form_t forms[] = {
    {0, 0x00, 0x03, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x08, 0x0B, 0, MODRM, IMM_NONE, LOGIC},
    {0, 0x10, 0x13, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x18, 0x1B, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x20, 0x23, 0, MODRM, IMM_NONE, LOGIC},
    {0, 0x28, 0x2B, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x30, 0x33, 0, MODRM, IMM_NONE, LOGIC},
    {0, 0x38, 0x3B, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x04, 0x04, 0, NONE, IMM_8, PLAIN},
    {0, 0x05, 0x05, 0, NONE, IMM_Z, PLAIN},
    {0, 0x14, 0x14, 0, NONE, IMM_8, PLAIN},
    {0, 0x1D, 0x1D, 0, NONE, IMM_Z, PLAIN},
    {0, 0x25, 0x25, 0, NONE, IMM_Z, LOGIC},
    {0, 0x3C, 0x3C, 0, NONE, IMM_8, PLAIN},
    {0, 0x80, 0x80, 0xAD, MODRM, IMM_8, PLAIN},
    {0, 0x81, 0x81, 0xAD, MODRM, IMM_Z, PLAIN},
    {0, 0x83, 0x83, 0xAD, MODRM, IMM_8, PLAIN},
    {0, 0x80, 0x80, 0x52, MODRM, IMM_8, LOGIC},
    {0, 0x81, 0x81, 0x52, MODRM, IMM_Z, LOGIC},
    {0, 0x83, 0x83, 0x52, MODRM, IMM_8, LOGIC},
    {0, 0x84, 0x85, 0, MODRM, IMM_NONE, LOGIC},
    {0, 0xA8, 0xA8, 0, NONE, IMM_8, LOGIC},
    {0, 0xA9, 0xA9, 0, NONE, IMM_Z, LOGIC},
    {0, 0xF6, 0xF6, 0x03, MODRM, IMM_8, LOGIC},
    {0, 0xF7, 0xF7, 0x03, MODRM, IMM_Z, LOGIC},
    {0, 0xF6, 0xF7, 0x0C, MODRM, IMM_NONE, PLAIN},
    {0, 0xF6, 0xF7, 0x30, MODRM, IMM_NONE, MULTIPLY},
    {0, 0xF6, 0xF7, 0xC0, MODRM, IMM_NONE, DIVIDE},
    {0, 0xFE, 0xFF, 0x03, MODRM, IMM_NONE, PLAIN},
    {0, 0x40, 0x4F, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x69, 0x69, 0, MODRM, IMM_Z, MULTIPLY},
    {0, 0x6B, 0x6B, 0, MODRM, IMM_8, MULTIPLY},
    {0x0F, 0xAF, 0xAF, 0, MODRM, IMM_NONE, MULTIPLY},
    {0, 0xC0, 0xC1, 0xF0, MODRM, IMM_8, SHIFT},
    {0, 0xC0, 0xC1, 0x0F, MODRM, IMM_8, ROTATE},
    {0, 0xD0, 0xD3, 0xF0, MODRM, IMM_NONE, SHIFT},
    {0, 0xD0, 0xD3, 0x0F, MODRM, IMM_NONE, ROTATE},
    {0x0F, 0xA4, 0xA4, 0, MODRM, IMM_8, DOUBLE_SHIFT},
    {0x0F, 0xAC, 0xAC, 0, MODRM, IMM_8, DOUBLE_SHIFT},
    {0x0F, 0xA5, 0xA5, 0, MODRM, IMM_NONE, DOUBLE_SHIFT},
    {0x0F, 0xAD, 0xAD, 0, MODRM, IMM_NONE, DOUBLE_SHIFT},
    {0x0F, 0xBA, 0xBA, 0xF0, MODRM, IMM_8, BIT},
    {0x0F, 0xA3, 0xA3, 0, MODRM, IMM_NONE, BIT_STRING},
    {0x0F, 0xAB, 0xAB, 0, MODRM, IMM_NONE, BIT_STRING},
    {0x0F, 0xB3, 0xB3, 0, MODRM, IMM_NONE, BIT_STRING},
    {0x0F, 0xBB, 0xBB, 0, MODRM, IMM_NONE, BIT_STRING},
    {0x0F, 0xBC, 0xBD, 0, MODRM, IMM_NONE, SCAN},
    {0x0F, 0x90, 0x9F, 0, MODRM, IMM_NONE, PLAIN},
    {0x0F, 0x40, 0x4F, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x70, 0x7F, 0, NONE, IMM_8, BRANCH},
    {0, 0x88, 0x8B, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0xC6, 0xC6, 0x01, MODRM, IMM_8, PLAIN},
    {0, 0xC7, 0xC7, 0x01, MODRM, IMM_Z, PLAIN},
    {0, 0xB0, 0xB7, 0, NONE, IMM_8, PLAIN},
    {0, 0xB8, 0xBF, 0, NONE, IMM_Z, PLAIN},
    {0x0F, 0xB6, 0xB7, 0, MODRM, IMM_NONE, PLAIN},
    {0x0F, 0xBE, 0xBF, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x86, 0x87, 0, MODRM, IMM_NONE, PLAIN},
    {0, 0x90, 0x97, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x8D, 0x8D, 0, MODRM_MEM, IMM_NONE, PLAIN},
    {0x0F, 0xC8, 0xCF, 0, NONE, IMM_NONE, SWAP},
    {0x0F, 0xB0, 0xB1, 0, MODRM, IMM_NONE, EXCHANGE},
    {0x0F, 0xC0, 0xC1, 0, MODRM, IMM_NONE, PLAIN},
    {0x0F, 0xC7, 0xC7, 0x02, MODRM_MEM, IMM_NONE, EXCHANGE},
    {0, 0x98, 0x99, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x9E, 0x9F, 0, NONE, IMM_NONE, PLAIN},
    {0, 0xF5, 0xF5, 0, NONE, IMM_NONE, PLAIN},
    {0, 0xF8, 0xF9, 0, NONE, IMM_NONE, PLAIN},
    {0, 0xFC, 0xFD, 0, NONE, IMM_NONE, PLAIN},
    {0, 0xD7, 0xD7, 0, NONE, IMM_NONE, TRANSLATE},
    {0, 0xD6, 0xD6, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x27, 0x27, 0, NONE, IMM_NONE, ADJUST_DAA},
    {0, 0x2F, 0x2F, 0, NONE, IMM_NONE, ADJUST_DAA},
    {0, 0x37, 0x37, 0, NONE, IMM_NONE, ADJUST_AAA},
    {0, 0x3F, 0x3F, 0, NONE, IMM_NONE, ADJUST_AAA},
    {0, 0xD4, 0xD5, 0, NONE, IMM_8, ADJUST_AAM},
    {0, 0xA4, 0xA7, 0, NONE, IMM_NONE, STRING},
    {0, 0xAA, 0xAF, 0, NONE, IMM_NONE, STRING},
    {0, 0x50, 0x5F, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x60, 0x61, 0, NONE, IMM_NONE, PLAIN},
    {0, 0x68, 0x68, 0, NONE, IMM_Z, PLAIN},
    {0, 0x6A, 0x6A, 0, NONE, IMM_8, PLAIN},
    {0, 0xFF, 0xFF, 0x40, MODRM, IMM_NONE, PLAIN},
    {0, 0x8F, 0x8F, 0x01, MODRM, IMM_NONE, PLAIN},
    {0, 0x9C, 0x9D, 0, NONE, IMM_NONE, POP_FLAGS},
    {0, 0xC8, 0xC8, 0, NONE, IMM_16_8, FRAME},
    {0, 0xC9, 0xC9, 0, NONE, IMM_NONE, FRAME},
    {0, 0xE0, 0xE3, 0, NONE, IMM_8, COUNTER},
    {0, 0xEB, 0xEB, 0, NONE, IMM_8, BRANCH},
    {0, 0x62, 0x62, 0, MODRM_MEM, IMM_NONE, PLAIN},
    {0, 0x63, 0x63, 0, MODRM, IMM_NONE, ADJUST_RPL},
    {0, 0x82, 0x82, 0xAD, MODRM, IMM_8, PLAIN},
    {0, 0xA0, 0xA3, 0, NONE, IMM_NONE, DIRECT},
    {0, 0xC3, 0xC3, 0, NONE, IMM_NONE, RETURN},
    {0, 0xC2, 0xC2, 0, NONE, IMM_16, RETURN},
    {0, 0xE8, 0xE9, 0, NONE, IMM_Z, JUMP_NEAR},
    {0x0F, 0x80, 0x8F, 0, NONE, IMM_Z, JUMP_NEAR},
    {0, 0xFF, 0xFF, 0x14, MODRM_REG, IMM_NONE, JUMP_REG},
    {0, 0xCD, 0xCD, 0, NONE, IMM_8, PRIVILEGED},
    {0, 0xF4, 0xF4, 0, NONE, IMM_NONE, PRIVILEGED},
    {0, 0xFA, 0xFB, 0, NONE, IMM_NONE, PRIVILEGED},
    {0, 0xE4, 0xE7, 0, NONE, IMM_8, PRIVILEGED},
    {0, 0xEC, 0xEF, 0, NONE, IMM_NONE, PRIVILEGED},
    {0, 0x6C, 0x6F, 0, NONE, IMM_NONE, PRIVILEGED},
    {0x0F, 0x06, 0x06, 0, NONE, IMM_NONE, PRIVILEGED},
    {0x0F, 0x08, 0x09, 0, NONE, IMM_NONE, PRIVILEGED},
    {0x0F, 0x20, 0x20, 0x1D, MODRM_REG, IMM_NONE, PRIVILEGED},
    {0x0F, 0x21, 0x21, 0xCF, MODRM_REG, IMM_NONE, PRIVILEGED},
    {0x0F, 0x22, 0x22, 0x1D, MODRM_REG, IMM_NONE, PRIVILEGED},
    {0x0F, 0x23, 0x23, 0xCF, MODRM_REG, IMM_NONE, PRIVILEGED},
    {0x0F, 0x30, 0x30, 0, NONE, IMM_NONE, PRIVILEGED},
    {0x0F, 0x32, 0x32, 0, NONE, IMM_NONE, PRIVILEGED},
    {0x0F, 0x0B, 0x0B, 0, NONE, IMM_NONE, INVALID},
    {0x0F, 0xB9, 0xB9, 0, MODRM_REG, IMM_NONE, INVALID},
    {0x0F, 0xFF, 0xFF, 0, MODRM_REG, IMM_NONE, INVALID},
    {0x0F, 0x04, 0x04, 0, NONE, IMM_NONE, INVALID},
    {0x0F, 0x24, 0x27, 0, MODRM_REG, IMM_NONE, INVALID},
    {0x0F, 0xAA, 0xAA, 0, NONE, IMM_NONE, INVALID},
    {0x0F, 0xBA, 0xBA, 0x0F, MODRM, IMM_8, INVALID},
    {0, 0x8D, 0x8D, 0, MODRM_REG, IMM_NONE, INVALID},
    {0, 0xFE, 0xFE, 0xFC, MODRM_REG, IMM_NONE, INVALID},
    {0, 0xFF, 0xFF, 0x80, MODRM, IMM_NONE, INVALID},
    {0, 0xFF, 0xFF, 0x28, MODRM_REG, IMM_NONE, INVALID},
    {0, 0x8C, 0x8C, 0xC0, MODRM, IMM_NONE, INVALID},
    {0, 0x8E, 0x8E, 0xC2, MODRM, IMM_NONE, INVALID},
    {0x0F, 0x1F, 0x1F, 0, MODRM, IMM_NONE, HINT},
    {0x0F, 0x19, 0x19, 0, MODRM, IMM_NONE, HINT},
};

/* --- assembling --- */

static unsigned pick_reg(oracle_random_t *random, const form_t *form) {
  unsigned reg;
  do
    reg = oracle_below(random, 8);
  while (form->regs && !(form->regs >> reg & 1));
  return reg;
}

/* The undefined flags of shifts depend on the masked count. */
static uint32_t undefined_of_shift(class_t class, unsigned count, unsigned bits) {
  count &= 31;
  if (count == 0) return 0;
  uint32_t undefined = class == ROTATE ? 0 : X86_AF;
  if (count != 1) undefined |= X86_OF_FLAG;
  if (class != ROTATE && count >= bits) undefined |= X86_CF;
  return undefined;
}

static uint32_t undefined_of(const form_t *form, const oracle_case_t *c, unsigned opcode, uint32_t imm) {
  const uint32_t arithmetic = ORACLE_FLAGS & ~(uint32_t)X86_DF_FLAG;
  unsigned bits = !(opcode & 1) && !form->map ? 8 : c->prefix_66 ? 16 : 32;
  switch (form->class) {
  case LOGIC:
    return X86_AF;
  case SHIFT:
  case ROTATE: {
    bool one = opcode == 0xD0 || opcode == 0xD1;
    return undefined_of_shift(form->class, one ? 1 : opcode < 0xD0 ? imm : c->gpr[CPU_ECX], bits);
  }
  case DOUBLE_SHIFT:
    bits = c->prefix_66 ? 16 : 32;
    return undefined_of_shift(form->class, opcode & 1 ? c->gpr[CPU_ECX] : imm, bits);
  case MULTIPLY:
    return X86_SF | X86_ZF | X86_AF | X86_PF_FLAG;
  case DIVIDE:
    return arithmetic;
  case SCAN:
    return arithmetic & ~(uint32_t)X86_ZF;
  case BIT:
  case BIT_STRING:
    return X86_OF_FLAG | X86_SF | X86_AF | X86_PF_FLAG;
  case ADJUST_DAA:
    return X86_OF_FLAG;
  case ADJUST_AAA:
    return X86_OF_FLAG | X86_SF | X86_ZF | X86_PF_FLAG;
  case ADJUST_AAM:
    return X86_OF_FLAG | X86_AF | X86_CF;
  default:
    return 0;
  }
}

/* Registers that the class needs to have sensible values. */
static void prepare(oracle_random_t *random, oracle_case_t *c, class_t class, unsigned opcode) {
  c->gpr[CPU_ESP] = ORACLE_DATA + 0x140 + oracle_below(random, 32);
  switch (class) {
  case STRING:
    c->gpr[CPU_ESI] = oracle_target(random, false);
    c->gpr[CPU_EDI] = oracle_target(random, false);
    c->gpr[CPU_ECX] = oracle_below(random, 12);
    break;
  case BIT_STRING:
    for (unsigned r = 0; r < 8; r++) {
      if (r != CPU_ESP) c->gpr[r] = oracle_below(random, 1024) - 512;
    }
    break;
  case DIVIDE: /* often without overflow */
    if (oracle_chance(random, 70)) c->gpr[CPU_EDX] = oracle_below(random, 16) - 8;
    if (oracle_chance(random, 30)) c->gpr[CPU_EAX] = oracle_below(random, 0x800);
    break;
  case DOUBLE_SHIFT:
    if (c->prefix_66) c->gpr[CPU_ECX] = (c->gpr[CPU_ECX] & ~UINT32_C(0x1F)) | oracle_below(random, 17);
    break;
  case FRAME:
    c->gpr[CPU_EBP] = ORACLE_DATA + 0x140 + oracle_below(random, 32);
    break;
  case COUNTER:
    c->gpr[CPU_ECX] = oracle_chance(random, 50) ? oracle_below(random, 3) : 0x10000 + oracle_below(random, 3);
    break;
  case TRANSLATE:
    c->gpr[CPU_EBX] = oracle_target(random, true) - (uint8_t)c->gpr[CPU_EAX];
    break;
  case SWAP:
    c->prefix_66 = 0;
    break;
  case RETURN:
    c->top = c->prefix_66 ? oracle_random(random) : ORACLE_START + 64 + oracle_below(random, 64);
    break;
  case JUMP_REG:
    for (unsigned r = 0; r < 8; r++) {
      if (r != CPU_ESP) c->gpr[r] = ORACLE_START + 64 + oracle_below(random, 64);
    }
    break;
  default:
    break;
  }
  if (opcode == 0x63 || opcode == 0x62) c->prefix_66 = 0;
}

/* May LOCK precede this, with a memory operand? */
static bool lockable(const form_t *form, unsigned opcode, unsigned reg) {
  if (form->map) {
    if (opcode == 0xBA) return reg > 4;
    return opcode == 0xAB || opcode == 0xB3 || opcode == 0xBB || (opcode | 1) == 0xB1 || (opcode | 1) == 0xC1 ||
           opcode == 0xC7;
  }
  if (opcode < 0x40) return (opcode & 7) < 2 && opcode < 0x38;
  if (opcode >= 0x80 && opcode <= 0x83) return reg != 7;
  if ((opcode | 1) == 0xF7) return reg == 2 || reg == 3;
  return (opcode | 1) == 0x87 || ((opcode | 1) == 0xFF && reg < 2);
}

/* Prefixes that change nothing, and LOCK, which is illegal more often than not. */
static void put_more_prefixes(oracle_random_t *random, oracle_case_t *c, const form_t *form, unsigned opcode,
                              unsigned reg, bool memory) {
  static const uint8_t segments[] = {0x26, 0x2E, 0x36, 0x3E};
  bool plain = form->class <= DIVIDE || form->class == BIT || form->class == EXCHANGE;
  if (c->prefix_67) oracle_put(c, 0x6764, 2);
  if (!plain) return;
  if (!c->prefix_67 && oracle_chance(random, 8)) oracle_put(c, segments[oracle_below(random, 4)], 1);
  if (!form->map && opcode != 0x90 && oracle_chance(random, 4))
    oracle_put(c, oracle_chance(random, 50) ? 0xF2 : 0xF3, 1);
  if (memory ? oracle_chance(random, lockable(form, opcode, reg) ? 20 : 2) : oracle_chance(random, 1))
    oracle_put(c, 0xF0, 1);
}

static uint32_t immediate(oracle_random_t *random, oracle_case_t *c, const form_t *form, unsigned opcode) {
  uint32_t imm = oracle_value(random);
  switch (form->class) {
  case DOUBLE_SHIFT:
    return c->prefix_66 ? oracle_below(random, 17) : imm;
  case BRANCH:
  case COUNTER:
    return oracle_below(random, 100); /* never back to itself */
  case JUMP_NEAR:
    return 16 + oracle_below(random, 100);
  case FRAME: {
    uint32_t level = oracle_below(random, 4);
    if (opcode == 0xC8 && level < 2) c->gpr[CPU_EBP] = oracle_random(random);
    return oracle_below(random, 32) | level << 16;
  }
  case PRIVILEGED: /* of INT n: not those that Linux lets programs use */
    return 0x20 + oracle_below(random, 0x60);
  default:
    return imm;
  }
}

static void put_operand(oracle_random_t *random, oracle_case_t *c, const form_t *form, unsigned reg, bool memory) {
  bool inside = form->class == BIT_STRING || form->class == ADJUST_RPL || form->class == HINT;
  bool keep = form->class == STRING || form->class == BIT_STRING || form->class == FRAME || form->class == DIVIDE;
  if (memory)
    oracle_put_memory(random, c, reg, inside, keep);
  else if (form->modrm != NONE)
    oracle_put(c, 0xC0 | reg << 3 | oracle_below(random, form->class == JUMP_REG ? 4 : 8), 1);
}

void oracle_generate(oracle_random_t *random, oracle_case_t *c) {
  const form_t *form = &forms[oracle_below(random, sizeof forms / sizeof *forms)];
  unsigned opcode = form->from + oracle_below(random, form->to - form->from + 1u);
  bool x87 = oracle_chance(random, 45);
  memset(c, 0, sizeof *c);
  for (unsigned r = 0; r < 8; r++)
    c->gpr[r] = oracle_value(random);
  c->eflags = oracle_random(random) & ORACLE_FLAGS;
  c->seed = oracle_random(random);
  c->top = oracle_random(random) & ORACLE_FLAGS;
  if (x87) {
    c->gpr[CPU_ESP] = ORACLE_DATA + 0x140;
    oracle_generate_x87(random, c);
    return;
  }
  c->prefix_66 = oracle_chance(random, 35);
  prepare(random, c, form->class, opcode);

  unsigned reg = pick_reg(random, form);
  bool memory = form->modrm == MODRM_MEM || (form->modrm == MODRM && oracle_chance(random, 50));
  bool implicit = form->class == STRING || form->class == TRANSLATE || form->class == DIRECT;
  c->prefix_67 = form->class != FRAME && form->class != BIT_STRING && (memory || implicit) && oracle_chance(random, 25);
  if (c->prefix_67 && opcode == 0x8D) c->prefix_67 = 0;
  c->es_segmented = c->prefix_67 && form->class == STRING;
  if (c->es_segmented) { /* offsets, with something above their 16 bits */
    c->gpr[CPU_ESI] = (c->gpr[CPU_ESI] - ORACLE_SEGMENT_BASE) | 0x120000;
    c->gpr[CPU_EDI] = (c->gpr[CPU_EDI] - ORACLE_SEGMENT_BASE) | 0x340000;
    c->gpr[CPU_ECX] |= 0x50000;
  }
  uint32_t imm = immediate(random, c, form, opcode);

  if (c->prefix_66) oracle_put(c, 0x66, 1);
  put_more_prefixes(random, c, form, opcode, reg, memory);
  if (form->class == STRING && oracle_chance(random, 70)) oracle_put(c, oracle_chance(random, 50) ? 0xF2 : 0xF3, 1);
  if (form->class == COUNTER && oracle_chance(random, 40)) oracle_put(c, 0x67, 1);
  if (form->map) oracle_put(c, form->map, 1);
  oracle_put(c, opcode, 1);
  put_operand(random, c, form, reg, memory);
  if (form->class == DIRECT) {
    uint32_t at = oracle_target(random, false);
    oracle_put(c, c->prefix_67 ? at - ORACLE_SEGMENT_BASE : at, c->prefix_67 ? 2 : 4);
  }
  if (form->imm == IMM_8) oracle_put(c, imm, 1);
  if (form->imm == IMM_Z) oracle_put(c, imm, c->prefix_66 ? 2 : 4);
  if (form->imm == IMM_16) oracle_put(c, imm & 0x3F, 2);
  if (form->imm == IMM_16_8) oracle_put(c, imm, 3);
  c->undefined = (uint16_t)undefined_of(form, c, opcode, imm);
}
