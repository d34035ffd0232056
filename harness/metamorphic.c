#include "metamorphic.h"

#include <inttypes.h>

#include "decode.h"
#include "x86.h"

/* Batches over the same tables, but for some entries. Directory entries of the pages that crowd others out. */
enum { TABLES_LAST = 8, ENTRIES_CHANGED = 6, SEGMENTS_CHANGED = 3, CROWD_SLOT = 0x200, CROWD_LARGE = 0x201 };

/* Percent of the batch's pages whose entries change. */
enum { CHANGED = 30 };

bool metamorphic_start(metamorphic_t *m, rig_t *rig, uint64_t seed, const stimulus_knobs_t *knobs) {
  *m = (metamorphic_t){0};
  return stimulus_start_with(&m->stimulus, rig, seed, knobs);
}

/* --- what surrounds a batch --- */

static bool send(metamorphic_t *m, const mmu_req_t *req) {
  mmu_rsp_t rsp;
  return stimulus_send(&m->stimulus, req, &rsp);
}

static bool look(metamorphic_t *m, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 1, .offset = laddr};
  return send(m, &req);
}

static bool invlpg(metamorphic_t *m, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  return send(m, &req);
}

/* Drops everything, global pages too ("Operations that Invalidate TLBs and Paging-Structure Caches"). */
static bool flush(metamorphic_t *m) {
  stimulus_t *s = &m->stimulus;
  uint64_t cr4 = mmu_cr(s->rig->mmu, 4), cr3 = mmu_cr(s->rig->mmu, 3);
  return stimulus_write_cr(s, 4, rig_cr4(s->rig, cr4 ^ X86_CR4_PGE)) && stimulus_write_cr(s, 3, cr3) &&
         stimulus_write_cr(s, 4, cr4);
}

static unsigned large_crowd(const metamorphic_t *m) {
  return 2u * m->stimulus.rig->config.tlb_large;
}

/* Every directory maps the pages that crowd others out: the identity map once more, and large pages. */
static void add_crowd(metamorphic_t *m) {
  const uint32_t flags = X86_PTE_P | X86_PTE_W | X86_PTE_A | X86_PTE_D;
  for (unsigned d = 0; d < PD_COUNT; d++) {
    uint32_t pd = PD_BASE + (d << 12);
    rig_store(m->stimulus.rig, pd + 4 * CROWD_SLOT, 4, PT_BASE | flags);
    for (unsigned i = 0; i < large_crowd(m); i++)
      rig_store(m->stimulus.rig, pd + 4 * (CROWD_LARGE + i), 4, i << 22 | flags | X86_PDE_PS);
  }
}

/* Tables, control registers and segments of a batch. */
static bool prepare(metamorphic_t *m) {
  stimulus_t *s = &m->stimulus;
  if (m->batches % TABLES_LAST == 0) {
    if (!stimulus_renew(s)) return false;
    add_crowd(m);
  }
  for (unsigned i = 0; i < ENTRIES_CHANGED; i++)
    stimulus_change_entry(s);
  for (unsigned i = 0; i < SEGMENTS_CHANGED; i++)
    if (!stimulus_set_segment(s)) return false;
  uint64_t cr0 = X86_CR0_PG | X86_CR0_PE | X86_CR0_ET;
  if (rng_chance(&s->rng, s->knobs.cr0_wp)) cr0 |= X86_CR0_WP;
  if (rng_chance(&s->rng, s->knobs.cr0_am)) cr0 |= X86_CR0_AM;
  s->virtual_8086 = rng_chance(&s->rng, s->knobs.v86);
  return stimulus_write_cr(s, 0, cr0) && stimulus_control(s, 3) && stimulus_control(s, 4) && flush(m);
}

static void draw(metamorphic_t *m) {
  stimulus_t *s = &m->stimulus;
  const uint32_t weights[] = {s->knobs.read_weight, s->knobs.write_weight, s->knobs.execute_weight,
                              s->knobs.system_weight + 1};
  for (unsigned i = 0; i < METAMORPHIC_BATCH; i++) {
    unsigned kind = rng_weighted(&s->rng, weights, sizeof weights / sizeof *weights);
    m->req[i] = kind < 3 ? stimulus_access(s, (mmu_access_t)kind) : stimulus_system(s);
  }
}

/* The pages of an operand that has passed its segment check. Returns how many. */
static unsigned pages_of(const metamorphic_t *m, unsigned i, uint32_t pages[2]) {
  const mmu_rsp_t *rsp = &m->first[i].rsp;
  if (rsp->fault && rsp->vector != X86_PF) return 0;
  pages[0] = (uint32_t)rsp->laddr & 0xfffff000;
  pages[1] = pages[0] + 0x1000;
  return rsp->split ? 2 : 1;
}

/* Other pages use each set that the batch uses, and the array of large pages. */
static bool evict(metamorphic_t *m) {
  const mmu_config_t *config = &m->stimulus.rig->config;
  uint32_t pages[2];
  for (unsigned i = 0; i < METAMORPHIC_BATCH && config->tlb_sets; i++)
    for (unsigned n = pages_of(m, i, pages); n > 0; n--)
      for (uint32_t way = 0, set = pages[n - 1] >> 12 & (config->tlb_sets - 1u); way < 2u * config->tlb_ways; way++)
        if (!look(m, (uint32_t)CROWD_SLOT << 22 | (set + way * config->tlb_sets) << 12)) return false;
  if (!(mmu_cr(m->stimulus.rig->mmu, 4) & X86_CR4_PSE)) return true;
  for (unsigned i = 0; i < large_crowd(m); i++)
    if (!look(m, (uint32_t)(CROWD_LARGE + i) << 22)) return false;
  return true;
}

static bool invalidate(metamorphic_t *m) {
  uint32_t pages[2];
  for (unsigned i = 0; i < METAMORPHIC_BATCH; i++)
    for (unsigned n = pages_of(m, i, pages); n > 0; n--)
      if (!invlpg(m, pages[n - 1])) return false;
  return true;
}

static bool reload_cr3(metamorphic_t *m) {
  return stimulus_write_cr(&m->stimulus, 3, mmu_cr(m->stimulus.rig->mmu, 3));
}

static bool toggle_pge(metamorphic_t *m) {
  uint64_t cr4 = mmu_cr(m->stimulus.rig->mmu, 4);
  return stimulus_write_cr(&m->stimulus, 4, cr4 ^ X86_CR4_PGE) && stimulus_write_cr(&m->stimulus, 4, cr4);
}

static bool toggle_paging(metamorphic_t *m) {
  uint64_t cr0 = mmu_cr(m->stimulus.rig->mmu, 0);
  return stimulus_write_cr(&m->stimulus, 0, cr0 & ~(uint64_t)X86_CR0_PG) && stimulus_write_cr(&m->stimulus, 0, cr0);
}

/* Entries of the batch's pages change, and software invalidates what it has to. */
static bool change(metamorphic_t *m) {
  static bool (*const all[])(metamorphic_t *) = {toggle_pge, toggle_paging};
  stimulus_t *s = &m->stimulus;
  uint32_t pages[2], pd = (uint32_t)mmu_cr(s->rig->mmu, 3) & 0xfffff000;
  for (unsigned i = 0; i < METAMORPHIC_BATCH; i++)
    for (unsigned n = pages_of(m, i, pages); n > 0; n--)
      if (rng_chance(&s->rng, CHANGED)) stimulus_change_entry_of(s, pd, pages[n - 1]);
  if (rng_chance(&s->rng, 50)) return invalidate(m);
  bool global = mmu_cr(s->rig->mmu, 4) & X86_CR4_PGE;
  return global ? all[rng_below(&s->rng, 2)](m) : reload_cr3(m);
}

static bool nothing(metamorphic_t *m) {
  (void)m;
  return true;
}

/* --- the batch --- */

static bool writes(const mmu_rsp_t *rsp) {
  for (unsigned i = 0; i < rsp->n_mem && i < MMU_MEM_MAX; i++)
    if (rsp->mem[i].write) return true;
  return false;
}

/* Compares an answer with the first one. */
static bool same(metamorphic_t *m, unsigned i, const metamorphic_answer_t *answer) {
  const unsigned left_out = DIFF_TLB | DIFF_MEM;
  m->compared++;
  m->differences = lockstep_compare(&m->first[i].rsp, &answer->rsp) & ~left_out;
  m->wrote = !m->differences && writes(&answer->rsp);
  m->contradicts = m->differences || m->wrote;
  if (!m->contradicts) return true;
  m->index = i;
  m->other = *answer;
  return false;
}

static bool ask(metamorphic_t *m, unsigned i, const char *pass, bool first) {
  lockstep_t *ls = m->stimulus.rig->ls;
  metamorphic_answer_t answer = {.sequence = ls->sequence, .pass = pass};
  if (!stimulus_send(&m->stimulus, &m->req[i], &answer.rsp)) return false;
  if (ls->dut) answer.rsp = ls->dut_rsp;
  if (!first) return same(m, i, &answer);
  m->first[i] = answer;
  return true;
}

static void shuffle(rng_t *rng, unsigned order[METAMORPHIC_BATCH]) {
  for (unsigned i = METAMORPHIC_BATCH - 1; i > 0; i--) {
    unsigned j = rng_below(rng, i + 1), swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
}

bool metamorphic_batch(metamorphic_t *m) {
  static const struct {
    const char *name;
    bool (*before)(metamorphic_t *);
    bool in_order, first; /* first: the others are compared with it */
  } passes[] = {
      {"cold", flush, true, true},
      {"warm", nothing, true, false},
      {"warm, in another order", nothing, false, false},
      {"cold, in another order", flush, false, false},
      {"after eviction", evict, false, false},
      {"after INVLPG", invalidate, false, false},
      {"after INVLPG, warm", nothing, false, false},
      {"after a change and its invalidation", change, false, true},
      {"warm", nothing, false, false},
      {"cold", flush, false, false},
  };
  unsigned order[METAMORPHIC_BATCH];
  if (!prepare(m)) return false;
  draw(m);
  for (unsigned i = 0; i < METAMORPHIC_BATCH; i++)
    order[i] = i;
  for (unsigned p = 0; p < sizeof passes / sizeof *passes; p++) {
    if (!passes[p].before(m)) return false;
    if (!passes[p].in_order) shuffle(&m->stimulus.rng, order);
    for (unsigned i = 0; i < METAMORPHIC_BATCH; i++)
      if (!ask(m, order[i], passes[p].name, passes[p].first)) return false;
  }
  m->batches++;
  return true;
}

/* --- the report --- */

static void say(FILE *out, const metamorphic_answer_t *answer) {
  static const char *const sizes[] = {"no page", "4K", "4M", "?"};
  const mmu_rsp_t *r = &answer->rsp;
  char line[DECODE_LINE];
  if (r->fault)
    fprintf(out, "%s", decode_fault(true, r->vector, r->error_code, r->cr2, line));
  else
    fprintf(out, "%08" PRIx64 " -> %08" PRIx64, r->laddr, r->paddr[0]);
  if (!r->fault && r->split) fprintf(out, " and %08" PRIx64, r->paddr[1]);
  if (!r->fault) fprintf(out, " (%s, PCD %d PWT %d)", sizes[r->page_size[0] & 3], r->pcd[0], r->pwt[0]);
  fprintf(out, " %s (transaction %" PRIu64 ")", answer->pass, answer->sequence);
}

void metamorphic_report(FILE *out, const metamorphic_t *m, const char *reproduce) {
  char line[DECODE_LINE];
  const metamorphic_answer_t *first = &m->first[m->index];
  fprintf(out, "\n=== MISMATCH at transaction %" PRIu64 ": the device contradicts itself\n", m->other.sequence);
  fprintf(out, "  request  %s\n", decode_request(&m->req[m->index], line));
  fprintf(out, "  the same request gave ");
  say(out, first);
  fprintf(out, "\n                    and ");
  say(out, &m->other);
  fprintf(out, "\n");
  if (m->wrote) fprintf(out, "  and wrote a paging-structure entry again, whose bits had been set by then\n");
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
    if (m->differences >> i & 1) fprintf(out, "  differs  %s\n", lockstep_diff_name(i));
  fprintf(out, "\nTLB events and memory references:\n");
  const metamorphic_answer_t *both[] = {first, &m->other};
  for (unsigned b = 0; b < 2; b++) {
    fprintf(out, "  %s:", both[b]->pass);
    for (unsigned i = 0; i < both[b]->rsp.n_tlb && i < MMU_TLB_MAX; i++)
      fprintf(out, "%s %s", i ? ";" : "", decode_tlb(&both[b]->rsp.tlb[i], line));
    fprintf(out, "\n");
    for (unsigned i = 0; i < both[b]->rsp.n_mem && i < MMU_MEM_MAX; i++)
      fprintf(out, "    %s\n", decode_mem(&both[b]->rsp.mem[i], line));
  }
  fprintf(out, "\nReproduce:\n  %s\n\n", reproduce);
}
