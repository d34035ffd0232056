/*
 * The page of `mmu86 report`: what is above the pictures, and the pictures in their order. Each picture writes its
 * section, or a line in its place that says what is missing.
 */
#ifndef MMU86_REPORT_PAGE_H
#define MMU86_REPORT_PAGE_H

#include <stdio.h>

#include "diff.h"
#include "report_data.h"

typedef struct {
  const report_data_t *run;
  const report_coverage_t *coverage; /* not there: no coverage */
  const char *coverage_source;       /* where it comes from, if it is there */
  const diff_t *diff;                /* from the baseline to the run; NULL: no baseline */
  const char *baseline;              /* the baseline's name */
} report_page_t;

/* Writes the page: HTML that is well-formed XML too, and needs nothing else. The same input gives the same bytes. */
void report_page(FILE *out, const report_page_t *page);

/* The sections; in report_timeline.c, report_origins.c, report_cycles.c, report_mapping.c, report_covered.c,
 * report_compare.c. */
void report_timeline(FILE *out, const report_data_t *run);
void report_origins(FILE *out, const report_data_t *run);
void report_vectors(FILE *out, const report_data_t *run);
void report_cycles(FILE *out, const report_data_t *run);
void report_mapping(FILE *out, const report_data_t *run);
void report_covered(FILE *out, const report_coverage_t *coverage, const char *source);
void report_compare(FILE *out, const diff_t *diff, const char *baseline);

/* Opens and closes a section. lead: a sentence below its title, escaped here; NULL: none. */
void report_section(FILE *out, const char *id, const char *title, const char *lead);
void report_end_section(FILE *out);

/* The line in the place of a picture. */
void report_missing(FILE *out, const char *why);

#endif
