/*
 * The page tables as they map memory at the end: directory, tables, runs of pages. Tables side by side that map all of
 * their 4 MiB in one way are one box; a table with many runs shows the first ones. The table below the picture has all.
 */
#include <inttypes.h>

#include "report_draw.h"
#include "report_page.h"

enum { ROW = 24, TOP = 40, RUNS_SHOWN = 8, NODES_SHOWN = 40 };
enum { DIRECTORY = 8, DIRECTORY_WIDTH = 168, TABLE = 226, TABLE_WIDTH = 268, RUN = 540 };
enum { RANGE = RUN + 18, SIZE = RUN + 158, RIGHTS = RUN + 290, PHYSICAL = RUN + 444 };

/* A box between the directory and some runs: a page table, several alike, or none (large pages). */
typedef struct {
  unsigned first, n; /* runs */
  unsigned tables;   /* 0: large pages */
  unsigned rows;
} node_t;

static bool alike(const report_run_t *a, const report_run_t *b) {
  return a->user == b->user && a->writable == b->writable && a->global == b->global;
}

/* Whether a node is one table that one run fills. */
static bool is_full(const report_mapping_t *m, const node_t *node) {
  return node->n == 1 && !m->run[node->first].large && m->run[node->first].pages == 1024;
}

static node_t node_at(const report_mapping_t *m, unsigned first) {
  const report_run_t *run = &m->run[first];
  node_t node = {.first = first, .n = 1, .tables = !run->large};
  while (!run->large && first + node.n < m->n && !run[node.n].large && run[node.n].table == run->table &&
         run[node.n].laddr >> 22 == run->laddr >> 22)
    node.n++;
  if (!is_full(m, &node)) {
    node.rows = node.n > RUNS_SHOWN ? RUNS_SHOWN : node.n;
    return node;
  }
  for (unsigned next = first + 1; next < m->n; next++) {
    const node_t other = {.first = next, .n = 1};
    bool alone = next + 1 == m->n || m->run[next + 1].laddr >> 22 != m->run[next].laddr >> 22;
    if (!is_full(m, &other) || !alone || !alike(run, &m->run[next]) ||
        m->run[next].laddr >> 22 != (run->laddr >> 22) + node.n)
      break;
    node.n++;
    node.tables++;
  }
  node.rows = 1;
  return node;
}

/* The whole of a node that is drawn as one run. */
static report_run_t run_of(const report_mapping_t *m, const node_t *node) {
  report_run_t run = m->run[node->first];
  for (unsigned i = 1; i < node->n; i++) {
    const report_run_t *before = &m->run[node->first + i - 1], *next = before + 1;
    bool goes_on = before->pieces == 1 && next->paddr == before->paddr + (before->pages << 12);
    run.pages += next->pages;
    run.pieces += next->pieces - goes_on;
  }
  return run;
}

static uint64_t bytes_of(const report_run_t *run) {
  return (uint64_t)run->pages << (run->large ? 22 : 12);
}

static void rights_text(const report_run_t *run, char *text, unsigned bytes) {
  snprintf(text, bytes, "%s %s%s", run->user ? "user" : "supervisor", run->writable ? "rw" : "ro",
           run->global ? " global" : "");
}

static const char *size_text(uint64_t bytes, char *text, unsigned room) {
  if (bytes >> 30 && !(bytes & ((1u << 30) - 1)))
    snprintf(text, room, "%" PRIu64 " GiB", bytes >> 30);
  else if (bytes >> 20 && !(bytes & ((1u << 20) - 1)))
    snprintf(text, room, "%" PRIu64 " MiB", bytes >> 20);
  else
    snprintf(text, room, "%" PRIu64 " KiB", bytes >> 10);
  return text;
}

static const char *class_of(const report_run_t *run) {
  return run->user ? run->writable ? "fill c run" : "fill e run" : run->writable ? "fill a run" : "fill d run";
}

static void draw_run(FILE *out, const report_run_t *run, double y, double from) {
  char text[80], number[DRAW_NUMBER];
  double middle = y + ROW / 2.0;
  draw_line(out, from, middle, RUN, middle, "link");
  rights_text(run, text, sizeof text);
  draw_box(out, RUN, y + 5, 11, ROW - 10, class_of(run), text);
  draw_text(out, RIGHTS, middle + 4, DRAW_START, "mono", text, 20);
  snprintf(text, sizeof text, "%08" PRIx32 "-%08" PRIx32, run->laddr, (uint32_t)(run->laddr + bytes_of(run) - 1));
  draw_text(out, RANGE, middle + 4, DRAW_START, "mono", text, 18);
  snprintf(text, sizeof text, "%s x %s", draw_grouped(run->pages, number), run->large ? "4 MiB" : "4 KiB");
  draw_text(out, SIZE, middle + 4, DRAW_START, "mono", text, 17);
  snprintf(text, sizeof text, "%08" PRIx32, run->paddr);
  if (run->pieces > 1)
    snprintf(text, sizeof text, "%08" PRIx32 ", %s pieces", run->paddr, draw_grouped(run->pieces, number));
  draw_text(out, PHYSICAL, middle + 4, DRAW_START, "mono", text, 23);
}

static void draw_node(FILE *out, const report_mapping_t *m, const node_t *node, double y) {
  char text[80], size[32];
  const report_run_t *first = &m->run[node->first];
  double height = node->rows * ROW, middle = y + height / 2;
  bool one = node->tables != 1 || node->n == 1, cut = !one && node->n > node->rows;
  draw_line(out, DIRECTORY + DIRECTORY_WIDTH, middle, TABLE, middle, "link");
  if (node->tables == 0)
    snprintf(text, sizeof text, "%08" PRIx32 "  large pages", first->laddr);
  else if (node->tables == 1)
    snprintf(text, sizeof text, "%08" PRIx32 "  table %08" PRIx32, first->laddr & 0xFFC00000, first->table);
  else
    snprintf(text, sizeof text, "%08" PRIx32 "  %u tables, all alike", first->laddr, node->tables);
  draw_box(out, TABLE, y + 2, TABLE_WIDTH, height - 4, node->tables ? "node" : "node open", NULL);
  draw_text(out, TABLE + 10, middle + 4, DRAW_START, "mono", text, 34);
  for (unsigned i = 0; i < node->rows; i++) {
    double row = y + i * ROW;
    if (cut && i + 1 == node->rows) {
      uint64_t pages = 0;
      for (unsigned k = i; k < node->n; k++)
        pages += m->run[node->first + k].pages;
      snprintf(text, sizeof text, "%u more runs, %s", node->n - i, size_text(pages << 12, size, sizeof size));
      draw_line(out, TABLE + TABLE_WIDTH, row + ROW / 2.0, RUN, row + ROW / 2.0, "link");
      draw_text(out, RANGE, row + ROW / 2.0 + 4, DRAW_START, "mono dim", text, 60);
      continue;
    }
    const report_run_t run = one ? run_of(m, node) : m->run[node->first + i];
    draw_run(out, &run, row, TABLE + TABLE_WIDTH);
  }
}

static void draw_heads(FILE *out) {
  static const struct {
    int x;
    const char *text;
  } heads[] = {{DIRECTORY, "directory"},    {TABLE, "page tables, by linear address"},
               {RANGE, "linear addresses"}, {SIZE, "pages"},
               {RIGHTS, "rights"},          {PHYSICAL, "physical address"}};
  for (unsigned i = 0; i < sizeof heads / sizeof *heads; i++)
    draw_text(out, heads[i].x, 22, DRAW_START, "head", heads[i].text, 40);
}

static void draw_directory(FILE *out, const report_mapping_t *m, double height) {
  char text[80], number[DRAW_NUMBER];
  snprintf(text, sizeof text, "CR3 %08" PRIx32, m->directory);
  draw_box(out, DIRECTORY, TOP + 2, DIRECTORY_WIDTH, height - 4, "node", NULL);
  draw_text(out, DIRECTORY + 10, TOP + 20, DRAW_START, "mono", text, 20);
  if (height < 3 * ROW) return;
  snprintf(text, sizeof text, "%s tables", draw_grouped(m->tables, number));
  draw_text(out, DIRECTORY + 10, TOP + 40, DRAW_START, "mono dim", text, 20);
}

static void draw_tree(FILE *out, const report_mapping_t *m) {
  node_t nodes[NODES_SHOWN];
  unsigned n = 0, at = 0, rows = 0;
  char text[80], number[DRAW_NUMBER];
  for (; at < m->n && n < NODES_SHOWN; at += nodes[n++].n) {
    nodes[n] = node_at(m, at);
    rows += nodes[n].rows;
  }
  bool cut = at < m->n;
  double y = TOP;
  draw_begin(out, "chart-mapping", TOP + ROW * (int)(rows + cut) + 10,
             "The page directory, its page tables, and the runs of pages that they map");
  draw_heads(out);
  draw_directory(out, m, ROW * (rows + cut));
  for (unsigned i = 0; i < n; y += nodes[i++].rows * ROW)
    draw_node(out, m, &nodes[i], y);
  if (cut) {
    snprintf(text, sizeof text, "%s more runs: see the table", draw_grouped(m->n - at, number));
    draw_text(out, TABLE + 10, y + ROW / 2.0 + 4, DRAW_START, "mono dim", text, 60);
  }
  draw_end(out);
}

static void table(FILE *out, const report_mapping_t *m) {
  static const char *const heads[] = {"linear address",   "pages",  "page size", "bytes", "rights",
                                      "physical address", "pieces", "page table"};
  char text[40];
  draw_table(out, "All runs as a table", heads, sizeof heads / sizeof *heads);
  for (unsigned i = 0; i < m->n; i++) {
    const report_run_t *run = &m->run[i];
    draw_row(out);
    snprintf(text, sizeof text, "%08" PRIx32, run->laddr);
    draw_cell(out, text);
    draw_count(out, run->pages);
    draw_cell(out, run->large ? "4 MiB" : "4 KiB");
    draw_count(out, bytes_of(run));
    rights_text(run, text, sizeof text);
    draw_cell(out, text);
    snprintf(text, sizeof text, "%08" PRIx32, run->paddr);
    draw_cell(out, text);
    draw_count(out, run->pieces);
    snprintf(text, sizeof text, "%08" PRIx32, run->table);
    draw_cell(out, run->large ? "-" : text);
    draw_end_row(out);
  }
  draw_end_table(out);
}

void report_mapping(FILE *out, const report_data_t *run) {
  const report_mapping_t *m = &run->mapping;
  char lead[240], small[DRAW_NUMBER], large[DRAW_NUMBER], left[DRAW_NUMBER];
  snprintf(lead, sizeof lead, "%s pages of 4 KiB and %s of 4 MiB%s%s%s.", draw_grouped(m->pages_4k, small),
           draw_grouped(m->pages_4m, large), m->left_out ? "; the result has left out " : "",
           m->left_out ? draw_grouped(m->left_out, left) : "", m->left_out ? " runs" : "");
  report_section(out, "mapping", "What is mapped at the end", m->n ? lead : NULL);
  if (m->n) {
    draw_tree(out, m);
    table(out, m);
  } else {
    report_missing(out, !m->there    ? "The result does not say what was mapped: it is older."
                        : !m->paging ? "Paging was off at the end: linear addresses are physical ones."
                                     : "The page tables mapped nothing at the end.");
  }
  report_end_section(out);
}
