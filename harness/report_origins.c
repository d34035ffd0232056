/*
 * For whom the MMU walked and on whose behalf it faulted; faults by vector.
 */
#include <stdlib.h>
#include <string.h>

#include "report_draw.h"
#include "report_page.h"

enum { ROW = 24, TOP = 42, NAME = 110, BAR = 300, VALUE = 170, MIDDLE = DRAW_WIDTH / 2 };

static double share(uint64_t n, double all) {
  return all > 0 ? 100 * (double)n / all : 0;
}

/* A bar from x on, and its number beside it. */
static void draw_bar(FILE *out, double x, unsigned row, double width, const char *class, const char *name, uint64_t n,
                     double all) {
  char number[DRAW_NUMBER], text[200];
  double y = TOP + row * ROW;
  snprintf(text, sizeof text, "%.60s: %s, %.2f %%", name, draw_grouped(n, number), share(n, all));
  draw_box(out, x, y + 4, width, ROW - 8, class, text);
  /* What is there is never 0 %. */
  bool tiny = n && share(n, all) < 0.1;
  snprintf(text, sizeof text, n ? "%s (%s%.1f %%)" : "%s", number, tiny ? "<" : "", tiny ? 0.1 : share(n, all));
  draw_text(out, x + width + 6, y + ROW / 2.0 + 4, DRAW_START, "value", text, 22);
}

static void draw_name(FILE *out, double x, unsigned row, const char *name) {
  draw_text(out, x, TOP + row * ROW + ROW / 2.0 + 4, DRAW_END, "label", name, 13);
}

static int most_walks_first(const void *a, const void *b) {
  const report_origin_t *x = a, *y = b;
  if (x->walks.n != y->walks.n) return x->walks.n > y->walks.n ? -1 : 1;
  if (x->faults != y->faults) return x->faults > y->faults ? -1 : 1;
  return strcmp(x->name, y->name);
}

static void told_cell(FILE *out, const report_count_t *count) {
  if (count->untold)
    draw_cell(out, "not told");
  else
    draw_count(out, count->n);
}

static void origins_table(FILE *out, const report_origin_t *origins, unsigned n, const report_data_t *run) {
  static const char *const heads[] = {"origin", "references", "share, %", "TLB misses", "misses per 1,000 references",
                                      "walks",  "faults"};
  draw_table(out, "The same as a table, with references", heads, sizeof heads / sizeof *heads);
  for (unsigned i = 0; i < n; i++) {
    const report_origin_t *o = &origins[i];
    draw_row(out);
    draw_cell(out, o->name);
    draw_count(out, o->references);
    draw_value(out, share(o->references, (double)run->references.n));
    told_cell(out, &o->tlb_misses);
    if (o->tlb_misses.untold)
      draw_cell(out, "not told");
    else
      draw_value(out, o->references ? 1000 * (double)o->tlb_misses.n / (double)o->references : 0);
    told_cell(out, &o->walks);
    draw_count(out, o->faults);
    draw_end_row(out);
  }
  draw_end_table(out);
}

/* Whether the device tells nobody's walks. */
static bool are_untold(const report_data_t *run) {
  for (unsigned i = 0; i < run->n_origins; i++)
    if (!run->origin[i].walks.untold) return false;
  return run->n_origins > 0;
}

static void draw_origins(FILE *out, const report_data_t *run) {
  const bool untold = are_untold(run);
  const int left = untold ? 0 : MIDDLE; /* of the faults */
  report_origin_t sorted[REPORT_SHARES];
  unsigned n = run->n_origins, shown = 0;
  char text[120];
  double walks = 0, faults = 0;
  uint64_t most_walks = 1, most_faults = 1;
  memcpy(sorted, run->origin, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, most_walks_first);
  for (unsigned i = 0; i < n; i++) {
    walks += (double)sorted[i].walks.n;
    faults += (double)sorted[i].faults;
    if (sorted[i].walks.n > most_walks) most_walks = sorted[i].walks.n;
    if (sorted[i].faults > most_faults) most_faults = sorted[i].faults;
  }
  while (shown < n && (sorted[shown].walks.n || sorted[shown].faults))
    shown++; /* by walks, then by faults: those with neither are the last ones */
  draw_begin(out, "chart-origins", TOP + ROW * (int)shown + 14, "Walks and faults by origin, as bars");
  if (!untold) draw_text(out, NAME, 24, DRAW_START, "head", "walks", 20);
  draw_text(out, left + NAME, 24, DRAW_START, "head", "faults", 20);
  for (unsigned i = 0; i < shown; i++) {
    const report_origin_t *o = &sorted[i];
    if (!untold) {
      draw_name(out, NAME - 10, i, o->name);
      draw_bar(out, NAME, i, BAR * (double)o->walks.n / (double)most_walks, "fill a bar-walks", o->name, o->walks.n,
               walks);
    }
    draw_name(out, left + NAME - 10, i, o->name);
    draw_bar(out, left + NAME, i, BAR * (double)o->faults / (double)most_faults, "fill c bar-faults", o->name,
             o->faults, faults);
  }
  if (!untold) draw_line(out, NAME, TOP - 6, NAME, TOP + ROW * shown + 4, "axis");
  draw_line(out, left + NAME, TOP - 6, left + NAME, TOP + ROW * shown + 4, "axis");
  draw_end(out);
  if (untold) report_missing(out, "Walks by origin are not told by the device.");
  snprintf(text, sizeof text, "%u more with %s: see the table.", n - shown, untold ? "none" : "neither");
  if (shown < n) report_missing(out, text);
  origins_table(out, sorted, n, run);
}

/* "user has 61 % of the walks, fault 20 %". */
static const char *lead_of(const report_data_t *run, char *lead, unsigned bytes) {
  const report_origin_t *first = NULL;
  double walks = 0;
  char percent[DRAW_NUMBER];
  for (unsigned i = 0; i < run->n_origins; i++) {
    walks += (double)run->origin[i].walks.n;
    if (!first || most_walks_first(&run->origin[i], first) < 0) first = &run->origin[i];
  }
  if (!first || !first->walks.n) return NULL;
  snprintf(percent, sizeof percent, "%.1f", share(first->walks.n, walks));
  snprintf(lead, bytes, "For whom the guest worked when the MMU walked or faulted: \"%.40s\" has %s %% of the walks.",
           first->name, percent);
  return lead;
}

void report_origins(FILE *out, const report_data_t *run) {
  char lead[200];
  report_section(out, "origins", "Walks and faults by origin", lead_of(run, lead, sizeof lead));
  if (run->n_origins)
    draw_origins(out, run);
  else
    report_missing(out, "The guest did not tell for whom it refers to memory (port 0xEA), or there was no guest.");
  report_end_section(out);
}

static int most_first(const void *a, const void *b) {
  const report_share_t *x = a, *y = b;
  if (x->n != y->n) return x->n > y->n ? -1 : 1;
  return strcmp(x->name, y->name);
}

void report_vectors(FILE *out, const report_data_t *run) {
  static const char *const heads[] = {"vector", "faults", "share, %"};
  report_share_t sorted[REPORT_SHARES];
  unsigned n = run->n_vectors;
  double all = 0;
  report_section(out, "vectors", "Faults by vector", NULL);
  if (n) {
    memcpy(sorted, run->vector, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, most_first);
    for (unsigned i = 0; i < n; i++)
      all += (double)sorted[i].n;
    draw_begin(out, "chart-vectors", TOP + ROW * (int)n + 14, "Faults by vector, as bars");
    draw_text(out, NAME, 24, DRAW_START, "head", "faults", 20);
    for (unsigned i = 0; i < n; i++) {
      draw_name(out, NAME - 10, i, sorted[i].name);
      draw_bar(out, NAME, i,
               (DRAW_WIDTH - NAME - VALUE) * (double)sorted[i].n / (sorted[0].n ? (double)sorted[0].n : 1),
               "fill c bar-vectors", sorted[i].name, sorted[i].n, all);
    }
    draw_line(out, NAME, TOP - 6, NAME, TOP + ROW * n + 4, "axis");
    draw_end(out);
    draw_table(out, "The same as a table", heads, 3);
    for (unsigned i = 0; i < n; i++) {
      draw_row(out);
      draw_cell(out, sorted[i].name);
      draw_count(out, sorted[i].n);
      draw_value(out, share(sorted[i].n, all));
      draw_end_row(out);
    }
    draw_end_table(out);
  } else {
    report_missing(out, "Nothing faulted.");
  }
  report_end_section(out);
}
