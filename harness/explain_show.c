#include "explain_show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "decode.h"
#include "explain_words.h"

enum { ROW = 640 };

void show_row(const explain_page_out_t *to, explain_mark_t mark, const char *name, const char *format, ...) {
  char text[ROW];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  to->pen->row(to->out, mark, name, text);
}

char *show_page_name(const explain_page_t *page, char *buf) {
  static const char *const parts[] = {"", ", its bytes on the first page", ", its bytes on the second page"};
  snprintf(buf, 96, "%s%s", page->what, parts[page->part]);
  return buf;
}

char *explain_printable(const char *text, char *buf, unsigned buf_bytes) {
  unsigned n = 0;
  for (; *text && n + 5 < buf_bytes; text++) {
    unsigned char c = (unsigned char)*text;
    if (c >= 0x20 && c < 0x7F)
      buf[n++] = (char)c;
    else
      n += (unsigned)snprintf(buf + n, buf_bytes - n, "\\x%02x", c);
  }
  buf[n] = 0;
  return buf;
}

char *explain_title(const explain_report_t *report, char buf[EXPLAIN_TITLE]) {
  snprintf(buf, EXPLAIN_TITLE, "Transaction %" PRIu64 " of %s", report->number, report->trace);
  return buf;
}

/* What the transaction comes to, as the reference answers. */
static void outcome(const explain_report_t *report, char line[DECODE_LINE]) {
  const mmu_rsp_t *m = report->model;
  const mmu_req_t *req = &report->explanation->req;
  if (m->fault) {
    decode_fault(true, m->vector, m->error_code, m->cr2, line);
  } else if (req->op <= MMU_OP_SYSTEM) {
    int n = snprintf(line, DECODE_LINE, "linear %08" PRIx64 " -> physical %08" PRIx64, m->laddr, m->paddr[0]);
    if (m->split) snprintf(line + n, (size_t)(DECODE_LINE - n), " and %08" PRIx64, m->paddr[1]);
  } else if (req->op == MMU_OP_VERIFY) {
    snprintf(line, DECODE_LINE, "verified = %u", m->verified);
  } else {
    snprintf(line, DECODE_LINE, "no fault%s", m->system ? ", a gate or TSS" : "");
  }
}

char *explain_verdict(const explain_report_t *report, char buf[EXPLAIN_TITLE]) {
  if (!report->dut) {
    snprintf(buf, EXPLAIN_TITLE, "the reference alone");
  } else if (report->dut_error) {
    snprintf(buf, EXPLAIN_TITLE, "THE DUT DOES NOT ANSWER: %s", report->dut_error);
  } else if (!report->differences) {
    snprintf(buf, EXPLAIN_TITLE,
             report->legal ? "the DUT's (%s) answer is legal" : "the reference and the DUT (%s) agree",
             report->dut_name);
  } else {
    size_t n = (size_t)snprintf(buf, EXPLAIN_TITLE, "THE DUT (%s) DIFFERS:", report->dut_name);
    for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
      if (report->differences >> i & 1)
        n += (size_t)snprintf(buf + n, EXPLAIN_TITLE - n, "%s %s", buf[n - 1] == ':' ? "" : ",", lockstep_diff_name(i));
  }
  return buf;
}

static void show_head(const explain_page_out_t *to) {
  const explain_report_t *report = to->report;
  const explanation_t *e = report->explanation;
  const explain_state_t *s = &e->before;
  char line[WORDS_LINE], other[DECODE_LINE], verdict[EXPLAIN_TITLE];
  bool bad = report->differences || report->dut_error;
  to->pen->section(to->out, "The request");
  to->pen->row(to->out, MARK_NONE, "request", words_request(&e->req, line));
  outcome(report, other);
  to->pen->row(to->out, report->model->fault ? MARK_BAD : MARK_GOOD, "outcome", other);
  to->pen->row(to->out, bad ? MARK_BAD : MARK_GOOD, "both sides", explain_verdict(report, verdict));
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
    if (report->self_difference >> i & 1)
      show_row(to, MARK_BAD, "beware",
               "this explanation and the reference differ (%s): one of them is wrong, report it",
               lockstep_diff_name(i));
  if (report->note[0]) to->pen->row(to->out, MARK_BAD, "note", report->note);
  to->pen->row(to->out, MARK_NONE, "mode", words_mode(e, line));
  show_row(to, MARK_NONE, "CR0", "%08" PRIx32 ": %s", s->cr0, words_cr(0, s->cr0, line));
  show_row(to, MARK_NONE, "CR3", "%08" PRIx32 ": page directory at %08" PRIx32, s->cr3, s->cr3 & 0xFFFFF000);
  show_row(to, MARK_NONE, "CR4", "%08" PRIx32 ": %s", s->cr4, words_cr(4, s->cr4, line));
  show_row(to, MARK_NONE, "GDTR, IDTR", "base %08" PRIx32 " limit %04x, base %08" PRIx32 " limit %04x", s->gdtr.base,
           s->gdtr.limit, s->idtr.base, s->idtr.limit);
  if (report->recorded[0]) to->pen->row(to->out, MARK_DIM, "recorded by", report->recorded);
  to->pen->end_section(to->out);
}

static void show_translation(const explain_page_out_t *to, int number, const explain_page_t *page) {
  char title[32], name[96];
  snprintf(title, sizeof title, "translation %d", number + 1);
  show_row(to, MARK_NONE, title, "%s, linear %08" PRIx32, show_page_name(page, name), page->laddr);
}

static void show_steps(const explain_page_out_t *to) {
  static const char *const results[] = {"passes", "FAILS", "not reached", "done"};
  static const explain_mark_t marks[] = {MARK_GOOD, MARK_BAD, MARK_DIM, MARK_NONE};
  const explanation_t *e = to->report->explanation;
  char fault[DECODE_LINE];
  int page = -1;
  to->pen->section(to->out, "Checks and steps, in order");
  for (unsigned i = 0; i < e->n_steps; i++) {
    const explain_step_t *step = &e->step[i];
    if (step->page != page && step->page >= 0) show_translation(to, step->page, &e->page[step->page]);
    page = step->page;
    fault[0] = 0;
    if (step->result == STEP_FAILS && step->otherwise)
      snprintf(fault, sizeof fault, "%s", step->otherwise);
    else if (step->result == STEP_FAILS)
      decode_fault(true, step->vector, step->error_code, e->rsp.cr2, fault);
    to->pen->step(to->out, i + 1, results[step->result], marks[step->result], step, fault);
  }
  to->pen->end_section(to->out);
}

void explain_show(FILE *out, const explain_pen_t *pen, const explain_report_t *report) {
  const explain_page_out_t to = {out, pen, report};
  show_head(&to);
  show_segment(&to);
  show_steps(&to);
  show_pages(&to);
  show_legal(&to);
  show_sides(&to);
  show_since(&to);
}
