#include "explain_since.h"

#include <string.h>

#include "x86.h"

bool since_has_descriptor(const explain_since_t *since, unsigned seg) {
  const since_t *loaded = &since->seg[seg];
  if (loaded->kind == SINCE_TRANSACTION && loaded->req.op == MMU_OP_COMMIT_SEG) loaded = &since->staged[seg];
  return loaded->kind == SINCE_TRANSACTION && loaded->req.op != MMU_OP_SET_SEG;
}

static void watch(explain_since_t *s, uint32_t paddr, uint8_t size, uint8_t kind) {
  for (unsigned i = 0; i < s->n_places; i++)
    if (s->place[i].paddr == paddr && s->place[i].size == size) return;
  if (s->n_places < SINCE_PLACES) s->place[s->n_places++] = (since_place_t){.paddr = paddr, .size = size, .kind = kind};
}

static void watch_entries(explain_since_t *s, const explain_page_t *page) {
  for (unsigned i = 0; i < page->n_entries; i++)
    watch(s, page->entry[i].paddr, 4, page->entry[i].kind);
}

static void watch_page(explain_since_t *s, since_page_t page) {
  for (unsigned i = 0; i < s->n_pages; i++)
    if ((s->page[i].laddr ^ page.laddr) >> 12 == 0) return;
  s->page[s->n_pages++] = page;
}

void explain_since_begin(explain_since_t *s, const explanation_t *e) {
  const explain_place_t *place = &e->place;
  memset(s, 0, sizeof *s);
  s->config = e->before.config;
  s->map = memmap_flat();
  s->cr0 = 0x60000010;
  if (place->mapped && place->inside) {
    watch(s, place->paddr[0], place->first, MMU_MEM_DESCRIPTOR);
    if (place->first < 8) watch(s, place->paddr[1], (uint8_t)(8 - place->first), MMU_MEM_DESCRIPTOR);
  }
  if (e->req.op == MMU_OP_INVLPG) watch_page(s, (since_page_t){.laddr = (uint32_t)e->req.offset});
  for (unsigned i = 0; i < e->n_pages; i++) {
    const explain_page_t *page = &e->page[i];
    if (!page->reached || !page->paging) continue;
    watch_entries(s, page);
    bool large = page->held ? page->slot.large : page->page_size == MMU_PAGE_4M;
    watch_page(s,
               (since_page_t){.laddr = page->laddr, .large = large, .global = page->held && page->entry_held.global});
  }
  for (unsigned i = 0; i < e->rsp.n_mem; i++)
    if (!e->rsp.mem[i].write) watch(s, (uint32_t)e->rsp.mem[i].paddr, e->rsp.mem[i].size, e->rsp.mem[i].kind);
}

/* --- memory --- */

static void wrote(explain_since_t *s, uint64_t paddr, uint64_t size, const since_t *event) {
  paddr = memmap_masked(&s->map, paddr);
  for (unsigned i = 0; i < s->n_places; i++) {
    since_place_t *place = &s->place[i];
    uint64_t at = memmap_masked(&s->map, place->paddr);
    if (paddr < at + place->size && at < paddr + size)
      *(event->kind == SINCE_TRANSACTION ? &place->marked : &place->written) = *event;
  }
}

static void reset(explain_since_t *s, uint64_t next) {
  const since_t event = {.kind = SINCE_RESET, .transaction = next};
  s->cr0 = 0x60000010;
  s->cr4 = 0;
  for (unsigned i = 0; i < 3; i++)
    s->cr[i] = event;
  s->gdtr = s->idtr = event;
  for (unsigned i = 0; i < MMU_SEG_COUNT; i++)
    s->seg[i] = event;
  for (unsigned i = 0; i < s->n_pages; i++) {
    since_page_t *page = &s->page[i];
    if (page->held.valid) page->left = event;
    page->held = (mmu_tlb_view_t){0};
    page->invalidated = event;
  }
}

void explain_since_record(explain_since_t *s, uint64_t next, const trace_record_t *record) {
  since_t event = {.transaction = next, .paddr = record->paddr, .size = record->size};
  switch (record->kind) {
  case TRACE_STORE:
    event.kind = SINCE_STORE;
    event.data = record->data;
    wrote(s, record->paddr, record->size, &event);
    break;
  case TRACE_LOAD:
    event.kind = SINCE_LOAD;
    wrote(s, record->paddr, record->size, &event);
    break;
  case TRACE_MAP:
    s->map = record->map;
    break;
  case TRACE_RESET:
    reset(s, next);
    break;
  default:
    break;
  }
}

/* --- registers --- */

static void loaded(explain_since_t *s, const mmu_req_t *req, const mmu_rsp_t *rsp, const since_t *event) {
  if (rsp->fault) return;
  switch (req->op) {
  case MMU_OP_LOAD_SEG:
    if (!rsp->system) s->seg[req->seg] = *event;
    break;
  case MMU_OP_SET_SEG:
    if (req->reason != MMU_SET_OUTER || !rsp->seg.usable) s->seg[req->seg] = *event;
    break;
  case MMU_OP_COMMIT_SEG:
    s->seg[req->seg] = *event;
    s->staged[req->seg] = s->seg[req->reason];
    break;
  case MMU_OP_WRITE_CR:
    s->cr[req->cr == 0 ? 0 : req->cr == 3 ? 1 : 2] = *event;
    break;
  case MMU_OP_LOAD_TABLE:
    *(req->seg == MMU_SEG_GDTR ? &s->gdtr : &s->idtr) = *event;
    break;
  default:
    break;
  }
}

/* --- the TLB --- */

static bool invalidates(const explain_since_t *s, const since_page_t *page, const mmu_req_t *req, const mmu_t *mmu) {
  if (req->op == MMU_OP_INVLPG) return ((uint32_t)req->offset ^ page->laddr) >> (page->large ? 22 : 12) == 0;
  if (req->op != MMU_OP_WRITE_CR) return false;
  if (req->cr == 3) return !page->global;
  uint64_t changed = req->cr == 0 ? mmu_cr(mmu, 0) ^ s->cr0 : mmu_cr(mmu, 4) ^ s->cr4;
  return changed & (req->cr == 0 ? X86_CR0_PG : (uint64_t)(X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP));
}

/* What the reference's TLB holds of a page, the 4 KiB array first. */
static mmu_tlb_view_t held(const explain_since_t *s, uint32_t laddr, const mmu_t *mmu) {
  if (s->config.tlb_sets == 0) return (mmu_tlb_view_t){0};
  unsigned set = laddr >> 12 & (s->config.tlb_sets - 1u);
  for (unsigned way = 0; way < s->config.tlb_ways; way++) {
    mmu_tlb_view_t view = mmu_tlb_entry(mmu, false, set, way);
    if (view.valid && (view.laddr ^ laddr) >> 12 == 0) return view;
  }
  for (unsigned way = 0; way < s->config.tlb_large; way++) {
    mmu_tlb_view_t view = mmu_tlb_entry(mmu, true, 0, way);
    if (view.valid && (view.laddr ^ laddr) >> 22 == 0) return view;
  }
  return (mmu_tlb_view_t){0};
}

static bool same(const mmu_tlb_view_t *a, const mmu_tlb_view_t *b) {
  return a->valid == b->valid && a->large == b->large && a->global == b->global && a->user == b->user &&
         a->writable == b->writable && a->dirty == b->dirty && a->pcd == b->pcd && a->pwt == b->pwt &&
         a->paddr == b->paddr;
}

static bool changes_tlb(const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (req->op == MMU_OP_WRITE_CR || req->op == MMU_OP_INVLPG) return true;
  for (unsigned i = 0; i < rsp->n_tlb; i++)
    if (rsp->tlb[i].kind != MMU_TLB_HIT) return true;
  return false;
}

static void look_at_tlb(explain_since_t *s, const mmu_req_t *req, const since_t *event, const mmu_t *mmu) {
  for (unsigned i = 0; i < s->n_pages; i++) {
    since_page_t *page = &s->page[i];
    if (invalidates(s, page, req, mmu)) page->invalidated = *event;
    mmu_tlb_view_t now = held(s, page->laddr, mmu);
    if (same(&now, &page->held)) continue;
    page->held = now;
    *(now.valid ? &page->entered : &page->left) = *event;
  }
}

void explain_since_transaction(explain_since_t *s, uint64_t number, const mmu_req_t *req, const mmu_rsp_t *rsp,
                               const mmu_t *mmu) {
  const since_t event = {.kind = SINCE_TRANSACTION, .transaction = number, .req = *req};
  loaded(s, req, rsp, &event);
  for (unsigned i = 0; i < rsp->n_mem; i++)
    if (rsp->mem[i].write && !rsp->mem[i].lost) wrote(s, rsp->mem[i].paddr, rsp->mem[i].size, &event);
  if (changes_tlb(req, rsp)) look_at_tlb(s, req, &event, mmu);
  s->cr0 = (uint32_t)mmu_cr(mmu, 0);
  s->cr4 = (uint32_t)mmu_cr(mmu, 4);
}
