/*
 * BT BTS BTR BTC, BSF BSR.
 */
#include "cpu_flags.h"
#include "cpu_priv.h"

enum { BT = 4, BTS, BTR, BTC };

static uint32_t changed(unsigned op, uint32_t a, uint32_t bit) {
  switch (op) {
  case BTS:
    return a | bit;
  case BTR:
    return a & ~bit;
  case BTC:
    return a ^ bit;
  default:
    return a;
  }
}

/* The flags: CF, and on an 80386 OF, which is that of RCR by number + 1 with CF = 0. */
static void set_flags(cpu_t *cpu, uint32_t a, uint32_t number, unsigned bits) {
  bool of = flag_of(cpu);
  if (cpu->model.flags_386) {
    uint64_t ring = (uint64_t)a << (bits + 1) | a; /* between the two the carry, 0 */
    uint64_t upper = ring >> (number + bits - 1);
    of = ((upper >> 1) ^ upper) & 1;
  }
  flags_set_cf_of(cpu, a >> number & 1, of);
}

/*
 * The operation in `op`, on bit `number` of the operand; only CF changes. With a register bit number, memory is
 * a bit string: the operand that holds the bit is offset's neighbour number / bits away, in either direction.
 */
static bool bit_test(cpu_t *cpu, const insn_t *in, unsigned op, int32_t number, bool string) {
  unsigned bits = 8 * in->size;
  uint32_t a, within = (uint32_t)number & (bits - 1), bit = UINT32_C(1) << within;
  if (!in->mem) {
    a = reg_get(cpu, in->rm, in->size);
    if (op != BT) reg_set(cpu, in->rm, in->size, changed(op, a, bit));
    set_flags(cpu, a, within, bits);
    return true;
  }
  uint32_t offset = effective_address(cpu, in);
  if (string) offset = (offset + (uint32_t)((number >> (bits == 32 ? 5 : 4)) * (int32_t)in->size)) & in->address_mask;
  ref_t ref;
  bool modify = op != BT;
  if (!cpu_mem_ref(cpu, in->seg, offset, in->size, modify ? MMU_WRITE : MMU_READ, modify, &ref)) return false;
  a = (uint32_t)cpu_ref_read(cpu, &ref);
  if (modify) cpu_ref_write(cpu, &ref, changed(op, a, bit));
  set_flags(cpu, a, within, bits);
  return true;
}

static bool bit_test_i(cpu_t *cpu, const insn_t *in) {
  return bit_test(cpu, in, in->reg, (int32_t)(in->imm & 0xFF), false);
}

static bool bit_test_r(cpu_t *cpu, const insn_t *in) {
  uint32_t number = reg_get(cpu, in->reg, in->size);
  if (in->size == 2) number = (uint32_t)(int16_t)number;
  return bit_test(cpu, in, in->opcode >> 3 & 7, (int32_t)number, true);
}

/* A source of 0 sets ZF and leaves the destination; the other flags are left. */
static bool bit_scan(cpu_t *cpu, const insn_t *in) {
  uint32_t a;
  if (!rm_read(cpu, in, in->size, &a)) return false;
  uint32_t others = flags_arithmetic(cpu) & ~(uint32_t)X86_ZF;
  flags_set_arithmetic(cpu, others | (a ? 0 : X86_ZF));
  if (!a) return true;
  unsigned n;
  if (in->opcode == 0xBC) {
    for (n = 0; !(a >> n & 1); n++)
      ;
  } else {
    for (n = 31; !(a >> n & 1); n--)
      ;
  }
  reg_set(cpu, in->reg, in->size, n);
  return true;
}

handler_t cpu_bind_bit(insn_t *in) {
  if (!in->opcode2) return NULL;
  switch (in->opcode) {
  case 0xA3:
  case 0xAB:
  case 0xB3:
  case 0xBB:
    return bit_test_r;
  case 0xBA:
    return in->reg >= BT ? bit_test_i : NULL;
  case 0xBC: /* with F3H: TZCNT where there is one, else the prefix is ignored */
  case 0xBD:
    return bit_scan;
  default:
    return NULL;
  }
}
