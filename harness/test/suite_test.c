/*
 * The directed suites: they run, they say how much, and the expectation of the suite of flags finds what neither side
 * of the lockstep would.
 */
#include <stdlib.h>

#include "fake_dut.h"
#include "suite.h"
#include "suite_bench.h"
#include "suite_flags_expect.h"
#include "x86.h"

static suite_t make(bench_t *b, uint64_t every) {
  return (suite_t){.rig = &b->rig, .seed = 3, .every = every};
}

/* Combinations of each, so that none is lost unnoticed. */
static const struct {
  const char *name;
  uint64_t combinations;
} sizes[] = {{"flags", 4866048}, {"limits", 4445000}, {"straddle", 386688}, {"descriptors", 271776}, {"tlb", 1954}};

enum { SUITES = sizeof sizes / sizeof *sizes, EVERY = 97 };

START_TEST(suites_have_their_combinations) {
  bench_t b;
  open_bench(&b, fake_dut(), false);
  ((fake_dut_t *)b.ls.handle)->strike_at = UINT64_MAX;
  suite_t s = make(&b, EVERY);
  ck_assert(suite_known(sizes[_i].name));
  ck_assert_msg(suite_run(&s, sizes[_i].name), "%s", s.complaint);
  ck_assert_msg(s.index == sizes[_i].combinations, "%s: %llu", sizes[_i].name, (unsigned long long)s.index);
  ck_assert_uint_ge(s.combinations, s.index / EVERY);
  ck_assert_uint_le(s.combinations, s.index / EVERY + 1);
  close_bench(&b);
}
END_TEST

/* --- bugs that both sides could have --- */

static void code_without_fetch(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  rsp->error_code &= (uint16_t)~X86_PF_I;
}

static void smap_for_ac_at_cpl3(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (rsp->fault && req->implicit && req->ac && rsp->error_code == X86_PF_P) *rsp = (mmu_rsp_t){.laddr = rsp->laddr};
}

static void reserved_without_presence(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  if (rsp->error_code & X86_PF_RSVD) rsp->error_code &= (uint16_t)~X86_PF_P;
}

static void cr2_of_the_page(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  rsp->cr2 &= ~0xfffull;
}

static void (*const bugs[])(const mmu_req_t *, mmu_rsp_t *) = {code_without_fetch, smap_for_ac_at_cpl3,
                                                               reserved_without_presence, cr2_of_the_page};

static void (*bug)(const mmu_req_t *req, mmu_rsp_t *rsp);

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = fake_dut()->transact(dut, req, rsp);
  if (bug) bug(req, rsp);
  return status;
}

START_TEST(expectation_of_flags_finds_what_nobody_compares) {
  bench_t b;
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  bug = bugs[_i];
  open_bench(&b, &ops, true);
  suite_t s = make(&b, 11);
  ck_assert(!suite_run(&s, "flags"));
  ck_assert(s.wrong);
  ck_assert_int_eq(b.ls.state, LOCKSTEP_AGREE);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  suite_report(out, &s, "mmu86 fuzz --suite flags");
  fclose(out);
  ck_assert_msg(strstr(text, "expected fault") && strstr(text, "mmu86 fuzz --suite flags"), "%s", text);
  free(text);
  close_bench(&b);
}
END_TEST

/* It looks at memory too. */
START_TEST(expectation_of_flags_finds_bits_that_are_not_written) {
  bench_t b;
  open_bench(&b, fake_dut(), true);
  ((fake_dut_t *)b.ls.handle)->strike_at = UINT64_MAX;
  ((fake_dut_t *)b.ls.handle)->drop_writes = true;
  suite_t s = make(&b, 11);
  ck_assert(!suite_run(&s, "flags"));
  ck_assert(s.wrong);
  close_bench(&b);
}
END_TEST

/* A few rows of the manual's by hand. */
START_TEST(expectation_by_hand) {
  flags_answer_t a = flags_expect(&(flags_case_t){.pde = 0x7, .pte = 0x5, .write = true, .cpl3 = true});
  ck_assert(a.fault);
  ck_assert_uint_eq(a.error_code, 7);
  ck_assert_uint_eq(a.pde, 7);
  a = flags_expect(&(flags_case_t){.pde = 0x7, .pte = 0x5, .write = true});
  ck_assert(!a.fault);
  ck_assert_uint_eq(a.pde, 0x27);
  ck_assert_uint_eq(a.pte, 0x65);
  a = flags_expect(&(flags_case_t){.pde = 0x7, .pte = 0x5, .write = true, .wp = true});
  ck_assert_uint_eq(a.error_code, 3);
  a = flags_expect(&(flags_case_t){.pde = 0x2087, .pse = true, .fetch = true, .smep = true, .cpl3 = true});
  ck_assert_uint_eq(a.error_code, 0x1d);
  a = flags_expect(&(flags_case_t){.pde = 0x7, .pte = 0x7, .smap = true, .ac = true, .cpl3 = true, .implicit = true});
  ck_assert_uint_eq(a.error_code, 1);
  a = flags_expect(&(flags_case_t){.pde = 0x7, .pte = 0x6, .cpl3 = true});
  ck_assert_uint_eq(a.error_code, 4);
}
END_TEST

/* A bug that is seen in one corner only is in the way of some suite. */
static void straddles_badly(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (rsp->split && req->size == 11) rsp->paddr[1] ^= 1;
}

static void high_limit(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (rsp->fault && req->op == MMU_OP_SYSTEM && req->seg == MMU_SEG_STAGED_TR) rsp->vector = X86_GP;
}

static void busy_for_nothing(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (req->op == MMU_OP_LOAD_SEG && req->reason == MMU_LOAD_TASK_RETURN && !rsp->fault) rsp->seg.attr ^= 2;
}

static void other_victim(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  if (rsp->n_tlb > 1 && rsp->tlb[1].evicted && rsp->tlb[1].set == 5) rsp->tlb[1].way ^= 1;
}

START_TEST(each_suite_finds_a_bug_of_its_corner) {
  static const struct {
    const char *name;
    void (*bug)(const mmu_req_t *, mmu_rsp_t *);
  } corners[] = {
      {"straddle", straddles_badly}, {"limits", high_limit}, {"descriptors", busy_for_nothing}, {"tlb", other_victim}};
  bench_t b;
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  bug = corners[_i].bug;
  open_bench(&b, &ops, false);
  suite_t s = make(&b, 1);
  ck_assert(!suite_run(&s, corners[_i].name));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  close_bench(&b);
}
END_TEST

static bool stops(void *ctx, uint64_t done) {
  (void)done;
  return ++*(unsigned *)ctx < 3;
}

START_TEST(a_suite_can_be_stopped) {
  bench_t b;
  unsigned asked = 0;
  open_bench(&b, fake_dut(), false);
  ((fake_dut_t *)b.ls.handle)->strike_at = UINT64_MAX;
  suite_t s = make(&b, 1);
  s.ctx = &asked;
  s.goes_on = stops;
  ck_assert(suite_run(&s, "all"));
  ck_assert(s.stopped);
  ck_assert_uint_le(s.combinations, 2 * 4096);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("suite");
  TCase *t = tcase_create("suite");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, suites_have_their_combinations, 0, SUITES);
  tcase_add_loop_test(t, expectation_of_flags_finds_what_nobody_compares, 0, sizeof bugs / sizeof *bugs);
  tcase_add_test(t, expectation_of_flags_finds_bits_that_are_not_written);
  tcase_add_test(t, expectation_by_hand);
  tcase_add_loop_test(t, each_suite_finds_a_bug_of_its_corner, 0, 4);
  tcase_add_test(t, a_suite_can_be_stopped);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
