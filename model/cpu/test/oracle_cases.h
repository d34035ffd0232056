/*
 * Generates oracle cases: one instruction each, with registers, flags and memory to run it on.
 */
#ifndef MMU86_ORACLE_CASES_H
#define MMU86_ORACLE_CASES_H

#include "oracle.h"

/* A stream of random numbers; equal seeds give equal cases. */
typedef struct {
  uint64_t state;
} oracle_random_t;

uint32_t oracle_random(oracle_random_t *random);

/* Makes the next case. */
void oracle_generate(oracle_random_t *random, oracle_case_t *c);

#endif
