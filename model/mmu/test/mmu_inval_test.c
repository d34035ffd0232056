/*
 * tlb: what each invalidation drops, and what it spares.
 */
#include "mmu_tlb_rig.h"

/* Four pages: small and large, local and global. */
enum { SMALL_LOCAL = 0x5000, SMALL_GLOBAL = 0xD000, LARGE_LOCAL = LARGE, LARGE_GLOBAL = 2 * LARGE };

static rig_t *four_pages(uint32_t cr4) {
  rig_t *rig = tlb_rig(mmu_default_config(), cr4);
  rig_poke(rig, pte_paddr(SMALL_GLOBAL), 4, (SMALL_FRAME + SMALL_GLOBAL) | FLAGS | X86_PTE_G);
  rig_poke(rig, pde_paddr(LARGE_GLOBAL), 4, LARGE_GLOBAL | FLAGS | X86_PTE_G | X86_PDE_PS);
  check_fill(rig, SMALL_LOCAL, 0, false);
  check_fill(rig, SMALL_GLOBAL, 1, false);
  check_fill(rig, LARGE_LOCAL, 0, false);
  check_fill(rig, LARGE_GLOBAL, 1, false);
  return rig;
}

/* which of the four are still there: bit 0 SMALL_LOCAL, 1 SMALL_GLOBAL, 2 LARGE_LOCAL, 3 LARGE_GLOBAL. Frees the rig.
 */
static void check_left(rig_t *rig, unsigned expected) {
  unsigned left = cached(rig, SMALL_LOCAL) | cached(rig, SMALL_GLOBAL) << 1 | cached(rig, LARGE_LOCAL) << 2 |
                  cached(rig, LARGE_GLOBAL) << 3;
  rig_equal("what the TLB still has", left, expected);
  rig_free(rig);
}

START_TEST(invlpg_drops_one_page_of_any_kind) {
  static const uint32_t PAGES[] = {SMALL_LOCAL, SMALL_GLOBAL, LARGE_LOCAL, LARGE_GLOBAL};
  for (unsigned page = 0; page < 4; page++) {
    uint32_t last = page < 2 ? 0xFFF : 0x3FFFFF;
    for (unsigned at = 0; at < 2; at++) {
      rig_t *rig = four_pages(X86_CR4_PSE | X86_CR4_PGE);
      rig_invlpg(rig, PAGES[page] + (at ? last : 0));
      rig_check_ok(&rig->rsp);
      rig_check_no_operand(&rig->rsp);
      ck_assert(rig->rsp.n_mem == 0 && rig->rsp.n_tlb == 0);
      check_left(rig, 0xF & ~(1u << page));

      rig = four_pages(X86_CR4_PSE | X86_CR4_PGE); /* the neighbours are not hit */
      rig_invlpg(rig, at ? PAGES[page] + last + 1 : PAGES[page] - 1);
      bool neighbour = (PAGES[page] == LARGE_LOCAL && at) || (PAGES[page] == LARGE_GLOBAL && !at);
      check_left(rig, !neighbour ? 0xF : at ? 0x7 : 0xB);
    }
  }
}
END_TEST

START_TEST(mov_cr3_spares_global_pages) {
  rig_t *rig = four_pages(X86_CR4_PSE | X86_CR4_PGE);
  rig_write_cr(rig, 3, DIRECTORY);
  ck_assert(rig->rsp.n_mem == 0 && rig->rsp.n_tlb == 0);
  check_left(rig, 0xA);
  rig = four_pages(X86_CR4_PSE); /* entered with PGE = 0: G means nothing */
  ck_assert(!mmu_tlb_entry(rig->mmu, false, 5, 1).global && !mmu_tlb_entry(rig->mmu, true, 0, 1).global);
  rig_write_cr(rig, 3, DIRECTORY);
  check_left(rig, 0x0);
}
END_TEST

/* G of a directory entry that points to a page table is ignored. */
START_TEST(global_bit_of_the_last_level) {
  rig_t *rig = default_rig();
  rig_poke(rig, DIRECTORY, 4, TABLE | FLAGS | X86_PTE_G);
  check_fill(rig, SMALL_LOCAL, 0, false);
  ck_assert(!mmu_tlb_entry(rig->mmu, false, 5, 0).global);
  rig_write_cr(rig, 3, DIRECTORY);
  ck_assert(!cached(rig, SMALL_LOCAL));
  rig_free(rig);
}
END_TEST

START_TEST(mov_cr0_drops_all_if_pg_changes) {
  const uint64_t now = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP;
  static const uint32_t OTHERS[] = {X86_CR0_MP, X86_CR0_EM, X86_CR0_TS, X86_CR0_NE,
                                    X86_CR0_WP, X86_CR0_AM, X86_CR0_CD, X86_CR0_CD | X86_CR0_NW};
  for (unsigned i = 0; i < 8; i++) {
    rig_t *rig = four_pages(X86_CR4_PSE | X86_CR4_PGE);
    rig_check_ok(rig_write_cr(rig, 0, now ^ OTHERS[i]));
    check_left(rig, 0xF);
  }
  rig_t *rig = four_pages(X86_CR4_PSE | X86_CR4_PGE);
  rig_check_ok(rig_write_cr(rig, 0, X86_CR0_PE));
  check_left(rig, 0x0);
  rig = four_pages(X86_CR4_PSE | X86_CR4_PGE);
  rig_check_fault(rig_write_cr(rig, 0, X86_CR0_PG), X86_GP, 0, 0); /* a write that faults does nothing */
  check_left(rig, 0xF);
}
END_TEST

START_TEST(mov_cr4_drops_all_if_pse_pge_or_smep_changes) {
  static const uint32_t BITS[] = {X86_CR4_VME, X86_CR4_PVI, X86_CR4_TSD,    X86_CR4_DE,   X86_CR4_PSE, X86_CR4_MCE,
                                  X86_CR4_PGE, X86_CR4_PCE, X86_CR4_OSFXSR, X86_CR4_SMEP, X86_CR4_SMAP};
  const uint32_t now = X86_CR4_PSE | X86_CR4_PGE, flush = X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP;
  for (unsigned i = 0; i < sizeof BITS / sizeof *BITS; i++) {
    rig_t *rig = four_pages(now);
    rig_check_ok(rig_write_cr(rig, 4, now ^ BITS[i]));
    check_left(rig, BITS[i] & flush ? 0x0 : 0xF);
    rig = four_pages(now); /* and no change drops nothing */
    rig_check_ok(rig_write_cr(rig, 4, now));
    check_left(rig, 0xF);
  }
  rig_t *rig = four_pages(now | X86_CR4_SMEP);
  rig_check_ok(rig_write_cr(rig, 4, now)); /* from 1 to 0 as well */
  check_left(rig, 0x0);
  rig = four_pages(now);
  rig_check_fault(rig_write_cr(rig, 4, X86_CR4_PAE), X86_GP, 0, 0);
  check_left(rig, 0xF);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      invlpg_drops_one_page_of_any_kind,
      mov_cr3_spares_global_pages,
      global_bit_of_the_last_level,
      mov_cr0_drops_all_if_pg_changes,
      mov_cr4_drops_all_if_pse_pge_or_smep_changes,
  };
  return rig_run(rig_suite("mmu_inval", tests, sizeof tests / sizeof tests[0]));
}
