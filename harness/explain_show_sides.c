/*
 * What each side did, and since when things are so.
 */
#include <inttypes.h>
#include <stdio.h>

#include "decode.h"
#include "explain_show.h"
#include "explain_words.h"
#include "report.h"

/* --- both sides --- */

static void side(const explain_page_out_t *to, bool differs, const char *name, const char *left, const char *right) {
  to->pen->sides(to->out, differs ? MARK_BAD : MARK_NONE, name, left, to->report->dut ? right : "");
}

static void side_hex(const explain_page_out_t *to, const char *name, uint64_t left, uint64_t right, int digits) {
  char a[24], b[24];
  snprintf(a, sizeof a, "%0*" PRIx64, digits, left);
  snprintf(b, sizeof b, "%0*" PRIx64, digits, right);
  side(to, left != right, name, a, b);
}

static void side_operand(const explain_page_out_t *to, const mmu_rsp_t *m, const mmu_rsp_t *d) {
  static const char *const sizes[] = {"none", "4K", "4M", "?"};
  char a[64], b[64];
  side_hex(to, "linear address", m->laddr, d->laddr, 8);
  snprintf(a, sizeof a, "%u%s", m->first, m->split ? ", split" : "");
  snprintf(b, sizeof b, "%u%s", d->first, d->split ? ", split" : "");
  side(to, m->first != d->first || m->split != d->split, "bytes on 1st page", a, b);
  unsigned parts = m->split || d->split || m->paddr[1] || d->paddr[1] ? 2 : 1;
  for (unsigned i = 0; i < parts; i++) {
    side_hex(to, i ? "  on second page" : "physical address", m->paddr[i], d->paddr[i], 8);
    snprintf(a, sizeof a, "%s, PCD %u, PWT %u", sizes[m->page_size[i] & 3], m->pcd[i], m->pwt[i]);
    snprintf(b, sizeof b, "%s, PCD %u, PWT %u", sizes[d->page_size[i] & 3], d->pcd[i], d->pwt[i]);
    side(to, m->page_size[i] != d->page_size[i] || m->pcd[i] != d->pcd[i] || m->pwt[i] != d->pwt[i],
         "  page size, type", a, b);
  }
}

/* A field that only some operations have: else it is shown if it differs. */
static void side_if(const explain_page_out_t *to, bool has, const char *name, uint64_t left, uint64_t right,
                    int digits) {
  if (has || left != right) side_hex(to, name, left, right, digits);
}

static void side_segment(const explain_page_out_t *to, const mmu_rsp_t *m, const mmu_rsp_t *d) {
  const mmu_req_t *req = &to->report->explanation->req;
  bool load = req->op == MMU_OP_LOAD_SEG, verify = req->op == MMU_OP_VERIFY;
  bool hidden = load || req->op == MMU_OP_COMMIT_SEG || req->op == MMU_OP_SET_SEG;
  side_if(to, load || verify || req->op == MMU_OP_LOAD_GATE, "descriptor", m->descriptor, d->descriptor, 16);
  side_if(to, load, "system descriptor", m->system, d->system, 1);
  side_if(to, verify, "verified", m->verified, d->verified, 1);
  side_if(to, hidden, "hidden: selector", m->seg.selector, d->seg.selector, 4);
  side_if(to, hidden, "  base", m->seg.base, d->seg.base, 8);
  side_if(to, hidden || (verify && req->reason == MMU_VERIFY_LSL), "  limit", m->seg.limit, d->seg.limit, 8);
  side_if(to, hidden, "  attr", m->seg.attr, d->seg.attr, 3);
  side_if(to, hidden, "  usable", m->seg.usable, d->seg.usable, 1);
}

static const char *event_at(const mmu_rsp_t *rsp, unsigned i, char line[DECODE_LINE]) {
  return i < rsp->n_tlb && i < MMU_TLB_MAX ? decode_tlb(&rsp->tlb[i], line) : "-";
}

/* A reference without its bits: those are shown with the page. */
static const char *reference_at(const mmu_rsp_t *rsp, unsigned i, char line[DECODE_LINE]) {
  static const char *const kinds[] = {"PDE", "PTE", "descriptor", "TSS"};
  if (i >= rsp->n_mem || i >= MMU_MEM_MAX) return "-";
  const mmu_mem_t *mem = &rsp->mem[i];
  snprintf(line, DECODE_LINE, "%s %s %08" PRIx64 " %s %0*" PRIx64 "%s", mem->write ? "write" : "read ",
           kinds[mem->kind & 3], mem->paddr, mem->write ? "<-" : "=", 2 * (mem->size > 8 ? 8 : mem->size), mem->data,
           mem->lost ? " LOST" : "");
  return line;
}

static bool references_differ(const mmu_rsp_t *m, const mmu_rsp_t *d, unsigned i) {
  if (i >= m->n_mem || i >= d->n_mem) return true;
  const mmu_mem_t *x = &m->mem[i], *y = &d->mem[i];
  return x->paddr != y->paddr || x->data != y->data || x->size != y->size || x->write != y->write || x->lost != y->lost;
}

static bool events_differ(const mmu_rsp_t *m, const mmu_rsp_t *d, unsigned i) {
  if (i >= m->n_tlb || i >= d->n_tlb) return true;
  const mmu_tlb_event_t *x = &m->tlb[i], *y = &d->tlb[i];
  return x->kind != y->kind || x->large != y->large || x->set != y->set || x->way != y->way || x->evicted != y->evicted;
}

void show_sides(const explain_page_out_t *to) {
  const explain_report_t *report = to->report;
  const mmu_req_t *req = &report->explanation->req;
  const mmu_rsp_t *m = report->model;
  mmu_rsp_t dut = report->dut ? report_with_kinds(report->dut, req, report->explanation->before.cr3) : *m;
  const mmu_rsp_t *d = &dut;
  char a[DECODE_LINE], b[DECODE_LINE];
  to->pen->section(to->out, report->dut && report->legal ? "What is legal, and what the DUT answered and did"
                            : report->dut                ? "What each side answered and did"
                                                         : "What the reference answered and did");
  side(to, false, "", "reference", "DUT");
  bool fault = m->fault != d->fault || m->vector != d->vector || m->error_code != d->error_code || m->cr2 != d->cr2;
  side(to, fault, "fault", decode_fault(m->fault, m->vector, m->error_code, m->cr2, a),
       decode_fault(d->fault, d->vector, d->error_code, d->cr2, b));
  if (req->op <= MMU_OP_SYSTEM || (report->differences & (DIFF_LADDR | DIFF_PADDR | DIFF_SPLIT | DIFF_PAGE_SIZE)))
    side_operand(to, m, d);
  side_segment(to, m, d);
  unsigned events = m->n_tlb > d->n_tlb ? m->n_tlb : d->n_tlb, references = m->n_mem > d->n_mem ? m->n_mem : d->n_mem;
  for (unsigned i = 0; i < events && !report->legal; i++)
    side(to, events_differ(m, d, i), i ? "" : "TLB events", event_at(m, i, a), event_at(d, i, b));
  for (unsigned i = 0; i < references; i++)
    side(to, references_differ(m, d, i), i ? "" : "memory references", reference_at(m, i, a), reference_at(d, i, b));
  if (!events && !report->legal) side(to, false, "TLB events", "none", "none");
  if (!references) side(to, false, "memory references", "none", "none");
  to->pen->end_section(to->out);
}

/* --- since when --- */

static void last(const explain_page_out_t *to, const char *name, const since_t *since) {
  char line[WORDS_LINE];
  to->pen->row(to->out, MARK_NONE, name, words_since(since, line));
}

static void show_registers(const explain_page_out_t *to) {
  const explanation_t *e = to->report->explanation;
  const explain_since_t *s = to->report->since;
  const mmu_req_t *req = &e->req;
  const explain_place_t *place = &e->place;
  char name[32];
  last(to, "CR0 written by", &s->cr[0]);
  last(to, "CR3 written by", &s->cr[1]);
  last(to, "CR4 written by", &s->cr[2]);
  if ((place->known && place->table == MMU_SEG_GDTR) || (req->op == MMU_OP_SYSTEM && req->seg == MMU_SEG_GDTR))
    last(to, "GDTR loaded by", &s->gdtr);
  if ((place->known && place->table == MMU_SEG_IDTR) || (req->op == MMU_OP_SYSTEM && req->seg == MMU_SEG_IDTR))
    last(to, "IDTR loaded by", &s->idtr);
  if (place->known && place->table == MMU_SEG_LDTR) last(to, "LDTR loaded by", &s->seg[MMU_SEG_LDTR]);
  if (req->op == MMU_OP_CHECK_IO) last(to, "TR loaded by", &s->seg[MMU_SEG_TR]);
  if (req->op > MMU_OP_SET_SEG || req->seg >= MMU_SEG_COUNT) return;
  snprintf(name, sizeof name, "%s loaded by", decode_seg_name(req->seg));
  last(to, name, &s->seg[req->seg]);
  if (s->seg[req->seg].kind == SINCE_TRANSACTION && s->seg[req->seg].req.op == MMU_OP_COMMIT_SEG)
    last(to, "  staged by", &s->staged[req->seg]);
  if (req->op == MMU_OP_COMMIT_SEG) last(to, "  staged by", &s->seg[req->reason]);
}

void show_since(const explain_page_out_t *to) {
  static const char *const kinds[] = {"PDE", "PTE", "descriptor", "TSS"};
  const explain_since_t *s = to->report->since;
  char name[32], line[WORDS_LINE];
  to->pen->section(to->out, "Since when: the last changes before this transaction");
  show_registers(to);
  const mmu_req_t *req = &to->report->explanation->req;
  bool descriptors = req->op != MMU_OP_ACCESS || since_has_descriptor(s, req->seg);
  for (unsigned i = 0; i < s->n_places; i++) {
    if (s->place[i].kind == MMU_MEM_DESCRIPTOR && !descriptors) continue;
    snprintf(name, sizeof name, "%s %08" PRIx32, kinds[s->place[i].kind & 3], s->place[i].paddr);
    last(to, name, &s->place[i].written);
    if (s->place[i].marked.kind != SINCE_START && s->place[i].marked.transaction >= s->place[i].written.transaction)
      last(to, "  bits set since by", &s->place[i].marked);
  }
  for (unsigned i = 0; i < s->n_pages; i++) {
    const since_page_t *page = &s->page[i];
    snprintf(name, sizeof name, "page %08" PRIx32, page->laddr & 0xFFFFF000);
    if (to->report->legal)
      to->pen->row(to->out, MARK_DIM, name, "whether the DUT has it cached is not known");
    else
      to->pen->row(to->out, MARK_NONE, name, page->held.valid ? words_tlb(&page->held, line) : "not in the TLB");
    if (page->held.valid)
      last(to, "  in the TLB since", &page->entered);
    else if (page->left.kind != SINCE_START)
      last(to, "  left the TLB by", &page->left);
    last(to, "  invalidated by", &page->invalidated);
  }
  to->pen->end_section(to->out);
}
