#include "silicon_cases.h"

#include <stdlib.h>

#include "mmu.h"

enum {
  RANDOM_LOADS = 2000,
  NULLS = 500,
  DATA = 26000,
  GDT_DATA = 3000,
  CODE_DATA = 3000,
  POINTERS = 3000,
  PUSHES = 8000,
  RANDOM_VERIFIES = 2000,
  ARPLS = 500,
  FARS = 10000,
  EXECUTES = 5000,
  PAGINGS = 8000,
  ALIGNS = 10000,
  STRINGS = 6000,
  NEARS = 3000,
  DOUBLES = 8000,
};

const char *silicon_category_name(unsigned category) {
  static const char *const names[SILICON_CATEGORIES] = {
      "load a segment register",
      "null segment used",
      "operand in an LDT segment",
      "operand in a GDT segment",
      "operand in a code segment",
      "far pointer",
      "push, pop, call",
      "LAR LSL VERR VERW",
      "ARPL",
      "far transfer",
      "instruction fetch",
      "paging",
      "alignment",
      "INT n",
      "string instructions",
      "near transfers",
      "several references",
  };
  return category < SILICON_CATEGORIES ? names[category] : "?";
}

/* --- operands --- */

typedef enum { READ, WRITE, MODIFY } use_t;

static const uint8_t sizes[] = {1, 2, 4, 4, 8, 10};

/* An operand of size bytes at seg:[EBX]. */
static void emit_operand(silicon_case_t *c, unsigned seg, unsigned size, use_t use, uint32_t offset) {
  static const uint8_t narrow[3] = {0x8a, 0x88, 0x00}, wide[3] = {0x8b, 0x89, 0x01};      /* MOV, MOV, ADD with EAX */
  if (use == WRITE && size == 8) silicon_emit(c, 3, (const uint8_t[]){0x0f, 0x6e, 0xc0}); /* MOVD MM0, EAX */
  if (use == WRITE && size == 10) silicon_emit(c, 2, (const uint8_t[]){0xd9, 0xe8});      /* FLD1 */
  unsigned at = c->length, how = SILICON_DATA_EAX;
  c->gpr[3] = offset;
  silicon_emit1(c, silicon_prefix(seg));
  if (size == 2) silicon_emit1(c, 0x66);
  if (size == 10) { /* FLD, FSTP m80 */
    silicon_emit(c, 2, (const uint8_t[]){0xdb, use == READ ? 0x2b : 0x3b});
    how = SILICON_DATA_ST0;
  } else if (size == 8 && use == MODIFY) { /* CMPXCHG8B: finds something else, loads it and writes it back */
    silicon_emit(c, 3, (const uint8_t[]){0x0f, 0xc7, 0x0b});
    how = SILICON_DATA_PAIR;
  } else if (size == 8) { /* MOVQ */
    silicon_emit(c, 3, (const uint8_t[]){0x0f, use == READ ? 0x6f : 0x7f, 0x03});
    how = SILICON_DATA_ST0;
  } else {
    silicon_emit(c, 2, (const uint8_t[]){(size == 1 ? narrow : wide)[use], 0x03});
  }
  silicon_step_access(c, at, seg, offset, size, use == READ ? MMU_READ : MMU_WRITE);
  c->step[c->n_steps - 1].rmw = use == MODIFY;
  c->step[c->n_steps - 1].how = (uint8_t)how;
}

static use_t some_use(rng_t *rng, unsigned size) {
  return (use_t)rng_below(rng, size == 10 ? 2 : 3);
}

/* Lets offset of the segment lie at a linear address of the arena. */
static void aim(rng_t *rng, silicon_case_t *c, silicon_desc_t *d, uint32_t offset) {
  uint32_t target = silicon_target(rng);
  d->base = target - offset;
  c->window = target - SILICON_WINDOW / 2;
}

static void make_data(rng_t *rng, silicon_case_t *c, silicon_category_t category) {
  silicon_begin(rng, c, category);
  unsigned seg = silicon_data_segment(rng), size = sizes[rng_below(rng, sizeof sizes)];
  silicon_desc_t *d = &c->desc[0];
  *d = silicon_random_desc(rng, 1);
  if (category == SILICON_GDT_DATA) { /* set_thread_area takes less */
    d->entry = (uint16_t)(SILICON_IN_GDT | (SILICON_TLS_FIRST + rng_below(rng, 3)));
    d->bits = (uint16_t)((d->bits & (SILICON_EXPAND_DOWN | SILICON_LESS | SILICON_PAGES | SILICON_AVL)) | SILICON_BIG);
  }
  if (seg == MMU_SEG_SS && rng_chance(rng, 80)) d->bits &= (uint16_t) ~(SILICON_LESS | SILICON_IS_CODE);
  uint32_t offset = silicon_edge(rng, d, size);
  aim(rng, c, d, offset);
  silicon_move_to_segment(c, seg, silicon_selector(d, 3));
  emit_operand(c, seg, size, some_use(rng, size), offset);
}

static void make_null(rng_t *rng, silicon_case_t *c) {
  static const uint8_t segments[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  silicon_begin(rng, c, SILICON_NULL);
  unsigned seg = segments[rng_below(rng, 4)], size = sizes[rng_below(rng, sizeof sizes)];
  uint32_t target = silicon_target(rng);
  c->window = target - SILICON_WINDOW / 2;
  if (seg < MMU_SEG_FS || rng_chance(rng, 70)) silicon_move_to_segment(c, seg, (uint16_t)rng_below(rng, 4));
  emit_operand(c, seg, size, some_use(rng, size), target);
}

static void make_paging(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_PAGING);
  unsigned size = sizes[rng_below(rng, sizeof sizes)];
  uint32_t target = silicon_target(rng);
  c->window = target - SILICON_WINDOW / 2;
  unsigned seg = rng_below(rng, 2) ? MMU_SEG_DS : MMU_SEG_ES;
  emit_operand(c, seg, size, some_use(rng, size), target);
}

static void make_align(rng_t *rng, silicon_case_t *c) {
  if (rng_chance(rng, 40))
    make_data(rng, c, SILICON_DATA);
  else if (rng_chance(rng, 10))
    make_null(rng, c);
  else
    make_paging(rng, c);
  c->category = SILICON_ALIGN;
  c->eflags = 1u << 18;
}

/* Code goes on in a segment of the LDT, and reads or writes through CS. */
static void make_code_data(rng_t *rng, silicon_case_t *c) {
  enum { JUMP_BYTES = 7 };
  silicon_begin(rng, c, SILICON_CODE_DATA);
  unsigned size = sizes[rng_below(rng, sizeof sizes)];
  silicon_desc_t *d = &c->desc[0];
  *d = silicon_random_desc(rng, 1);
  d->bits = (uint16_t)((d->bits & (SILICON_LESS | SILICON_PAGES)) | SILICON_IS_CODE | SILICON_BIG);
  if (rng_chance(rng, 70)) d->bits &= (uint16_t)~SILICON_LESS;
  if (silicon_limit(d) < 0x100) d->limit = 0x800; /* room for the code */
  d->base = SILICON_CODE;
  uint16_t selector = silicon_selector(d, 3);
  uint32_t offset = rng_chance(rng, 50) ? silicon_target(rng) - d->base : silicon_edge(rng, d, size);
  if (offset < SILICON_PAGE) offset += SILICON_PAGE; /* not the code itself */
  silicon_emit1(c, 0xea);
  silicon_emit32(c, JUMP_BYTES, 4);
  silicon_emit32(c, selector, 2);
  silicon_step_t *target = silicon_step(c, SILICON_STEP_TARGET, 0);
  target->selector = selector;
  target->how = MMU_LOAD_CODE_JUMP;
  target->offset = JUMP_BYTES;
  silicon_step_t *enter = silicon_step(c, SILICON_STEP_ENTER, 0);
  enter->offset = JUMP_BYTES;
  enter->how = JUMP_BYTES;
  uint32_t linear = d->base + offset;
  if (linear - SILICON_LOW >= SILICON_END - SILICON_LOW) { /* somebody else's memory */
    linear = silicon_target(rng);
    offset = linear - d->base;
  }
  c->window = linear - SILICON_WINDOW / 2;
  emit_operand(c, MMU_SEG_CS, size, some_use(rng, size), offset);
}

/* The selector of the far pointer is what memory holds there. */
static void make_pointer(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_POINTER);
  static const uint8_t from[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  unsigned seg = from[rng_below(rng, 4)], to = silicon_data_segment(rng);
  bool narrow = rng_chance(rng, 40);
  unsigned size = narrow ? 4 : 6;
  c->desc[0] = silicon_random_desc(rng, 1);
  if (rng_chance(rng, 50)) c->desc[0].bits &= (uint16_t) ~(SILICON_IS_CODE | SILICON_ABSENT);
  uint32_t offset = silicon_edge(rng, &c->desc[0], size);
  aim(rng, c, &c->desc[0], offset);
  uint32_t linear = c->desc[0].base + offset + size - 2;
  uint16_t selector = (uint16_t)(silicon_content(linear) | silicon_content(linear + 1) << 8);
  if (rng_chance(rng, 25)) c->eflags = 1u << 18;
  silicon_move_to_segment(c, seg, silicon_selector(&c->desc[0], 3));
  unsigned at = c->length;
  c->gpr[3] = offset;
  silicon_emit1(c, silicon_prefix(seg));
  if (narrow) silicon_emit1(c, 0x66);
  static const uint8_t pointers[] = {0xc4, 0, 0xb2, 0xc5, 0xb4, 0xb5};
  if (to >= MMU_SEG_FS || to == MMU_SEG_SS) silicon_emit1(c, 0x0f);
  silicon_emit(c, 2, (const uint8_t[]){pointers[to], 0x03});
  silicon_step_access(c, at, seg, offset, size, MMU_READ);
  c->step[c->n_steps - 1].how = SILICON_DATA_POINTER;
  if (narrow) c->step[c->n_steps - 1].align = 1; /* a 16:16 pointer is two words */
  silicon_step_load(c, at, to, selector);
}

/* --- stacks --- */

static void make_push(rng_t *rng, silicon_case_t *c) {
  silicon_begin(rng, c, SILICON_PUSH);
  silicon_desc_t *d = &c->desc[0];
  *d = silicon_random_desc(rng, 1);
  d->bits &= (uint16_t) ~(SILICON_LESS | SILICON_IS_CODE | (rng_chance(rng, 90) ? SILICON_ABSENT : 0));
  bool narrow = rng_chance(rng, 40), push = rng_chance(rng, 60), flat = rng_chance(rng, 15);
  unsigned size = narrow ? 2 : 4;
  uint32_t mask = d->bits & SILICON_BIG || flat ? 0xffffffff : 0xffff;
  uint32_t offset;
  if (flat) {
    offset = silicon_target(rng);
    c->window = offset - SILICON_WINDOW / 2;
    d->entry = SILICON_NO_ENTRY;
  } else {
    offset = silicon_edge(rng, d, size) & mask;
    aim(rng, c, d, offset);
    silicon_move_to_segment(c, MMU_SEG_SS, silicon_selector(d, 3));
  }
  if (rng_chance(rng, 20)) c->eflags = 1u << 18;
  c->gpr[4] = (c->gpr[4] & ~mask) | ((push ? offset + size : offset) & mask);
  if (mask == 0xffff) c->gpr[4] |= (uint32_t)rng_next(rng) & 0xffff0000;
  unsigned at = c->length;
  bool call = push && !narrow && rng_chance(rng, 25);
  if (narrow) silicon_emit1(c, 0x66);
  if (call) {
    silicon_emit1(c, 0xe8); /* CALL of what follows */
    silicon_emit32(c, 0, 4);
  } else {
    silicon_emit1(c, push ? 0x50 : 0x58); /* EAX */
  }
  silicon_step_access(c, at, MMU_SEG_SS, offset, size, push ? MMU_WRITE : MMU_READ);
  c->step[c->n_steps - 1].how = call ? SILICON_DATA_EIP : SILICON_DATA_EAX;
}

/* --- the list --- */

enum { MAX = 120000 };

static silicon_case_t *make_listed(rng_t *rng, silicon_case_t *c) {
  static const uint8_t segments[] = {MMU_SEG_ES, MMU_SEG_SS, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  for (unsigned i = 0; i < SILICON_LISTED; i++) {
    for (unsigned s = 0; s < sizeof segments; s++)
      for (unsigned form = 0; form < SILICON_LOAD_FORMS; form++)
        silicon_make_load(rng, c++, i, segments[s], form);
    for (unsigned how = 0; how < 4; how++)
      silicon_make_verify(rng, c++, i, how);
  }
  for (unsigned vector = 0; vector < 256; vector++)
    if (vector != 0x80) silicon_make_int(rng, c++, vector); /* 80H is a system call */
  return c;
}

uint32_t silicon_generate(uint64_t seed, silicon_case_t **cases) {
  rng_t rng = {seed};
  silicon_case_t *c = *cases = calloc(MAX, sizeof *c);
  if (!c) return 0;
  c = make_listed(&rng, c);
  for (unsigned i = 0; i < RANDOM_LOADS; i++)
    silicon_make_random_load(&rng, c++);
  for (unsigned i = 0; i < NULLS; i++)
    make_null(&rng, c++);
  for (unsigned i = 0; i < DATA; i++)
    make_data(&rng, c++, SILICON_DATA);
  for (unsigned i = 0; i < GDT_DATA; i++)
    make_data(&rng, c++, SILICON_GDT_DATA);
  for (unsigned i = 0; i < CODE_DATA; i++)
    make_code_data(&rng, c++);
  for (unsigned i = 0; i < POINTERS; i++)
    make_pointer(&rng, c++);
  for (unsigned i = 0; i < PUSHES; i++)
    make_push(&rng, c++);
  for (unsigned i = 0; i < RANDOM_VERIFIES; i++)
    silicon_make_verify(&rng, c++, SILICON_LISTED, rng_below(&rng, 4));
  for (unsigned i = 0; i < ARPLS; i++)
    silicon_make_arpl(&rng, c++);
  for (unsigned i = 0; i < FARS; i++)
    silicon_make_far(&rng, c++);
  for (unsigned i = 0; i < EXECUTES; i++)
    silicon_make_execute(&rng, c++);
  for (unsigned i = 0; i < PAGINGS; i++)
    make_paging(&rng, c++);
  for (unsigned i = 0; i < ALIGNS; i++)
    make_align(&rng, c++);
  for (unsigned i = 0; i < STRINGS; i++)
    silicon_make_string(&rng, c++);
  for (unsigned i = 0; i < NEARS; i++)
    silicon_make_near(&rng, c++);
  for (unsigned i = 0; i < DOUBLES; i++)
    silicon_make_double(&rng, c++);
  return (uint32_t)(c - *cases);
}
