/*
 * How many clock cycles transactions of each class take: a histogram for each, over one axis of cycles.
 */
#include <math.h>
#include <string.h>

#include "report_draw.h"
#include "report_page.h"

enum { LEFT = 250, RIGHT = DRAW_WIDTH - 24, ROW = 60, BARS = 36, TOP = 20, LINEAR_MAX = 100 };

/* Where a number of cycles is: linear, or logarithmic where some take very long. */
typedef struct {
  bool logarithmic;
  double max;
} axis_t;

static double at(const axis_t *axis, double cycles) {
  double least = 0.25;
  if (!axis->logarithmic) return LEFT + (RIGHT - LEFT) * (cycles + 0.5) / (axis->max + 1);
  if (cycles < least) cycles = least;
  return LEFT + (RIGHT - LEFT) * log(cycles / least) / log((axis->max + 0.5) / least);
}

static axis_t axis_of(const report_data_t *run) {
  axis_t axis = {.max = 1};
  for (unsigned i = 0; i < run->n_classes; i++) {
    const report_class_t *c = &run->class[i];
    if (c->n && c->bin[c->n - 1].last > axis.max) axis.max = c->bin[c->n - 1].last;
  }
  axis.logarithmic = axis.max > LINEAR_MAX;
  return axis;
}

static void draw_ticks(FILE *out, const axis_t *axis, double bottom) {
  static const double rounds[] = {1, 2, 5};
  char number[DRAW_NUMBER];
  double before = 0; /* where the latest number stands */
  draw_scale_t linear = draw_scale(axis->max, 12, true, 0, 1);
  unsigned n = axis->logarithmic ? 30 : (unsigned)(axis->max / linear.step) + 1;
  for (unsigned i = 0; i < n; i++) {
    double cycles = axis->logarithmic ? rounds[i % 3] * pow(10, i / 3) : i * linear.step;
    if (cycles > axis->max) break;
    if (i && at(axis, cycles) - before < 8.0 * (double)strlen(draw_decimal(cycles, number))) continue;
    before = at(axis, cycles);
    draw_line(out, at(axis, cycles), TOP, at(axis, cycles), bottom, "grid");
    draw_text(out, at(axis, cycles), bottom + 17, DRAW_MIDDLE, "tick", draw_decimal(cycles, number), 24);
  }
  draw_text(out, (LEFT + RIGHT) / 2.0, bottom + 36, DRAW_MIDDLE, "unit",
            axis->logarithmic ? "DUT clock cycles of a transaction (logarithmic)" : "DUT clock cycles of a transaction",
            80);
}

static const char *label_of(const char *name) {
  static const char *const labels[][2] = {{"hit", "TLB hit"},
                                          {"walk_1", "walk, 1 reference"},
                                          {"walk_2", "walk, 2 references"},
                                          {"walk_3", "walk, 3 references"},
                                          {"walk_4", "walk, 4 references"},
                                          {"walk_more", "walk, 5 or more references"},
                                          {"untranslated", "not translated"},
                                          {"no_walk", "hit, or not translated"},
                                          {"table", "descriptors and gates"},
                                          {"control", "control operation"}};
  for (unsigned i = 0; i < sizeof labels / sizeof *labels; i++)
    if (strcmp(name, labels[i][0]) == 0) return labels[i][1];
  return name;
}

static double mean_of(const report_class_t *c) {
  return c->transactions ? (double)c->cycles / (double)c->transactions : 0;
}

static void bin_name(const report_bin_t *bin, char *text, unsigned bytes) {
  char first[DRAW_NUMBER], last[DRAW_NUMBER];
  draw_grouped(bin->first, first);
  draw_grouped(bin->last, last);
  snprintf(text, bytes, bin->first == bin->last ? "%s" : "%s to %s", first, last);
}

static void draw_class(FILE *out, const report_class_t *c, const axis_t *axis, double bottom) {
  char text[240], number[DRAW_NUMBER], percent[DRAW_NUMBER], cycles[2 * DRAW_NUMBER];
  double most = 0, all = 0;
  bool labelled = false; /* the most frequent number has its share above it */
  for (unsigned i = 0; i < c->n; i++) {
    all += (double)c->bin[i].n;
    if ((double)c->bin[i].n > most) most = (double)c->bin[i].n;
  }
  draw_text(out, 8, bottom - 23, DRAW_START, "label strong", label_of(c->name), 28);
  snprintf(text, sizeof text, "%s, mean %s", draw_grouped(c->transactions, number), draw_decimal(mean_of(c), percent));
  draw_text(out, 8, bottom - 6, DRAW_START, "tick", text, 32);
  for (unsigned i = 0; i < c->n && most > 0; i++) {
    const report_bin_t *bin = &c->bin[i];
    double left = at(axis, bin->first - 0.5), right = at(axis, bin->last + 0.5);
    double height = BARS * (double)bin->n / most, gap = right - left > 6 ? 1.5 : 0;
    if (height < 1 && bin->n) height = 1;
    bin_name(bin, cycles, sizeof cycles);
    snprintf(text, sizeof text, "%.60s: %s cycles: %s transactions, %s %%", label_of(c->name), cycles,
             draw_grouped(bin->n, number), draw_decimal(100 * (double)bin->n / all, percent));
    draw_box(out, left + gap, bottom - height, right - left - 2 * gap, height,
             strncmp(c->name, "walk", 4) == 0 ? "fill c bar-cycles" : "fill a bar-cycles", text);
    if (labelled || (double)bin->n < most) continue;
    snprintf(text, sizeof text, "%s %%", draw_decimal(100 * most / all, percent));
    draw_text(out, fmin((left + right) / 2, DRAW_WIDTH - 30), bottom - BARS - 5, DRAW_MIDDLE, "value", text, 16);
    labelled = true;
  }
  draw_line(out, LEFT, bottom, RIGHT, bottom, "axis");
}

static void table(FILE *out, const report_data_t *run) {
  static const char *const heads[] = {"class", "clock cycles", "transactions", "share of the class, %"};
  draw_table(out, "The same as a table", heads, 4);
  for (unsigned i = 0; i < run->n_classes; i++) {
    const report_class_t *c = &run->class[i];
    double all = 0;
    for (unsigned k = 0; k < c->n; k++)
      all += (double)c->bin[k].n;
    for (unsigned k = 0; k < c->n; k++) {
      char cycles[2 * DRAW_NUMBER + 8];
      bin_name(&c->bin[k], cycles, sizeof cycles);
      draw_row(out);
      draw_cell(out, label_of(c->name));
      draw_cell(out, cycles);
      draw_count(out, c->bin[k].n);
      draw_value(out, all > 0 ? 100 * (double)c->bin[k].n / all : 0);
      draw_end_row(out);
    }
  }
  draw_end_table(out);
}

void report_cycles(FILE *out, const report_data_t *run) {
  report_section(out, "cycles", "Clock cycles of a translation",
                 run->n_classes ? "Each row is a class of transactions, scaled to its most frequent number of cycles; "
                                  "a walk's references count those of both pages."
                                : NULL);
  if (run->n_classes) {
    axis_t axis = axis_of(run);
    double bottom = TOP + ROW * run->n_classes;
    draw_begin(out, "chart-cycles", (int)bottom + 50, "Histograms of clock cycles by class of transaction");
    draw_ticks(out, &axis, bottom);
    for (unsigned i = 0; i < run->n_classes; i++)
      draw_class(out, &run->class[i], &axis, TOP + ROW * (i + 1));
    draw_end(out);
    table(out, run);
  } else {
    report_missing(out, run->has_classes ? "No transaction was counted."
                        : !run->dut_cycles.there
                            ? "The run had no device whose clock cycles could be counted."
                            : "The result has no histogram: its requests overlapped, so that a cycle "
                              "is nobody's alone, or it is older.");
  }
  report_end_section(out);
}
