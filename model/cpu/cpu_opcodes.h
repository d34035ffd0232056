/*
 * The opcode maps of the 80386, 486, Pentium and Pentium Pro: what follows an opcode byte, and which encodings there
 * are.
 */
#ifndef MMU86_CPU_OPCODES_H
#define MMU86_CPU_OPCODES_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

/* What follows the opcode. */
enum {
  OP_VALID = 1 << 0,
  OP_MODRM = 1 << 1,
  OP_IMM_8 = 1 << 2,
  OP_IMM_16 = 1 << 3,
  OP_IMM_Z = 1 << 4,     /* 2 or 4 bytes, by the operand size */
  OP_IMM_TEST = 1 << 5,  /* F6H and F7H: an immediate only with /0 and /1 */
  OP_MOFFS = 1 << 6,     /* an offset of the address size */
  OP_FAR = 1 << 7,       /* an offset of the operand size, a selector */
  OP_LEVEL = 1 << 8,     /* ENTER: 8 bits behind the 16 */
  OP_REGISTERS = 1 << 9, /* ModRM.mod is ignored: both operands are registers */
  OP_PREFIX = 1 << 10,
};

typedef struct {
  uint16_t form;    /* OP_* */
  uint8_t memory;   /* the values of ModRM.reg, as a set, that are valid with a memory operand ... */
  uint8_t reg;      /* ... and with a register */
  uint8_t lockable; /* those with a memory operand that LOCK may precede */
} opcode_t;

/* [0]: one-byte opcodes; [1]: after 0FH. */
typedef struct {
  opcode_t of[2][256];
} opcode_map_t;

void opcode_map_make(opcode_map_t *map, cpu_profile_t profile);

/* Does the processor refuse this register form of an opcode whose map entry allows it? reg, rm: of ModRM. */
bool opcode_refused(cpu_profile_t profile, bool two_byte, unsigned opcode, unsigned reg, unsigned rm);

#endif
