/*
 * Selectors of every form, loaded into each register in each way, and asked about by LAR, LSL, VERR and VERW; and what
 * takes no segment: ARPL, INT n.
 */
#include "mmu.h"
#include "silicon_cases.h"

/* --- loads --- */

/* Loads seg with a selector in one of SILICON_LOAD_FORMS forms: from a register, from memory, POP, LDS and so on, of
 * either size. */
static void emit_load(silicon_case_t *c, unsigned form, unsigned seg, uint16_t selector) {
  static const uint8_t pops[] = {0x07, 0, 0x17, 0x1f, 0xa1, 0xa9};
  static const uint8_t pointers[] = {0xc4, 0, 0xb2, 0xc5, 0xb4, 0xb5};
  bool narrow = form & 1;
  uint8_t reg = (uint8_t)(seg << 3);
  if (form == 0) {
    silicon_move_to_segment(c, seg, selector);
    return;
  }
  if (form == 1) {
    silicon_emit(c, 3, (const uint8_t[]){0x8e, reg | 4, 0x24});
    silicon_step_access(c, 0, MMU_SEG_SS, SILICON_STACK_TOP, 2, MMU_READ);
    c->stack[0] = (c->stack[0] & 0xffff0000) | selector;
  } else {
    bool pop = form < 4;
    unsigned size = narrow ? 2 : 4;
    if (narrow) silicon_emit1(c, 0x66);
    if (pop ? seg >= MMU_SEG_FS : seg >= MMU_SEG_FS || seg == MMU_SEG_SS) silicon_emit1(c, 0x0f);
    silicon_emit1(c, pop ? pops[seg] : pointers[seg]);
    if (!pop) silicon_emit(c, 2, (const uint8_t[]){0x04, 0x24});
    unsigned at = pop ? 0 : size; /* of the selector in the operand */
    c->stack[at / 4] = (c->stack[at / 4] & ~(0xffffu << 8 * (at & 3))) | (uint32_t)selector << 8 * (at & 3);
    silicon_step_access(c, 0, MMU_SEG_SS, SILICON_STACK_TOP, pop ? size : size + 2, MMU_READ);
    if (!pop) c->step[0].how = SILICON_DATA_POINTER;
  }
  silicon_step_load(c, 0, seg, selector);
}

/* Selector number i of a list of every form; LDT selectors name desc[0], whose type varies. Returns false past the end.
 */
static bool listed_selector(rng_t *rng, unsigned i, silicon_desc_t *d, uint16_t *selector) {
  unsigned rpl = i & 3, kind = i >> 2;
  if (kind < 32) {
    *d = silicon_random_desc(rng, 1 + rng_below(rng, SILICON_LDT_ENTRIES - 1));
    d->bits = (uint16_t)(kind & (SILICON_BIG | SILICON_CONTENTS | SILICON_LESS));
    if (kind & 16) d->bits |= SILICON_ABSENT;
    if ((d->bits & SILICON_CONTENTS) == SILICON_CONFORMING) d->bits |= SILICON_ABSENT;
    *selector = silicon_selector(d, rpl);
    return true;
  }
  kind -= 32;
  if (kind < 20) { /* the GDT, and what lies behind it */
    *selector = (uint16_t)(kind << 3 | rpl);
    return true;
  }
  kind -= 20;
  if (kind < 8) { /* behind the LDT */
    static const uint16_t indexes[8] = {16, 17, 18, 31, 32, 0x1000, 0x1ffe, 0x1fff};
    *selector = (uint16_t)(indexes[kind] << 3 | 4 | rpl);
    return true;
  }
  return false;
}

void silicon_make_load(rng_t *rng, silicon_case_t *c, unsigned i, unsigned seg, unsigned form) {
  uint16_t selector;
  silicon_begin(rng, c, SILICON_LOAD);
  listed_selector(rng, i, &c->desc[0], &selector);
  emit_load(c, form, seg, selector);
}

void silicon_make_random_load(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_LOAD);
  c->desc[0] = silicon_random_desc(rng, 1);
  unsigned form = rng_below(rng, SILICON_LOAD_FORMS), seg = silicon_data_segment(rng);
  emit_load(c, form, seg,
            rng_chance(rng, 50) ? silicon_selector(&c->desc[0], rng_below(rng, 4)) : (uint16_t)rng_next(rng));
}

/* --- what faults rarely --- */

/* how: mmu_verify_t. The selector is in CX, or in memory at SILICON_STACK_TOP. */
static void emit_verify(silicon_case_t *c, unsigned how, bool memory, bool narrow, uint16_t selector) {
  static const uint8_t opcodes[4] = {0x02, 0x03, 0x00, 0x00};
  uint8_t reg = how == MMU_VERIFY_READ ? 4 << 3 : how == MMU_VERIFY_WRITE ? 5 << 3 : 0;
  if (narrow) silicon_emit1(c, 0x66);
  silicon_emit(c, 2, (const uint8_t[]){0x0f, opcodes[how]});
  if (memory) {
    silicon_emit(c, 2, (const uint8_t[]){reg | 4, 0x24});
    c->stack[0] = (c->stack[0] & 0xffff0000) | selector;
    silicon_step_access(c, 0, MMU_SEG_SS, SILICON_STACK_TOP, 2, MMU_READ);
  } else {
    silicon_emit1(c, 0xc1 | reg);
    c->gpr[1] = (c->gpr[1] & 0xffff0000) | selector;
  }
  silicon_step_t *step = silicon_step(c, SILICON_STEP_VERIFY, 0);
  step->how = (uint8_t)how;
  step->selector = selector;
  step->wide = narrow ? 2 : 4;
}

void silicon_make_verify(rng_t *rng, silicon_case_t *c, unsigned i, unsigned how) {
  uint16_t selector = 0;
  silicon_begin(rng, c, SILICON_VERIFY);
  if (!listed_selector(rng, i, &c->desc[0], &selector)) {
    c->desc[0] = silicon_random_desc(rng, 1);
    selector = rng_chance(rng, 80) ? silicon_selector(&c->desc[0], rng_below(rng, 4)) : (uint16_t)rng_next(rng);
  }
  bool first = rng_chance(rng, 30), second = rng_chance(rng, 30);
  emit_verify(c, how, first, second, selector);
}

/* ARPL CX, DX */
void silicon_make_arpl(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_ARPL);
  silicon_emit(c, 2, (const uint8_t[]){0x63, 0xd1});
}

void silicon_make_int(rng_t *rng, silicon_case_t *c, unsigned vector) {
  silicon_begin(rng, c, SILICON_INT);
  silicon_emit(c, 2, (const uint8_t[]){0xcd, (uint8_t)vector});
  silicon_step(c, SILICON_STEP_INT, 0)->offset = vector;
}
