/*
 * What lasts from one instruction to the next, and chains of events: nothing of it may go on for ever, be lost, or come
 * twice.
 */
#include "cpu_fixture.h"

CODE(set_dr, "mov %eax, %dr0\n mov %ebx, %dr7\n hlt");
CODE(iret_code, "iret");
CODE(resume_code, "orl $0x10000, 8(%esp)\n iret"); /* a debugger's handler: sets RF in the image */

static void set_breakpoint(uint32_t address, uint32_t dr7) {
  LOAD(set_dr);
  set_reg(CPU_EAX, address);
  set_reg(CPU_EBX, dr7);
  run_to_halt();
}

/* --- RF --- */

CODE(rep_movs, "rep movsb\n hlt");
CODE(rep_outs, "rep outsb\n hlt");

/* "The processor clears RF after the instruction completes": a repeated one is one instruction. */
static void repeat_behind_its_breakpoint(const uint8_t *from, const uint8_t *end) {
  set_breakpoint(CODE_AT, 1);
  HANDLER(X86_DB, resume_code);
  load_code(from, end);
  set_reg(CPU_ESI, DATA);
  set_reg(CPU_EDI, DATA + 0x100);
  set_reg(CPU_ECX, 5);
  run(1); /* the breakpoint */
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  run(2 + 5);
  ck_assert_uint_eq(reg(CPU_ECX), 0);
  ck_assert_uint_eq(eip(), CODE_AT + 2);
  ck_assert_uint_eq(eflags() & X86_RF, 0);
}

START_TEST(resume_flag_lasts_a_whole_repetition) {
  repeat_behind_its_breakpoint(rep_movs, rep_movs_end);
  repeat_behind_its_breakpoint(rep_outs, rep_outs_end);
}
END_TEST

CODE(fpu_error_code, "fninit\n fldcw 0x40000\n fldz\n fld1\n fdiv %st(1)\n fld1\n hlt");

static unsigned errors;

static void count_error(void *ctx) {
  (void)ctx;
  if (++errors == 3) cpu_set_ignne(fx.cpu, true);
}

/* An x87 instruction that waits for FERR#'s interrupt is not over either. */
START_TEST(resume_flag_lasts_while_the_x87_waits) {
  errors = 0;
  fixture_set_fpu_error(count_error);
  set_breakpoint(CODE_AT + 14, 1);
  HANDLER(X86_DB, resume_code);
  poke32(DATA, 0x37B);
  LOAD(fpu_error_code);
  run(5);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 17);
  ck_assert_uint_eq(errors, 3);
}
END_TEST

/* --- what never ends --- */

CODE(nops, "nop\n nop\n hlt");

/* The handler of #DB begins at a breakpoint itself: each delivery counts, so the run ends. */
START_TEST(a_breakpoint_at_its_own_handler_uses_the_budget_up) {
  set_breakpoint(HANDLERS + 16 * X86_DB, 1);
  LOAD(nops);
  set_eip(HANDLERS + 16 * X86_DB);
  run(100);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP - 100 * 12);
}
END_TEST

static const uint8_t ud2[] = {0x0F, 0x0B};

/*
 * #AC on the stack of ring 3, #PF on that of ring 0, in turn: each is delivered after the other, "serially". A
 * processor would go on for ever; here it is shutdown, as if it were #AC alone.
 */
START_TEST(alignment_checks_and_page_faults_in_turn_end) {
  enable_paging(true);
  mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | X86_CR0_AM};
  ck_assert(cpu_send(fx.cpu, &cr0));
  set_gate(X86_UD, CODE3, HANDLERS, GATE_USER);
  set_gate(X86_PF, CODE3, HANDLERS, GATE_USER);
  set_pte(STACK0_TOP - 0x1000, PTE_ABSENT);
  load_code(ud2, ud2 + 2);
  enter_ring3(2 | X86_AC_FLAG);
  set_reg(CPU_ESP, USER_STACK_TOP - 2);
  ck_assert_int_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
}
END_TEST

/* --- what is lost in a shutdown --- */

/* No vector but that of the second NMI has a gate: the first one's delivery is shutdown, and it is over. */
START_TEST(an_nmi_that_shuts_down_is_not_delivered_again) {
  mmu_req_t none = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 0};
  mmu_req_t all = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 0x7FF};
  LOAD(nops);
  ck_assert(cpu_send(fx.cpu, &none));
  cpu_set_nmi(fx.cpu);
  ck_assert_int_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
  ck_assert(cpu_send(fx.cpu, &all));
  ck_assert_int_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
}
END_TEST

START_TEST(an_interrupt_that_shuts_down_is_not_delivered_again) {
  mmu_req_t none = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 0};
  mmu_req_t all = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 0x7FF};
  LOAD(nops);
  HANDLER(X86_NMI, iret_code);
  set_flags(X86_IF | 2);
  ck_assert(cpu_send(fx.cpu, &none));
  fx.intr_vector = 0x20;
  cpu_set_intr(fx.cpu, true);
  ck_assert_int_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
  ck_assert(cpu_send(fx.cpu, &all));
  cpu_set_nmi(fx.cpu);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 3);
}
END_TEST

/* --- registers --- */

CODE(all_of_dr7, "mov $0x0000d800, %eax\n mov %eax, %dr7\n mov %dr7, %ebx\n hlt");

START_TEST(reserved_bits_of_dr7_read_as_fixed) {
  LOAD(all_of_dr7);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0x400);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_boundary");
  TCase *tcase = tcase_create("boundary");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, resume_flag_lasts_a_whole_repetition);
  tcase_add_test(tcase, resume_flag_lasts_while_the_x87_waits);
  tcase_add_test(tcase, a_breakpoint_at_its_own_handler_uses_the_budget_up);
  tcase_add_test(tcase, alignment_checks_and_page_faults_in_turn_end);
  tcase_add_test(tcase, an_nmi_that_shuts_down_is_not_delivered_again);
  tcase_add_test(tcase, an_interrupt_that_shuts_down_is_not_delivered_again);
  tcase_add_test(tcase, reserved_bits_of_dr7_read_as_fixed);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
