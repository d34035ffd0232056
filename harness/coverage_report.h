/*
 * Coverage as people read it, and as the report script does.
 */
#ifndef MMU86_COVERAGE_REPORT_H
#define MMU86_COVERAGE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "coverage.h"

/* A table, a line per group. holes: under it the names of the bins that were not hit. */
void coverage_print(FILE *out, const coverage_t *coverage, bool holes);

/* One line for each unreachable bin that was hit. Returns their number. */
unsigned coverage_print_violations(FILE *out, const coverage_t *coverage);

/* All of it: groups with counts, holes by name, unreachable bins by justification. Returns NULL without memory. */
json_t *coverage_json(const coverage_t *coverage);

/* Hit bins of all reachable ones, in percent. */
double coverage_percent(coverage_count_t count);

#endif
