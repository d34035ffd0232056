/*
 * Task switches: what is saved, loaded and marked, by JMP, CALL, interrupt and IRET, with 16- and 32-bit TSSs.
 */
#include "cpu_task_rig.h"

START_TEST(state_before_and_after) {
  for (unsigned w = 0; w < WAYS; w++) {
    const way_t *way = &ways[w];
    build_tasks();
    prepare(way);
    run(1);
    cpu_state_t s = state();
    bool error_code = !way->length;
    ck_assert_uint_eq(s.rip, NEW_CODE);
    ck_assert_uint_eq(s.rflags, FLAGS_NEW | (way->nested ? X86_NT : 0));
    for (unsigned r = 0; r < 8; r++) {
      if (r != CPU_ESP) ck_assert_uint_eq(s.gpr[r], 0xA0A0A000 + r);
      if (r != CPU_ESP) ck_assert_uint_eq(peek32(TSS + GPR + 4 * r), 0xC0C0C000 + r);
    }
    ck_assert_uint_eq(s.gpr[CPU_ESP], NEW_STACK - (error_code ? 4 : 0));
    if (error_code) ck_assert_uint_eq(frame(0), 0);
    for (unsigned i = 0; i < 6; i++)
      ck_assert_uint_eq(s.seg[i].selector, new_segs[i]);
    ck_assert_uint_eq(s.seg[MMU_SEG_GS].attr, 0xCD3);
    ck_assert(!s.seg[MMU_SEG_LDTR].usable);
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].selector, NEW);
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].attr, 0x08B);
    ck_assert_uint_eq(s.cr0 & X86_CR0_TS, X86_CR0_TS);
    ck_assert_uint_eq(s.cpl, 0);
    ck_assert_uint_eq(peek32(TSS + EIP), CODE_AT + way->length);
    ck_assert_uint_eq(peek32(TSS + EFLAGS), FLAGS_OLD | (error_code ? X86_RF : 0));
    ck_assert_uint_eq(peek32(TSS + GPR + 4 * CPU_ESP), STACK_TOP);
    ck_assert_uint_eq(peek32(TSS + SEGS + 4 * MMU_SEG_CS), CODE0);
    ck_assert_uint_eq(type_of(NEW), 0xB);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), way->nested ? 0xB : 9);
    if (way->nested) ck_assert_uint_eq(peek32(NEW_TSS + LINK) & 0xFFFF, TSS_SELECTOR);
    fixture_down();
    fixture_up();
  }
}
END_TEST

START_TEST(iret_returns_to_the_linked_task) {
  for (unsigned w = 2; w < WAYS; w++) {
    build_tasks();
    prepare(&ways[w]);
    poke(NEW_CODE, iret_code, 1);
    run(2);
    cpu_state_t s = state();
    ck_assert_uint_eq(s.rip, CODE_AT + ways[w].length);
    ck_assert_uint_eq(s.rflags, FLAGS_OLD | (ways[w].length ? 0 : X86_RF));
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].selector, TSS_SELECTOR);
    ck_assert_uint_eq(s.gpr[CPU_EDI], 0xC0C0C007);
    ck_assert_uint_eq(s.gpr[CPU_ESP], STACK_TOP);
    ck_assert_uint_eq(type_of(NEW), 9);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 0xB);
    ck_assert_uint_eq(peek32(NEW_TSS + EFLAGS), FLAGS_NEW); /* NT is cleared in what is saved */
    ck_assert_uint_eq(peek32(NEW_TSS + EIP), NEW_CODE + 1);
    fixture_down();
    fixture_up();
  }
}
END_TEST

START_TEST(sixteen_bit_tss) {
  build_tasks();
  set_descriptor(NEW, descriptor(NEW_TSS, 0x2B, 0x081));
  uint16_t tss[22] = {0};
  tss[7] = 0x8000; /* IP */
  tss[8] = X86_ZF | 2;
  for (uint16_t r = 0; r < 8; r++)
    tss[9 + r] = (uint16_t)(0x1230 + r);
  tss[17] = RING_DATA;
  tss[18] = CODE0;
  tss[19] = DATA0;
  tss[20] = RING_DATA + 8;
  tss[21] = LDT;
  poke(NEW_TSS, tss, sizeof tss);
  poke(0x8000, iret_code, 1);
  prepare(&ways[2]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rip, 0x8000);
  ck_assert_uint_eq(s.rflags, X86_ZF | X86_NT | 2);
  for (unsigned r = 0; r < 8; r++)
    ck_assert_uint_eq(s.gpr[r], 0xFFFF1230 + r);
  ck_assert_uint_eq(s.seg[MMU_SEG_ES].selector, RING_DATA);
  ck_assert_uint_eq(s.seg[MMU_SEG_DS].selector, RING_DATA + 8);
  ck_assert(!s.seg[MMU_SEG_FS].usable && !s.seg[MMU_SEG_GS].usable);
  ck_assert_uint_eq(s.seg[MMU_SEG_LDTR].base, NEW_LDT);
  ck_assert_uint_eq(s.seg[MMU_SEG_TR].attr, 0x083);

  run(1); /* and back: the 16-bit state is saved */
  ck_assert_uint_eq(eip(), CODE_AT + 7);
  ck_assert_uint_eq(peek32(NEW_TSS + 0x0E), (X86_ZF | 2) << 16 | 0x8001);
  ck_assert_uint_eq(peek32(NEW_TSS + 0x20) >> 16, RING_DATA);
  ck_assert_uint_eq(type_of(NEW), 1);
}
END_TEST

START_TEST(paging_and_rings_of_the_new_task) {
  build_tasks();
  enable_paging(true);
  poke(0x14000, fx.ram + PAGE_DIRECTORY, 4096);
  poke32(NEW_TSS + CR3, 0x14000);
  poke32(NEW_TSS + EFLAGS, X86_IOPL | 2);
  for (unsigned s = 0; s < 6; s++)
    poke32(NEW_TSS + SEGS + 4 * s, (s == MMU_SEG_CS ? RING_CODE : RING_DATA) + 24 + 3);
  prepare(&ways[0]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.cr3, 0x14000);
  ck_assert_uint_eq(mmu_cr(fx.mmu, 3), 0x14000);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.rflags, X86_IOPL | 2);
}
END_TEST

START_TEST(new_task_in_virtual_8086_mode) {
  build_tasks();
  poke32(NEW_TSS + EFLAGS, X86_VM | 2);
  poke32(NEW_TSS + EIP, 0x100);
  for (unsigned s = 0; s < 6; s++)
    poke32(NEW_TSS + SEGS + 4 * s, 0x2000 + 0x100 * s);
  prepare(&ways[0]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rflags, X86_VM | 2);
  ck_assert_uint_eq(s.cpl, 3);
  for (unsigned i = 0; i < 6; i++) {
    ck_assert_uint_eq(s.seg[i].base, 0x20000 + 0x1000 * i);
    ck_assert_uint_eq(s.seg[i].limit, 0xFFFF);
  }
}
END_TEST

/* A v86 task is interrupted through a task gate and resumed. */
START_TEST(task_gate_from_virtual_8086_mode) {
  static const uint8_t ud2[] = {0x0F, 0x0B};
  build_tasks();
  set_gate(X86_UD, FAULT, 0, GATE_TASK);
  poke(FAULT_CODE, iret_code, 1);
  poke32(NEW_TSS + EFLAGS, X86_VM | X86_IF | 2);
  poke32(NEW_TSS + EIP, 0x100);
  for (unsigned s = 0; s < 6; s++)
    poke32(NEW_TSS + SEGS + 4 * s, 0x2000 + 0x100 * s);
  poke(0x21100, ud2, sizeof ud2);
  prepare(&ways[0]);
  run(2);
  ck_assert_uint_eq(state().seg[MMU_SEG_TR].selector, FAULT);
  ck_assert_uint_eq(state().cpl, 0);
  ck_assert_uint_eq(peek32(NEW_TSS + EFLAGS), X86_VM | X86_IF | X86_RF | 2);
  ck_assert_uint_eq(peek32(NEW_TSS + EIP), 0x100);
  ck_assert_uint_eq(peek32(NEW_TSS + SEGS + 4 * MMU_SEG_GS) & 0xFFFF, 0x2500);
  poke32(NEW_TSS + EIP, 0x102);
  run(1);
  ck_assert_uint_eq(state().rflags, X86_VM | X86_IF | X86_RF | 2);
  ck_assert_uint_eq(eip(), 0x102);
  ck_assert_uint_eq(state().seg[MMU_SEG_CS].base, 0x21000);
  ck_assert_uint_eq(type_of(FAULT), 9);
}
END_TEST

START_TEST(trap_flag_of_the_tss) {
  build_tasks();
  poke32(NEW_TSS + TRAP, 1);
  prepare(&ways[0]);
  run(2);
  ck_assert_uint_eq(frame(0), NEW_CODE);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB + 1); /* its HLT */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_task");
  TCase *tcase = tcase_create("tasks");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, state_before_and_after);
  tcase_add_test(tcase, iret_returns_to_the_linked_task);
  tcase_add_test(tcase, sixteen_bit_tss);
  tcase_add_test(tcase, paging_and_rings_of_the_new_task);
  tcase_add_test(tcase, new_task_in_virtual_8086_mode);
  tcase_add_test(tcase, task_gate_from_virtual_8086_mode);
  tcase_add_test(tcase, trap_flag_of_the_tss);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
