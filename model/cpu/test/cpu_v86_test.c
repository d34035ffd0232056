/*
 * Virtual-8086 mode: entered by IRET, left by interrupts, sensitive to IOPL; and what real mode shares with it.
 */
#include "cpu_fixture.h"

#define CODE16(name, text)                                                                                             \
  __asm__(".pushsection .rodata\n.code16\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name               \
          "_end:\n.code64\n.popsection\n");                                                                            \
  extern const uint8_t name[], name##_end[]

enum {
  V86_CS = CODE_AT >> 4,
  V86_SS = 0x7000,
  V86_SP = 0x800,
  V86_DS = 0x4000,
  IOPL_3 = X86_IOPL,
};

static cpu_state_t state(void) {
  return cpu_state(fx.cpu);
}

static uint16_t peek16(uint32_t paddr) {
  return (uint16_t)(peek8(paddr) | peek8(paddr + 1) << 8);
}

CODE(iret_code, "iret");

/* Puts 16-bit code at 2000H:0 and enters it from ring 0 by IRET, as a monitor does. */
static void enter_v86(const uint8_t *from, const uint8_t *end, uint32_t flags) {
  static const uint32_t segs[4] = {0x1000, V86_DS, 0x3333, 0x4444}; /* ES DS FS GS */
  const uint32_t image[9] = {0,       V86_CS, flags | X86_VM | 2, 0xABCD0000 | V86_SP, V86_SS, segs[0], segs[1],
                             segs[2], segs[3]};
  fixture_down();
  fixture_up();
  load_code(from, end);
  poke(HANDLERS - 16, iret_code, 1);
  set_eip(HANDLERS - 16);
  poke(0x60000, image, sizeof image);
  set_reg(CPU_ESP, 0x60000);
  run(1);
}
#define ENTER(name, flags) enter_v86(name, name##_end, flags)

CODE16(nop_code, "nop\n nop");

START_TEST(iret_enters) {
  ENTER(nop_code, X86_IF | X86_NT | X86_VIF | X86_RF);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rip, 0);
  ck_assert_uint_eq(s.rflags, X86_VM | X86_IF | X86_NT | X86_VIF | X86_RF | 2);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.gpr[CPU_ESP], 0xABCD0000 | V86_SP);
  static const uint16_t selector[6] = {0x1000, V86_CS, V86_SS, V86_DS, 0x3333, 0x4444};
  for (unsigned i = 0; i < 6; i++) {
    ck_assert_uint_eq(s.seg[i].selector, selector[i]);
    ck_assert_uint_eq(s.seg[i].base, selector[i] << 4);
    ck_assert_uint_eq(s.seg[i].limit, 0xFFFF);
    ck_assert_uint_eq(s.seg[i].attr, 0x0F3);
  }
}
END_TEST

CODE16(int_80, "int $0x80");
CODE16(int_3, "int3");
CODE16(fault_code, "mov %ds:0xFFFF, %ax"); /* a word across the end */

/* The handler's frame after an event in virtual-8086 mode. first: index of EIP in it. */
static void expect_frame(unsigned first, uint32_t eip_after, uint32_t flags) {
  const uint32_t expected[9] = {eip_after, V86_CS, flags | X86_VM | 2, 0xABCD0000 | V86_SP, V86_SS, 0x1000, V86_DS,
                                0x3333,    0x4444};
  for (unsigned i = 0; i < 9; i++)
    ck_assert_uint_eq(frame(first + i), expected[i]);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.gpr[CPU_ESP], STACK0_TOP - 36 - 4 * first);
  ck_assert_uint_eq(s.cpl, 0);
  ck_assert_uint_eq(s.rflags & X86_VM, 0);
  static const uint8_t null[] = {MMU_SEG_ES, MMU_SEG_DS, MMU_SEG_FS, MMU_SEG_GS};
  for (unsigned i = 0; i < 4; i++)
    ck_assert(!s.seg[null[i]].usable && s.seg[null[i]].selector == 0);
}

START_TEST(interrupts_leave_and_push_the_data_segments) {
  ENTER(int_80, IOPL_3 | X86_IF);
  set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_USER);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * 0x80);
  expect_frame(0, 2, IOPL_3 | X86_IF);

  ENTER(fault_code, X86_IF);
  run(1);
  ck_assert(faulted(X86_GP, 0));
  expect_frame(1, 0, X86_IF | X86_RF);

  ENTER(nop_code, X86_IF);
  fx.intr_vector = 0x21;
  cpu_set_intr(fx.cpu, true);
  run(1);
  expect_frame(0, 0, X86_IF);
}
END_TEST

START_TEST(a_16_bit_gate_pushes_words) {
  ENTER(int_80, IOPL_3);
  set_gate(0x80, CODE0, 0x9000, 0xE6);
  run(1);
  ck_assert_uint_eq(eip(), 0x9000);
  uint32_t esp = reg(CPU_ESP);
  ck_assert_uint_eq(esp, STACK0_TOP - 18);
  static const uint16_t expected[9] = {2, V86_CS, IOPL_3 | 2, V86_SP, V86_SS, 0x1000, V86_DS, 0x3333, 0x4444};
  for (unsigned i = 0; i < 9; i++)
    ck_assert_uint_eq(peek16(esp + 2 * i), expected[i]);
}
END_TEST

START_TEST(int_n_needs_iopl_and_a_handler_of_ring_0) {
  ENTER(int_80, 0);
  set_gate(0x80, CODE0, HANDLERS + 16 * 0x80, GATE_USER);
  run(1);
  ck_assert(faulted(X86_GP, 0));
  ENTER(int_80, IOPL_3); /* the gate's DPL is 0 */
  run(1);
  ck_assert(faulted(X86_GP, 0x80 * 8 + 2));
  ENTER(int_3, 0); /* INT3 is not sensitive to IOPL */
  set_gate(3, CODE0, HANDLERS + 16 * 3, GATE_USER);
  run(1);
  expect_frame(0, 1, 0);
  for (unsigned conforming = 0; conforming < 2; conforming++) {
    ENTER(int_80, IOPL_3);
    build_rings();
    set_gate(0x80, conforming ? RING_CONFORMING : RING_CODE + 24, 0x9000, GATE_USER);
    run(1);
    ck_assert(faulted(X86_GP, conforming ? RING_CONFORMING : RING_CODE + 24));
  }
}
END_TEST

/* --- what is sensitive, privileged, absent --- */

static const struct {
  const char *name;
  uint8_t bytes[6];
  uint8_t low, high; /* vector with IOPL 0, with IOPL 3; 255: none */
} instructions[] = {
    {"cli", {0xFA}, X86_GP, 255},
    {"sti", {0xFB}, X86_GP, 255},
    {"pushf", {0x9C}, X86_GP, 255},
    {"popf", {0x9D}, X86_GP, 255},
    {"pushfd", {0x66, 0x9C}, X86_GP, 255},
    {"iret", {0xCF}, X86_GP, 255},
    {"in", {0xE4, 0x60}, X86_GP, X86_GP}, /* the TSS has no map */
    {"out", {0xEF}, X86_GP, X86_GP},
    {"insb", {0x6C}, X86_GP, X86_GP},
    {"outsb", {0x6E}, X86_GP, X86_GP},
    {"hlt", {0xF4}, X86_GP, X86_GP},
    {"clts", {0x0F, 0x06}, X86_GP, X86_GP},
    {"lmsw", {0x0F, 0x01, 0xF0}, X86_GP, X86_GP},
    {"lgdt", {0x0F, 0x01, 0x16, 0, 0}, X86_GP, X86_GP},
    {"mov cr0", {0x0F, 0x20, 0xC0}, X86_GP, X86_GP},
    {"mov dr0", {0x0F, 0x21, 0xC0}, X86_GP, X86_GP},
    {"invlpg", {0x0F, 0x01, 0x3E, 0, 0}, X86_GP, X86_GP},
    {"smsw", {0x0F, 0x01, 0xE0}, 255, 255},
    {"sgdt", {0x0F, 0x01, 0x06, 0, 0}, 255, 255},
    {"sldt", {0x0F, 0x00, 0xC0}, X86_UD, X86_UD},
    {"str", {0x0F, 0x00, 0xC8}, X86_UD, X86_UD},
    {"lldt", {0x0F, 0x00, 0xD0}, X86_UD, X86_UD},
    {"ltr", {0x0F, 0x00, 0xD8}, X86_UD, X86_UD},
    {"verr", {0x0F, 0x00, 0xE0}, X86_UD, X86_UD},
    {"verw", {0x0F, 0x00, 0xE8}, X86_UD, X86_UD},
    {"lar", {0x0F, 0x02, 0xC0}, X86_UD, X86_UD},
    {"lsl", {0x0F, 0x03, 0xC0}, X86_UD, X86_UD},
    {"arpl", {0x63, 0xC0}, X86_UD, X86_UD},
};

START_TEST(sensitive_and_privileged_instructions) {
  for (unsigned high = 0; high < 2; high++) {
    unsigned vector = high ? instructions[_i].high : instructions[_i].low;
    enter_v86(instructions[_i].bytes, instructions[_i].bytes + 6, high ? IOPL_3 : 0);
    run(1);
    bool in_v86 = state().rflags & X86_VM;
    ck_assert_msg(in_v86 == (vector == 255), "%s, IOPL %u", instructions[_i].name, 3 * high);
    if (!in_v86) ck_assert_uint_eq(eip(), HANDLERS + 16 * vector);
  }
}
END_TEST

CODE16(popf_code, "pushl $0xffffffff\n popfl\n pushfl\n pop %eax");

START_TEST(popf_leaves_what_is_the_monitors) {
  ENTER(popf_code, IOPL_3);
  run(2);
  /* TF traps behind the next instruction. */
  ck_assert_uint_eq(state().rflags, X86_VM | IOPL_3 | X86_ID | X86_AC_FLAG | X86_NT | X86_IF | X86_TF | X86_CF |
                                        X86_PF_FLAG | X86_AF | X86_ZF | X86_SF | X86_DF_FLAG | X86_OF_FLAG | 2);
}
END_TEST

CODE16(segments, "mov $0x4100, %ax\n mov %ax, %es\n movw $0x55aa, %es:0\n lcall $0x2001, $0x20\n hlt\n"
                 ".org segments + 0x30\n push %ds\n pop %fs\n lret");

START_TEST(segment_registers_shift_and_far_calls_work) {
  ENTER(segments, 0);
  run(7); /* up to and with LRET */
  cpu_state_t s = state();
  ck_assert_uint_eq(s.seg[MMU_SEG_ES].base, 0x41000);
  ck_assert_uint_eq(s.seg[MMU_SEG_ES].attr, 0x0F3);
  ck_assert_uint_eq(s.seg[MMU_SEG_FS].base, 0x40000);
  ck_assert_uint_eq(peek16(0x41000), 0x55AA);
  ck_assert_uint_eq(s.seg[MMU_SEG_CS].selector, V86_CS);
  ck_assert_uint_eq(s.gpr[CPU_ESP], 0xABCD0000 | V86_SP);
  run(1); /* HLT is the monitor's */
  ck_assert(faulted(X86_GP, 0));
}
END_TEST

/* A monitor that simulates INT 21H for its guest: HANDLERS + #GP runs it. */
CODE16(guest, "mov $7, %ax\n int $0x21\n mov %ax, %bx\n cli\n");
CODE16(guest_handler, "add $1, %ax\n iret");

START_TEST(monitor_round_trip) {
  ENTER(guest, X86_IF);
  run(2); /* INT 21H: #GP in the monitor */
  ck_assert(faulted(X86_GP, 0));
  /* The monitor pushes FLAGS, CS, IP on the guest's stack and goes to the guest's handler at 2000H:100H. */
  poke(CODE_AT + 0x100, guest_handler, (size_t)(guest_handler_end - guest_handler));
  uint32_t sp = (V86_SS << 4) + V86_SP;
  uint16_t image[3] = {5, V86_CS, X86_IF | 2};
  poke(sp - 6, image, sizeof image);
  uint32_t esp = reg(CPU_ESP);
  poke32(esp + 4, 0x100);
  poke32(esp + 16, V86_SP - 6);
  poke32(esp + 12, frame(3) | IOPL_3); /* this guest's IRET need not be simulated */
  set_reg(CPU_ESP, esp + 4);
  set_eip(HANDLERS - 16);
  run(4); /* IRET of the monitor, ADD, IRET of the guest, MOV */
  ck_assert_uint_eq(reg(CPU_EBX), 8);
  ck_assert_uint_eq(state().rflags & (X86_VM | X86_IF), X86_VM | X86_IF);
  ck_assert_uint_eq(eip(), 7);
  ck_assert_uint_eq(reg(CPU_ESP), V86_SP);
}
END_TEST

/* --- real mode --- */

/* Starts real mode at 2000H:0 with the IVT at 0 and flat-free segments. */
static void real_mode(const uint8_t *from, const uint8_t *end) {
  mmu_req_t cr = {.op = MMU_OP_WRITE_CR, .cr = 0};
  mmu_req_t idt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = 0, .data = 0x3FF};
  ck_assert(cpu_send(fx.cpu, &cr) && cpu_send(fx.cpu, &idt));
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++)
    set_segment(s, s == MMU_SEG_CS ? V86_CS : 0, s == MMU_SEG_CS ? CODE_AT : 0, 0xFFFF, 0x93);
  load_code(from, end);
  set_eip(0);
  set_reg(CPU_ESP, 0x7000);
  for (unsigned v = 0; v < 32; v++)
    poke32(4 * v, (0x3000 << 16) | v);
}
#define REAL(name) real_mode(name, name##_end)

CODE16(real_fault, "mov %ds:0xFFFF, %ax");
CODE16(real_lar, "lar %ax, %ax");

START_TEST(real_mode_exceptions_push_no_error_code) {
  REAL(real_fault);
  set_flags(X86_IF | X86_AC_FLAG | 2);
  run(1);
  ck_assert_uint_eq(eip(), X86_GP);
  ck_assert_uint_eq(state().seg[MMU_SEG_CS].base, 0x30000);
  ck_assert_uint_eq(reg(CPU_ESP), 0x7000 - 6);
  ck_assert_uint_eq(peek16(0x6FFA), 0);
  ck_assert_uint_eq(peek16(0x6FFC), V86_CS);
  ck_assert_uint_eq(peek16(0x6FFE), X86_IF | 2);
  ck_assert_uint_eq(eflags(), 2);
  REAL(real_lar);
  run(1);
  ck_assert_uint_eq(eip(), X86_UD);
}
END_TEST

START_TEST(real_mode_vector_beyond_the_table) {
  REAL(int_80);
  mmu_req_t idt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = 0, .data = 0x80 * 4 + 2};
  ck_assert(cpu_send(fx.cpu, &idt));
  run(1);
  ck_assert_uint_eq(eip(), X86_GP);
}
END_TEST

/* Limits of 4 GiB, loaded in protected mode, outlast the way back and loads of selectors. */
CODE16(unreal, "mov %cr0, %eax\n or $1, %al\n lmsw %ax\n mov $0x10, %bx\n mov %bx, %ds\n and $0xfe, %al\n"
               "mov %eax, %cr0\n ljmp $0x2000, $0x40\n .org unreal + 0x40\n mov $0x100, %ax\n mov %ax, %ds\n"
               "movl $0x12345678, %ds:(%esi)\n hlt");

START_TEST(unreal_mode) {
  REAL(unreal);
  set_reg(CPU_ESI, 0x200000);
  run_to_halt();
  ck_assert_uint_eq(peek32(0x201000), 0x12345678);
  ck_assert_uint_eq(state().cr0 & X86_CR0_PE, 0);
  ck_assert_uint_eq(state().seg[MMU_SEG_DS].limit, 0xFFFFFFFF);
}
END_TEST

CODE16(lmsw_code, "mov $1, %ax\n lmsw %ax\n xor %ax, %ax\n lmsw %ax\n smsw %ax\n hlt");

START_TEST(lmsw_cannot_leave_protected_mode) {
  REAL(lmsw_code);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX) & 1, 1);
}
END_TEST

CODE16(sp_wrap, "mov $2, %sp\n push $0x1111\n push $0x2222\n pop %ax\n pop %bx\n hlt");

START_TEST(sp_wraps) {
  REAL(sp_wrap);
  set_reg(CPU_ESP, 0x50000);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX) & 0xFFFF, 0x2222);
  ck_assert_uint_eq(reg(CPU_EBX) & 0xFFFF, 0x1111);
  ck_assert_uint_eq(reg(CPU_ESP), 0x50002);
  ck_assert_uint_eq(peek16(0xFFFE), 0x2222);
}
END_TEST

/* --- 16-bit protected mode --- */

CODE16(code_16, "push $0x1234\n pushf\n call 1f\n hlt\n 1: mov %sp, %bp\n mov 4(%bp), %ax\n ret");

START_TEST(sixteen_bit_code_and_expand_down_stack) {
  load_code(code_16, code_16_end);
  set_segment(MMU_SEG_CS, FREE, CODE_AT, 0xFFFF, 0x09B);
  set_segment(MMU_SEG_SS, FREE + 8, DATA, 0x0FFF, 0x097); /* 1000H to FFFFH */
  set_eip(0);
  set_reg(CPU_ESP, 0x55550000);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x1234);
  ck_assert_uint_eq(peek16(DATA + 0xFFFE), 0x1234);
  ck_assert_uint_eq(reg(CPU_ESP), 0x5555FFFC);
}
END_TEST

START_TEST(expand_down_stack_overflows_into_a_double_fault) {
  load_code(code_16, code_16_end);
  set_segment(MMU_SEG_CS, FREE, CODE_AT, 0xFFFF, 0x09B);
  set_segment(MMU_SEG_SS, FREE + 8, DATA, 0x0FFF, 0x097);
  set_eip(0);
  set_reg(CPU_ESP, 0x1001);
  ck_assert_uint_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN); /* no handler has a stack */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_v86");
  TCase *tcase = tcase_create("v86");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, iret_enters);
  tcase_add_test(tcase, interrupts_leave_and_push_the_data_segments);
  tcase_add_test(tcase, a_16_bit_gate_pushes_words);
  tcase_add_test(tcase, int_n_needs_iopl_and_a_handler_of_ring_0);
  tcase_add_loop_test(tcase, sensitive_and_privileged_instructions, 0,
                      (int)(sizeof instructions / sizeof *instructions));
  tcase_add_test(tcase, popf_leaves_what_is_the_monitors);
  tcase_add_test(tcase, segment_registers_shift_and_far_calls_work);
  tcase_add_test(tcase, monitor_round_trip);
  tcase_add_test(tcase, real_mode_exceptions_push_no_error_code);
  tcase_add_test(tcase, real_mode_vector_beyond_the_table);
  tcase_add_test(tcase, unreal_mode);
  tcase_add_test(tcase, lmsw_cannot_leave_protected_mode);
  tcase_add_test(tcase, sp_wraps);
  tcase_add_test(tcase, sixteen_bit_code_and_expand_down_stack);
  tcase_add_test(tcase, expand_down_stack_overflows_into_a_double_fault);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
