/*
 * Coverage: a bar for each functional group and for the RTL's and the model's code.
 */
#include <math.h>

#include "report_draw.h"
#include "report_page.h"

enum { ROW = 24, TOP = 36, COLUMN = DRAW_WIDTH / 2, NAME = 150, BAR = 240 };

static double percent_of(const report_group_t *group) {
  return group->bins ? 100 * (double)group->hit / (double)group->bins : 100;
}

static void draw_group(FILE *out, const report_group_t *group, double x, double y) {
  char text[240], hit[DRAW_NUMBER], bins[DRAW_NUMBER], unreachable[DRAW_NUMBER];
  bool full = group->hit == group->bins;
  draw_grouped(group->hit, hit);
  draw_grouped(group->bins, bins);
  draw_text(out, x + NAME - 10, y + ROW / 2.0 + 4, DRAW_END, "label", group->name, 19);
  snprintf(text, sizeof text, "%.60s: %s of %s, %s unreachable", group->name, hit, bins,
           draw_grouped(group->unreachable, unreachable));
  draw_box(out, x + NAME, y + 5, BAR, ROW - 10, "track", NULL);
  draw_box(out, x + NAME, y + 5, BAR * percent_of(group) / 100, ROW - 10,
           full ? "fill d bar-coverage" : "fill a bar-coverage", text);
  /* Not rounded up to all of them. */
  snprintf(text, sizeof text, "%.1f %% (%s of %s)", full ? 100 : floor(10 * percent_of(group)) / 10, hit, bins);
  draw_text(out, x + NAME + BAR + 10, y + ROW / 2.0 + 4, DRAW_START, "value", text, 24);
}

/* Groups in two columns, the first one filled first. Returns the height. */
static double draw_groups(FILE *out, const report_group_t *groups, unsigned n, double y, const char *title) {
  unsigned half = (n + 1) / 2;
  draw_text(out, NAME, y + 14, DRAW_START, "head", title, 60);
  for (unsigned i = 0; i < n; i++)
    draw_group(out, &groups[i], i < half ? 0 : COLUMN, y + TOP - 8 + ROW * (i % half));
  return TOP - 8 + ROW * half;
}

static void rows(FILE *out, const report_group_t *groups, unsigned n, const char *kind) {
  for (unsigned i = 0; i < n; i++) {
    draw_row(out);
    draw_cell(out, kind);
    draw_cell(out, groups[i].name);
    draw_count(out, groups[i].hit);
    draw_count(out, groups[i].bins);
    draw_value(out, percent_of(&groups[i]));
    draw_count(out, groups[i].unreachable);
    draw_end_row(out);
  }
}

static void draw_coverage(FILE *out, const report_coverage_t *c) {
  static const char *const heads[] = {"of", "name", "hit", "there are", "%", "declared unreachable"};
  double y = 4;
  bool both = c->n && c->n_code;
  int height = 4 + ROW * (int)((c->n + 1) / 2 + (c->n_code + 1) / 2) + (both ? 2 : 1) * (TOP - 8) + (both ? 16 : 0) + 8;
  draw_begin(out, "chart-coverage", height, "Coverage of each group in percent, as bars");
  if (c->n) y += draw_groups(out, c->group, c->n, y, "functional: bins hit");
  if (c->n_code) draw_groups(out, c->code, c->n_code, y + (both ? 16 : 0), "code");
  draw_end(out);
  draw_table(out, "The same as a table", heads, sizeof heads / sizeof *heads);
  rows(out, c->group, c->n, "functional");
  rows(out, c->code, c->n_code, "code");
  draw_end_table(out);
}

void report_covered(FILE *out, const report_coverage_t *c, const char *source) {
  char lead[320];
  snprintf(lead, sizeof lead, "From %.280s.", source ? source : "");
  report_section(out, "coverage", "Coverage", c->there ? lead : NULL);
  if (c->there)
    draw_coverage(out, c);
  else
    report_missing(out, "The run did not sample coverage, and none was given (--coverage build/coverage.json).");
  report_end_section(out);
}
