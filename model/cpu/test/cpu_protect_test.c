/*
 * Alignment checks, the I/O permission bitmap, the double-fault table, 16-bit forms of the table instructions.
 */
#include "cpu_fixture.h"

static cpu_state_t state(void) {
  return cpu_state(fx.cpu);
}

/* --- alignment --- */

/* "Alignment Requirements by Data Type". bytes: an instruction whose operand lies at [EBX] (or the stack). */
static const struct {
  const char *name;
  uint8_t bytes[8];
  unsigned align; /* bytes */
  bool stack;
} aligned[] = {
    {"mov al", {0x8A, 0x03}, 1, false},
    {"mov ax", {0x66, 0x8B, 0x03}, 2, false},
    {"mov eax", {0x8B, 0x03}, 4, false},
    {"mov m32", {0x89, 0x03}, 4, false},
    {"add m16", {0x66, 0x01, 0x03}, 2, false},
    {"inc m32", {0xFF, 0x03}, 4, false},
    {"cmpxchg8b", {0x0F, 0xC7, 0x0B}, 8, false},
    {"les m16:16", {0x66, 0xC4, 0x03}, 2, false},
    {"les m16:32", {0xC4, 0x03}, 4, false},
    {"bound m16&16", {0x66, 0x62, 0x03}, 2, false},
    {"bound m32&32", {0x62, 0x03}, 4, false},
    {"bt m32", {0x0F, 0xA3, 0x0B}, 4, false},
    {"mov es, m16", {0x8E, 0x03}, 2, false},
    {"mov m16, es", {0x8C, 0x03}, 2, false},
    {"lar", {0x0F, 0x02, 0x03}, 2, false},
    {"push eax", {0x50}, 4, true},
    {"push ax", {0x66, 0x50}, 2, true},
    {"pop eax", {0x58}, 4, true},
    {"pusha", {0x60}, 4, true},
    {"popa", {0x61}, 4, true},
    {"pushf", {0x9C}, 4, true},
    {"ret", {0xC3}, 4, true},
    {"enter", {0xC8, 0, 0, 0}, 4, true},
    {"lret", {0xCB}, 4, true},
    {"lcall", {0x9A, 0, 0, 2, 0, CODE3, 0}, 4, true},
    {"iret", {0xCF}, 4, true},
};

/* Runs it once in ring 3 with its operand at DATA + at. Returns whether #AC(0) came. */
static bool checked(unsigned i, uint32_t at, bool am, bool ac) {
  mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | (am ? X86_CR0_AM : 0)};
  ck_assert(cpu_send(fx.cpu, &cr0));
  load_code(aligned[i].bytes, aligned[i].bytes + 8);
  enter_ring3(2 | (ac ? X86_AC_FLAG : 0));
  for (unsigned n = 0; n < 16; n++)
    poke32(DATA + at + 4 * n, 0);
  if (aligned[i].bytes[0] == 0xCB || aligned[i].bytes[0] == 0xCF || aligned[i].bytes[0] == 0xC3) {
    poke32(DATA + at, CODE_AT);
    poke32(DATA + at + 4, CODE3);
    poke32(DATA + at + 8, 2);
  }
  if (aligned[i].stack)
    set_reg(CPU_ESP, DATA + at);
  else
    set_reg(CPU_EBX, DATA + at);
  run(1);
  if (eip() != HANDLERS + 16 * X86_AC) return false;
  ck_assert_uint_eq(frame(0), 0);
  ck_assert_uint_eq(frame(1), CODE_AT);
  return true;
}

START_TEST(alignment_by_data_type) {
  unsigned i = (unsigned)_i;
  for (uint32_t at = 0x100; at < 0x108; at++) {
    bool odd = at % aligned[i].align != 0;
    ck_assert_msg(checked(i, at, true, true) == odd, "%s at %x", aligned[i].name, at);
    ck_assert(!checked(i, at, false, true));
    ck_assert(!checked(i, at, true, false));
  }
}
END_TEST

static const uint8_t sgdt_code[] = {0x0F, 0x01, 0x03}; /* sgdt [ebx] */

/* A word and a doubleword: the place is aligned if it is 2 mod 4. */
START_TEST(sgdt_wants_an_odd_word) {
  for (uint32_t at = 0; at < 8; at++) {
    mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_AM};
    ck_assert(cpu_send(fx.cpu, &cr0));
    load_code(sgdt_code, sgdt_code + sizeof sgdt_code);
    enter_ring3(2 | X86_AC_FLAG);
    set_reg(CPU_EBX, DATA + at);
    run(1);
    ck_assert((eip() == HANDLERS + 16 * X86_AC) == (at % 4 != 2));
  }
}
END_TEST

START_TEST(alignment_check_comes_before_a_page_fault) {
  enable_paging(true);
  mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | X86_CR0_AM};
  ck_assert(cpu_send(fx.cpu, &cr0));
  set_pte(DATA, PTE_ABSENT);
  load_code(aligned[2].bytes, aligned[2].bytes + 8);
  enter_ring3(2 | X86_AC_FLAG);
  set_reg(CPU_EBX, DATA + 1);
  run(1);
  ck_assert(faulted(X86_AC, 0));
}
END_TEST

/* #AC whose handler's stack raises #AC for ever: the run ends. */
START_TEST(endless_alignment_checks_end) {
  mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_AM};
  ck_assert(cpu_send(fx.cpu, &cr0));
  set_gate(X86_AC, CODE3, HANDLERS, GATE_USER);
  load_code(aligned[15].bytes, aligned[15].bytes + 8);
  enter_ring3(2 | X86_AC_FLAG);
  set_reg(CPU_ESP, DATA + 1);
  ck_assert_uint_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
}
END_TEST

/* --- I/O permission bitmap --- */

enum { MAP = 0x68 };

CODE(out_dx, "out %al, %dx");
CODE(out_dx_32, "out %eax, %dx");

static bool allowed(const uint8_t *from, const uint8_t *end, uint16_t port, uint32_t flags) {
  load_code(from, end);
  enter_ring3(flags);
  set_reg(CPU_EDX, port);
  fx.out_count = 0;
  run(1);
  if (eip() == HANDLERS + 16 * X86_GP) {
    ck_assert_uint_eq(frame(0), 0);
    ck_assert_uint_eq(fx.out_count, 0);
    return false;
  }
  ck_assert_uint_eq(fx.out_count, 1);
  ck_assert_uint_eq(fx.last_port, port);
  return true;
}

START_TEST(io_map_by_port_and_size) {
  uint8_t map[9] = {0};
  map[2] = 0x80; /* port 17H */
  map[8] = 0xFF;
  poke(TSS + MAP, map, sizeof map);
  poke32(TSS + 0x64, MAP << 16);
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, MAP + 8, 0x08B);
  for (uint16_t port = 0; port < 0x48; port++) {
    ck_assert(allowed(out_dx, out_dx_end, port, 2) == (port != 0x17 && port < 0x40));
    ck_assert(allowed(out_dx_32, out_dx_32_end, port, 2) == ((port < 0x14 || port > 0x17) && port < 0x3D));
    ck_assert(allowed(out_dx, out_dx_end, port, X86_IOPL | 2)); /* CPL <= IOPL */
  }
  set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, 0x2B, 0x083); /* a 16-bit TSS has no map */
  poke32(TSS + 2, DATA0 << 16 | 0x7000);                   /* SP0, SS0 */
  ck_assert(!allowed(out_dx, out_dx_end, 0, 2));
}
END_TEST

/* In virtual-8086 mode the map decides whatever IOPL says. */
START_TEST(io_map_in_virtual_8086_mode) {
  for (unsigned bit = 0; bit < 2; bit++) {
    static const uint8_t out_al[] = {0xEE}, iret[] = {0xCF};
    const uint32_t image[9] = {0, CODE_AT >> 4, X86_VM | X86_IOPL | 2, 0x100, 0x7000, 0, 0, 0, 0};
    uint8_t map[3] = {(uint8_t)bit, 0, 0xFF};
    poke(TSS + MAP, map, sizeof map);
    poke32(TSS + 0x64, MAP << 16);
    set_segment(MMU_SEG_TR, TSS_SELECTOR, TSS, MAP + 2, 0x08B);
    set_segment(MMU_SEG_CS, CODE0, 0, UINT32_MAX, 0xC9B);
    set_segment(MMU_SEG_SS, DATA0, 0, UINT32_MAX, 0xC93);
    load_code(out_al, out_al + 1);
    poke(0x29000, iret, 1);
    poke(0x60000, image, sizeof image);
    set_reg(CPU_ESP, 0x60000);
    set_eip(0x29000);
    run(2);
    ck_assert_uint_eq(fx.out_count, 1);
    if (bit) ck_assert(faulted(X86_GP, 0));
  }
}
END_TEST

/* --- double faults --- */

/*
 * First exceptions in ring 3; the second one comes while the first is delivered. Classes as in "Interrupt and Exception
 * Classes".
 */
enum { BENIGN, CONTRIBUTORY, PAGE };

static const struct {
  uint8_t vector, class;
  uint8_t bytes[8];
} first[] = {
    {X86_DE, CONTRIBUTORY, {0x31, 0xC9, 0xF7, 0xF1}},       /* xor ecx, ecx; div ecx */
    {X86_UD, BENIGN, {0x90, 0x90, 0x0F, 0x0B}},             /* ud2 */
    {X86_BR, BENIGN, {0x90, 0x90, 0x62, 0x03}},             /* bound eax, [ebx] */
    {X86_NP, CONTRIBUTORY, {0x90, 0x90, 0x8E, 0xC0}},       /* mov es, eax */
    {X86_SS, CONTRIBUTORY, {0x90, 0x90, 0x36, 0x8A, 0x01}}, /* mov al, ss:[ecx] */
    {X86_GP, CONTRIBUTORY, {0x90, 0x90, 0xF4}},             /* hlt */
    {X86_PF, PAGE, {0x90, 0x90, 0x8A, 0x02}},               /* mov al, [edx] */
};
enum { FIRST = sizeof first / sizeof *first, NOT_PRESENT = FREE, ABSENT_PAGE = 0x123000 };

/* The second fault is a property of the first one's gate. */
static const struct {
  uint8_t vector, class;
  uint32_t error_code;
} second[] = {
    {X86_TS, CONTRIBUTORY, 0x101},           /* to ring 1, whose stack is beyond the GDT */
    {X86_NP, CONTRIBUTORY, NOT_PRESENT | 1}, /* code */
    {X86_SS, CONTRIBUTORY, (FREE + 16) | 1}, /* to ring 2, whose stack is absent */
    {X86_GP, CONTRIBUTORY, DATA0 | 1},       /* to data */
    {X86_PF, PAGE, X86_PF_W},                /* to ring 1, whose stack is paged out */
};
enum { SECOND = sizeof second / sizeof *second };

static void spoil_gate(unsigned vector, unsigned s) {
  switch (second[s].vector) {
  case X86_TS:
    poke32(TSS + 16, 0x101);
    set_gate(vector, RING_CODE + 8, HANDLERS, GATE_INTERRUPT);
    break;
  case X86_NP:
    set_gate(vector, NOT_PRESENT, HANDLERS, GATE_INTERRUPT);
    break;
  case X86_SS:
    poke32(TSS + 24, (FREE + 16) | 2);
    set_gate(vector, RING_CODE + 16, HANDLERS, GATE_INTERRUPT);
    break;
  case X86_GP:
    set_gate(vector, DATA0, HANDLERS, GATE_INTERRUPT);
    break;
  default:
    poke32(TSS + 12, ABSENT_PAGE + 0x1000);
    set_gate(vector, RING_CODE + 8, HANDLERS, GATE_INTERRUPT);
    break;
  }
}

/* Raises the first exception in ring 3. */
static void raise_first(unsigned f) {
  build_rings();
  set_descriptor(NOT_PRESENT, descriptor(0, 0xFFFFF, 0xC1B));
  set_descriptor(FREE + 8, descriptor(0, 0xFFFFF, 0xC73)); /* data of ring 3, absent */
  set_descriptor(FREE + 16, descriptor(0, 0xFFFFF, 0xC53));
  enable_paging(true);
  set_pte(ABSENT_PAGE, PTE_ABSENT);
  load_code(first[f].bytes, first[f].bytes + 8);
  enter_ring(3, 2);
  set_segment(MMU_SEG_SS, (RING_DATA + 24) | 3, 0, 0xFFFFF, 0x4F3);
  poke32(DATA, 1);
  poke32(DATA + 4, 0);
  set_reg(CPU_EAX, (FREE + 8) | 3);
  set_reg(CPU_EBX, DATA);
  set_reg(CPU_ECX, 0x200000);
  set_reg(CPU_EDX, ABSENT_PAGE);
}

START_TEST(double_fault_table) {
  unsigned f = (unsigned)_i / SECOND, s = (unsigned)_i % SECOND;
  bool twice = first[f].class == CONTRIBUTORY ? second[s].class == CONTRIBUTORY
                                              : first[f].class == PAGE && second[s].class != BENIGN;
  raise_first(f);
  spoil_gate(first[f].vector, s);
  if (first[f].vector == second[s].vector && !twice) return; /* the second one's gate would be the same */
  run(first[f].bytes[0] == 0x90 ? 3 : 2);
  ck_assert(twice ? faulted(X86_DF, 0) : faulted(second[s].vector, second[s].error_code));
  ck_assert_uint_eq(frame(1), CODE_AT + 2);
}
END_TEST

/* A contributory exception or page fault in a double fault's delivery is shutdown. */
START_TEST(third_fault_is_shutdown) {
  unsigned s = (unsigned)_i;
  raise_first(0);
  spoil_gate(X86_DE, 1);
  spoil_gate(X86_DF, s);
  ck_assert_uint_eq(cpu_run(fx.cpu, 10), CPU_STOP_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(cpu_diagnostic(fx.cpu), "double fault"));
}
END_TEST

/* An external interrupt is benign, and faults of its delivery are external. */
START_TEST(faults_of_an_external_interrupt) {
  raise_first(1);
  fx.intr_vector = 0x40;
  set_flags(X86_IF | 2);
  spoil_gate(0x40, (unsigned)_i);
  cpu_set_intr(fx.cpu, true);
  run(1);
  ck_assert_uint_eq(eip(), HANDLERS + 16 * second[_i].vector + 1);
  ck_assert_uint_eq(frame(0), second[_i].error_code);
}
END_TEST

/* --- tables --- */

CODE(tables_16, "data16 lgdt 0x40000\n data16 sgdt 0x40010\n sgdt 0x40020\n lidt 0x40000\n"
                "data16 sidt 0x40030\n hlt");

START_TEST(sixteen_bit_tables_load_24_bits_of_base) {
  LOAD(tables_16);
  poke32(DATA, GDT << 16 | 0xFF);
  poke32(DATA + 4, 0xAB00);
  memset(fx.ram + DATA + 16, 0xEE, 48);
  run(3);
  ck_assert_uint_eq(state().gdtr.base, GDT);
  ck_assert_uint_eq(peek32(DATA + 0x10), GDT << 16 | 0xFF);
  ck_assert_uint_eq(peek32(DATA + 0x14), 0xEEEE0000);
  ck_assert_uint_eq(peek32(DATA + 0x24), 0xEEEE0000);
  run(1);
  ck_assert_uint_eq(state().idtr.base, 0xAB000000 | GDT);
  run(1); /* all of it is stored */
  ck_assert_uint_eq(peek32(DATA + 0x30), GDT << 16 | 0xFF);
  ck_assert_uint_eq(peek32(DATA + 0x34), 0xEEEEAB00);
}
END_TEST

CODE(stores, "mov $-1, %eax\n sldt %ax\n mov $-1, %ebx\n str %ebx\n str 0x40000\n smsw 0x40004\n mov $-1, %ecx\n"
             "smsw %cx\n hlt");

START_TEST(selector_stores_by_operand_size) {
  memset(fx.ram + DATA, 0xEE, 8);
  LOAD(stores);
  run_to_halt();
  ck_assert_uint_eq(reg(CPU_EAX), 0xFFFF0000);
  ck_assert_uint_eq(reg(CPU_EBX), TSS_SELECTOR);
  ck_assert_uint_eq(peek32(DATA), 0xEEEE0000 | TSS_SELECTOR);
  ck_assert_uint_eq(peek32(DATA + 4), 0xEEEE0011);
  ck_assert_uint_eq(reg(CPU_ECX), 0xFFFF0011);
}
END_TEST

CODE(arpl_data, "arpl %dx, 0x40000\n hlt");

/* "#GP if the result is in a nonwritable segment": without a change there is no result. */
START_TEST(arpl_writes_only_what_it_changes) {
  static const struct {
    uint16_t selector, rpl;
    bool ok;
  } cases[] = {{0x123, 2, true}, {0x122, 2, true}, {0x121, 2, false}};
  for (unsigned page = 0; page < 2; page++) {
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
      fixture_down();
      fixture_up();
      if (page) {
        enable_paging(true);
        set_pte(DATA, DATA | PTE_READ_ONLY);
      }
      LOAD(arpl_data);
      poke32(DATA, cases[i].selector);
      set_reg(CPU_EDX, cases[i].rpl);
      set_flags(X86_ZF | 2);
      if (!page) set_segment(MMU_SEG_DS, DATA0, 0, UINT32_MAX, 0xC91);
      run_to_halt();
      ck_assert_msg(cases[i].ok ? eip() == CODE_AT + 7 : halted_in(page ? X86_PF : X86_GP), "page %u, case %u: EIP %x",
                    page, i, eip());
      if (cases[i].ok) ck_assert_uint_eq(eflags() & X86_ZF, 0);
      ck_assert_uint_eq(peek32(DATA), cases[i].selector);
    }
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_protect");
  TCase *tcase = tcase_create("protection");
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_loop_test(tcase, alignment_by_data_type, 0, (int)(sizeof aligned / sizeof *aligned));
  tcase_add_test(tcase, sgdt_wants_an_odd_word);
  tcase_add_test(tcase, alignment_check_comes_before_a_page_fault);
  tcase_add_test(tcase, endless_alignment_checks_end);
  tcase_add_test(tcase, io_map_by_port_and_size);
  tcase_add_test(tcase, io_map_in_virtual_8086_mode);
  tcase_add_loop_test(tcase, double_fault_table, 0, FIRST * SECOND);
  tcase_add_loop_test(tcase, third_fault_is_shutdown, 0, SECOND);
  tcase_add_loop_test(tcase, faults_of_an_external_interrupt, 0, SECOND);
  tcase_add_test(tcase, sixteen_bit_tables_load_24_bits_of_base);
  tcase_add_test(tcase, arpl_writes_only_what_it_changes);
  tcase_add_test(tcase, selector_stores_by_operand_size);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
