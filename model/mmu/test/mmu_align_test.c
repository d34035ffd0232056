/*
 * seg: the alignment check of ACCESS, against the conditions of the manual, and its place among the other checks.
 */
#include "mmu_paged_rig.h"

/*
 * All conditions, one bit each, all bases and offsets around one alignment. Source: "Alignment Check Exception (#AC)":
 * CR0.AM, EFLAGS.AC, CPL 3, protected or virtual-8086 mode; not references that default to privilege level 0.
 */
START_TEST(every_condition_and_address) {
  static const uint32_t ADDRESSES[] = {0x1000, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0x1FFE};
  enum { N = sizeof ADDRESSES / sizeof ADDRESSES[0] };
  rig_t *rig = rig_new(mmu_default_config());
  for (unsigned flags = 0; flags < 128; flags++) {
    bool am = flags & 1, ac = flags & 2, implicit = flags & 4, vm = flags & 8, pe = flags & 16, write = flags & 32;
    bool ext = flags & 64;
    rig_write_cr(rig, 0, (am ? X86_CR0_AM : 0) | (pe ? X86_CR0_PE : 0));
    for (unsigned b = 0; b < N; b++) {
      for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++)
        rig_set_raw(rig, seg, 0x23, ADDRESSES[b], 0xFFFFFFFF, 0xCF3, true);
      for (unsigned o = 0; o < N; o++)
        for (uint8_t cpl = 0; cpl < 4; cpl++)
          for (uint8_t align = 0; align < 4; align++)
            for (uint8_t size = 1; size <= 8; size *= 2) {
              static const uint32_t DIVISOR[] = {1, 2, 4, 8};
              uint32_t laddr = ADDRESSES[b] + ADDRESSES[o];
              uint8_t seg = (uint8_t)((b + o + size) % 6);
              bool aligned = laddr % DIVISOR[align] == 0;
              mmu_req_t req = {.op = MMU_OP_ACCESS,
                               .seg = seg,
                               .access = write ? MMU_WRITE : MMU_READ,
                               .size = size,
                               .align = align,
                               .cpl = cpl,
                               .implicit = implicit,
                               .ac = ac,
                               .vm = vm,
                               .ext = ext,
                               .offset = ADDRESSES[o]};
              const mmu_rsp_t *rsp = rig_do(rig, req);
              if (!aligned && am && ac && cpl == 3 && !implicit && pe) {
                rig_check_fault(rsp, X86_AC, ext, 0);
                rig_check_no_operand(rsp);
                continue;
              }
              rig_check_ok(rsp);
              rig_equal("laddr", rsp->laddr, laddr);
            }
    }
  }
  rig_free(rig);
}
END_TEST

/* A rig where all conditions hold but for the address. */
static rig_t *checking_rig(void) {
  rig_t *rig = rig_new(mmu_default_config());
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_AM);
  rig_set_raw(rig, MMU_SEG_DS, 0x23, 0, 0xFFFF, 0x4F3, true);
  rig_set_raw(rig, MMU_SEG_SS, 0x23, 0, 0xFFFF, 0x4F3, true);
  return rig;
}

static mmu_req_t unaligned(uint8_t seg, uint32_t offset) {
  return (mmu_req_t){.op = MMU_OP_ACCESS,
                     .seg = seg,
                     .access = MMU_WRITE,
                     .size = 4,
                     .align = 2,
                     .cpl = 3,
                     .ac = true,
                     .offset = offset};
}

/* The other checks of the segment come first, with their own vectors. */
START_TEST(after_the_other_checks_of_the_segment) {
  static const uint8_t SEGS[] = {MMU_SEG_DS, MMU_SEG_SS};
  rig_t *rig = checking_rig();
  for (unsigned s = 0; s < 2; s++) {
    unsigned limit_vector = SEGS[s] == MMU_SEG_SS ? X86_SS : X86_GP;
    rig_set_raw(rig, SEGS[s], 0x23, 0, 0xFFFF, 0x4F3, true);
    rig_check_fault(rig_do(rig, unaligned(SEGS[s], 0xFFFB)), X86_AC, 0, 0);
    rig_check_fault(rig_do(rig, unaligned(SEGS[s], 0xFFFD)), limit_vector, 0, 0);
    rig_set_raw(rig, SEGS[s], 0x23, 0, 0xFFFF, 0x4F1, true);
    rig_check_fault(rig_do(rig, unaligned(SEGS[s], 0x1001)), X86_GP, 0, 0);
    rig_set_raw(rig, SEGS[s], 0x23, 0, 0xFFFF, 0x4F3, false);
    rig_check_fault(rig_do(rig, unaligned(SEGS[s], 0x1001)), limit_vector, 0, 0);
    /* Virtual-8086 mode has the limit and the alignment. */
    mmu_req_t req = unaligned(SEGS[s], 0x1001);
    req.vm = true;
    rig_check_fault(rig_do(rig, req), X86_AC, 0, 0);
    req.offset = 0xFFFD;
    rig_check_fault(rig_do(rig, req), limit_vector, 0, 0);
  }
  rig_free(rig);
}
END_TEST

/* The stack of a privilege change has an error code with all faults but this one. */
START_TEST(staged_stack) {
  rig_t *rig = checking_rig();
  rig_set_raw(rig, MMU_SEG_STAGED_SS, 0x4327, 0, 0xFFFF, 0x4F3, true);
  rig_check_fault(rig_do(rig, unaligned(MMU_SEG_STAGED_SS, 0x1001)), X86_AC, 0, 0);
  rig_check_fault(rig_do(rig, unaligned(MMU_SEG_STAGED_SS, 0xFFFD)), X86_SS, 0x4324, 0);
  rig_free(rig);
}
END_TEST

/* It is found before any page is looked at: no reference, no event, also where the operand straddles two pages. */
START_TEST(before_page_faults) {
  static const uint32_t OFFSETS[] = {PAGE_0 + 1, PAGE_1 - 2, PAGE_1 + 2, 0x7003};
  rig_t *rig = paged_rig(RW | USER, 0);
  rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_AM);
  for (unsigned i = 0; i < sizeof OFFSETS / sizeof OFFSETS[0]; i++) {
    mmu_req_t req = unaligned(MMU_SEG_DS, OFFSETS[i]);
    const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
    rig_check_fault(rsp, X86_AC, 0, 0);
    rig_check_no_operand(rsp);
    rig_equal("n_mem, n_tlb", rsp->n_mem | rsp->n_tlb, 0);
    req.ac = false;
    rig_equal("n_tlb", rig_do(rig, req)->n_tlb != 0, 1);
  }
  rig_check_fault(rig_do(rig, unaligned(MMU_SEG_DS, PAGE_1)), X86_PF, X86_PF_W | X86_PF_U, PAGE_1);
  rig_free(rig);
}
END_TEST

/* SYSTEM accesses and fetches are never checked. */
START_TEST(not_of_the_hardware_and_fetches) {
  rig_t *rig = checking_rig();
  rig_set_raw(rig, MMU_SEG_CS, 0x23, 0, 0xFFFF, 0x4FB, true);
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 4, .cpl = 3, .ac = true, .offset = 0x1001};
  req.align = 2;
  rig_check_ok(rig_do(rig, req));
  req = (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 5, .cpl = 3, .offset = 1};
  rig_check_ok(rig_do(rig, req));
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_condition_and_address, after_the_other_checks_of_the_segment, staged_stack,
      before_page_faults,          not_of_the_hardware_and_fetches,
  };
  return rig_run(rig_suite("mmu_align", tests, sizeof tests / sizeof tests[0]));
}
