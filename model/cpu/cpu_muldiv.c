/*
 * MUL IMUL DIV IDIV, and the decimal adjustments.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

/* The double-length accumulator: AX, DX:AX or EDX:EAX. */
static uint64_t wide_get(const cpu_t *cpu, unsigned size) {
  if (size == 1) return (uint16_t)cpu->gpr[CPU_EAX];
  return (uint64_t)reg_get(cpu, CPU_EDX, size) << 8 * size | reg_get(cpu, CPU_EAX, size);
}

static void wide_set(cpu_t *cpu, unsigned size, uint32_t high, uint32_t low) {
  reg_set(cpu, CPU_EAX, size, low);
  reg_set(cpu, size == 1 ? 4 : CPU_EDX, size, high);
}

static int32_t sign_extend(uint32_t v, unsigned size) {
  unsigned shift = 32 - 8 * size;
  return (int32_t)(v << shift) >> shift;
}

/* CF = OF = the high half matters. */
static void multiply_flags(cpu_t *cpu, uint32_t low, bool overflow, unsigned size) {
  flags_logic(cpu, low, size);
  flags_set_cf_of(cpu, overflow, overflow);
}

static bool mul(cpu_t *cpu, const insn_t *in) {
  uint32_t b;
  if (!rm_read(cpu, in, in->size, &b)) return false;
  uint64_t product = (uint64_t)reg_get(cpu, CPU_EAX, in->size) * b;
  uint32_t high = (uint32_t)(product >> 8 * in->size), low = (uint32_t)product;
  wide_set(cpu, in->size, high, low);
  multiply_flags(cpu, low, high != 0, in->size);
  return true;
}

static bool imul(cpu_t *cpu, const insn_t *in) {
  uint32_t b;
  if (!rm_read(cpu, in, in->size, &b)) return false;
  int64_t product = (int64_t)sign_extend(reg_get(cpu, CPU_EAX, in->size), in->size) * sign_extend(b, in->size);
  wide_set(cpu, in->size, (uint32_t)(product >> 8 * in->size), (uint32_t)product);
  multiply_flags(cpu, (uint32_t)product, product != sign_extend((uint32_t)product, in->size), in->size);
  return true;
}

static bool imul_to(cpu_t *cpu, const insn_t *in, uint32_t a, uint32_t b) {
  int64_t product = (int64_t)sign_extend(a, in->size) * sign_extend(b, in->size);
  reg_set(cpu, in->reg, in->size, (uint32_t)product);
  multiply_flags(cpu, (uint32_t)product, product != sign_extend((uint32_t)product, in->size), in->size);
  return true;
}

static bool imul_r_rm(cpu_t *cpu, const insn_t *in) {
  uint32_t b;
  return rm_read(cpu, in, in->size, &b) && imul_to(cpu, in, reg_get(cpu, in->reg, in->size), b);
}

static bool imul_r_rm_i(cpu_t *cpu, const insn_t *in) {
  uint32_t b;
  return rm_read(cpu, in, in->size, &b) && imul_to(cpu, in, b, in->imm);
}

static bool div(cpu_t *cpu, const insn_t *in) {
  uint32_t b;
  if (!rm_read(cpu, in, in->size, &b)) return false;
  uint64_t a = wide_get(cpu, in->size);
  if (b == 0 || a / b > operand_mask(in->size)) return raise_fault(cpu, X86_DE, 0);
  wide_set(cpu, in->size, (uint32_t)(a % b), (uint32_t)(a / b));
  return true;
}

static bool idiv(cpu_t *cpu, const insn_t *in) {
  uint32_t v;
  if (!rm_read(cpu, in, in->size, &v)) return false;
  unsigned unused = 64 - 16 * in->size;
  int64_t a = (int64_t)(wide_get(cpu, in->size) << unused) >> unused, b = sign_extend(v, in->size);
  if (b == 0 || (a == INT64_MIN && b == -1)) return raise_fault(cpu, X86_DE, 0);
  int64_t quotient = a / b;
  if (quotient != sign_extend((uint32_t)quotient, in->size)) return raise_fault(cpu, X86_DE, 0);
  wide_set(cpu, in->size, (uint32_t)(a % b), (uint32_t)quotient);
  return true;
}

/* --- decimal --- */

/*
 * The flags of the addition (or subtraction) to AL that an adjustment is, then CF and AF as given. For what the manual
 * leaves undefined this is what an 80386 does.
 */
static void decimal_flags(cpu_t *cpu, uint32_t old, uint32_t by, bool subtract, bool cf, bool af) {
  if (subtract)
    flags_sub(cpu, old, by, (old - by) & 0xFF, 1);
  else
    flags_add(cpu, old, by, (old + by) & 0xFF, 1);
  const bool of = flag_of(cpu);
  cpu->flag_carries = af ? 8 : 0;
  flags_set_cf_of(cpu, cf, of);
}

static bool daa(cpu_t *cpu, const insn_t *in) { /* and DAS */
  bool subtract = in->opcode == 0x2F;
  uint32_t al = (uint8_t)cpu->gpr[CPU_EAX], by = 0;
  bool cf = flag_cf(cpu), af = (al & 15) > 9 || flag_af(cpu), high = al > 0x99 || cf;
  if (af) by = 6;
  bool new_cf = high || (subtract && af && al < 6);
  if (high) by += 0x60;
  reg_set(cpu, CPU_EAX, 1, subtract ? al - by : al + by);
  decimal_flags(cpu, al, by, subtract, new_cf, af);
  return true;
}

static bool aaa(cpu_t *cpu, const insn_t *in) { /* and AAS */
  uint32_t ax = (uint16_t)cpu->gpr[CPU_EAX], al = ax & 0xFF;
  bool subtract = in->opcode == 0x3F, adjust = (al & 15) > 9 || flag_af(cpu);
  if (adjust) ax += subtract ? (uint32_t)-0x106 : 0x106;
  reg_set(cpu, CPU_EAX, 2, ax & 0xFF0F);
  decimal_flags(cpu, al, adjust ? 6 : 0, subtract, adjust, adjust);
  return true;
}

static bool aam(cpu_t *cpu, const insn_t *in) {
  uint32_t al = (uint8_t)cpu->gpr[CPU_EAX], base = in->imm & 0xFF;
  if (base == 0) return raise_fault(cpu, X86_DE, 0);
  reg_set(cpu, CPU_EAX, 2, al / base << 8 | al % base);
  flags_logic(cpu, al % base, 1);
  return true;
}

static bool aad(cpu_t *cpu, const insn_t *in) {
  uint32_t ax = (uint16_t)cpu->gpr[CPU_EAX], al = ax & 0xFF, by = (ax >> 8) * (in->imm & 0xFF) & 0xFF;
  uint32_t sum = (al + by) & 0xFF;
  reg_set(cpu, CPU_EAX, 2, sum);
  flags_add(cpu, al, by, sum, 1);
  return true;
}

handler_t cpu_bind_muldiv(insn_t *in) {
  if (in->opcode2) return in->opcode == 0xAF ? imul_r_rm : NULL;
  switch (in->opcode) {
  case 0x27:
  case 0x2F:
    return daa;
  case 0x37:
  case 0x3F:
    return aaa;
  case 0x69:
  case 0x6B:
    return imul_r_rm_i;
  case 0xD4:
    return aam;
  case 0xD5:
    return aad;
  case 0xF6:
    in->size = 1;
    break;
  case 0xF7:
    break;
  default:
    return NULL;
  }
  static const handler_t one_operand[8] = {[4] = mul, [5] = imul, [6] = div, [7] = idiv};
  return one_operand[in->reg];
}
