/*
 * The sections of an explanation, for explain_show alone.
 */
#ifndef MMU86_EXPLAIN_SHOW_H
#define MMU86_EXPLAIN_SHOW_H

#include "explain_pen.h"

/* Where a section goes. */
typedef struct {
  FILE *out;
  const explain_pen_t *pen;
  const explain_report_t *report;
} explain_page_out_t;

/* A row with a formatted text. */
__attribute__((format(printf, 4, 5))) void show_row(const explain_page_out_t *to, explain_mark_t mark, const char *name,
                                                    const char *format, ...);

/* "the operand, its bytes on the second page". buf: 96 bytes. */
char *show_page_name(const explain_page_t *page, char *buf);

void show_segment(const explain_page_out_t *to);
void show_pages(const explain_page_out_t *to);
void show_legal(const explain_page_out_t *to); /* nothing at the exact check level */
void show_sides(const explain_page_out_t *to);
void show_since(const explain_page_out_t *to);

#endif
