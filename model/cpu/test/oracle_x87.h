/*
 * Oracle cases for the x87, and what they share with the others.
 */
#ifndef MMU86_ORACLE_X87_H
#define MMU86_ORACLE_X87_H

#include <stdbool.h>

#include "oracle_cases.h"

void oracle_generate_x87(oracle_random_t *random, oracle_case_t *c);

/* Appends n bytes of code. */
static inline void oracle_put(oracle_case_t *c, uint32_t bytes, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    c->code[c->length++] = (uint8_t)(bytes >> 8 * i);
}

static inline uint32_t oracle_below(oracle_random_t *random, uint32_t n) {
  return oracle_random(random) % n;
}

static inline bool oracle_chance(oracle_random_t *random, unsigned percent) {
  return oracle_below(random, 100) < percent;
}

/* Values that find the corners: small ones, ones near a power of two, and any. */
uint32_t oracle_value(oracle_random_t *random);

/* --- oracle_operand.c --- */

/* An address for an operand; inside: never across the end of the page. */
uint32_t oracle_target(oracle_random_t *random, bool inside);
/* ModRM and what follows it. keep: the registers keep their values. With the prefix 67H the segment must be FS. */
void oracle_put_memory(oracle_random_t *random, oracle_case_t *c, unsigned reg, bool inside, bool keep);

#endif
