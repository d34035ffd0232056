/*
 * A short list of records as a person reads it, and as C.
 */
#ifndef MMU86_SHRINK_STEPS_H
#define MMU86_SHRINK_STEPS_H

#include <stdio.h>

#include "decode.h"
#include "shrink.h"

/* One record: what it does, and what it means or what the reference answers. */
typedef struct {
  char what[DECODE_LINE], note[DECODE_LINE];
} shrink_step_t;

/* Replays the list, which fails in its last record, and describes each. Returns an array that the caller frees. */
shrink_step_t *shrink_steps(const bench_env_t *env, const records_t *list);

/* What the generated files say of themselves. */
typedef struct {
  const char *name;  /* an identifier: of the test case and of the function */
  const char *title; /* one line: what failed, on what */
  const bench_env_t *env;
  const records_t *list;
  const shrink_step_t *steps; /* of list */
} shrink_text_t;

/* A Check test against libmmu86, the rig and the RTL, to be compiled in this repository. (shrink_check.c) */
void shrink_write_check(FILE *out, const shrink_text_t *text);

/* C for a 32-bit guest, to be compiled with sw/include. (shrink_guest.c) */
void shrink_write_guest(FILE *out, const shrink_text_t *text);

#endif
