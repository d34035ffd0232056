/*
 * Instruction fetch: one transaction an instruction, limits, page crossings, invalid opcodes, self-modifying code.
 */
#include "cpu_fixture.h"

CODE(three, "mov $1, %eax\n inc %eax\n 1: jmp 1b");

/* The fetches in the log from entry `from` on. */
static unsigned fetches(unsigned from, mmu_req_t *last) {
  unsigned n = 0;
  for (unsigned i = from; i < fx.n_log; i++) {
    if (fx.log[i].op != MMU_OP_ACCESS || fx.log[i].access != MMU_EXECUTE) continue;
    *last = fx.log[i];
    n++;
  }
  return n;
}

START_TEST(a_known_instruction_is_one_fetch_of_its_length) {
  mmu_req_t last = {0};
  LOAD(three);
  run(3);
  set_eip(CODE_AT);
  unsigned from = fx.n_log;
  run(1);
  ck_assert_uint_eq(fetches(from, &last), 1);
  ck_assert_uint_eq(last.size, 5);
  ck_assert_uint_eq(last.seg, MMU_SEG_CS);
  from = fx.n_log;
  run(5);
  ck_assert_uint_eq(fetches(from, &last), 5);
  ck_assert_uint_eq(last.offset, CODE_AT + 6);
  ck_assert_uint_eq(last.size, 2);
  ck_assert_uint_eq(fx.n_log - from, 5);
}
END_TEST

/* --- page crossing --- */

CODE(five, "mov $0x11223344, %eax\n hlt");

START_TEST(instruction_across_pages_needs_the_second_page) {
  LOAD(five);
  enable_paging(true);
  uint32_t at = CODE_AT + 0x1000 - 2;
  poke(at, five, (size_t)(five_end - five));
  set_pte(CODE_AT + 0x1000, (CODE_AT + 0x1000) | PTE_ABSENT);
  set_eip(at);
  run_to_halt();
  ck_assert(halted_in(X86_PF));
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, CODE_AT + 0x1000);
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), at);
  ck_assert_uint_eq(reg(CPU_EAX), 0);

  set_pte(CODE_AT + 0x1000, (CODE_AT + 0x1000) | PTE_USER);
  set_eip(at);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x11223344);

  /* A hinted instruction, the page gone again. */
  set_pte(CODE_AT + 0x1000, (CODE_AT + 0x1000) | PTE_ABSENT);
  set_eip(at);
  run_to_halt();
  ck_assert(halted_in(X86_PF));
}
END_TEST

START_TEST(instruction_across_pages_sees_a_new_second_page) {
  LOAD(five);
  enable_paging(true);
  uint32_t at = CODE_AT + 0x1000 - 2;
  poke(at, five, (size_t)(five_end - five));
  set_eip(at);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x11223344);
  static const uint8_t other[] = {0x88, 0x77, 0x66, 0xF4};
  poke(0x50000, other, sizeof other);
  set_pte(CODE_AT + 0x1000, 0x50000 | PTE_USER);
  set_eip(at);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x66778844);
}
END_TEST

START_TEST(one_byte_at_the_end_of_a_page_needs_no_second_page) {
  LOAD(five);
  enable_paging(true);
  static const uint8_t hlt = 0xF4;
  poke(CODE_AT + 0xFFF, &hlt, 1);
  set_pte(CODE_AT + 0x1000, (CODE_AT + 0x1000) | PTE_ABSENT);
  set_eip(CODE_AT + 0xFFF);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 0x1000);
}
END_TEST

/* --- limits --- */

CODE(to_small_code, "ljmp $0x38, $0xfb");

START_TEST(instruction_beyond_the_code_limit) {
  poke(CODE_AT + 0xFB, five, 6);
  LOAD(to_small_code); /* limit FFH: MOV at FBH..FFH is inside, HLT at 100H is not */
  run(2);
  ck_assert_uint_eq(reg(CPU_EAX), 0x11223344);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), 0x100);
}
END_TEST

CODE(jump_out, ".byte 0xe9\n .long 0x1000\n hlt");
CODE(to_small_start, "ljmp $0x38, $0x40");

START_TEST(branch_beyond_the_limit_faults_at_the_branch) {
  poke(CODE_AT + 0x40, jump_out, 6);
  LOAD(to_small_start);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), 0x40);
}
END_TEST

/* --- invalid --- */

static void expect_fault(const char *bytes, unsigned n, unsigned vector) {
  uint8_t code[32];
  memset(code, 0x90, sizeof code);
  memcpy(code, bytes, n);
  load_code(code, code + sizeof code);
  run_to_halt();
  ck_assert_msg(halted_in(vector), "%02x %02x ...", code[0], code[1]);
}

START_TEST(invalid_opcodes) {
  expect_fault("\x0F\x0B", 2, X86_UD);     /* UD2 */
  expect_fault("\xF0\x90", 2, X86_UD);     /* LOCK NOP */
  expect_fault("\xF0\x89\xC8", 3, X86_UD); /* LOCK MOV */
  expect_fault("\xF0\x01\xC8", 3, X86_UD); /* LOCK ADD to a register */
  expect_fault("\x8E\xC8", 2, X86_UD);     /* MOV CS, EAX */
  expect_fault("\x8E\xF0", 2, X86_UD);     /* MOV of segment register 6 */
  expect_fault("\x0F\x22\xC8", 3, X86_UD); /* MOV CR1 */
  expect_fault("\xFE\xD0", 2, X86_UD);     /* FEH /2 */
  expect_fault("\xFF\xF8", 2, X86_UD);     /* FFH /7 */
  expect_fault("\x8D\xC0", 2, X86_UD);     /* LEA of a register */
  expect_fault("\xC5\xC0", 2, X86_UD);     /* LDS of a register is a VEX prefix */
  expect_fault("\x0F\xC7\xC8", 3, X86_UD); /* CMPXCHG8B of a register */
  expect_fault("\x0F\x01\xF8", 3, X86_UD); /* SWAPGS: 64-bit mode only */
  expect_fault("\x0F\x05", 2, X86_UD);     /* SYSCALL: not in CPUID */
  expect_fault("\x0F\x28\xC1", 3, X86_UD); /* MOVAPS: nor this */
  expect_fault("\x0F\x04", 2, X86_UD);     /* reserved */
}
END_TEST

START_TEST(sixteen_bytes_are_too_long) {
  expect_fault("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 16, X86_GP);
  expect_fault("\x2E\x2E\x2E\x2E\x2E\x2E\x2E\x2E\x2E\x2E\x81\x05\x00\x00\x04\x00\x00\x00\x00\x00", 20, X86_GP);
}
END_TEST

START_TEST(invalid_opcode_at_the_end_of_a_page_needs_no_more) {
  LOAD(five);
  enable_paging(true);
  poke(CODE_AT + 0xFFE, "\x0F\x04", 2);
  set_pte(CODE_AT + 0x1000, (CODE_AT + 0x1000) | PTE_ABSENT);
  set_eip(CODE_AT + 0xFFE);
  run_to_halt();
  ck_assert(halted_in(X86_UD));
}
END_TEST

/* --- self-modifying code --- */

/* Adds 1 to the immediate of the next instruction, four times. */
CODE(patch_next, "mov $4, %ecx\n 1: incb 2f - 1b + 0x20005 + 1\n 2: mov $0x10, %al\n dec %ecx\n jnz 1b\n hlt");

START_TEST(store_into_the_next_instruction) {
  LOAD(patch_next);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x14);
}
END_TEST

CODE(patch_by_movs,
     "mov $0x40000, %esi\n mov $0x20080, %edi\n mov $0x20080, %ebx\n movsb\n call *%ebx\n dec %edi\n movsb\n"
     "call *%ebx\n hlt");

START_TEST(new_code_replaces_old) {
  static const uint8_t routine[] = {0x40, 0xC3}; /* INC EAX; RET */
  LOAD(patch_by_movs);
  poke(0x20080, routine, sizeof routine);
  poke(DATA, "\x40\x48", 2); /* INC EAX, then DEC EAX */
  set_reg(CPU_EAX, 10);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 10);
}
END_TEST

START_TEST(memory_changed_by_others) {
  LOAD(five);
  run_to_halt();
  memcpy(fx.ram + CODE_AT + 1, "\x01\x00\x00\x00", 4);
  cpu_memory_changed(fx.cpu, CODE_AT + 4, 1);
  set_eip(CODE_AT);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 1);
}
END_TEST

/* The same bytes mean something else in 16-bit code. */
START_TEST(mode_is_part_of_the_key) {
  static const uint8_t code[] = {0xB8, 0x44, 0x33, 0x22, 0x11, 0xF4};
  LOAD(five);
  run_to_halt();
  set_descriptor(SMALL_CODE, descriptor(0, 0xFFFFF, 0x89B)); /* D = 0 */
  load_code(code, code + 5);
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_CS, .selector = SMALL_CODE, .reason = MMU_LOAD_CODE_JUMP};
  ck_assert(cpu_send(fx.cpu, &req));
  run(1);
  ck_assert_uint_eq(reg(CPU_EAX), 0x3344);
  ck_assert_uint_eq(eip(), CODE_AT + 3);
}
END_TEST

/* Two virtual pages, one after the other at the same address: the hint is right about EIP and wrong about the code. */
START_TEST(remapped_code) {
  LOAD(five);
  enable_paging(true);
  static const uint8_t other[] = {0x40, 0xF4};
  poke(0x50000, other, sizeof other);
  set_eip(CODE_AT);
  run_to_halt();
  set_pte(CODE_AT, 0x50000 | PTE_USER);
  set_eip(CODE_AT);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x11223345);
}
END_TEST

START_TEST(disassembly_has_no_effect) {
  char text[64];
  LOAD(five);
  unsigned from = fx.n_log;
  cpu_disassemble(fx.cpu, text, sizeof text);
  ck_assert_str_eq(text, "mov eax, 0x11223344");
  ck_assert_uint_eq(fx.n_log, from);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_fetch");
  TCase *tcase = tcase_create("fetch");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, a_known_instruction_is_one_fetch_of_its_length);
  tcase_add_test(tcase, instruction_across_pages_needs_the_second_page);
  tcase_add_test(tcase, instruction_across_pages_sees_a_new_second_page);
  tcase_add_test(tcase, one_byte_at_the_end_of_a_page_needs_no_second_page);
  tcase_add_test(tcase, instruction_beyond_the_code_limit);
  tcase_add_test(tcase, branch_beyond_the_limit_faults_at_the_branch);
  tcase_add_test(tcase, invalid_opcodes);
  tcase_add_test(tcase, sixteen_bytes_are_too_long);
  tcase_add_test(tcase, invalid_opcode_at_the_end_of_a_page_needs_no_more);
  tcase_add_test(tcase, store_into_the_next_instruction);
  tcase_add_test(tcase, new_code_replaces_old);
  tcase_add_test(tcase, memory_changed_by_others);
  tcase_add_test(tcase, mode_is_part_of_the_key);
  tcase_add_test(tcase, remapped_code);
  tcase_add_test(tcase, disassembly_has_no_effect);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
