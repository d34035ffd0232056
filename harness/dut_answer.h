/*
 * What no answer of a device can hold: values outside of their types, which would lead the harness astray.
 */
#ifndef MMU86_DUT_ANSWER_H
#define MMU86_DUT_ANSWER_H

#include "dut.h"

/* What is wrong: "vector 200". */
typedef struct {
  const char *what; /* NULL: nothing */
  unsigned value;
} dut_oddity_t;

/* Of a response, and of a clock cycle with the responses that are valid after it. */
dut_oddity_t dut_answer_oddity(const mmu_rsp_t *rsp);
dut_oddity_t dut_cycle_oddity(const dut_cycle_t *cycle);

#endif
