/*
 * Random bytes as code, in every mode: the emulator never sends a request that libmmu86 takes for misuse, never reads
 * outside its tables (run it with the sanitizers), and is deterministic.
 */
#include "cpu_fixture.h"

enum { PROGRAMS = 200, INSTRUCTIONS = 300, CODE_BYTES = 4096 };

static uint64_t state;

static uint32_t random32(void) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(state >> 33);
}

/* Bytes of code, with a good share of the two-byte map and of system instructions. */
static void fill_code(uint8_t *code) {
  static const uint8_t often[] = {0x0F, 0x01, 0x00, 0x22, 0x20, 0xCF, 0xCD, 0x8E, 0xFF, 0xF3, 0x66, 0x67, 0xCB};
  for (unsigned i = 0; i < CODE_BYTES; i++)
    code[i] = random32() % 4 ? (uint8_t)random32() : often[random32() % sizeof often];
}

static void send(mmu_req_t req) {
  ck_assert(cpu_send(fx.cpu, &req));
}

static void enter_real_mode(void) {
  send((mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0});
  send((mmu_req_t){.op = MMU_OP_SET_SEG,
                   .seg = MMU_SEG_CS,
                   .reason = MMU_SET_RAW,
                   .selector = CODE_AT >> 4,
                   .offset = CODE_AT,
                   .data = 0xFFFF | UINT64_C(0x9B) << 32 | UINT64_C(1) << 48});
  set_eip(0);
}

/* One program from a fresh machine. Returns a number that stands for all it did. */
static uint64_t run_program(unsigned seed) {
  static uint8_t code[CODE_BYTES];
  state = seed;
  fill_code(code);
  poke(CODE_AT, code, sizeof code);
  uint64_t gpr[8];
  for (unsigned r = 0; r < 8; r++)
    gpr[r] = random32() % 3 ? DATA + random32() % 0x4000 : random32();
  cpu_set_registers(fx.cpu, gpr, CODE_AT + random32() % CODE_BYTES, 2);
  if (seed % 4 < 2) enable_paging(seed & 1);
  if (seed % 4 == 1) enter_ring3(2 | (random32() & (X86_IF | X86_TF | X86_IOPL)));
  if (seed % 4 == 3) enter_real_mode();
  fx.intr_vector = 0x20;
  uint64_t digest = 0;
  for (unsigned i = 0; i < INSTRUCTIONS; i++) {
    if (i % 50 == 49) cpu_set_intr(fx.cpu, true);
    cpu_stop_t stop = cpu_run(fx.cpu, 1);
    cpu_state_t s = cpu_state(fx.cpu);
    digest = digest * 31 + s.rip + s.rflags * 7 + (unsigned)stop;
    for (unsigned r = 0; r < 8; r++)
      digest = digest * 31 + s.gpr[r];
    if (stop != CPU_STOP_LIMIT) break;
  }
  return digest + fx.n_log;
}

/* --- random tables --- */

enum { TABLE_PROGRAMS = 200, TABLE_INSTRUCTIONS = 400, SLOTS = 32, TASKS_AT = 0x50000, LDT_AT = 0x58000 };

static bool chance(unsigned percent) {
  return random32() % 100 < percent;
}

static uint16_t random_selector(void) {
  return (uint16_t)(random32() % SLOTS << 3 | (chance(15) ? 4 : 0) | random32() % 4);
}

/* Mostly present and flat, of any type and privilege; gates and TSSs point somewhere that is likely to work. */
static void random_descriptor(uint32_t at) {
  unsigned type = random32() % 32, dpl = random32() % 4;
  unsigned attr = type | dpl << 5 | (chance(92) ? 0x80 : 0);
  if (!(type & 0x10) && (type & 7) > 3) {
    uint32_t offset = chance(80) ? CODE_AT + random32() % CODE_BYTES : random32();
    poke32(at, (uint32_t)random_selector() << 16 | (offset & 0xFFFF));
    poke32(at + 4, (offset & 0xFFFF0000) | attr << 8 | (chance(50) ? random32() % 32 : 0));
    return;
  }
  bool table = !(type & 0x10), flat = !table && chance(80);
  uint32_t base = table ? (type == 2 ? LDT_AT : TASKS_AT + random32() % 4 * 0x100) : flat ? 0 : random32() % 0x60000;
  uint32_t limit = table ? (chance(85) ? 0xFF : random32() % 0x80) : flat ? 0xFFFFF : random32() & 0xFFFFF;
  uint64_t value = descriptor(base, limit, attr | (table || !flat ? 0 : 0x800) | (chance(75) ? 0x400 : 0));
  poke32(at, (uint32_t)value);
  poke32(at + 4, (uint32_t)(value >> 32));
}

static void random_task(uint32_t at) {
  for (unsigned i = 0; i < 0x100; i += 4)
    poke32(at + i, chance(50) ? random_selector() | (uint32_t)random_selector() << 16 : random32());
  for (unsigned i = 4; i < 0x1C; i += 8)
    poke32(at + i, STACK0_TOP + random32() % 0x2000);
  poke32(at + 0x20, CODE_AT + random32() % CODE_BYTES);
  if (chance(80)) poke32(at + 0x24, 2 | (random32() & (X86_IF | X86_NT | X86_IOPL | (chance(20) ? X86_VM : 0))));
  poke32(at + 0x1C, PAGE_DIRECTORY);
  poke32(at + 0x38, USER_STACK_TOP - random32() % 64);
}

/* Selectors that exist as immediates, so that far transfers and segment loads reach the tables. */
static void add_transfers(void) {
  for (unsigned i = 0; i < CODE_BYTES / 24; i++) {
    static const uint8_t far_opcodes[] = {0x9A, 0xEA};
    uint32_t at = CODE_AT + random32() % (CODE_BYTES - 8), target = CODE_AT + random32() % CODE_BYTES;
    uint8_t bytes[7] = {far_opcodes[random32() % 2], (uint8_t)target, (uint8_t)(target >> 8), (uint8_t)(target >> 16),
                        0};
    uint16_t selector = random_selector();
    bytes[5] = (uint8_t)selector;
    bytes[6] = (uint8_t)(selector >> 8);
    poke(at, bytes, sizeof bytes);
    const uint8_t load[] = {0x66, 0xB8, (uint8_t)selector, 0, 0x8E, (uint8_t)(0xC0 | random32() % 6 << 3)};
    if (chance(50)) poke(CODE_AT + random32() % (CODE_BYTES - 8), load, sizeof load);
    const uint8_t interrupt[] = {0xCD, (uint8_t)(random32() % 64)};
    if (chance(50)) poke(CODE_AT + random32() % (CODE_BYTES - 2), interrupt, sizeof interrupt);
  }
}

static void random_tables(void) {
  for (unsigned i = 6; i < SLOTS; i++)
    if (chance(85)) random_descriptor(GDT + 8 * i);
  for (unsigned i = 0; i < SLOTS; i++)
    random_descriptor(LDT_AT + 8 * i);
  for (unsigned v = 0; v < 64; v++)
    if (chance(60)) random_descriptor(IDT + 8 * v);
  for (unsigned t = 0; t < 4; t++)
    random_task(TASKS_AT + 0x100 * t);
  add_transfers();
}

static const uint32_t entry_flags =
    X86_IF | X86_TF | X86_IOPL | X86_NT | X86_RF | X86_AC_FLAG | X86_DF_FLAG | X86_CF | X86_OF_FLAG;

static void enter_virtual_8086_mode(void) {
  for (unsigned s = MMU_SEG_ES; s <= MMU_SEG_GS; s++)
    if (s != MMU_SEG_CS)
      send((mmu_req_t){.op = MMU_OP_SET_SEG, .seg = (uint8_t)s, .reason = MMU_SET_V86, .selector = DATA >> 4});
  send((mmu_req_t){.op = MMU_OP_SET_SEG,
                   .seg = MMU_SEG_CS,
                   .reason = MMU_SET_RAW,
                   .selector = (CODE_AT >> 4) | 3,
                   .offset = CODE_AT | 0x30,
                   .data = 0xFFFF | UINT64_C(0xF3) << 32 | UINT64_C(1) << 48});
  set_reg(CPU_ESP, 0x8000);
  set_eip(random32() % (CODE_BYTES - 0x100));
  set_flags(2 | X86_VM | (random32() & random32() & entry_flags));
}

/* Another ring, or virtual-8086 mode, among the same tables; a state that no program has to have reached. */
static void go_elsewhere(void) {
  set_flags(2);
  if (!(cpu_state(fx.cpu).cr0 & X86_CR0_PE)) return;
  if (chance(25)) {
    enter_virtual_8086_mode();
    return;
  }
  enter_ring(random32() % 4, 2 | (random32() & random32() & entry_flags));
  set_eip(CODE_AT + random32() % CODE_BYTES);
}

static void enter_somewhere(void) {
  if (chance(70)) {
    enable_paging(chance(50));
    for (unsigned i = 0; i < 6; i++)
      set_pte(random32() % 0x100 << 12, (random32() & 0xFF000) | (random32() & 7));
    if (chance(40))
      send((mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | X86_CR0_AM | X86_CR0_WP});
  }
  build_rings();
  if (chance(80)) enter_ring(random32() % 4, 2 | (random32() & random32() & entry_flags));
  set_reg(CPU_ESP, USER_STACK_TOP - random32() % 16);
  random_tables();
}

/* One program among random descriptors, gates and tasks. Every run comes back. */
static uint64_t run_among_tables(unsigned seed) {
  static uint8_t code[CODE_BYTES];
  state = seed + UINT64_C(1000003) * 77;
  fill_code(code);
  poke(CODE_AT, code, sizeof code);
  uint64_t gpr[8];
  for (unsigned r = 0; r < 8; r++)
    gpr[r] = random32() % 3 ? DATA + random32() % 0x4000 : random_selector();
  cpu_set_registers(fx.cpu, gpr, CODE_AT + random32() % CODE_BYTES, 2);
  enter_somewhere();
  uint64_t digest = 0;
  cpu_stop_t stop = CPU_STOP_LIMIT;
  for (unsigned i = 0; i < TABLE_INSTRUCTIONS; i++) {
    fx.intr_vector = (uint8_t)(random32() % 64);
    if (chance(4)) cpu_set_intr(fx.cpu, true);
    if (chance(2)) cpu_set_nmi(fx.cpu);
    if (stop != CPU_STOP_LIMIT || chance(2)) go_elsewhere();
    uint64_t before = cpu_instructions(fx.cpu);
    stop = cpu_run(fx.cpu, 1);
    ck_assert(stop == CPU_STOP_LIMIT || stop == CPU_STOP_HALT || stop == CPU_STOP_SHUTDOWN);
    ck_assert_uint_le(cpu_instructions(fx.cpu) - before, 1);
    cpu_state_t s = cpu_state(fx.cpu);
    for (unsigned seg = 0; seg < 8; seg++) { /* the emulator's copy is what the MMU has */
      mmu_seg_t mine = s.seg[seg], its = mmu_seg(fx.mmu, seg);
      ck_assert(mine.selector == its.selector && mine.base == its.base && mine.limit == its.limit);
      ck_assert(mine.attr == its.attr && mine.usable == its.usable);
    }
    bool v86 = s.rflags & X86_VM;
    ck_assert(s.cpl <= 3 && (!v86 || s.cpl == 3) && (s.rflags & 0xFFC0802A) == 2);
    digest = digest * 31 + s.rip + s.rflags * 7 + (unsigned)stop;
  }
  return digest + fx.n_log;
}

START_TEST(random_tables_and_tasks) {
  for (unsigned seed = 0; seed < TABLE_PROGRAMS; seed++) {
    fixture_up();
    run_among_tables(seed);
    fixture_down();
  }
}
END_TEST

START_TEST(random_programs) {
  for (unsigned seed = 0; seed < PROGRAMS; seed++) {
    uint64_t digest[2];
    for (unsigned i = 0; i < 2; i++) {
      fixture_up();
      digest[i] = run_program(seed);
      fixture_down();
    }
    ck_assert_msg(digest[0] == digest[1], "program %u is not deterministic", seed);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cpu_random");
  TCase *tcase = tcase_create("random");
  tcase_set_timeout(tcase, 0);
  tcase_add_test(tcase, random_programs);
  tcase_add_test(tcase, random_tables_and_tasks);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
