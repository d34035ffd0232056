/*
 * Which translations a request may use: all that memory held since the last invalidation that covers them.
 */
#include "history_priv.h"

static const uint32_t RESERVED_4M = 0x003FE000u;

static moment_t later(moment_t a, moment_t b) {
  return a > b ? a : b;
}

static moment_t sooner(moment_t a, moment_t b) {
  return a < b ? a : b;
}

static moment_t last_before(last_two_t two, moment_t accepted) {
  return two.last <= accepted ? two.last : two.before <= accepted ? two.before : 0;
}

/* The last invalidation that covers this translation, for a request. */
static moment_t last_invalidation(const history_t *h, uint32_t laddr, moment_t accepted, uint32_t entry,
                                  uint8_t page_size) {
  last_two_t own = page_size == MMU_PAGE_4M ? h->region[laddr >> 22] : h->page[laddr >> 12];
  moment_t last = later(h->all, last_before(own, accepted));
  bool global = entry & X86_PTE_G && h->cr4 & X86_CR4_PGE;
  return global ? last : later(last, h->local);
}

static bool concerns(const drop_t *drop, uint32_t laddr) {
  return drop->region == REGIONS || drop->region == laddr >> 22;
}

static moment_t last_upper(const history_t *h, uint32_t laddr, moment_t accepted) {
  for (uint32_t i = h->n_upper; i-- > 0;)
    if (h->upper[i].when <= accepted && concerns(&h->upper[i], laddr)) return h->upper[i].when;
  return 0;
}

/* The pages of a query as they are collected. */
typedef struct {
  const history_t *h;
  uint32_t laddr;
  moment_t accepted;
  bool illegal;
  moment_t since; /* what ended before it is of no interest */
  bool misread;   /* PS counts as CR4.PSE, before it was written last, would have it */
  history_page_t *pages;
  unsigned n;
} query_t;

static void add(query_t *q, history_page_t page) {
  moment_t last = page.table ? later(q->h->all, q->h->local)
                             : last_invalidation(q->h, q->laddr, q->accepted, page.entry, page.page_size);
  if (page.table) last = later(last, last_upper(q->h, q->laddr, q->accepted));
  page.forbidden = q->misread ? q->h->all : page.to > last ? 0 : last;
  if (page.forbidden && !q->illegal) return;
  for (unsigned i = 0; i < q->n; i++) {
    history_page_t *have = &q->pages[i];
    if (have->entry != page.entry || have->page_size != page.page_size || have->table != page.table) continue;
    if (page.to > have->to) *have = page; /* the one that lasted longer is the more legal */
    return;
  }
  if (q->n < HISTORY_PAGES_MAX) q->pages[q->n++] = page;
}

static bool usable(uint32_t entry) {
  return (entry & (X86_PTE_P | X86_PTE_A)) == (X86_PTE_P | X86_PTE_A);
}

/* Calls visit with each value that an entry had between two moments, the latest first. */
typedef void visit_t(query_t *q, uint32_t value, moment_t from, moment_t to);

static void each_value(query_t *q, uint32_t paddr, moment_t from, moment_t to, visit_t *visit) {
  const frame_t *frame = *history_frame(q->h, paddr);
  uint32_t at = frame ? frame->spell[paddr >> 2 & (ENTRIES - 1)] : 0;
  if (at == 0) {
    visit(q, history_entry(q->h, paddr), from, to);
    return;
  }
  for (; at; at = q->h->spell[at].next) { /* the later a spell has ended, the nearer it is to the front */
    const spell_t *s = &q->h->spell[at];
    if (s->to <= q->since) break;
    if (s->from < to && s->to > from) visit(q, s->value, later(s->from, from), sooner(s->to, to));
  }
}

/* The directory entry under which visit_table looks. */
typedef struct {
  query_t query; /* first: visit_table gets it */
  uint32_t pde;
} table_query_t;

static void visit_table(query_t *q, uint32_t pte, moment_t from, moment_t to) {
  uint32_t pde = ((table_query_t *)(void *)q)->pde;
  if (!usable(pte)) return;
  if (q->h->config.pat_reserved && q->h->cr4 & X86_CR4_PSE && pte & X86_PTE_PAT) return;
  uint32_t entry = pte & (pde | ~(uint32_t)(X86_PTE_U | X86_PTE_W));
  add(q, (history_page_t){.entry = entry, .page_size = MMU_PAGE_4K, .from = from, .to = to});
}

/* How long a directory entry that memory held until `to` may have been cached. */
static moment_t cached_until(const history_t *h, uint32_t laddr, moment_t to) {
  if (!h->config.upper_cached || to == HISTORY_NEVER) return to;
  for (uint32_t i = 0; i < h->n_upper; i++)
    if (h->upper[i].when >= to && concerns(&h->upper[i], laddr)) return h->upper[i].when;
  return HISTORY_NEVER;
}

static void visit_directory(query_t *q, uint32_t pde, moment_t from, moment_t to) {
  if (!usable(pde)) return;
  bool pse = q->h->cr4 & X86_CR4_PSE;
  q->misread = !pse;
  if (pde & X86_PDE_PS && (pse || q->illegal)) {
    uint32_t reserved = RESERVED_4M | (q->h->config.pat_reserved ? X86_PDE_PAT : 0);
    if (!(pde & reserved)) add(q, (history_page_t){.entry = pde, .page_size = MMU_PAGE_4M, .from = from, .to = to});
    if (!q->illegal) return;
  }
  q->misread = pde & X86_PDE_PS && pse;
  if (q->h->config.upper_cached) add(q, (history_page_t){.entry = pde, .table = true, .from = from, .to = to});
  table_query_t inner = {*q, pde};
  each_value(&inner.query, (pde & FRAME) | (q->laddr >> 10 & 0xFFC), from, cached_until(q->h, q->laddr, to),
             visit_table);
  q->n = inner.query.n;
}

unsigned history_pages(const history_t *h, uint32_t laddr, moment_t accepted, bool illegal,
                       history_page_t pages[HISTORY_PAGES_MAX]) {
  moment_t since = illegal || h->config.upper_cached ? 0 : later(h->all, last_before(h->page[laddr >> 12], accepted));
  query_t q = {h, laddr, accepted, illegal, since, false, pages, 0};
  for (unsigned i = h->n_directories; i-- > 0;) {
    const directory_t *d = &h->directory[i];
    if (d->last <= since) break;
    each_value(&q, d->cr3 | (laddr >> 20 & 0xFFC), d->first, d->last, visit_directory);
  }
  q.misread = false;
  for (unsigned i = 0; i < h->n_walks; i++) {
    const walk_t *w = &h->walk[i];
    uint32_t mask = w->page_size == MMU_PAGE_4M ? 0xFFC00000 : FRAME;
    if ((w->laddr ^ laddr) & mask) continue;
    add(&q, (history_page_t){.entry = w->entry, .page_size = w->page_size, .from = w->when, .to = w->when});
  }
  return q.n;
}

bool history_fresh(const history_t *h, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  uint32_t pde = history_entry(h, (h->cr3 & FRAME) | (laddr >> 20 & 0xFFC));
  if (!usable(pde)) return false;
  if (pde & X86_PDE_PS && h->cr4 & X86_CR4_PSE) {
    *entry = pde;
    *page_size = MMU_PAGE_4M;
    return !(pde & (RESERVED_4M | (h->config.pat_reserved ? X86_PDE_PAT : 0)));
  }
  uint32_t pte = history_entry(h, (pde & FRAME) | (laddr >> 10 & 0xFFC));
  *entry = pte & (pde | ~(uint32_t)(X86_PTE_U | X86_PTE_W));
  *page_size = MMU_PAGE_4K;
  return usable(pte) && !(h->config.pat_reserved && h->cr4 & X86_CR4_PSE && pte & X86_PTE_PAT);
}
