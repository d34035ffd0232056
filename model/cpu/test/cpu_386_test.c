/*
 * What an 80386 does where the manual leaves room: undefined flags, and the pushes of segment registers. The values are
 * those that it is known or believed to leave.
 */
#include "cpu_fixture.h"

enum {
  C = X86_CF,
  P = X86_PF_FLAG,
  A = X86_AF,
  Z = X86_ZF,
  S = X86_SF,
  O = X86_OF_FLAG,
  ALL = C | P | A | Z | S | O,
};

/* One instruction, with EAX and ECX, from flags to flags. */
typedef struct {
  uint8_t code[4];
  uint16_t eax, ecx;
  uint16_t before, after;
} flags_case_t;

static void check_flags(const flags_case_t *c) {
  static const uint8_t hlt = 0xF4;
  load_code(c->code, c->code + sizeof c->code);
  poke(CODE_AT + 4, &hlt, 1);
  set_reg(CPU_EAX, c->eax);
  set_reg(CPU_ECX, c->ecx);
  set_flags(c->before | 2u);
  run(1);
  ck_assert_msg((eflags() & ALL) == c->after, "%02x %02x, EAX %x, ECX %x, flags %03x: %03x, not %03x", c->code[0],
                c->code[1], c->eax, c->ecx, c->before, eflags() & ALL, c->after);
}

/* An adjustment's flags are those of the addition or subtraction that it is. Of every processor. */
static const flags_case_t decimal[] = {
    /* AAA */
    {{0x37}, 0x0000, 0, 0, P | Z},
    {{0x37}, 0x0001, 0, P | Z | S | O, 0},
    {{0x37}, 0x007A, 0, 0, C | A | S | O},
    {{0x37}, 0x007B, 0, A, C | P | A | S | O},
    /* AAS */
    {{0x3F}, 0x0000, 0, S | O, P | Z},
    {{0x3F}, 0x0000, 0, A, C | P | A | S},
    {{0x3F}, 0x0680, 0, A, C | A | O},
    /* AAD */
    {{0xD5, 10}, 0x0001, 0, C | A | O, 0},
    {{0xD5, 10}, 0x0D8E, 0, 0, C | A | O},
    {{0xD5, 10}, 0x0106, 0, 0, A},
    {{0xD5, 10}, 0x01F7, 0, 0, C | A},
    /* AAM */
    {{0xD4, 10}, 0x0000, 0, C | A | O, Z | P},
    /* DAA */
    {{0x27}, 0x001A, 0, A | O, A},
    {{0x27}, 0x001A, 0, C, C | A | S | O},
    /* DAS */
    {{0x2F}, 0x0080, 0, O, S},
    {{0x2F}, 0x0080, 0, A, A | O},
};

START_TEST(decimal_adjustments) {
  for (unsigned i = 0; i < sizeof decimal / sizeof *decimal; i++)
    check_flags(&decimal[i]);
}
END_TEST

/* A count of 32 is one of 0. */
static const flags_case_t shifts[] = {
    /* SHR AL */
    {{0xD2, 0xE8}, 0x81, 1, 0, C | A | O},
    {{0xD2, 0xE8}, 0x82, 2, 0, C | A},
    {{0xD2, 0xE8}, 0x80, 8, 0, C | P | A | Z},
    {{0xD2, 0xE8}, 0x00, 8, C, P | A | Z},
    {{0xD2, 0xE8}, 0x80, 9, 0, P | A | Z},
    {{0xD2, 0xE8}, 0x80, 16, 0, C | P | A | Z},
    {{0xD2, 0xE8}, 0x80, 24, 0, C | P | A | Z},
    {{0xD2, 0xE8}, 0x00, 24, C, P | A | Z},
    {{0xD2, 0xE8}, 0x80, 32, 0, 0},
    /* SHR AX */
    {{0x66, 0xD3, 0xE8}, 0x8000, 16, 0, C | P | A | Z},
    /* SHL AL */
    {{0xD2, 0xE0}, 0x41, 2, 0, C | A | O},
    {{0xD2, 0xE0}, 0x01, 8, 0, C | P | A | Z | O},
    {{0xD2, 0xE0}, 0x01, 16, 0, C | P | A | Z | O},
    {{0xD2, 0xE0}, 0x00, 16, C, P | A | Z},
    {{0xD2, 0xE0}, 0x01, 24, 0, C | P | A | Z | O},
    /* SHL AX */
    {{0x66, 0xD3, 0xE0}, 0x0001, 16, 0, C | P | A | Z | O},
    {{0x66, 0xD3, 0xE0}, 0x0001, 32, 0, 0},
    /* SAR AL */
    {{0xD2, 0xF8}, 0x80, 8, 0, C | P | A | S},
};

START_TEST(shifts_set_af_and_repeat_the_operand) {
  cpu_set_profile(fx.cpu, CPU_386);
  for (unsigned i = 0; i < sizeof shifts / sizeof *shifts; i++)
    check_flags(&shifts[i]);
}
END_TEST

static const flags_case_t bit_tests[] = {
    /* BT AX */
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x01, 0, 0, C},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x01, 0, C | Z, C | Z},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x01, 1, 0, O},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x01, 2, C, O},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x01, 3, O, 0},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x8000, 0, 0, O},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x8000, 15, 0, C},
    {{0x66, 0x0F, 0xA3, 0xC8}, 0x4000, 15, 0, O},
    /* BT EAX */
    {{0x0F, 0xA3, 0xC8}, 0x01, 1, 0, O},
    {{0x0F, 0xA3, 0xC8}, 0x8000, 17, 0, O},
    {{0x0F, 0xA3, 0xC8}, 0x8000, 31, O, 0},
};

/* OF is that of RCR by one more than the bit's number, with CF = 0. */
START_TEST(bit_tests_set_of_as_rcr_does) {
  cpu_set_profile(fx.cpu, CPU_386);
  for (unsigned i = 0; i < sizeof bit_tests / sizeof *bit_tests; i++)
    check_flags(&bit_tests[i]);
}
END_TEST

CODE(push_segments, "push %ds\n push %fs\n push %cs\n hlt");

START_TEST(push_of_a_segment_register_writes_two_bytes) {
  for (unsigned p = CPU_386; p <= CPU_PPRO; p++) {
    cpu_set_profile(fx.cpu, (cpu_profile_t)p);
    LOAD(push_segments);
    memset(fx.ram + STACK_TOP - 16, 0xEE, 16);
    run_to_halt();
    const uint32_t upper = p <= CPU_486 ? 0xEEEE0000 : 0;
    ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP - 12);
    ck_assert_uint_eq(peek32(STACK_TOP - 4), upper | DATA0);
    ck_assert_uint_eq(peek32(STACK_TOP - 12), upper | CODE0);
  }
}
END_TEST

CODE(enter_levels, "enter $8, $2\n hlt");

/* A 16-bit stack changes SP alone, but with a 32-bit operand EBP and the frame's address have all of ESP. */
START_TEST(enter_on_a_16_bit_stack) {
  LOAD(enter_levels);
  set_segment(MMU_SEG_SS, DATA0, 0x70000, 0xFFFF, 0x093);
  set_reg(CPU_ESP, 0x2F000);
  set_reg(CPU_EBP, 0x19FF0);
  poke32(0x70000 + 0x9FEC, 0x12345678);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EBP), 0x2EFFC);
  ck_assert_uint_eq(reg(CPU_ESP), 0x2EFEC);
  ck_assert_uint_eq(peek32(0x70000 + 0xEFFC), 0x19FF0);
  ck_assert_uint_eq(peek32(0x70000 + 0xEFF8), 0x12345678);
  ck_assert_uint_eq(peek32(0x70000 + 0xEFF4), 0x2EFFC);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_386");
  TCase *tcase = tcase_create("386");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, decimal_adjustments);
  tcase_add_test(tcase, shifts_set_af_and_repeat_the_operand);
  tcase_add_test(tcase, bit_tests_set_of_as_rcr_does);
  tcase_add_test(tcase, enter_on_a_16_bit_stack);
  tcase_add_test(tcase, push_of_a_segment_register_writes_two_bytes);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
