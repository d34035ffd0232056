/*
 * How an explanation is written down: the same content as text or as a page. explain_show.c says what, a pen how.
 */
#ifndef MMU86_EXPLAIN_PEN_H
#define MMU86_EXPLAIN_PEN_H

#include <stdio.h>

#include "explain.h"
#include "explain_legal.h"
#include "explain_since.h"
#include "lockstep.h"

typedef enum {
  MARK_NONE = 0,
  MARK_GOOD, /* passes */
  MARK_BAD,  /* fails, differs */
  MARK_DIM,  /* not reached, not read */
} explain_mark_t;

typedef struct {
  void (*section)(FILE *out, const char *title);
  void (*end_section)(FILE *out);
  /* A name and what it is. */
  void (*row)(FILE *out, explain_mark_t mark, const char *name, const char *text);
  /* A name and two sides. */
  void (*sides)(FILE *out, explain_mark_t mark, const char *name, const char *left, const char *right);
  /* A step. fault: what it ends in, or "". */
  void (*step)(FILE *out, unsigned number, const char *result, explain_mark_t mark, const explain_step_t *step,
               const char *fault);
} explain_pen_t;

/* All there is to say about one transaction. */
typedef struct {
  const explanation_t *explanation;
  const explain_since_t *since;
  const explain_legal_t *legal; /* at the architectural check level; else NULL */
  uint64_t number;
  const char *trace, *recorded; /* the file; the command that made it; both printable */
  const mmu_rsp_t *model;
  const mmu_rsp_t *dut;     /* NULL: no DUT */
  const char *dut_name;     /* "" without one */
  const char *dut_error;    /* it has hung or broken its protocol; NULL if not */
  unsigned differences;     /* lockstep_diff_t */
  unsigned self_difference; /* between the explainer and the reference: a bug of one of them */
  const char *note;         /* one more line at the top; "" if there is none */
} explain_report_t;

/* Writes all sections. */
void explain_show(FILE *out, const explain_pen_t *pen, const explain_report_t *report);

/* "transaction 5 of boot.trace", the request, the outcome: the head of both forms. */
enum { EXPLAIN_TITLE = 4400 };
char *explain_title(const explain_report_t *report, char buf[EXPLAIN_TITLE]);
char *explain_verdict(const explain_report_t *report, char buf[EXPLAIN_TITLE]);

/* Writes the whole as text of at most 120 columns; as one HTML page without external resources. */
void explain_text(FILE *out, const explain_report_t *report);
void explain_html(FILE *out, const explain_report_t *report);

/* Writes text with the characters that HTML takes for itself escaped. */
void explain_escape(FILE *out, const char *text);

/* The picture, as an SVG element. */
void explain_picture(FILE *out, const explain_report_t *report);

/* Copies text, what is not printable ASCII as \xNN; cut at the buffer's end. Returns buf. */
char *explain_printable(const char *text, char *buf, unsigned buf_bytes);

#endif
