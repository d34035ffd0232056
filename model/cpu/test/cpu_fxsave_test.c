/*
 * FXSAVE and FXRSTOR: the area, what stays untouched, faults before and amid it. (Values: cpu_oracle_test.)
 */
#include "cpu_fixture.h"

enum { AREA = DATA, AREA_BYTES = 512, CHUNK = 16 };

static uint16_t peek16(uint32_t at) {
  return (uint16_t)peek32(at);
}

static void set_cr0(uint32_t bits) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | bits};
  ck_assert(cpu_send(fx.cpu, &req));
}

CODE(save, "fninit\n fld1\n fldz\n fldl 0x40400\n fxsave 0x40000\n hlt");

START_TEST(area_holds_the_state) {
  static const uint8_t one[10] = {[7] = 0x80, 0xFF, 0x3F}, two[10] = {[7] = 0x80, 0x00, 0x40}, zero[10];
  LOAD(save);
  poke32(DATA + 0x404, 0x40000000); /* 2.0 */
  run_to_halt();
  ck_assert_uint_eq(peek16(AREA), 0x037F);
  ck_assert_uint_eq(peek16(AREA + 2), 0x2800);
  ck_assert_uint_eq(peek16(AREA + 4), 0xE0);  /* physical registers 5, 6, 7 are not empty */
  ck_assert_uint_eq(peek16(AREA + 6), 0x505); /* DD 05 */
  ck_assert_uint_eq(peek32(AREA + 8), CODE_AT + 6);
  ck_assert_uint_eq(peek32(AREA + 12), CODE0);
  ck_assert_uint_eq(peek32(AREA + 16), DATA + 0x400);
  ck_assert_uint_eq(peek32(AREA + 20), DATA0);
  ck_assert_mem_eq(fx.ram + AREA + 32, two, 10); /* ST(0) */
  ck_assert_mem_eq(fx.ram + AREA + 48, zero, 10);
  ck_assert_mem_eq(fx.ram + AREA + 64, one, 10);
}
END_TEST

/* MXCSR, its mask, XMM0 to XMM7, the upper parts of the registers' places and the rest: there is no SSE. */
START_TEST(reserved_parts_are_untouched) {
  LOAD(save);
  memset(fx.ram + AREA, 0xA5, AREA_BYTES);
  run_to_halt();
  for (unsigned i = 24; i < AREA_BYTES; i++) {
    bool written = i >= 32 && i < 160 && i % 16 < 10;
    ck_assert_msg(written || peek8(AREA + i) == 0xA5, "byte %u", i);
  }
}
END_TEST

CODE(round_trip, "fninit\n frstor 0x40400\n fxsave 0x40000\n fninit\n fxrstor 0x40000\n fnsave 0x40600\n hlt");

START_TEST(state_survives_the_round_trip) {
  uint8_t image[108];
  for (unsigned i = 0; i < sizeof image; i++)
    image[i] = (uint8_t)(37 * i + 1);
  static const uint8_t words[28] = {0x72, 0x0F, 0xFF, 0xFF, 0xA1, 0x5D, 0xFF, 0xFF, 0xFC, 0x3C, 0xFF, 0xFF, 1,    2,
                                    3,    4,    0x34, 0x12, 0x67, 0x05, 9,    10,   11,   12,   0x78, 0x56, 0xFF, 0xFF};
  memcpy(image, words, sizeof words); /* exceptions pending: ES and B are 1 */
  LOAD(round_trip);
  poke(DATA + 0x400, image, sizeof image);
  run_to_halt();
  ck_assert_uint_eq(peek16(DATA + 0x604), 0xDDA1);
  for (unsigned i = 0; i < sizeof image; i++) {
    bool status = i == 5, tags = i == 8 || i == 9; /* tags: valid and special follow from the values */
    ck_assert_msg(status || tags || peek8(DATA + 0x600 + i) == image[i], "byte %u", i);
  }
  uint16_t tag = peek16(DATA + 0x608);
  for (unsigned i = 0; i < 8; i++)
    ck_assert_uint_eq((tag >> 2 * i & 3) == 3, (0x3CFC >> 2 * i & 3) == 3);
}
END_TEST

CODE(save_bx, "fxsave (%ebx)\n hlt");
CODE(load_bx, "fxrstor (%ebx)\n hlt");

START_TEST(an_area_off_its_alignment_is_gp) {
  for (unsigned i = 0; i < 32; i++) {
    for (unsigned restore = 0; restore < 2; restore++) {
      LOAD(save_bx);
      if (restore) LOAD(load_bx);
      set_reg(CPU_EBX, AREA + i);
      run(1);
      ck_assert_uint_eq(eip(), i % 16 ? HANDLERS + 16 * X86_GP : CODE_AT + 3);
      if (i % 16) ck_assert_uint_eq(frame(0), 0);
    }
  }
  /* The linear address counts, and that before the page's presence. */
  enable_paging(true);
  set_pte(DATA, DATA | PTE_ABSENT);
  LOAD(save_bx);
  set_segment(MMU_SEG_DS, SMALL_DATA, DATA + 8, 0xFFFF, 0x493);
  set_reg(CPU_EBX, 0);
  run(1);
  ck_assert(faulted(X86_GP, 0));
  LOAD(save_bx);
  set_reg(CPU_EBX, 8);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_PF);
}
END_TEST

START_TEST(transactions_of_16_bytes) {
  LOAD(save_bx);
  set_reg(CPU_EBX, AREA);
  run(1);
  unsigned from = fx.n_log;
  LOAD(load_bx);
  set_reg(CPU_EBX, AREA);
  run(1);
  unsigned n = 0;
  for (unsigned i = from; i < fx.n_log; i++) {
    if (fx.log[i].op != MMU_OP_ACCESS || fx.log[i].access != MMU_READ) continue;
    ck_assert_uint_eq(fx.log[i].size, CHUNK);
    ck_assert_uint_eq(fx.log[i].offset, AREA + CHUNK * n++);
  }
  ck_assert_uint_eq(n, AREA_BYTES / CHUNK);
}
END_TEST

/* The area's last byte is on a page that is not there: nothing was written, nothing loaded. */
START_TEST(a_fault_amid_the_area_leaves_no_trace) {
  enable_paging(true);
  set_pte(DATA + 0x1000, (DATA + 0x1000) | PTE_ABSENT);
  for (unsigned back = CHUNK; back < AREA_BYTES; back += CHUNK) {
    LOAD(save_bx);
    memset(fx.ram + DATA, 0xA5, 0x1000);
    set_reg(CPU_EBX, DATA + 0x1000 - back);
    run(1);
    ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_PF);
    ck_assert_uint_eq(cpu_state(fx.cpu).cr2, DATA + 0x1000);
    for (unsigned i = 0; i < 0x1000; i++)
      ck_assert_uint_eq(peek8(DATA + i), 0xA5);
    LOAD(load_bx);
    set_reg(CPU_EBX, DATA + 0x1000 - back);
    run(1);
    ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_PF);
    LOAD(save_bx);
    set_reg(CPU_EBX, DATA + 0x2000);
    run_to_halt();
    ck_assert_uint_eq(peek16(DATA + 0x2000), 0x0040); /* as after RESET */
  }
}
END_TEST

START_TEST(a_read_only_page_and_the_limit) {
  enable_paging(true);
  set_pte(DATA, DATA | PTE_READ_ONLY);
  LOAD(save_bx);
  set_reg(CPU_EBX, AREA);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_PF);
  LOAD(load_bx);
  set_reg(CPU_EBX, AREA);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 4);
  set_segment(MMU_SEG_DS, SMALL_DATA, DATA, AREA_BYTES - 2, 0x493); /* one byte short */
  LOAD(load_bx);
  run(1);
  ck_assert(faulted(X86_GP, 0));
}
END_TEST

START_TEST(device_not_available) {
  static const uint32_t bits[] = {X86_CR0_TS, X86_CR0_EM};
  for (unsigned i = 0; i < 4; i++) {
    LOAD(save_bx);
    if (i & 1) LOAD(load_bx);
    set_reg(CPU_EBX, AREA + 1); /* comes before the alignment */
    set_cr0(bits[i / 2]);
    run_to_halt();
    ck_assert(halted_in(X86_NM));
  }
}
END_TEST

/* As FNSAVE: a pending exception is saved, not reported. */
CODE(pending, "fninit\n fldcw 0x40400\n fldz\n fld1\n fdiv %st(1)\n fxsave 0x40000\n fxrstor 0x40000\n hlt");

START_TEST(pending_exceptions_do_not_matter) {
  LOAD(pending);
  set_cr0(X86_CR0_NE);
  poke32(DATA + 0x400, 0x37B); /* zero-divide is not masked */
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 29);
  ck_assert_uint_eq(peek16(AREA + 2) & 0x8084, 0x8084);
}
END_TEST

CODE(locked, ".byte 0xf0, 0x0f, 0xae, 0x03"); /* LOCK FXSAVE (%ebx) */

START_TEST(lock_and_older_processors_are_ud) {
  LOAD(locked);
  set_reg(CPU_EBX, AREA);
  run_to_halt();
  ck_assert(halted_in(X86_UD));
  for (unsigned p = CPU_386; p < CPU_PPRO; p++) {
    cpu_set_profile(fx.cpu, (cpu_profile_t)p);
    LOAD(save_bx);
    set_reg(CPU_EBX, AREA);
    run_to_halt();
    ck_assert(halted_in(X86_UD));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_fxsave");
  TCase *tcase = tcase_create("fxsave");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, area_holds_the_state);
  tcase_add_test(tcase, reserved_parts_are_untouched);
  tcase_add_test(tcase, state_survives_the_round_trip);
  tcase_add_test(tcase, an_area_off_its_alignment_is_gp);
  tcase_add_test(tcase, transactions_of_16_bytes);
  tcase_add_test(tcase, a_fault_amid_the_area_leaves_no_trace);
  tcase_add_test(tcase, a_read_only_page_and_the_limit);
  tcase_add_test(tcase, device_not_available);
  tcase_add_test(tcase, pending_exceptions_do_not_matter);
  tcase_add_test(tcase, lock_and_older_processors_are_ud);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
