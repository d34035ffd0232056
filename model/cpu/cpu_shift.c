/*
 * ROL ROR RCL RCR SHL SHR SAR, SHLD SHRD.
 *
 * The count is masked to 5 bits. A count of 0 changes neither flags nor the operand, though a memory operand has been
 * accessed for writing.
 *
 * Of what the manual leaves undefined an 80386 does this: AF is set, and a SHL or SHR by a multiple of the operand's
 * width, as if the operand stood there repeatedly, leaves its last bit in CF.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

enum { ROL, ROR, RCL, RCR, SHL, SHR, SAL, SAR };

static inline bool top(uint32_t v, unsigned bits) {
  return v >> (bits - 1) & 1;
}

/* Rotates keep SF, ZF, AF and PF. */
static uint32_t rotate(cpu_t *cpu, unsigned op, uint32_t a, unsigned count, unsigned size) {
  unsigned bits = 8 * size, n = count % bits;
  uint32_t r = a;
  if (op == ROL) {
    if (n) r = (a << n | a >> (bits - n)) & operand_mask(size);
    flags_set_cf_of(cpu, r & 1, top(r, bits) != (r & 1));
  } else {
    if (n) r = (a >> n | a << (bits - n)) & operand_mask(size);
    flags_set_cf_of(cpu, top(r, bits), top(r, bits) != top(r << 1, bits));
  }
  return r;
}

/* The operand and CF form one ring of bits + 1. */
static uint32_t rotate_carry(cpu_t *cpu, unsigned op, uint32_t a, unsigned count, unsigned size) {
  unsigned bits = 8 * size, n = count % (bits + 1);
  uint64_t ring = (uint64_t)flag_cf(cpu) << bits | a;
  uint64_t mask = (UINT64_C(1) << (bits + 1)) - 1;
  if (n && op == RCL) ring = (ring << n | ring >> (bits + 1 - n)) & mask;
  if (n && op == RCR) ring = (ring >> n | ring << (bits + 1 - n)) & mask;
  uint32_t r = (uint32_t)ring & operand_mask(size);
  bool cf = ring >> bits & 1;
  flags_set_cf_of(cpu, cf, op == RCL ? top(r, bits) != cf : top(r, bits) != top(r << 1, bits));
  return r;
}

static void set_386_flags(cpu_t *cpu, unsigned op, uint32_t a, unsigned count, unsigned bits) {
  cpu->flag_carries |= 8;
  if (op == SAR || count % bits != 0) return;
  flags_set_cf_of(cpu, op == SHR ? top(a, bits) : a & 1, op != SHR && (a & 1));
}

static uint32_t shift(cpu_t *cpu, unsigned op, uint32_t a, unsigned count, unsigned size) {
  unsigned bits = 8 * size;
  uint32_t r;
  bool cf, of;
  switch (op) {
  case SHR:
    r = (uint32_t)((uint64_t)a >> count);
    cf = (uint64_t)a >> (count - 1) & 1;
    of = top(r, bits) != top(r << 1, bits);
    break;
  case SAR: {
    int64_t wide = (int64_t)((uint64_t)a << (64 - bits)) >> (64 - bits);
    r = (uint32_t)(wide >> count) & operand_mask(size);
    cf = wide >> (count - 1) & 1;
    of = false;
    break;
  }
  default: { /* SHL */
    uint64_t wide = (uint64_t)a << count;
    r = (uint32_t)wide & operand_mask(size);
    cf = wide >> bits & 1;
    of = top(r, bits) != cf;
    break;
  }
  }
  flags_logic(cpu, r, size);
  flags_set_cf_of(cpu, cf, of);
  if (cpu->model.flags_386) set_386_flags(cpu, op, a, count, bits);
  return r;
}

static uint32_t shift_by(cpu_t *cpu, unsigned op, uint32_t a, unsigned count, unsigned size) {
  if (count == 0) return a;
  if (op < RCL) return rotate(cpu, op, a, count, size);
  if (op < SHL) return rotate_carry(cpu, op, a, count, size);
  return shift(cpu, op, a, count, size);
}

static bool shift_rm(cpu_t *cpu, const insn_t *in, unsigned count) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  if (count & 31) rm_finish(cpu, in, in->size, &ref, shift_by(cpu, in->reg, a, count & 31, in->size));
  return true;
}

static bool shift_i(cpu_t *cpu, const insn_t *in) {
  return shift_rm(cpu, in, in->imm);
}
static bool shift_cl(cpu_t *cpu, const insn_t *in) {
  return shift_rm(cpu, in, (uint8_t)cpu->gpr[CPU_ECX]);
}

/* The three that compilers emit most, on 32-bit registers with a constant that is not 0. */
static bool shl_r32_i(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = shift(cpu, SHL, (uint32_t)cpu->gpr[in->rm], in->imm & 31, 4);
  return true;
}

static bool shr_r32_i(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = shift(cpu, SHR, (uint32_t)cpu->gpr[in->rm], in->imm & 31, 4);
  return true;
}

static bool sar_r32_i(cpu_t *cpu, const insn_t *in) {
  cpu->gpr[in->rm] = shift(cpu, SAR, (uint32_t)cpu->gpr[in->rm], in->imm & 31, 4);
  return true;
}

/*
 * SHLD, SHRD. A 16-bit operand with a count above 16 is undefined; the bits then come from
 * destination:source:destination as if it were one string.
 */
static bool shift_double(cpu_t *cpu, const insn_t *in, unsigned count) {
  uint32_t a;
  ref_t ref;
  if (!rm_modify(cpu, in, in->size, &ref, &a)) return false;
  count &= 31;
  if (count == 0) return true;
  unsigned bits = 8 * in->size;
  uint32_t b = reg_get(cpu, in->reg, in->size), r;
  bool cf;
  if (in->opcode < 0xA8) {
    uint64_t wide = bits == 32 ? (uint64_t)a << 32 | b : (uint64_t)a << 32 | b << 16 | a;
    r = (uint32_t)(wide << count >> 32) & operand_mask(in->size);
    cf = wide << (count - 1) >> (bits == 32 ? 63 : 47) & 1;
  } else {
    uint64_t wide = bits == 32 ? (uint64_t)b << 32 | a : (uint64_t)a << 32 | b << 16 | a;
    r = (uint32_t)(wide >> count) & operand_mask(in->size);
    cf = wide >> (count - 1) & 1;
  }
  flags_logic(cpu, r, in->size);
  flags_set_cf_of(cpu, cf, top(r, bits) != top(a, bits));
  rm_finish(cpu, in, in->size, &ref, r);
  return true;
}

static bool shift_double_i(cpu_t *cpu, const insn_t *in) {
  return shift_double(cpu, in, in->imm);
}
static bool shift_double_cl(cpu_t *cpu, const insn_t *in) {
  return shift_double(cpu, in, (uint8_t)cpu->gpr[CPU_ECX]);
}

static handler_t bind_immediate(insn_t *in) {
  if (in->size != 4 || in->mem || !(in->imm & 31)) return shift_i;
  switch (in->reg) {
  case SHL:
  case SAL:
    return shl_r32_i;
  case SHR:
    return shr_r32_i;
  case SAR:
    return sar_r32_i;
  default:
    return shift_i;
  }
}

handler_t cpu_bind_shift(insn_t *in) {
  unsigned opcode = in->opcode;
  if (in->opcode2) {
    if (opcode == 0xA4 || opcode == 0xAC) return shift_double_i;
    return opcode == 0xA5 || opcode == 0xAD ? shift_double_cl : NULL;
  }
  switch (opcode) {
  case 0xC0:
    in->size = 1;
    return shift_i;
  case 0xC1:
    return bind_immediate(in);
  case 0xD0:
    in->size = 1;
    in->imm = 1;
    return shift_i;
  case 0xD1:
    in->imm = 1;
    return bind_immediate(in);
  case 0xD2:
    in->size = 1;
    return shift_cl;
  case 0xD3:
    return shift_cl;
  default:
    return NULL;
  }
}
