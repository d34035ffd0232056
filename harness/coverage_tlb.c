/*
 * Coverage groups: the TLB. DESIGN 3.6.
 */
#include "coverage_groups.h"

static coverage_way_t way_event(const mmu_tlb_event_t *e, uint8_t access) {
  if (e->kind == MMU_TLB_FILL) return e->evicted ? WAY_EVICTED : WAY_FILLED;
  if (e->kind == MMU_TLB_RENEW) return WAY_RENEWED;
  return access == MMU_WRITE ? WAY_WRITTEN : access == MMU_EXECUTE ? WAY_FETCHED : WAY_READ;
}

/* What a register write or INVLPG did to an entry that was valid. */
static coverage_way_t fate(const coverage_view_t *v, bool kept) {
  if (v->req->op == MMU_OP_INVLPG) return kept ? WAY_EVENTS : WAY_INVLPG;
  if (v->req->op != MMU_OP_WRITE_CR) return WAY_EVENTS;
  if (v->req->cr == 3) return kept ? WAY_KEPT_CR3 : WAY_CR3;
  return kept ? WAY_EVENTS : v->req->cr == 0 ? WAY_CR0 : WAY_CR4;
}

static void hit_way(coverage_t *c, unsigned group, bool large, unsigned set, unsigned way, coverage_way_t event) {
  if (event == WAY_EVENTS) return;
  coverage_hit(c, group, large ? (const unsigned[]){way, event, 0} : (const unsigned[]){set, way, event});
}

static void ways_sample(coverage_t *c, unsigned group, const coverage_view_t *v, bool large) {
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    const mmu_tlb_event_t *events[] = {p->lookup, p->fill};
    for (unsigned k = 0; k < 2; k++) {
      const mmu_tlb_event_t *e = events[k];
      if (e && e->kind != MMU_TLB_MISS && e->large == large)
        hit_way(c, group, large, e->set, e->way, way_event(e, p->access.access));
    }
  }
  if (v->req->op != MMU_OP_INVLPG && v->req->op != MMU_OP_WRITE_CR) return;
  unsigned sets = large ? 1 : v->config.tlb_sets, ways = large ? v->config.tlb_large : v->config.tlb_ways;
  for (unsigned set = 0; set < sets; set++)
    for (unsigned way = 0; way < ways; way++) {
      if (!mmu_tlb_entry(v->before, large, set, way).valid) continue;
      hit_way(c, group, large, set, way, fate(v, mmu_tlb_entry(v->after, large, set, way).valid));
    }
}

static void small_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  ways_sample(c, group, v, false);
}

static void large_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  ways_sample(c, group, v, true);
}

static const char *const way_names[WAY_EVENTS] = {"filled while invalid",
                                                  "evicted",
                                                  "read",
                                                  "written",
                                                  "fetched from",
                                                  "renewed",
                                                  "dropped by INVLPG",
                                                  "dropped by MOV CR3",
                                                  "kept over MOV CR3",
                                                  "dropped by MOV CR0",
                                                  "dropped by MOV CR4"};
static const coverage_dim_t small_dims[] = {COVERAGE_TLB("set", COVERAGE_SETS), COVERAGE_TLB("way", COVERAGE_WAYS),
                                            COVERAGE_DIM("event", way_names)};
static const coverage_dim_t large_dims[] = {COVERAGE_TLB("entry", COVERAGE_LARGE), COVERAGE_DIM("event", way_names)};

const coverage_group_t coverage_tlb_small = {
    "tlb_small", "4 KiB array: set x way x what happens to the entry", small_dims, 3, NULL, small_sample};
const coverage_group_t coverage_tlb_large = {
    "tlb_large", "large-page array: entry x what happens to it", large_dims, 2, NULL, large_sample};

/* --- replacement: evictions by state of the tree --- */

/* DESIGN 3.6: the victim follows the bits from node 1. tree: bit n is node n. */
static unsigned victim(uint32_t tree, unsigned ways) {
  unsigned node = 1;
  while (node < ways)
    node = 2 * node + (tree >> node & 1);
  return node - ways;
}

static void replacement_of(coverage_t *c, unsigned group, const coverage_view_t *v, bool large) {
  bool touched[COVERAGE_TREES_MAX] = {false};
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    const mmu_tlb_event_t *e = p->fill;
    if (p->lookup->kind == MMU_TLB_HIT) touched[p->lookup->large ? MMU_TLB_SETS_MAX : p->lookup->set] = true;
    if (!e) continue;
    unsigned tree = e->large ? MMU_TLB_SETS_MAX : e->set;
    bool stale = touched[tree]; /* by an earlier part: the view's tree is that of before the transaction */
    touched[tree] = true;
    if (!e->evicted || e->large != large || stale) continue;
    uint32_t state = v->tree[tree];
    unsigned ways = large ? v->config.tlb_large : v->config.tlb_ways;
    bool followed = victim(state, ways) == e->way;
    unsigned index = (state >> 1) & (ways <= 8 ? (1u << (ways - 1)) - 1 : 127);
    coverage_hit(c, group,
                 large ? (const unsigned[]){index, !followed, 0} : (const unsigned[]){e->set, index, !followed});
  }
}

static void replacement_small(coverage_t *c, unsigned group, const coverage_view_t *v) {
  replacement_of(c, group, v, false);
}

static void replacement_large(coverage_t *c, unsigned group, const coverage_view_t *v) {
  replacement_of(c, group, v, true);
}

static const char *const victim_names[] = {"the tree's way is evicted", "another way is evicted"};
static const coverage_dim_t replacement_dims[] = {
    COVERAGE_TLB("set", COVERAGE_SETS), COVERAGE_TLB("tree", COVERAGE_TREES), COVERAGE_DIM("victim", victim_names)};
static const coverage_dim_t replacement_large_dims[] = {COVERAGE_TLB("tree", COVERAGE_LARGE_TREES),
                                                        COVERAGE_DIM("victim", victim_names)};
static const char another[] = "the victim is the way that the tree points to";

static const char *replacement_unreachable(const unsigned *at) {
  return at[2] ? another : NULL;
}

static const char *replacement_large_unreachable(const unsigned *at) {
  return at[1] ? another : NULL;
}

const coverage_group_t coverage_replacement = {
    "replacement",           "evictions of the 4 KiB array: set x state of its tree x victim",
    replacement_dims,        3,
    replacement_unreachable, replacement_small};
const coverage_group_t coverage_replacement_large = {
    "replacement_large",           "evictions of the large array: state of its tree x victim",
    replacement_large_dims,        2,
    replacement_large_unreachable, replacement_large};

/* --- lookup, renew: operands of ACCESS and SYSTEM, the first page --- */

typedef struct {
  const coverage_part_t *part;
  unsigned match;
  mmu_tlb_view_t entry; /* the one that is looked at, if any matches */
} found_t;

static bool find(const coverage_view_t *v, found_t *f) {
  if (v->n_parts == 0) return false;
  f->part = &v->part[0];
  mmu_tlb_view_t small, large;
  bool in_small = coverage_tlb_holds(v, false, f->part->laddr, &small);
  bool in_large = coverage_tlb_holds(v, true, f->part->laddr, &large);
  f->match = in_small && in_large ? MATCH_BOTH : in_small ? MATCH_SMALL : in_large ? MATCH_LARGE : MATCH_NONE;
  f->entry = in_small ? small : large;
  return true;
}

static const char *const match_names[MATCHES] = {"none", "4 KiB", "4 MiB", "both"};
static const char *const lookup_names[LOOKUP_EVENTS] = {"HIT 4 KiB", "HIT 4 MiB", "MISS", "RENEW 4 KiB", "RENEW 4 MiB"};
static const coverage_dim_t lookup_dims[] = {COVERAGE_DIM("matching", match_names), COVERAGE_DIM("event", lookup_names),
                                             COVERAGE_DIM("access", coverage_access_names)};

static const char *lookup_unreachable(const unsigned *at) {
  bool small = at[0] == MATCH_SMALL || at[0] == MATCH_BOTH;
  if ((at[0] == MATCH_NONE) != (at[1] == EVENT_MISS)) return "no match is a miss, and a match is none";
  bool looks_small = at[1] == EVENT_HIT_SMALL || at[1] == EVENT_RENEW_SMALL;
  if (at[0] != MATCH_NONE && small != looks_small)
    return "a match in the 4 KiB array hides the large one, and only that";
  return NULL;
}

static unsigned lookup_event(const mmu_tlb_event_t *e) {
  if (e->kind == MMU_TLB_MISS) return EVENT_MISS;
  return (e->kind == MMU_TLB_HIT ? EVENT_HIT_SMALL : EVENT_RENEW_SMALL) + e->large;
}

static void lookup_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  found_t f;
  if (!find(v, &f)) return;
  coverage_hit(c, group, (unsigned[]){f.match, lookup_event(f.part->lookup), f.part->access.access});
}

const coverage_group_t coverage_lookup = {
    "lookup", "lookup: which arrays match x event x access", lookup_dims, 3, lookup_unreachable, lookup_sample};

static const char *const array_names[] = {"4 KiB entry", "4 MiB entry", "both"};
static const char *const cause_names[RENEW_CAUSES] = {"U = 0 for the user", "W = 0 for the user", "W = 0, CR0.WP",
                                                      "U = 1, CR4.SMEP",    "U = 1, CR4.SMAP",    "D = 0 for a write"};
static const char *const result_names[RENEW_RESULTS] = {"4 KiB filled", "4 MiB filled", "fault"};
static const coverage_dim_t renew_dims[] = {COVERAGE_DIM("dropped", array_names), COVERAGE_DIM("cause", cause_names),
                                            COVERAGE_DIM("result", result_names)};

/* Why an entry cannot serve an access: the first reason. */
static unsigned renew_cause(const coverage_view_t *v, const coverage_access_t *a, const mmu_tlb_view_t *e) {
  bool write = a->access == MMU_WRITE;
  if (a->privilege == PRIVILEGE_USER && !e->user) return CAUSE_USER;
  if (a->privilege == PRIVILEGE_USER && write && !e->writable) return CAUSE_WRITABLE;
  if (a->privilege != PRIVILEGE_USER && write && !e->writable && v->cr0 & X86_CR0_WP) return CAUSE_WP;
  if (!coverage_permits(v, a, e->user, e->writable)) return a->access == MMU_EXECUTE ? CAUSE_SMEP : CAUSE_SMAP;
  return CAUSE_DIRTY;
}

static void renew_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  found_t f;
  if (!find(v, &f) || f.part->lookup->kind != MMU_TLB_RENEW) return;
  unsigned cause = renew_cause(v, &f.part->access, &f.entry);
  unsigned result = !f.part->fill ? RENEWED_FAULT : f.part->fill->large ? RENEWED_LARGE : RENEWED_SMALL;
  coverage_hit(c, group, (unsigned[]){f.match - MATCH_SMALL, cause, result});
}

const coverage_group_t coverage_renew = {
    "renew",     "RENEW: what is dropped x why it could not serve x what the walk finds", renew_dims, 3, NULL,
    renew_sample};

/* --- invalidation --- */

static const char *const inv_names[INV_KINDS] = {"INVLPG",           "MOV CR3",          "CR0.PG set",
                                                 "CR0.PG cleared",   "CR4.PSE changed",  "CR4.PGE changed",
                                                 "CR4.SMEP changed", "CR0, PG the same", "CR4, those the same"};
static const char *const held_names[HELD_STATES] = {"nothing", "4 KiB",        "4 KiB global",
                                                    "4 MiB",   "4 MiB global", "4 KiB and 4 MiB of one page"};
static const char *const fate_names[] = {"kept", "dropped"};
static const coverage_dim_t inv_dims[] = {COVERAGE_DIM("by", inv_names), COVERAGE_DIM("held", held_names),
                                          COVERAGE_DIM("fate", fate_names)};

static const char *inv_unreachable(const unsigned *at) {
  unsigned by = at[0], held = at[1], dropped = at[2];
  if (held == HELD_NONE) return dropped ? "there is nothing to drop" : NULL;
  if (by == INV_PG_ON) return "without paging nothing is entered, and clearing CR0.PG has dropped the rest";
  if (by == INV_CR0_OTHER || by == INV_CR4_OTHER) return dropped ? "the change drops nothing" : NULL;
  if (by == INV_CR3 && (held == HELD_SMALL_GLOBAL || held == HELD_LARGE_GLOBAL))
    return dropped ? "MOV CR3 keeps global entries" : NULL;
  if (by == INV_CR3 && held == HELD_BOTH) return NULL; /* both of them local, or not */
  return dropped ? NULL : "it drops the entry";
}

static unsigned inv_kind(const coverage_view_t *v) {
  const mmu_req_t *req = v->req;
  if (req->op == MMU_OP_INVLPG) return INV_INVLPG;
  if (req->op != MMU_OP_WRITE_CR || v->rsp->fault) return INV_KINDS;
  uint32_t was = req->cr == 0 ? v->cr0 : v->cr4, is = (uint32_t)mmu_cr(v->after, req->cr), changed = was ^ is;
  if (req->cr == 3) return INV_CR3;
  if (req->cr == 0) return !(changed & X86_CR0_PG) ? INV_CR0_OTHER : is & X86_CR0_PG ? INV_PG_ON : INV_PG_OFF;
  unsigned n = 0, kind = INV_CR4_OTHER;
  if (changed & X86_CR4_PSE) n++, kind = INV_PSE;
  if (changed & X86_CR4_PGE) n++, kind = INV_PGE;
  if (changed & X86_CR4_SMEP) n++, kind = INV_SMEP;
  return n <= 1 ? kind : INV_KINDS; /* each alone has to do it */
}

/* Hits the bin of one entry that was valid; INVLPG is asked about those of its page alone. */
static void see_entry(coverage_t *c, unsigned group, const coverage_view_t *v, unsigned kind, bool large, unsigned set,
                      unsigned way) {
  mmu_tlb_view_t e = mmu_tlb_entry(v->before, large, set, way), other;
  uint32_t mask = large ? 0xFFC00000 : 0xFFFFF000;
  if (!e.valid) return;
  if (kind == INV_INVLPG && ((e.laddr ^ v->req->offset) & mask) != 0) return;
  bool dropped = !mmu_tlb_entry(v->after, large, set, way).valid;
  unsigned held = large ? (e.global ? HELD_LARGE_GLOBAL : HELD_LARGE) : e.global ? HELD_SMALL_GLOBAL : HELD_SMALL;
  coverage_hit(c, group, (unsigned[]){kind, held, dropped});
  if (!large && coverage_tlb_holds(v, true, (uint32_t)e.laddr, &other))
    coverage_hit(c, group, (unsigned[]){kind, HELD_BOTH, dropped});
}

static void inv_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  unsigned kind = inv_kind(v);
  if (kind == INV_KINDS) return;
  bool any = false;
  for (unsigned large = 0; large < 2; large++)
    for (unsigned set = 0; set < (large ? 1u : v->config.tlb_sets); set++)
      for (unsigned way = 0; way < (large ? v->config.tlb_large : v->config.tlb_ways); way++) {
        mmu_tlb_view_t e = mmu_tlb_entry(v->before, large, set, way);
        any = any || e.valid;
        see_entry(c, group, v, kind, large, set, way);
      }
  mmu_tlb_view_t ignored;
  if (kind == INV_INVLPG)
    any = coverage_tlb_holds(v, false, (uint32_t)v->req->offset, &ignored) ||
          coverage_tlb_holds(v, true, (uint32_t)v->req->offset, &ignored);
  if (!any) coverage_hit(c, group, (unsigned[]){kind, HELD_NONE, 0});
}

const coverage_group_t coverage_invalidation = {
    "invalidation", "what invalidates x what the TLB holds x what becomes of it", inv_dims, 3, inv_unreachable,
    inv_sample};
