/*
 * Somebody else remembers translations in the TLB's place: what is recalled serves, refuses, or begins the walk; what a
 * walk finds and what is invalidated is told.
 */
#include "mmu_paged_rig.h"

static struct {
  mmu_recall_t recall;
  uint32_t entry;
  uint8_t page_size;
  unsigned asked, walked, dropped;
  uint32_t found, laddr;
  mmu_drop_t what;
} memo;

static mmu_recall_t recall(void *ctx, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  (void)ctx;
  memo.asked++;
  memo.laddr = laddr;
  *entry = memo.entry;
  *page_size = memo.page_size;
  return memo.recall;
}

static void walked(void *ctx, uint32_t laddr, uint32_t entry, uint8_t page_size) {
  (void)ctx, (void)page_size;
  memo.walked++;
  memo.laddr = laddr;
  memo.found = entry;
}

static void dropped(void *ctx, mmu_drop_t what, uint32_t laddr) {
  (void)ctx;
  memo.dropped++;
  memo.what = what;
  memo.laddr = laddr;
}

/* Paging on; the page's entry in memory names FRAME_0. */
static rig_t *memo_rig(bool stale_faults, uint32_t flags) {
  rig_t *rig = paged_rig(flags, RW);
  if (stale_faults) {
    mmu_config_t config = mmu_default_config();
    mmu_mem_port_t port = mmu_memory(rig->mmu);
    config.stale_faults = true;
    mmu_init(rig->mmu, &config, &port);
    rig_write_cr(rig, 3, DIRECTORY);
    rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
  }
  memset(&memo, 0, sizeof memo);
  mmu_memo_t functions = {.recall = recall, .walked = walked, .dropped = dropped, .mem = mmu_memory(rig->mmu)};
  mmu_set_memo(rig->mmu, &functions);
  return rig;
}

static void remember(mmu_recall_t what, uint32_t entry, uint8_t page_size) {
  memo.recall = what;
  memo.entry = entry;
  memo.page_size = page_size;
}

START_TEST(what_is_recalled_serves) {
  rig_t *rig = memo_rig(false, RW);
  remember(MMU_RECALL_PAGE, 0x70000 | RW | X86_PTE_A | X86_PTE_PCD, MMU_PAGE_4K);
  const mmu_rsp_t *rsp = rig_linear(rig, MMU_READ, PAGE_0 + 0x123, 4);
  rig_check_ok(rsp);
  rig_equal("paddr", rsp->paddr[0], 0x70123);
  rig_equal("page size", rsp->page_size[0], MMU_PAGE_4K);
  rig_equal("pcd", rsp->pcd[0], true);
  rig_equal("n_mem, n_tlb, walked", rsp->n_mem + rsp->n_tlb + memo.walked, 0);
  rig_equal("asked of", memo.laddr, PAGE_0 + 0x123);
  remember(MMU_RECALL_PAGE, 0x00800000 | RW | X86_PTE_A | X86_PTE_D, MMU_PAGE_4M);
  rsp = rig_linear(rig, MMU_WRITE, PAGE_0 + 0x123, 4);
  rig_equal("paddr", rsp->paddr[0], 0x00800000 + PAGE_0 + 0x123);
  rig_free(rig);
}
END_TEST

/* Nothing, or what cannot serve: memory decides. Each page of an operand is asked for, and again the next time. */
START_TEST(memory_decides) {
  for (unsigned kind = 0; kind < 3; kind++) {
    rig_t *rig = memo_rig(kind == 2, RW);
    if (kind == 1) remember(MMU_RECALL_PAGE, 0x70000 | X86_PTE_P | X86_PTE_A, MMU_PAGE_4K); /* read-only */
    if (kind == 2) remember(MMU_RECALL_PAGE, 0x70000 | RW | X86_PTE_A, MMU_PAGE_4K);        /* clean: no fault */
    for (unsigned again = 0; again < 2; again++) {
      const mmu_rsp_t *rsp = rig_linear(rig, MMU_WRITE, PAGE_1 - 2, 4);
      rig_check_ok(rsp);
      rig_equal("paddr", rsp->paddr[0], FRAME_0 + 0xFFE);
      rig_equal("walks", rsp->n_mem, again ? 4 : 6);
      rig_equal("walked", memo.walked, 2 * (again + 1));
      rig_equal("asked", memo.asked, 2 * (again + 1));
      rig_equal("found", memo.found, FRAME_1 | RW | X86_PTE_A | X86_PTE_D);
      rig_equal("n_tlb", rsp->n_tlb, 0);
    }
    rig_free(rig);
  }
}
END_TEST

START_TEST(stale_faults) {
  rig_t *rig = memo_rig(true, RW);
  remember(MMU_RECALL_PAGE, 0x70000 | X86_PTE_P | X86_PTE_A, MMU_PAGE_4K);
  const mmu_rsp_t *rsp = rig_linear(rig, MMU_WRITE, PAGE_0, 4);
  rig_check_fault(rsp, X86_PF, X86_PF_P | X86_PF_W, PAGE_0);
  rig_equal("n_mem", rsp->n_mem, 0);
  rig_free(rig);
}
END_TEST

/* A directory entry that is remembered is not read, and its A not set; its rights count. */
START_TEST(a_table_is_recalled) {
  rig_t *rig = memo_rig(false, RW);
  rig_poke(rig, DIRECTORY, 4, 0);
  remember(MMU_RECALL_TABLE, TABLE | X86_PTE_P | X86_PTE_A, 0);
  const mmu_rsp_t *rsp = rig_linear(rig, MMU_READ, PAGE_0, 4);
  rig_check_ok(rsp);
  rig_check_mem(rsp, 0, false, TABLE + 4 * 5, 4, FRAME_0 | RW);
  rig_check_mem(rsp, 1, true, TABLE + 4 * 5, 4, FRAME_0 | RW | X86_PTE_A);
  rig_equal("n_mem", rsp->n_mem, 2);
  rig_equal("found", memo.found, FRAME_0 | X86_PTE_P | X86_PTE_A);
  rig_check_fault(rig_linear(rig, MMU_WRITE, PAGE_0, 4), X86_PF, X86_PF_P | X86_PF_W, PAGE_0);
  rig_free(rig);
}
END_TEST

START_TEST(invalidations_are_told) {
  static const struct {
    mmu_req_t req;
    mmu_drop_t what;
  } cases[] = {
      {{.op = MMU_OP_INVLPG, .offset = 0x12345678}, MMU_DROP_PAGE},
      {{.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY}, MMU_DROP_LOCAL},
      {{.op = MMU_OP_WRITE_CR, .cr = 4, .data = X86_CR4_PGE}, MMU_DROP_ALL},
      {{.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE}, MMU_DROP_ALL},
  };
  rig_t *rig = memo_rig(false, RW);
  for (unsigned i = 0; i < 4; i++) {
    rig_do(rig, cases[i].req);
    rig_equal("dropped", memo.dropped, i + 1);
    rig_equal("what", memo.what, cases[i].what);
    if (i == 0) rig_equal("laddr", memo.laddr, 0x12345678);
  }
  rig_free(rig);
}
END_TEST

/* A geometry without a TLB: each access walks, and no event is logged but the miss. */
START_TEST(no_tlb) {
  mmu_config_t config = mmu_default_config();
  config.tlb_sets = 0;
  rig_t *rig = rig_new(config);
  rig_poke(rig, DIRECTORY, 4, PDE);
  set_pte(rig, PAGE_0, FRAME_0 | RW | X86_PTE_A);
  rig_poke(rig, DIRECTORY + 4, 4, 0x00800000 | RW | X86_PTE_A | X86_PDE_PS);
  rig_write_cr(rig, 4, X86_CR4_PSE);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
  for (unsigned i = 0; i < 4; i++) {
    bool large = i & 1;
    const mmu_rsp_t *rsp = rig_linear(rig, MMU_READ, large ? 0x00400000 : PAGE_0, 4);
    rig_check_ok(rsp);
    rig_equal("n_mem", rsp->n_mem, large ? 1 : 2);
    rig_equal("n_tlb", rsp->n_tlb, 1);
    rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
    ck_assert(!mmu_tlb_entry(rig->mmu, large, 0, 0).valid);
  }
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      what_is_recalled_serves, memory_decides, stale_faults, a_table_is_recalled, invalidations_are_told, no_tlb,
  };
  return rig_run(rig_suite("mmu_memo", tests, sizeof tests / sizeof tests[0]));
}
