/*
 * Task switches: what is saved, loaded and marked, by JMP, CALL, interrupt and IRET, with 16- and 32-bit TSSs; and what
 * is found wrong, before the commitment in the old task, after it in the new one.
 *
 * Faults are handled by the task of FAULT_TSS, whose back link then tells in whose context the fault was.
 */
#include "cpu_fixture.h"

enum {
  NEW = FREE, /* selectors */
  FAULT = FREE + 8,
  GATE = FREE + 16,
  LDT = FREE + 24,
  WRONG = FREE + 32, /* for what a test wants */
  NEW_TSS = 0x5000,
  FAULT_TSS = 0x6000,
  NEW_LDT = 0x7000,
  NEW_CODE = 0x28000,
  FAULT_CODE = 0x2A000,
  NEW_STACK = 0xB0000,
  FAULT_STACK = 0xB8000,
  FLAGS_OLD = X86_CF | X86_IF | 2,
  FLAGS_NEW = X86_ZF | 2,
};

/* Offsets in a 32-bit TSS. */
enum { LINK = 0, CR3 = 0x1C, EIP = 0x20, EFLAGS = 0x24, GPR = 0x28, SEGS = 0x48, LDTR = 0x60, TRAP = 0x64 };

static const uint16_t new_segs[6] = {DATA0, CODE0, DATA0, RING_DATA, RING_DATA + 8, RING_DATA + 16};

static void build_tss(uint32_t at, uint32_t eip, uint32_t esp, uint32_t flags) {
  poke32(at + EIP, eip);
  poke32(at + EFLAGS, flags);
  for (unsigned r = 0; r < 8; r++)
    poke32(at + GPR + 4 * r, 0xA0A0A000 + r);
  poke32(at + GPR + 4 * CPU_ESP, esp);
  for (unsigned s = 0; s < 6; s++)
    poke32(at + SEGS + 4 * s, new_segs[s]);
  poke32(at + LDTR, 0);
  poke32(at + TRAP, 0);
  poke32(at + CR3, PAGE_DIRECTORY);
}

static void build_tasks(void) {
  static const uint8_t hlt = 0xF4;
  build_rings();
  set_descriptor(NEW, descriptor(NEW_TSS, 0x67, 0x089));
  set_descriptor(FAULT, descriptor(FAULT_TSS, 0x67, 0x089));
  set_descriptor(LDT, descriptor(NEW_LDT, 0xFF, 0x082));
  set_gate_descriptor(GATE, NEW, 0, 0x85, 0);
  build_tss(NEW_TSS, NEW_CODE, NEW_STACK, FLAGS_NEW);
  build_tss(FAULT_TSS, FAULT_CODE, FAULT_STACK, FLAGS_NEW);
  poke(FAULT_CODE, &hlt, 1);
  static const uint8_t faults[] = {X86_TS, X86_NP, X86_SS, X86_GP, X86_PF};
  for (unsigned i = 0; i < sizeof faults; i++)
    set_gate(faults[i], FAULT, 0, GATE_TASK);
}

static cpu_state_t state(void) {
  return cpu_state(fx.cpu);
}

static unsigned type_of(unsigned selector) {
  return peek8(GDT + selector + 5) & 15;
}

/* --- ways to switch --- */

CODE(jump, "ljmp $0xa0, $0x12345678");
CODE(jump_gate, "ljmp $0xb0, $0");
CODE(call, "lcall $0xa0, $0");
CODE(call_gate, "lcall $0xb0, $0");
CODE(interrupt, "int $0x80");
CODE(fault, "mov 0xffffffff, %al\n"); /* beyond the limit of SMALL_DATA */
CODE(iret_code, "iret");

typedef struct {
  const uint8_t *from, *end;
  unsigned length; /* of the instruction; 0: a fault */
  bool nested;
} way_t;

static const way_t ways[] = {
    {jump, jump_end, 7, false},          {jump_gate, jump_gate_end, 7, false}, {call, call_end, 7, true},
    {call_gate, call_gate_end, 7, true}, {interrupt, interrupt_end, 2, true},  {fault, fault_end, 0, true},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Loads the instruction, with recognizable registers. */
static void prepare(const way_t *way) {
  load_code(way->from, way->end);
  set_gate(0x80, NEW, 0, GATE_TASK);
  set_gate(X86_GP, way->length ? FAULT : NEW, 0, GATE_TASK);
  if (!way->length) set_segment(MMU_SEG_DS, SMALL_DATA, DATA, 0xFF, 0x493);
  for (unsigned r = 0; r < 8; r++) {
    if (r != CPU_ESP) set_reg(r, 0xC0C0C000 + r);
  }
  set_flags(FLAGS_OLD);
}

START_TEST(state_before_and_after) {
  for (unsigned w = 0; w < WAYS; w++) {
    const way_t *way = &ways[w];
    build_tasks();
    prepare(way);
    run(1);
    cpu_state_t s = state();
    bool error_code = !way->length;
    ck_assert_uint_eq(s.rip, NEW_CODE);
    ck_assert_uint_eq(s.rflags, FLAGS_NEW | (way->nested ? X86_NT : 0));
    for (unsigned r = 0; r < 8; r++) {
      if (r != CPU_ESP) ck_assert_uint_eq(s.gpr[r], 0xA0A0A000 + r);
      if (r != CPU_ESP) ck_assert_uint_eq(peek32(TSS + GPR + 4 * r), 0xC0C0C000 + r);
    }
    ck_assert_uint_eq(s.gpr[CPU_ESP], NEW_STACK - (error_code ? 4 : 0));
    if (error_code) ck_assert_uint_eq(frame(0), 0);
    for (unsigned i = 0; i < 6; i++)
      ck_assert_uint_eq(s.seg[i].selector, new_segs[i]);
    ck_assert_uint_eq(s.seg[MMU_SEG_GS].attr, 0xCD3);
    ck_assert(!s.seg[MMU_SEG_LDTR].usable);
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].selector, NEW);
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].attr, 0x08B);
    ck_assert_uint_eq(s.cr0 & X86_CR0_TS, X86_CR0_TS);
    ck_assert_uint_eq(s.cpl, 0);
    ck_assert_uint_eq(peek32(TSS + EIP), CODE_AT + way->length);
    ck_assert_uint_eq(peek32(TSS + EFLAGS), FLAGS_OLD | (error_code ? X86_RF : 0));
    ck_assert_uint_eq(peek32(TSS + GPR + 4 * CPU_ESP), STACK_TOP);
    ck_assert_uint_eq(peek32(TSS + SEGS + 4 * MMU_SEG_CS), CODE0);
    ck_assert_uint_eq(type_of(NEW), 0xB);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), way->nested ? 0xB : 9);
    if (way->nested) ck_assert_uint_eq(peek32(NEW_TSS + LINK) & 0xFFFF, TSS_SELECTOR);
    fixture_down();
    fixture_up();
  }
}
END_TEST

START_TEST(iret_returns_to_the_linked_task) {
  for (unsigned w = 2; w < WAYS; w++) {
    build_tasks();
    prepare(&ways[w]);
    poke(NEW_CODE, iret_code, 1);
    run(2);
    cpu_state_t s = state();
    ck_assert_uint_eq(s.rip, CODE_AT + ways[w].length);
    ck_assert_uint_eq(s.rflags, FLAGS_OLD | (ways[w].length ? 0 : X86_RF));
    ck_assert_uint_eq(s.seg[MMU_SEG_TR].selector, TSS_SELECTOR);
    ck_assert_uint_eq(s.gpr[CPU_EDI], 0xC0C0C007);
    ck_assert_uint_eq(s.gpr[CPU_ESP], STACK_TOP);
    ck_assert_uint_eq(type_of(NEW), 9);
    ck_assert_uint_eq(type_of(TSS_SELECTOR), 0xB);
    ck_assert_uint_eq(peek32(NEW_TSS + EFLAGS), FLAGS_NEW); /* NT is cleared in what is saved */
    ck_assert_uint_eq(peek32(NEW_TSS + EIP), NEW_CODE + 1);
    fixture_down();
    fixture_up();
  }
}
END_TEST

START_TEST(sixteen_bit_tss) {
  build_tasks();
  set_descriptor(NEW, descriptor(NEW_TSS, 0x2B, 0x081));
  uint16_t tss[22] = {0};
  tss[7] = 0x8000; /* IP */
  tss[8] = X86_ZF | 2;
  for (uint16_t r = 0; r < 8; r++)
    tss[9 + r] = (uint16_t)(0x1230 + r);
  tss[17] = RING_DATA;
  tss[18] = CODE0;
  tss[19] = DATA0;
  tss[20] = RING_DATA + 8;
  tss[21] = LDT;
  poke(NEW_TSS, tss, sizeof tss);
  poke(0x8000, iret_code, 1);
  prepare(&ways[2]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rip, 0x8000);
  ck_assert_uint_eq(s.rflags, X86_ZF | X86_NT | 2);
  for (unsigned r = 0; r < 8; r++)
    ck_assert_uint_eq(s.gpr[r], 0x1230 + r);
  ck_assert_uint_eq(s.seg[MMU_SEG_ES].selector, RING_DATA);
  ck_assert_uint_eq(s.seg[MMU_SEG_DS].selector, RING_DATA + 8);
  ck_assert(!s.seg[MMU_SEG_FS].usable && !s.seg[MMU_SEG_GS].usable);
  ck_assert_uint_eq(s.seg[MMU_SEG_LDTR].base, NEW_LDT);
  ck_assert_uint_eq(s.seg[MMU_SEG_TR].attr, 0x083);

  run(1); /* and back: the 16-bit state is saved */
  ck_assert_uint_eq(eip(), CODE_AT + 7);
  ck_assert_uint_eq(peek32(NEW_TSS + 0x0E), (X86_ZF | 2) << 16 | 0x8001);
  ck_assert_uint_eq(peek32(NEW_TSS + 0x20) >> 16, RING_DATA);
  ck_assert_uint_eq(type_of(NEW), 1);
}
END_TEST

START_TEST(paging_and_rings_of_the_new_task) {
  build_tasks();
  enable_paging(true);
  poke(0x14000, fx.ram + PAGE_DIRECTORY, 4096);
  poke32(NEW_TSS + CR3, 0x14000);
  poke32(NEW_TSS + EFLAGS, X86_IOPL | 2);
  for (unsigned s = 0; s < 6; s++)
    poke32(NEW_TSS + SEGS + 4 * s, (s == MMU_SEG_CS ? RING_CODE : RING_DATA) + 24 + 3);
  prepare(&ways[0]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.cr3, 0x14000);
  ck_assert_uint_eq(mmu_cr(fx.mmu, 3), 0x14000);
  ck_assert_uint_eq(s.cpl, 3);
  ck_assert_uint_eq(s.rflags, X86_IOPL | 2);
}
END_TEST

START_TEST(new_task_in_virtual_8086_mode) {
  build_tasks();
  poke32(NEW_TSS + EFLAGS, X86_VM | 2);
  poke32(NEW_TSS + EIP, 0x100);
  for (unsigned s = 0; s < 6; s++)
    poke32(NEW_TSS + SEGS + 4 * s, 0x2000 + 0x100 * s);
  prepare(&ways[0]);
  run(1);
  cpu_state_t s = state();
  ck_assert_uint_eq(s.rflags, X86_VM | 2);
  ck_assert_uint_eq(s.cpl, 3);
  for (unsigned i = 0; i < 6; i++) {
    ck_assert_uint_eq(s.seg[i].base, 0x20000 + 0x1000 * i);
    ck_assert_uint_eq(s.seg[i].limit, 0xFFFF);
  }
}
END_TEST

START_TEST(trap_flag_of_the_tss) {
  build_tasks();
  poke32(NEW_TSS + TRAP, 1);
  prepare(&ways[0]);
  run(2);
  ck_assert_uint_eq(frame(0), NEW_CODE);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_DB + 1); /* its HLT */
}
END_TEST

/* --- faults --- */

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
  Suite *suite = suite_create("cpu_task");
  TCase *tcase = tcase_create("tasks");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, state_before_and_after);
  tcase_add_test(tcase, iret_returns_to_the_linked_task);
  tcase_add_test(tcase, sixteen_bit_tss);
  tcase_add_test(tcase, paging_and_rings_of_the_new_task);
  tcase_add_test(tcase, new_task_in_virtual_8086_mode);
  tcase_add_test(tcase, trap_flag_of_the_tss);
  tcase_add_test(tcase, faults_before_the_commitment);
  tcase_add_loop_test(tcase, faults_after_the_commitment, 0, (int)(sizeof new_faults / sizeof *new_faults));
  tcase_add_test(tcase, external_interrupts_set_ext);
  tcase_add_test(tcase, target_beyond_the_limit_faults_in_the_new_task);
  tcase_add_test(tcase, faults_of_a_return);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
