/*
 * What differs between the processors besides their opcodes: CPUID, flags, control registers, model-specific registers.
 */
#include "cpu_fixture.h"

static void expect_at(unsigned vector) {
  run_to_halt();
  ck_assert_msg(halted_in(vector), "vector %u", vector);
}

CODE(flags_toggle, "pushf\n pop %eax\n xor $0x240000, %eax\n push %eax\n popf\n pushf\n pop %ebx\n hlt");

START_TEST(flags_of_later_processors_do_not_toggle) {
  static const uint32_t toggles[] = {0, 0x240000, 0x240000, 0x240000};
  for (unsigned p = CPU_386; p <= CPU_PPRO; p++) {
    LOAD(flags_toggle);
    cpu_set_profile(fx.cpu, (cpu_profile_t)p);
    set_eip(CODE_AT);
    run_to_halt();
    ck_assert_uint_eq(reg(CPU_EBX) & 0x240000, toggles[p]);
  }
}
END_TEST

CODE(identify, "cpuid\n mov %eax, %esi\n mov $1, %eax\n cpuid\n hlt");

START_TEST(cpuid_tells_the_truth) {
  static const struct {
    uint32_t leaves, family, features;
  } expected[] = {{0, 0, 0}, {1, 4, 0x1}, {1, 5, 0x13D}, {7, 6, 0x100AB3D}};
  for (unsigned p = CPU_486; p <= CPU_PPRO; p++) {
    cpu_set_profile(fx.cpu, (cpu_profile_t)p);
    LOAD(identify);
    run_to_halt();
    ck_assert_uint_eq(reg(CPU_ESI), expected[p].leaves);
    ck_assert_uint_eq(reg(CPU_EAX) >> 8 & 15, expected[p].family);
    ck_assert_uint_eq(reg(CPU_EDX), expected[p].features);
  }
  cpu_set_profile(fx.cpu, CPU_386);
  LOAD(identify);
  expect_at(X86_UD);
}
END_TEST

CODE(write_cr4, "mov %eax, %cr4\n mov %cr4, %ebx\n hlt");

START_TEST(cr4_has_the_bits_of_the_processor) {
  static const uint32_t allowed[] = {0, 0, X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE, 0x30039C};
  for (unsigned p = CPU_PENTIUM; p <= CPU_PPRO; p++) {
    for (unsigned bit = 0; bit < 32; bit++) {
      fixture_down();
      fixture_up();
      cpu_set_profile(fx.cpu, (cpu_profile_t)p);
      LOAD(write_cr4);
      set_reg(CPU_EAX, 1u << bit);
      run_to_halt();
      bool fits = allowed[p] >> bit & 1;
      ck_assert_msg(eip() == (fits ? CODE_AT + 7 : HANDLERS + 16 * X86_GP + 1), "profile %u, bit %u", p, bit);
      ck_assert_uint_eq(cpu_state(fx.cpu).cr4, fits ? 1u << bit : 0);
    }
  }
}
END_TEST

CODE(write_cr0, "mov $0x60050033, %eax\n mov %eax, %cr0\n mov %cr0, %ebx\n smsw %ecx\n hlt");

START_TEST(cr0_of_the_386_has_fewer_bits) {
  cpu_set_profile(fx.cpu, CPU_386);
  LOAD(write_cr0);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0x13);
  ck_assert_uint_eq(reg(CPU_ECX), 0x13);
  cpu_set_profile(fx.cpu, CPU_486);
  LOAD(write_cr0);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0x60050033);
}
END_TEST

CODE(test_registers, "mov $0x1234, %eax\n .byte 0x0f, 0x26, 0xf0\n .byte 0x0f, 0x24, 0xf3\n hlt"); /* TR6 */

START_TEST(test_registers_keep_their_values) {
  cpu_set_profile(fx.cpu, CPU_386);
  LOAD(test_registers);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0x1234);
}
END_TEST

CODE(read_msr, "rdmsr\n hlt");
CODE(write_msr, "wrmsr\n hlt");

static bool msr_exists(uint32_t number) {
  LOAD(read_msr);
  set_reg(CPU_ECX, number);
  run_to_halt();
  return eip() == CODE_AT + 3;
}

START_TEST(model_specific_registers) {
  static const uint32_t of_the_ppro[] = {0x1B, 0x8B, 0x174, 0x175, 0x176};
  for (unsigned i = 0; i < sizeof of_the_ppro / sizeof *of_the_ppro; i++)
    ck_assert(msr_exists(of_the_ppro[i]));
  ck_assert(msr_exists(0x1B));
  ck_assert_uint_eq(reg(CPU_EAX), 0xFEE00900);
  ck_assert(!msr_exists(0xFE));
  ck_assert(!msr_exists(0xC0000080));
  LOAD(write_msr);
  set_reg(CPU_ECX, 0x1B);
  set_reg(CPU_EAX, 0xFEE01900);
  expect_at(X86_GP);
  cpu_set_profile(fx.cpu, CPU_PENTIUM);
  ck_assert(msr_exists(0x10));
  ck_assert(!msr_exists(0x1B));
  enter_ring3(2);
  ck_assert(!msr_exists(0x10));
}
END_TEST

CODE(time_stamps, "xor %edx, %edx\n mov $0x1000, %eax\n mov $0x10, %ecx\n wrmsr\n rdtsc\n hlt");
CODE(time_3, "rdtsc\n hlt");

START_TEST(time_is_the_instruction_count) {
  LOAD(time_stamps);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x1001);
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = 4, .data = X86_CR4_TSD};
  ck_assert(cpu_send(fx.cpu, &req));
  LOAD(time_3);
  run(1);
  enter_ring3(2);
  set_eip(CODE_AT);
  expect_at(X86_GP);
}
END_TEST

/* SYSENTER to HANDLERS + 800H, SYSEXIT back to HLT at CODE_AT + 100H, which CPL 3 may not execute. */
CODE(fast_call, "mov $0x174, %ecx\n mov $0x08, %eax\n wrmsr\n inc %ecx\n mov $0x88000, %eax\n wrmsr\n inc %ecx\n"
                "mov $0x30800, %eax\n wrmsr\n sysenter");
CODE(fast_return, "mov $0x20100, %edx\n mov $0xa0000, %ecx\n sysexit");

START_TEST(sysenter_and_sysexit) {
  LOAD(fast_call);
  set_flags(X86_IF | 2);
  poke(HANDLERS + 0x800, fast_return, (size_t)(fast_return_end - fast_return));
  run(10);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(eip(), HANDLERS + 0x800);
  ck_assert_uint_eq(reg(CPU_ESP), 0x88000);
  ck_assert_uint_eq(eflags() & X86_IF, 0);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].selector, 0x10);
  run(3);
  s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, 0x1B);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].selector, 0x23);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].attr, 0xCF3);
  ck_assert_uint_eq(eip(), 0x20100);
  ck_assert_uint_eq(reg(CPU_ESP), 0xA0000);
}
END_TEST

CODE(bare_sysenter, "sysenter");
CODE(bare_sysexit, "sysexit");

START_TEST(sysenter_needs_its_selector) {
  LOAD(bare_sysenter);
  expect_at(X86_GP);
  LOAD(bare_sysexit);
  expect_at(X86_GP);
}
END_TEST

CODE(counter, "rdpmc\n hlt");

START_TEST(there_is_no_performance_counter) {
  LOAD(counter);
  expect_at(X86_GP);
  cpu_set_profile(fx.cpu, CPU_PENTIUM);
  LOAD(counter);
  expect_at(X86_UD);
}
END_TEST

CODE(ask_features, "mov $7, %eax\n xor %ecx, %ecx\n cpuid\n mov %ebx, %esi\n mov $1, %eax\n cpuid\n hlt");
CODE(set_pse, "mov $0x10, %eax\n mov %eax, %cr4\n hlt");
CODE(set_smep, "mov $0x100000, %eax\n mov %eax, %cr4\n hlt");

/* What the MMU has not, CPUID does not report and CR4 refuses; the rest stays. */
START_TEST(what_the_mmu_lacks) {
  cpu_lack(fx.cpu, X86_CR4_PSE | X86_CR4_SMAP);
  LOAD(ask_features);
  run(7);
  ck_assert_uint_eq(reg(CPU_EDX) & (1 << 3 | 1 << 13), 1 << 13); /* PSE, PGE */
  ck_assert_uint_eq(reg(CPU_ESI), 1 << 7);                       /* SMEP, SMAP */
  LOAD(set_pse);
  expect_at(X86_GP);
  LOAD(set_smep);
  run(3);
}
END_TEST

START_TEST(profiles_have_names) {
  cpu_profile_t profile;
  ck_assert(cpu_profile_by_name("pentium", &profile) && profile == CPU_PENTIUM);
  ck_assert(!cpu_profile_by_name("686", &profile));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_profile");
  TCase *tcase = tcase_create("profile");
  tcase_set_timeout(tcase, 0);
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, flags_of_later_processors_do_not_toggle);
  tcase_add_test(tcase, cpuid_tells_the_truth);
  tcase_add_test(tcase, cr4_has_the_bits_of_the_processor);
  tcase_add_test(tcase, cr0_of_the_386_has_fewer_bits);
  tcase_add_test(tcase, test_registers_keep_their_values);
  tcase_add_test(tcase, model_specific_registers);
  tcase_add_test(tcase, time_is_the_instruction_count);
  tcase_add_test(tcase, sysenter_and_sysexit);
  tcase_add_test(tcase, sysenter_needs_its_selector);
  tcase_add_test(tcase, there_is_no_performance_counter);
  tcase_add_test(tcase, what_the_mmu_lacks);
  tcase_add_test(tcase, profiles_have_names);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
