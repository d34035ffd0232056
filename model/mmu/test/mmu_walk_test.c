/*
 * walk: single aspects of 32-bit paging. The combinations are in mmu_access_test.c.
 */
#include "mmu_rig.h"

enum { DIRECTORY = 0x1000, TABLE = 0x2000, FRAME = 0x00ABC000, LADDR = 0x12345678 };
enum { PDE_PADDR = DIRECTORY + 4 * (LADDR >> 22), PTE_OFFSET = 4 * (LADDR >> 12 & 0x3FF) };

static rig_t *paged_rig(uint32_t cr4) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 4, cr4);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
  return rig;
}

/* Each reserved bit by itself, and its neighbours, which are not reserved; all only with PS = 1, PSE = 1 and P = 1. */
START_TEST(each_reserved_bit) {
  rig_t *rig = paged_rig(X86_CR4_PSE);
  for (unsigned bit = 9; bit < 32; bit++)
    for (unsigned present = 0; present < 2; present++) {
      bool reserved = bit >= 13 && bit <= 21;
      rig_invlpg(rig, LADDR);
      rig_poke(rig, PDE_PADDR, 4, 1u << bit | X86_PDE_PS | (present ? X86_PTE_P : 0));
      const mmu_rsp_t *rsp = rig_byte(rig, MMU_READ, 0, LADDR);
      if (!present)
        rig_check_fault(rsp, X86_PF, 0, LADDR);
      else if (reserved)
        rig_check_fault(rsp, X86_PF, X86_PF_P | X86_PF_RSVD, LADDR);
      else
        rig_check_ok(rsp);
    }
  rig_free(rig);
}
END_TEST

/* A processor without a PAT: two more reserved bits, with CR4.PSE = 1 only, and only in entries that are present. */
START_TEST(pat_bits) {
  for (unsigned flags = 0; flags < 16; flags++) {
    bool pat_reserved = flags & 1, pse = flags & 2, large = flags & 4, present = flags & 8;
    mmu_config_t config = mmu_default_config();
    config.pat_reserved = pat_reserved;
    rig_t *rig = rig_new(config);
    rig_flat(rig);
    rig_write_cr(rig, 3, DIRECTORY);
    rig_write_cr(rig, 4, pse ? X86_CR4_PSE : 0);
    rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
    for (unsigned bit = 7; bit < 13; bit++) {
      uint32_t tested = 1u << bit | (present ? X86_PTE_P : 0);
      /* 4 MiB: the PDE is tested, its PS is set; 4 KiB: the PTE, through a PDE with bit 12 set in the table's address.
       */
      uint32_t pde = large ? tested | X86_PDE_PS : 0x3000 | X86_PTE_P | X86_PTE_A;
      rig_invlpg(rig, LADDR);
      memset(rig->ram, 0, 0x8000);
      rig_poke(rig, PDE_PADDR, 4, pde);
      rig_poke(rig, (pde & 0xFFFFF000) + PTE_OFFSET, 4, large ? FRAME | X86_PTE_P : tested);
      const mmu_rsp_t *rsp = rig_byte(rig, MMU_READ, 0, LADDR);
      if (!present)
        rig_check_fault(rsp, X86_PF, 0, LADDR);
      else if (pat_reserved && pse && bit == (large ? 12 : 7))
        rig_check_fault(rsp, X86_PF, X86_PF_P | X86_PF_RSVD, LADDR);
      else
        rig_check_ok(rsp);
      if (rsp->fault) rig_equal("entries kept", rig_peek(rig, PDE_PADDR, 4), pde);
      if (rsp->fault) rig_equal("n_mem", rsp->n_mem, large && pse ? 1 : large && !present ? 1 : 2);
    }
    rig_free(rig);
  }
}
END_TEST

/* Without a PAT a reserved bit comes before the rights, and the first access of a page finds it, not the TLB. */
START_TEST(pat_bit_before_rights) {
  mmu_config_t config = mmu_default_config();
  config.pat_reserved = true;
  rig_t *rig = rig_new(config);
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 4, X86_CR4_PSE);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
  rig_poke(rig, PDE_PADDR, 4, TABLE | X86_PTE_P);
  rig_poke(rig, TABLE + PTE_OFFSET, 4, FRAME | X86_PTE_P | 1 << 7);
  rig_check_fault(rig_byte(rig, MMU_WRITE, 3, LADDR), X86_PF, X86_PF_P | X86_PF_RSVD | X86_PF_W | X86_PF_U, LADDR);
  rig_poke(rig, PDE_PADDR, 4, 0x1000 | X86_PDE_PS | X86_PTE_P);
  rig_check_fault(rig_byte(rig, MMU_WRITE, 3, LADDR), X86_PF, X86_PF_P | X86_PF_RSVD | X86_PF_W | X86_PF_U, LADDR);
  rig_free(rig);
}
END_TEST

/* The bits that software may use, and PAT, are no part of a frame's address, and are kept. */
START_TEST(ignored_bits) {
  rig_t *rig = paged_rig(0);
  rig_poke(rig, PDE_PADDR, 4, TABLE | X86_PTE_P | 0xF00);
  rig_poke(rig, TABLE + PTE_OFFSET, 4, FRAME | X86_PTE_P | 0xE80);
  rig_check_ok(rig_byte(rig, MMU_READ, 0, LADDR));
  ck_assert_uint_eq(rig->rsp.paddr[0], FRAME | 0x678);
  ck_assert_uint_eq(rig_peek(rig, PDE_PADDR, 4), TABLE | X86_PTE_P | 0xF00 | X86_PTE_A);
  ck_assert_uint_eq(rig_peek(rig, TABLE + PTE_OFFSET, 4), FRAME | X86_PTE_P | 0xE80 | X86_PTE_A);
  rig_free(rig);
}
END_TEST

/* Each address bit goes where it belongs: directory index, table index, offset; CR3's low bits are no address. */
START_TEST(address_bits) {
  rig_t *rig = paged_rig(X86_CR4_PSE);
  for (unsigned bit = 0; bit < 32; bit++) {
    uint32_t laddr = 1u << bit;
    memset(rig->ram, 0, 0x10000);
    rig_write_cr(rig, 3, 0x2000 | 0xFFF);
    rig_poke(rig, 0x2000 + 4 * (laddr >> 22), 4, 0x4000 | X86_PTE_P);
    rig_poke(rig, 0x4000 + 4 * (laddr >> 12 & 0x3FF), 4, 0xFEDCB000 | X86_PTE_P);
    rig_check_ok(rig_byte(rig, MMU_READ, 0, laddr));
    ck_assert_uint_eq(rig->rsp.paddr[0], 0xFEDCB000 | (laddr & 0xFFF));
    rig_write_cr(rig, 3, 0x2000);
    rig_poke(rig, 0x2000 + 4 * (laddr >> 22), 4, 0xFEC00000 | X86_PTE_P | X86_PDE_PS);
    rig_check_ok(rig_byte(rig, MMU_READ, 0, laddr));
    ck_assert_uint_eq(rig->rsp.paddr[0], 0xFEC00000 | (laddr & 0x3FFFFF));
  }
  rig_free(rig);
}
END_TEST

/* PCD and PWT come from the last level only. */
START_TEST(memory_type_bits) {
  rig_t *rig = paged_rig(X86_CR4_PSE);
  for (unsigned bits = 0; bits < 32; bits++) {
    uint32_t upper = (bits & 3) << 3, lower = (bits >> 2 & 3) << 3;
    bool large = bits >> 4;
    rig_invlpg(rig, LADDR);
    rig_poke(rig, PDE_PADDR, 4, (large ? 0 : TABLE) | X86_PTE_P | upper | (large ? X86_PDE_PS : 0));
    rig_poke(rig, TABLE + PTE_OFFSET, 4, FRAME | X86_PTE_P | lower);
    for (unsigned hit = 0; hit < 2; hit++) {
      rig_check_ok(rig_byte(rig, MMU_READ, 0, LADDR));
      uint32_t last = large ? upper : lower;
      ck_assert_int_eq(rig->rsp.pwt[0], (last & X86_PTE_PWT) != 0);
      ck_assert_int_eq(rig->rsp.pcd[0], (last & X86_PTE_PCD) != 0);
      mmu_tlb_view_t view = mmu_tlb_entry(rig->mmu, large, large ? 0 : 5, 0);
      ck_assert(view.valid && view.pwt == rig->rsp.pwt[0] && view.pcd == rig->rsp.pcd[0]);
    }
  }
  rig_free(rig);
}
END_TEST

/*
 * A directory that is its own page table: PDE and PTE are the same four bytes. The PDE's A changes the PTE that was
 * read, so its own update is lost and the walk begins anew, unless A had been set before the PTE was read.
 */
START_TEST(recursive_mapping) {
  for (unsigned eager = 0; eager < 2; eager++) {
    mmu_config_t config = mmu_default_config();
    config.accessed_on_fault = eager;
    rig_t *rig = rig_new(config);
    rig_write_cr(rig, 3, DIRECTORY);
    rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG);
    const uint32_t entry = DIRECTORY | X86_PTE_P | X86_PTE_W, paddr = DIRECTORY + 4 * 0x3FF;
    const uint32_t accessed = entry | X86_PTE_A, dirty = accessed | X86_PTE_D;
    rig_poke(rig, paddr, 4, entry);
    const mmu_rsp_t *rsp = rig_linear(rig, MMU_WRITE, 0xFFFFF008, 4);
    rig_check_ok(rsp);
    ck_assert_uint_eq(rsp->paddr[0], DIRECTORY + 8);
    unsigned n = 0;
    rig_check_mem(rsp, n++, false, paddr, 4, entry);
    if (!eager) rig_check_mem(rsp, n++, false, paddr, 4, entry);
    rig_check_mem(rsp, n++, true, paddr, 4, accessed);
    if (!eager) {
      ck_assert(rsp->mem[n].lost);
      rig_check_mem(rsp, n++, true, paddr, 4, dirty);
      rig_check_mem(rsp, n++, false, paddr, 4, accessed);
    }
    rig_check_mem(rsp, n++, false, paddr, 4, accessed);
    ck_assert(!rsp->mem[n].lost);
    rig_check_mem(rsp, n++, true, paddr, 4, dirty);
    ck_assert_uint_eq(rsp->n_mem, n);
    ck_assert_uint_eq(rig_peek(rig, paddr, 4), dirty);
    rig_free(rig);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      each_reserved_bit, pat_bits,         pat_bit_before_rights, ignored_bits,
      address_bits,      memory_type_bits, recursive_mapping,
  };
  return rig_run(rig_suite("mmu_walk", tests, sizeof tests / sizeof tests[0]));
}
