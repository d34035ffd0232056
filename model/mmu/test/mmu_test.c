/*
 * The MMU as a whole: RESET, control registers, tables, split operands, SYSTEM accesses, independence of two MMUs.
 */
#include "mmu_rig.h"

enum { DIRECTORY = 0x1000, TABLE_LOW = 0x2000, TABLE_HIGH = 0x3000, FLAGS = X86_PTE_P | X86_PTE_W | X86_PTE_U };

/* The first and the last 4 MiB of linear addresses have page tables, empty so far. */
static rig_t *paged_rig(void) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_poke(rig, DIRECTORY, 4, TABLE_LOW | FLAGS);
  rig_poke(rig, DIRECTORY + 4 * 0x3FF, 4, TABLE_HIGH | FLAGS);
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP);
  return rig;
}

static uint32_t pte_paddr(uint32_t laddr) {
  return (laddr >> 22 ? TABLE_HIGH : TABLE_LOW) + 4 * (laddr >> 12 & 0x3FF);
}

static void map(rig_t *rig, uint32_t laddr, uint32_t pte) {
  rig_poke(rig, pte_paddr(laddr), 4, pte);
}

static mmu_req_t operand(uint8_t access, uint32_t offset, uint8_t size) {
  return (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = access, .size = size, .offset = offset};
}

START_TEST(reset_state) {
  rig_t *rig = rig_new(mmu_default_config());
  ck_assert_uint_eq(mmu_cr(rig->mmu, 0), 0x60000010);
  ck_assert_uint_eq(mmu_cr(rig->mmu, 3), 0);
  ck_assert_uint_eq(mmu_cr(rig->mmu, 4), 0);
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    bool cs = seg == MMU_SEG_CS;
    rig_check_seg(mmu_seg(rig->mmu, seg), cs ? 0xF000 : 0, cs ? 0xFFFF0000 : 0, 0xFFFF, cs ? 0x09B : 0x093, true);
  }
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_LDTR), 0, 0, 0xFFFF, 0x082, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_TR), 0, 0, 0xFFFF, 0x08B, true);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_CS), 0, 0, 0, 0, false);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_SS), 0, 0, 0, 0, false);
  rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_TR), 0, 0, 0, 0, false);
  for (unsigned set = 0; set < 8; set++)
    for (unsigned way = 0; way < 4; way++)
      ck_assert(!mmu_tlb_entry(rig->mmu, false, set, way).valid);
  for (unsigned way = 0; way < 8; way++)
    ck_assert(!mmu_tlb_entry(rig->mmu, true, 0, way).valid);

  /* The first fetch of all. */
  mmu_req_t fetch = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 16, .offset = 0xFFF0};
  rig_check_ok(rig_do(rig, fetch));
  ck_assert_uint_eq(rig->rsp.paddr[0], 0xFFFFFFF0);
  /* GDTR and IDTR: base 0, limit FFFFH. */
  for (uint8_t seg = MMU_SEG_GDTR; seg <= MMU_SEG_IDTR; seg++) {
    rig_check_ok(rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = seg, .size = 8, .offset = 0xFFF8}));
    ck_assert_uint_eq(rig->rsp.paddr[0], 0xFFF8);
    rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = seg, .size = 8, .offset = 0xFFF9});
    ck_assert(rig->rsp.fault);
  }
  rig_free(rig);
}
END_TEST

START_TEST(abi_version) {
  ck_assert_uint_eq(mmu_abi_version(), MMU_ABI_VERSION);
}
END_TEST

START_TEST(default_config) {
  mmu_config_t config = mmu_default_config();
  ck_assert(config.tlb_sets == 8 && config.tlb_ways == 4 && config.tlb_large == 8);
  ck_assert(!config.limit_wraps && !config.accessed_on_fault && !config.pat_reserved);
}
END_TEST

/* Each bit of CR0 by itself, on top of what makes it legal. */
START_TEST(write_cr0) {
  rig_t *rig = rig_new(mmu_default_config());
  for (unsigned bit = 0; bit < 64; bit++) {
    uint64_t value = 1ull << bit;
    rig_check_ok(rig_write_cr(rig, 0, X86_CR0_PE));
    const mmu_rsp_t *rsp = rig_write_cr(rig, 0, value);
    if (bit >= 32 || bit == 31 || bit == 29) {
      rig_check_fault(rsp, X86_GP, 0, 0);
      ck_assert_uint_eq(mmu_cr(rig->mmu, 0), 0x11);
    } else {
      rig_check_ok(rsp);
      bool stored = bit <= 5 || bit == 16 || bit == 18 || bit == 30;
      ck_assert_uint_eq(mmu_cr(rig->mmu, 0), (stored ? value : 0) | 0x10);
    }
    rig_check_no_operand(rsp);
    ck_assert(rsp->n_mem == 0 && rsp->n_tlb == 0);
  }
  rig_check_ok(rig_write_cr(rig, 0, X86_CR0_NW | X86_CR0_CD));
  ck_assert_uint_eq(mmu_cr(rig->mmu, 0), 0x60000010);
  rig_check_ok(rig_write_cr(rig, 0, X86_CR0_PG | X86_CR0_PE));
  ck_assert_uint_eq(mmu_cr(rig->mmu, 0), 0x80000011);
  rig_check_fault(rig_do(rig, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PG, .ext = true}), X86_GP, 0,
                  0);
  rig_check_ok(rig_write_cr(rig, 0, 0xDFFFFFFF));
  ck_assert_uint_eq(mmu_cr(rig->mmu, 0), 0xC005003F);
  rig_free(rig);
}
END_TEST

START_TEST(write_cr3_and_cr4) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_check_ok(rig_write_cr(rig, 3, 0xFEDCBA9876543219));
  ck_assert_uint_eq(mmu_cr(rig->mmu, 3), 0x76543219);
  for (unsigned bit = 0; bit < 64; bit++) {
    bool supported = bit <= 4 || (bit >= 6 && bit <= 9) || bit == 20 || bit == 21;
    rig_check_ok(rig_write_cr(rig, 4, X86_CR4_VME));
    const mmu_rsp_t *rsp = rig_write_cr(rig, 4, 1ull << bit);
    if (supported)
      rig_check_ok(rsp);
    else
      rig_check_fault(rsp, X86_GP, 0, 0);
    ck_assert_uint_eq(mmu_cr(rig->mmu, 4), supported ? 1ull << bit : X86_CR4_VME);
  }
  rig_free(rig);
}
END_TEST

/* A bit that the processor has not is as one that nobody knows; the others are as ever. */
START_TEST(absent_bits_of_cr4) {
  mmu_config_t config = mmu_default_config();
  config.cr4_absent = X86_CR4_PSE | X86_CR4_SMAP;
  rig_t *rig = rig_new(config);
  rig_check_fault(rig_write_cr(rig, 4, X86_CR4_PSE), X86_GP, 0, 0);
  rig_check_fault(rig_write_cr(rig, 4, X86_CR4_PGE | X86_CR4_SMAP), X86_GP, 0, 0);
  ck_assert_uint_eq(mmu_cr(rig->mmu, 4), 0);
  rig_check_ok(rig_write_cr(rig, 4, X86_CR4_PGE | X86_CR4_SMEP));
  ck_assert_uint_eq(mmu_cr(rig->mmu, 4), X86_CR4_PGE | X86_CR4_SMEP);
  rig_free(rig);
}
END_TEST

START_TEST(load_table) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_check_ok(rig_do(
      rig,
      (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = 0xFFFFFFFF12345678, .data = 0xABCD0017}));
  rig_check_no_operand(&rig->rsp);
  rig_load_table(rig, MMU_SEG_IDTR, 0x87654321, 0x1F);
  rig_check_ok(rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_GDTR, .size = 8, .offset = 0x10}));
  ck_assert_uint_eq(rig->rsp.laddr, 0x12345688);
  rig_check_fault(rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_GDTR, .size = 8, .offset = 0x18}), X86_GP,
                  0x18, 0);
  rig_check_ok(rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_IDTR, .size = 8, .offset = 0x18}));
  ck_assert_uint_eq(rig->rsp.laddr, 0x87654339);
  rig_free(rig);
}
END_TEST

/* Every table, at each size around the edge of its limit, and what the error code says. */
START_TEST(system_limits) {
  rig_t *rig = rig_new(mmu_default_config());
  const uint32_t base = 0x70000, limit = 0x103;
  rig_load_table(rig, MMU_SEG_GDTR, base, (uint16_t)limit);
  rig_load_table(rig, MMU_SEG_IDTR, base, (uint16_t)limit);
  static const uint8_t SEGS[] = {MMU_SEG_LINEAR, MMU_SEG_GDTR, MMU_SEG_IDTR,
                                 MMU_SEG_LDTR,   MMU_SEG_TR,   MMU_SEG_STAGED_TR};
  for (unsigned s = 0; s < 6; s++)
    for (unsigned variant = 0; variant < 16; variant++)
      for (uint8_t size = 1; size <= 16; size++)
        for (uint32_t i = 0; i < 64; i++) {
          uint8_t seg = SEGS[s];
          uint32_t offset = i < 40 ? limit - 20 + i : i < 50 ? i - 40 : 0xFFFFFFF0 + i;
          bool usable = variant & 1, ext = variant & 2, write = variant & 4, protected_mode = variant & 8;
          if (i == 0 && size == 1) {
            rig_write_cr(rig, 0, protected_mode ? X86_CR0_PE : 0);
            rig_set_raw(rig, MMU_SEG_LDTR, 0x2F, base, limit, 0x082, usable);
            /* The other task register leads elsewhere. */
            rig_set_raw(rig, MMU_SEG_TR, 0xBAD3, 0xBAD0, 0x12, 0x08B, !usable);
            rig_set_raw(rig, MMU_SEG_STAGED_TR, 0xBAD3, 0xBAD0, 0x12, 0x08B, !usable);
            if (seg == MMU_SEG_TR || seg == MMU_SEG_STAGED_TR)
              rig_set_raw(rig, seg, 0x1237, base, limit, 0x08B, usable);
          }
          const mmu_rsp_t *rsp = rig_do(rig, (mmu_req_t){.op = MMU_OP_SYSTEM,
                                                         .seg = seg,
                                                         .access = write,
                                                         .cpl = 3,
                                                         .size = size,
                                                         .ext = ext,
                                                         .offset = offset});
          bool task = seg == MMU_SEG_TR || seg == MMU_SEG_STAGED_TR, has_register = seg == MMU_SEG_LDTR || task;
          bool inside =
              seg == MMU_SEG_LINEAR || ((!has_register || usable) && offset <= limit && limit - offset >= size - 1u);
          if (inside) {
            rig_check_ok(rsp);
            rig_equal("laddr", rsp->laddr, (uint32_t)(offset + (seg == MMU_SEG_LINEAR ? 0 : base)));
            rig_equal("paddr", rsp->paddr[0], rsp->laddr);
            continue;
          }
          unsigned index = offset % 65536 / 8 * 8;
          unsigned code = task ? 0x1234 : seg == MMU_SEG_IDTR ? index + 2 : seg == MMU_SEG_LDTR ? index + 4 : index;
          rig_check_fault(rsp, task ? X86_TS : X86_GP, code + ext, 0);
          rig_check_no_operand(rsp);
        }
  rig_free(rig);
}
END_TEST

/* SYSTEM is a supervisor access and implicit, whatever the request's cpl and ac say. */
START_TEST(system_is_implicit) {
  rig_t *rig = paged_rig();
  map(rig, 0x5000, 0x80000 | X86_PTE_P);
  map(rig, 0x6000, 0x81000 | FLAGS);
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 4, .cpl = 3, .ac = true, .offset = 0x5000};
  rig_check_ok(rig_do(rig, req));
  req.access = MMU_WRITE;
  rig_check_fault(rig_do(rig, req), X86_PF, X86_PF_P | X86_PF_W, 0x5000);
  rig_write_cr(rig, 4, X86_CR4_SMAP);
  req.offset = 0x6000;
  rig_check_fault(rig_do(rig, req), X86_PF, X86_PF_P | X86_PF_W, 0x6000);
  rig_free(rig);
}
END_TEST

/* Each size at each place around the boundary; the two pages lie on frames that are not neighbours. */
START_TEST(split_operands) {
  rig_t *rig = paged_rig();
  map(rig, 0x5000, 0x80000 | FLAGS | X86_PTE_PCD);
  map(rig, 0x6000, 0x40000 | FLAGS | X86_PTE_PWT);
  for (uint8_t size = 1; size <= 16; size++)
    for (uint32_t offset = 0x5FE8; offset < 0x6008; offset++) {
      const mmu_rsp_t *rsp = rig_do(rig, operand(MMU_READ, offset, size));
      bool starts_low = offset < 0x6000, split = starts_low && offset + size > 0x6000;
      rig_check_ok(rsp);
      rig_equal("laddr", rsp->laddr, offset);
      rig_equal("split", rsp->split, split);
      rig_equal("first", rsp->first, split ? 0x6000 - offset : size);
      rig_equal("paddr[0]", rsp->paddr[0], starts_low ? offset + 0x7B000 : offset + 0x3A000);
      rig_equal("paddr[1]", rsp->paddr[1], split ? 0x40000 : 0);
      rig_equal("page_size[0]", rsp->page_size[0], MMU_PAGE_4K);
      rig_equal("page_size[1]", rsp->page_size[1], split ? MMU_PAGE_4K : MMU_PAGE_NONE);
      rig_equal("pcd", rsp->pcd[0] | rsp->pcd[1] << 1, starts_low);
      rig_equal("pwt", rsp->pwt[0] | rsp->pwt[1] << 1, split ? 2 : !starts_low);
    }
  rig_free(rig);
}
END_TEST

/* A fault on the second page: CR2 is its first byte; what was done for the first page stays done. */
START_TEST(fault_on_the_second_page) {
  rig_t *rig = paged_rig();
  map(rig, 0x5000, 0x80000 | FLAGS);
  mmu_req_t req = operand(MMU_WRITE, 0x5FFD, 8);
  req.cpl = 3;
  const mmu_rsp_t *rsp = rig_do(rig, req);
  rig_check_fault(rsp, X86_PF, X86_PF_W | X86_PF_U, 0x6000);
  ck_assert_uint_eq(rsp->laddr, 0x5FFD);
  ck_assert(rsp->split && rsp->first == 3);
  ck_assert_uint_eq(rig_peek(rig, pte_paddr(0x5000), 4), 0x80000 | FLAGS | X86_PTE_A | X86_PTE_D);
  rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, false, 5, 0, false);
  rig_check_event(rsp, 2, MMU_TLB_MISS, false, 0, 0, false);
  ck_assert_uint_eq(rsp->n_tlb, 3);

  /* Both pages absent: the first one's fault, and the second is not looked at. */
  rsp = rig_do(rig, operand(MMU_READ, 0x8FFF, 2));
  rig_check_fault(rsp, X86_PF, 0, 0x8FFF);
  ck_assert(rsp->n_tlb == 1 && rsp->n_mem == 2 && rsp->split && rsp->first == 1);
  rig_free(rig);
}
END_TEST

/* The page after the last one is the first. */
START_TEST(linear_wrap_at_4_gib) {
  rig_t *rig = paged_rig();
  map(rig, 0xFFFFF000, 0x80000 | FLAGS);
  const mmu_rsp_t *rsp = rig_linear(rig, MMU_READ, 0xFFFFFFFA, 16);
  rig_check_fault(rsp, X86_PF, 0, 0);
  ck_assert_uint_eq(rsp->laddr, 0xFFFFFFFA);
  map(rig, 0, 0x40000 | FLAGS);
  rsp = rig_linear(rig, MMU_READ, 0xFFFFFFFA, 16);
  rig_check_ok(rsp);
  ck_assert(rsp->paddr[0] == 0x80FFA && rsp->paddr[1] == 0x40000 && rsp->split && rsp->first == 6);
  /* Through a segment it takes a base, or the choice that limits wrap. */
  rig_set_raw(rig, MMU_SEG_DS, 0, 0xFFFFF000, 0xFFFF, 0x493, true);
  rsp = rig_do(rig, operand(MMU_READ, 0xFFA, 16));
  rig_check_ok(rsp);
  ck_assert(rsp->paddr[0] == 0x80FFA && rsp->paddr[1] == 0x40000);
  rig_free(rig);
}
END_TEST

/* Two large pages, and one of each kind. */
START_TEST(split_over_page_sizes) {
  rig_t *rig = paged_rig();
  rig_write_cr(rig, 4, X86_CR4_PSE);
  map(rig, 0x3FF000, 0x55000 | FLAGS);
  rig_poke(rig, DIRECTORY + 4, 4, 0x00C00000 | FLAGS | X86_PDE_PS);
  rig_poke(rig, DIRECTORY + 8, 4, 0x00800000 | FLAGS | X86_PDE_PS);
  const mmu_rsp_t *rsp = rig_do(rig, operand(MMU_WRITE, 0x3FFFFF, 2));
  rig_check_ok(rsp);
  ck_assert(rsp->paddr[0] == 0x55FFF && rsp->paddr[1] == 0x00C00000);
  ck_assert(rsp->page_size[0] == MMU_PAGE_4K && rsp->page_size[1] == MMU_PAGE_4M);
  rsp = rig_do(rig, operand(MMU_READ, 0x7FFFFF, 2));
  rig_check_ok(rsp);
  ck_assert(rsp->paddr[0] == 0x00FFFFFF && rsp->paddr[1] == 0x00800000);
  rsp = rig_do(rig, operand(MMU_READ, 0x500FFF, 2)); /* within one large page it is still split */
  ck_assert(rsp->split && rsp->paddr[0] == 0x00D00FFF && rsp->paddr[1] == 0x00D01000);
  ck_assert(rsp->n_tlb == 2 && rsp->tlb[0].kind == MMU_TLB_HIT && rsp->tlb[1].kind == MMU_TLB_HIT);
  rig_free(rig);
}
END_TEST

START_TEST(paging_off) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_flat(rig);
  rig_write_cr(rig, 3, DIRECTORY);
  const mmu_rsp_t *rsp = rig_do(rig, operand(MMU_WRITE, 0x6FFE, 4));
  rig_check_ok(rsp);
  ck_assert(rsp->paddr[0] == 0x6FFE && rsp->paddr[1] == 0x7000 && rsp->split && rsp->first == 2);
  ck_assert(rsp->page_size[0] == MMU_PAGE_NONE && rsp->page_size[1] == MMU_PAGE_NONE);
  ck_assert(rsp->n_tlb == 0 && rsp->n_mem == 0 && !rsp->pcd[0] && !rsp->pwt[0]);
  rig_free(rig);
}
END_TEST

/* A segment fault ends the transaction before paging; a page fault names the user. */
START_TEST(segment_before_page) {
  rig_t *rig = paged_rig();
  rig_set_raw(rig, MMU_SEG_DS, 0, 0x10000, 0xFFF, 0x4F3, true);
  const mmu_rsp_t *rsp = rig_do(rig, operand(MMU_READ, 0xFFE, 4));
  rig_check_fault(rsp, X86_GP, 0, 0);
  ck_assert(rsp->n_mem == 0 && rsp->n_tlb == 0);
  rig_check_no_operand(rsp);
  rig_check_fault(rig_do(rig, operand(MMU_READ, 0xFFC, 4)), X86_PF, 0, 0x10FFC);
  rig_free(rig);
}
END_TEST

/* Two MMUs of different geometry side by side, and a copy that goes its own way. */
START_TEST(two_mmus_and_a_snapshot) {
  rig_t *a = paged_rig();
  mmu_config_t config = {.tlb_sets = 1, .tlb_ways = 1, .tlb_large = 1};
  rig_t *b = rig_new(config);
  map(a, 0x5000, 0x80000 | FLAGS);
  rig_check_ok(rig_do(a, operand(MMU_READ, 0x5000, 4)));
  ck_assert_uint_eq(mmu_cr(b->mmu, 0), 0x60000010);
  ck_assert(!mmu_tlb_entry(b->mmu, false, 0, 0).valid);
  rig_check_ok(rig_do(b, operand(MMU_READ, 0x5000, 4)));
  ck_assert_uint_eq(b->rsp.paddr[0], 0x5000);
  rig_write_cr(b, 3, 0x7000);
  ck_assert_uint_eq(mmu_cr(a->mmu, 3), DIRECTORY);

  mmu_t *copy = (mmu_t *)malloc(mmu_sizeof());
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, a->mmu, mmu_sizeof());
  rig_write_cr(a, 0, X86_CR0_PE);
  mmu_t *original = a->mmu;
  a->mmu = copy;
  rig_check_ok(rig_do(a, operand(MMU_READ, 0x5000, 4)));
  rig_check_event(&a->rsp, 0, MMU_TLB_HIT, false, 5, 0, false);
  ck_assert_uint_eq(a->rsp.paddr[0], 0x80000);
  a->mmu = original;
  rig_check_ok(rig_do(a, operand(MMU_READ, 0x5000, 4)));
  ck_assert_uint_eq(a->rsp.paddr[0], 0x5000);
  free(copy);
  rig_free(a);
  rig_free(b);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      abi_version,
      reset_state,
      default_config,
      write_cr0,
      write_cr3_and_cr4,
      absent_bits_of_cr4,
      load_table,
      system_limits,
      system_is_implicit,
      split_operands,
      fault_on_the_second_page,
      linear_wrap_at_4_gib,
      split_over_page_sizes,
      paging_off,
      segment_before_page,
      two_mmus_and_a_snapshot,
  };
  return rig_run(rig_suite("mmu", tests, sizeof tests / sizeof tests[0]));
}
