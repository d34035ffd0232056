/*
 * The silicon oracle: generated instructions on the host's processor and on the emulator, results compared.
 *
 * ORACLE_NATIVE is the 32-bit program that runs them natively. Exit status 77 (skipped) where it cannot run.
 * Usage: cpu_oracle_test [CASES [SEED]]
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu_fixture.h"
#include "oracle.h"
#include "oracle_cases.h"

enum { CASES = 30000, SEED = 1, SKIPPED = 77, SHOWN = 10 };

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
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Returns why the host cannot say, or NULL. */
static const char *run_native(void) {
  FILE *in = tmpfile(), *out = tmpfile();
  if (!in || !out) return "no temporary file";
  if (fwrite(cases, sizeof *cases, n_cases, in) != n_cases || fflush(in)) return "cannot write the cases";
  rewind(in);
  int status = run_child(in, out);
  if (status == 127) return "the host runs no 32-bit program";
  if (status != 0) return "the 32-bit program failed";
  rewind(out);
  if (fread(native, sizeof *native, n_cases, out) != n_cases) return "the 32-bit program gave too few results";
  fclose(in);
  fclose(out);
  return NULL;
}

/* --- the emulator's side --- */

static void set_up_memory(void) {
  enable_paging(true);
  for (uint32_t page = 0; page < RAM_BYTES; page += MMU_PAGE_BYTES) {
    bool user = page == ORACLE_CODE || page == ORACLE_DATA;
    bool kernel = page < ORACLE_CODE || (page >= HANDLERS && page < ORACLE_DATA) || page == STACK0_TOP - 0x1000;
    set_pte(page, page | (user ? PTE_USER : kernel ? PTE_KERNEL : 0));
  }
  set_gate(X86_BP, CODE0, HANDLERS + 16 * X86_BP, GATE_USER);
}

static void run_emulated(const oracle_case_t *c, oracle_result_t *result) {
  memset(fx.ram + ORACLE_CODE, 0xCC, ORACLE_PAGE);
  memcpy(fx.ram + ORACLE_START, c->code, c->length);
  oracle_fill(fx.ram + ORACLE_DATA, c->seed);
  memcpy(fx.ram + c->gpr[CPU_ESP], &c->top, sizeof c->top);
  cpu_memory_changed(fx.cpu, ORACLE_CODE, ORACLE_PAGE);
  cpu_memory_changed(fx.cpu, ORACLE_DATA, ORACLE_PAGE);
  enter_ring3(X86_IF | 2);
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
}

/* --- comparison --- */

static bool equal(const oracle_case_t *c, const oracle_result_t *a, const oracle_result_t *b) {
  uint32_t flags = a->vector == X86_BP ? ORACLE_FLAGS & ~(uint32_t)c->undefined : ORACLE_FLAGS;
  if (a->vector != b->vector || a->eip != b->eip || ((a->eflags ^ b->eflags) & flags)) return false;
  if (a->vector == X86_PF && (a->cr2 != b->cr2 || ((a->error_code ^ b->error_code) & (X86_PF_W | X86_PF_U))))
    return false;
  return memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0 && memcmp(a->low, b->low, ORACLE_LOW) == 0 &&
         memcmp(a->high, b->high, ORACLE_HIGH) == 0;
}

static void show_result(const char *who, const oracle_result_t *r) {
  fprintf(stderr, "  %-8s vector %2u eip %05x flags %03x ", who, r->vector, r->eip, r->eflags & ORACLE_FLAGS);
  if (r->vector == X86_PF) fprintf(stderr, "cr2 %08x code %x ", r->cr2, r->error_code);
  for (unsigned i = 0; i < 8; i++)
    fprintf(stderr, " %08x", r->gpr[i]);
  fprintf(stderr, "\n");
}

static void show(size_t i, const oracle_case_t *c, const oracle_result_t *a, const oracle_result_t *b) {
  fprintf(stderr, "case %zu of seed %llu:", i, (unsigned long long)seed);
  for (unsigned n = 0; n < c->length; n++)
    fprintf(stderr, " %02x", c->code[n]);
  fprintf(stderr, "\n  %-8s flags %03x, undefined %03x %13s", "before", c->eflags, c->undefined, "");
  for (unsigned r = 0; r < 8; r++)
    fprintf(stderr, " %08x", c->gpr[r]);
  fprintf(stderr, "\n");
  show_result("host", a);
  show_result("emulator", b);
  for (unsigned n = 0; n < ORACLE_LOW; n++) {
    if (a->low[n] != b->low[n])
      fprintf(stderr, "  memory %05x: host %02x, emulator %02x\n", ORACLE_DATA + n, a->low[n], b->low[n]);
  }
}

START_TEST(emulator_agrees_with_silicon) {
  size_t different = 0;
  set_up_memory();
  for (size_t i = 0; i < n_cases; i++) {
    oracle_result_t result;
    run_emulated(&cases[i], &result);
    if (equal(&cases[i], &native[i], &result)) continue;
    if (different++ < SHOWN) show(i, &cases[i], &native[i], &result);
  }
  ck_assert_msg(different == 0, "%zu of %zu cases differ", different, n_cases);
}
END_TEST

/* The comparison itself: each part of a result counts, undefined flags do not. */
START_TEST(a_difference_is_noticed) {
  oracle_case_t c = {.undefined = X86_AF};
  oracle_result_t a = {.vector = X86_BP}, b = a;
  ck_assert(equal(&c, &a, &b));
  b.eflags ^= X86_AF;
  ck_assert(equal(&c, &a, &b));
  b.eflags ^= X86_CF;
  ck_assert(!equal(&c, &a, &b));
  b = a;
  b.gpr[CPU_EDI] ^= 1u << 31;
  ck_assert(!equal(&c, &a, &b));
  b = a;
  b.low[ORACLE_LOW - 1] ^= 1;
  ck_assert(!equal(&c, &a, &b));
  b = a;
  b.eip++;
  ck_assert(!equal(&c, &a, &b));
  b = a;
  b.vector = X86_DE;
  ck_assert(!equal(&c, &a, &b));
  a.vector = b.vector = X86_PF;
  b.cr2 = 1;
  ck_assert(!equal(&c, &a, &b));
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
  const char *reason = run_native();
  if (reason) {
    printf("skipped: %s\n", reason);
    return SKIPPED;
  }
  Suite *suite = suite_create("cpu_oracle");
  TCase *tcase = tcase_create("oracle");
  tcase_set_timeout(tcase, 0);
  tcase_add_checked_fixture(tcase, fixture_up, fixture_down);
  tcase_add_test(tcase, a_difference_is_noticed);
  tcase_add_test(tcase, emulator_agrees_with_silicon);
  suite_add_tcase(suite, tcase);
  int status = run_suite(suite);
  free(cases);
  free(native);
  return status;
}
