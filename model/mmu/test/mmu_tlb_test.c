/*
 * tlb: lookup, replacement and renewal.
 */
#include "mmu_tlb_rig.h"

/* Four ways: node 1 is the root, node 2 decides between ways 0 and 1, node 3 between 2 and 3. */
START_TEST(pseudo_lru_by_hand) {
  enum { A = 0x0000, B = 0x8000, C = 0x10000, D = 0x18000, E = 0x20000, F = 0x28000, G = 0x30000, H = 0x38000 };
  rig_t *rig = default_rig();
  check_fill(rig, A, 0, false); /* invalid ways first, the lowest of them; nodes: 1 1 0 */
  check_fill(rig, B, 1, false); /*                                               1 0 0 */
  check_fill(rig, C, 2, false); /*                                               0 0 1 */
  check_fill(rig, D, 3, false); /*                                               0 0 0 */
  check_fill(rig, E, 0, true);  /* lower, 0: A goes                              1 1 0 */
  check_hit(rig, C, 2);         /*                                               0 1 1 */
  check_fill(rig, F, 1, true);  /* lower, 1: B goes                              1 0 1 */
  check_fill(rig, G, 3, true);  /* upper, 3: D goes                              0 0 0 */
  check_hit(rig, E, 0);         /*                                               1 1 0 */
  check_fill(rig, H, 2, true);  /* upper, 2: C goes                              0 1 1 */
  check_hit(rig, G, 3);         /*                                               0 1 0 */
  check_fill(rig, A, 1, true);  /* lower, 1: F goes                              1 0 0 */
  check_hit(rig, E, 0);
  check_hit(rig, A, 1);
  check_hit(rig, H, 2);
  check_hit(rig, G, 3);
  rig_free(rig);
}
END_TEST

/* The replacement bits outlive an invalidation. */
START_TEST(invalidation_leaves_the_replacement_bits) {
  enum { A = 0x0000, B = 0x8000, C = 0x10000, D = 0x18000, E = 0x20000, F = 0x28000 };
  rig_t *rig = default_rig();
  check_fill(rig, A, 0, false);
  check_fill(rig, B, 1, false);
  check_fill(rig, C, 2, false);
  check_fill(rig, D, 3, false);
  check_hit(rig, A, 0); /* nodes: 1 1 0 */
  rig_invlpg(rig, D);
  check_fill(rig, E, 3, false); /* the invalid way, though the tree points to way 2; nodes: 0 1 0 */
  check_fill(rig, F, 1, true);
  rig_write_cr(rig, 3, DIRECTORY); /* all gone; nodes: 1 0 0 */
  check_fill(rig, C, 0, false);
  check_fill(rig, D, 1, false);
  check_fill(rig, A, 2, false);
  check_fill(rig, B, 3, false);
  rig_free(rig);
}
END_TEST

/*
 * The oracle of the replacement: at each node of the tree the half that was used last is spared, the lower half if
 * neither was used. It counts uses instead of keeping bits.
 */
typedef struct {
  unsigned ways, clock;
  uint32_t page[MMU_TLB_LARGE_MAX];
  bool valid[MMU_TLB_LARGE_MAX];
  unsigned used[MMU_TLB_LARGE_MAX]; /* when; 0: never since RESET, whatever was in it */
} lru_t;

static unsigned last_use(const lru_t *lru, unsigned first, unsigned n) {
  unsigned last = 0;
  for (unsigned way = first; way < first + n; way++)
    if (lru->used[way] > last) last = lru->used[way];
  return last;
}

static unsigned lru_victim(const lru_t *lru) {
  for (unsigned way = 0; way < lru->ways; way++)
    if (!lru->valid[way]) return way;
  unsigned first = 0;
  for (unsigned half = lru->ways / 2; half > 0; half /= 2)
    if (last_use(lru, first, half) > last_use(lru, first + half, half)) first += half;
  return first;
}

/* Reads, or invalidates, one page of the set that the oracle follows. */
static void check_replacement(rig_t *rig, lru_t *lru, bool large, unsigned set, uint32_t laddr, bool invalidate) {
  unsigned way = 0;
  while (way < lru->ways && !(lru->valid[way] && lru->page[way] == laddr))
    way++;
  bool hit = way < lru->ways;
  if (invalidate) {
    rig_invlpg(rig, laddr);
    if (hit) lru->valid[way] = false;
    return;
  }
  const mmu_rsp_t *rsp = rig_byte(rig, MMU_READ, 0, laddr);
  rig_check_ok(rsp);
  rig_equal("n_tlb", rsp->n_tlb, hit ? 1 : 2);
  if (hit) {
    rig_check_event(rsp, 0, MMU_TLB_HIT, large, set, way, false);
  } else {
    way = lru_victim(lru);
    rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
    rig_check_event(rsp, 1, MMU_TLB_FILL, large, set, way, lru->valid[way]);
    lru->page[way] = laddr;
    lru->valid[way] = true;
  }
  lru->used[way] = ++lru->clock;
  rig_equal("paddr", rsp->paddr[0], large ? laddr : SMALL_FRAME + laddr);
}

/* Every geometry; two sets in turn, so that they would disturb one another if they could. */
START_TEST(replacement_in_every_geometry) {
  uint32_t random = 1;
  for (unsigned sets = 1; sets <= MMU_TLB_SETS_MAX; sets *= 2)
    for (unsigned ways = 1; ways <= MMU_TLB_WAYS_MAX; ways *= 2)
      for (unsigned large = 1; large <= MMU_TLB_LARGE_MAX; large *= 2) {
        mmu_config_t config = {.tlb_sets = (uint8_t)sets, .tlb_ways = (uint8_t)ways, .tlb_large = (uint8_t)large};
        rig_t *rig = tlb_rig(config, X86_CR4_PSE);
        lru_t first = {.ways = ways}, last = {.ways = ways}, huge = {.ways = large};
        for (unsigned step = 0; step < 1000; step++) {
          random = random * 1664525 + 1013904223;
          bool invalidate = random >> 28 == 0;
          uint32_t page = (random >> 16) % (2 * ways) * sets;
          check_replacement(rig, &first, false, 0, page << 12, invalidate);
          if (sets > 1) check_replacement(rig, &last, false, sets - 1, (page + sets - 1) << 12, invalidate);
          check_replacement(rig, &huge, true, 0, (1 + (random >> 8) % (N_LARGE - 1)) * LARGE, invalidate);
        }
        rig_free(rig);
      }
}
END_TEST

/* A write through a clean entry walks again, sets D, and enters the page anew. */
START_TEST(write_through_a_clean_entry) {
  rig_t *rig = default_rig();
  check_fill(rig, 0x3000, 0, false);
  check_fill(rig, 0xB000, 1, false);
  check_fill(rig, LARGE, 0, false);
  const mmu_rsp_t *rsp = rig_byte(rig, MMU_WRITE, 0, 0xB123);
  rig_check_ok(rsp);
  rig_check_event(rsp, 0, MMU_TLB_RENEW, false, 3, 1, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, false, 3, 1, false);
  rig_check_mem(rsp, 2, true, pte_paddr(0xB000), 4, (SMALL_FRAME + 0xB000) | FLAGS | X86_PTE_D);
  ck_assert_uint_eq(rsp->n_mem, 3);
  ck_assert(mmu_tlb_entry(rig->mmu, false, 3, 1).dirty && !mmu_tlb_entry(rig->mmu, false, 3, 0).dirty);
  rsp = rig_byte(rig, MMU_WRITE, 0, 0xBFFF);
  rig_check_event(rsp, 0, MMU_TLB_HIT, false, 3, 1, false);
  ck_assert_uint_eq(rsp->n_mem, 0);

  rsp = rig_byte(rig, MMU_WRITE, 0, LARGE + 0x312345);
  rig_check_ok(rsp);
  ck_assert_uint_eq(rsp->paddr[0], LARGE + 0x312345);
  ck_assert_uint_eq(rsp->page_size[0], MMU_PAGE_4M);
  rig_check_event(rsp, 0, MMU_TLB_RENEW, true, 0, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, true, 0, 0, false);
  rig_check_mem(rsp, 1, true, pde_paddr(LARGE), 4, LARGE | FLAGS | X86_PDE_PS | X86_PTE_D);
  rsp = rig_byte(rig, MMU_WRITE, 0, LARGE);
  rig_check_event(rsp, 0, MMU_TLB_HIT, true, 0, 0, false);
  rig_free(rig);
}
END_TEST

/* An entry is used, though memory says otherwise by now, until it is invalidated. */
START_TEST(stale_until_invalidated) {
  rig_t *rig = default_rig();
  check_fill(rig, 0x5000, 0, false);
  check_fill(rig, 2 * LARGE, 0, false);
  rig_poke(rig, pte_paddr(0x5000), 4, 0x00777000 | FLAGS);
  rig_poke(rig, pde_paddr(2 * LARGE), 4, 0);
  check_hit(rig, 0x5678, 0);
  ck_assert_uint_eq(rig->rsp.paddr[0], SMALL_FRAME + 0x5678);
  check_hit(rig, 2 * LARGE + 0x3FFFFF, 0);
  ck_assert_uint_eq(rig->rsp.paddr[0], 2 * LARGE + 0x3FFFFF);
  rig_invlpg(rig, 0x5FFF);
  rig_invlpg(rig, 2 * LARGE + 0x3FFFFF);
  check_fill(rig, 0x5678, 0, false);
  ck_assert_uint_eq(rig->rsp.paddr[0], 0x00777678);
  rig_check_fault(rig_byte(rig, MMU_READ, 0, 2 * LARGE), X86_PF, 0, 2 * LARGE);
  rig_free(rig);
}
END_TEST

/* An entry that forbids is not believed: memory decides, whether it agrees or not. */
START_TEST(rights_are_renewed) {
  rig_t *rig = default_rig();
  check_fill(rig, 0x5000, 0, false);
  const mmu_rsp_t *rsp = rig_byte(rig, MMU_READ, 3, 0x5000);
  rig_check_fault(rsp, X86_PF, X86_PF_P | X86_PF_U, 0x5000);
  rig_check_event(rsp, 0, MMU_TLB_RENEW, false, 5, 0, false);
  ck_assert_uint_eq(rsp->n_tlb, 1);
  ck_assert(!cached(rig, 0x5000)); /* and what did not serve is gone */

  check_fill(rig, 0x5000, 0, false);
  rig_poke(rig, pte_paddr(0x5000), 4, (SMALL_FRAME + 0x5000) | FLAGS | X86_PTE_U);
  rsp = rig_byte(rig, MMU_READ, 3, 0x5000);
  rig_check_ok(rsp);
  rig_check_event(rsp, 0, MMU_TLB_RENEW, false, 5, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, false, 5, 0, false);
  ck_assert(mmu_tlb_entry(rig->mmu, false, 5, 0).user);
  rig_free(rig);
}
END_TEST

/* CR0.WP and CR4.SMAP apply to cached translations at once, and drop none. */
START_TEST(controls_of_now_decide) {
  rig_t *rig = default_rig();
  rig_poke(rig, pte_paddr(0x6000), 4, (SMALL_FRAME + 0x6000) | X86_PTE_P | X86_PTE_A | X86_PTE_D | X86_PTE_U);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
  check_fill(rig, 0x6000, 0, false);
  rig_check_ok(rig_byte(rig, MMU_WRITE, 0, 0x6000));
  rig_check_event(&rig->rsp, 0, MMU_TLB_HIT, false, 6, 0, false);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
  check_hit(rig, 0x6000, 0);
  rig_check_fault(rig_byte(rig, MMU_WRITE, 0, 0x6000), X86_PF, X86_PF_P | X86_PF_W, 0x6000);
  rig_check_event(&rig->rsp, 0, MMU_TLB_RENEW, false, 6, 0, false);

  check_fill(rig, 0x6000, 0, false);
  rig_write_cr(rig, 4, X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMAP);
  rig_check_ok(rig_byte(rig, MMU_READ, 3, 0x6000));
  rig_check_event(&rig->rsp, 0, MMU_TLB_HIT, false, 6, 0, false);
  rig_check_fault(rig_byte(rig, MMU_READ, 0, 0x6000), X86_PF, X86_PF_P, 0x6000);
  rig_free(rig);
}
END_TEST

START_TEST(faults_are_not_cached) {
  rig_t *rig = default_rig();
  rig_poke(rig, pte_paddr(0x7000), 4, 0);
  rig_check_fault(rig_byte(rig, MMU_READ, 0, 0x7000), X86_PF, 0, 0x7000);
  ck_assert(!cached(rig, 0x7000));
  rig_poke(rig, pte_paddr(0x7000), 4, 0x00888000 | FLAGS);
  check_fill(rig, 0x7000, 0, false);
  ck_assert_uint_eq(rig->rsp.paddr[0], 0x00888000);
  rig_free(rig);
}
END_TEST

/* A 4 KiB entry hides a large one that holds the same address; a renewal drops both. */
START_TEST(small_hides_large) {
  rig_t *rig = default_rig();
  check_fill(rig, 0x5000, 0, false);
  rig_poke(rig, DIRECTORY, 4, 0x00C00000 | FLAGS | X86_PDE_PS); /* no invalidation */
  rig_check_ok(rig_byte(rig, MMU_READ, 0, 0x6000));
  rig_check_event(&rig->rsp, 1, MMU_TLB_FILL, true, 0, 0, false);
  check_hit(rig, 0x5000, 0);
  ck_assert_uint_eq(rig->rsp.paddr[0], SMALL_FRAME + 0x5000);
  const mmu_rsp_t *rsp = rig_byte(rig, MMU_WRITE, 0, 0x5000); /* clean */
  rig_check_event(rsp, 0, MMU_TLB_RENEW, false, 5, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, true, 0, 0, false); /* not entry 1: entry 0 was dropped with the other */
  ck_assert_uint_eq(rsp->paddr[0], 0x00C05000);
  ck_assert(!mmu_tlb_entry(rig->mmu, false, 5, 0).valid && !mmu_tlb_entry(rig->mmu, true, 0, 1).valid);

  /* The other way round: INVLPG drops both as well. */
  rig_poke(rig, DIRECTORY, 4, TABLE | FLAGS);
  rig_invlpg(rig, 0x5000);
  check_fill(rig, 0x5000, 0, false);
  rig_poke(rig, DIRECTORY, 4, 0x00C00000 | FLAGS | X86_PDE_PS);
  rig_byte(rig, MMU_READ, 0, 0x6000);
  rig_invlpg(rig, 0x5000);
  ck_assert(!cached(rig, 0x5000) && !cached(rig, 0x6000));
  rig_free(rig);
}
END_TEST

/* Though the large page is the one that was used last, and another small one of its set. */
START_TEST(small_hides_large_used_last) {
  rig_t *rig = default_rig();
  check_fill(rig, 0x5000, 0, false);
  check_fill(rig, 0xD000, 1, false);
  check_hit(rig, 0xD000, 1);
  rig_poke(rig, DIRECTORY, 4, 0x00C00000 | FLAGS | X86_PDE_PS); /* no invalidation */
  for (unsigned i = 0; i < 3; i++) {
    rig_check_ok(rig_byte(rig, MMU_READ, 0, 0x6000));
    rig_check_event(&rig->rsp, i == 0, i == 0 ? MMU_TLB_FILL : MMU_TLB_HIT, true, 0, 0, false);
  }
  check_hit(rig, 0x5000, 0);
  ck_assert_uint_eq(rig->rsp.paddr[0], SMALL_FRAME + 0x5000);
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      pseudo_lru_by_hand,
      invalidation_leaves_the_replacement_bits,
      replacement_in_every_geometry,
      write_through_a_clean_entry,
      stale_until_invalidated,
      rights_are_renewed,
      controls_of_now_decide,
      faults_are_not_cached,
      small_hides_large,
      small_hides_large_used_last,
  };
  return rig_run(rig_suite("mmu_tlb", tests, sizeof tests / sizeof tests[0]));
}
