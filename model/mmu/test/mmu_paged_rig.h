/*
 * The rig of the tests of tables that lie in linear pages 5 and 6, on frames that are no neighbours, paging on.
 */
#ifndef MMU86_MMU_PAGED_RIG_H
#define MMU86_MMU_PAGED_RIG_H

#include "mmu_load_rig.h"

enum { DIRECTORY = 0x10000, TABLE = 0x11000, RW = X86_PTE_P | X86_PTE_W, USER = X86_PTE_U };
enum { PAGE_0 = 0x5000, PAGE_1 = 0x6000, FRAME_0 = 0x40000, FRAME_1 = 0x20000 };
enum { PDE = TABLE | RW | USER | X86_PTE_A }; /* the directory's first entry, which has been used already */

static inline void set_pte(rig_t *rig, uint32_t laddr, uint32_t pte) {
  rig_poke(rig, TABLE + 4 * (laddr >> 12), 4, pte);
}
static inline uint32_t get_pte(rig_t *rig, uint32_t laddr) {
  return (uint32_t)rig_peek(rig, TABLE + 4 * (laddr >> 12), 4);
}

/* flags: of the two pages' entries. CR0.WP is 1. */
static inline rig_t *paged_rig(uint32_t flags_0, uint32_t flags_1) {
  rig_t *rig = protected_rig();
  rig_poke(rig, DIRECTORY, 4, PDE);
  set_pte(rig, PAGE_0, FRAME_0 | flags_0);
  set_pte(rig, PAGE_1, FRAME_1 | flags_1);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
  return rig;
}

/* Physical address of a byte of the two pages. */
static inline uint32_t frame_of(uint32_t laddr) {
  return (laddr < PAGE_1 ? FRAME_0 : FRAME_1) + (laddr & 0xFFF);
}

/* Writes to the two pages by linear address. */
static inline void poke_laddr(rig_t *rig, uint32_t laddr, unsigned size, uint64_t data) {
  for (unsigned i = 0; i < size; i++)
    rig_poke(rig, frame_of(laddr + i), 1, data >> 8 * i);
}

/* References i and i + 1 are a walk's reads for laddr; it has read this entry. */
static inline void check_walk_reads(const mmu_rsp_t *rsp, unsigned i, uint32_t laddr, uint32_t pte) {
  rig_check_mem(rsp, i, false, DIRECTORY, 4, PDE);
  rig_check_mem(rsp, i + 1, false, TABLE + 4 * (laddr >> 12), 4, pte);
}

/*
 * The response to an operation that reads `size` bytes at `laddr` as a supervisor and does nothing else, the entries
 * being present, not accessed, and their pages not in the TLB. data: what it has to have read.
 */
static inline void check_only_read(const mmu_rsp_t *rsp, uint32_t laddr, unsigned size, uint64_t data) {
  unsigned room = 0x1000 - (laddr & 0xFFF), first = room < size ? room : size, n = 0, e = 0;
  for (uint32_t page = laddr & ~0xFFFu; page < laddr + size; page += 0x1000) {
    uint32_t pte = frame_of(page) | RW;
    check_walk_reads(rsp, n, page, pte);
    rig_check_mem(rsp, n + 2, true, TABLE + 4 * (page >> 12), 4, pte | X86_PTE_A);
    rig_check_event(rsp, e, MMU_TLB_MISS, false, 0, 0, false);
    rig_check_event(rsp, e + 1, MMU_TLB_FILL, false, page >> 12, 0, false);
    n += 3, e += 2;
  }
  rig_check_mem(rsp, n++, false, frame_of(laddr), first, first == 8 ? data : data & ((1ull << 8 * first) - 1));
  if (first < size) rig_check_mem(rsp, n++, false, FRAME_1, size - first, data >> 8 * first);
  rig_equal("n_mem", rsp->n_mem, n);
  rig_equal("n_tlb", rsp->n_tlb, e);
}

#endif
