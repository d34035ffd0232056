/*
 * x87: what the oracle cannot see. Images in all four layouts, transactions, faults, device-not-available and error
 * reporting, IEEE corner cases by value (results in general are compared with silicon by cpu_oracle_test).
 */
#include "cpu_fixture.h"

enum { IMAGE = DATA, OUT = DATA + 0x200 };

static uint16_t peek16(uint32_t at) {
  return (uint16_t)peek32(at);
}

static void set_cr0(uint32_t bits) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | bits};
  ck_assert(cpu_send(fx.cpu, &req));
}

/* --- loads and stores --- */

CODE(move_80, "fninit\n fldt 0x40000\n fstpt 0x40010\n fldt 0x40020\n fstpt 0x40030\n fnstsw %ax\n hlt");

START_TEST(any_pattern_of_80_bits_survives) {
  static const uint8_t unnormal[10] = {1, 2, 3, 4, 5, 6, 7, 0x08, 0x34, 0x12};
  static const uint8_t signaling[10] = {9, 0, 0, 0, 0, 0, 0, 0x80, 0xFF, 0xFF};
  LOAD(move_80);
  poke(DATA, unnormal, 10);
  poke(DATA + 0x20, signaling, 10);
  unsigned from = fx.n_log;
  run_to_halt();
  ck_assert_mem_eq(fx.ram + DATA + 0x10, unnormal, 10);
  ck_assert_mem_eq(fx.ram + DATA + 0x30, signaling, 10);
  ck_assert_uint_eq(reg(CPU_EAX) & 0x3F, 0);
  unsigned tens = 0;
  for (unsigned i = from; i < fx.n_log; i++)
    tens += fx.log[i].op == MMU_OP_ACCESS && fx.log[i].size == 10 && fx.log[i].access != MMU_EXECUTE;
  ck_assert_uint_eq(tens, 4); /* each operand is one transaction */
}
END_TEST

CODE(across, "fldt 0x40ffa\n fstpt 0x41ffb\n hlt");

START_TEST(operands_across_pages) {
  static const uint8_t bytes[10] = {1, 2, 3, 4, 5, 6, 7, 0x88, 0x34, 0x12};
  LOAD(across);
  enable_paging(true);
  poke(DATA + 0xFFA, bytes, 10);
  set_pte(DATA + 0x2000, (DATA + 0x2000) | PTE_ABSENT);
  static const uint8_t fninit[] = {0xDB, 0xE3};
  poke(CODE_AT - 2, fninit, 2);
  set_eip(CODE_AT - 2);
  run_to_halt();
  ck_assert(halted_in(X86_PF));
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, DATA + 0x2000);
  ck_assert_uint_eq(peek8(DATA + 0x1FFB), 0); /* nothing of it was stored */
  set_pte(DATA + 0x2000, (DATA + 0x2000) | PTE_USER);
  set_eip(CODE_AT + 6);
  run_to_halt();
  ck_assert_mem_eq(fx.ram + DATA + 0x1FFB, bytes, 10); /* nor popped */
}
END_TEST

CODE(decimal, "fninit\n fbld 0x40000\n fstpl 0x40010\n fildl 0x40020\n fbstp 0x40030\n fldl 0x40028\n fbstp 0x40040\n"
              "fnstsw %ax\n hlt");

START_TEST(packed_decimal) {
  static const uint8_t minus_1234[10] = {0x34, 0x12, [9] = 0x80};
  static const uint8_t indefinite[10] = {[7] = 0xC0, 0xFF, 0xFF};
  LOAD(decimal);
  poke(DATA, minus_1234, 10);
  poke32(DATA + 0x20, 99999999);
  double large = 1e18, result;
  poke(DATA + 0x28, &large, 8);
  run_to_halt();
  memcpy(&result, fx.ram + DATA + 0x10, 8);
  ck_assert_double_eq(result, -1234);
  ck_assert_uint_eq(peek32(DATA + 0x30), 0x99999999);
  ck_assert_mem_eq(fx.ram + DATA + 0x40, indefinite, 10);
  ck_assert_uint_eq(reg(CPU_EAX) & 0x3F, 1);
}
END_TEST

/* --- precision, rounding --- */

CODE(third, "fninit\n fldcw 0x40000\n fld1\n fildl 0x40010\n fdivrp\n fstpt 0x40020\n hlt");

START_TEST(precision_control_rounds_results) {
  static const struct {
    uint16_t control;
    uint64_t significand;
  } cases[] = {{0x37F, 0xAAAAAAAAAAAAAAAB}, {0x27F, 0xAAAAAAAAAAAAA800}, {0x07F, 0xAAAAAB0000000000},
               {0xF7F, 0xAAAAAAAAAAAAAAAA}, {0x47F, 0xAAAAAA0000000000}, {0x87F, 0xAAAAAB0000000000}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    LOAD(third);
    poke32(DATA, cases[i].control);
    poke32(DATA + 0x10, 3);
    run_to_halt();
    uint64_t significand;
    memcpy(&significand, fx.ram + DATA + 0x20, 8);
    ck_assert_msg(significand == cases[i].significand, "%04x: %llx", cases[i].control, (unsigned long long)significand);
  }
}
END_TEST

/* --- the stack --- */

CODE(overflow, "fninit\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fldz\n fnstsw %ax\n fnstenv 0x40000\n"
               "fninit\n fstp %st(0)\n fnstsw 0x40100\n hlt");

START_TEST(stack_faults) {
  LOAD(overflow);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0x3A41);      /* TOP 7, C1, SF, IE */
  ck_assert_uint_eq(peek16(IMAGE + 8), 0x8000); /* the ninth became the indefinite: special */
  ck_assert_uint_eq(peek16(DATA + 0x100), 0x0841);
}
END_TEST

/* --- images --- */

CODE(images, "fninit\n fld1\n fldz\n fldl 0x40400\n fnstenv 0x40000\n fninit\n fldenv 0x40000\n data16 fnsave 0x40100\n"
             "data16 frstor 0x40100\n fnsave 0x40200\n hlt");

START_TEST(images_in_protected_mode) {
  LOAD(images);
  poke32(DATA + 0x400, 0);
  poke32(DATA + 0x404, 0x40000000); /* 2.0 */
  run_to_halt();
  ck_assert_uint_eq(peek32(IMAGE), 0xFFFF037F);
  ck_assert_uint_eq(peek32(IMAGE + 4), 0xFFFF2800);
  ck_assert_uint_eq(peek32(IMAGE + 8), 0xFFFF13FF); /* 5: valid, 6: zero, 7: valid */
  ck_assert_uint_eq(peek32(IMAGE + 12), CODE_AT + 6);
  ck_assert_uint_eq(peek32(IMAGE + 16), CODE0 | 0x505 << 16); /* DD 05 */
  ck_assert_uint_eq(peek32(IMAGE + 20), DATA + 0x400);
  ck_assert_uint_eq(peek32(IMAGE + 24), 0xFFFF0000 | DATA0);
  ck_assert_uint_eq(peek16(DATA + 0x100 + 6), (CODE_AT + 6) & 0xFFFF); /* 16 bits */
  ck_assert_uint_eq(peek16(DATA + 0x100 + 8), CODE0);
  ck_assert_uint_eq(peek16(DATA + 0x100 + 14 + 8), 0x4000); /* ST(0): 2.0 */
  ck_assert_uint_eq(peek16(OUT + 4), 0x2800);
  ck_assert_mem_eq(fx.ram + OUT + 28, fx.ram + DATA + 0x100 + 14, 30);
}
END_TEST

#define CODE16(name, text)                                                                                             \
  __asm__(".pushsection .rodata\n.code16\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name               \
          "_end:\n.code64\n.popsection\n");                                                                            \
  extern const uint8_t name[], name##_end[]
CODE16(real_images, "fninit\n nop\n fldl 0x10\n fnstenv 0x100\n fldcw 0x20\n fldl 0x10\n data32 fnstenv 0x140\n hlt");

START_TEST(images_in_real_mode) {
  set_cr0(0);
  mmu_req_t cr = {.op = MMU_OP_WRITE_CR, .cr = 0};
  ck_assert(cpu_send(fx.cpu, &cr));
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++) {
    uint16_t selector = s == MMU_SEG_CS ? CODE_AT >> 4 : DATA >> 4;
    mmu_req_t req = {.op = MMU_OP_SET_SEG,
                     .seg = (uint8_t)s,
                     .reason = MMU_SET_RAW,
                     .selector = selector,
                     .offset = (uint64_t)selector << 4,
                     .data = 0xFFFF | (uint64_t)(s == MMU_SEG_CS ? 0x9B : 0x93) << 32 | UINT64_C(1) << 48};
    ck_assert(cpu_send(fx.cpu, &req));
  }
  LOAD(real_images);
  poke32(DATA + 0x20, 0x37F);
  set_eip(0);
  run_to_halt();
  const uint32_t ip = CODE_AT + 3, dp = DATA + 0x10;
  ck_assert_uint_eq(peek16(DATA + 0x100), 0x37F);
  ck_assert_uint_eq(peek16(DATA + 0x106), ip & 0xFFFF);
  ck_assert_uint_eq(peek16(DATA + 0x108), (ip >> 16 << 12 | 0x506) & 0xFFFF); /* DD 06 */
  ck_assert_uint_eq(peek16(DATA + 0x10A), dp & 0xFFFF);
  ck_assert_uint_eq(peek16(DATA + 0x10C), (dp >> 16 << 12) & 0xFFFF);
  ck_assert_uint_eq(peek32(DATA + 0x140 + 16), (CODE_AT + 16u) >> 16 << 12 | 0x506);
  ck_assert_uint_eq(peek32(DATA + 0x140 + 24), dp >> 16 << 12);
}
END_TEST

/* --- not available, errors --- */

static void expect_vector(const uint8_t *from, const uint8_t *end, unsigned vector) {
  load_code(from, end);
  run_to_halt();
  ck_assert_msg(vector ? halted_in(vector) : eip() == CODE_AT + (uint32_t)(end - from), "vector %u", vector);
}

CODE(one_fld1, "fld1\n hlt");
CODE(one_fwait, "fwait\n hlt");
CODE(one_fninit, "fninit\n hlt");

START_TEST(device_not_available) {
  set_cr0(X86_CR0_EM);
  expect_vector(one_fld1, one_fld1_end, X86_NM);
  expect_vector(one_fninit, one_fninit_end, X86_NM);
  expect_vector(one_fwait, one_fwait_end, 0);
  set_cr0(X86_CR0_TS);
  expect_vector(one_fld1, one_fld1_end, X86_NM);
  expect_vector(one_fwait, one_fwait_end, 0);
  set_cr0(X86_CR0_TS | X86_CR0_MP);
  expect_vector(one_fwait, one_fwait_end, X86_NM);
  set_cr0(X86_CR0_MP);
  expect_vector(one_fld1, one_fld1_end, 0);
}
END_TEST

/* 1 / 0 with the zero-divide exception unmasked; the next waiting instruction reports it. */
CODE(divide, "fninit\n fldcw 0x40000\n fldz\n fld1\n fdivp\n fnstsw %ax\n fnop\n fld1\n hlt");

START_TEST(unmasked_exception_is_a_fault_of_the_next) {
  set_cr0(X86_CR0_NE);
  LOAD(divide);
  poke32(DATA, 0x37B);
  run_to_halt();
  ck_assert(halted_in(X86_MF));
  ck_assert_uint_eq(frame(0), CODE_AT + 16); /* FNOP waits as well */
  ck_assert_uint_eq(reg(CPU_EAX), 0xB084);   /* B, TOP 6, ES, ZE: nothing was popped */
}
END_TEST

static unsigned errors;
static void on_error(void *ctx) {
  (void)ctx;
  errors++;
  cpu_set_intr(fx.cpu, true);
}

CODE(irq13, "fnclex\n iret");

START_TEST(unmasked_exception_as_an_interrupt) {
  errors = 0;
  fixture_set_fpu_error(on_error);
  fx.intr_vector = 0x75;
  LOAD(divide);
  HANDLER(0x75, irq13);
  set_flags(X86_IF | 2);
  poke32(DATA, 0x37B);
  run_to_halt();
  ck_assert_uint_eq(errors, 1);
  ck_assert_uint_eq(fx.acks, 1);
  ck_assert_uint_eq(eip(), CODE_AT + (uint32_t)(divide_end - divide));

  LOAD(divide);
  run(6);
  cpu_set_ignne(fx.cpu, true);
  run_to_halt();
  ck_assert_uint_eq(errors, 1);
}
END_TEST

START_TEST(without_an_interrupt_it_waits) {
  errors = 0;
  fixture_set_fpu_error(on_error);
  LOAD(divide); /* IF = 0 */
  poke32(DATA, 0x37B);
  run(100);
  ck_assert_uint_eq(eip(), CODE_AT + 16);
  ck_assert_uint_gt(errors, 10);
}
END_TEST

CODE(at_reset, "fnstcw 0x40000\n fnstenv 0x40010\n fninit\n fnstenv 0x40040\n hlt");

START_TEST(state_after_reset_and_fninit) {
  LOAD(at_reset);
  run_to_halt();
  ck_assert_uint_eq(peek16(DATA), 0x40);
  ck_assert_uint_eq(peek16(DATA + 0x18), 0x5555);
  ck_assert_uint_eq(peek16(DATA + 0x40), 0x37F);
  ck_assert_uint_eq(peek16(DATA + 0x44), 0);
  ck_assert_uint_eq(peek16(DATA + 0x48), 0xFFFF);
}
END_TEST

/* --- transcendental: near, and with the manual's special cases --- */

CODE(angles, "fninit\n fldl 0x40000\n fsincos\n fstpl 0x40010\n fstpl 0x40018\n fldl 0x40000\n fptan\n fstp %st(0)\n"
             "fstpl 0x40020\n fld1\n fld1\n fpatan\n fstpl 0x40028\n fldl 0x40030\n fsin\n fnstsw %ax\n hlt");

START_TEST(transcendental_functions) {
  double x = 0.5, beyond = 1e19, r[4];
  LOAD(angles);
  poke(DATA, &x, 8);
  poke(DATA + 0x30, &beyond, 8);
  run_to_halt();
  memcpy(r, fx.ram + DATA + 0x10, sizeof r);
  ck_assert_double_eq_tol(r[0], 0.87758256189037271612, 1e-16);
  ck_assert_double_eq_tol(r[1], 0.47942553860420300027, 1e-16);
  ck_assert_double_eq_tol(r[2], 0.54630248984379051326, 1e-16);
  ck_assert_double_eq_tol(r[3], 0.78539816339744830962, 1e-16);
  ck_assert_uint_eq(reg(CPU_EAX) & 0x400, 0x400); /* C2: out of range */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_fpu");
  TCase *tcase = tcase_create("fpu");
  tcase_set_timeout(tcase, 0);
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, any_pattern_of_80_bits_survives);
  tcase_add_test(tcase, operands_across_pages);
  tcase_add_test(tcase, packed_decimal);
  tcase_add_test(tcase, precision_control_rounds_results);
  tcase_add_test(tcase, stack_faults);
  tcase_add_test(tcase, images_in_protected_mode);
  tcase_add_test(tcase, images_in_real_mode);
  tcase_add_test(tcase, device_not_available);
  tcase_add_test(tcase, unmasked_exception_is_a_fault_of_the_next);
  tcase_add_test(tcase, unmasked_exception_as_an_interrupt);
  tcase_add_test(tcase, without_an_interrupt_it_waits);
  tcase_add_test(tcase, state_after_reset_and_fninit);
  tcase_add_test(tcase, transcendental_functions);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
