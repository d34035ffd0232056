/*
 * The silicon oracle: generated instructions on the host's processor and on the emulator, results compared.
 *
 * ORACLE_NATIVE is the 32-bit program that runs them natively. Exit status 77 (skipped) where it cannot run; that it
 * does not come to its end is a failure. Usage: cpu_oracle_test [CASES [SEED]]
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu_fixture.h"
#include "oracle.h"
#include "oracle_cases.h"
#include "oracle_compare.h"

enum { CASES = 110000, SEED = 1, SKIPPED = 77, SHOWN = 10 };

static size_t n_cases = CASES;
static uint64_t seed = SEED;
static oracle_case_t *cases;
static oracle_result_t *native;

/* --- the host's side --- */

static int run_child(FILE *in, FILE *out) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (dup2(fileno(in), 0) < 0 || dup2(fileno(out), 1) < 0) _exit(126);
    execl(ORACLE_NATIVE, ORACLE_NATIVE, (char *)NULL);
    _exit(127);
  }
  int status;
  if (waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Returns why the host cannot say, or NULL; *broken if it should be able to. */
static const char *run_native(bool *broken) {
  FILE *in = tmpfile(), *out = tmpfile();
  if (!in || !out) return "no temporary file";
  if (fwrite(cases, sizeof *cases, n_cases, in) != n_cases || fflush(in)) return "cannot write the cases";
  rewind(in);
  int status = run_child(in, out);
  if (status == 127) return "the host runs no 32-bit program";
  if (status == 2) return "the host does not map pages where they belong";
  if (status == 4) return "the host has no modify_ldt";
  *broken = true;
  if (status == -SIGPROF) return "a case never ends on the host";
  if (status != 0) return "the 32-bit program failed";
  rewind(out);
  if (fread(native, sizeof *native, n_cases, out) != n_cases) return "the 32-bit program gave too few results";
  fclose(in);
  fclose(out);
  *broken = false;
  return NULL;
}

/* --- the emulator's side --- */

static void set_up_memory(void) {
  enable_paging(true);
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_NE};
  ck_assert(cpu_send(fx.cpu, &req));
  for (uint32_t page = 0; page < RAM_BYTES; page += MMU_PAGE_BYTES) {
    bool user = page == ORACLE_CODE || page == ORACLE_DATA;
    bool kernel = page < ORACLE_CODE || (page >= HANDLERS && page < ORACLE_DATA) || page == STACK0_TOP - 0x1000;
    set_pte(page, page | (user ? PTE_USER : kernel ? PTE_KERNEL : 0));
  }
  set_gate(X86_BP, CODE0, HANDLERS + 16 * X86_BP, GATE_USER);
}

static void set_based_segment(unsigned seg) {
  mmu_req_t req = {.op = MMU_OP_SET_SEG,
                   .seg = (uint8_t)seg,
                   .reason = MMU_SET_RAW,
                   .selector = 7,
                   .offset = ORACLE_SEGMENT_BASE,
                   .data = ORACLE_SEGMENT_LIMIT | UINT64_C(0x4F3) << 32 | UINT64_C(1) << 48};
  ck_assert(cpu_send(fx.cpu, &req));
}

static void run_emulated(const oracle_case_t *c, oracle_result_t *result) {
  memset(fx.ram + ORACLE_CODE, 0xCC, ORACLE_PAGE);
  memcpy(fx.ram + ORACLE_START, c->code, c->length);
  oracle_data(c, fx.ram + ORACLE_DATA);
  cpu_memory_changed(fx.cpu, ORACLE_CODE, ORACLE_PAGE);
  cpu_memory_changed(fx.cpu, ORACLE_DATA, ORACLE_PAGE);
  enter_ring3(X86_IF | 2);
  set_based_segment(MMU_SEG_FS);
  if (c->es_segmented) set_based_segment(MMU_SEG_ES);
  uint64_t gpr[8];
  for (unsigned r = 0; r < 8; r++)
    gpr[r] = c->gpr[r];
  cpu_set_registers(fx.cpu, gpr, ORACLE_START, X86_IF | 2 | c->eflags);
  fx.n_log = LOG_MAX;

  cpu_stop_t stop = cpu_run(fx.cpu, 1000);
  ck_assert_msg(stop == CPU_STOP_HALT, "stopped with %d: %s", stop, cpu_diagnostic(fx.cpu));
  memset(result, 0, sizeof *result);
  uint32_t skip = 0;
  result->vector = (eip() - HANDLERS) / 16;
  if (result->vector == X86_PF || result->vector == X86_GP) result->error_code = frame(skip++);
  if (result->vector == X86_PF) result->cr2 = (uint32_t)cpu_state(fx.cpu).cr2;
  result->eip = frame(skip);
  result->eflags = frame(skip + 2);
  for (unsigned r = 0; r < 8; r++)
    result->gpr[r] = r == CPU_ESP ? frame(skip + 3) : reg(r);
  memcpy(result->low, fx.ram + ORACLE_DATA, ORACLE_LOW);
  memcpy(result->high, fx.ram + ORACLE_DATA + ORACLE_PAGE - ORACLE_HIGH, ORACLE_HIGH);
  memcpy(&result->fpu, fx.ram + ORACLE_FPU_OUT, sizeof result->fpu);
}

START_TEST(emulator_agrees_with_silicon) {
  size_t different = 0;
  set_up_memory();
  for (size_t i = 0; i < n_cases; i++) {
    oracle_result_t result;
    run_emulated(&cases[i], &result);
    if (oracle_equal(&cases[i], &native[i], &result)) continue;
    if (different++ < SHOWN) oracle_show(stderr, &cases[i], &native[i], &result);
  }
  ck_assert_msg(different == 0, "%zu of %zu cases differ", different, n_cases);
}
END_TEST

/* Damages one result after the other: each must be noticed. */
START_TEST(a_planted_difference_is_caught) {
  size_t caught = 0, n = n_cases < 500 ? n_cases : 500;
  set_up_memory();
  for (size_t i = 0; i < n; i++) {
    oracle_result_t result;
    run_emulated(&cases[i], &result);
    if (i % 4 == 0) result.gpr[i / 4 % 8] ^= 1u << i % 32;
    if (i % 4 == 1) result.low[i % ORACLE_LOW] ^= 1;
    if (i % 4 == 2) result.eip++;
    if (i % 4 == 3) result.eflags ^= X86_DF_FLAG;
    caught += !oracle_equal(&cases[i], &native[i], &result);
  }
  ck_assert_uint_eq(caught, n);
}
END_TEST

/* The comparison itself: each part of a result counts, undefined flags do not. */
START_TEST(a_difference_is_noticed) {
  oracle_case_t c = {.undefined = X86_AF};
  oracle_result_t a = {.vector = X86_BP}, b = a;
  ck_assert(oracle_equal(&c, &a, &b));
  b.eflags ^= X86_AF;
  ck_assert(oracle_equal(&c, &a, &b));
  b.eflags ^= X86_CF;
  ck_assert(!oracle_equal(&c, &a, &b));
  b = a;
  b.vector = X86_DE;
  ck_assert(!oracle_equal(&c, &a, &b));
  a.vector = b.vector = X86_PF;
  b.cr2 = 1;
  ck_assert(!oracle_equal(&c, &a, &b));
  a.vector = b.vector = X86_GP;
  b = a;
  b.error_code = 8;
  ck_assert(!oracle_equal(&c, &a, &b));
}
END_TEST

START_TEST(a_difference_of_the_x87_is_noticed) {
  oracle_case_t c = {.x87 = 1, .undefined_status = 0x4500};
  oracle_result_t a = {.vector = X86_BP}, b = a;
  b.fpu.status = 0x4100;
  ck_assert(oracle_equal(&c, &a, &b));
  b.fpu.status = 0x0200; /* C1 */
  ck_assert(!oracle_equal(&c, &a, &b));
  b = a;
  b.fpu.tags = 1;
  ck_assert(!oracle_equal(&c, &a, &b));
  b = a;
  b.fpu.control = 0x40;
  ck_assert(!oracle_equal(&c, &a, &b));
  b = a;
  b.fpu.st[7][0] = 2;
  ck_assert(!oracle_equal(&c, &a, &b));
  c.ulps = 2;
  ck_assert(oracle_equal(&c, &a, &b));
  b.fpu.st[7][0] = 3;
  ck_assert(!oracle_equal(&c, &a, &b));
}
END_TEST

int main(int argc, char **argv) {
  if (argc > 1) n_cases = strtoull(argv[1], NULL, 0);
  if (argc > 2) seed = strtoull(argv[2], NULL, 0);
  cases = calloc(n_cases, sizeof *cases);
  native = calloc(n_cases, sizeof *native);
  if (!cases || !native) return 2;
  oracle_random_t random = {seed};
  for (size_t i = 0; i < n_cases; i++)
    oracle_generate(&random, &cases[i]);
  bool broken = false;
  const char *reason = run_native(&broken);
  if (reason) {
    printf("%s: %s\n", broken ? "failed" : "skipped", reason);
    return broken ? 1 : SKIPPED;
  }
  Suite *suite = suite_create("cpu_oracle");
  TCase *tcase = tcase_create("oracle");
  tcase_set_timeout(tcase, 0);
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, a_difference_is_noticed);
  tcase_add_test(tcase, a_difference_of_the_x87_is_noticed);
  tcase_add_test(tcase, a_planted_difference_is_caught);
  tcase_add_test(tcase, emulator_agrees_with_silicon);
  suite_add_tcase(suite, tcase);
  int status = run_suite(suite);
  free(cases);
  free(native);
  return status;
}
