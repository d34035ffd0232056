/*
 * The picture: seg -> tlb -> walk -> mem, a row of boxes for each translation, with the values in it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "explain_pen.h"
#include "explain_words.h"
#include "x86.h"

enum { LINES = 20, CHARS = 48, LINE_HEIGHT = 16, HEAD = 26, GAP = 24, WIDTH = 1220 };

/* A station of the picture: what is written in its box. */
typedef struct {
  const char *head;
  const char *box; /* class */
  unsigned room;   /* characters in a line */
  unsigned n;
  char text[LINES][CHARS];
  const char *mark[LINES]; /* class */
} station_t;

/* Where the boxes of a station are. */
typedef struct {
  int x, width;
} column_t;

static const column_t seg_column = {10, 280}, tlb_column = {320, 270}, walk_column = {620, 310},
                      mem_column = {960, 250};

/* Characters of 12 px that fit into the columns. */
enum { SEG_ROOM = 35, TLB_ROOM = 34, WALK_ROOM = 39, MEM_ROOM = 31 };

static void put(station_t *s, const char *mark, const char *text, size_t n) {
  if (s->n == LINES) return;
  snprintf(s->text[s->n], CHARS, "%.*s", (int)n, text);
  s->mark[s->n++] = mark;
}

/* Adds a line, or several where it is too long. */
__attribute__((format(printf, 3, 4))) static void line(station_t *s, const char *mark, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const char *rest = text;
  for (size_t n; (n = strlen(rest)) > s->room; rest += n) {
    n = s->room;
    while (n > 1 && rest[n] != ' ')
      n--;
    put(s, mark, rest, n);
  }
  put(s, mark, rest, strlen(rest));
}

static int height_of(const station_t *s) {
  return HEAD + LINE_HEIGHT * (int)s->n + 8;
}

/* --- what stands in the boxes --- */

static void put_fault(station_t *s, const mmu_rsp_t *rsp) {
  char fault[DECODE_LINE];
  s->box = "boxbad";
  decode_fault(true, rsp->vector, rsp->error_code, rsp->cr2, fault);
  char *cr2 = strstr(fault, " CR2");
  if (cr2) *cr2 = 0;
  line(s, "bad", "%s", fault);
  if (cr2) line(s, "bad", "%s", cr2 + 1);
}

static void put_hidden(station_t *s, const char *name, const mmu_seg_t *seg) {
  line(s, seg->usable ? "" : "bad", "%s %04x%s", name, seg->selector, seg->usable ? "" : " UNUSABLE");
  line(s, "", "  base  %08" PRIx64, seg->base);
  line(s, "", "  limit %08" PRIx32, seg->limit);
  line(s, "", "  attr  %03x", seg->attr);
}

static void put_place(station_t *s, const explain_place_t *place) {
  const char *table = place->table == MMU_SEG_LDTR ? "LDT" : place->table == MMU_SEG_IDTR ? "IDT" : "GDT";
  line(s, place->inside ? "" : "bad", "%s %08" PRIx32 " + %04x%s", table, place->table_base, place->offset,
       place->inside ? "" : " beyond it");
  line(s, "", "  linear %08" PRIx32, place->laddr);
  if (place->mapped) line(s, place->read ? "" : "dim", "  %016" PRIx64, place->raw);
}

/* The check of the segment or table that has failed, if it is one. */
static void put_failure(station_t *s, const explanation_t *e) {
  for (unsigned i = 0; i < e->n_steps; i++) {
    const explain_step_t *step = &e->step[i];
    if (step->result != STEP_FAILS || step->page >= 0) continue;
    line(s, "bad", "FAILS: %s", step->rule);
    if (step->otherwise)
      line(s, "bad", "%s", step->otherwise);
    else
      put_fault(s, &e->rsp);
  }
}

static station_t seg_station(const explanation_t *e) {
  const mmu_req_t *req = &e->req;
  station_t s = {.head = "seg", .room = SEG_ROOM, .box = "box"};
  line(&s, "head", "%s", decode_op_name(req->op));
  if (req->op == MMU_OP_LOAD_SEG || req->op == MMU_OP_VERIFY || req->op == MMU_OP_MARK_TASK)
    line(&s, "", "selector %04x", req->selector);
  bool operand = req->op <= MMU_OP_SYSTEM;
  if (operand && req->seg < MMU_SEG_COUNT)
    put_hidden(&s, decode_seg_name(req->seg), &e->before.seg[req->seg]);
  else if (operand)
    line(&s, "", "%s", decode_seg_name(req->seg));
  if (req->op == MMU_OP_CHECK_IO) put_hidden(&s, "TR", &e->before.seg[MMU_SEG_TR]);
  if (e->place.known && req->op != MMU_OP_ACCESS) put_place(&s, &e->place);
  if (operand) {
    line(&s, "", "+ offset %08" PRIx64, req->offset);
    line(&s, "", "  size %u", req->size);
  }
  put_failure(&s, e);
  if (operand && e->rsp.first) line(&s, "good", "= linear %08" PRIx64, e->rsp.laddr);
  if (!operand && e->rsp.seg.usable && req->op != MMU_OP_VERIFY) put_hidden(&s, decode_seg_name(req->seg), &e->rsp.seg);
  if (req->op == MMU_OP_VERIFY) line(&s, "", "verified = %u", e->rsp.verified);
  return s;
}

static station_t tlb_station(const explanation_t *e, const explain_page_t *page) {
  char event[DECODE_LINE];
  station_t s = {.head = "tlb", .room = TLB_ROOM, .box = page->reached && page->paging ? "box" : "boxdim"};
  line(&s, "", "linear %08" PRIx32, page->laddr);
  if (!page->reached) line(&s, "dim", "not reached");
  if (page->reached && !page->paging) line(&s, "dim", "paging is off");
  if (page->cached) line(&s, "good", "cached by the DUT:");
  if (page->held || page->cached) {
    const mmu_tlb_view_t *held = &page->entry_held;
    line(&s, "", "%s %08" PRIx64 " -> %08" PRIx64, held->large ? "4M" : "4K", held->laddr, held->paddr);
    line(&s, "", "U = %u, W = %u, D = %u, G = %u", held->user, held->writable, held->dirty, held->global);
  }
  for (unsigned i = 0; i < page->n_events; i++) {
    const mmu_tlb_event_t *ev = &e->rsp.tlb[page->first_event + i];
    line(&s, ev->kind == MMU_TLB_HIT ? "good" : "", "%s", decode_tlb(ev, event));
  }
  return s;
}

static void put_entry(station_t *s, const explain_entry_t *entry, bool large) {
  bool directory = entry->kind == MMU_MEM_PDE;
  char words[WORDS_LINE];
  const char *mark = entry->read ? "" : "dim";
  line(s, mark, "%s %08" PRIx32 " = %08" PRIx32, directory ? "PDE" : "PTE", entry->paddr, entry->before);
  words_entry(entry->before, directory, large, words);
  char *comma = strchr(words, ',');
  if (comma) *comma = 0;
  line(s, mark, "  %s", words);
  if (entry->after != entry->before) line(s, "good", "  written: %08" PRIx32, entry->after);
}

static station_t walk_station(const explanation_t *e, const explain_page_t *page) {
  bool walked = page->n_entries && page->entry[0].read;
  bool large = page->n_entries && page->entry[0].before & X86_PDE_PS && e->before.cr4 & X86_CR4_PSE;
  station_t s = {.head = walked ? "walk" : "walk (none)", .room = WALK_ROOM, .box = walked ? "box" : "boxdim"};
  if (page->n_entries) line(&s, "", "CR3 %08" PRIx32, e->before.cr3);
  for (unsigned i = 0; i < page->n_entries; i++)
    put_entry(&s, &page->entry[i], large);
  if (page->n_entries && !walked) line(&s, "dim", "not read: what memory holds now");
  for (unsigned i = 0; i < e->n_steps; i++) {
    const explain_step_t *step = &e->step[i];
    if (step->result != STEP_FAILS || step->page != page - e->page) continue;
    line(&s, "bad", "FAILS: %s", step->rule);
    put_fault(&s, &e->rsp);
  }
  return s;
}

static station_t mem_station(const explanation_t *e, const explain_page_t *page) {
  static const char *const sizes[] = {"no paging", "4 KiB page", "4 MiB page"};
  station_t s = {.head = "mem", .room = MEM_ROOM, .box = page->done ? "box" : "boxdim"};
  (void)e;
  if (!page->done) {
    line(&s, "dim", "not reached");
    return s;
  }
  line(&s, "good", "physical %08" PRIx32, page->paddr);
  line(&s, "", "%s", sizes[page->page_size]);
  line(&s, "", "PCD = %u, PWT = %u", page->pcd, page->pwt);
  return s;
}

/* --- drawing --- */

static void draw_text(FILE *out, int x, int y, const char *mark, const char *text) {
  fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, mark);
  explain_escape(out, text);
  fputs("</text>\n", out);
}

static void draw_station(FILE *out, const station_t *s, column_t column, int y, int height) {
  fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" class=\"%s\"/>\n", column.x, y,
          column.width, height, s->box);
  draw_text(out, column.x + 10, y + 18, "head", s->head);
  for (unsigned i = 0; i < s->n; i++)
    draw_text(out, column.x + 10, y + HEAD + LINE_HEIGHT * (int)(i + 1) - 4, s->mark[i], s->text[i]);
}

static void draw_arrow(FILE *out, column_t from, column_t to, int y) {
  fprintf(out, "<path d=\"M%d %d H%d\" class=\"arrow\"/><path d=\"M%d %d l-8 -4 v8 z\" class=\"tip\"/>\n",
          from.x + from.width, y, to.x - 8, to.x, y);
}

/* A row of the picture: one translation. */
typedef struct {
  station_t tlb, walk, mem;
  int height;
} draw_row_t;

static int max(int a, int b) {
  return a > b ? a : b;
}

static draw_row_t row_of(const explanation_t *e, const explain_page_t *page) {
  draw_row_t row = {tlb_station(e, page), walk_station(e, page), mem_station(e, page), 0};
  row.height = max(max(height_of(&row.tlb), height_of(&row.walk)), height_of(&row.mem)) + GAP;
  return row;
}

static void draw_row(FILE *out, const explain_page_t *page, const draw_row_t *row, unsigned number, int y) {
  static const char *const parts[] = {"", ", first page", ", second page"};
  char caption[96];
  int top = y + 18, middle = top + 40, height = row->height - GAP;
  snprintf(caption, sizeof caption, "%u: %s%s", number, page->what, parts[page->part]);
  draw_text(out, tlb_column.x, y + 12, "dim", caption);
  draw_station(out, &row->tlb, tlb_column, top, height);
  draw_station(out, &row->walk, walk_column, top, height);
  draw_station(out, &row->mem, mem_column, top, height);
  if (!page->reached) return;
  draw_arrow(out, seg_column, tlb_column, middle);
  if (page->done || page->n_entries) draw_arrow(out, tlb_column, walk_column, middle);
  if (page->done) draw_arrow(out, walk_column, mem_column, middle);
}

/* What of the DUT's answer is something else. */
static void draw_difference(FILE *out, const explain_report_t *report, int y) {
  char verdict[EXPLAIN_TITLE];
  explain_verdict(report, verdict);
  if (strlen(verdict) > 160) verdict[160] = 0;
  draw_text(out, 10, y, "bad", verdict);
}

void explain_picture(FILE *out, const explain_report_t *report) {
  const explanation_t *e = report->explanation;
  station_t seg = seg_station(e);
  draw_row_t rows[EXPLAIN_PAGES];
  int total = 18;
  for (unsigned i = 0; i < e->n_pages; i++) {
    rows[i] = row_of(e, &e->page[i]);
    total += rows[i].height + 18;
  }
  int seg_height = max(height_of(&seg), total - 36 - GAP), height = seg_height + 18 + 16;
  bool differs = report->differences || report->dut_error;
  if (differs) height += 20;
  fprintf(out,
          "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"seg, tlb, walk, mem\" "
          "xmlns=\"http://www.w3.org/2000/svg\">\n",
          WIDTH, height);
  draw_station(out, &seg, seg_column, 18, seg_height);
  for (int i = 0, y = 0; i < (int)e->n_pages; y += rows[i].height + 18, i++)
    draw_row(out, &e->page[i], &rows[i], (unsigned)i + 1, y);
  if (differs) draw_difference(out, report, height - 12);
  fputs("</svg>\n", out);
}
