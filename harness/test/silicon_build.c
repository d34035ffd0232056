#include <string.h>

#include "mmu.h"
#include "silicon_cases.h"

void silicon_begin(rng_t *rng, silicon_case_t *c, silicon_category_t category) {
  memset(c, 0, sizeof *c);
  c->category = (uint8_t)category;
  c->desc[0].entry = c->desc[1].entry = SILICON_NO_ENTRY;
  for (unsigned i = 0; i < 8; i++)
    c->gpr[i] = (uint32_t)rng_next(rng);
  c->gpr[4] = SILICON_STACK_TOP;
  for (unsigned i = 0; i < SILICON_STACK_WORDS; i++)
    c->stack[i] = (uint32_t)rng_next(rng);
  c->window = SILICON_STACK_TOP - SILICON_WINDOW / 2;
}

void silicon_emit(silicon_case_t *c, unsigned n, const uint8_t *bytes) {
  memcpy(c->code + c->length, bytes, n);
  c->length = (uint8_t)(c->length + n);
}

void silicon_emit1(silicon_case_t *c, uint8_t byte) {
  silicon_emit(c, 1, &byte);
}

void silicon_emit32(silicon_case_t *c, uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++)
    silicon_emit1(c, (uint8_t)(value >> 8 * i));
}

silicon_step_t *silicon_step(silicon_case_t *c, silicon_step_kind_t kind, unsigned at) {
  silicon_step_t *step = &c->step[c->n_steps++];
  step->kind = (uint8_t)kind;
  step->at = (uint8_t)at;
  return step;
}

void silicon_step_access(silicon_case_t *c, unsigned at, unsigned seg, uint32_t offset, unsigned size,
                         unsigned access) {
  silicon_step_t *step = silicon_step(c, SILICON_STEP_ACCESS, at);
  step->seg = (uint8_t)seg;
  step->offset = offset;
  step->size = (uint8_t)size;
  step->access = (uint8_t)access;
  step->align = size == 2 ? 1 : size == 4 || size == 6 ? 2 : size >= 8 ? 3 : 0;
}

void silicon_step_load(silicon_case_t *c, unsigned at, unsigned seg, uint16_t selector) {
  silicon_step_t *step = silicon_step(c, SILICON_STEP_LOAD, at);
  step->seg = (uint8_t)seg;
  step->selector = selector;
}

void silicon_move_to_segment(silicon_case_t *c, unsigned seg, uint16_t selector) {
  silicon_step_load(c, c->length, seg, selector);
  c->gpr[1] = (c->gpr[1] & 0xffff0000) | selector;
  silicon_emit(c, 2, (const uint8_t[]){0x8e, (uint8_t)(0xc1 | seg << 3)});
}

uint8_t silicon_prefix(unsigned seg) {
  static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
  return prefixes[seg];
}

uint32_t silicon_limit(const silicon_desc_t *d) {
  return d->bits & SILICON_PAGES ? d->limit << 12 | 0xfff : d->limit;
}

/* The kernel takes conforming code only if it is not present. */
silicon_desc_t silicon_random_desc(rng_t *rng, unsigned entry) {
  static const uint32_t bytes[] = {0, 1, 2, 3, 7, 9, 0xffe, 0xfff, 0x1000, 0xfffe, 0xffff, 0x10000, 0x10003, 0xfffff};
  static const uint32_t pages[] = {0, 0, 1, 0xe, 0xf, 0x10, 0x7ffff, 0x80000, 0xffffe, 0xfffff, 0xfffff};
  silicon_desc_t d = {.entry = (uint16_t)entry, .base = (uint32_t)rng_next(rng)};
  d.bits = (uint16_t)(rng_below(rng, 128) & ~SILICON_ABSENT);
  if (rng_chance(rng, 60)) d.bits &= (uint16_t)~SILICON_IS_CODE;
  if (rng_chance(rng, 3) || (d.bits & SILICON_CONTENTS) == SILICON_CONFORMING) d.bits |= SILICON_ABSENT;
  if (rng_chance(rng, 30))
    d.limit = rng_below(rng, 1 << 20);
  else if (d.bits & SILICON_PAGES)
    d.limit = pages[rng_below(rng, sizeof pages / sizeof *pages)];
  else
    d.limit = bytes[rng_below(rng, sizeof bytes / sizeof *bytes)];
  return d;
}

uint32_t silicon_edge(rng_t *rng, const silicon_desc_t *d, unsigned size) {
  uint32_t around = rng_below(rng, size + 6);
  switch (rng_below(rng, 8)) {
  case 0:
  case 1:
  case 2:
    return silicon_limit(d) + 3 - around;
  case 3:
    return silicon_limit(d) + 1 - size; /* the last operand of an expand-up segment */
  case 4:
    return silicon_limit(d) + 1; /* the first of an expand-down segment */
  case 5:
    return 0x10000 + 3 - around;
  case 6:
    return rng_chance(rng, 50) ? 3 - around : rng_below(rng, 8);
  default:
    return rng_below(rng, 2) ? rng_below(rng, 0x12000) : (uint32_t)rng_next(rng);
  }
}

uint32_t silicon_target(rng_t *rng) {
  uint32_t page = SILICON_ARENA + rng_below(rng, SILICON_ARENA_PAGES) * SILICON_PAGE;
  if (rng_chance(rng, 55)) return page + SILICON_PAGE - rng_below(rng, 12);
  return page + (rng_chance(rng, 20) ? rng_below(rng, 9) : rng_below(rng, SILICON_PAGE));
}

uint16_t silicon_selector(const silicon_desc_t *d, unsigned rpl) {
  unsigned index = d->entry & (SILICON_LDT_ENTRIES - 1);
  return (uint16_t)(index << 3 | (d->entry & SILICON_IN_GDT ? 0 : 4) | rpl);
}

unsigned silicon_data_segment(rng_t *rng) {
  static const uint8_t segments[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS, MMU_SEG_DS, MMU_SEG_SS};
  return segments[rng_below(rng, 6)];
}
