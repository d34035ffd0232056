/*
 * The run beside a baseline: what mmu86 diff says of the two.
 */
#include <math.h>
#include <string.h>

#include "report_draw.h"
#include "report_page.h"

enum {
  ROW = 24,
  TOP = 40,
  NAME = 240,
  BEFORE = 370,
  AFTER = 500,
  MIDDLE = 770,
  BAR = 230,
  PERCENT = 1130,
  BARS = 16,
  ROWS = 400
};

/* A change that can be drawn: of a whole figure, in percent. */
static bool is_drawn(const diff_entry_t *e) {
  return e->group != DIFF_TIME && e->group != DIFF_CONTEXT && e->has_percent && !e->by_origin &&
         strncmp(e->path, "cycle_histogram/", 16) != 0 && isfinite(e->percent);
}

static void draw_number(FILE *out, double x, double y, const json_t *number) {
  char text[DRAW_NUMBER];
  draw_text(out, x, y, DRAW_END, "value", draw_decimal(json_number_value(number), text), 18);
}

/* Small changes beside large ones: the bars are logarithmic. */
static void draw_change(FILE *out, const diff_entry_t *e, double most, double y) {
  char text[320], percent[DRAW_NUMBER];
  const char *sign = e->percent < 0 ? "-" : "+";
  double width = BAR * log1p(fabs(e->percent)) / log1p(most), middle = y + ROW / 2.0 + 4;
  draw_text(out, NAME, middle, DRAW_END, "label", e->path, 32);
  draw_number(out, BEFORE, middle, e->a);
  draw_number(out, AFTER, middle, e->b);
  draw_decimal(fabs(e->percent), percent);
  snprintf(text, sizeof text, "%.200s: %s%s %%", e->path, sign, percent);
  draw_box(out, e->percent < 0 ? MIDDLE - width : MIDDLE, y + 4, width, ROW - 8,
           e->percent < 0 ? "fill a bar-change" : "fill c bar-change", text);
  snprintf(text, sizeof text, "%s%s %%", sign, percent);
  draw_text(out, PERCENT, middle, DRAW_END, "value", text, 16);
}

static void draw_changes(FILE *out, const diff_t *diff) {
  const diff_entry_t *drawn[BARS];
  unsigned n = 0;
  double most = 1e-9;
  for (size_t i = 0; i < diff->count && n < BARS; i++) {
    if (!is_drawn(&diff->entries[i])) continue;
    drawn[n++] = &diff->entries[i];
    if (fabs(drawn[n - 1]->percent) > most) most = fabs(drawn[n - 1]->percent);
  }
  if (n == 0) return;
  draw_begin(out, "chart-compare", TOP + ROW * (int)n + 10,
             "Changes from the baseline to this run in percent, as bars");
  draw_text(out, BEFORE, 22, DRAW_END, "head", "baseline", 20);
  draw_text(out, AFTER, 22, DRAW_END, "head", "this run", 20);
  draw_text(out, MIDDLE - 8, 22, DRAW_END, "head", "less", 40);
  draw_text(out, MIDDLE + 8, 22, DRAW_START, "head", "more (logarithmic)", 40);
  draw_text(out, PERCENT, 22, DRAW_END, "head", "change", 20);
  for (unsigned i = 0; i < n; i++)
    draw_change(out, drawn[i], most, TOP + ROW * i);
  draw_line(out, MIDDLE, TOP - 6, MIDDLE, TOP + ROW * n + 4, "axis");
  draw_end(out);
}

static void value(FILE *out, const json_t *v) {
  if (!v)
    draw_cell(out, "-");
  else if (json_is_string(v))
    draw_cell(out, json_string_value(v));
  else if (json_is_integer(v) && json_integer_value(v) >= 0)
    draw_count(out, (uint64_t)json_integer_value(v));
  else if (json_is_number(v))
    draw_value(out, json_number_value(v));
  else
    draw_cell(out, json_is_true(v)     ? "true"
                   : json_is_false(v)  ? "false"
                   : json_is_object(v) ? "{...}"
                   : json_is_array(v)  ? "[...]"
                                       : "null");
}

static void changes_table(FILE *out, const diff_t *diff) {
  static const char *const heads[] = {"", "value", "baseline", "this run", "change, %"};
  static const char *const groups[DIFF_GROUPS] = {"function", "performance", "other", "time", "context"};
  unsigned n = 0;
  draw_table(out, "All differences as a table", heads, sizeof heads / sizeof *heads);
  for (size_t i = 0; i < diff->count && n < ROWS; i++) {
    const diff_entry_t *e = &diff->entries[i];
    if (e->group == DIFF_TIME || e->group == DIFF_CONTEXT) continue;
    n++;
    draw_row(out);
    draw_cell(out, groups[e->group]);
    draw_cell(out, e->path);
    value(out, e->a);
    value(out, e->b);
    if (e->has_percent && isfinite(e->percent))
      draw_value(out, e->percent);
    else
      draw_cell(out, "");
    draw_end_row(out);
  }
  draw_end_table(out);
}

void report_compare(FILE *out, const diff_t *diff, const char *baseline) {
  char lead[400];
  if (diff)
    snprintf(lead, sizeof lead, "%s %.200s: %zu values of function, %zu of performance, %zu others differ.",
             diff_matters(diff) ? "DIFFERENT from" : "The same as", baseline, diff->differ[DIFF_FUNCTION],
             diff->differ[DIFF_PERFORMANCE], diff->differ[DIFF_OTHER]);
  report_section(out, "compare", "Beside the baseline", diff ? lead : NULL);
  if (!diff) {
    report_missing(out, "No baseline was given (--baseline FILE).");
  } else if (diff_matters(diff)) {
    draw_changes(out, diff);
    changes_table(out, diff);
  }
  report_end_section(out);
}
