/*
 * The translation of one page: TLB, walk, rights, accessed and dirty bits.
 *
 * Source: DESIGN.md 3.5 and 3.6; "32-Bit Paging", "Determination of Access Rights", "Page-Fault Exceptions".
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "explain_priv.h"

enum { RESERVED_4M = 0x003FE000 /* bits 21:13 */, LINE = 96 };

/* U and W of all levels. */
typedef struct {
  bool user, writable;
} rights_t;

/* --- checks --- */

static uint16_t error_code(const explain_t *x, const explain_page_t *page, uint16_t why) {
  uint16_t code = why;
  if (page->access == MMU_WRITE) code |= X86_PF_W;
  if (page->who == BY_USER) code |= X86_PF_U;
  if (page->access == MMU_EXECUTE && x->state->cr4 & X86_CR4_SMEP) code |= X86_PF_I;
  return code;
}

/* A check that ends in a page fault; why: P and RSVD of its error code. */
static void page_check(explain_t *x, const explain_page_t *page, explain_rule_t rule, bool passes, const char *values) {
  bool reached = !x->over;
  rule.error_code = error_code(x, page, rule.error_code);
  rule.vector = X86_PF;
  if (!explain_check(x, rule, passes, "%s", values) && reached) x->rsp->cr2 = page->laddr;
}

static void check_present(explain_t *x, const explain_page_t *page, explain_check_t check, uint32_t entry) {
  const char *rule =
      check == CHECK_PDE_PRESENT ? "the page-directory entry is present" : "the page-table entry is present";
  char values[LINE];
  snprintf(values, sizeof values, "P = %u", entry & X86_PTE_P);
  page_check(x, page, (explain_rule_t){check, .rule = rule, .section = "\"Page-Fault Exceptions\""}, entry & X86_PTE_P,
             values);
}

static void check_reserved(explain_t *x, const explain_page_t *page, explain_check_t check, const char *rule,
                           uint32_t bits) {
  char values[LINE];
  snprintf(values, sizeof values, "reserved bits that are 1: %08" PRIx32, bits);
  page_check(x, page, (explain_rule_t){check, 0, X86_PF_P | X86_PF_RSVD, rule, "\"32-Bit Paging\"", NULL}, bits == 0,
             values);
}

static void rights_check(explain_t *x, const explain_page_t *page, explain_check_t check, const char *rule, bool passes,
                         const char *values) {
  page_check(x, page, (explain_rule_t){check, 0, X86_PF_P, rule, "\"Determination of Access Rights\"", NULL}, passes,
             values);
}

static void check_rights(explain_t *x, explain_page_t *page, rights_t r) {
  bool write = page->access == MMU_WRITE;
  bool wp = x->state->cr0 & X86_CR0_WP, smep = x->state->cr4 & X86_CR4_SMEP, smap = x->state->cr4 & X86_CR4_SMAP;
  char values[LINE];
  page->rights_known = !x->over;
  page->user = r.user;
  page->writable = r.writable;
  if (page->who == BY_USER) {
    snprintf(values, sizeof values, "U of all levels = %u", r.user);
    rights_check(x, page, CHECK_USER, "a user access: U = 1 in every entry", r.user, values);
    snprintf(values, sizeof values, "W of all levels = %u", r.writable);
    if (write) rights_check(x, page, CHECK_USER_WRITE, "a user write: W = 1 in every entry", r.writable, values);
    return;
  }
  if (write) {
    snprintf(values, sizeof values, "CR0.WP = %u, W of all levels = %u", wp, r.writable);
    rights_check(x, page, CHECK_WP, "a supervisor write with CR0.WP = 1: W = 1 in every entry", !wp || r.writable,
                 values);
  }
  if (page->access == MMU_EXECUTE) {
    snprintf(values, sizeof values, "CR4.SMEP = %u, U of all levels = %u", smep, r.user);
    rights_check(x, page, CHECK_SMEP, "a supervisor fetch with CR4.SMEP = 1: U = 0 in an entry", !smep || !r.user,
                 values);
    return;
  }
  bool ac = page->who == BY_SUPERVISOR_WITH_AC;
  snprintf(values, sizeof values, "CR4.SMAP = %u, U of all levels = %u, explicit with AC = 1: %s", smap, r.user,
           ac ? "yes" : "no");
  rights_check(x, page, CHECK_SMAP, "supervisor data with CR4.SMAP = 1: U = 0 in an entry, or explicit and AC = 1",
               !smap || !r.user || ac, values);
}

/* Would check_rights pass? */
static bool allowed(const explain_t *x, const explain_page_t *page, rights_t r) {
  bool write = page->access == MMU_WRITE;
  if (page->who == BY_USER) return r.user && (r.writable || !write);
  if (page->access == MMU_EXECUTE) return !(x->state->cr4 & X86_CR4_SMEP && r.user);
  if (write && x->state->cr0 & X86_CR0_WP && !r.writable) return false;
  return !(x->state->cr4 & X86_CR4_SMAP) || !r.user || page->who == BY_SUPERVISOR_WITH_AC;
}

/* --- the TLB --- */

static void log_event(explain_t *x, explain_page_t *page, mmu_tlb_kind_t kind, explain_slot_t slot, bool evicted) {
  assert(x->rsp->n_tlb < MMU_TLB_MAX);
  x->rsp->tlb[x->rsp->n_tlb++] = (mmu_tlb_event_t){(uint8_t)kind, slot.large, evicted, slot.set, slot.way};
  page->n_events++;
}

static void finish(explain_page_t *page, const mmu_tlb_view_t *entry) {
  uint32_t offset = entry->large ? 0x3FFFFF : 0xFFF;
  page->rights_known = true;
  page->user = entry->user;
  page->writable = entry->writable;
  page->page_size = entry->large ? MMU_PAGE_4M : MMU_PAGE_4K;
  page->paddr = (uint32_t)entry->paddr | (page->laddr & offset);
  page->pcd = entry->pcd;
  page->pwt = entry->pwt;
  page->done = true;
}

static void describe(const mmu_tlb_view_t *entry, char line[LINE]) {
  snprintf(line, LINE, "%s %08" PRIx64 " -> %08" PRIx64 ", U = %u, W = %u, D = %u, G = %u", entry->large ? "4M" : "4K",
           entry->laddr, entry->paddr, entry->user, entry->writable, entry->dirty, entry->global);
}

/* A translation as the TLB would hold it. large: entry is a PDE, else a PTE with U and W of both levels. */
static mmu_tlb_view_t view_of(const explain_t *x, const explain_page_t *page, bool large, uint32_t entry) {
  uint32_t frame = large ? 0xFFC00000 : 0xFFFFF000;
  return (mmu_tlb_view_t){.valid = true,
                          .large = large,
                          .global = entry & X86_PTE_G && x->state->cr4 & X86_CR4_PGE,
                          .user = entry & X86_PTE_U,
                          .writable = entry & X86_PTE_W,
                          .dirty = entry & X86_PTE_D,
                          .pcd = entry & X86_PTE_PCD,
                          .pwt = entry & X86_PTE_PWT,
                          .laddr = page->laddr & frame,
                          .paddr = entry & frame};
}

/*
 * Asks what a device has cached whose TLB is not known. Returns true if that decides; *pde: a directory entry that the
 * walk goes on from, else NULL.
 */
static bool recall(explain_t *x, explain_page_t *page, const uint32_t **pde) {
  const explain_cache_t *cache = &x->state->cache;
  unsigned i = x->recalled++;
  const explain_recall_t *r = i < cache->n ? &cache->recall[i] : NULL;
  char line[LINE];
  if (!r || r->kind == MMU_RECALL_NOTHING) {
    explain_done(x, "cached translations: none is used", "a walk follows");
    return false;
  }
  if (r->kind == MMU_RECALL_TABLE) {
    *pde = &r->entry;
    explain_done(x, "cached translations: a page-directory entry", "%08" PRIx32 ": the walk goes on from it", r->entry);
    return false;
  }
  page->cached = true;
  page->entry_held = view_of(x, page, r->page_size == MMU_PAGE_4M, r->entry);
  const mmu_tlb_view_t *entry = &page->entry_held;
  bool permitted = allowed(x, page, (rights_t){entry->user, entry->writable});
  describe(entry, line);
  explain_done(x, "cached translations: one is used", "%s", line);
  if (permitted && (page->access != MMU_WRITE || entry->dirty)) {
    finish(page, entry);
    return true;
  }
  if (!permitted && x->state->config.stale_faults) {
    check_rights(x, page, (rights_t){entry->user, entry->writable});
    return true;
  }
  explain_done(x, "it cannot serve the access", "%s: a walk follows",
               permitted ? "its D is 0 and this is a write" : "its rights do not allow it");
  return false;
}

/* Looks the page up. Returns true if an entry serves the access. */
static bool look_up(explain_t *x, explain_page_t *page) {
  char line[LINE];
  page->held = explain_tlb_find(x->state, page->laddr, &page->slot);
  if (!page->held) {
    log_event(x, page, MMU_TLB_MISS, (explain_slot_t){0}, false);
    bool none = x->state->config.tlb_sets == 0;
    explain_done(x, none ? "TLB: there is none" : "TLB: no entry holds the page", "MISS: a walk follows");
    return false;
  }
  page->entry_held = *explain_tlb_at(x->state, page->slot);
  const mmu_tlb_view_t *entry = &page->entry_held;
  describe(entry, line);
  bool permitted = allowed(x, page, (rights_t){entry->user, entry->writable});
  if (!permitted || (page->access == MMU_WRITE && !entry->dirty)) {
    log_event(x, page, MMU_TLB_RENEW, page->slot, false);
    explain_tlb_drop_page(x->state, page->laddr);
    explain_done(x, "TLB: an entry holds the page but cannot serve the access",
                 "RENEW, %s: %s; dropped, a walk follows",
                 permitted ? "its D is 0 and this is a write" : "its rights do not allow it", line);
    return false;
  }
  log_event(x, page, MMU_TLB_HIT, page->slot, false);
  explain_plru_touch(&x->state->plru, &x->state->config, page->slot);
  explain_done(x, "TLB: an entry serves the access", "HIT: %s", line);
  finish(page, entry);
  return true;
}

static void enter(explain_t *x, explain_page_t *page, const mmu_tlb_view_t *entry) {
  char line[LINE];
  page->filled_slot = explain_tlb_victim(x->state, page->laddr, entry->large);
  mmu_tlb_view_t *at = explain_tlb_at(x->state, page->filled_slot);
  page->filled = true;
  page->evicted = at->valid;
  page->entry_evicted = *at;
  *at = *entry;
  log_event(x, page, MMU_TLB_FILL, page->filled_slot, page->evicted);
  explain_plru_touch(&x->state->plru, &x->state->config, page->filled_slot);
  describe(entry, line);
  explain_done(x, "TLB: the translation is entered", "FILL: %s%s", line, page->evicted ? "; another is evicted" : "");
}

/* --- the walk --- */

static uint32_t read_entry(explain_t *x, explain_page_t *page, mmu_mem_kind_t kind, uint32_t paddr) {
  if (x->over) return 0;
  uint32_t entry = (uint32_t)explain_read(x, kind, paddr, 4);
  page->entry[page->n_entries++] = (explain_entry_t){true, (uint8_t)kind, paddr, entry, entry};
  return entry;
}

/* Sets bits of an entry that are not set yet, in memory and in the record. Returns false if the update is lost. */
static bool set_bits(explain_t *x, explain_page_t *page, unsigned level, uint32_t bits) {
  if (x->over) return true;
  explain_entry_t *entry = &page->entry[level];
  uint32_t data = entry->after | bits;
  if (data == entry->after) return true;
  if (!explain_update(x, entry->kind, entry->paddr, 4, entry->after, data)) return false;
  entry->after = data;
  return true;
}

static rights_t rights_of(uint32_t entries) {
  return (rights_t){entries & X86_PTE_U, entries & X86_PTE_W};
}

/* Both return false if an update was lost; *entry is undefined then, and after a fault. */
static bool walk_large(explain_t *x, explain_page_t *page, uint32_t pde, uint32_t marks, mmu_tlb_view_t *entry) {
  check_reserved(x, page, CHECK_PDE_RESERVED, "bits 21:13 of a 4 MiB page's entry are 0", pde & RESERVED_4M);
  if (x->state->config.pat_reserved)
    check_reserved(x, page, CHECK_PDE_RESERVED, "bit 12 (PAT) of a 4 MiB page's entry is 0: no PAT", pde & X86_PDE_PAT);
  check_rights(x, page, rights_of(pde));
  if (!set_bits(x, page, 0, marks)) return false;
  *entry = view_of(x, page, true, page->entry[0].after);
  return true;
}

static bool walk_once(explain_t *x, explain_page_t *page, const uint32_t *cached, mmu_tlb_view_t *entry) {
  const mmu_config_t *config = &x->state->config;
  bool pse = x->state->cr4 & X86_CR4_PSE;
  uint32_t marks = page->access == MMU_WRITE ? X86_PTE_A | X86_PTE_D : X86_PTE_A;
  uint32_t pde_at = (x->state->cr3 & 0xFFFFF000) + 4 * (page->laddr >> 22);
  uint32_t pde = cached ? *cached : read_entry(x, page, MMU_MEM_PDE, pde_at);
  if (cached) page->entry[page->n_entries++] = (explain_entry_t){false, MMU_MEM_PDE, pde_at, pde, pde};
  check_present(x, page, CHECK_PDE_PRESENT, pde);
  if (!cached && pde & X86_PTE_P && pde & X86_PDE_PS && pse) return walk_large(x, page, pde, marks, entry);
  if (config->accessed_on_fault && !cached && !set_bits(x, page, 0, X86_PTE_A)) return false;
  uint32_t pte = read_entry(x, page, MMU_MEM_PTE, (pde & 0xFFFFF000) + 4 * (page->laddr >> 12 & 0x3FF));
  check_present(x, page, CHECK_PTE_PRESENT, pte);
  if (config->pat_reserved && pse)
    check_reserved(x, page, CHECK_PTE_RESERVED, "bit 7 (PAT) of the page-table entry is 0: no PAT", pte & X86_PTE_PAT);
  rights_t rights = rights_of(pde & pte);
  check_rights(x, page, rights);
  if (!cached && !set_bits(x, page, 0, X86_PTE_A)) return false;
  if (!set_bits(x, page, 1, marks)) return false;
  *entry = view_of(x, page, false, (pte | marks) & (pde | ~(uint32_t)(X86_PTE_U | X86_PTE_W)));
  return true;
}

static void note_marks(explain_t *x, const explain_page_t *page) {
  static const char *const names[] = {"page-directory entry", "page-table entry"};
  for (unsigned i = 0; i < page->n_entries; i++) {
    const explain_entry_t *entry = &page->entry[i];
    uint32_t set = entry->before ^ entry->after;
    if (set)
      explain_done(x, "walk: bits are set in memory", "%s%s%s of the %s", set & X86_PTE_A ? "A" : "",
                   set == (X86_PTE_A | X86_PTE_D) ? " and " : "", set & X86_PTE_D ? "D" : "", names[i]);
  }
}

/* The walk, from a cached directory entry if there is one; anew as long as an entry changes in memory between its
 * reading and its update. */
static void walk(explain_t *x, explain_page_t *page, const uint32_t *pde, mmu_tlb_view_t *entry) {
  for (;; pde = NULL) {
    page->n_entries = 0;
    bool done = walk_once(x, page, pde, entry);
    if (x->over) return;
    note_marks(x, page);
    if (done) return;
    page->anew = true;
    explain_done(x, "walk: an update is lost, the entry has changed since it was read", "the walk begins anew");
  }
}

/* After a hit: the entries as memory holds them now, which nobody has read. */
static void peek_entries(const explain_t *x, explain_page_t *page) {
  uint32_t paddr = (x->state->cr3 & 0xFFFFF000) + 4 * (page->laddr >> 22), entry = (uint32_t)explain_peek(x, paddr, 4);
  page->entry[page->n_entries++] = (explain_entry_t){false, MMU_MEM_PDE, paddr, entry, entry};
  if (!(entry & X86_PTE_P) || (entry & X86_PDE_PS && x->state->cr4 & X86_CR4_PSE)) return;
  paddr = (entry & 0xFFFFF000) + 4 * (page->laddr >> 12 & 0x3FF);
  entry = (uint32_t)explain_peek(x, paddr, 4);
  page->entry[page->n_entries++] = (explain_entry_t){false, MMU_MEM_PTE, paddr, entry, entry};
}

/* --- a page --- */

static void translate(explain_t *x, explain_page_t *page) {
  static const char *const sizes[] = {"no paging", "4 KiB page", "4 MiB page"};
  if (!page->paging) {
    page->paddr = page->laddr;
    page->done = true;
    explain_done(x, "paging is off: physical = linear", "%08" PRIx32, page->paddr);
    return;
  }
  const uint32_t *pde = NULL;
  bool unknown = x->state->cache.unknown;
  if (unknown ? recall(x, page, &pde) : look_up(x, page)) {
    if (x->over) return;
    peek_entries(x, page);
  } else {
    mmu_tlb_view_t entry = {0};
    walk(x, page, pde, &entry);
    if (x->over) return;
    finish(page, &entry);
    if (!unknown && x->state->config.tlb_sets) enter(x, page, &entry);
  }
  explain_done(x, "physical address", "%08" PRIx32 " (%s)", page->paddr, sizes[page->page_size]);
}

const explain_page_t *explain_translate(explain_t *x, explain_asked_t asked) {
  assert(x->out->n_pages < EXPLAIN_PAGES);
  x->page = (int8_t)x->out->n_pages;
  explain_page_t *page = &x->out->page[x->out->n_pages++];
  *page = (explain_page_t){.what = asked.what,
                           .part = asked.part,
                           .access = asked.access,
                           .who = asked.who,
                           .laddr = asked.laddr,
                           .reached = !x->over,
                           .paging = x->state->cr0 & X86_CR0_PG,
                           .first_event = x->rsp->n_tlb};
  if (page->reached)
    translate(x, page);
  else
    explain_check(x, (explain_rule_t){.rule = "translation", .section = ""}, false, "%s", "");
  x->page = -1;
  return page;
}

uint64_t explain_system_read(explain_t *x, const char *what, mmu_mem_kind_t kind, uint32_t laddr, unsigned size) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  bool split = size > room;
  explain_asked_t asked = {what, split ? 1 : 0, MMU_READ, BY_SUPERVISOR, laddr};
  const explain_page_t *page = explain_translate(x, asked);
  if (!split) return explain_read(x, kind, page->paddr, size);
  asked.part = 2;
  asked.laddr = laddr + room;
  const explain_page_t *next = explain_translate(x, asked);
  uint64_t low = explain_read(x, kind, page->paddr, room);
  return low | explain_read(x, kind, next->paddr, size - room) << 8 * room;
}

bool explain_peek_page(const explain_t *x, uint32_t laddr, uint32_t *paddr) {
  *paddr = laddr;
  if (!(x->state->cr0 & X86_CR0_PG)) return true;
  explain_page_t page = {.laddr = laddr};
  peek_entries(x, &page);
  uint32_t last = page.entry[page.n_entries - 1].before;
  uint32_t offset = page.n_entries == 1 ? 0x3FFFFF : 0xFFF;
  *paddr = (last & ~offset) | (laddr & offset);
  return last & X86_PTE_P;
}
