/*
 * System instructions, and the way from reset through real mode into protected mode.
 */
#include "cpu_fixture.h"

#define CODE16(name, text)                                                                                             \
  __asm__(".pushsection .rodata\n.code16\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name               \
          "_end:\n.code64\n.popsection\n");                                                                            \
  extern const uint8_t name[], name##_end[]

/* Starts real mode at 2000H:0 with the IVT at 0. */
static void real_mode(const uint8_t *from, const uint8_t *end) {
  mmu_req_t cr = {.op = MMU_OP_WRITE_CR, .cr = 0};
  mmu_req_t idt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = 0, .data = 0x3FF};
  ck_assert(cpu_send(fx.cpu, &cr) && cpu_send(fx.cpu, &idt));
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++) {
    uint16_t selector = s == MMU_SEG_CS ? CODE_AT >> 4 : 0;
    mmu_req_t req = {.op = MMU_OP_SET_SEG,
                     .seg = (uint8_t)s,
                     .reason = MMU_SET_RAW,
                     .selector = selector,
                     .offset = (uint64_t)selector << 4,
                     .data = 0xFFFF | (uint64_t)(s == MMU_SEG_CS ? 0x9B : 0x93) << 32 | UINT64_C(1) << 48};
    ck_assert(cpu_send(fx.cpu, &req));
  }
  load_code(from, end);
  set_eip(0);
  set_reg(CPU_ESP, 0x7000);
}

CODE16(boot, "cli\n mov $0x4000, %ax\n mov %ax, %ds\n mov %ax, %ss\n mov $0x1000, %sp\n movw $0x1234, 0x10\n"
             "mov %cs, %bx\n push %bx\n pop %es\n mov 0x10, %cx\n hlt");

START_TEST(real_mode_segments) {
  real_mode(boot, boot_end);
  run_to_halt();
  ck_assert_uint_eq(peek32(0x40010) & 0xFFFF, 0x1234);
  ck_assert_uint_eq(reg(CPU_ECX) & 0xFFFF, 0x1234);
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.seg[MMU_SEG_ES].base, CODE_AT);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].base, 0x40000);
  ck_assert_uint_eq(reg(CPU_ESP) & 0xFFFF, 0x1000);
}
END_TEST

CODE16(real_int, "int $0x21\n hlt");
CODE16(real_iret, "mov $7, %ax\n iret");

START_TEST(real_mode_interrupt) {
  real_mode(real_int, real_int_end);
  poke32(4 * 0x21, 0x3000 << 16 | 0x50);
  poke(0x30050, real_iret, (size_t)(real_iret_end - real_iret));
  set_flags(X86_IF | 2);
  run(1);
  ck_assert_uint_eq(eflags(), 2);
  ck_assert_uint_eq(reg(CPU_ESP), 0x7000 - 6);
  ck_assert_uint_eq(cpu_state(fx.cpu).seg[MMU_SEG_CS].selector, 0x3000);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 7);
  ck_assert_uint_eq(reg(CPU_ESP), 0x7000);
  ck_assert_uint_eq(eflags(), X86_IF | 2);
}
END_TEST

CODE16(real_iret_vif, "pushl $0x380002\n pushl $0x2000\n pushl $0x20\n iretl\n .fill 32, 1, 0xf4");

START_TEST(real_mode_iret_leaves_vif_and_vip) {
  real_mode(real_iret_vif, real_iret_vif_end);
  run(4);
  ck_assert_uint_eq(eip(), 0x20);
  ck_assert_uint_eq(eflags(), X86_ID | 2);
}
END_TEST

/* The classic switch: LGDT, CR0.PE, a far jump, data segments. The GDT's image is at 2000H:100H. */
CODE16(to_protected, "cli\n data32 lgdt %cs:0x100\n mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
                     "data32 ljmp $0x08, $0x20040");
CODE(protected_part, "mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %ss\n mov $0x80000, %esp\n push $0x55\n hlt");

START_TEST(switch_to_protected_mode) {
  real_mode(to_protected, to_protected_end);
  poke(CODE_AT + 0x40, protected_part, (size_t)(protected_part_end - protected_part));
  poke32(CODE_AT + 0x100, 0xFF | GDT << 16);
  poke32(CODE_AT + 0x104, GDT >> 16);
  run_to_halt();
  cpu_state_t s = cpu_state(fx.cpu);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, 8);
  ck_assert_uint_eq(s.cpl, 0);
  ck_assert_uint_eq(s.gdtr.base, GDT);
  ck_assert_uint_eq(peek32(0x80000 - 4), 0x55);
}
END_TEST

CODE(far_call, "lcall $0x08, $0x20010\n hlt\n .org far_call + 0x10\n mov $3, %eax\n lret");

START_TEST(far_call_and_return) {
  LOAD(far_call);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 8);
  ck_assert_uint_eq(reg(CPU_EAX), 3);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP);
  ck_assert_uint_eq(peek32(STACK_TOP - 4), CODE0);
  ck_assert_uint_eq(peek32(STACK_TOP - 8), CODE_AT + 7);
}
END_TEST

CODE(tables, "sgdt 0x40000\n sidt 0x40008\n str %eax\n sldt %ebx\n smsw %ecx\n hlt");

START_TEST(table_registers) {
  LOAD(tables);
  run_to_halt();
  ck_assert_uint_eq(peek32(DATA), 0xFF | GDT << 16);
  ck_assert_uint_eq(peek32(DATA + 8), 0x7FF | IDT << 16);
  ck_assert_uint_eq(reg(CPU_EAX), TSS_SELECTOR);
  ck_assert_uint_eq(reg(CPU_EBX), 0);
  ck_assert_uint_eq(reg(CPU_ECX) & 0xFFFF, 0x11);
}
END_TEST

CODE(control,
     "mov $0x10000, %eax\n mov %eax, %cr3\n mov %cr0, %eax\n or $0x80000000, %eax\n mov %eax, %cr0\n"
     "mov $0x90, %eax\n mov %eax, %cr4\n mov $0x1234, %eax\n mov %eax, %cr2\n mov %cr3, %ebx\n mov %cr2, %ecx\n"
     "mov %cr4, %edx\n invlpg (%ebx)\n hlt");

START_TEST(control_registers) {
  LOAD(control);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBX), 0x10000);
  ck_assert_uint_eq(reg(CPU_ECX), 0x1234);
  ck_assert_uint_eq(reg(CPU_EDX), 0x90);
  ck_assert_uint_eq(cpu_state(fx.cpu).cr0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET);
  ck_assert_uint_eq(mmu_cr(fx.mmu, 0), cpu_state(fx.cpu).cr0);
  ck_assert_uint_eq(mmu_cr(fx.mmu, 4), 0x90);
}
END_TEST

CODE(bad_cr4, "mov $0x20, %eax\n mov %eax, %cr4\n hlt"); /* PAE */

START_TEST(reserved_bit_of_cr4) {
  LOAD(bad_cr4);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(cpu_state(fx.cpu).cr4, 0);
}
END_TEST

CODE(identify, "rdtsc\n mov %eax, %esi\n mov $1, %eax\n cpuid\n hlt");

START_TEST(cpuid_and_rdtsc) {
  LOAD(identify);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_ESI), 0);
  ck_assert_uint_eq(reg(CPU_EDX) & 1, 1);       /* x87 */
  ck_assert_uint_eq(reg(CPU_EDX) >> 13 & 1, 1); /* PGE */
  ck_assert_uint_eq(reg(CPU_EAX) >> 8 & 15, 6);
}
END_TEST

CODE(looks, "mov $0x08, %ecx\n lar %ecx, %eax\n lsl %ecx, %ebx\n verr %cx\n setz %dl\n verw %cx\n setz %dh\n"
            "mov $0x78, %ecx\n lar %ecx, %esi\n hlt");

START_TEST(looking_at_descriptors) {
  LOAD(looks);
  set_reg(CPU_ESI, 77);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x00CF9B00);
  ck_assert_uint_eq(reg(CPU_EBX), 0xFFFFFFFF);
  ck_assert_uint_eq(reg(CPU_EDX) & 0xFFFF, 0x0001);
  ck_assert_uint_eq(reg(CPU_ESI), 77);
  ck_assert_uint_eq(eflags() & X86_ZF, 0);
}
END_TEST

CODE(ports, "mov $0x80, %edx\n in %dx, %al\n mov $0x40000, %edi\n mov $3, %ecx\n rep insb\n mov $0x40000, %esi\n"
            "mov $3, %ecx\n rep outsb\n hlt");

START_TEST(string_io) {
  LOAD(ports);
  fx.in_value = 0x42;
  run_to_halt();
  ck_assert_uint_eq(peek32(DATA), 0x424242);
  ck_assert_uint_eq(fx.out_count, 3);
  ck_assert_uint_eq(fx.last_out, 0x42);
  ck_assert_uint_eq(reg(CPU_EDI), DATA + 3);
  ck_assert_uint_eq(reg(CPU_ESI), DATA + 3);
}
END_TEST

CODE(smap_code, "stac\n pushf\n pop %eax\n clac\n pushf\n pop %ebx\n hlt");

START_TEST(stac_and_clac_reach_the_mmu) {
  LOAD(smap_code);
  unsigned from = fx.n_log;
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX) & X86_AC_FLAG, X86_AC_FLAG);
  ck_assert_uint_eq(reg(CPU_EBX) & X86_AC_FLAG, 0);
  bool seen = false;
  for (unsigned i = from; i < fx.n_log; i++) {
    if (fx.log[i].access == MMU_EXECUTE)
      ck_assert(!fx.log[i].ac);
    else
      seen = seen || fx.log[i].ac;
  }
  ck_assert(seen);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_system");
  TCase *tcase = tcase_create("system");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, real_mode_segments);
  tcase_add_test(tcase, real_mode_interrupt);
  tcase_add_test(tcase, real_mode_iret_leaves_vif_and_vip);
  tcase_add_test(tcase, switch_to_protected_mode);
  tcase_add_test(tcase, far_call_and_return);
  tcase_add_test(tcase, table_registers);
  tcase_add_test(tcase, control_registers);
  tcase_add_test(tcase, reserved_bit_of_cr4);
  tcase_add_test(tcase, cpuid_and_rdtsc);
  tcase_add_test(tcase, looking_at_descriptors);
  tcase_add_test(tcase, string_io);
  tcase_add_test(tcase, stac_and_clac_reach_the_mmu);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
