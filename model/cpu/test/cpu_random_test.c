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
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
