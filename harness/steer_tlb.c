/*
 * Recipes: the TLB.
 */
#include "steer.h"

/* --- ways --- */

/* A page of one array: small ones of a set, or large ones. */
typedef struct {
  bool large;
  unsigned set;
  uint32_t flags;
} array_t;

static uint32_t page_of(const steer_t *s, const array_t *a, unsigned n) {
  return a->large ? STEER_MANY + (n << 22) : STEER_A + ((n * s->config.tlb_sets + a->set) << 12);
}

static unsigned ways_of(const steer_t *s, const array_t *a) {
  return a->large ? s->config.tlb_large : s->config.tlb_ways;
}

static void use(steer_t *s, const array_t *a, unsigned n, mmu_access_t access) {
  uint32_t laddr = page_of(s, a, n);
  if (a->large)
    steer_large(s, laddr, a->flags);
  else
    steer_page(s, laddr, a->flags);
  steer_access(s, access, laddr, 4, 3);
}

/* Fills n ways of an empty set; page number i is in way i. */
static void fill(steer_t *s, const array_t *a, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    use(s, a, i, MMU_READ);
}

static void read_page(steer_t *s, const array_t *a, unsigned n) {
  steer_access(s, MMU_READ, page_of(s, a, n), 4, 3);
}

/* Leaves the tree pointing to a way of a full set: its neighbours are used, the nearest first. */
static void point_to(steer_t *s, const array_t *a, unsigned way) {
  for (unsigned bit = 1; bit < ways_of(s, a); bit *= 2)
    read_page(s, a, way ^ bit);
}

static void way_event(steer_t *s, const array_t *given, unsigned way, unsigned event) {
  array_t a = *given;
  a.flags = STEER_OK | (event == WAY_WRITTEN ? X86_PTE_D : 0) | (event == WAY_KEPT_CR3 ? X86_PTE_G : 0);
  steer_paging(s, 0, X86_CR4_PGE);
  fill(s, &a, event == WAY_EVICTED ? ways_of(s, &a) : way + 1);
  switch (event) {
  case WAY_EVICTED:
    point_to(s, &a, way);
    use(s, &a, ways_of(s, &a), MMU_READ);
    break;
  case WAY_READ:
    read_page(s, &a, way);
    break;
  case WAY_WRITTEN:
  case WAY_RENEWED:
    steer_access(s, MMU_WRITE, page_of(s, &a, way), 4, 3);
    break;
  case WAY_FETCHED:
    steer_access(s, MMU_EXECUTE, page_of(s, &a, way), 4, 3);
    break;
  case WAY_INVLPG:
    steer_invlpg(s, page_of(s, &a, way));
    break;
  case WAY_CR3:
  case WAY_KEPT_CR3:
    steer_cr(s, 3, STEER_PD);
    break;
  case WAY_CR0:
    steer_cr(s, 0, X86_CR0_PE | X86_CR0_ET);
    break;
  case WAY_CR4:
    steer_cr(s, 4, 0);
    break;
  }
}

static void tlb_small(steer_t *s, const unsigned *at) {
  way_event(s, &(array_t){.set = at[0]}, at[1], at[2]);
}

static void tlb_large(steer_t *s, const unsigned *at) {
  way_event(s, &(array_t){.large = true}, at[0], at[1]);
}

/* --- replacement --- */

/* Uses the ways below a node so that its tree is as in `state`: last the half that the node points away from. */
static void arrange(steer_t *s, const array_t *a, unsigned node, uint32_t state) {
  unsigned ways = ways_of(s, a);
  if (node >= ways) {
    read_page(s, a, node - ways);
    return;
  }
  unsigned bit = state >> (node - 1) & 1;
  arrange(s, a, 2 * node + bit, state);
  arrange(s, a, 2 * node + !bit, state);
}

static void evict(steer_t *s, const array_t *given, uint32_t state) {
  array_t a = *given;
  a.flags = STEER_OK;
  steer_paging(s, 0, 0);
  fill(s, &a, ways_of(s, &a));
  arrange(s, &a, 1, state);
  use(s, &a, ways_of(s, &a), MMU_READ);
}

static void replacement(steer_t *s, const unsigned *at) {
  evict(s, &(array_t){.set = at[0]}, at[1]);
}

static void replacement_large(steer_t *s, const unsigned *at) {
  evict(s, &(array_t){.large = true}, at[0]);
}

/* --- lookup, renew --- */

/* Enters a page of 4 KiB, the 4 MiB around it, or both, with these bits of U, W and D. supervisor: who enters them. */
static void remember(steer_t *s, unsigned match, uint32_t flags, bool supervisor) {
  uint32_t present = X86_PTE_P | X86_PTE_A | flags;
  unsigned cpl = supervisor ? 0 : 3;
  if (match == MATCH_SMALL || match == MATCH_BOTH) {
    steer_page(s, STEER_A, present);
    steer_access(s, MMU_READ, STEER_A, 4, cpl);
  }
  if (match == MATCH_LARGE || match == MATCH_BOTH) {
    steer_large(s, STEER_A, present);
    steer_access(s, MMU_READ, STEER_A + (match == MATCH_BOTH ? 0x1000 : 0), 4, cpl);
  }
}

static void lookup(steer_t *s, const unsigned *at) {
  unsigned match = at[0], event = at[1], access = at[2];
  bool hit = event == EVENT_HIT_SMALL || event == EVENT_HIT_LARGE;
  steer_paging(s, 0, 0);
  if (hit)
    remember(s, match, X86_PTE_U | X86_PTE_W | X86_PTE_D, false);
  else /* the user may not */
    remember(s, match, X86_PTE_W, true);
  if (match == MATCH_NONE) steer_page(s, STEER_A, STEER_OK);
  steer_access(s, (mmu_access_t)access, STEER_A, 4, 3);
}

static void renew(steer_t *s, const unsigned *at) {
  static const struct {
    uint32_t flags; /* of the entry */
    uint8_t access;
    bool entered_by_supervisor, used_by_supervisor;
  } causes[RENEW_CAUSES] = {
      [CAUSE_USER] = {X86_PTE_W, MMU_READ, true, false},
      [CAUSE_WRITABLE] = {X86_PTE_U, MMU_WRITE, false, false},
      [CAUSE_WP] = {0, MMU_WRITE, true, true},
      [CAUSE_SMEP] = {X86_PTE_U | X86_PTE_W, MMU_EXECUTE, false, true},
      [CAUSE_SMAP] = {X86_PTE_U | X86_PTE_W, MMU_READ, false, true},
      [CAUSE_DIRTY] = {X86_PTE_U | X86_PTE_W, MMU_WRITE, false, false},
  };
  unsigned match = MATCH_SMALL + at[0], cause = at[1], result = at[2];
  bool by_supervisor = causes[cause].used_by_supervisor;
  uint32_t good = X86_PTE_P | X86_PTE_W | (by_supervisor ? 0 : X86_PTE_U);
  steer_paging(s, X86_CR0_WP, X86_CR4_SMEP | X86_CR4_SMAP);
  remember(s, match, causes[cause].flags, causes[cause].entered_by_supervisor);
  if (result == RENEWED_SMALL)
    steer_page(s, STEER_A, good);
  else if (result == RENEWED_LARGE)
    steer_large(s, STEER_A, good);
  else
    steer_pde(s, STEER_A, 0);
  steer_access(s, (mmu_access_t)causes[cause].access, STEER_A, 4, by_supervisor ? 0 : 3);
}

/* --- invalidation --- */

static void invalidation(steer_t *s, const unsigned *at) {
  static const uint8_t matches[HELD_STATES] = {MATCH_NONE,  MATCH_SMALL, MATCH_SMALL,
                                               MATCH_LARGE, MATCH_LARGE, MATCH_BOTH};
  unsigned by = at[0], held = at[1];
  bool global = held == HELD_SMALL_GLOBAL || held == HELD_LARGE_GLOBAL || (held == HELD_BOTH && !at[2]);
  const uint32_t on = X86_CR0_PE | X86_CR0_PG | X86_CR0_ET, cr4 = X86_CR4_PSE | X86_CR4_PGE;
  steer_paging(s, 0, X86_CR4_PGE);
  if (by == INV_PG_ON) steer_cr(s, 0, X86_CR0_PE | X86_CR0_ET);
  remember(s, matches[held], X86_PTE_U | X86_PTE_W | (global ? X86_PTE_G : 0), false);
  switch (by) {
  case INV_INVLPG:
    steer_invlpg(s, STEER_A);
    break;
  case INV_CR3:
    steer_cr(s, 3, STEER_PD);
    break;
  case INV_PG_ON:
    steer_cr(s, 0, on);
    break;
  case INV_PG_OFF:
    steer_cr(s, 0, X86_CR0_PE | X86_CR0_ET);
    break;
  case INV_PSE:
    steer_cr(s, 4, cr4 & ~(uint32_t)X86_CR4_PSE);
    break;
  case INV_PGE:
    steer_cr(s, 4, cr4 & ~(uint32_t)X86_CR4_PGE);
    break;
  case INV_SMEP:
    steer_cr(s, 4, cr4 | X86_CR4_SMEP);
    break;
  case INV_CR0_OTHER:
    steer_cr(s, 0, on | X86_CR0_WP);
    break;
  default:
    steer_cr(s, 4, cr4 | X86_CR4_SMAP);
  }
}

const steer_recipe_t steer_tlb[] = {
    {&coverage_tlb_small, tlb_small},
    {&coverage_tlb_large, tlb_large},
    {&coverage_replacement, replacement},
    {&coverage_replacement_large, replacement_large},
    {&coverage_lookup, lookup},
    {&coverage_renew, renew},
    {&coverage_invalidation, invalidation},
    {NULL, NULL},
};
