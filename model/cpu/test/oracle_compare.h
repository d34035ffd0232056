/*
 * Compares what two processors made of an oracle case, and shows the difference.
 */
#ifndef MMU86_ORACLE_COMPARE_H
#define MMU86_ORACLE_COMPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "oracle.h"

bool oracle_equal(const oracle_case_t *c, const oracle_result_t *host, const oracle_result_t *emulator);
void oracle_show(FILE *out, const oracle_case_t *c, const oracle_result_t *host, const oracle_result_t *emulator);

#endif
