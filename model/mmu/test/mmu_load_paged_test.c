/*
 * seg → tlb → walk: LOAD_SEG with paging on: the pages of a descriptor's read and of its accessed or busy bit.
 */
#include "mmu_paged_rig.h"

static rig_t *gdt_rig(uint32_t base, uint32_t flags_0, uint32_t flags_1) {
  rig_t *rig = paged_rig(flags_0, flags_1);
  rig_load_table(rig, MMU_SEG_GDTR, base, 0xFFFF);
  return rig;
}

/* All seven ways to straddle. */
START_TEST(descriptor_straddles_a_page) {
  for (unsigned low = 1; low < 8; low++) {
    uint64_t descriptor = rig_descriptor(0x12345678, 0x9ABCD, 0xC92);
    rig_t *rig = gdt_rig(PAGE_1 - low - 8, RW, RW);
    rig_poke(rig, FRAME_0 + 0x1000 - low, low, descriptor);
    rig_poke(rig, FRAME_1, 8 - low, descriptor >> 8 * low);
    const mmu_rsp_t *rsp = load(rig, MMU_LOAD_DATA, MMU_SEG_ES, 0x08, 0);
    rig_check_ok(rsp);
    rig_check_no_operand(rsp);
    ck_assert_uint_eq(rsp->descriptor, descriptor);
    rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_ES), 0x08, 0x12345678, 0x9ABCDFFF, 0xC93, true);

    /* Both pages are translated before either part is read. */
    rig_check_mem(rsp, 0, false, DIRECTORY, 4, PDE);
    rig_check_mem(rsp, 1, false, TABLE + 4 * 5, 4, FRAME_0 | RW);
    rig_check_mem(rsp, 2, true, TABLE + 4 * 5, 4, FRAME_0 | RW | X86_PTE_A);
    rig_check_mem(rsp, 3, false, DIRECTORY, 4, PDE);
    rig_check_mem(rsp, 4, false, TABLE + 4 * 6, 4, FRAME_1 | RW);
    rig_check_mem(rsp, 5, true, TABLE + 4 * 6, 4, FRAME_1 | RW | X86_PTE_A);
    rig_check_mem(rsp, 6, false, FRAME_0 + 0x1000 - low, low, descriptor & ((1ull << 8 * low) - 1));
    rig_check_mem(rsp, 7, false, FRAME_1, 8 - low, descriptor >> 8 * low);
    /* The accessed bit: a new walk, since the page is clean; byte 5 is on the second page if low <= 5. */
    bool second = low <= 5;
    uint32_t page = second ? PAGE_1 : PAGE_0, frame = second ? FRAME_1 : FRAME_0;
    rig_check_mem(rsp, 8, false, DIRECTORY, 4, PDE);
    rig_check_mem(rsp, 9, false, TABLE + 4 * (page >> 12), 4, frame | RW | X86_PTE_A);
    rig_check_mem(rsp, 10, true, TABLE + 4 * (page >> 12), 4, frame | RW | X86_PTE_A | X86_PTE_D);
    rig_check_mem(rsp, 11, true, second ? FRAME_1 + 5 - low : FRAME_0 + 0x1000 - low + 5, 1, 0x93);
    ck_assert_uint_eq(rsp->n_mem, 12);
    rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
    rig_check_event(rsp, 1, MMU_TLB_FILL, false, 5, 0, false);
    rig_check_event(rsp, 2, MMU_TLB_MISS, false, 0, 0, false);
    rig_check_event(rsp, 3, MMU_TLB_FILL, false, 6, 0, false);
    rig_check_event(rsp, 4, MMU_TLB_RENEW, false, page >> 12, 0, false);
    rig_check_event(rsp, 5, MMU_TLB_FILL, false, page >> 12, 0, false);
    ck_assert_uint_eq(rsp->n_tlb, 6);
    rig_free(rig);
  }
}
END_TEST

START_TEST(descriptor_page_not_present) {
  uint64_t descriptor = rig_descriptor(0x12345678, 0x9ABCD, 0xC92);
  for (unsigned absent = 0; absent < 2; absent++) {
    rig_t *rig = gdt_rig(PAGE_1 - 4 - 8, absent == 0 ? 0 : RW, absent == 1 ? 0 : RW);
    rig_poke(rig, FRAME_0 + 0x1000 - 4, 4, descriptor);
    rig_poke(rig, FRAME_1, 4, descriptor >> 32);
    mark(rig, MMU_SEG_ES);
    /* A supervisor access at CPL 3 too; the error code is the page fault's own. */
    const mmu_rsp_t *rsp = rig_do(rig, (mmu_req_t){.op = MMU_OP_LOAD_SEG,
                                                   .seg = MMU_SEG_ES,
                                                   .cpl = 3,
                                                   .ext = true,
                                                   .reason = MMU_LOAD_DATA,
                                                   .selector = 0x0B});
    rig_check_fault(rsp, X86_PF, 0, absent ? PAGE_1 : PAGE_0 + 0xFFC);
    rig_check_no_operand(rsp);
    ck_assert_uint_eq(rsp->descriptor, 0);
    ck_assert_uint_eq(rsp->n_mem, absent ? 3 + 2 : 2); /* the walks, but no part of the descriptor */
    check_marked(rig, MMU_SEG_ES);
    rig_free(rig);
  }
}
END_TEST

/* The accessed bit goes through a write access of the supervisor's own. */
START_TEST(accessed_bit_through_a_read_only_page) {
  uint64_t descriptor = rig_descriptor(0x12345678, 0x9ABCD, 0xC92);
  for (unsigned wp = 0; wp < 2; wp++) {
    rig_t *rig = gdt_rig(PAGE_0, X86_PTE_P, RW);
    rig_poke(rig, FRAME_0 + 8, 8, descriptor);
    rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | (wp ? X86_CR0_WP : 0));
    mark(rig, MMU_SEG_ES);
    const mmu_rsp_t *rsp = load(rig, MMU_LOAD_DATA, MMU_SEG_ES, 0x08, 0);
    if (wp) {
      rig_check_fault(rsp, X86_PF, X86_PF_P | X86_PF_W, PAGE_0 + 8 + 5);
      ck_assert_uint_eq(rsp->descriptor, descriptor);
      check_marked(rig, MMU_SEG_ES);
      ck_assert_uint_eq(rig_peek(rig, FRAME_0 + 8, 8), descriptor);
      ck_assert_uint_eq(get_pte(rig, PAGE_0), FRAME_0 | X86_PTE_P | X86_PTE_A);
    } else {
      rig_check_ok(rsp);
      rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_ES), 0x08, 0x12345678, 0x9ABCDFFF, 0xC93, true);
      ck_assert_uint_eq(rig_peek(rig, FRAME_0 + 8, 8), descriptor | 1ull << 40);
      ck_assert_uint_eq(get_pte(rig, PAGE_0), FRAME_0 | X86_PTE_P | X86_PTE_A | X86_PTE_D);
    }
    /* With the bit set already, nothing is written and the page may be read-only. */
    rig_poke(rig, FRAME_0 + 8, 8, descriptor | 1ull << 40);
    rig_check_ok(load(rig, MMU_LOAD_DATA, MMU_SEG_ES, 0x08, 0));
    rig_free(rig);
  }
}
END_TEST

/* A stale entry serves the read; the write finds it clean, walks, and meets the page that is gone by now. */
START_TEST(accessed_bit_through_a_page_that_is_gone) {
  uint64_t descriptor = rig_descriptor(0, 0x67, 0x089);
  rig_t *rig = gdt_rig(PAGE_0, RW, RW);
  rig_poke(rig, FRAME_0 + 8, 8, descriptor);
  rig_linear(rig, MMU_READ, PAGE_0, 1);
  set_pte(rig, PAGE_0, 0);
  mark(rig, MMU_SEG_TR);
  const mmu_rsp_t *rsp = load(rig, MMU_LOAD_TASK, MMU_SEG_TR, 0x08, 0);
  rig_check_fault(rsp, X86_PF, X86_PF_W, PAGE_0 + 8 + 5);
  rig_check_event(rsp, 0, MMU_TLB_HIT, false, 5, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_RENEW, false, 5, 0, false);
  ck_assert_uint_eq(rsp->n_tlb, 2);
  check_marked(rig, MMU_SEG_TR);
  ck_assert_uint_eq(rig_peek(rig, FRAME_0 + 8, 8), descriptor);
  rig_free(rig);
}
END_TEST

/* Descriptor references are implicit: SMAP applies whatever EFLAGS.AC is; CPL 3 may use supervisor pages. */
START_TEST(descriptor_reads_are_implicit_supervisor_accesses) {
  for (unsigned smap = 0; smap < 2; smap++)
    for (unsigned user = 0; user < 2; user++)
      for (uint8_t cpl = 0; cpl < 4; cpl++) {
        rig_t *rig = gdt_rig(PAGE_0, RW | (user ? USER : 0), RW);
        rig_poke(rig, FRAME_0 + 8, 8, rig_descriptor(0, 0xFF, 0x4F2));
        rig_write_cr(rig, 4, smap ? X86_CR4_SMAP : 0);
        const mmu_rsp_t *rsp = rig_do(rig, (mmu_req_t){.op = MMU_OP_LOAD_SEG,
                                                       .seg = MMU_SEG_ES,
                                                       .cpl = cpl,
                                                       .ac = true,
                                                       .reason = MMU_LOAD_DATA,
                                                       .selector = 0x0B});
        if (smap && user)
          rig_check_fault(rsp, X86_PF, X86_PF_P, PAGE_0 + 8);
        else
          rig_check_ok(rsp);
        rig_free(rig);
      }
}
END_TEST

/* Each reason's own descriptor, and the bits of byte 5 that the load sets in memory. */
static const struct {
  uint8_t reason, seg, attr, mark;
} LOADS[] = {
    {MMU_LOAD_DATA, MMU_SEG_DS, 0x92, 1},
    {MMU_LOAD_STACK, MMU_SEG_SS, 0x92, 1},
    {MMU_LOAD_STACK_INNER, MMU_SEG_STAGED_SS, 0x92, 1},
    {MMU_LOAD_CODE_JUMP, MMU_SEG_STAGED_CS, 0x9A, 1},
    {MMU_LOAD_CODE_RETURN, MMU_SEG_STAGED_CS, 0x9A, 1},
    {MMU_LOAD_CODE_GATE, MMU_SEG_STAGED_CS, 0x9A, 1},
    {MMU_LOAD_LDT, MMU_SEG_LDTR, 0x82, 0},
    {MMU_LOAD_TASK, MMU_SEG_TR, 0x89, 2},
    {MMU_LOAD_CODE_GATE_JUMP, MMU_SEG_STAGED_CS, 0x9A, 1},
    {MMU_LOAD_TASK_NEW, MMU_SEG_STAGED_TR, 0x89, 0},
    {MMU_LOAD_TASK_RETURN, MMU_SEG_STAGED_TR, 0x8B, 0},
    {MMU_LOAD_SWITCH_LDT, MMU_SEG_LDTR, 0x82, 0},
    {MMU_LOAD_SWITCH_CODE, MMU_SEG_CS, 0x9A, 1},
    {MMU_LOAD_SWITCH_STACK, MMU_SEG_SS, 0x92, 1},
    {MMU_LOAD_SWITCH_DATA, MMU_SEG_GS, 0x92, 1},
};

/* The page of the descriptor: absent, read-only, writable. A fault is the page fault's own, whatever the reason. */
START_TEST(page_faults_of_every_reason) {
  static const uint32_t FLAGS[] = {0, X86_PTE_P, RW};
  for (unsigned i = 0; i < sizeof LOADS / sizeof LOADS[0]; i++)
    for (unsigned f = 0; f < 3; f++) {
      uint64_t descriptor = rig_descriptor(0x12345678, 0xFFF, LOADS[i].attr);
      uint16_t marked = LOADS[i].attr | LOADS[i].mark;
      rig_t *rig = gdt_rig(PAGE_0, FLAGS[f], 0);
      poke_laddr(rig, PAGE_0 + 0x58, 8, descriptor);
      mark(rig, LOADS[i].seg);
      const mmu_rsp_t *rsp = load(rig, LOADS[i].reason, LOADS[i].seg, 0x58, 0);
      rig_check_no_operand(rsp);
      if (FLAGS[f] == 0 || (FLAGS[f] == X86_PTE_P && LOADS[i].mark)) {
        bool reading = FLAGS[f] == 0;
        rig_check_fault(rsp, X86_PF, reading ? 0 : X86_PF_P | X86_PF_W, PAGE_0 + 0x58 + (reading ? 0 : 5));
        rig_equal("descriptor", rsp->descriptor, reading ? 0 : descriptor);
        rig_equal("in memory", rig_peek(rig, FRAME_0 + 0x58, 8), descriptor);
        check_marked(rig, LOADS[i].seg);
      } else {
        rig_check_ok(rsp);
        rig_check_seg(mmu_seg(rig->mmu, LOADS[i].seg), 0x58, 0x12345678, 0xFFF, marked, true);
        rig_equal("in memory", rig_peek(rig, FRAME_0 + 0x58, 8), descriptor | (uint64_t)LOADS[i].mark << 40);
      }
      rig_free(rig);
    }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      descriptor_straddles_a_page,
      descriptor_page_not_present,
      accessed_bit_through_a_read_only_page,
      page_faults_of_every_reason,
      accessed_bit_through_a_page_that_is_gone,
      descriptor_reads_are_implicit_supervisor_accesses,
  };
  return rig_run(rig_suite("mmu_load_paged", tests, sizeof tests / sizeof tests[0]));
}
