/*
 * Memory operands of oracle cases: ModRM, SIB and displacement.
 */
#include "oracle_x87.h"

#include "cpu.h"

/* A place for an operand: mostly in the middle of the compared bytes, sometimes across the end of the page. */
uint32_t oracle_target(oracle_random_t *random, bool inside) {
  if (!inside && oracle_chance(random, 4)) return ORACLE_DATA + ORACLE_PAGE - 8 + oracle_below(random, 9);
  return ORACLE_DATA + 0x80 + oracle_below(random, 64);
}

/* Within the segment of FS, whose offsets have 16 bits. */
static void put_16(oracle_random_t *random, oracle_case_t *c, unsigned reg, uint32_t at, bool fixed) {
  static const uint8_t base[8] = {CPU_EBX, CPU_EBX, CPU_EBP, CPU_EBP, CPU_ESI, CPU_EDI, CPU_EBP, CPU_EBX};
  unsigned rm = oracle_below(random, 8);
  uint32_t offset = at - ORACLE_SEGMENT_BASE, sum = c->gpr[base[rm]];
  if (rm < 4) sum += c->gpr[rm & 1 ? CPU_EDI : CPU_ESI];
  switch (oracle_below(random, 3)) {
  case 0: /* disp16 */
    oracle_put(c, reg << 3 | 6, 1);
    oracle_put(c, offset, 2);
    return;
  case 1:
    if (!fixed && rm >= 4 && base[rm] != reg) { /* base + disp8 */
      uint32_t disp = oracle_below(random, 256) - 128;
      c->gpr[base[rm]] = (c->gpr[base[rm]] & 0xFFFF0000) | ((offset - disp) & 0xFFFF);
      oracle_put(c, 0x40 | reg << 3 | rm, 1);
      oracle_put(c, disp, 1);
      return;
    }
    /* fall through */
  default: /* base + index + disp16 */
    oracle_put(c, 0x80 | reg << 3 | rm, 1);
    oracle_put(c, offset - sum, 2);
    return;
  }
}

/* The displacement, or the base register, is chosen so that the address is the target. */
void oracle_put_memory(oracle_random_t *random, oracle_case_t *c, unsigned reg, bool inside, bool keep) {
  uint32_t at = oracle_target(random, inside);
  unsigned base = oracle_below(random, 8), index = oracle_below(random, 8), scale = oracle_below(random, 4);
  if (c->prefix_67) {
    put_16(random, c, reg, at, keep || reg == CPU_EBX || reg == CPU_EBP);
    return;
  }
  bool fixed = keep || base == reg || base == CPU_ESP || base == CPU_EBP || base == CPU_ECX;
  switch (oracle_below(random, 5)) {
  case 0: /* disp32 */
    oracle_put(c, reg << 3 | 5, 1);
    oracle_put(c, at, 4);
    return;
  case 1: /* base + disp32 */
    if (base == CPU_ESP) base = CPU_EBP;
    oracle_put(c, 0x80 | reg << 3 | base, 1);
    oracle_put(c, at - c->gpr[base], 4);
    return;
  case 2: /* base + index * scale + disp32 */
    oracle_put(c, 0x84 | reg << 3, 1);
    oracle_put(c, scale << 6 | index << 3 | base, 1);
    oracle_put(c, at - c->gpr[base] - (index == CPU_ESP ? 0 : c->gpr[index] << scale), 4);
    return;
  case 3: /* index * scale + disp32 */
    oracle_put(c, reg << 3 | 4, 1);
    oracle_put(c, scale << 6 | index << 3 | 5, 1);
    oracle_put(c, at - (index == CPU_ESP ? 0 : c->gpr[index] << scale), 4);
    return;
  default: /* base + disp8, or base alone */
    if (fixed) base = CPU_EDI;
    if (fixed && reg == CPU_EDI) base = CPU_ESI;
    uint32_t disp = oracle_chance(random, 50) ? oracle_below(random, 256) - 128 : 0;
    c->gpr[base] = at - disp;
    oracle_put(c, (disp ? 0x40 : 0) | reg << 3 | base, 1);
    if (disp) oracle_put(c, disp, 1);
    return;
  }
}
