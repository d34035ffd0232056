/*
 * Debug registers, breakpoints, single step, NMI, and the order in which events come.
 */
#include "cpu_fixture.h"

enum {
  BS = 1 << 14,
  BT = 1 << 15,
  BD = 1 << 13,
  DR6_FIXED = 0xFFFF0FF0,
  GD = 1 << 13,
};
enum { EXECUTE, WRITE, PORT, ACCESS }; /* DR7.R/Wn */

CODE(set_dr, "mov %eax, %dr0\n mov %ecx, %dr6\n mov %ebx, %dr7\n hlt");
CODE(get_dr, "mov %dr6, %eax\n mov %dr7, %ebx\n hlt");
CODE(iret_code, "iret");

/* Sets DR0 and DR7 as a debugger does; DR6 becomes 0. */
static void set_breakpoint(uint32_t address, uint32_t dr7) {
  LOAD(set_dr);
  set_reg(CPU_EAX, address);
  set_reg(CPU_EBX, dr7);
  run_to_halt();
}

static uint32_t enabled(unsigned condition, unsigned length) {
  return 1 | condition << 16 | (length - 1) << 18;
}

/* DR6 as a handler would read it. */
static uint32_t dr6(void) {
  cpu_state_t before = cpu_state(fx.cpu);
  poke(0x29000, get_dr, (size_t)(get_dr_end - get_dr));
  uint64_t gpr[8];
  memcpy(gpr, before.gpr, sizeof gpr);
  cpu_set_registers(fx.cpu, gpr, 0x29000, 2);
  run_to_halt();
  uint32_t value = reg(CPU_EAX);
  cpu_set_registers(fx.cpu, before.gpr, before.rip, before.rflags);
  return value;
}

/* --- registers --- */

CODE(dr_round, "mov $0xffffffff, %eax\n mov %eax, %dr6\n mov %dr6, %ebx\n mov %eax, %dr3\n mov %dr3, %ecx\n"
               "mov $0xffff0000, %eax\n mov %eax, %dr7\n mov %dr7, %edx\n .byte 0x0f, 0x21, 0xe6\n hlt"); /* dr4, esi */

START_TEST(reserved_bits_and_aliases) {
  LOAD(dr_round);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0xFFFFEFFF);
  ck_assert_uint_eq(reg(CPU_ECX), 0xFFFFFFFF);
  ck_assert_uint_eq(reg(CPU_EDX), 0xFFFF0400);
  ck_assert_uint_eq(reg(CPU_ESI), 0xFFFFEFFF); /* DR4 is DR6 */
  mmu_req_t cr4 = {.op = MMU_OP_WRITE_CR, .cr = 4, .data = X86_CR4_DE};
  ck_assert(cpu_send(fx.cpu, &cr4));
  LOAD(dr_round);
  run_to_halt();
  ck_assert(halted_in(X86_UD));
}
END_TEST

START_TEST(general_detect) {
  set_breakpoint(0, GD);
  LOAD(get_dr);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(frame(0), CODE_AT);
  ck_assert_uint_eq(frame(2) & X86_RF, X86_RF); /* a fault */
  ck_assert_uint_eq(dr6(), DR6_FIXED | BD);     /* GD is off in the handler */
}
END_TEST

/* --- instruction breakpoints --- */

CODE(nops, "nop\n nop\n nop\n hlt");

START_TEST(instruction_breakpoint_faults_and_rf_passes_it) {
  set_breakpoint(CODE_AT + 1, enabled(EXECUTE, 1));
  LOAD(nops);
  run(1);
  ck_assert_uint_eq(eip(), CODE_AT + 1);
  run(1); /* the handler's HLT */
  ck_assert_uint_eq(frame(0), CODE_AT + 1);
  ck_assert_uint_eq(frame(2) & X86_RF, 0); /* the handler has to set it */
  ck_assert_uint_eq(dr6(), DR6_FIXED | 1);

  LOAD(nops);
  set_eip(CODE_AT + 1);
  set_flags(X86_RF | 2);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 4);
  ck_assert_uint_eq(eflags() & X86_RF, 0);
}
END_TEST

START_TEST(instruction_breakpoint_comes_before_a_fetch_fault) {
  set_breakpoint(CODE_AT, enabled(EXECUTE, 1));
  enable_paging(true);
  LOAD(nops);
  set_pte(CODE_AT, PTE_ABSENT);
  run_to_halt();
  ck_assert(halted_in(X86_DB));
}
END_TEST

CODE(mov_ss, "mov %eax, %ss\n nop\n nop\n hlt");

START_TEST(instruction_breakpoint_behind_mov_ss_is_passed) {
  set_breakpoint(CODE_AT + 2, enabled(EXECUTE, 1));
  LOAD(mov_ss);
  set_reg(CPU_EAX, DATA0);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 5);
}
END_TEST

/* --- data breakpoints --- */

CODE(load_dword, "mov 0x40004, %eax\n nop\n hlt");
CODE(store_dword, "mov %eax, 0x40004\n nop\n hlt");
CODE(add_dword, "add %eax, 0x40004\n nop\n hlt");

/* Does an access of `code` at 40004H, 4 bytes, meet the breakpoint? */
static bool trapped(const uint8_t *from, const uint8_t *end, uint32_t address, uint32_t dr7, unsigned length) {
  set_breakpoint(address, dr7);
  load_code(from, end);
  run(1);
  if (eip() == CODE_AT + length) return false;
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(frame(0), CODE_AT + length);
  ck_assert_uint_eq(frame(2) & X86_RF, 0);
  ck_assert_uint_eq(dr6(), DR6_FIXED | 1);
  return true;
}

START_TEST(data_breakpoints_by_kind_and_place) {
  static const unsigned length[] = {1, 2, 4};
  for (unsigned l = 0; l < 3; l++) {
    for (uint32_t at = DATA; at < DATA + 16; at++) {
      uint32_t from = at & ~(length[l] - 1);
      bool meets = from < DATA + 8 && from + length[l] > DATA + 4;
      uint32_t write = enabled(WRITE, length[l]), access = enabled(ACCESS, length[l]);
      ck_assert(trapped(load_dword, load_dword_end, at, access, 5) == meets);
      ck_assert(!trapped(load_dword, load_dword_end, at, write, 5));
      ck_assert(trapped(store_dword, store_dword_end, at, access, 5) == meets);
      ck_assert(trapped(store_dword, store_dword_end, at, write, 5) == meets);
      ck_assert(trapped(add_dword, add_dword_end, at, write, 6) == meets);
      ck_assert(!trapped(store_dword, store_dword_end, at, write & ~1u, 5)); /* not enabled */
      ck_assert(trapped(store_dword, store_dword_end, at, (write & ~1u) | 2, 5) == meets);
    }
  }
}
END_TEST

CODE(rep_movs, "mov $0x40000, %edi\n mov $0x41000, %esi\n mov $4, %ecx\n rep movsl\n hlt");

START_TEST(data_breakpoint_between_iterations) {
  set_breakpoint(DATA + 4, enabled(WRITE, 4));
  LOAD(rep_movs);
  HANDLER(X86_DB, iret_code);
  run(5); /* three MOVs, two iterations */
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(frame(0), CODE_AT + 15);
  ck_assert_uint_eq(frame(2) & X86_RF, X86_RF);
  ck_assert_uint_eq(reg(CPU_ECX), 2);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_ECX), 0);
}
END_TEST

CODE(mov_ss_data, "mov 0x40004, %ss\n int $0x80\n nop");

START_TEST(a_fault_forgets_what_its_instruction_met) {
  static const uint8_t push_m[] = {0xFF, 0x35, 4, 0, 4, 0}; /* push dword [40004H]: reads, then cannot push */
  set_breakpoint(DATA + 4, enabled(ACCESS, 4));
  load_code(push_m, push_m + sizeof push_m);
  build_rings();
  enter_ring(3, 2);
  set_segment(MMU_SEG_SS, SMALL_DATA | 3, DATA, 0xFF, 0x4F3);
  set_reg(CPU_ESP, 0x1000);
  run(1);
  ck_assert(faulted(X86_SS, 0));
  ck_assert_uint_eq(dr6(), DR6_FIXED);
}
END_TEST

/* What MOV SS meets waits for the next instruction's end: here behind the delivery of INT. */
START_TEST(data_breakpoint_of_mov_ss_waits) {
  set_breakpoint(DATA + 4, enabled(ACCESS, 1));
  poke32(DATA + 4, DATA0);
  LOAD(mov_ss_data);
  run(1);
  ck_assert_uint_eq(eip(), CODE_AT + 6);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(frame(0), HANDLERS + 16 * 0x80);
  ck_assert_uint_eq(dr6(), DR6_FIXED | 1);
}
END_TEST

CODE(ports, "mov $0x3f8, %edx\n out %al, %dx\n in %dx, %eax\n hlt");

START_TEST(io_breakpoints_need_de) {
  set_breakpoint(0x3F9, enabled(PORT, 1));
  LOAD(ports);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 8);
  mmu_req_t cr4 = {.op = MMU_OP_WRITE_CR, .cr = 4, .data = X86_CR4_DE};
  ck_assert(cpu_send(fx.cpu, &cr4));
  LOAD(ports);
  run_to_halt();
  ck_assert(halted_in(X86_DB));
  ck_assert_uint_eq(frame(0), CODE_AT + 7); /* the byte at 3F8H did not meet 3F9H */
  ck_assert_uint_eq(dr6(), DR6_FIXED | 1);
}
END_TEST

/* --- single step --- */

CODE(tf_ss, "mov %eax, %ss\n nop\n nop");
CODE(tf_int, "int $0x80\n nop");

START_TEST(single_step_and_what_holds_it_back) {
  LOAD(nops);
  set_flags(X86_TF | 2);
  run(1);
  ck_assert_uint_eq(frame(0), CODE_AT + 1);
  ck_assert_uint_eq(dr6(), DR6_FIXED | BS);

  LOAD(tf_ss);
  set_reg(CPU_EAX, DATA0);
  set_flags(X86_TF | 2);
  run(1);
  ck_assert_uint_eq(eip(), CODE_AT + 2);
  run(1);
  ck_assert_uint_eq(frame(0), CODE_AT + 3);

  LOAD(tf_int); /* INT clears TF: its handler is not stepped into */
  set_flags(X86_TF | 2);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * 0x80);
}
END_TEST

CODE(iret_tf, "push $0x102\n push %cs\n push $0x20010\n iret\n .org iret_tf + 0x10\n nop\n nop");

START_TEST(iret_that_sets_tf_steps_the_next_instruction) {
  LOAD(iret_tf);
  run(4);
  ck_assert_uint_eq(eip(), CODE_AT + 0x10);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(frame(0), CODE_AT + 0x11);
}
END_TEST

/* --- NMI --- */

CODE(hlt_nop, "hlt\n nop\n hlt");

START_TEST(nmi_wakes_hlt_and_is_blocked_until_iret) {
  LOAD(hlt_nop);
  run_to_halt();
  poke(HANDLERS + 16 * X86_NMI, nops, (size_t)(nops_end - nops - 1));
  poke(HANDLERS + 16 * X86_NMI + 3, iret_code, 1);
  cpu_set_nmi(fx.cpu);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_NMI + 1);
  ck_assert_uint_eq(frame(0), CODE_AT + 1);
  cpu_set_nmi(fx.cpu);
  cpu_set_nmi(fx.cpu); /* one is latched */
  run(3);
  ck_assert_uint_eq(eip(), CODE_AT + 1); /* back, unblocked */
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_NMI + 1);
  run(3);
  run(1);
  ck_assert_uint_eq(eip(), CODE_AT + 2);
}
END_TEST

CODE(sti_mov_ss, "mov %eax, %ss\n nop\n nop");

START_TEST(nmi_comes_before_intr_and_waits_for_mov_ss) {
  LOAD(sti_mov_ss);
  set_reg(CPU_EAX, DATA0);
  set_flags(X86_IF | 2);
  run(1);
  fx.intr_vector = 0x20;
  cpu_set_intr(fx.cpu, true);
  cpu_set_nmi(fx.cpu);
  run(1);
  ck_assert_uint_eq(eip(), CODE_AT + 3);
  HANDLER(X86_NMI, iret_code);
  run(1); /* the NMI's handler */
  ck_assert_uint_eq(fx.acks, 0);
  run(1);
  ck_assert_uint_eq(fx.acks, 1);
}
END_TEST

START_TEST(nmi_ends_shutdown) {
  static const uint8_t ud2[] = {0x0F, 0x0B};
  load_code(ud2, ud2 + 2);
  mmu_req_t small = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = IDT, .data = 8 * 3 - 1};
  ck_assert(cpu_send(fx.cpu, &small)); /* NMI has a gate, exceptions have not */
  ck_assert_uint_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
  cpu_set_nmi(fx.cpu);
  run_to_halt();
  ck_assert(halted_in(X86_NMI));
}
END_TEST

/* A trap of the previous instruction, then NMI, then the breakpoint of the next instruction. */
START_TEST(order_of_events) {
  set_breakpoint(CODE_AT + 1, enabled(EXECUTE, 1));
  LOAD(nops);
  set_flags(X86_TF | 2);
  cpu_set_nmi(fx.cpu);
  run(1); /* the NMI comes before the first NOP, its handler is one HLT */
  ck_assert(halted_in(X86_NMI));
  ck_assert_uint_eq(frame(0), CODE_AT);
  HANDLER(X86_NMI, iret_code);
  LOAD(nops);
  set_flags(X86_TF | 2);
  HANDLER(X86_DB, iret_code);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB);
  ck_assert_uint_eq(dr6(), DR6_FIXED | BS); /* not yet B0 */
}
END_TEST

/* --- reset --- */

CODE(time_code, "rdtsc");

START_TEST(reset_is_like_a_new_cpu) {
  set_breakpoint(DATA, enabled(ACCESS, 4));
  LOAD(nops);
  cpu_set_nmi(fx.cpu);
  cpu_reset(fx.cpu);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.rip, 0xFFF0);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].base, 0xFFFF0000);
  ck_assert_uint_eq(s.cr0, X86_CR0_CD | X86_CR0_NW | X86_CR0_ET);
  ck_assert_uint_eq(s.rflags, 2);
  ck_assert_uint_eq(s.gdtr.base, 0);
  ck_assert_uint_eq(s.gdtr.limit, 0xFFFF);
  for (unsigned r = 0; r < 8; r++) {
    if (r != CPU_EDX) ck_assert_uint_eq(s.gpr[r], 0);
  }
  poke(0x100, time_code, (size_t)(time_code_end - time_code));
  set_segment(MMU_SEG_CS, 0, 0, 0xFFFF, 0x09B);
  set_eip(0x100);
  run(1);
  ck_assert_uint_eq(reg(CPU_EAX), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_debug");
  TCase *tcase = tcase_create("debug");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, reserved_bits_and_aliases);
  tcase_add_test(tcase, general_detect);
  tcase_add_test(tcase, instruction_breakpoint_faults_and_rf_passes_it);
  tcase_add_test(tcase, instruction_breakpoint_comes_before_a_fetch_fault);
  tcase_add_test(tcase, instruction_breakpoint_behind_mov_ss_is_passed);
  tcase_add_test(tcase, data_breakpoints_by_kind_and_place);
  tcase_add_test(tcase, data_breakpoint_between_iterations);
  tcase_add_test(tcase, a_fault_forgets_what_its_instruction_met);
  tcase_add_test(tcase, data_breakpoint_of_mov_ss_waits);
  tcase_add_test(tcase, io_breakpoints_need_de);
  tcase_add_test(tcase, single_step_and_what_holds_it_back);
  tcase_add_test(tcase, iret_that_sets_tf_steps_the_next_instruction);
  tcase_add_test(tcase, nmi_wakes_hlt_and_is_blocked_until_iret);
  tcase_add_test(tcase, nmi_comes_before_intr_and_waits_for_mov_ss);
  tcase_add_test(tcase, nmi_ends_shutdown);
  tcase_add_test(tcase, order_of_events);
  tcase_add_test(tcase, reset_is_like_a_new_cpu);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
