/*
 * The cases of the silicon oracle: machine code with the descriptors it runs on, and what it asks of the MMU. The list
 * follows from the seed.
 */
#ifndef MMU86_SILICON_CASES_H
#define MMU86_SILICON_CASES_H

#include "rng.h"
#include "silicon.h"

typedef enum {
  SILICON_LOAD,     /* MOV, POP, LDS ... of every kind of selector */
  SILICON_NULL,     /* accesses through null selectors */
  SILICON_DATA,     /* operands around the limits of LDT segments */
  SILICON_GDT_DATA, /* the same through descriptors in the GDT */
  SILICON_CODE_DATA,
  SILICON_POINTER, /* LDS ... of a far pointer that lies around a limit */
  SILICON_PUSH,    /* PUSH, POP, CALL around the limits of stack segments of either size */
  SILICON_VERIFY,  /* LAR, LSL, VERR, VERW */
  SILICON_ARPL,
  SILICON_FAR,     /* far JMP, CALL, RET, IRET */
  SILICON_EXECUTE, /* instructions around a code segment's limit and on every kind of page */
  SILICON_PAGING,  /* operands on every kind of page */
  SILICON_ALIGN,   /* the same with EFLAGS.AC = 1, and around limits */
  SILICON_INT,     /* INT n */
  SILICON_STRING,  /* from here on: for the emulator alone */
  SILICON_NEAR,
  SILICON_DOUBLE,
  SILICON_CATEGORIES,
} silicon_category_t;

const char *silicon_category_name(unsigned category);

/* Its cases have no steps: only the emulator can run them. */
static inline bool silicon_code_only(unsigned category) {
  return category >= SILICON_STRING;
}

/* Makes the cases. Returns how many; *cases is freed by the caller; NULL without memory. */
uint32_t silicon_generate(uint64_t seed, silicon_case_t **cases);

/* Parts: silicon_far.c. Each makes one case of its category. */
void silicon_make_far(rng_t *rng, silicon_case_t *c);
void silicon_make_execute(rng_t *rng, silicon_case_t *c);

/* Parts: silicon_loads.c. Selector number i of a list of all forms; form: how it is loaded. */
enum { SILICON_LISTED = (32 + 20 + 8) * 4, SILICON_LOAD_FORMS = 6 };
void silicon_make_load(rng_t *rng, silicon_case_t *c, unsigned i, unsigned seg, unsigned form);
void silicon_make_random_load(rng_t *rng, silicon_case_t *c);
/* i: past the list for a random selector. how: mmu_verify_t. */
void silicon_make_verify(rng_t *rng, silicon_case_t *c, unsigned i, unsigned how);
void silicon_make_arpl(rng_t *rng, silicon_case_t *c);
void silicon_make_int(rng_t *rng, silicon_case_t *c, unsigned vector);

/* Parts: silicon_whole.c. */
void silicon_make_string(rng_t *rng, silicon_case_t *c);
void silicon_make_near(rng_t *rng, silicon_case_t *c);
void silicon_make_double(rng_t *rng, silicon_case_t *c);

/* Parts: silicon_build.c. */

/* An empty case: no descriptors, noise in the registers, ESP at SILICON_STACK_TOP. */
void silicon_begin(rng_t *rng, silicon_case_t *c, silicon_category_t category);

/* Appends machine code. */
void silicon_emit(silicon_case_t *c, unsigned n, const uint8_t *bytes);
void silicon_emit1(silicon_case_t *c, uint8_t byte);
void silicon_emit32(silicon_case_t *c, uint32_t value, unsigned bytes);

/* Appends a step of the instruction that begins at code[at]. Returns it. */
silicon_step_t *silicon_step(silicon_case_t *c, silicon_step_kind_t kind, unsigned at);
void silicon_step_access(silicon_case_t *c, unsigned at, unsigned seg, uint32_t offset, unsigned size, unsigned access);
void silicon_step_load(silicon_case_t *c, unsigned at, unsigned seg, uint16_t selector);

/* Appends MOV seg, CX with this selector in CX. seg: ES, SS, DS, FS, GS. */
void silicon_move_to_segment(silicon_case_t *c, unsigned seg, uint16_t selector);

/* The override prefix of a segment register. */
uint8_t silicon_prefix(unsigned seg);

/* A descriptor of any type that modify_ldt accepts, its limit of an interesting value. */
silicon_desc_t silicon_random_desc(rng_t *rng, unsigned entry);

/* ES, DS, FS, GS or SS. */
unsigned silicon_data_segment(rng_t *rng);

/* The limit in bytes. */
uint32_t silicon_limit(const silicon_desc_t *d);

/* An offset near an edge of the segment, for an operand of size bytes. */
uint32_t silicon_edge(rng_t *rng, const silicon_desc_t *d, unsigned size);

/* A linear address in the arena, mostly near a page boundary. */
uint32_t silicon_target(rng_t *rng);

/* The table that entry stands in, as a selector. */
uint16_t silicon_selector(const silicon_desc_t *d, unsigned rpl);

#endif
