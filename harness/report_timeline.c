/*
 * TLB occupancy, miss rate and clock cycles over time: three panels over one axis of transactions. Walks stand for
 * misses where the device does not tell those.
 */
#include "report_draw.h"
#include "report_page.h"

enum { LEFT = 74, RIGHT = DRAW_WIDTH - 44, PANEL = 128, GAP = 44, TOP = 36 };

/* One value of a point. Returns false if it has none: nothing was looked up. */
typedef bool (*value_t)(const report_point_t *point, uint64_t transactions, double *value);

static bool entries_4k(const report_point_t *p, uint64_t transactions, double *value) {
  (void)transactions;
  *value = p->entries_4k;
  return true;
}

static bool entries_4m(const report_point_t *p, uint64_t transactions, double *value) {
  (void)transactions;
  *value = p->entries_4m;
  return true;
}

static bool miss_rate(const report_point_t *p, uint64_t transactions, double *value) {
  (void)transactions;
  double lookups = (double)p->hits + (double)p->misses;
  if (lookups > 0) *value = 1000 * (double)p->misses / lookups;
  return lookups > 0;
}

static bool walk_rate(const report_point_t *p, uint64_t transactions, double *value) {
  *value = 1000 * (double)p->walks / (double)transactions;
  return true;
}

static bool cycles_each(const report_point_t *p, uint64_t transactions, double *value) {
  *value = (double)p->cycles / (double)transactions;
  return true;
}

static uint64_t transactions_of(const report_timeline_t *t, unsigned i) {
  return t->point[i].last - (i ? t->point[i - 1].last : 0);
}

static double most(const report_timeline_t *t, value_t of) {
  double max = 0, value;
  for (unsigned i = 0; i < t->n; i++)
    if (of(&t->point[i], transactions_of(t, i), &value) && value > max) max = value;
  return max;
}

/* A step for each point, as long as its transactions last. */
static void draw_steps(FILE *out, const report_timeline_t *t, value_t of, const draw_scale_t *x, const draw_scale_t *y,
                       const char *id, const char *class) {
  bool drawn = false;
  double value;
  fprintf(out, "<path id=\"%s\" class=\"%s\" d=\"", id, class);
  for (unsigned i = 0; i < t->n; i++) {
    bool there = of(&t->point[i], transactions_of(t, i), &value);
    if (there && drawn) fprintf(out, "V%.1f", draw_at(y, value));
    if (there && !drawn)
      fprintf(out, "M%.1f %.1f", draw_at(x, i ? (double)t->point[i - 1].last : 0), draw_at(y, value));
    if (there) fprintf(out, "H%.1f", draw_at(x, (double)t->point[i].last));
    drawn = there;
  }
  fputs("\"/>\n", out);
}

/* The panels one below the other; the last one has the axis' numbers. */
typedef struct {
  FILE *out;
  draw_scale_t x;
  unsigned n, all;
} panels_t;

static double top_of(unsigned panel) {
  return TOP + panel * (PANEL + GAP);
}

/* The frame of the next panel. Returns its vertical scale. */
static draw_scale_t next_panel(panels_t *p, double max, bool whole, const char *unit) {
  double top = top_of(p->n);
  draw_scale_t y = draw_scale(max, 4, whole, top + PANEL, top);
  draw_y_axis(p->out, &y, p->x.from, p->x.to, unit);
  p->n++;
  draw_x_axis(p->out, &p->x, top, top + PANEL, p->n == p->all ? "transactions" : NULL);
  return y;
}

/* A name of a line, above the latest panel. */
static void legend(const panels_t *p, double x, const char *class, const char *name) {
  double y = top_of(p->n - 1) - 12;
  draw_line(p->out, x, y - 4, x + 28, y - 4, class);
  draw_text(p->out, x + 36, y, DRAW_START, "label", name, 60);
}

static void draw_entries(panels_t *p, const report_data_t *run) {
  const report_timeline_t *t = &run->timeline;
  char name[80], number[DRAW_NUMBER];
  double room_4k = (double)run->tlb_sets.n * (double)run->tlb_ways.n, room_4m = (double)run->tlb_large.n;
  double max = most(t, entries_4k), max_4m = most(t, entries_4m);
  if (max_4m > max) max = max_4m;
  if (room_4k > max && room_4k < 1e6) max = room_4k;
  draw_scale_t y = next_panel(p, max, true, "valid TLB entries");
  draw_steps(p->out, t, entries_4k, &p->x, &y, "line-entries-4k", "line a");
  draw_steps(p->out, t, entries_4m, &p->x, &y, "line-entries-4m", "line b");
  snprintf(name, sizeof name, "4 KiB pages, of %s", draw_decimal(room_4k, number));
  legend(p, RIGHT - 420, "line a", name);
  snprintf(name, sizeof name, "4 MiB pages, of %s", draw_decimal(room_4m, number));
  legend(p, RIGHT - 200, "line b", name);
}

static void draw_panels(FILE *out, const report_data_t *run) {
  const report_timeline_t *t = &run->timeline;
  double last = (double)t->point[t->n - 1].last;
  panels_t p = {.out = out,
                .x = draw_scale(last, 8, true, LEFT, RIGHT),
                .all = 0u + (t->has_misses || t->has_walks) + t->has_entries + t->has_cycles};
  p.x.max = last;
  draw_begin(out, "chart-timeline", (int)top_of(p.all) + 16,
             "TLB occupancy, miss rate and clock cycles per transaction over the run's transactions");
  if (t->has_entries) draw_entries(&p, run);
  if (t->has_misses) {
    draw_scale_t y = next_panel(&p, most(t, miss_rate), false, "TLB misses per 1,000 lookups");
    draw_steps(out, t, miss_rate, &p.x, &y, "line-misses", "line c");
  } else if (t->has_walks) {
    draw_scale_t y = next_panel(&p, most(t, walk_rate), false, "walks per 1,000 transactions");
    draw_steps(out, t, walk_rate, &p.x, &y, "line-walks", "line c");
  }
  if (t->has_cycles) {
    draw_scale_t y = next_panel(&p, most(t, cycles_each), false, "DUT clock cycles per transaction");
    draw_steps(out, t, cycles_each, &p.x, &y, "line-cycles", "line d");
  }
  draw_end(out);
  if (!t->has_misses)
    report_missing(out, t->has_walks ? "TLB hits and misses are not told by the device; its walks are known."
                                     : "TLB hits, misses and walks are not told by the device.");
  if (!t->has_entries)
    report_missing(out, "How full the TLB was is not known: the device caches as it likes (--check architectural), "
                        "or has no TLB.");
  if (!t->has_cycles) report_missing(out, "There are no clock cycles: the run had no device (--dut none).");
}

static void cell(FILE *out, bool there, uint64_t n) {
  if (there)
    draw_count(out, n);
  else
    draw_cell(out, "-");
}

static void table(FILE *out, const report_timeline_t *t) {
  static const char *const heads[] = {"to transaction", "TLB hits",         "TLB misses",    "walks",
                                      "faults",         "DUT clock cycles", "4 KiB entries", "4 MiB entries"};
  draw_table(out, "The same as a table", heads, sizeof heads / sizeof *heads);
  for (unsigned i = 0; i < t->n; i++) {
    const report_point_t *p = &t->point[i];
    draw_row(out);
    draw_count(out, p->last);
    cell(out, t->has_misses, p->hits);
    cell(out, t->has_misses, p->misses);
    cell(out, t->has_walks, p->walks);
    draw_count(out, p->faults);
    cell(out, t->has_cycles, p->cycles);
    cell(out, t->has_entries, p->entries_4k);
    cell(out, t->has_entries, p->entries_4m);
    draw_end_row(out);
  }
  draw_end_table(out);
}

void report_timeline(FILE *out, const report_data_t *run) {
  const report_timeline_t *t = &run->timeline;
  char lead[160], number[DRAW_NUMBER];
  snprintf(lead, sizeof lead, "Each step is %s transaction%s.", draw_grouped(t->every, number),
           t->every == 1 ? "" : "s");
  report_section(out, "timeline", "The TLB over time", t->there ? lead : NULL);
  if (t->there) {
    draw_panels(out, run);
    table(out, t);
  } else {
    report_missing(out, run->transactions.n ? "The result has no time series: it is older, or its file was edited."
                                            : "The run made no transactions.");
  }
  report_end_section(out);
}
