#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "x86.h"

/* Low bits of a moment: what it was, then a count within the transaction, then the transaction. */
enum { EVENT_BITS = 3, COUNT_BITS = 21, SEQUENCE_SHIFT = EVENT_BITS + COUNT_BITS };

enum { PAGES = 1 << 20, REGIONS = 1 << 10, ENTRIES = 1024, SPELLS_FORGOTTEN = 1 << 20, DIRECTORIES = 256, WALKS = 64 };

static const uint32_t FRAME = 0xFFFFF000u, RESERVED_4M = 0x003FE000u;

/* The time in which an entry had one value. */
typedef struct {
  uint32_t value;
  uint32_t next; /* the one before it; 0: none */
  moment_t from, to;
} spell_t;

/* A frame that is, or was, a directory or a table: the latest spell of each entry; 0: memory says. */
typedef struct {
  bool directory;
  uint32_t spell[ENTRIES];
} frame_t;

typedef struct {
  uint32_t cr3; /* frame */
  moment_t first, last;
} directory_t;

typedef struct {
  uint32_t laddr, entry;
  uint8_t page_size;
  moment_t when;
} walk_t;

/* The last invalidation, and the one before it, for requests that were accepted in between. */
typedef struct {
  moment_t last, before;
} last_two_t;

/* An invalidation of directory entries: all of them, or a region's. */
typedef struct {
  moment_t when;
  uint32_t region; /* REGIONS: all */
} drop_t;

struct history {
  const world_t *world;
  mmu_config_t config;
  moment_t now;
  uint32_t cr3, cr4;
  frame_t *frame[PAGES];
  uint32_t *watched; /* the frames that are in it */
  uint32_t n_watched, watched_room;
  spell_t *spell; /* [0] is not used */
  uint32_t n_spells, room;
  directory_t directory[DIRECTORIES]; /* the current one is the last */
  unsigned n_directories;
  walk_t walk[WALKS]; /* a ring */
  unsigned n_walks;
  drop_t *upper; /* the invalidations of what is cached of directories, in order */
  uint32_t n_upper, upper_room;
  moment_t all, local;
  last_two_t page[PAGES], region[REGIONS];
};

uint64_t history_sequence(moment_t moment) {
  return moment >> SEQUENCE_SHIFT;
}

history_event_t history_event(moment_t moment) {
  return (history_event_t)(moment & ((1 << EVENT_BITS) - 1));
}

const char *history_event_name(history_event_t event) {
  static const char *const names[] = {"a store", "INVLPG", "a page fault", "MOV CR3", "MOV CR0, CR4 or RESET"};
  return names[event];
}

moment_t history_now(const history_t *h) {
  return h->now | ((1 << EVENT_BITS) - 1);
}

static moment_t tick(history_t *h, history_event_t event) {
  h->now = ((h->now >> EVENT_BITS) + 1) << EVENT_BITS;
  return h->now | event;
}

void history_set_sequence(history_t *h, uint64_t sequence) {
  moment_t begin = sequence << SEQUENCE_SHIFT;
  if (begin > h->now) h->now = begin;
}

static uint32_t read_entry(const history_t *h, uint32_t paddr) {
  return (uint32_t)world_read(h->world, paddr, 4);
}

/* --- which frames are looked at --- */

static void *need(void *memory) {
  if (!memory) abort(); /* a few MiB are not there: nothing sensible can be said any more */
  return memory;
}

/* The place of what is watched at an address. */
static frame_t *const *frame_at(const history_t *h, uint32_t paddr) {
  return &h->frame[memmap_masked(&h->world->map, paddr) >> 12];
}

static frame_t *watch(history_t *h, uint32_t paddr) {
  frame_t **frame = (frame_t **)frame_at(h, paddr);
  if (*frame) return *frame;
  *frame = need(calloc(1, sizeof **frame));
  if (h->n_watched == h->watched_room) {
    h->watched_room = h->watched_room ? 2 * h->watched_room : 64;
    h->watched = need(realloc(h->watched, h->watched_room * sizeof *h->watched));
  }
  h->watched[h->n_watched++] = (uint32_t)(frame - h->frame);
  return *frame;
}

static void watch_directory(history_t *h, uint32_t cr3) {
  frame_t *frame = watch(h, cr3);
  if (frame->directory) return;
  frame->directory = true;
  for (unsigned i = 0; i < ENTRIES; i++) {
    uint32_t pde = read_entry(h, (cr3 & FRAME) + 4 * i);
    if (pde & X86_PTE_P) watch(h, pde);
  }
}

/* --- entries over time --- */

static uint32_t new_spell(history_t *h, spell_t spell) {
  if (h->n_spells == h->room) {
    h->room = h->room ? 2 * h->room : 4096;
    h->spell = need(realloc(h->spell, h->room * sizeof *h->spell));
  }
  h->spell[h->n_spells] = spell;
  return h->n_spells++;
}

/* Drops what ended before everything was invalidated, but for the latest spells. */
static void forget(history_t *h) {
  spell_t *old = h->spell;
  h->spell = need(malloc(h->room * sizeof *h->spell));
  h->n_spells = 1;
  for (unsigned f = 0; f < h->n_watched; f++)
    for (unsigned i = 0; i < ENTRIES; i++) {
      uint32_t *link = &h->frame[h->watched[f]]->spell[i];
      for (uint32_t at = *link; at; at = old[at].next) {
        if (old[at].to <= h->all) break;
        *link = new_spell(h, old[at]);
        link = &h->spell[*link].next;
      }
      *link = 0;
    }
  free(old);
}

static void entry_changed(history_t *h, uint32_t paddr, uint32_t before, uint32_t after) {
  frame_t *frame = watch(h, paddr);
  uint32_t *head = &frame->spell[paddr >> 2 & (ENTRIES - 1)];
  moment_t now = tick(h, HISTORY_CHANGE);
  if (h->n_spells >= SPELLS_FORGOTTEN && h->n_spells == h->room) forget(h);
  if (*head == 0) *head = new_spell(h, (spell_t){before, 0, 0, HISTORY_NEVER});
  h->spell[*head].to = now;
  /* A value that it had before goes on: the link to it is moved to the front. */
  uint32_t *link = head;
  while (*link && h->spell[*link].value != after)
    link = &h->spell[*link].next;
  uint32_t at = *link;
  if (at) {
    *link = h->spell[at].next;
    h->spell[at].to = HISTORY_NEVER;
  } else {
    at = new_spell(h, (spell_t){after, 0, now, HISTORY_NEVER});
    head = &frame->spell[paddr >> 2 & (ENTRIES - 1)];
  }
  h->spell[at].next = *head;
  *head = at;
  if (frame->directory && after & X86_PTE_P) watch(h, after);
}

bool history_watches(const history_t *h, uint64_t paddr) {
  return paddr >> 32 == 0 && *frame_at(h, (uint32_t)paddr);
}

void history_changed(history_t *h, uint64_t paddr, unsigned n, const uint8_t *before) {
  if (!history_watches(h, paddr)) return;
  uint32_t begin = (uint32_t)memmap_masked(&h->world->map, paddr), end = begin + n;
  for (uint32_t at = begin & ~3u; at < end; at += 4) {
    uint32_t new = read_entry(h, at), old = new;
    for (uint32_t i = at; i < at + 4; i++) {
      if (i < begin || i >= end) continue;
      old &= ~(0xFFu << 8 * (i - at));
      old |= (uint32_t)before[i - begin] << 8 * (i - at);
    }
    if (old != new) entry_changed(h, at, old, new);
  }
}

void history_remapped(history_t *h, const memmap_t *before) {
  world_t then = *h->world;
  then.map = *before;
  for (uint32_t f = 0, n = h->n_watched; f < n; f++)
    for (unsigned i = 0; i < ENTRIES; i++) {
      uint32_t paddr = h->watched[f] << 12 | i << 2, old = (uint32_t)world_read(&then, paddr, 4),
               now = read_entry(h, paddr);
      if (now != old) entry_changed(h, paddr, old, now);
    }
  for (unsigned i = 0; i < h->n_directories; i++) { /* they may name other frames by now */
    watch(h, h->directory[i].cr3)->directory = false;
    watch_directory(h, h->directory[i].cr3);
  }
}

/* --- registers and invalidations --- */

static void use_directory(history_t *h, uint32_t cr3) {
  unsigned n = h->n_directories, i = 0;
  moment_t now = tick(h, HISTORY_CHANGE);
  if (n > 0) h->directory[n - 1].last = now;
  while (i < n && h->directory[i].cr3 != cr3)
    i++;
  directory_t found = i < n ? h->directory[i] : (directory_t){cr3, now, 0};
  if (i == n && n == DIRECTORIES) i = 0; /* the one that was left longest ago is forgotten */
  if (i < n) memmove(&h->directory[i], &h->directory[i + 1], (n - 1 - i) * sizeof *h->directory);
  if (i == n) h->n_directories++;
  found.last = HISTORY_NEVER;
  h->directory[h->n_directories - 1] = found;
  watch_directory(h, cr3);
}

void history_set_registers(history_t *h, uint32_t cr3, uint32_t cr4) {
  h->cr4 = cr4;
  if (h->n_directories == 0 || (h->cr3 ^ cr3) & FRAME) use_directory(h, cr3 & FRAME);
  h->cr3 = cr3;
}

static void upper_invalidated(history_t *h, moment_t when, uint32_t region) {
  if (!h->config.upper_cached) return;
  if (h->n_upper == h->upper_room) {
    h->upper_room = h->upper_room ? 2 * h->upper_room : 1024;
    h->upper = need(realloc(h->upper, h->upper_room * sizeof *h->upper));
  }
  h->upper[h->n_upper++] = (drop_t){when, region};
}

void history_invalidated(history_t *h, history_event_t event, uint32_t laddr) {
  moment_t when = tick(h, event);
  switch (event) {
  case HISTORY_INVLPG:
  case HISTORY_FAULT:
    h->page[laddr >> 12] = (last_two_t){when, h->page[laddr >> 12].last};
    h->region[laddr >> 22] = (last_two_t){when, h->region[laddr >> 22].last};
    break;
  case HISTORY_LOCAL:
    h->local = when;
    break;
  default:
    h->all = when;
    h->n_upper = 0;
  }
  upper_invalidated(h, when, event == HISTORY_FAULT ? laddr >> 22 : REGIONS);
}

void history_walked(history_t *h, uint32_t laddr, uint32_t entry, uint8_t page_size) {
  h->walk[h->n_walks++ % WALKS] = (walk_t){laddr, entry, page_size, tick(h, HISTORY_CHANGE)};
}

/* --- what is legal --- */

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
  const frame_t *frame = *frame_at(q->h, paddr);
  uint32_t at = frame ? frame->spell[paddr >> 2 & (ENTRIES - 1)] : 0;
  if (at == 0) {
    visit(q, read_entry(q->h, paddr), from, to);
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
  for (unsigned i = 0; i < WALKS && i < h->n_walks; i++) {
    const walk_t *w = &h->walk[i];
    uint32_t mask = w->page_size == MMU_PAGE_4M ? 0xFFC00000 : FRAME;
    if ((w->laddr ^ laddr) & mask) continue;
    add(&q, (history_page_t){.entry = w->entry, .page_size = w->page_size, .from = w->when, .to = w->when});
  }
  return q.n;
}

bool history_fresh(const history_t *h, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  uint32_t pde = read_entry(h, (h->cr3 & FRAME) | (laddr >> 20 & 0xFFC));
  if (!usable(pde)) return false;
  if (pde & X86_PDE_PS && h->cr4 & X86_CR4_PSE) {
    *entry = pde;
    *page_size = MMU_PAGE_4M;
    return !(pde & (RESERVED_4M | (h->config.pat_reserved ? X86_PDE_PAT : 0)));
  }
  uint32_t pte = read_entry(h, (pde & FRAME) | (laddr >> 10 & 0xFFC));
  *entry = pte & (pde | ~(uint32_t)(X86_PTE_U | X86_PTE_W));
  *page_size = MMU_PAGE_4K;
  return usable(pte) && !(h->config.pat_reserved && h->cr4 & X86_CR4_PSE && pte & X86_PTE_PAT);
}

history_t *history_create(const world_t *world, const mmu_config_t *config) {
  history_t *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->world = world;
  h->config = *config;
  h->n_spells = 1;
  h->room = 4096;
  h->spell = malloc(h->room * sizeof *h->spell);
  if (!h->spell) {
    free(h);
    return NULL;
  }
  history_set_registers(h, 0, 0);
  return h;
}

void history_destroy(history_t *h) {
  if (!h) return;
  for (unsigned f = 0; f < h->n_watched; f++)
    free(h->frame[h->watched[f]]);
  free(h->watched);
  free(h->spell);
  free(h->upper);
  free(h);
}
