/*
 * The text pen: 120 columns at most, readable without colour.
 */
#include <string.h>

#include "explain_pen.h"

enum { WIDTH = 120, NAME = 20, SIDE = 46 };

/* Writes text behind what already stands in column `at`, wrapped at blanks, what follows indented to `at`. */
static void wrap(FILE *out, unsigned at, const char *text) {
  size_t room = WIDTH - at;
  for (bool first = true; *text || first; first = false) {
    size_t n = strlen(text), cut = n;
    if (n > room) {
      cut = room;
      while (cut > room / 2 && text[cut] != ' ')
        cut--;
      if (text[cut] != ' ') cut = room;
    }
    fprintf(out, "%*s%.*s\n", first ? 0 : (int)at, "", (int)cut, text);
    text += cut;
    while (*text == ' ')
      text++;
  }
}

static void section(FILE *out, const char *title) {
  fprintf(out, "\n%s\n", title);
}

static void end_section(FILE *out) {
  (void)out;
}

static const char *mark_of(explain_mark_t mark) {
  return mark == MARK_BAD ? "!!" : "  ";
}

static void row(FILE *out, explain_mark_t mark, const char *name, const char *text) {
  fprintf(out, "%s%-*s ", mark_of(mark), NAME, name);
  size_t n = strlen(name);
  wrap(out, (unsigned)(n > NAME ? n : NAME) + 3, text);
}

static void sides(FILE *out, explain_mark_t mark, const char *name, const char *left, const char *right) {
  fprintf(out, "%s %-*s ", mark == MARK_BAD ? ">>" : "  ", NAME, name);
  if (right[0])
    fprintf(out, "%-*s %s\n", SIDE, left, right);
  else
    fprintf(out, "%s\n", left);
}

static void step(FILE *out, unsigned number, const char *result, explain_mark_t mark, const explain_step_t *s,
                 const char *fault) {
  char line[400];
  fprintf(out, "%s%2u %-11s ", mark_of(mark), number, result);
  snprintf(line, sizeof line, "%s%s%s", s->rule, s->section[0] ? "   " : "", s->section);
  wrap(out, 17, line);
  if (s->values[0]) {
    fprintf(out, "%17s", "");
    wrap(out, 17, s->values);
  }
  if (fault[0]) fprintf(out, "%17s-> %s\n", "", fault);
}

static const explain_pen_t pen = {section, end_section, row, sides, step};

void explain_text(FILE *out, const explain_report_t *report) {
  char line[EXPLAIN_TITLE];
  wrap(out, 0, explain_title(report, line));
  explain_show(out, &pen, report);
}
