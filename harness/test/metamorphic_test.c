/*
 * The device against itself, and nobody else: what is consistent is not accused, whatever it caches; what answers
 * otherwise when it has cached something is found, and the report says when it gave which answer.
 */
#include <stdlib.h>

#include "fake_dut.h"
#include "metamorphic.h"
#include "sloppy_dut.h"
#include "suite_bench.h"
#include "x86.h"

/* Batches until something is wrong or n requests are done. Returns true if nothing is. */
static bool drive(bench_t *b, metamorphic_t *m, uint64_t n) {
  stimulus_knobs_t knobs = stimulus_default_knobs();
  bool agree = metamorphic_start(m, &b->rig, 5, &knobs);
  while (agree && m->stimulus.done < n)
    agree = metamorphic_batch(m);
  ck_assert_int_eq(b->ls.state, LOCKSTEP_AGREE);
  ck_assert(agree != m->contradicts);
  return agree;
}

static metamorphic_t m;

START_TEST(a_legal_device_is_not_accused) {
  bench_t b;
  open_bench(&b, sloppy_dut(), true);
  sloppy_choose(b.ls.handle, SLOPPY_LEGAL, _i & 1, _i & 2);
  if (!drive(&b, &m, 150000)) metamorphic_report(stderr, &m, "");
  ck_assert(!m.contradicts);
  ck_assert_uint_ge(m.batches, 100);
  ck_assert_uint_ge(m.compared, 8 * METAMORPHIC_BATCH * m.batches);
  close_bench(&b);
}
END_TEST

START_TEST(each_sin_is_found) {
  static const sloppy_sin_t sins[] = {SLOPPY_KEEPS_INVLPG, SLOPPY_KEEPS_LARGE, SLOPPY_KEEPS_LOCAL, SLOPPY_KEEPS_ALL,
                                      SLOPPY_NEIGHBOUR};
  bench_t b;
  open_bench(&b, sloppy_dut(), true);
  sloppy_choose(b.ls.handle, sins[_i], false, false);
  ck_assert_msg(!drive(&b, &m, 400000), "sin %d", sins[_i]);
  ck_assert_uint_lt(m.first[m.index].sequence, m.other.sequence);
  close_bench(&b);
}
END_TEST

static bool hits(const mmu_rsp_t *rsp) {
  return rsp->n_tlb > 0 && rsp->tlb[0].kind == MMU_TLB_HIT;
}

/* What the device does wrong if it has cached a page; rarely, so that it is one answer of many. */
static void denies_user(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (!hits(rsp) || rsp->fault || req->cpl != 3 || req->op != MMU_OP_ACCESS) return;
  rsp->fault = true;
  rsp->vector = X86_PF;
  rsp->error_code = X86_PF_P | X86_PF_U;
  rsp->cr2 = rsp->laddr;
}

static void forgets_pcd(const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)req;
  if (hits(rsp)) rsp->pcd[0] = false;
}

static void wrong_frame(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (hits(rsp) && req->access == MMU_WRITE && rsp->paddr[0]) rsp->paddr[0] ^= 0x1000;
}

static void writes_again(const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (!hits(rsp) || req->access != MMU_WRITE || rsp->n_mem > 0) return;
  rsp->mem[0] = (mmu_mem_t){.paddr = 0x2000, .size = 4, .write = true};
  rsp->n_mem = 1;
}

static void (*const bugs[])(const mmu_req_t *, mmu_rsp_t *) = {denies_user, forgets_pcd, wrong_frame, writes_again};

static void (*bug)(const mmu_req_t *req, mmu_rsp_t *rsp);

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = fake_dut()->transact(dut, req, rsp);
  bug(req, rsp);
  return status;
}

START_TEST(an_answer_that_depends_on_caching_is_found) {
  bench_t b;
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  bug = bugs[_i];
  open_bench(&b, &ops, true);
  ck_assert(!drive(&b, &m, 100000));
  ck_assert_int_eq(m.wrote, bug == writes_again);
  if (bug == denies_user) ck_assert_uint_ne(m.differences & DIFF_FAULT, 0);
  if (bug == forgets_pcd) ck_assert_uint_eq(m.differences, DIFF_MEMORY_TYPE);
  if (bug == wrong_frame) ck_assert_uint_eq(m.differences, DIFF_PADDR);
  close_bench(&b);
}
END_TEST

START_TEST(report_has_both_answers_and_their_transactions) {
  bench_t b;
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  bug = denies_user;
  open_bench(&b, &ops, true);
  ck_assert(!drive(&b, &m, 100000));
  char *text = NULL, first[64], other[64];
  size_t size;
  FILE *out = open_memstream(&text, &size);
  metamorphic_report(out, &m, "mmu86 fuzz --metamorphic");
  fclose(out);
  snprintf(first, sizeof first, "cold (transaction %llu)", (unsigned long long)m.first[m.index].sequence);
  snprintf(other, sizeof other, "%s (transaction %llu)", m.other.pass, (unsigned long long)m.other.sequence);
  ck_assert_ptr_nonnull(strstr(text, "the same request gave"));
  ck_assert_msg(strstr(text, first) && strstr(text, other) && strstr(text, "mmu86 fuzz --metamorphic"), "%s", text);
  free(text);
  close_bench(&b);
}
END_TEST

/* The lockstep runs beside it, if it is let. */
START_TEST(lockstep_judges_as_well) {
  bench_t b;
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  bug = denies_user;
  open_bench(&b, &ops, false);
  stimulus_knobs_t knobs = stimulus_default_knobs();
  bool agree = metamorphic_start(&m, &b.rig, 5, &knobs);
  while (agree && m.stimulus.done < 100000)
    agree = metamorphic_batch(&m);
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  ck_assert(!m.contradicts);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metamorphic");
  TCase *t = tcase_create("metamorphic");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, a_legal_device_is_not_accused, 0, 4);
  tcase_add_loop_test(t, each_sin_is_found, 0, 5);
  tcase_add_loop_test(t, an_answer_that_depends_on_caching_is_found, 0, sizeof bugs / sizeof *bugs);
  tcase_add_test(t, report_has_both_answers_and_their_transactions);
  tcase_add_test(t, lockstep_judges_as_well);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
