/*
 * The rig of the TLB's tests: page tables for many small and large pages, and checks of hit and fill.
 */
#ifndef MMU86_MMU_TLB_RIG_H
#define MMU86_MMU_TLB_RIG_H

#include "mmu_rig.h"

/*
 * Linear 0 to 4 MiB: small pages, page n on frame n + 1000H; linear 4 MiB and up: large pages on the frame of the same
 * number, by 16 of them, while CR4.PSE is 1. All present, writable, clean, supervisor's, not global.
 */
enum { DIRECTORY = 0x1000, TABLE = 0x2000, SMALL_FRAME = 0x1000000, LARGE = 0x400000, N_LARGE = 64 };
enum { FLAGS = X86_PTE_P | X86_PTE_W | X86_PTE_A };

static inline uint32_t pte_paddr(uint32_t laddr) {
  return TABLE + 4 * (laddr >> 12);
}
static inline uint32_t pde_paddr(uint32_t laddr) {
  return DIRECTORY + 4 * (laddr >> 22);
}

static inline rig_t *tlb_rig(mmu_config_t config, uint32_t cr4) {
  rig_t *rig = rig_new(config);
  rig_poke(rig, DIRECTORY, 4, TABLE | FLAGS | X86_PTE_U);
  for (uint32_t page = 0; page < 1024; page++)
    rig_poke(rig, TABLE + 4 * page, 4, (SMALL_FRAME + (page << 12)) | FLAGS);
  for (uint32_t page = 1; page < N_LARGE; page++)
    rig_poke(rig, DIRECTORY + 4 * page, 4, page * LARGE | FLAGS | X86_PDE_PS);
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 4, cr4);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
  return rig;
}

static inline rig_t *default_rig(void) {
  return tlb_rig(mmu_default_config(), X86_CR4_PSE | X86_CR4_PGE);
}

/* A supervisor read of the page that has to end in one HIT, or in MISS and FILL. */
static inline void check_hit(rig_t *rig, uint32_t laddr, unsigned way) {
  bool large = laddr >= LARGE;
  rig_check_ok(rig_byte(rig, MMU_READ, 0, laddr));
  rig_check_event(&rig->rsp, 0, MMU_TLB_HIT, large, large ? 0 : laddr >> 12 & 7, way, false);
  rig_equal("n_tlb", rig->rsp.n_tlb, 1);
  rig_equal("n_mem", rig->rsp.n_mem, 0);
}

static inline void check_fill(rig_t *rig, uint32_t laddr, unsigned way, bool evicted) {
  bool large = laddr >= LARGE;
  rig_check_ok(rig_byte(rig, MMU_READ, 0, laddr));
  rig_check_event(&rig->rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(&rig->rsp, 1, MMU_TLB_FILL, large, large ? 0 : laddr >> 12 & 7, way, evicted);
  rig_equal("n_tlb", rig->rsp.n_tlb, 2);
}

static inline bool cached(rig_t *rig, uint32_t laddr) {
  for (unsigned way = 0; way < 4; way++) {
    mmu_tlb_view_t view = mmu_tlb_entry(rig->mmu, false, laddr >> 12 & 7, way);
    if (view.valid && view.laddr == (laddr & 0xFFFFF000)) return true;
  }
  for (unsigned way = 0; way < 8; way++) {
    mmu_tlb_view_t view = mmu_tlb_entry(rig->mmu, true, 0, way);
    if (view.valid && view.laddr == (laddr & 0xFFC00000)) return true;
  }
  return false;
}

#endif
