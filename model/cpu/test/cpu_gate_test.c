/*
 * Far JMP, CALL and RET through every gate and privilege level: who may, what lies on the stack afterwards, what
 * faults.
 */
#include "cpu_fixture.h"

enum {
  TARGET = 0x8000, /* reached by 16-bit gates as well */
  GATE = FREE,
  GATE_SELECTOR_RPL = 3,
  CALL_32 = 0x8C,
  CALL_16 = 0x84,
};

/* At CODE_AT: a far CALL or JMP of that selector. */
static void far_transfer(bool call, uint16_t selector, uint32_t offset) {
  uint8_t code[7] = {call ? 0x9A : 0xEA};
  memcpy(code + 1, &offset, 4);
  memcpy(code + 5, &selector, 2);
  load_code(code, code + sizeof code);
}

static cpu_state_t state(void) {
  return cpu_state(fx.cpu);
}

static uint16_t peek16(uint32_t paddr) {
  return (uint16_t)(peek8(paddr) | peek8(paddr + 1) << 8);
}

/* --- who may pass --- */

/* "Call Gates", table "Privilege Check Rules for Call Gates". 0: passes; else the selector that #GP names. */
static unsigned refused(bool call, unsigned cpl, unsigned rpl, unsigned gate_dpl, unsigned dpl, bool conforming) {
  if (cpl > gate_dpl || rpl > gate_dpl) return GATE;
  unsigned cs = (conforming ? RING_CONFORMING : RING_CODE) + 8 * dpl;
  if (conforming || call) return dpl <= cpl ? 0 : cs;
  return dpl == cpl ? 0 : cs;
}

static void pass_gate(bool call, unsigned cpl, unsigned rpl, unsigned gate_dpl, unsigned dpl, bool conforming) {
  unsigned cs = (conforming ? RING_CONFORMING : RING_CODE) + 8 * dpl;
  set_gate_descriptor(GATE, (uint16_t)(cs | 3), TARGET, CALL_32 | gate_dpl << 5, 0);
  far_transfer(call, (uint16_t)(GATE | rpl), 0x55555555);
  enter_ring(cpl, 2);
  run(1);
  unsigned selector = refused(call, cpl, rpl, gate_dpl, dpl, conforming);
  if (selector) {
    ck_assert_msg(faulted(X86_GP, selector), "call %d cpl %u rpl %u gate %u dpl %u conforming %d", call, cpl, rpl,
                  gate_dpl, dpl, conforming);
    return;
  }
  unsigned new_cpl = conforming || !call ? cpl : dpl;
  ck_assert_uint_eq(eip(), TARGET);
  ck_assert_uint_eq(state().cpl, new_cpl);
  ck_assert_uint_eq(state().seg[MMU_SEG_CS].selector, cs | new_cpl);
  bool switched = new_cpl < cpl;
  uint32_t top = switched ? STACK0_TOP + 0x1000 * new_cpl : USER_STACK_TOP;
  ck_assert_uint_eq(reg(CPU_ESP), top - (call ? 8 : 0) - (switched ? 8 : 0));
  ck_assert_uint_eq(state().seg[MMU_SEG_SS].selector, (RING_DATA + 8 * new_cpl) | new_cpl);
  if (!call) return;
  ck_assert_uint_eq(frame(0), CODE_AT + 7);
  ck_assert_uint_eq(frame(1), (RING_CODE + 8 * cpl) | cpl);
  if (!switched) return;
  ck_assert_uint_eq(frame(2), USER_STACK_TOP);
  ck_assert_uint_eq(frame(3), (RING_DATA + 8 * cpl) | cpl);
}

START_TEST(privilege_of_call_gates) {
  build_rings();
  for (unsigned n = 0; n < 2 * 2 * 4 * 4 * 4 * 4; n++)
    pass_gate(n & 1, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3, n >> 8 & 3, n >> 1 & 1);
}
END_TEST

/* --- parameters and frames --- */

static void call_with_parameters(unsigned count, bool wide) {
  unsigned size = wide ? 4 : 2;
  set_gate_descriptor(GATE, RING_CODE | 3, TARGET, (wide ? CALL_32 : CALL_16) | 0x60, count);
  far_transfer(true, GATE | 3, 0);
  enter_ring(3, 2);
  for (unsigned i = 0; i < 32; i++)
    poke32(USER_STACK_TOP + 4 * i, 0x11110000 * (i % 15) + 0x1000 + i);
  for (unsigned i = 0; i < 80; i++)
    poke32(STACK0_TOP - 4 * (i + 1), 0xEEEEEEEE);
  run(1);
  ck_assert_uint_eq(eip(), TARGET);
  uint32_t esp = reg(CPU_ESP);
  ck_assert_uint_eq(esp, STACK0_TOP - (4 + count) * size);
  uint32_t word[4] = {CODE_AT + 7, (RING_CODE + 24) | 3, USER_STACK_TOP, (RING_DATA + 24) | 3};
  for (unsigned i = 0; i < 4; i++) {
    uint32_t at = esp + (i < 2 ? i : count + i) * size;
    if (wide)
      ck_assert_uint_eq(peek32(at), word[i]);
    else
      ck_assert_uint_eq(peek16(at), word[i] & 0xFFFF);
  }
  ck_assert_mem_eq(fx.ram + esp + 2 * size, fx.ram + USER_STACK_TOP, count * size);
  ck_assert_uint_eq(peek32(esp - 4), 0xEEEEEEEE);
}

START_TEST(parameters_are_copied_in_order) {
  build_rings();
  for (unsigned count = 0; count < 32; count++) {
    call_with_parameters(count, true);
    call_with_parameters(count, false);
  }
}
END_TEST

CODE(return_8, "lret $8");

START_TEST(call_gate_and_return_release_both_stacks) {
  build_rings();
  set_gate_descriptor(GATE, RING_CODE | 3, TARGET, CALL_32 | 0x60, 2);
  far_transfer(true, GATE | 3, 0);
  poke(TARGET, return_8, (size_t)(return_8_end - return_8));
  enter_ring(3, X86_CF | 2);
  set_segment(MMU_SEG_FS, RING_DATA, 0, 0xFFFFFFFF, 0xC93);           /* of ring 0: not for the caller */
  set_segment(MMU_SEG_GS, RING_CONFORMING | 3, 0, 0xFFFFFFFF, 0xC9F); /* conforming: everyone's */
  run(2);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rip, CODE_AT + 7);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.gpr[CPU_ESP], USER_STACK_TOP + 8);
  ck_assert_uint_eq(s.seg[MMU_SEG_SS].selector, (RING_DATA + 24) | 3);
  ck_assert(!s.seg[MMU_SEG_FS].usable && s.seg[MMU_SEG_FS].selector == 0);
  ck_assert(s.seg[MMU_SEG_GS].usable && s.seg[MMU_SEG_DS].usable);
}
END_TEST

START_TEST(stack_of_a_16_bit_tss) {
  build_rings();
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 0x2B, 0x083);
  poke32(TSS + 2, 0x7000 | (uint32_t)RING_DATA << 16); /* SP0, SS0 */
  set_gate_descriptor(GATE, RING_CODE, TARGET, CALL_32 | 0x60, 0);
  far_transfer(true, GATE | 3, 0);
  enter_ring(3, 2);
  run(1);
  ck_assert_uint_eq(reg(CPU_ESP), 0x7000 - 16);
  ck_assert_uint_eq(frame(2), USER_STACK_TOP);
}
END_TEST

/* --- faults --- */

/* Calls through the gate from ring 3 after `change`; then the old stack and CS are as before. */
static void expect_fault(void (*change)(void), unsigned vector, uint32_t error_code) {
  build_rings();
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 0x67, 0x08B);
  set_gate(vector, RING_CODE, HANDLERS + 16 * vector, GATE_INTERRUPT);
  set_gate_descriptor(GATE, RING_CODE + 8, TARGET, CALL_32 | 0x60, 1); /* ring 1; faults are handled in ring 0 */
  far_transfer(true, GATE | 3, 0);
  enter_ring(3, 2);
  change();
  run(1);
  ck_assert(faulted(vector, error_code));
  ck_assert_uint_eq(frame(1), CODE_AT);
  ck_assert_uint_eq(frame(2), (RING_CODE + 24) | 3);
  ck_assert_uint_eq(frame(4), reg(CPU_EBP) ? reg(CPU_EBP) : USER_STACK_TOP);
}

enum { STACK1 = RING_DATA + 8 };

static void gate_absent(void) {
  set_gate_descriptor(GATE, RING_CODE + 8, TARGET, 0x0C | 0x60, 1);
}
static void code_null(void) {
  set_gate_descriptor(GATE, 3, TARGET, CALL_32 | 0x60, 1);
}
static void code_beyond(void) {
  set_gate_descriptor(GATE, 0x100, TARGET, CALL_32 | 0x60, 1);
}
static void code_is_data(void) {
  set_gate_descriptor(GATE, RING_DATA, TARGET, CALL_32 | 0x60, 1);
}
static void code_absent(void) {
  set_descriptor(RING_CODE + 8, descriptor(0, 0xFFFFF, 0xC3B));
}
static void tss_too_short(void) {
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 4 + 8 + 4, 0x08B); /* SS1 is cut; ring 0 still has its stack */
}
static void stack_null(void) {
  poke32(TSS + 16, 1);
}
static void stack_beyond(void) {
  poke32(TSS + 16, 0x101);
}
static void stack_rpl(void) {
  poke32(TSS + 16, STACK1 | 2);
}
static void stack_dpl(void) {
  poke32(TSS + 16, (RING_DATA + 16) | 1);
}
static void stack_read_only(void) {
  set_descriptor(STACK1, descriptor(0, 0xFFFFF, 0xCB1));
}
static void stack_absent(void) {
  set_descriptor(STACK1, descriptor(0, 0xFFFFF, 0xC33));
}
static void stack_small(void) { /* room for 19 of the 20 bytes */
  set_descriptor(STACK1, descriptor(0, 0xFFF, 0x4B3));
  poke32(TSS + 12, 19);
}
static void eip_beyond(void) {
  set_descriptor(RING_CODE + 8, descriptor(0, TARGET - 1, 0x4BB));
}
static void eip_beyond_and_stack_small(void) {
  eip_beyond();
  stack_small();
}
static void eip_beyond_and_stack_paged_out(void) {
  eip_beyond();
  enable_paging(true);
  set_pte(STACK0_TOP, PTE_ABSENT); /* of ring 1, which ends at STACK0_TOP + 1000H */
}
static void stack_paged_out(void) {
  enable_paging(true);
  set_pte(STACK0_TOP, PTE_ABSENT);
}
static void parameter_paged_out(void) {
  enable_paging(true);
  set_pte(USER_STACK_TOP, PTE_ABSENT);
}

START_TEST(faults_of_call_gates) {
  static const struct {
    void (*change)(void);
    unsigned vector, error_code;
  } c[] = {
      {gate_absent, X86_NP, GATE},
      {code_null, X86_GP, 0},
      {code_beyond, X86_GP, 0x100},
      {code_is_data, X86_GP, RING_DATA},
      {code_absent, X86_NP, RING_CODE + 8},
      {tss_too_short, X86_TS, TSS_SELECTOR},
      {stack_null, X86_TS, 0},
      {stack_beyond, X86_TS, 0x100},
      {stack_rpl, X86_TS, STACK1},
      {stack_dpl, X86_TS, RING_DATA + 16},
      {stack_read_only, X86_TS, STACK1},
      {stack_absent, X86_SS, STACK1},
      {stack_small, X86_SS, STACK1},
      {eip_beyond, X86_GP, 0},
      {eip_beyond_and_stack_small, X86_SS, STACK1},
      {eip_beyond_and_stack_paged_out, X86_GP, 0},
      {stack_paged_out, X86_PF, X86_PF_W},
      {parameter_paged_out, X86_PF, X86_PF_U},
  };
  for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
    expect_fault(c[i].change, c[i].vector, c[i].error_code);
    fixture_down();
    fixture_up();
  }
}
END_TEST

/* #SS before #GP before #PF. */
START_TEST(direct_call_checks_room_then_target) {
  build_rings();
  set_descriptor(FREE, descriptor(0, 0xFFF, 0x49F)); /* conforming */
  enable_paging(true);
  set_pte(USER_STACK_TOP - 0x1000, PTE_ABSENT);
  for (unsigned small = 0; small < 2; small++) {
    far_transfer(true, FREE | 3, 0x1000);
    enter_ring(3, 2);
    if (small) set_segment(MMU_SEG_SS, SMALL_DATA | 3, DATA, 0xFF, 0x4F3);
    if (small) set_reg(CPU_ESP, 7); /* the second push would wrap */
    run(1);
    ck_assert(faulted(small ? X86_SS : X86_GP, 0));
  }
  far_transfer(true, FREE | 3, 0xFFF);
  enter_ring(3, 2);
  run(1);
  ck_assert(faulted(X86_PF, X86_PF_U | X86_PF_W));
}
END_TEST

/* --- returns --- */

START_TEST(return_faults) {
  static const struct {
    uint32_t cs, eip, ss, vector, error_code;
  } c[] = {
      {0, TARGET, 0, X86_GP, 0},
      {0x101, TARGET, 0, X86_GP, 0x100},
      {RING_DATA | 1, TARGET, 0, X86_GP, RING_DATA},
      {RING_CODE, TARGET, 0, X86_GP, RING_CODE},                             /* inwards */
      {(RING_CODE + 16) | 3, TARGET, 0, X86_GP, RING_CODE + 16},             /* DPL is not RPL */
      {(RING_CONFORMING + 24) | 2, TARGET, 0, X86_GP, RING_CONFORMING + 24}, /* conforming, DPL > RPL */
      {FREE | 1, TARGET, 0, X86_NP, FREE},
      {(FREE + 8) | 1, 0x1000, 0, X86_GP, 0},       /* beyond the limit */
      {(RING_CODE + 24) | 3, TARGET, 0, X86_GP, 0}, /* SS null */
      {(RING_CODE + 24) | 3, TARGET, (RING_DATA + 24) | 2, X86_GP, RING_DATA + 24},
      {(RING_CODE + 24) | 3, TARGET, (RING_DATA + 16) | 3, X86_GP, RING_DATA + 16},
      {(RING_CODE + 24) | 3, TARGET, (RING_CODE + 24) | 3, X86_GP, RING_CODE + 24},
      {(RING_CODE + 24) | 3, TARGET, (FREE + 16) | 3, X86_SS, FREE + 16},
  };
  static const uint8_t lret[] = {0xCB}, iret[] = {0xCF};
  for (unsigned n = 0; n < 2 * sizeof c / sizeof *c; n++) {
    unsigned i = n / 2;
    bool is_iret = n & 1;
    build_rings();
    set_descriptor(FREE, descriptor(0, 0xFFFFF, 0xC3B));
    set_descriptor(FREE + 8, descriptor(0, 0xFFF, 0x4BB));
    set_descriptor(FREE + 16, descriptor(0, 0xFFFFF, 0xC73));
    load_code(is_iret ? iret : lret, (is_iret ? iret : lret) + 1);
    enter_ring(1, 2);
    unsigned at = 0;
    poke32(USER_STACK_TOP + 4 * at++, c[i].eip);
    poke32(USER_STACK_TOP + 4 * at++, c[i].cs);
    if (is_iret) poke32(USER_STACK_TOP + 4 * at++, 2);
    poke32(USER_STACK_TOP + 4 * at++, 0x5000);
    poke32(USER_STACK_TOP + 4 * at, c[i].ss);
    run(1);
    ck_assert_msg(faulted(c[i].vector, c[i].error_code), "case %u", n);
    ck_assert_uint_eq(frame(1), CODE_AT);
    ck_assert_uint_eq(frame(4), USER_STACK_TOP);
  }
}
END_TEST

/* A 16-bit stack keeps the upper half of ESP. */
START_TEST(return_to_a_16_bit_stack_loads_sp) {
  static const uint8_t lret[] = {0xCB};
  build_rings();
  set_descriptor(FREE, descriptor(0, 0xFFFF, 0x0F3));
  load_code(lret, lret + 1);
  enter_ring(0, 2);
  poke32(USER_STACK_TOP, TARGET);
  poke32(USER_STACK_TOP + 4, (RING_CODE + 24) | 3);
  poke32(USER_STACK_TOP + 8, 0x12345678);
  poke32(USER_STACK_TOP + 12, FREE | 3);
  run(1);
  ck_assert_uint_eq(eip(), TARGET);
  ck_assert_uint_eq(reg(CPU_ESP), (USER_STACK_TOP & 0xFFFF0000) | 0x5678);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_gate");
  TCase *tcase = tcase_create("gates");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, privilege_of_call_gates);
  tcase_add_test(tcase, parameters_are_copied_in_order);
  tcase_add_test(tcase, call_gate_and_return_release_both_stacks);
  tcase_add_test(tcase, stack_of_a_16_bit_tss);
  tcase_add_test(tcase, faults_of_call_gates);
  tcase_add_test(tcase, direct_call_checks_room_then_target);
  tcase_add_test(tcase, return_faults);
  tcase_add_test(tcase, return_to_a_16_bit_stack_loads_sp);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
