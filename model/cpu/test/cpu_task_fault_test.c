/*
 * What a task switch finds wrong, before the commitment in the old task, after it in the new one.
 */
#include "cpu_task_rig.h"

/* Whose fault was it: the task that the fault's handler would return to. */
static void expect(bool in_new, unsigned vector, uint32_t error_code, uint32_t saved_eip, const char *name) {
  set_gate(vector, FAULT, 0, GATE_TASK);
  run(1);
  cpu_state_t s = state();
  if (s.seg[MMU_SEG_TR].selector != FAULT) cpu_dump(fx.cpu, stderr);
  ck_assert_msg(s.seg[MMU_SEG_TR].selector == FAULT, "%s: no fault", name);
  ck_assert_msg(frame(0) == error_code, "%s: error code %x, not %x", name, frame(0), error_code);
  ck_assert_msg((peek32(FAULT_TSS) & 0xFFFF) == (in_new ? NEW : TSS_SELECTOR), "%s: in the other task", name);
  ck_assert_msg(peek32((in_new ? NEW_TSS : TSS) + EIP) == saved_eip, "%s: saved EIP %x", name,
                peek32((in_new ? NEW_TSS : TSS) + EIP));
  ck_assert_msg(type_of(NEW) == (in_new ? 0xBu : 9u) || !in_new, "%s: type %x", name, type_of(NEW));
}

static void tss_absent(void) {
  set_descriptor(NEW, descriptor(NEW_TSS, 0x67, 0x009));
}
static void tss_busy(void) {
  set_descriptor(NEW, descriptor(NEW_TSS, 0x67, 0x08B));
}
static void tss_short(void) {
  set_descriptor(NEW, descriptor(NEW_TSS, 0x66, 0x089));
}
static void old_tss_short(void) {
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 0x5C, 0x08B);
}
static void new_tss_paged_out(void) {
  enable_paging(true);
  set_pte(NEW_TSS, PTE_ABSENT);
}
static void gdt_read_only(void) {
  enable_paging(true);
  set_pte(GDT, GDT | PTE_READ_ONLY);
}

/* Before the commitment: the old task is as it was. The handler is in the old task here. */
START_TEST(faults_before_the_commitment) {
  static const struct {
    void (*change)(void);
    unsigned vector, error_code;
  } c[] = {
      {tss_absent, X86_NP, NEW},      {tss_busy, X86_GP, NEW},
      {tss_short, X86_TS, NEW},       {old_tss_short, X86_TS, TSS_SELECTOR},
      {new_tss_paged_out, X86_PF, 0}, {gdt_read_only, X86_PF, X86_PF_P | X86_PF_W},
  };
  for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
    build_tasks();
    set_gate(c[i].vector, CODE0, HANDLERS + 16 * c[i].vector, GATE_INTERRUPT);
    uint8_t old[0x68];
    memcpy(old, fx.ram + TSS, sizeof old);
    load_code(jump, jump_end);
    set_flags(FLAGS_OLD);
    c[i].change();
    unsigned type = type_of(NEW);
    run(1);
    ck_assert_msg(faulted(c[i].vector, c[i].error_code), "case %u", i);
    ck_assert_uint_eq(frame(1), CODE_AT);
    ck_assert_uint_eq(state().seg[MMU_SEG_TR].selector, TSS_SELECTOR);
    ck_assert_uint_eq(state().cr0 & X86_CR0_TS, 0);
    ck_assert_mem_eq(fx.ram + TSS, old, sizeof old);
    ck_assert_uint_eq(type_of(NEW), type);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 0xB);
    fixture_down();
    fixture_up();
  }
}
END_TEST

/* What the new task's TSS holds, and what comes of it. seg: 0 to 5, LDTR. */
static const struct {
  const char *name;
  unsigned seg;
  uint32_t selector;
  unsigned vector, error_code;
  uint64_t wrong; /* attributes of the descriptor WRONG, whose base is 0 and limit FFFFFFFFH */
} new_faults[] = {
    {"LDT in the LDT", MMU_SEG_LDTR, 0xC, X86_TS, 0xC, 0},
    {"LDT beyond the GDT", MMU_SEG_LDTR, 0x100, X86_TS, 0x100, 0},
    {"LDT is none", MMU_SEG_LDTR, DATA0, X86_TS, DATA0, 0},
    {"LDT absent", MMU_SEG_LDTR, WRONG, X86_TS, WRONG, 0x002},
    {"CS null", MMU_SEG_CS, 0, X86_TS, 0, 0},
    {"CS beyond", MMU_SEG_CS, 0x100, X86_TS, 0x100, 0},
    {"CS is data", MMU_SEG_CS, DATA0, X86_TS, DATA0, 0},
    {"CS DPL", MMU_SEG_CS, RING_CODE + 8, X86_TS, RING_CODE + 8, 0},
    {"CS conforming, DPL > RPL", MMU_SEG_CS, RING_CONFORMING + 8, X86_TS, RING_CONFORMING + 8, 0},
    {"CS absent", MMU_SEG_CS, WRONG, X86_NP, WRONG, 0xC1B},
    {"SS null", MMU_SEG_SS, 0, X86_TS, 0, 0},
    {"SS beyond", MMU_SEG_SS, 0x100, X86_TS, 0x100, 0},
    {"SS is code", MMU_SEG_SS, CODE0, X86_TS, CODE0, 0},
    {"SS read-only", MMU_SEG_SS, WRONG, X86_TS, WRONG, 0xC91},
    {"SS DPL", MMU_SEG_SS, RING_DATA + 8, X86_TS, RING_DATA + 8, 0},
    {"SS RPL", MMU_SEG_SS, DATA0 + 1, X86_TS, DATA0, 0},
    {"SS absent", MMU_SEG_SS, WRONG, X86_SS, WRONG, 0xC13},
    {"DS beyond", MMU_SEG_DS, 0x100, X86_TS, 0x100, 0},
    {"ES is execute-only", MMU_SEG_ES, WRONG, X86_TS, WRONG, 0xC99},
    {"FS absent", MMU_SEG_FS, WRONG, X86_NP, WRONG, 0xC13},
    {"GS RPL", MMU_SEG_GS, DATA0 + 3, X86_TS, DATA0, 0},
};

static void fault_in_new(unsigned i, const way_t *way, unsigned ext) {
  build_tasks();
  prepare(way);
  set_descriptor(WRONG, descriptor(0, 0xFFFFF, (unsigned)new_faults[i].wrong));
  bool ldt = new_faults[i].seg == MMU_SEG_LDTR;
  poke32(NEW_TSS + (ldt ? LDTR : SEGS + 4 * new_faults[i].seg), new_faults[i].selector);
  expect(true, new_faults[i].vector, new_faults[i].error_code | ext, NEW_CODE, new_faults[i].name);
}

START_TEST(faults_after_the_commitment) {
  fault_in_new((unsigned)_i, &ways[0], 0);
  fixture_down();
  fixture_up();
  fault_in_new((unsigned)_i, &ways[4], 0);
}
END_TEST

/* An interrupt from outside: the fault of the new task's segments says so. */
START_TEST(external_interrupts_set_ext) {
  build_tasks();
  prepare(&ways[0]);
  set_gate(0x20, NEW, 0, GATE_TASK);
  poke32(NEW_TSS + SEGS + 4 * MMU_SEG_DS, 0x100);
  fx.intr_vector = 0x20;
  cpu_set_intr(fx.cpu, true);
  run(1);
  ck_assert_uint_eq(state().seg[MMU_SEG_TR].selector, FAULT);
  ck_assert_uint_eq(peek32(FAULT_STACK - 4), 0x101);
}
END_TEST

START_TEST(target_beyond_the_limit_faults_in_the_new_task) {
  build_tasks();
  prepare(&ways[2]);
  set_descriptor(WRONG, descriptor(0, NEW_CODE - 1, 0x49B));
  poke32(NEW_TSS + SEGS + 4 * MMU_SEG_CS, WRONG);
  expect(true, X86_GP, 0, NEW_CODE, "EIP");
}
END_TEST

START_TEST(faults_of_a_return) {
  static const struct {
    uint16_t link;
    unsigned vector, error_code;
  } c[] = {
      {0, X86_TS, 0}, {0x100, X86_TS, 0x100}, {NEW | 4, X86_TS, NEW | 4}, {NEW, X86_TS, NEW}, {DATA0, X86_TS, DATA0},
  };
  for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
    build_tasks();
    load_code(iret_code, iret_code_end);
    set_flags(X86_NT | 2);
    poke32(TSS + LINK, c[i].link);
    expect(false, c[i].vector, c[i].error_code, CODE_AT, "IRET");
    fixture_down();
    fixture_up();
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_task_fault");
  TCase *tcase = tcase_create("tasks");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, faults_before_the_commitment);
  tcase_add_loop_test(tcase, faults_after_the_commitment, 0, (int)(sizeof new_faults / sizeof *new_faults));
  tcase_add_test(tcase, external_interrupts_set_ext);
  tcase_add_test(tcase, target_beyond_the_limit_faults_in_the_new_task);
  tcase_add_test(tcase, faults_of_a_return);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
