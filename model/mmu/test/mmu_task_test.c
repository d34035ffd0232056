/*
 * seg: the task register in its steps: MARK_TASK's busy bit in memory, TR staged, used and committed.
 */
#include "mmu_paged_rig.h"

static mmu_req_t request(uint16_t selector, uint64_t busy) {
  return (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = selector, .data = busy};
}

/* Bit 1 of byte 5 and nothing else. No limit, type, RPL or TI counts: they did when the selector came into TR. */
START_TEST(every_byte) {
  static const uint16_t SELECTORS[] = {0x08, 0x28, 0x2B, 0x2F, 0x00, 0xFFF8};
  rig_t *rig = protected_rig();
  rig_load_table(rig, MMU_SEG_GDTR, GDT, 0x0F);
  rig_set_raw(rig, MMU_SEG_LDTR, 0, 0xBAD, 0, 0x082, false);
  for (unsigned s = 0; s < sizeof SELECTORS / sizeof SELECTORS[0]; s++)
    for (unsigned byte = 0; byte < 256; byte++)
      for (unsigned data = 0; data < 2; data++) {
        uint32_t paddr = GDT + (SELECTORS[s] & ~7u);
        unsigned marked = data ? byte | 0x02 : byte & 0xFD;
        uint64_t rest = 0xFEDC00BA98765432;
        rig_poke(rig, paddr, 8, rest | (uint64_t)byte << 40);
        mmu_req_t req = request(SELECTORS[s], data);
        req.cpl = byte & 3, req.vm = byte & 4, req.ext = byte & 8; /* of no concern here */
        const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
        rig_check_ok(rsp);
        rig_check_no_operand(rsp);
        rig_check_seg(rsp->seg, 0, 0, 0, 0, false);
        rig_equal("descriptor", rsp->descriptor, 0);
        rig_equal("verified, system", rsp->verified | rsp->system, 0);
        rig_check_mem(rsp, 0, false, paddr + 5, 1, byte);
        rig_check_mem(rsp, 1, true, paddr + 5, 1, marked);
        rig_equal("n_mem", rsp->n_mem, 2);
        rig_equal("n_tlb", rsp->n_tlb, 0);
        rig_equal("in memory", rig_peek(rig, paddr, 8), rest | (uint64_t)marked << 40);
      }
  rig_free(rig);
}
END_TEST

START_TEST(base_wraps) {
  rig_t *rig = protected_rig();
  rig_load_table(rig, MMU_SEG_GDTR, 0xFFFFFFF4, 0xFFFF);
  rig_poke(rig, 0x9, 1, 0x89);
  rig_check_ok(rig_do(rig, request(0x10, 1)));
  rig_check_mem(&rig->rsp, 1, true, 0x9, 1, 0x8B);
  rig_free(rig);
}
END_TEST

/* One translation, for a supervisor's write; the byte's page only, though the descriptor straddles two. */
START_TEST(page_of_the_byte) {
  for (unsigned second = 0; second < 2; second++) {
    rig_t *rig = paged_rig(second ? 0 : RW, second ? RW : 0);
    uint32_t laddr = second ? PAGE_1 : PAGE_1 - 1, page = second ? PAGE_1 : PAGE_0, frame = frame_of(page);
    rig_load_table(rig, MMU_SEG_GDTR, laddr - 5 - 0x28, 0xFFFF);
    rig_poke(rig, frame_of(laddr), 1, 0x89);
    const mmu_rsp_t *rsp = rig_do(rig, request(0x28, 1));
    rig_check_ok(rsp);
    rig_check_no_operand(rsp);
    check_walk_reads(rsp, 0, page, frame | RW);
    rig_check_mem(rsp, 2, true, TABLE + 4 * (page >> 12), 4, frame | RW | X86_PTE_A | X86_PTE_D);
    rig_check_mem(rsp, 3, false, frame_of(laddr), 1, 0x89);
    rig_check_mem(rsp, 4, true, frame_of(laddr), 1, 0x8B);
    rig_equal("n_mem", rsp->n_mem, 5);
    rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
    rig_check_event(rsp, 1, MMU_TLB_FILL, false, page >> 12, 0, false);
    rig_equal("n_tlb", rsp->n_tlb, 2);
    /* Again: the page is dirty by now. */
    rsp = rig_do(rig, request(0x28, 0));
    rig_check_event(rsp, 0, MMU_TLB_HIT, false, page >> 12, 0, false);
    rig_check_mem(rsp, 1, true, frame_of(laddr), 1, 0x89);
    rig_equal("n_mem", rsp->n_mem, 2);
    rig_free(rig);
  }
}
END_TEST

/* Absent, read-only with and without CR0.WP, the user's with SMAP. Whether the bit is as asked already is no matter. */
START_TEST(page_faults) {
  for (unsigned busy = 0; busy < 2; busy++)
    for (unsigned flags = 0; flags < 32; flags++) {
      bool present = flags & 1, writable = flags & 2, user = flags & 4, wp = flags & 8, smap = flags & 16;
      rig_t *rig = paged_rig((present ? X86_PTE_P : 0) | (writable ? X86_PTE_W : 0) | (user ? USER : 0), 0);
      rig_load_table(rig, MMU_SEG_GDTR, PAGE_0, 0xFFFF);
      rig_write_cr(rig, 0, X86_CR0_PE | X86_CR0_PG | (wp ? X86_CR0_WP : 0));
      rig_write_cr(rig, 4, smap ? X86_CR4_SMAP : 0);
      rig_poke(rig, FRAME_0 + 0x2D, 1, 0x8B);
      mmu_req_t req = request(0x28, busy);
      req.cpl = 3, req.ac = true, req.ext = true;
      const mmu_rsp_t *rsp = rig_do(rig, req);
      if (!present || (wp && !writable) || (smap && user)) {
        rig_check_fault(rsp, X86_PF, present ? X86_PF_P | X86_PF_W : X86_PF_W, PAGE_0 + 0x2D);
        rig_check_no_operand(rsp);
        rig_equal("n_mem", rsp->n_mem, 2);
        rig_equal("in memory", rig_peek(rig, FRAME_0 + 0x2D, 1), 0x8B);
      } else {
        rig_check_ok(rsp);
        rig_equal("in memory", rig_peek(rig, FRAME_0 + 0x2D, 1), busy ? 0x8B : 0x89);
      }
      rig_free(rig);
    }
}
END_TEST

/* The new task's TR is checked and used before it is in force. */
START_TEST(staged_task_register) {
  static const uint8_t TYPES[] = {0x1, 0x3, 0x9, 0xB};
  for (unsigned i = 0; i < 4; i++) {
    bool is_busy = TYPES[i] & 2;
    uint16_t attr = 0x180 | TYPES[i];
    rig_t *rig = protected_rig();
    rig_set_raw(rig, MMU_SEG_TR, 0x30, 0x80000, 0x67, 0x08B, true);
    rig_poke(rig, GDT + 0x58, 8, rig_descriptor(0x90000, 0xFF, attr));
    rig_check_ok(load(rig, is_busy ? MMU_LOAD_TASK_RETURN : MMU_LOAD_TASK_NEW, MMU_SEG_STAGED_TR, 0x5B, 0));
    rig_equal("n_mem", rig->rsp.n_mem, 1);
    rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_TR), 0x5B, 0x90000, 0xFF, attr, true);
    rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_TR), 0x30, 0x80000, 0x67, 0x08B, true);

    mmu_req_t req = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_STAGED_TR, .size = 4, .offset = 0xFC};
    rig_equal("paddr", rig_do(rig, req)->paddr[0], 0x900FC);
    req.offset = 0xFD, req.ext = true;
    rig_check_fault(rig_do(rig, req), X86_TS, 0x59, 0);
    req.seg = MMU_SEG_TR, req.offset = 0x65;
    rig_check_fault(rig_do(rig, req), X86_TS, 0x31, 0);

    mmu_req_t commit = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_TR, .reason = MMU_SEG_STAGED_TR};
    rig_check_ok(rig_do(rig, commit));
    rig_check_no_operand(&rig->rsp);
    rig_check_seg(rig->rsp.seg, 0x5B, 0x90000, 0xFF, attr | 2, true);
    rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_TR), 0x5B, 0x90000, 0xFF, attr | 2, true);
    rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_STAGED_TR), 0x5B, 0x90000, 0xFF, attr, true);
    rig_equal("n_mem, n_tlb", rig->rsp.n_mem | rig->rsp.n_tlb, 0);
    rig_equal("in memory", rig_peek(rig, GDT + 0x5D, 1), attr & 0xFF);
    rig_free(rig);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {every_byte, base_wraps, page_of_the_byte, page_faults, staged_task_register};
  return rig_run(rig_suite("mmu_task", tests, sizeof tests / sizeof tests[0]));
}
