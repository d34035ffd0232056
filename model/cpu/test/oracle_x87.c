/*
 * x87 cases: FNINIT, FRSTOR of a generated state, one instruction, FNSAVE.
 *
 * Undefined, by the manual: C0, C2 and C3 of most instructions. Left out: the encodings that are reserved, packed
 * decimals whose digits are none, and transcendental functions outside of moderate arguments. Their results may differ
 * by TRANSCENDENTAL_ULPS, and C1 and the underflow flag are not compared.
 */
#include "oracle_x87.h"

enum {
  C0 = 0x100,
  C1 = 0x200,
  C2 = 0x400,
  C3 = 0x4000,
  UNDERFLOW_FLAG = 0x10,
  INEXACT_FLAG = 0x20,
  TRANSCENDENTAL_ULPS = 3
};

typedef enum { M_NONE, M_F32, M_F64, M_F80, M_I16, M_I32, M_I64, M_BCD, M_CONTROL, M_OUT } operand_t;
typedef enum { R_ANY, R_NEAR /* two operands of similar size */, R_ANGLE, R_SMALL, R_POSITIVE, R_INTEGER } values_t;

typedef struct {
  uint8_t opcode;
  uint8_t from, to; /* ModRM of a register form; memory form: from = the reg field, to = 0 */
  uint8_t operand;
  uint8_t values;
  uint16_t undefined;
  uint8_t ulps;
} form_t;

enum { CCC = C0 | C2 | C3 };

static const form_t forms[] = {
    {0xD8, 0xC0, 0xCF, M_NONE, R_NEAR, CCC, 0}, /* FADD FMUL */
    {0xD8, 0xE0, 0xFF, M_NONE, R_NEAR, CCC, 0}, /* FSUB FSUBR FDIV FDIVR */
    {0xDC, 0xC0, 0xCF, M_NONE, R_NEAR, CCC, 0},
    {0xDC, 0xE0, 0xFF, M_NONE, R_NEAR, CCC, 0},
    {0xDE, 0xC0, 0xCF, M_NONE, R_NEAR, CCC, 0},
    {0xDE, 0xE0, 0xFF, M_NONE, R_NEAR, CCC, 0},
    {0xD8, 0, 0, M_F32, R_ANY, CCC, 0},
    {0xD8, 1, 0, M_F32, R_ANY, CCC, 0},
    {0xD8, 4, 0, M_F32, R_ANY, CCC, 0},
    {0xD8, 5, 0, M_F32, R_ANY, CCC, 0},
    {0xD8, 6, 0, M_F32, R_ANY, CCC, 0},
    {0xD8, 7, 0, M_F32, R_ANY, CCC, 0},
    {0xDC, 0, 0, M_F64, R_ANY, CCC, 0},
    {0xDC, 1, 0, M_F64, R_ANY, CCC, 0},
    {0xDC, 4, 0, M_F64, R_ANY, CCC, 0},
    {0xDC, 5, 0, M_F64, R_ANY, CCC, 0},
    {0xDC, 6, 0, M_F64, R_ANY, CCC, 0},
    {0xDC, 7, 0, M_F64, R_ANY, CCC, 0},
    {0xDA, 0, 0, M_I32, R_ANY, CCC, 0},
    {0xDA, 1, 0, M_I32, R_ANY, CCC, 0},
    {0xDA, 4, 0, M_I32, R_ANY, CCC, 0},
    {0xDA, 7, 0, M_I32, R_ANY, CCC, 0},
    {0xDE, 0, 0, M_I16, R_ANY, CCC, 0},
    {0xDE, 5, 0, M_I16, R_ANY, CCC, 0},
    {0xDE, 6, 0, M_I16, R_ANY, CCC, 0},
    {0xD8, 2, 0, M_F32, R_ANY, 0, 0}, /* FCOM FCOMP */
    {0xD8, 3, 0, M_F32, R_ANY, 0, 0},
    {0xDC, 2, 0, M_F64, R_ANY, 0, 0},
    {0xDC, 3, 0, M_F64, R_ANY, 0, 0},
    {0xDA, 2, 0, M_I32, R_INTEGER, 0, 0},
    {0xDE, 3, 0, M_I16, R_INTEGER, 0, 0},
    {0xD8, 0xD0, 0xDF, M_NONE, R_NEAR, 0, 0},
    {0xDC, 0xD0, 0xDF, M_NONE, R_NEAR, 0, 0},
    {0xDE, 0xD0, 0xD7, M_NONE, R_NEAR, 0, 0},
    {0xDE, 0xD9, 0xD9, M_NONE, R_NEAR, 0, 0},
    {0xDA, 0xE9, 0xE9, M_NONE, R_NEAR, 0, 0},
    {0xDD, 0xE0, 0xEF, M_NONE, R_NEAR, 0, 0},
    {0xDB, 0xE8, 0xF7, M_NONE, R_NEAR, CCC | C1, 0}, /* FUCOMI FCOMI: AMD's leave C1 */
    {0xDF, 0xE8, 0xF7, M_NONE, R_NEAR, CCC | C1, 0},
    {0xD9, 0xE4, 0xE5, M_NONE, R_ANY, 0, 0},   /* FTST FXAM */
    {0xD9, 0xC0, 0xCF, M_NONE, R_ANY, CCC, 0}, /* FLD FXCH */
    {0xD9, 0xD8, 0xDF, M_NONE, R_ANY, CCC, 0},
    {0xD9, 0xE0, 0xE1, M_NONE, R_ANY, CCC, 0}, /* FCHS FABS */
    {0xD9, 0xE8, 0xEE, M_NONE, R_ANY, CCC, 0}, /* constants */
    {0xD9, 0xF4, 0xF4, M_NONE, R_ANY, CCC, 0}, /* FXTRACT */
    {0xD9, 0xF5, 0xF5, M_NONE, R_NEAR, 0, 0},  /* FPREM1 */
    {0xD9, 0xF6, 0xF7, M_NONE, R_ANY, CCC, 0},
    {0xD9, 0xF8, 0xF8, M_NONE, R_NEAR, 0, 0}, /* FPREM */
    {0xD9, 0xFA, 0xFA, M_NONE, R_POSITIVE, CCC, 0},
    {0xD9, 0xFC, 0xFC, M_NONE, R_INTEGER, CCC, 0},
    {0xD9, 0xFD, 0xFD, M_NONE, R_INTEGER, CCC, 0},
    {0xDA, 0xC0, 0xDF, M_NONE, R_ANY, CCC, 0}, /* FCMOV */
    {0xDB, 0xC0, 0xDF, M_NONE, R_ANY, CCC, 0},
    {0xDD, 0xC0, 0xCF, M_NONE, R_ANY, CCC | C1, 0}, /* FFREE */
    {0xDD, 0xD0, 0xDF, M_NONE, R_ANY, CCC, 0},
    {0xDF, 0xC0, 0xC7, M_NONE, R_ANY, CCC | C1, 0},
    {0xDF, 0xC8, 0xDF, M_NONE, R_ANY, CCC, 0},
    {0xDF, 0xE0, 0xE0, M_NONE, R_ANY, CCC | C1, 0}, /* FNSTSW AX */
    {0xDB, 0xE2, 0xE3, M_NONE, R_ANY, CCC | C1, 0}, /* FNCLEX FNINIT */
    {0xD9, 0xD0, 0xD0, M_NONE, R_ANY, CCC | C1, 0}, /* FNOP */
    {0x9B, 0, 0, M_NONE, R_ANY, CCC | C1, 0},
    {0xD9, 0, 0, M_F32, R_ANY, CCC, 0}, /* FLD */
    {0xDD, 0, 0, M_F64, R_ANY, CCC, 0},
    {0xDB, 5, 0, M_F80, R_ANY, CCC, 0},
    {0xDF, 0, 0, M_I16, R_ANY, CCC, 0},
    {0xDB, 0, 0, M_I32, R_ANY, CCC, 0},
    {0xDF, 5, 0, M_I64, R_ANY, CCC, 0},
    {0xDF, 4, 0, M_BCD, R_ANY, CCC, 0},
    {0xD9, 2, 0, M_OUT, R_ANY, CCC, 0}, /* FST FSTP */
    {0xD9, 3, 0, M_OUT, R_ANY, CCC, 0},
    {0xDD, 2, 0, M_OUT, R_ANY, CCC, 0},
    {0xDD, 3, 0, M_OUT, R_ANY, CCC, 0},
    {0xDB, 7, 0, M_OUT, R_ANY, CCC, 0},
    {0xDF, 2, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xDF, 3, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xDB, 2, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xDB, 3, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xDF, 7, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xDF, 6, 0, M_OUT, R_INTEGER, CCC, 0},
    {0xD9, 5, 0, M_CONTROL, R_ANY, CCC | C1, 0}, /* FLDCW FNSTCW FNSTSW */
    {0xD9, 7, 0, M_OUT, R_ANY, CCC | C1, 0},
    {0xDD, 7, 0, M_OUT, R_ANY, CCC | C1, 0},
    {0xD9, 0xFE, 0xFF, M_NONE, R_ANGLE, C0 | C3, TRANSCENDENTAL_ULPS},
    {0xD9, 0xFB, 0xFB, M_NONE, R_ANGLE, C0 | C3, TRANSCENDENTAL_ULPS},
    {0xD9, 0xF2, 0xF2, M_NONE, R_ANGLE, C0 | C3, TRANSCENDENTAL_ULPS},
    {0xD9, 0xF0, 0xF0, M_NONE, R_SMALL, CCC | INEXACT_FLAG, TRANSCENDENTAL_ULPS},
    {0xD9, 0xF9, 0xF9, M_NONE, R_SMALL, CCC, TRANSCENDENTAL_ULPS},
    {0xD9, 0xF1, 0xF1, M_NONE, R_POSITIVE, CCC, TRANSCENDENTAL_ULPS},
    {0xD9, 0xF3, 0xF3, M_NONE, R_ANGLE, CCC, TRANSCENDENTAL_ULPS},
};

/* --- values --- */

static uint64_t random_64(oracle_random_t *random) {
  uint64_t high = oracle_random(random);
  return high << 32 | oracle_random(random);
}

static void set_80(uint8_t at[10], unsigned exponent, uint64_t significand) {
  memcpy(at, &significand, 8);
  at[8] = (uint8_t)exponent;
  at[9] = (uint8_t)(exponent >> 8);
}

/* Significands with few bits, with long runs, and any. */
static uint64_t any_significand(oracle_random_t *random) {
  const uint64_t top = UINT64_C(1) << 63;
  switch (oracle_below(random, 6)) {
  case 0:
    return top;
  case 1:
    return top | top >> oracle_below(random, 64);
  case 2:
    return UINT64_MAX << oracle_below(random, 64);
  case 3: /* near a tie of single or double precision */
    return top | random_64(random) << 41 | (uint64_t)0x8000000000 | (oracle_below(random, 3) - 1u);
  case 4:
    return (top | random_64(random) << 12 | 0x400) + oracle_below(random, 3) - 1u;
  default:
    return top | random_64(random);
  }
}

static void special(oracle_random_t *random, uint8_t at[10]) {
  const uint64_t top = UINT64_C(1) << 63;
  unsigned sign = oracle_random(random) & 0x8000;
  switch (oracle_below(random, 12)) {
  case 0:
  case 1:
    set_80(at, sign, 0);
    return;
  case 2:
  case 3:
    set_80(at, sign | 0x7FFF, top);
    return;
  case 4:
    set_80(at, sign | 0x7FFF, top | top >> 1 | random_64(random) >> 2); /* QNaN */
    return;
  case 5:
    set_80(at, sign | 0x7FFF, top | random_64(random) >> 2 | 1); /* SNaN */
    return;
  case 6:
    set_80(at, sign, random_64(random) >> 1 >> oracle_below(random, 63)); /* denormal */
    return;
  case 7:
    set_80(at, sign, top | random_64(random)); /* pseudo-denormal */
    return;
  case 8:
    set_80(at, sign | (1 + oracle_below(random, 0x7FFF)), random_64(random) >> 1); /* unnormal and its like */
    return;
  case 9:
    set_80(at, sign | 0x7FFE, UINT64_MAX << oracle_below(random, 60));
    return;
  case 10:
    set_80(at, sign | 1, top | random_64(random) >> oracle_below(random, 63));
    return;
  default:
    set_80(at, sign | 0x3FFF, top);
    return;
  }
}

static unsigned exponent_of(oracle_random_t *random, values_t values) {
  switch (values) {
  case R_ANGLE:
    return 0x3FFF - 40 + oracle_below(random, 39);
  case R_SMALL:
    return 0x3FFF - 40 + oracle_below(random, 38);
  case R_INTEGER:
    return 0x3FFF - 2 + oracle_below(random, 68);
  case R_NEAR:
    if (oracle_chance(random, 70)) return 0x3FFF - 34 + oracle_below(random, 68);
    break;
  default:
    break;
  }
  switch (oracle_below(random, 5)) {
  case 0:
    return oracle_below(random, 80); /* products and quotients underflow */
  case 1:
    return 0x7FFE - oracle_below(random, 80);
  case 2:
    return 0x3FFF - 160 + oracle_below(random, 320); /* the ends of single precision */
  case 3:
    return 0x3FFF + (oracle_chance(random, 50) ? 1030u : (unsigned)-1080) - oracle_below(random, 60); /* of double */
  default:
    return oracle_below(random, 0x7FFF);
  }
}

static void real_80(oracle_random_t *random, values_t values, bool tame, uint8_t at[10]) {
  if (!tame && oracle_chance(random, 25)) {
    special(random, at);
    return;
  }
  unsigned exponent = exponent_of(random, values), sign = oracle_random(random) & 0x8000;
  if (values == R_POSITIVE && oracle_chance(random, tame ? 100 : 90)) sign = 0;
  set_80(at, sign | exponent, exponent ? any_significand(random) : random_64(random) >> 1);
}

static void memory_operand(oracle_random_t *random, operand_t kind, uint8_t at[16]) {
  uint64_t v = random_64(random);
  for (unsigned i = 0; i < 16; i++)
    at[i] = (uint8_t)oracle_random(random);
  switch (kind) {
  case M_F32: {
    static const uint32_t exponents[] = {0, 0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0xFF};
    uint32_t e = oracle_chance(random, 50) ? exponents[oracle_below(random, 8)] : oracle_below(random, 256);
    uint32_t f = oracle_chance(random, 30) ? 0 : (uint32_t)v & 0x7FFFFF;
    uint32_t bits = (uint32_t)(v >> 32 & 0x80000000) | e << 23 | f;
    memcpy(at, &bits, 4);
    return;
  }
  case M_F64: {
    static const uint32_t exponents[] = {0, 0, 1, 0x3FF, 0x400, 0x7FE, 0x7FF, 0x7FF};
    uint64_t e = oracle_chance(random, 50) ? exponents[oracle_below(random, 8)] : oracle_below(random, 2048);
    uint64_t f = oracle_chance(random, 30) ? 0 : random_64(random) >> 12;
    uint64_t bits = (v >> 63) << 63 | e << 52 | f;
    memcpy(at, &bits, 8);
    return;
  }
  case M_F80:
    real_80(random, R_ANY, false, at);
    return;
  case M_BCD:
    for (unsigned i = 0; i < 9; i++)
      at[i] = (uint8_t)(oracle_below(random, 10) << 4 | oracle_below(random, 10));
    at[9] = (uint8_t)(oracle_random(random) & 0x80);
    return;
  case M_CONTROL:
    return;
  default: {
    uint32_t low = oracle_value(random), high = oracle_value(random);
    memcpy(at, &low, 4);
    memcpy(at + 4, &high, 4);
    return;
  }
  }
}

/* F2XM1 and FYL2XP1 are undefined for larger numbers. */
static void bound(uint8_t at[10]) {
  unsigned exponent = (at[9] & 0x7Fu) << 8 | at[8];
  if (exponent >= 0x3FFD && exponent != 0x7FFF) {
    at[9] = (uint8_t)((at[9] & 0x80) | 0x3F);
    at[8] = 0xFC;
  }
}

/* --- the case --- */

static void make_state(oracle_random_t *random, const form_t *form, oracle_fpu_t *fpu) {
  static const uint8_t precision[3] = {0, 2, 3};
  bool tame = form->ulps != 0;
  unsigned rounding = oracle_below(random, 4), masks = 0x3F;
  if (tame) rounding = 0;
  if (oracle_chance(random, 30)) masks = oracle_random(random) & 0x3F;
  fpu->control = 0xFFFF0040u | rounding << 10 | (uint32_t)precision[oracle_below(random, 3)] << 8 | masks;
  uint32_t flags = oracle_chance(random, 10) ? oracle_random(random) & 0x7F : 0;
  fpu->status = 0xFFFF0000u | (oracle_random(random) & (C0 | C1 | C2 | C3 | 7u << 11)) | flags;
  if (flags & ~masks & 0x3F) fpu->status |= 0x8080;
  bool holes = oracle_chance(random, 30);
  fpu->tags = 0xFFFF0000u;
  for (unsigned i = 0; i < 8; i++) {
    bool empty = holes ? oracle_chance(random, 30) : oracle_chance(random, 4);
    fpu->tags |= (empty ? 3u : 0u) << 2 * i;
    real_80(random, form->values, tame && oracle_chance(random, 85), fpu->st[i]);
    if (form->values == R_SMALL) bound(fpu->st[i]);
  }
  /* Room for a push, more often than not. */
  if (oracle_chance(random, 60)) fpu->tags |= 3u << 2 * ((((fpu->status >> 11) & 7) + 7) & 7);
}

/* The state through FXSAVE and FXRSTOR; its first words, but for what holds FOP, also in EAX and BL. */
static void generate_fxsave(oracle_random_t *random, oracle_case_t *c) {
  static const form_t any = {.values = R_ANY};
  c->x87 = 1;
  make_state(random, &any, &c->fpu);
  oracle_put(c, 0xE3DB, 2); /* FNINIT */
  oracle_put(c, 0x25DD, 2); /* FRSTOR */
  oracle_put(c, ORACLE_FPU_IN, 4);
  oracle_put(c, 0x05AE0F, 3); /* FXSAVE */
  oracle_put(c, ORACLE_FXSAVE, 4);
  oracle_put(c, 0xE3DB, 2);
  oracle_put(c, 0x0DAE0F, 3); /* FXRSTOR */
  oracle_put(c, ORACLE_FXSAVE, 4);
  oracle_put(c, 0xA1, 1); /* MOV EAX: control and status word */
  oracle_put(c, ORACLE_FXSAVE, 4);
  oracle_put(c, 0x1D8A, 2); /* MOV BL: the abridged tag word */
  oracle_put(c, ORACLE_FXSAVE + 4, 4);
  oracle_put(c, 0x35DD, 2); /* FNSAVE */
  oracle_put(c, ORACLE_FPU_OUT, 4);
}

void oracle_generate_x87(oracle_random_t *random, oracle_case_t *c) {
  if (oracle_chance(random, 2)) {
    generate_fxsave(random, c);
    return;
  }
  const form_t *form = &forms[oracle_below(random, sizeof forms / sizeof *forms)];
  c->x87 = 1;
  c->ulps = form->ulps;
  c->undefined_status = form->undefined;
  /* "If the invalid-arithmetic-operand exception is unmasked, the condition code flags are not set": AMD's set them. */
  c->undefined_stopped = CCC;
  bool fcomi = form->from == 0xE8 && form->to == 0xF7;
  if (fcomi) c->undefined_stopped_flags = ORACLE_FLAGS;
  if (form->ulps) c->undefined_status |= C1 | UNDERFLOW_FLAG;
  make_state(random, form, &c->fpu);
  memory_operand(random, form->operand, c->operand);

  oracle_put(c, 0xE3DB, 2); /* FNINIT: nothing is pending */
  oracle_put(c, 0x25DD, 2); /* FRSTOR */
  oracle_put(c, ORACLE_FPU_IN, 4);
  oracle_put(c, form->opcode, 1);
  if (form->operand != M_NONE) {
    oracle_put(c, form->from << 3 | 5u, 1);
    oracle_put(c, ORACLE_OPERAND, 4);
  } else if (form->opcode != 0x9B) {
    oracle_put(c, form->from + oracle_below(random, form->to - form->from + 1u), 1);
  }
  oracle_put(c, 0x35DD, 2); /* FNSAVE */
  oracle_put(c, ORACLE_FPU_OUT, 4);
}
