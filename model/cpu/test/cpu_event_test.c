/*
 * Interrupts and exceptions: frames, rings, error codes, double and triple faults, IRET, single step.
 */
#include "cpu_fixture.h"

enum { IF = X86_IF, FLAGS_USER = X86_IF | 2 };

CODE(nops, ".fill 16, 1, 0x90");
CODE(iret_code, "iret");

/* --- same level --- */

CODE(int_80, "int $0x80\n nop\n hlt");

START_TEST(software_interrupt_returns_behind_itself) {
  LOAD(int_80);
  set_flags(IF | 2);
  HANDLER(0x80, iret_code);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 4);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP);
  ck_assert_uint_eq(eflags(), IF | 2);
}
END_TEST

START_TEST(interrupt_gate_clears_if_trap_gate_keeps_it) {
  LOAD(int_80);
  set_flags(IF | X86_NT | 2);
  run_to_halt();
  ck_assert(halted_in(0x80));
  ck_assert_uint_eq(eflags(), 2);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP - 12);
  ck_assert_uint_eq(frame(0), CODE_AT + 2);
  ck_assert_uint_eq(frame(1), CODE0);
  ck_assert_uint_eq(frame(2), IF | X86_NT | 2);

  LOAD(int_80);
  set_flags(IF | 2);
  set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_TRAP);
  run_to_halt();
  ck_assert_uint_eq(eflags(), IF | 2);
}
END_TEST

START_TEST(gate_of_16_bits_pushes_words) {
  LOAD(int_80);
  static const uint8_t hlt = 0xF4;
  poke(0x9000, &hlt, 1);
  set_gate(0x80, CODE0, 0x9000, GATE_INTERRUPT_16);
  run_to_halt();
  ck_assert_uint_eq(eip(), 0x9001);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP - 6);
  ck_assert_uint_eq(frame(0), CODE0 << 16 | ((CODE_AT + 2) & 0xFFFF));
}
END_TEST

CODE(divide, "xor %ecx, %ecx\n mov $7, %eax\n div %ecx\n hlt");

START_TEST(fault_pushes_its_own_eip_and_rf) {
  LOAD(divide);
  run_to_halt();
  ck_assert(halted_in(X86_DE));
  ck_assert_uint_eq(frame(0), CODE_AT + 7);
  ck_assert_uint_eq(frame(2), X86_RF | X86_ZF | X86_PF_FLAG | 2);
  ck_assert_uint_eq(reg(CPU_EAX), 7);
}
END_TEST

CODE(traps, "mov $0x7fffffff, %eax\n add $1, %eax\n into\n hlt");
CODE(int3_code, "int3\n hlt");

START_TEST(traps_push_the_next_eip) {
  LOAD(traps);
  run_to_halt();
  ck_assert(halted_in(X86_OF));
  ck_assert_uint_eq(frame(0), CODE_AT + 9);
  ck_assert_uint_eq(frame(2) & X86_RF, 0);
  LOAD(int3_code);
  run_to_halt();
  ck_assert(halted_in(X86_BP));
  ck_assert_uint_eq(frame(0), CODE_AT + 1);
}
END_TEST

/* --- rings --- */

CODE(user_int, "mov $1, %eax\n int $0x80\n mov $2, %ebx\n ud2");

START_TEST(int_from_ring_3_and_back) {
  LOAD(user_int);
  enter_ring3(FLAGS_USER);
  set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_USER);
  HANDLER(0x80, iret_code);
  run_to_halt();
  /* UD2 in ring 3 ends in the handler of #UD in ring 0. */
  ck_assert(halted_in(X86_UD));
  ck_assert_uint_eq(reg(CPU_EBX), 2);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.cpl, 0);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, CODE0);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].selector, DATA0);
  ck_assert_uint_eq(s.seg[MMU_SEG_DS].selector, DATA3);
  ck_assert_uint_eq(reg(CPU_ESP), STACK0_TOP - 20);
  ck_assert_uint_eq(frame(0), CODE_AT + 12);
  ck_assert_uint_eq(frame(1), CODE3);
  ck_assert_uint_eq(frame(2), X86_RF | FLAGS_USER);
  ck_assert_uint_eq(frame(3), USER_STACK_TOP);
  ck_assert_uint_eq(frame(4), DATA3);
}
END_TEST

START_TEST(gate_dpl_keeps_int_out_but_not_exceptions) {
  LOAD(user_int);
  enter_ring3(FLAGS_USER);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0x80 * 8 + 2);
  ck_assert_uint_eq(frame(1), CODE_AT + 5);
}
END_TEST

CODE(iret_outer, "mov $0x10, %ax\n mov %ax, %es\n mov $0x23, %ax\n mov %ax, %fs\n"
                 "push $0x23\n push $0xa0000\n push $0x3202\n push $0x1b\n push $0x20040\n iret");

START_TEST(iret_to_ring_3_drops_segments_it_may_not_use) {
  LOAD(iret_outer);
  run(10);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.rip, 0x20040);
  ck_assert_uint_eq(s.rflags, 0x3202);
  ck_assert_uint_eq(s.gpr[CPU_ESP], 0xA0000);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, CODE3);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].selector, DATA3);
  ck_assert(!s.seg[MMU_SEG_ES].usable && s.seg[MMU_SEG_ES].selector == 0);
  ck_assert(!s.seg[MMU_SEG_DS].usable && !s.seg[MMU_SEG_GS].usable);
  ck_assert(s.seg[MMU_SEG_FS].usable && s.seg[MMU_SEG_FS].selector == DATA3);
}
END_TEST

CODE(iret_flags, "pushf\n orl $0x3200, (%esp)\n push %cs\n push $0x20010\n iret\n .fill 16, 1, 0x90\n");

START_TEST(iret_in_ring_3_keeps_if_and_iopl) {
  LOAD(iret_flags);
  enter_ring3(2);
  run(5);
  ck_assert_uint_eq(eip(), 0x20010);
  ck_assert_uint_eq(eflags() & (X86_IF | X86_IOPL), 0);
}
END_TEST

CODE(lret_outer, "push $0x23\n push $0xa0000\n sub $8, %esp\n push $0x1b\n push $0x20040\n lret $8");

START_TEST(far_return_to_ring_3_releases_both_stacks) {
  LOAD(lret_outer);
  run(6);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.rip, 0x20040);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.gpr[CPU_ESP], USER_STACK_TOP + 8);
}
END_TEST

/* --- external interrupts --- */

CODE(sti_code, "sti\n nop\n nop\n hlt");

START_TEST(sti_delays_the_interrupt_by_one_instruction) {
  LOAD(sti_code);
  fx.intr_vector = 0x20;
  cpu_set_intr(fx.cpu, true);
  run_to_halt();
  ck_assert(halted_in(0x20));
  ck_assert_uint_eq(frame(0), CODE_AT + 2);
  ck_assert_uint_eq(fx.acks, 1);
}
END_TEST

CODE(mov_ss, "mov %ss, %eax\n mov %eax, %ss\n mov $0x70000, %esp\n hlt");

START_TEST(mov_ss_delays_the_interrupt_by_one_instruction) {
  LOAD(mov_ss);
  run(1);
  set_flags(IF | 2);
  fx.intr_vector = 0x21;
  run(1);
  cpu_set_intr(fx.cpu, true);
  run_to_halt();
  ck_assert(halted_in(0x21));
  ck_assert_uint_eq(reg(CPU_ESP), 0x70000 - 12);
}
END_TEST

CODE(hlt_code, "hlt\n mov $5, %eax\n hlt");

START_TEST(hlt_waits_for_an_enabled_interrupt) {
  LOAD(hlt_code);
  run_to_halt();
  ck_assert_uint_eq(cpu_run(fx.cpu, 100), CPU_STOP_HALT);
  cpu_set_intr(fx.cpu, true); /* IF = 0 */
  ck_assert_uint_eq(cpu_run(fx.cpu, 100), CPU_STOP_HALT);
  cpu_set_intr(fx.cpu, false);

  LOAD(hlt_code);
  set_flags(IF | 2);
  fx.intr_vector = 0x22;
  HANDLER(0x22, iret_code);
  run_to_halt();
  cpu_set_intr(fx.cpu, true);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 5);
}
END_TEST

/* --- double and triple faults --- */

CODE(ud2_code, "ud2");

START_TEST(contributory_twice_is_a_double_fault) {
  LOAD(divide);
  set_gate(X86_DE, 0x78, 0, GATE_INTERRUPT); /* a selector whose descriptor is 0: #GP */
  run_to_halt();
  ck_assert(halted_in(X86_DF));
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), CODE_AT + 7);
}
END_TEST

START_TEST(benign_then_fault_is_serial) {
  LOAD(ud2_code);
  set_gate(X86_UD, 0x78, 0, GATE_INTERRUPT);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0x78 | 1); /* EXT */
}
END_TEST

START_TEST(not_present_gate) {
  LOAD(int_80);
  set_gate(0x80, CODE0, HANDLERS, 0x0E);
  run_to_halt();
  ck_assert(halted_in(X86_NP));
  ck_assert_uint_eq(frame(0), 0x80 * 8 + 2);
  LOAD(divide);
  set_gate(X86_DE, CODE0, HANDLERS, 0x0E);
  run_to_halt();
  ck_assert(halted_in(X86_DF));
}
END_TEST

START_TEST(fault_in_a_double_fault_shuts_down) {
  LOAD(divide);
  set_gate(X86_DE, 0x78, 0, GATE_INTERRUPT);
  set_gate(X86_DF, 0x78, 0, GATE_INTERRUPT);
  ck_assert_uint_eq(cpu_run(fx.cpu, 1000), CPU_STOP_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(cpu_diagnostic(fx.cpu), "shutdown"));
  ck_assert_uint_eq(cpu_run(fx.cpu, 1000), CPU_STOP_SHUTDOWN);
}
END_TEST

CODE(page_fault, "mov 0x123000, %eax\n hlt");

START_TEST(page_fault_whose_delivery_page_faults_is_a_double_fault) {
  LOAD(page_fault);
  enable_paging(true);
  set_pte(0x123000, PTE_ABSENT);
  set_pte(STACK_TOP - 0x1000, PTE_ABSENT); /* the stack that #DF needs as well */
  ck_assert_uint_eq(cpu_run(fx.cpu, 1000), CPU_STOP_SHUTDOWN);
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, STACK_TOP - 4);
}
END_TEST

START_TEST(page_fault_frame) {
  LOAD(page_fault);
  enable_paging(true);
  set_pte(0x123000, PTE_ABSENT);
  enter_ring3(2);
  run_to_halt();
  ck_assert(halted_in(X86_PF));
  ck_assert_uint_eq(frame(0), X86_PF_U);
  ck_assert_uint_eq(frame(1), CODE_AT);
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, 0x123000);
}
END_TEST

START_TEST(bad_tss_stack_is_ts_with_the_selector) {
  LOAD(user_int);
  enter_ring3(FLAGS_USER);
  set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_USER);
  poke32(TSS + 8, DATA3); /* DPL 3 is no stack for ring 0; and #TS needs that stack too */
  ck_assert_uint_eq(cpu_run(fx.cpu, 1000), CPU_STOP_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(cpu_diagnostic(fx.cpu), "vector 10"));
}
END_TEST

/* --- single step --- */

CODE(tf_code, "pushf\n orl $0x100, (%esp)\n popf\n nop\n nop\n hlt");

START_TEST(single_step_traps_after_the_next_instruction) {
  LOAD(tf_code);
  run_to_halt();
  ck_assert(halted_in(X86_DB));
  ck_assert_uint_eq(frame(0), CODE_AT + 10);
  ck_assert_uint_eq(frame(2) & X86_TF, X86_TF);
  ck_assert_uint_eq(eflags() & X86_TF, 0);
}
END_TEST

CODE(tf_hlt, "hlt\n nop");

START_TEST(single_step_wakes_hlt) {
  LOAD(tf_hlt);
  set_flags(X86_TF | 2);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  run_to_halt();
  ck_assert(halted_in(X86_DB));
  ck_assert_uint_eq(frame(0), CODE_AT + 1);
}
END_TEST

CODE(resume_code, "push $0x10002\n push %cs\n push $0x20010\n iret\n .fill 16, 1, 0x90\n pushf");

START_TEST(resume_flag_lasts_one_instruction) {
  LOAD(resume_code);
  run(4);
  ck_assert_uint_eq(eip(), CODE_AT + 0x10);
  ck_assert_uint_eq(eflags(), X86_RF | 2);
  run(1);
  ck_assert_uint_eq(eflags(), 2);
}
END_TEST

CODE(int1_code, ".byte 0xf1\n hlt");

/* "Software-generated interrupts: RF is pushed as 0, since it was cleared at the start of the software interrupt." */
START_TEST(software_interrupts_push_no_resume_flag) {
  LOAD(int_80);
  set_flags(X86_RF | 2);
  run_to_halt();
  ck_assert(halted_in(0x80));
  ck_assert_uint_eq(frame(2), 2);
  LOAD(int3_code);
  set_flags(X86_RF | 2);
  run_to_halt();
  ck_assert(halted_in(X86_BP));
  ck_assert_uint_eq(frame(2), 2);
  LOAD(int1_code);
  set_flags(X86_RF | 2);
  run_to_halt();
  ck_assert(halted_in(X86_DB));
  ck_assert_uint_eq(frame(2), 2);
}
END_TEST

CODE(iret_vif, "push $0x180002\n push %cs\n push $0x20010\n iret\n .fill 16, 1, 0x90\n");

START_TEST(iret_in_ring_0_loads_vif_and_vip) {
  LOAD(iret_vif);
  run(4);
  ck_assert_uint_eq(eip(), CODE_AT + 0x10);
  ck_assert_uint_eq(eflags(), X86_VIF | X86_VIP | 2);
}
END_TEST

START_TEST(refused_translation_stops_without_effect) {
  for (unsigned after = 0; after < 16; after++) {
    LOAD(user_int);
    enter_ring3(FLAGS_USER);
    set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_USER);
    run(1);
    cpu_state_t before = cpu_state(fx.cpu);
    uint64_t count = cpu_instructions(fx.cpu);
    fx.refuse = true;
    fx.refuse_after = after;
    cpu_stop_t stop = cpu_run(fx.cpu, 1);
    fx.refuse = false;
    if (stop == CPU_STOP_LIMIT) return; /* more than the instruction needs */
    ck_assert_uint_eq(stop, CPU_STOP_REQUEST);
    cpu_state_t now = cpu_state(fx.cpu);
    ck_assert_uint_eq(now.rip, before.rip);
    ck_assert_mem_eq(now.gpr, before.gpr, sizeof now.gpr);
    ck_assert_uint_eq(now.rflags, before.rflags);
    ck_assert_uint_eq(cpu_instructions(fx.cpu), count);
  }
  ck_abort_msg("INT n needs more than 16 transactions?");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_event");
  TCase *tcase = tcase_create("events");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, software_interrupt_returns_behind_itself);
  tcase_add_test(tcase, interrupt_gate_clears_if_trap_gate_keeps_it);
  tcase_add_test(tcase, gate_of_16_bits_pushes_words);
  tcase_add_test(tcase, fault_pushes_its_own_eip_and_rf);
  tcase_add_test(tcase, traps_push_the_next_eip);
  tcase_add_test(tcase, int_from_ring_3_and_back);
  tcase_add_test(tcase, gate_dpl_keeps_int_out_but_not_exceptions);
  tcase_add_test(tcase, iret_to_ring_3_drops_segments_it_may_not_use);
  tcase_add_test(tcase, iret_in_ring_3_keeps_if_and_iopl);
  tcase_add_test(tcase, far_return_to_ring_3_releases_both_stacks);
  tcase_add_test(tcase, sti_delays_the_interrupt_by_one_instruction);
  tcase_add_test(tcase, mov_ss_delays_the_interrupt_by_one_instruction);
  tcase_add_test(tcase, hlt_waits_for_an_enabled_interrupt);
  tcase_add_test(tcase, contributory_twice_is_a_double_fault);
  tcase_add_test(tcase, benign_then_fault_is_serial);
  tcase_add_test(tcase, not_present_gate);
  tcase_add_test(tcase, fault_in_a_double_fault_shuts_down);
  tcase_add_test(tcase, page_fault_whose_delivery_page_faults_is_a_double_fault);
  tcase_add_test(tcase, page_fault_frame);
  tcase_add_test(tcase, bad_tss_stack_is_ts_with_the_selector);
  tcase_add_test(tcase, single_step_traps_after_the_next_instruction);
  tcase_add_test(tcase, single_step_wakes_hlt);
  tcase_add_test(tcase, resume_flag_lasts_one_instruction);
  tcase_add_test(tcase, software_interrupts_push_no_resume_flag);
  tcase_add_test(tcase, iret_in_ring_0_loads_vif_and_vip);
  tcase_add_test(tcase, refused_translation_stops_without_effect);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
