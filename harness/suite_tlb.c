#include "suite_priv.h"

/*
 * The TLB: what the device declares of its geometry decides how many pages crowd a set. Each combination begins with an
 * empty TLB and ends with looks at all pages concerned, which at the exact level tell hits from misses.
 *
 * Linear memory: directory entries 1 .. LARGES are large pages, SMALL and SMALL + 1 have page tables whose pages are
 * SMALLS in number.
 */
enum { LARGES = 2 * MMU_TLB_LARGE_MAX, SMALL = 0x100, SMALLS = 1024, TREE_STATES_MAX = 1024 };

static uint32_t small_page(unsigned n) {
  return (uint32_t)SMALL << 22 | n << 12;
}

static uint32_t large_page(unsigned n) {
  return (1u + n) << 22;
}

/* Page n of a set; of the array of large pages. */
typedef struct {
  bool large;
  unsigned set, sets, ways;
} array_t;

static uint32_t page_of(const array_t *a, unsigned n) {
  return a->large ? large_page(n) : small_page(a->set + a->sets * n);
}

static void map_all(suite_t *s, uint32_t flags) {
  for (unsigned d = 0; d < 2; d++) {
    uint32_t pd = d ? SUITE_PD2 : SUITE_PD;
    for (unsigned i = 0; i < LARGES; i++)
      suite_store32(s, pd + 4 * (1 + i), i << 22 | X86_PDE_PS | SUITE_OPEN | flags);
    suite_store32(s, pd + 4 * SMALL, SUITE_PT | SUITE_OPEN);
    suite_store32(s, pd + 4 * (SMALL + 1), SUITE_PT | SUITE_OPEN);
  }
  for (unsigned i = 0; i < SMALLS; i++)
    suite_store32(s, SUITE_PT + 4 * i, 0x00300000 | i << 12 | SUITE_OPEN | flags);
}

static bool look_at_all(suite_t *s, const array_t *a, unsigned pages) {
  for (unsigned n = 0; n < pages; n++)
    if (!suite_look(s, page_of(a, n), MMU_READ)) return false;
  return true;
}

/* A set filled beyond its ways, with 0 to ways pages too many, in both directions. */
static bool fill_beyond(suite_t *s, const array_t *a) {
  for (unsigned n = a->ways; n <= 2 * a->ways; n++)
    for (unsigned backwards = 0; backwards < 2; backwards++) {
      if (!suite_next(s)) continue;
      if (!suite_flush(s)) return false;
      for (unsigned i = 0; i < n; i++)
        if (!suite_look(s, page_of(a, backwards ? n - 1 - i : i), i & 1)) return false;
      if (!look_at_all(s, a, n)) return false;
    }
  return true;
}

/*
 * Brings the tree of a full set into a state. Node k (1 .. ways - 1, in heap order) is bit k of state: where it has to
 * point. A use of a way makes the nodes above it point away from it: from the deepest node up, each is set by the use
 * of a way on its other side, chosen so that the nodes below stay as they are.
 */
static bool set_tree(suite_t *s, const array_t *a, unsigned state) {
  for (unsigned node = a->ways - 1; node >= 1; node--) {
    unsigned at = node;
    while (at < a->ways)
      at = 2 * at + !(state >> at & 1);
    if (!suite_look(s, page_of(a, at - a->ways), MMU_READ)) return false;
  }
  return true;
}

/* An eviction, and another one, in each state of the tree. */
static bool evict_in_every_state(suite_t *s, const array_t *a) {
  uint64_t states = 1ull << (a->ways - 1);
  bool sampled = states > TREE_STATES_MAX;
  for (unsigned n = 0; n < (sampled ? TREE_STATES_MAX : states); n++) {
    unsigned state = 2 * (sampled ? (uint32_t)rng_next(&s->rng) : n);
    if (!suite_next(s)) continue;
    if (!suite_flush(s) || !look_at_all(s, a, a->ways) || !set_tree(s, a, state)) return false;
    if (!suite_look(s, page_of(a, a->ways), MMU_READ) || !suite_look(s, page_of(a, a->ways + 1), MMU_WRITE))
      return false;
    if (!look_at_all(s, a, a->ways + 2)) return false;
  }
  return true;
}

static bool crowded_sets(suite_t *s) {
  const mmu_config_t *config = &s->rig->config;
  map_all(s, 0);
  for (unsigned set = 0; set < config->tlb_sets; set++) {
    array_t small = {.set = set, .sets = config->tlb_sets, .ways = config->tlb_ways};
    if (!fill_beyond(s, &small) || !evict_in_every_state(s, &small)) return false;
  }
  array_t large = {.large = true, .ways = config->tlb_large};
  return fill_beyond(s, &large) && evict_in_every_state(s, &large);
}

/* What is cached of the four MiB at SMALL: bit 0..2 small pages 0, 1, 8, bit 3 the large page. */
static const uint8_t cached_pages[] = {0, 1, 8};

/* small pages come first, or the large one. */
static bool cache(suite_t *s, unsigned what, bool large_first, mmu_access_t access) {
  const uint32_t pde_at = SUITE_PD + 4 * SMALL;
  for (unsigned step = 0; step < 2; step++) {
    bool large = (step == 0) == large_first;
    suite_store32(s, pde_at, large ? 0x00400000 | X86_PDE_PS | SUITE_OPEN : SUITE_PT | SUITE_OPEN);
    if (large && what & 8 && !suite_look(s, small_page(100), access)) return false;
    for (unsigned i = 0; i < 3 && !large; i++)
      if (what >> i & 1 && !suite_look(s, small_page(cached_pages[i]), access)) return false;
  }
  return true;
}

/* An invalidation, or nothing; then looks. */
static bool overlapping_sizes(suite_t *s) {
  static const uint16_t invalidated[] = {0, 1, 8, 100, 1023, SMALLS, 0xFFFF};
  if (!suite_cr(s, 4, X86_CR4_PSE | X86_CR4_PGE)) return false;
  map_all(s, 0);
  for (unsigned n = 0; n < 16 * 2 * 2 * 2 * 7; n++) {
    unsigned what = n & 15, large_first = n >> 4 & 1, access = n >> 5 & 1, look = n >> 6 & 1, which = n >> 7;
    if (!suite_next(s)) continue;
    if (!suite_flush(s) || !cache(s, what, large_first, access)) return false;
    if (invalidated[which] != 0xFFFF && !suite_invlpg(s, small_page(invalidated[which]) + 0x123)) return false;
    for (unsigned i = 0; i < 3; i++)
      if (!suite_look(s, small_page(cached_pages[i]), look)) return false;
    if (!suite_look(s, small_page(100), look)) return false;
  }
  map_all(s, 0);
  return true;
}

/* What may drop an entry. */
typedef enum {
  SAME_CR3,
  OTHER_CR3,
  PGE,
  PSE,
  SMEP,
  SMAP,
  PAGING,
  WP,
  INVLPG_IT,
  INVLPG_BESIDE,
  INVLPG_FAR,
  NOTHING,
  DROPS
} drop_t;

static bool toggle(suite_t *s, unsigned cr, uint32_t bits) {
  uint32_t value = s->cr[cr];
  return suite_write_cr(s, cr, value ^ bits) && suite_write_cr(s, cr, value);
}

static bool drop(suite_t *s, drop_t what, uint32_t laddr) {
  switch (what) {
  case SAME_CR3:
    return suite_write_cr(s, 3, s->cr[3]);
  case OTHER_CR3:
    return toggle(s, 3, SUITE_PD ^ SUITE_PD2);
  case PGE:
    return toggle(s, 4, X86_CR4_PGE);
  case PSE:
    return toggle(s, 4, X86_CR4_PSE);
  case SMEP:
    return toggle(s, 4, X86_CR4_SMEP);
  case SMAP:
    return toggle(s, 4, X86_CR4_SMAP);
  case PAGING:
    return toggle(s, 0, X86_CR0_PG);
  case WP:
    return toggle(s, 0, X86_CR0_WP);
  case INVLPG_IT:
    return suite_invlpg(s, laddr + 0xABC);
  case INVLPG_BESIDE:
    return suite_invlpg(s, laddr ^ 0x1000);
  case INVLPG_FAR:
    return suite_invlpg(s, laddr ^ 0x80000000);
  default:
    return true;
  }
}

/* A page is cached in some state, its entry changes, something is invalidated, it is looked at. */
static bool drops(suite_t *s) {
  for (unsigned n = 0; n < 2 * 2 * 2 * 2 * 2 * DROPS * 2; n++) {
    bool global = n & 1, pge = n & 2, large = n & 4, written = n & 8, writes = n & 16, twice = n & 32;
    drop_t what = n >> 6;
    if (!suite_next(s)) continue;
    uint32_t laddr = large ? large_page(3) : small_page(3);
    uint32_t entry_at = large ? SUITE_PD + 4 * (laddr >> 22) : SUITE_PT + 4 * 3;
    uint32_t flags = SUITE_OPEN | (global ? X86_PTE_G : 0) | (large ? X86_PDE_PS : 0);
    suite_store32(s, entry_at, (0x00400000 | flags) & ~(uint32_t)X86_PTE_D);
    if (!suite_cr(s, 4, X86_CR4_PSE | (pge ? X86_CR4_PGE : 0)) || !suite_flush(s)) return false;
    if (!suite_look(s, laddr, written) || (twice && !suite_look(s, laddr, MMU_READ))) return false;
    suite_store32(s, entry_at, 0x00800000 | flags);
    if (!drop(s, what, laddr) || !suite_look(s, laddr, writes) || !suite_look(s, laddr, MMU_WRITE)) return false;
  }
  return true;
}

bool suite_tlb(suite_t *s) {
  return suite_cr(s, 4, X86_CR4_PSE) && suite_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | X86_CR0_WP) &&
         crowded_sets(s) && overlapping_sizes(s) && drops(s);
}
