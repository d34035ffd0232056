#include "coverage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coverage_view.h"

struct coverage {
  const coverage_group_t *const *groups;
  unsigned n_groups, n_bins;
  unsigned *first; /* [n_groups + 1]: number of each group's first bin */
  uint64_t *hits;  /* [n_bins] */
  uint64_t transactions;
  mmu_config_t config;
  const world_t *world;
  mmu_t *before;
  coverage_table_t gdtr, idtr;
  uint32_t tree[COVERAGE_TREES_MAX]; /* bit n: node n; set by set, then the large-page array's */
};

/* --- the model's shape --- */

static unsigned extent(const mmu_config_t *config, const coverage_dim_t *dim) {
  switch (dim->extent) {
  case COVERAGE_SETS:
    return config->tlb_sets;
  case COVERAGE_WAYS:
    return config->tlb_ways;
  case COVERAGE_LARGE:
    return config->tlb_large;
  case COVERAGE_TREES:
    return 1u << (config->tlb_ways - 1);
  case COVERAGE_LARGE_TREES: /* beyond 8 entries there are more states than a run can meet: those of the upper nodes */
    return config->tlb_large <= 8 ? 1u << (config->tlb_large - 1) : 128;
  default:
    return dim->n;
  }
}

static unsigned size_of(const mmu_config_t *config, const coverage_group_t *group) {
  unsigned n = 1;
  for (unsigned i = 0; i < group->n_dims; i++)
    n *= extent(config, &group->dims[i]);
  return n;
}

coverage_t *coverage_create(const coverage_group_t *const *groups, unsigned n, const mmu_config_t *config) {
  coverage_t *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  *c = (coverage_t){.groups = groups, .n_groups = n, .config = *config};
  c->first = calloc(n + 1, sizeof *c->first);
  c->before = malloc(mmu_sizeof());
  for (unsigned i = 0; c->first && i < n; i++) {
    assert(groups[i]->n_dims >= 1 && groups[i]->n_dims <= COVERAGE_DIMS_MAX);
    c->first[i + 1] = c->n_bins += size_of(config, groups[i]);
  }
  c->hits = calloc(c->n_bins + 1, sizeof *c->hits);
  coverage_reset(c);
  if (c->first && c->before && c->hits) return c;
  coverage_destroy(c);
  return NULL;
}

void coverage_destroy(coverage_t *c) {
  if (!c) return;
  free(c->first);
  free(c->before);
  free(c->hits);
  free(c);
}

/* --- sampling --- */

void coverage_set_world(coverage_t *c, const world_t *world) {
  c->world = world;
}

void coverage_reset(coverage_t *c) {
  c->gdtr = c->idtr = (coverage_table_t){.limit = 0xFFFF};
  memset(c->tree, 0, sizeof c->tree);
}

void coverage_before(coverage_t *c, const mmu_t *mmu) {
  memcpy(c->before, mmu, mmu_sizeof());
}

/* DESIGN 3.6: touching a way sets each node on its path to point away from it. */
static uint32_t touch(uint32_t tree, unsigned way, unsigned ways) {
  unsigned node = 1;
  for (unsigned half = ways / 2; half > 0; half /= 2) {
    bool upper = way & half;
    tree = upper ? tree & ~(1u << node) : tree | 1u << node;
    node = 2 * node + upper;
  }
  return tree;
}

/* What the transaction did to what cannot be read back. */
static void follow(coverage_t *c, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  for (unsigned i = 0; i < rsp->n_tlb; i++) {
    const mmu_tlb_event_t *e = &rsp->tlb[i];
    if (e->kind != MMU_TLB_HIT && e->kind != MMU_TLB_FILL) continue;
    uint32_t *tree = &c->tree[e->large ? MMU_TLB_SETS_MAX : e->set];
    *tree = touch(*tree, e->way, e->large ? c->config.tlb_large : c->config.tlb_ways);
  }
  if (req->op != MMU_OP_LOAD_TABLE) return;
  coverage_table_t table = {(uint32_t)req->offset, (uint16_t)req->data};
  *(req->seg == MMU_SEG_GDTR ? &c->gdtr : &c->idtr) = table;
}

void coverage_after(coverage_t *c, const mmu_t *mmu, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  const mmu_t *before = c->before;
  bool says_vm = req->op == MMU_OP_ACCESS || req->op == MMU_OP_LOAD_GATE || req->op == MMU_OP_CHECK_IO;
  coverage_view_t view = {.before = before, .after = mmu, .req = req, .rsp = rsp, .world = c->world};
  view.config = c->config;
  view.cr0 = (uint32_t)mmu_cr(before, 0);
  view.cr3 = (uint32_t)mmu_cr(before, 3);
  view.cr4 = (uint32_t)mmu_cr(before, 4);
  view.real = !(view.cr0 & X86_CR0_PE);
  view.v86 = !view.real && req->vm && says_vm;
  view.paging = view.cr0 & X86_CR0_PG;
  if (req->seg < MMU_SEG_COUNT) view.seg = mmu_seg(before, (mmu_seg_id_t)req->seg);
  view.ldtr = mmu_seg(before, MMU_SEG_LDTR);
  view.tr = mmu_seg(before, MMU_SEG_TR);
  view.gdtr = c->gdtr;
  view.idtr = c->idtr;
  memcpy(view.tree, c->tree, sizeof view.tree);
  coverage_view_parts(&view);
  for (unsigned i = 0; i < c->n_groups; i++)
    if (c->groups[i]->sample) c->groups[i]->sample(c, i, &view);
  follow(c, req, rsp);
  c->transactions++;
}

void coverage_hit(coverage_t *c, unsigned group, const unsigned *at) {
  assert(group < c->n_groups);
  const coverage_group_t *g = c->groups[group];
  unsigned bin = 0;
  for (unsigned i = 0; i < g->n_dims; i++) {
    unsigned n = extent(&c->config, &g->dims[i]);
    assert(at[i] < n);
    bin = bin * n + at[i];
  }
  c->hits[c->first[group] + bin]++;
}

void coverage_add(coverage_t *c, unsigned bin, uint64_t hits) {
  assert(bin < c->n_bins);
  c->hits[bin] += hits;
}

void coverage_add_transactions(coverage_t *c, uint64_t transactions) {
  c->transactions += transactions;
}

/* --- looking at it --- */

uint64_t coverage_transactions(const coverage_t *c) {
  return c->transactions;
}

unsigned coverage_bins(const coverage_t *c) {
  return c->n_bins;
}

unsigned coverage_n_groups(const coverage_t *c) {
  return c->n_groups;
}

const coverage_group_t *coverage_group(const coverage_t *c, unsigned group) {
  assert(group < c->n_groups);
  return c->groups[group];
}

mmu_config_t coverage_config(const coverage_t *c) {
  return c->config;
}

unsigned coverage_extent(const coverage_t *c, unsigned group, unsigned dim) {
  return extent(&c->config, &coverage_group(c, group)->dims[dim]);
}

unsigned coverage_find(const coverage_t *c, const char *name) {
  unsigned i = 0;
  while (i < c->n_groups && strcmp(c->groups[i]->name, name) != 0)
    i++;
  return i;
}

coverage_bin_t coverage_bin(const coverage_t *c, unsigned bin) {
  assert(bin < c->n_bins);
  coverage_bin_t b = {.hits = c->hits[bin]};
  while (bin >= c->first[b.group + 1])
    b.group++;
  const coverage_group_t *g = c->groups[b.group];
  unsigned rest = bin - c->first[b.group];
  for (unsigned i = g->n_dims; i-- > 0;) {
    unsigned n = extent(&c->config, &g->dims[i]);
    b.at[i] = rest % n;
    rest /= n;
  }
  if (g->unreachable) b.unreachable = g->unreachable(b.at);
  return b;
}

bool coverage_is_hole(const coverage_t *c, unsigned bin) {
  return c->hits[bin] == 0 && !coverage_bin(c, bin).unreachable;
}

char *coverage_bin_name(const coverage_t *c, unsigned bin, char buf[COVERAGE_NAME]) {
  coverage_bin_t b = coverage_bin(c, bin);
  const coverage_group_t *g = c->groups[b.group];
  size_t n = 0;
  buf[0] = 0;
  for (unsigned i = 0; i < g->n_dims && n < COVERAGE_NAME; i++) {
    const coverage_dim_t *dim = &g->dims[i];
    const char *comma = i ? ", " : "";
    const char *value = dim->values ? dim->values[b.at[i]] : dim->value ? dim->value(b.at[i]) : NULL;
    int more = value ? snprintf(buf + n, COVERAGE_NAME - n, "%s%s", comma, value)
                     : snprintf(buf + n, COVERAGE_NAME - n, "%s%s %u", comma, dim->name, b.at[i]);
    n += (size_t)more;
  }
  assert(n < COVERAGE_NAME);
  return buf;
}

coverage_count_t coverage_count(const coverage_t *c, unsigned group) {
  coverage_count_t count = {0};
  bool all = group == c->n_groups;
  for (unsigned i = all ? 0 : c->first[group]; i < (all ? c->n_bins : c->first[group + 1]); i++) {
    coverage_bin_t bin = coverage_bin(c, i);
    if (bin.unreachable) {
      count.unreachable++;
      count.violated += bin.hits > 0;
    } else {
      count.bins++;
      count.hit += bin.hits > 0;
    }
  }
  return count;
}
