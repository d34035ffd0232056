/*
 * Restartability: an instruction that faults has changed nothing but what the architecture allows.
 */
#include "cpu_fixture.h"

enum { HOLE = 0x41000 }; /* a page that a test takes away */

static void make_hole(uint32_t entry) {
  enable_paging(true);
  set_pte(HOLE, entry);
}

/* Runs one instruction of ring 3 that must raise a page fault at cr2; then no register of ring 3 has changed. */
static void expect_page_fault(const uint8_t *from, const uint8_t *end, const uint64_t gpr[8], uint32_t cr2,
                              uint32_t code) {
  load_code(from, end);
  enter_ring3(2);
  cpu_set_registers(fx.cpu, gpr, CODE_AT, 2 | X86_CF);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * X86_PF);
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, cr2);
  ck_assert_uint_eq(frame(0), code);
  ck_assert_uint_eq(frame(1), CODE_AT);
  ck_assert_uint_eq(frame(3), 2 | X86_CF | X86_RF);
  for (unsigned r = 0; r < 8; r++)
    ck_assert_uint_eq(r == CPU_ESP ? frame(4) : reg(r), gpr[r]);
}
#define EXPECT_PAGE_FAULT(name, gpr, cr2, code) expect_page_fault(name, name##_end, gpr, cr2, code)

static const uint64_t REGS[8] = {0x11, 0x40010, 0x33, HOLE, 0x40020, 0x40040, HOLE + 8, HOLE - 2};

CODE(load_ebx, "mov (%ebx), %eax");
CODE(add_to, "add %eax, (%ebx)");
CODE(xadd_to, "xadd %eax, (%ebx)");
CODE(push_hole, "push (%ebx)");
CODE(pop_hole, "pop (%ebx)");
CODE(straddle, "mov %eax, (%edi)");
CODE(movs_one, "movsl");
CODE(cmpxchg_hole, "cmpxchg %ecx, (%ebx)");
CODE(cmpxchg8b_hole, "cmpxchg8b (%ebx)");
CODE(call_hole, "call *(%ebx)");
CODE(lds_hole, "les (%ebx), %eax");
CODE(bts_hole, "bts %eax, (%ebx)");

START_TEST(loads_and_stores) {
  make_hole(PTE_ABSENT);
  EXPECT_PAGE_FAULT(load_ebx, REGS, HOLE, X86_PF_U);
  EXPECT_PAGE_FAULT(push_hole, REGS, HOLE, X86_PF_U);
  EXPECT_PAGE_FAULT(call_hole, REGS, HOLE, X86_PF_U);
  EXPECT_PAGE_FAULT(lds_hole, REGS, HOLE, X86_PF_U);
  EXPECT_PAGE_FAULT(movs_one, REGS, HOLE + 8, X86_PF_U);
  EXPECT_PAGE_FAULT(pop_hole, REGS, HOLE, X86_PF_U | X86_PF_W);
  poke32(HOLE - 4, 0xAABBCCDD);
  EXPECT_PAGE_FAULT(straddle, REGS, HOLE, X86_PF_U | X86_PF_W);
  ck_assert_uint_eq(peek32(HOLE - 4), 0xAABBCCDD);
}
END_TEST

/* A read-modify-write is one access, a write: its fault has W = 1 though reading comes first. */
START_TEST(read_modify_write_faults_as_a_write) {
  make_hole(HOLE | PTE_READ_ONLY);
  poke32(HOLE, 0x11);
  const uint32_t code = X86_PF_U | X86_PF_W | X86_PF_P;
  EXPECT_PAGE_FAULT(add_to, REGS, HOLE, code);
  EXPECT_PAGE_FAULT(xadd_to, REGS, HOLE, code);
  EXPECT_PAGE_FAULT(cmpxchg_hole, REGS, HOLE, code);
  EXPECT_PAGE_FAULT(cmpxchg8b_hole, REGS, HOLE, code);
  EXPECT_PAGE_FAULT(bts_hole, REGS, HOLE, code);
  ck_assert_uint_eq(peek32(HOLE), 0x11);
}
END_TEST

CODE(pusha_code, "pusha");
CODE(popa_code, "popa");
CODE(enter_code, "enter $0, $4");
CODE(leave_code, "leave");

START_TEST(multiple_stack_accesses) {
  make_hole(PTE_ABSENT);
  uint64_t gpr[8];
  memcpy(gpr, REGS, sizeof gpr);
  gpr[CPU_ESP] = 0x42000 + 12; /* the fourth push of PUSHA */
  poke32(0x42000, 0x99);
  EXPECT_PAGE_FAULT(pusha_code, gpr, 0x41FFC, X86_PF_U | X86_PF_W);
  ck_assert_uint_eq(peek32(0x42000), 0x99);
  EXPECT_PAGE_FAULT(enter_code, gpr, 0x41FFC, X86_PF_U | X86_PF_W);
  gpr[CPU_ESP] = HOLE - 12;
  EXPECT_PAGE_FAULT(popa_code, gpr, HOLE, X86_PF_U);
  gpr[CPU_EBP] = HOLE;
  EXPECT_PAGE_FAULT(leave_code, gpr, HOLE, X86_PF_U);
}
END_TEST

/* The return address cannot be pushed: EIP has not moved. */
CODE(call_code, "call . + 0x40");

START_TEST(call_without_a_stack) {
  make_hole(PTE_ABSENT);
  uint64_t gpr[8];
  memcpy(gpr, REGS, sizeof gpr);
  gpr[CPU_ESP] = HOLE + 4;
  EXPECT_PAGE_FAULT(call_code, gpr, HOLE, X86_PF_U | X86_PF_W);
}
END_TEST

CODE(rep_movs, "rep movsb\n hlt");
CODE(iret_pf, "add $4, %esp\n iret");

START_TEST(rep_keeps_the_completed_iterations) {
  LOAD(rep_movs);
  make_hole(PTE_ABSENT);
  poke(DATA, "0123456789", 10);
  set_reg(CPU_ESI, DATA);
  set_reg(CPU_EDI, HOLE - 4);
  set_reg(CPU_ECX, 10);
  uint64_t before = cpu_instructions(fx.cpu);
  run_to_halt();
  ck_assert(halted_in(X86_PF));
  ck_assert_uint_eq(cpu_instructions(fx.cpu) - before, 4 + 1 + 1); /* iterations, the fault, the handler's HLT */
  ck_assert_uint_eq(cpu_state(fx.cpu).cr2, HOLE);
  ck_assert_uint_eq(reg(CPU_ECX), 6);
  ck_assert_uint_eq(reg(CPU_ESI), DATA + 4);
  ck_assert_uint_eq(reg(CPU_EDI), HOLE);
  ck_assert_uint_eq(frame(1), CODE_AT);
  ck_assert_int_eq(memcmp(fx.ram + HOLE - 4, "0123", 4), 0);
  ck_assert_uint_eq(peek8(HOLE), 0);

  /* The handler repairs the page and returns: the rest follows. */
  set_pte(HOLE, HOLE | PTE_USER);
  HANDLER(X86_PF, iret_pf);
  set_eip(HANDLERS + 16 * X86_PF);
  run_to_halt();
  ck_assert_uint_eq(eip(), CODE_AT + 3);
  ck_assert_int_eq(memcmp(fx.ram + HOLE - 4, "0123456789", 10), 0);
}
END_TEST

CODE(repe_cmps, "repe cmpsb\n hlt");
CODE(repne_scas, "repne scasb\n hlt");

/* "REP/REPE/REPZ/REPNE/REPNZ": the flags of a comparison that faults are those from before it. */
START_TEST(rep_compare_that_faults_restores_the_flags) {
  for (int scas = 0; scas < 2; scas++) {
    if (scas)
      LOAD(repne_scas);
    else
      LOAD(repe_cmps);
    make_hole(PTE_ABSENT);
    poke(DATA, "0123456789", 10);
    poke(HOLE - 4, "0123", 4);
    set_reg(CPU_EAX, 'x');
    set_reg(CPU_ESI, DATA);
    set_reg(CPU_EDI, HOLE - 4);
    set_reg(CPU_ECX, 10);
    set_flags(X86_CF | X86_SF | 2);
    run_to_halt();
    ck_assert(halted_in(X86_PF));
    ck_assert_uint_eq(reg(CPU_ECX), 6);
    ck_assert_uint_eq(frame(3) & (X86_CF | X86_ZF | X86_SF | X86_PF_FLAG | X86_AF | X86_OF_FLAG), X86_CF | X86_SF);
  }
}
END_TEST

START_TEST(rep_is_interruptible) {
  LOAD(rep_movs);
  set_reg(CPU_ESI, DATA);
  set_reg(CPU_EDI, DATA + 100);
  set_reg(CPU_ECX, 10);
  set_flags(X86_IF | 2);
  run(3);
  fx.intr_vector = 0x20;
  cpu_set_intr(fx.cpu, true);
  run_to_halt();
  ck_assert(halted_in(0x20));
  ck_assert_uint_eq(reg(CPU_ECX), 7);
  ck_assert_uint_eq(frame(0), CODE_AT);
}
END_TEST

CODE(rep_stos, "rep stosb\n nop\n hlt");

/* An interrupt or trap after an iteration pushes RF = 1, but not after the last one. */
START_TEST(repetition_is_left_with_the_resume_flag) {
  for (unsigned iterations = 1; iterations <= 3; iterations++) {
    LOAD(rep_stos);
    set_reg(CPU_EDI, DATA);
    set_reg(CPU_ECX, 3);
    set_flags(X86_IF | 2);
    run(iterations);
    fx.intr_vector = 0x20;
    cpu_set_intr(fx.cpu, true);
    run_to_halt();
    ck_assert(halted_in(0x20));
    ck_assert_uint_eq(frame(0), iterations < 3 ? CODE_AT : CODE_AT + 2);
    ck_assert_uint_eq(frame(2), iterations < 3 ? X86_RF | X86_IF | 2 : X86_IF | 2);
  }
  for (unsigned count = 1; count <= 2; count++) {
    LOAD(rep_stos);
    set_reg(CPU_EDI, DATA);
    set_reg(CPU_ECX, count);
    set_flags(X86_TF | 2);
    run_to_halt();
    ck_assert(halted_in(X86_DB));
    ck_assert_uint_eq(frame(2), count > 1 ? X86_RF | X86_TF | 2 : X86_TF | 2);
  }
}
END_TEST

/* --- segments --- */

CODE(limit_code, "mov $0x30, %eax\n mov %eax, %fs\n mov %fs:0xfc, %ebx\n mov %fs:0xfd, %ebx\n");

START_TEST(segment_limit) {
  LOAD(limit_code);
  run(3);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), CODE_AT + 5 + 2 + 7);
}
END_TEST

CODE(pop_bad, "push $0x78\n pop %es\n");

START_TEST(pop_of_a_bad_selector_leaves_esp) {
  LOAD(pop_bad);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(0), 0x78);
  ck_assert_uint_eq(frame(1), CODE_AT + 2);
  ck_assert_uint_eq(reg(CPU_ESP), STACK_TOP - 4 - 16);
  ck_assert_uint_eq(cpu_state(fx.cpu).seg[MMU_SEG_ES].selector, DATA0);
}
END_TEST

CODE(null_es, "xor %eax, %eax\n mov %eax, %es\n mov %es:0, %eax\n");

START_TEST(null_selector_faults_on_use) {
  LOAD(null_es);
  run(2);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(frame(1), CODE_AT + 4);
}
END_TEST

/* --- privilege --- */

static void expect_gp_in_ring3(const char *bytes, unsigned n) {
  uint8_t code[16] = {0};
  memcpy(code, bytes, n);
  load_code(code, code + sizeof code);
  enter_ring3(2);
  run_to_halt();
  ck_assert_msg(halted_in(X86_GP), "%02x %02x", code[0], code[1]);
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), CODE_AT);
}

START_TEST(privileged_instructions) {
  static const struct {
    const char *bytes;
    unsigned n;
  } list[] = {
      {"\xF4", 1},                         /* HLT */
      {"\xFA", 1},                         /* CLI */
      {"\xFB", 1},                         /* STI */
      {"\xEE", 1},                         /* OUT DX, AL */
      {"\xEC", 1},                         /* IN AL, DX */
      {"\x6C", 1},                         /* INS */
      {"\x0F\x20\xC0", 3},                 /* MOV EAX, CR0 */
      {"\x0F\x22\xD8", 3},                 /* MOV CR3, EAX */
      {"\x0F\x21\xC0", 3},                 /* MOV EAX, DR0 */
      {"\x0F\x06", 2},                     /* CLTS */
      {"\x0F\x09", 2},                     /* WBINVD */
      {"\x0F\x01\x15\x00\x00\x04\x00", 7}, /* LGDT */
      {"\x0F\x01\x3D\x00\x00\x04\x00", 7}, /* INVLPG */
      {"\x0F\x01\xF0", 3},                 /* LMSW */
      {"\x0F\x00\xD0", 3},                 /* LLDT */
      {"\x0F\x00\xD8", 3},                 /* LTR */
      {"\x0F\x30", 2},                     /* WRMSR */
      {"\x0F\x32", 2},                     /* RDMSR */
  };
  for (unsigned i = 0; i < sizeof list / sizeof *list; i++)
    expect_gp_in_ring3(list[i].bytes, list[i].n);
}
END_TEST

CODE(out_code, "mov $0x3f9, %edx\n mov $0x5a, %al\n out %al, %dx\n out %ax, %dx");

START_TEST(io_permission_bit_map) {
  set_descriptor(TSS_SELECTOR, descriptor(TSS, 0xFF, 0x089));
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .selector = TSS_SELECTOR, .reason = MMU_LOAD_TASK};
  ck_assert(cpu_send(fx.cpu, &req));
  poke32(TSS + 0x68 + 0x3F9 / 8, ~(1u << (0x3F9 & 7))); /* 3F9H only */
  LOAD(out_code);
  enter_ring3(2);
  run(3);
  ck_assert_uint_eq(fx.last_port, 0x3F9);
  ck_assert_uint_eq(fx.last_out, 0x5A);
  run_to_halt();
  ck_assert(halted_in(X86_GP));
  ck_assert_uint_eq(fx.out_count, 1);
}
END_TEST

CODE(popf_code, "push $0x3202\n popf\n nop");

START_TEST(popf_in_ring_3_keeps_if_and_iopl) {
  LOAD(popf_code);
  enter_ring3(2);
  run(2);
  ck_assert_uint_eq(eflags(), 2);
  LOAD(popf_code);
  enter_ring3(0x3002);
  run(2);
  ck_assert_uint_eq(eflags(), 0x3202);
}
END_TEST

CODE(popf_vif, "push $0x180002\n popf\n nop");

START_TEST(popf_leaves_vif_and_vip) {
  LOAD(popf_vif);
  run(2);
  ck_assert_uint_eq(eflags(), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_fault");
  TCase *tcase = tcase_create("faults");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, loads_and_stores);
  tcase_add_test(tcase, read_modify_write_faults_as_a_write);
  tcase_add_test(tcase, multiple_stack_accesses);
  tcase_add_test(tcase, call_without_a_stack);
  tcase_add_test(tcase, rep_keeps_the_completed_iterations);
  tcase_add_test(tcase, rep_compare_that_faults_restores_the_flags);
  tcase_add_test(tcase, rep_is_interruptible);
  tcase_add_test(tcase, repetition_is_left_with_the_resume_flag);
  tcase_add_test(tcase, segment_limit);
  tcase_add_test(tcase, pop_of_a_bad_selector_leaves_esp);
  tcase_add_test(tcase, null_selector_faults_on_use);
  tcase_add_test(tcase, privileged_instructions);
  tcase_add_test(tcase, io_permission_bit_map);
  tcase_add_test(tcase, popf_in_ring_3_keeps_if_and_iopl);
  tcase_add_test(tcase, popf_leaves_vif_and_vip);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
