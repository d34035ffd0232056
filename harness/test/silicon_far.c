/*
 * Far transfers: JMP, CALL, RET and IRET to code segments in the LDT, to Linux's own, and to what is none.
 */
#include "mmu.h"
#include "silicon_cases.h"

/* Where a transfer goes. */
typedef struct {
  uint16_t selector;
  uint32_t offset;
} target_t;

typedef enum { FAR_DIRECT, FAR_INDIRECT, FAR_RETURN, FAR_RETURN_IMM, FAR_IRET } form_t;

static uint32_t some_offset(rng_t *rng, bool narrow) {
  uint32_t kind = rng_below(rng, 4);
  if (kind == 0) return rng_below(rng, 64);
  if (kind == 1) return 0xffff - rng_below(rng, 16);
  return rng_below(rng, narrow ? 0x10000 : 0xfffff);
}

/* A code segment whose limit lies near the target's offset, or far beyond it. */
static silicon_desc_t code_near(rng_t *rng, uint32_t offset) {
  silicon_desc_t d = {.entry = 1, .bits = SILICON_IS_CODE};
  if (rng_chance(rng, 75)) d.bits |= SILICON_BIG;
  if (rng_chance(rng, 50)) d.bits |= SILICON_LESS;
  d.base = silicon_target(rng) - offset;
  d.limit = 0xfffff;
  if (rng_chance(rng, 70)) d.limit = offset + rng_below(rng, 14) - (offset < 6 ? offset : 6);
  if (d.limit > 0xfffff) d.limit = 0xfffff;
  if (rng_chance(rng, 10)) d.bits |= SILICON_PAGES;
  if (rng_chance(rng, 6)) d.bits |= SILICON_ABSENT;
  return d;
}

static uint16_t any_selector(rng_t *rng, const silicon_desc_t *d) {
  uint16_t selector;
  switch (rng_below(rng, 4)) {
  case 0:
    return (uint16_t)rng_below(rng, 4);
  case 1:
    return (uint16_t)rng_next(rng) | 0x80; /* beyond both tables */
  case 2:
    do
      selector = (uint16_t)rng_below(rng, 128) & ~4u;
    while ((selector & ~3u) == (SILICON_CS_64 & ~3u)); /* another mode begins there */
    return selector;
  default:
    return silicon_selector(d, rng_below(rng, 4));
  }
}

static target_t some_target(rng_t *rng, silicon_case_t *c, bool narrow) {
  target_t to = {.offset = some_offset(rng, narrow)};
  c->desc[0] = code_near(rng, to.offset);
  to.selector = silicon_selector(&c->desc[0], 3);
  uint32_t kind = rng_below(rng, 100);
  if (kind < 12) {
    uint32_t base = c->desc[0].base;
    c->desc[0] = silicon_random_desc(rng, 1);
    c->desc[0].base = base;
  } else if (kind < 24) {
    to.selector = any_selector(rng, &c->desc[0]);
  } else if (kind < 30) {
    to.selector = (to.selector & ~3u) | (uint16_t)rng_below(rng, 4);
  } else if (kind < 36 && !narrow) {
    to = (target_t){SILICON_CS, silicon_target(rng)};
  }
  if (to.selector <= 0x7f && !(to.selector & 4)) {
    to.offset = narrow ? rng_below(rng, 0x1000) : silicon_target(rng);
  }
  return to;
}

static void step_target(silicon_case_t *c, unsigned how, target_t to, unsigned at) {
  silicon_step_t *step = silicon_step(c, SILICON_STEP_TARGET, at);
  step->selector = to.selector;
  step->how = (uint8_t)how;
  step->offset = to.offset;
}

static void step_enter(silicon_case_t *c, target_t to) {
  silicon_step(c, SILICON_STEP_ENTER, 0)->offset = to.offset;
}

/* The far pointer of an indirect transfer is at SILICON_STACK_TOP. */
static void put_pointer(silicon_case_t *c, target_t to, bool narrow) {
  if (narrow) {
    c->stack[0] = to.offset | (uint32_t)to.selector << 16;
  } else {
    c->stack[0] = to.offset;
    c->stack[1] = (c->stack[1] & 0xffff0000) | to.selector;
  }
}

static void jump_or_call(silicon_case_t *c, target_t to, bool narrow, bool indirect, bool call) {
  unsigned size = narrow ? 2 : 4;
  if (indirect) {
    put_pointer(c, to, narrow);
    silicon_emit(c, 3, (const uint8_t[]){0xff, call ? 0x1c : 0x2c, 0x24});
    silicon_step_access(c, 0, MMU_SEG_SS, SILICON_STACK_TOP, size + 2, MMU_READ);
  } else {
    silicon_emit1(c, call ? 0x9a : 0xea);
    silicon_emit32(c, to.offset, size);
    silicon_emit32(c, to.selector, 2);
  }
  step_target(c, MMU_LOAD_CODE_JUMP, to, 0);
  if (call) {
    silicon_step_access(c, 0, MMU_SEG_SS, c->gpr[4] - size, size, MMU_WRITE);
    c->step[c->n_steps - 1].how = SILICON_DATA_CS;
    silicon_step_access(c, 0, MMU_SEG_SS, c->gpr[4] - 2 * size, size, MMU_WRITE);
    c->step[c->n_steps - 1].how = SILICON_DATA_EIP;
  }
  step_enter(c, to);
}

/* RET and IRET pop what lies at SILICON_STACK_TOP. */
static void far_return(silicon_case_t *c, target_t to, bool narrow, form_t form) {
  unsigned size = narrow ? 2 : 4, words = form == FAR_IRET ? 3 : 2;
  put_pointer(c, to, narrow);
  if (narrow)
    c->stack[1] = (c->stack[1] & 0xffff0000) | 0x202;
  else
    c->stack[2] = 0x202;
  if (form == FAR_IRET) silicon_emit1(c, 0xcf);
  if (form == FAR_RETURN) silicon_emit1(c, 0xcb);
  if (form == FAR_RETURN_IMM) silicon_emit(c, 3, (const uint8_t[]){0xca, 0x08, 0x00});
  for (unsigned i = 0; i < words; i++)
    silicon_step_access(c, 0, MMU_SEG_SS, SILICON_STACK_TOP + i * size, size, MMU_READ);
  step_target(c, MMU_LOAD_CODE_RETURN, to, 0);
  step_enter(c, to);
}

void silicon_make_far(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_FAR);
  form_t form = (form_t)rng_below(rng, 5);
  bool narrow = rng_chance(rng, 30), call = rng_chance(rng, 50);
  target_t to = some_target(rng, c, narrow);
  if (narrow) {
    to.offset &= 0xffff;
    silicon_emit1(c, 0x66);
  }
  if (form >= FAR_RETURN) {
    far_return(c, to, narrow, form);
    return;
  }
  if (form == FAR_DIRECT && call && rng_chance(rng, 20)) { /* the pushes meet every kind of page */
    c->gpr[4] = silicon_target(rng) & ~3u;
    c->window = c->gpr[4] - SILICON_WINDOW / 2;
  }
  jump_or_call(c, to, narrow, form == FAR_INDIRECT, call);
}

void silicon_make_execute(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_EXECUTE);
  target_t to = {SILICON_CS, silicon_target(rng)};
  if (rng_chance(rng, 75)) {
    to.offset = some_offset(rng, false);
    c->desc[0] = code_near(rng, to.offset);
    to.selector = silicon_selector(&c->desc[0], 3);
  }
  jump_or_call(c, to, false, false, false);
}
