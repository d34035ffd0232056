#include "sloppy_dut.h"

#include <stdio.h>
#include <stdlib.h>

#include "rng.h"
#include "x86.h"

enum { ENTRIES = 512 };

typedef struct {
  bool valid, table;
  uint32_t laddr, entry;
  uint8_t page_size;
} cached_t;

typedef struct {
  mmu_t *mmu;
  dut_env_t env;
  rng_t rng;
  sloppy_sin_t sin;
  bool upper_cached;
  cached_t cached[ENTRIES];
  uint64_t transactions;
} sloppy_t;

static bool covers(const cached_t *c, uint32_t laddr) {
  uint32_t mask = c->table || c->page_size == MMU_PAGE_4M ? 0xFFC00000 : 0xFFFFF000;
  return c->valid && ((c->laddr ^ laddr) & mask) == 0;
}

static void enter(sloppy_t *s, cached_t entry) {
  entry.valid = true;
  s->cached[rng_below(&s->rng, ENTRIES)] = entry;
}

static mmu_recall_t recall(void *ctx, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  sloppy_t *s = ctx;
  if (rng_chance(&s->rng, 10)) return MMU_RECALL_NOTHING;
  uint32_t wanted = s->sin == SLOPPY_NEIGHBOUR && rng_chance(&s->rng, 2) ? laddr ^ 0x1000 : laddr;
  unsigned begin = rng_below(&s->rng, ENTRIES);
  for (unsigned i = 0; i < ENTRIES; i++) {
    const cached_t *c = &s->cached[(begin + i) % ENTRIES];
    if (!covers(c, wanted)) continue;
    *entry = c->entry;
    *page_size = c->page_size;
    return c->table ? MMU_RECALL_TABLE : MMU_RECALL_PAGE;
  }
  return MMU_RECALL_NOTHING;
}

static uint32_t peek(sloppy_t *s, uint32_t paddr) {
  return (uint32_t)s->env.mem.read(s->env.mem.ctx, paddr, 4);
}

/* A prefetch: a translation that memory holds, whether or not it is ever used. */
static void prefetch(sloppy_t *s, uint32_t laddr) {
  if (!(mmu_cr(s->mmu, 0) & X86_CR0_PG)) return;
  uint32_t must = s->sin == SLOPPY_CACHES_UNACCESSED ? X86_PTE_P : X86_PTE_P | X86_PTE_A;
  uint32_t pde = peek(s, ((uint32_t)mmu_cr(s->mmu, 3) & 0xFFFFF000) + 4 * (laddr >> 22));
  if ((pde & must) != must || (pde & X86_PDE_PS && mmu_cr(s->mmu, 4) & X86_CR4_PSE)) return;
  uint32_t pte = peek(s, (pde & 0xFFFFF000) + 4 * (laddr >> 12 & 0x3FF));
  if ((pte & must) != must) return;
  enter(s, (cached_t){.laddr = laddr, .entry = pte & (pde | ~6u), .page_size = MMU_PAGE_4K});
}

static void walked(void *ctx, uint32_t laddr, uint32_t entry, uint8_t page_size) {
  sloppy_t *s = ctx;
  enter(s, (cached_t){.laddr = laddr, .entry = entry, .page_size = page_size});
  if (rng_chance(&s->rng, 20)) prefetch(s, laddr ^ rng_below(&s->rng, 8) << 12);
  if (!s->upper_cached || page_size == MMU_PAGE_4M) return;
  uint32_t pde = peek(s, ((uint32_t)mmu_cr(s->mmu, 3) & 0xFFFFF000) + 4 * (laddr >> 22));
  bool may = (pde & (X86_PTE_P | X86_PTE_A)) == (X86_PTE_P | X86_PTE_A);
  if (may && !(pde & X86_PDE_PS)) enter(s, (cached_t){.table = true, .laddr = laddr, .entry = pde});
}

static bool is_global(const sloppy_t *s, const cached_t *c) {
  return !c->table && c->entry & X86_PTE_G && mmu_cr(s->mmu, 4) & X86_CR4_PGE;
}

static bool goes(const sloppy_t *s, const cached_t *c, mmu_drop_t what, uint32_t laddr) {
  switch (what) {
  case MMU_DROP_PAGE:
    if (c->table) return s->sin != SLOPPY_KEEPS_TABLES || covers(c, laddr);
    if (s->sin == SLOPPY_KEEPS_LARGE && c->page_size == MMU_PAGE_4M) return covers(c, laddr) && laddr << 10 >> 22 == 0;
    return s->sin != SLOPPY_KEEPS_INVLPG && covers(c, laddr);
  case MMU_DROP_LOCAL:
    return s->sin != SLOPPY_KEEPS_LOCAL && !is_global(s, c);
  default:
    return s->sin != SLOPPY_KEEPS_ALL;
  }
}

static void dropped(void *ctx, mmu_drop_t what, uint32_t laddr) {
  sloppy_t *s = ctx;
  for (unsigned i = 0; i < ENTRIES; i++)
    if (goes(s, &s->cached[i], what, laddr)) s->cached[i].valid = false;
}

static mmu_config_t config(void) {
  return mmu_default_config();
}

static void begin(sloppy_t *s, bool stale_faults) {
  mmu_config_t c = config();
  c.stale_faults = stale_faults;
  c.upper_cached = s->upper_cached;
  mmu_init(s->mmu, &c, &s->env.mem);
  mmu_memo_t memo = {.ctx = s, .recall = recall, .walked = walked, .dropped = dropped, .mem = s->env.mem};
  mmu_set_memo(s->mmu, &memo);
}

void sloppy_choose(void *dut, sloppy_sin_t sin, bool upper_cached, bool stale_faults) {
  sloppy_t *s = dut;
  s->sin = sin;
  s->upper_cached = upper_cached;
  begin(s, stale_faults);
}

static void *open_sloppy(const dut_env_t *env, char *error, unsigned error_bytes) {
  sloppy_t *s = calloc(1, sizeof *s);
  if (s) s->mmu = malloc(mmu_sizeof());
  if (!s || !s->mmu) {
    snprintf(error, error_bytes, "no memory for the sloppy DUT");
    free(s);
    return NULL;
  }
  s->env = *env;
  s->rng.state = env->seed;
  begin(s, false);
  return s;
}

static void close_sloppy(void *dut) {
  free(((sloppy_t *)dut)->mmu);
  free(dut);
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  sloppy_t *s = dut;
  s->transactions++;
  mmu_transact(s->mmu, req, rsp);
  if (rsp->fault && rsp->vector == X86_PF && s->sin != SLOPPY_KEEPS_FAULT)
    for (unsigned i = 0; i < ENTRIES; i++)
      if (covers(&s->cached[i], (uint32_t)rsp->cr2)) s->cached[i].valid = false;
  return DUT_OK;
}

static const char *error(void *dut) {
  (void)dut;
  return "none";
}

static uint64_t cycles(void *dut) {
  return ((sloppy_t *)dut)->transactions;
}

const dut_ops_t *sloppy_dut(void) {
  static const dut_ops_t ops = {.abi_version = DUT_ABI_VERSION,
                                .name = "sloppy",
                                .about = "the reference with a TLB that keeps nobody's rules but the architecture's",
                                .config = config,
                                .open = open_sloppy,
                                .close = close_sloppy,
                                .transact = transact,
                                .error = error,
                                .cycles = cycles};
  return &ops;
}
