/*
 * What the native processor did with a case against what a side did, and a case as a person reads it.
 */
#ifndef MMU86_SILICON_COMPARE_H
#define MMU86_SILICON_COMPARE_H

#include <stdio.h>

#include "silicon_cases.h"
#include "silicon_run.h"

/* Returns the parts (SILICON_EVENT ...) of those in ran that differ. */
unsigned silicon_compare(const silicon_case_t *c, const silicon_result_t *native, const silicon_result_t *other,
                         silicon_ran_t ran);

/* The host refused to execute a page for want of PROT_EXEC: 32-bit paging has no such pages. */
bool silicon_is_nx(const silicon_result_t *native);

/* Writes the case and the parts in which the two differ. who: of other. */
void silicon_show(FILE *out, uint32_t number, const silicon_case_t *c, const silicon_result_t *native, const char *who,
                  const silicon_result_t *other, unsigned parts);

#endif
