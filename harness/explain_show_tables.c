/*
 * The segment with its descriptor, and the pages with their entries.
 */
#include <inttypes.h>
#include <stdio.h>

#include "decode.h"
#include "explain_priv.h"
#include "explain_show.h"
#include "explain_words.h"

/* --- segment --- */

static void show_hidden(const explain_page_out_t *to, const char *name, const mmu_seg_t *seg) {
  char line[WORDS_LINE];
  show_row(to, seg->usable ? MARK_NONE : MARK_BAD, name,
           "selector %04x, base %08" PRIx64 ", limit %08" PRIx32 ", attr %03x%s", seg->selector, seg->base, seg->limit,
           seg->attr, seg->usable ? "" : ", UNUSABLE");
  show_row(to, MARK_NONE, "", "S = %u, %s; D/B = %u, DPL %u, P = %u", seg->attr >> 4 & 1, words_type(seg->attr, line),
           seg->attr >> 10 & 1, attr_dpl(seg->attr), seg->attr >> 7 & 1);
}

static void show_gate(const explain_page_out_t *to, uint64_t d) {
  char line[WORDS_LINE];
  unsigned attr = explain_unpack(d, 0).attr;
  show_row(to, MARK_NONE, "  selector:offset", "%04x:%08" PRIx32, (unsigned)(d >> 16 & 0xFFFF),
           (uint32_t)((d & 0xFFFF) | (d >> 32 & 0xFFFF0000)));
  show_row(to, MARK_NONE, "  type, S", "%x, S = 0: %s", attr & MMU_ATTR_TYPE, words_type(attr, line));
  show_row(to, MARK_NONE, "  DPL, P", "DPL %u, P = %u", attr_dpl(attr), attr >> 7 & 1);
}

static void show_fields(const explain_page_out_t *to, uint64_t d) {
  char line[WORDS_LINE];
  mmu_seg_t seg = explain_unpack(d, 0);
  unsigned g = seg.attr >> 11 & 1;
  if (words_is_gate(seg.attr)) {
    show_gate(to, d);
    return;
  }
  show_row(to, MARK_NONE, "  base", "%08" PRIx64, seg.base);
  show_row(to, MARK_NONE, "  limit, G", "%05x, G = %u: last byte %08" PRIx32,
           (unsigned)((d & 0xFFFF) | (d >> 32 & 0xF0000)), g, seg.limit);
  show_row(to, MARK_NONE, "  D/B, L, AVL", "D/B = %u, L = %u, AVL = %u", seg.attr >> 10 & 1, seg.attr >> 9 & 1,
           seg.attr >> 8 & 1);
  show_row(to, MARK_NONE, "  type, S", "%x, S = %u: %s", seg.attr & MMU_ATTR_TYPE, seg.attr >> 4 & 1,
           words_type(seg.attr, line));
  show_row(to, MARK_NONE, "  DPL, P", "DPL %u, P = %u", attr_dpl(seg.attr), seg.attr >> 7 & 1);
}

static void show_place(const explain_page_out_t *to, const explain_place_t *place) {
  const char *table = place->table == MMU_SEG_LDTR ? "LDT" : place->table == MMU_SEG_IDTR ? "IDT" : "GDT";
  bool used = to->report->explanation->req.op != MMU_OP_ACCESS && to->report->explanation->req.op != MMU_OP_MARK_TASK;
  show_row(to, place->inside || !used ? MARK_NONE : MARK_BAD, "descriptor at",
           "%s base %08" PRIx32 " + %04x = linear %08" PRIx32 "%s; the table's limit is %08" PRIx32, table,
           place->table_base, place->offset, place->laddr, place->inside ? "" : ", OUT OF THE TABLE",
           place->table_limit);
  if (!place->mapped || !place->inside) {
    to->pen->row(to->out, MARK_DIM, "descriptor", "not read");
    return;
  }
  if (place->first < 8)
    show_row(to, MARK_NONE, "", "physical %08" PRIx32 " (%u bytes) and %08" PRIx32 " (%u bytes)", place->paddr[0],
             place->first, place->paddr[1], 8 - place->first);
  else
    show_row(to, MARK_NONE, "", "physical %08" PRIx32, place->paddr[0]);
  show_row(to, place->read ? MARK_NONE : MARK_DIM, "descriptor", "%016" PRIx64 "%s", place->raw,
           place->read ? "" : " (not read now: what memory holds at present)");
  show_fields(to, place->raw);
}

/* The hidden part was loaded earlier: has the descriptor in memory changed since? */
static void compare_place(const explain_page_out_t *to, const mmu_seg_t *seg, const explain_place_t *place) {
  if (!place->mapped || !place->inside) return;
  mmu_seg_t now = explain_unpack(place->raw, seg->selector);
  bool same = now.base == seg->base && now.limit == seg->limit && (now.attr | 1) == (seg->attr | 1);
  if (!same)
    to->pen->row(to->out, MARK_BAD, "note",
                 "the hidden part is not what this descriptor says now; the hidden part counts");
}

/* The register that the request goes through or changes; MMU_SEG_COUNT: none. */
static unsigned register_of(const mmu_req_t *req) {
  if (req->op == MMU_OP_CHECK_IO) return MMU_SEG_TR;
  return req->op <= MMU_OP_SET_SEG && req->seg < MMU_SEG_COUNT ? req->seg : MMU_SEG_COUNT;
}

static bool changes_register(const mmu_req_t *req) {
  return req->op == MMU_OP_LOAD_SEG || req->op == MMU_OP_COMMIT_SEG || req->op == MMU_OP_SET_SEG;
}

void show_segment(const explain_page_out_t *to) {
  const explanation_t *e = to->report->explanation;
  const mmu_req_t *req = &e->req;
  unsigned seg = register_of(req);
  bool selects = req->op == MMU_OP_LOAD_SEG || req->op == MMU_OP_VERIFY || req->op == MMU_OP_MARK_TASK;
  char line[WORDS_LINE];
  if (seg == MMU_SEG_COUNT && !e->place.known && req->op != MMU_OP_SYSTEM) return;
  to->pen->section(to->out, "Segment");
  if (selects) to->pen->row(to->out, MARK_NONE, "selector", words_selector(req->selector, line));
  if (seg < MMU_SEG_COUNT) {
    bool protected_mode = e->before.cr0 & X86_CR0_PE && !req->vm;
    if (req->op == MMU_OP_ACCESS && protected_mode)
      to->pen->row(to->out, MARK_NONE, "selector", words_selector(e->before.seg[seg].selector, line));
    snprintf(line, sizeof line, "%s%s", decode_seg_name(seg), changes_register(req) ? " before" : "");
    show_hidden(to, line, &e->before.seg[seg]);
    words_since(&to->report->since->seg[seg], line);
    to->pen->row(to->out, MARK_NONE, "  loaded by", line);
  }
  if (req->op == MMU_OP_COMMIT_SEG) show_hidden(to, decode_seg_name(req->reason), &e->before.seg[req->reason]);
  if (req->op == MMU_OP_ACCESS && !since_has_descriptor(to->report->since, seg)) {
    to->pen->row(to->out, MARK_DIM, "descriptor", "none: the register was not loaded from one");
  } else if (e->place.known) {
    show_place(to, &e->place);
    if (req->op == MMU_OP_ACCESS) compare_place(to, &e->before.seg[seg], &e->place);
  }
  if (e->rsp.seg.usable && req->op != MMU_OP_VERIFY) {
    snprintf(line, sizeof line, "%s after", decode_seg_name(req->seg));
    show_hidden(to, line, &e->after.seg[req->seg]);
  }
  if (req->op <= MMU_OP_SYSTEM && (e->rsp.first || !e->rsp.fault))
    show_row(to, MARK_NONE, "linear address", "%08" PRIx64 " = base %08" PRIx32 " + offset %08" PRIx64 " (mod 2^32)",
             e->rsp.laddr, (uint32_t)(e->rsp.laddr - req->offset), req->offset);
  to->pen->end_section(to->out);
}

/* --- pages --- */

static void show_entry(const explain_page_out_t *to, const explain_entry_t *entry, bool large) {
  bool directory = entry->kind == MMU_MEM_PDE;
  char line[WORDS_LINE];
  show_row(to, entry->read ? MARK_NONE : MARK_DIM, directory ? "PDE" : "PTE", "at %08" PRIx32 ": %08" PRIx32 "  %s%s",
           entry->paddr, entry->before, words_entry(entry->before, directory, large, line),
           entry->read ? "" : " (not read: what memory holds now)");
  if (entry->after != entry->before)
    show_row(to, MARK_NONE, "  after", "written: %08" PRIx32 "  %s", entry->after,
             words_entry(entry->after, directory, large, line));
}

/* Whether the entry served by the TLB says something else than memory. */
static bool is_stale(const explain_page_t *page, bool large) {
  const explain_entry_t *last = &page->entry[page->n_entries - 1];
  uint32_t rights = page->entry[0].before & last->before, offset = page->page_size == MMU_PAGE_4M ? 0x3FFFFF : 0xFFF;
  bool is_4m = page->page_size == MMU_PAGE_4M;
  if (!(rights & X86_PTE_P) || large != is_4m) return true;
  return (last->before & ~offset) != (page->paddr & ~offset) || !(rights & X86_PTE_U) != !page->user ||
         !(rights & X86_PTE_W) != !page->writable;
}

static void show_tlb(const explain_page_out_t *to, const explain_page_t *page) {
  char line[WORDS_LINE];
  if (page->cached) {
    to->pen->row(to->out, MARK_NONE, "cached by the DUT", words_tlb(&page->entry_held, line));
    return;
  }
  if (to->report->legal) {
    to->pen->row(to->out, MARK_DIM, "TLB held", "not known: the DUT may cache as it likes");
    return;
  }
  if (page->held)
    show_row(to, MARK_NONE, "TLB held", "%s %u way %u: %s", page->slot.large ? "large pages, set" : "4 KiB set",
             page->slot.set, page->slot.way, words_tlb(&page->entry_held, line));
  else
    to->pen->row(to->out, MARK_NONE, "TLB held", "nothing of this page");
  for (unsigned i = 0; i < page->n_events; i++)
    to->pen->row(to->out, MARK_NONE, i ? "" : "TLB events",
                 decode_tlb(&to->report->explanation->rsp.tlb[page->first_event + i], line));
  if (page->evicted) to->pen->row(to->out, MARK_NONE, "  evicted", words_tlb(&page->entry_evicted, line));
}

static void show_page(const explain_page_out_t *to, unsigned i, const explain_page_t *page) {
  static const char *const sizes[] = {"paging is off", "4 KiB page", "4 MiB page"};
  const explanation_t *e = to->report->explanation;
  char line[WORDS_LINE], name[96];
  bool large = page->n_entries && page->entry[0].before & X86_PDE_PS && e->before.cr4 & X86_CR4_PSE;
  show_page_name(page, name);
  snprintf(line, sizeof line, "Translation %u: %s", i + 1, name);
  to->pen->section(to->out, line);
  show_row(to, MARK_NONE, "linear address",
           "%08" PRIx32 ": directory index %03" PRIx32 ", table index %03" PRIx32 ", offset %03" PRIx32, page->laddr,
           page->laddr >> 22, page->laddr >> 12 & 0x3FF, page->laddr & 0xFFF);
  to->pen->row(to->out, MARK_NONE, "access", words_access(page, line));
  if (page->paging) {
    show_tlb(to, page);
    for (unsigned k = 0; k < page->n_entries; k++)
      show_entry(to, &page->entry[k], large);
    if (page->anew)
      to->pen->row(to->out, MARK_NONE, "walk anew", "an update was lost: these are the entries of the last walk");
    if (page->done && !page->entry[0].read && is_stale(page, large))
      to->pen->row(to->out, MARK_BAD, "note",
                   "the TLB's entry is not what memory says now; until it is invalidated it counts");
    if (page->rights_known)
      show_row(to, MARK_NONE, "combined rights", "U = %u (%s), W = %u (%s)", page->user,
               page->user ? "user" : "supervisor", page->writable, page->writable ? "writable" : "read-only");
  }
  if (page->done)
    show_row(to, MARK_GOOD, "physical address", "%08" PRIx32 ", %s, PCD = %u, PWT = %u", page->paddr,
             sizes[page->page_size], page->pcd, page->pwt);
  else
    to->pen->row(to->out, MARK_BAD, "physical address",
                 decode_fault(true, e->rsp.vector, e->rsp.error_code, e->rsp.cr2, line));
  to->pen->end_section(to->out);
}

void show_pages(const explain_page_out_t *to) {
  const explanation_t *e = to->report->explanation;
  for (unsigned i = 0; i < e->n_pages; i++)
    if (e->page[i].reached) show_page(to, i, &e->page[i]);
}
