/*
 * Whole instructions of more than one reference, for the emulator alone: near transfers in a segment of the LDT, string
 * instructions, and what reads and pushes, or pops and writes, in one.
 */
#include "mmu.h"
#include "silicon_cases.h"

/* A segment whose edge lies at offset, at a linear address of the arena, in the register seg. */
static uint32_t edge_segment(rng_t *rng, silicon_case_t *c, unsigned number, unsigned seg, unsigned size) {
  silicon_desc_t *d = &c->desc[number];
  *d = silicon_random_desc(rng, 1 + number);
  if (rng_chance(rng, 80)) d->bits &= (uint16_t) ~(SILICON_IS_CODE | SILICON_LESS | SILICON_ABSENT);
  uint32_t offset = silicon_edge(rng, d, size), target = silicon_target(rng);
  d->base = target - offset;
  c->window = target - SILICON_WINDOW / 2;
  silicon_move_to_segment(c, seg, silicon_selector(d, 3));
  c->n_steps = 0;
  return offset;
}

/* MOVS, CMPS, STOS, LODS, SCAS, alone or repeated, forwards or backwards. */
void silicon_make_string(rng_t *rng, silicon_case_t *c) {
  static const uint8_t opcodes[] = {0xa4, 0xa6, 0xaa, 0xac, 0xae};
  silicon_begin(rng, c, SILICON_STRING);
  unsigned opcode = opcodes[rng_below(rng, 5)], wide = rng_below(rng, 3), size = 1u << wide;
  bool to = opcode != 0xac, both = opcode == 0xa4 || opcode == 0xa6;
  uint32_t edge = edge_segment(rng, c, 0, to ? MMU_SEG_ES : MMU_SEG_DS, size);
  c->gpr[6] = to ? SILICON_STACK + 0x400 : edge;
  c->gpr[7] = to ? edge : SILICON_STACK + 0x400;
  if (both && rng_chance(rng, 30)) c->gpr[6] = silicon_target(rng);
  silicon_emit1(c, 0xb9); /* MOV ECX, the count */
  silicon_emit32(c, rng_below(rng, 5), 4);
  if (rng_chance(rng, 40)) silicon_emit1(c, 0xfd); /* STD */
  if (rng_chance(rng, 70)) silicon_emit1(c, rng_below(rng, 2) ? 0xf3 : 0xf2);
  if (size == 2) silicon_emit1(c, 0x66);
  silicon_emit1(c, (uint8_t)(opcode | (size > 1)));
}

/* Near JMP, CALL, Jcc, LOOP and RET from a code segment whose limit may lie before their target. */
void silicon_make_near(rng_t *rng, silicon_case_t *c) {
  enum { JUMP_BYTES = 7, ROOM = 32 };
  silicon_begin(rng, c, SILICON_NEAR);
  silicon_desc_t *d = &c->desc[0];
  *d = (silicon_desc_t){.entry = 1, .bits = SILICON_IS_CODE | SILICON_BIG, .base = SILICON_CODE};
  if (rng_chance(rng, 40)) d->bits |= SILICON_LESS;
  d->limit = rng_chance(rng, 50) ? ROOM + rng_below(rng, 200) : rng_below(rng, 0xfffff - ROOM) + ROOM;
  silicon_emit1(c, 0xea);
  silicon_emit32(c, JUMP_BYTES, 4);
  silicon_emit32(c, silicon_selector(d, 3), 2);
  uint32_t target = d->limit + 3 - rng_below(rng, 10);
  if (rng_chance(rng, 30)) target = silicon_target(rng) - d->base;
  bool narrow = (target & 0xffff) > 64 && rng_chance(rng, 25); /* not back into this code */
  unsigned form = rng_below(rng, 6), size = narrow ? 2 : 4;
  c->gpr[0] = target;
  c->stack[0] = target;
  if (narrow) silicon_emit1(c, 0x66);
  if (form < 2) silicon_emit1(c, form ? 0xe8 : 0xe9); /* CALL, JMP */
  if (form == 2) silicon_emit(c, 2, (const uint8_t[]){0x0f, 0x80 | (uint8_t)rng_below(rng, 16)});
  if (form < 3) silicon_emit32(c, target - (c->length + size), size);
  if (form == 3) silicon_emit(c, 2, (const uint8_t[]){0xff, rng_below(rng, 2) ? 0xe0 : 0xd0}); /* EAX */
  if (form == 4) silicon_emit1(c, 0xc3);
  if (form == 5) silicon_emit(c, 3, (const uint8_t[]){0xff, rng_below(rng, 2) ? 0x24 : 0x14, 0x24}); /* [ESP] */
}

/*
 * Reads and writes in one instruction, or several of either; the operand at [EBX] lies around an edge. Not here, since
 * processors differ: PUSHA, POPA and ENTER, of which some leave what they had done when they faulted, and BOUND, whose
 * bounds may be one read or two.
 */
void silicon_make_double(rng_t *rng, silicon_case_t *c) {
  /* clang-format off */
  static const uint8_t forms[][4] = {
      {2, 0xff, 0x33}, {2, 0x8f, 0x03}, {2, 0x87, 0x03},        /* PUSH, POP, XCHG with EAX */
      {3, 0x0f, 0xb1, 0x0b}, {3, 0x0f, 0xc1, 0x03}, {1, 0xd7},  /* CMPXCHG, XADD, XLAT */
      {3, 0x0f, 0xab, 0x03}, {3, 0x0f, 0xa3, 0x03},             /* BTS, BT by EAX */
      {3, 0x8c, 0x1b, 0x90}, {2, 0xc7, 0x03},                   /* MOV of DS, of an immediate */
      {3, 0x0f, 0xc7, 0x0b}, {1, 0xc9},                         /* CMPXCHG8B, LEAVE */
  };
  /* clang-format on */
  enum { IMMEDIATE = 9, CMPXCHG8B = 10, LEAVE = 11 };
  silicon_begin(rng, c, SILICON_DOUBLE);
  unsigned form = rng_below(rng, sizeof forms / sizeof *forms), size = form == CMPXCHG8B ? 8 : 4;
  unsigned seg = form == LEAVE ? MMU_SEG_SS : MMU_SEG_FS;
  uint32_t offset = edge_segment(rng, c, 0, seg, size);
  bool narrow = form != CMPXCHG8B && rng_chance(rng, 25);
  c->gpr[3] = offset;
  c->gpr[0] &= 0x1f; /* bit number, index */
  c->gpr[5] = offset;
  if (rng_chance(rng, 15)) c->eflags = 1u << 18;
  if (form != LEAVE) silicon_emit1(c, silicon_prefix(seg));
  if (narrow) silicon_emit1(c, 0x66);
  silicon_emit(c, forms[form][0], forms[form] + 1);
  if (form == IMMEDIATE) silicon_emit32(c, 0x12345678, narrow ? 2 : 4);
}
