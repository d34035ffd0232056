/*
 * Coverage groups: walks of the paging structures, rights, accessed and dirty bits, straddling operands. DESIGN 3.5.
 */
#include "coverage_groups.h"

static const char *const privilege_names[] = {"user", "supervisor", "implicit"};
static const char *const outcomes[] = {"translated", "fault"};

/* Whether the walk came to judge rights: both levels are there. */
static bool judges(const coverage_part_t *p) {
  return p->walked && !p->reserved && p->pde & X86_PTE_P && (p->large || (p->has_pte && p->pte & X86_PTE_P));
}

/* --- rights --- */

static const char *const page_names[RIGHTS_PAGES] = {"PDE -- PTE --", "PDE -- PTE -W", "PDE -- PTE U-", "PDE -- PTE UW",
                                                     "PDE -W PTE --", "PDE -W PTE -W", "PDE -W PTE U-", "PDE -W PTE UW",
                                                     "PDE U- PTE --", "PDE U- PTE -W", "PDE U- PTE U-", "PDE U- PTE UW",
                                                     "PDE UW PTE --", "PDE UW PTE -W", "PDE UW PTE U-", "PDE UW PTE UW",
                                                     "4 MiB --",      "4 MiB -W",      "4 MiB U-",      "4 MiB UW"};
static const char *const wp_names[] = {"WP 0", "WP 1"}, *const smep_names[] = {"SMEP 0", "SMEP 1"},
                         *const smap_names[] = {"SMAP 0", "SMAP 1"}, *const ac_names[] = {"AC 0", "AC 1"};
static const coverage_dim_t rights_dims[] = {
    COVERAGE_DIM("page", page_names),    COVERAGE_DIM("access", coverage_access_names),
    COVERAGE_DIM("by", privilege_names), COVERAGE_DIM("wp", wp_names),
    COVERAGE_DIM("smep", smep_names),    COVERAGE_DIM("smap", smap_names),
    COVERAGE_DIM("ac", ac_names),        COVERAGE_DIM("outcome", outcomes)};

static const char *rights_unreachable(const unsigned *at) {
  unsigned page = at[0];
  unsigned bits = page < RIGHTS_SMALL ? page / 4 & page % 4 : page % 4;
  coverage_access_t access = {(uint8_t)at[1], (uint8_t)at[2], at[6]};
  coverage_view_t v = {.cr0 = at[3] ? X86_CR0_WP : 0};
  v.cr4 = (at[4] ? X86_CR4_SMEP : 0) | (at[5] ? X86_CR4_SMAP : 0);
  if (at[1] == MMU_EXECUTE && (at[2] == PRIVILEGE_IMPLICIT || at[6])) return "a fetch has implicit = 0 and ac = 0";
  return coverage_permits(&v, &access, bits & 2, bits & 1) == (at[7] == 0) ? NULL : "DESIGN 3.5 decides otherwise";
}

static unsigned user_writable(uint32_t entry) {
  return (entry & X86_PTE_U ? 2u : 0) + (entry & X86_PTE_W ? 1 : 0);
}

static void rights_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    if (!judges(p)) continue;
    unsigned page = p->large ? RIGHTS_SMALL + user_writable(p->pde) : user_writable(p->pde) * 4 + user_writable(p->pte);
    coverage_hit(c, group,
                 (unsigned[]){page, p->access.access, p->access.privilege, (v->cr0 & X86_CR0_WP) != 0,
                              (v->cr4 & X86_CR4_SMEP) != 0, (v->cr4 & X86_CR4_SMAP) != 0, p->access.ac, p->fault});
  }
}

const coverage_group_t coverage_rights = {
    "rights",           "walk: U and W of each level x access x privilege x WP x SMEP x SMAP x AC",
    rights_dims,        8,
    rights_unreachable, rights_sample};

/* --- entry --- */

static const char *const entry_names[ENTRY_CASES] = {
    "PDE not present", "reserved bit 13",          "reserved bit 14", "reserved bit 15",      "reserved bit 16",
    "reserved bit 17", "reserved bit 18",          "reserved bit 19", "reserved bit 20",      "reserved bit 21",
    "PTE not present", "PS ignored (CR4.PSE = 0)", "PTE with bit 7",  "4 MiB PDE with bit 12"};
static const coverage_dim_t entry_dims[] = {COVERAGE_DIM("entry", entry_names),
                                            COVERAGE_DIM("access", coverage_access_names),
                                            COVERAGE_DIM("by", privilege_names)};

static const char *entry_unreachable(const unsigned *at) {
  return at[1] == MMU_EXECUTE && at[2] == PRIVILEGE_IMPLICIT ? "a fetch has implicit = 0" : NULL;
}

static void entry_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    if (!p->walked) continue;
    bool present = p->pde & X86_PTE_P;
    uint32_t reserved = p->reserved ? p->pde >> 13 & 0x1FF : 0;
    unsigned at[] = {ENTRY_PDE_ABSENT, p->access.access, p->access.privilege};
    if (!present) coverage_hit(c, group, at);
    for (at[0] = ENTRY_RESERVED_FIRST; at[0] <= ENTRY_RESERVED_LAST; at[0]++)
      if (reserved == 1u << (at[0] - ENTRY_RESERVED_FIRST)) coverage_hit(c, group, at); /* that bit alone */
    const bool is[] = {p->has_pte && !(p->pte & X86_PTE_P), present && p->pde & X86_PDE_PS && !(v->cr4 & X86_CR4_PSE),
                       !p->fault && p->has_pte && p->pte & X86_PTE_PAT, !p->fault && p->large && p->pde & X86_PDE_PAT};
    for (unsigned k = 0; k < sizeof is; k++) {
      at[0] = ENTRY_PTE_ABSENT + k;
      if (is[k]) coverage_hit(c, group, at);
    }
  }
}

const coverage_group_t coverage_entry = {
    "entry",     "walk: what is particular about an entry x access x privilege", entry_dims, 3, entry_unreachable,
    entry_sample};

/* --- page_fault --- */

static const char *const code_p[] = {"P 0", "P 1"}, *const code_w[] = {"W 0", "W 1"}, *const code_u[] = {"U 0", "U 1"},
                         *const code_r[] = {"RSVD 0", "RSVD 1"}, *const code_i[] = {"I 0", "I 1"};
static const coverage_dim_t page_fault_dims[] = {COVERAGE_DIM("p", code_p), COVERAGE_DIM("w", code_w),
                                                 COVERAGE_DIM("u", code_u), COVERAGE_DIM("rsvd", code_r),
                                                 COVERAGE_DIM("i", code_i)};

static const char *page_fault_unreachable(const unsigned *at) {
  if (at[3] && !at[0]) return "reserved bits are found in present entries";
  return at[1] && at[4] ? "a fetch is no write" : NULL;
}

static void page_fault_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  unsigned code = v->rsp->error_code;
  if (!v->rsp->fault || v->rsp->vector != X86_PF) return;
  coverage_hit(c, group, (unsigned[]){code & 1, code >> 1 & 1, code >> 2 & 1, code >> 3 & 1, code >> 4 & 1});
}

const coverage_group_t coverage_page_fault = {
    "page_fault", "error codes of page faults", page_fault_dims, 5, page_fault_unreachable, page_fault_sample};

/* --- accessed_dirty --- */

static const char *const level_names[] = {"4 KiB, PDE A 0", "4 KiB, PDE A 1", "4 MiB"};
static const char *const ad_names[] = {"A 0 D 0", "A 0 D 1", "A 1 D 0", "A 1 D 1"};
static const coverage_dim_t accessed_dims[] = {COVERAGE_DIM("level", level_names), COVERAGE_DIM("bits", ad_names),
                                               COVERAGE_DIM("access", coverage_access_names),
                                               COVERAGE_DIM("outcome", outcomes)};

static void accessed_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    if (!judges(p)) continue;
    uint32_t last = p->large ? p->pde : p->pte;
    unsigned level = p->large ? 2 : (p->pde & X86_PTE_A) != 0;
    unsigned bits = (last & X86_PTE_A ? 2u : 0) + (last & X86_PTE_D ? 1 : 0);
    coverage_hit(c, group, (unsigned[]){level, bits, p->access.access, p->fault});
  }
}

const coverage_group_t coverage_accessed_dirty = {
    "accessed_dirty", "walk: A and D before it x access x outcome", accessed_dims, 4, NULL, accessed_sample};

/* --- memory_type: what an entry of the TLB keeps of the last level --- */

static const char *const size_names[] = {"4 KiB", "4 MiB"}, *const pcd_names[] = {"PCD 0", "PCD 1"},
                         *const pwt_names[] = {"PWT 0", "PWT 1"}, *const g_names[] = {"G 0", "G 1"},
                         *const pge_names[] = {"PGE 0", "PGE 1"}, *const kept_names[] = {"local entry", "global entry"};
static const coverage_dim_t memory_dims[] = {COVERAGE_DIM("size", size_names), COVERAGE_DIM("pcd", pcd_names),
                                             COVERAGE_DIM("pwt", pwt_names),   COVERAGE_DIM("g", g_names),
                                             COVERAGE_DIM("pge", pge_names),   COVERAGE_DIM("entry", kept_names)};

static const char *memory_unreachable(const unsigned *at) {
  return at[5] != (at[3] && at[4]) ? "an entry is global exactly if G = 1 and CR4.PGE = 1 at the fill" : NULL;
}

static void memory_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  /* The last fill alone: what earlier ones have entered may be gone again. */
  const coverage_part_t *p = v->n_parts ? &v->part[v->n_parts - 1] : NULL;
  if (!p || !p->fill) return;
  uint32_t last = p->large ? p->pde : p->pte;
  mmu_tlb_view_t entry = mmu_tlb_entry(v->after, p->fill->large, p->fill->set, p->fill->way);
  coverage_hit(c, group,
               (unsigned[]){p->large, (last & X86_PTE_PCD) != 0, (last & X86_PTE_PWT) != 0, (last & X86_PTE_G) != 0,
                            (v->cr4 & X86_CR4_PGE) != 0, entry.valid && entry.global});
}

const coverage_group_t coverage_memory_type = {
    "memory_type",      "fill: page size x PCD x PWT x G x CR4.PGE x what the entry keeps",
    memory_dims,        6,
    memory_unreachable, memory_sample};

/* --- walk --- */

const char *const coverage_by_names[BY_COUNT] = {
    "fetch (fetch port)", "read",     "write",     "SYSTEM read",          "SYSTEM write", "descriptor of LOAD_SEG",
    "accessed bit",       "busy bit", "MARK_TASK", "descriptor of VERIFY", "gate",         "field of CHECK_IO",
    "map of CHECK_IO"};
static const char *const walk_names[WALK_EVENTS] = {
    "PDE not present",       "reserved bit",       "PTE not present",       "rights",
    "4 MiB, nothing to set", "4 MiB, PDE written", "4 KiB, nothing to set", "4 KiB, PDE written",
    "4 KiB, PTE written",    "4 KiB, both written"};
static const char *const after_names[] = {"after a miss", "after RENEW"};
static const coverage_dim_t walk_dims[] = {COVERAGE_DIM("for", coverage_by_names), COVERAGE_DIM("event", walk_names),
                                           COVERAGE_DIM("why", after_names)};

static unsigned walk_event(const coverage_part_t *p) {
  if (!(p->pde & X86_PTE_P)) return WALK_PDE_ABSENT;
  if (p->reserved) return WALK_RESERVED;
  if (p->has_pte && !(p->pte & X86_PTE_P)) return WALK_PTE_ABSENT;
  if (p->fault) return WALK_RIGHTS;
  if (p->large) return p->wrote_pde ? WALK_LARGE_WRITES : WALK_LARGE;
  return WALK_SMALL + p->wrote_pde + 2u * p->wrote_pte;
}

static const char *walk_unreachable(const unsigned *at) {
  unsigned event = at[1];
  bool mark = at[0] == BY_ACCESSED || at[0] == BY_BUSY;
  if (!mark || at[2]) return NULL;
  /* The read of a descriptor leaves its pages in the TLB, but for a first one whose large entry the second one's RENEW
   * has dropped. Then the second one has been found through the same PDE. */
  if (event == WALK_PDE_ABSENT || event == WALK_RESERVED)
    return "the descriptor's second page was found through that PDE";
  if (event == WALK_LARGE || event == WALK_LARGE_WRITES)
    return "the descriptor's second page would have entered the large one";
  if (event == WALK_SMALL_PDE || event == WALK_SMALL_BOTH) return "the descriptor's second page has set A in that PDE";
  return NULL;
}

static void walk_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *p = &v->part[i];
    if (p->walked) coverage_hit(c, group, (unsigned[]){p->by, walk_event(p), p->lookup->kind == MMU_TLB_RENEW});
  }
}

const coverage_group_t coverage_walk = {
    "walk", "walk: for whom x what happens in it x why it is made", walk_dims, 3, walk_unreachable, walk_sample};

/* --- straddle --- */

static const char *const pages_names[PAGES_COUNT] = {"4 KiB + 4 KiB", "4 KiB + 4 MiB",       "4 MiB + 4 KiB",
                                                     "4 MiB + 4 MiB", "within one of 4 MiB", "paging off"};
static const char *const place_names[] = {"between pages", "across 4 GiB"};
static const char *const straddle_outcomes[] = {"translated", "first part faults", "second part faults"};
static const char *const straddle_by[] = {"read", "write", "fetch", "SYSTEM", "descriptor", "gate", "TSS of CHECK_IO"};
static const coverage_dim_t straddle_dims[] = {COVERAGE_DIM("for", straddle_by), COVERAGE_DIM("pages", pages_names),
                                               COVERAGE_DIM("place", place_names),
                                               COVERAGE_DIM("outcome", straddle_outcomes)};

static const char *straddle_unreachable(const unsigned *at) {
  if (at[1] == PAGES_NONE && at[3]) return "without paging nothing faults";
  if (at[1] == PAGES_NONE && at[0] > 3) return "without paging a table's operand is one reference, wherever it lies";
  if (at[1] == PAGES_ONE_LARGE && at[2]) return "the first and the last page of all are not in one of 4 MiB";
  return NULL;
}

/* Does the part lie in a 4 MiB page, as far as it was translated or memory tells? false: unknown. */
static bool is_large(const coverage_view_t *v, const coverage_part_t *p, bool *large) {
  if (!p->fault && p->lookup) {
    *large = p->fill ? p->fill->large : p->lookup->large;
    return true;
  }
  if (!v->world) return false;
  coverage_page_t page = coverage_peek(v, p->laddr, &p->access);
  *large = page.large;
  return page.what != PEEK_PDE_ABSENT;
}

static void straddle_sample(coverage_t *c, unsigned group, const coverage_view_t *v) {
  static const uint8_t by_index[BY_COUNT] = {
      [BY_FETCH] = 2,      [BY_READ] = 0,   [BY_WRITE] = 1, [BY_SYSTEM_READ] = 3, [BY_SYSTEM_WRITE] = 3,
      [BY_DESCRIPTOR] = 4, [BY_VERIFY] = 4, [BY_GATE] = 5,  [BY_IO_FIELD] = 6,    [BY_IO_MAP] = 6};
  if (!v->paging && v->rsp->split) {
    unsigned by = v->req->op == MMU_OP_SYSTEM ? 3 : v->req->access;
    bool wraps = (uint32_t)(v->rsp->laddr + v->req->size) < v->rsp->laddr;
    coverage_hit(c, group, (unsigned[]){by, PAGES_NONE, wraps, 0});
  }
  for (unsigned i = 0; i < v->n_parts; i++) {
    const coverage_part_t *first = &v->part[i];
    unsigned room = MMU_PAGE_BYTES - first->laddr % MMU_PAGE_BYTES;
    bool two = i + 1 < v->n_parts && v->part[i + 1].part == 1;
    unsigned size = first->by == BY_ACCESSED || first->by == BY_BUSY || first->by == BY_MARK ? 1
                    : first->by >= BY_IO_FIELD                                               ? 2
                    : first->by >= BY_DESCRIPTOR                                             ? 8
                                                                                             : v->req->size;
    if (first->part != 0 || size <= room) continue;
    coverage_part_t second = {.laddr = first->laddr + room, .access = first->access, .fault = true};
    if (two) second = v->part[i + 1];
    bool large[2];
    if (!is_large(v, first, &large[0]) || !is_large(v, &second, &large[1])) continue;
    unsigned pages = 2u * large[0] + large[1];
    if (pages == PAGES_LARGE_LARGE && ((first->laddr ^ second.laddr) >> 22) == 0) pages = PAGES_ONE_LARGE;
    unsigned outcome = first->fault ? 1 : second.fault ? 2 : 0;
    coverage_hit(c, group, (unsigned[]){by_index[first->by], pages, second.laddr == 0, outcome});
  }
}

const coverage_group_t coverage_straddle = {
    "straddle",           "operands over two pages: for whom x page sizes x place x outcome",
    straddle_dims,        4,
    straddle_unreachable, straddle_sample};
