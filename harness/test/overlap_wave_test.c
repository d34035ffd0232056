/*
 * A waveform of requests that overlap, as a viewer reads it: the window that was asked for, what stands beside both
 * ports.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "overlap_seen.h"

enum { FIRST = 700, COUNT = 100, WINDOWS = 12 };

static char path[64];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-overlap-wave-test-%ld", (long)getpid());
}

static void remove_files(void) {
  remove(path);
}

static void show(bench_t *b, uint64_t first, uint64_t count) {
  b->ls.wave_path = path;
  b->ls.wave_first = first;
  b->ls.wave_count = count;
}

/* Every transaction of the window is there, once, and hardly more; nothing is shown of a port that does nothing. */
START_TEST(the_window_has_its_transactions) {
  static bench_t b;
  static seen_t seen;
  open_bench(&b, "", 0, true);
  const unsigned first = FIRST + 41 * (unsigned)_i;
  show(&b, first, COUNT);
  ck_assert(drive(&b));
  lockstep_finish(&b.ls);
  ck_assert_msg(!b.ls.wave_failed, "%s", b.ls.wave_error);
  read_wave(path, &seen);
  for (unsigned i = first; i < first + COUNT; i++)
    ck_assert_msg(seen.numbers[i] == 1, "transaction %u: %u times", i, seen.numbers[i]);
  ck_assert(!seen.cut_off[first]);
  ck_assert_uint_ge(seen.first, first - 4);
  ck_assert_uint_le(seen.answered, COUNT + 4);
  ck_assert_uint_eq(seen.value[SEQUENCE], first + COUNT);
  ck_assert_uint_ge(seen.translated, COUNT / 10);
  ck_assert_uint_eq(seen.rises, 0);
  close_bench(&b);
}
END_TEST

/* The cycle that brings the wrong answer is the last one, and shows both answers. */
START_TEST(a_mismatch_is_shown) {
  static bench_t b;
  static seen_t seen;
  open_bench(&b, "+wrong=1 +from=6000", 0, true);
  show(&b, 0, UINT64_MAX);
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  lockstep_finish(&b.ls);
  read_wave(path, &seen);
  ck_assert_uint_eq(seen.rises, 1);
  ck_assert_uint_eq(seen.rise, 2 * b.ls.dut->cycles(b.ls.handle) - 1);
  ck_assert_uint_eq(at(&seen, DUT_DATA, DUT_PADDR), b.ls.dut_rsp.paddr[0]);
  ck_assert_uint_eq(at(&seen, DUT_DATA, MODEL_PADDR), b.ls.model_rsp.paddr[0]);
  ck_assert_uint_eq(at(&seen, DUT_DATA, NUMBER), b.ls.sequence);
  ck_assert_uint_gt(seen.killed, 0);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("overlap_wave");
  TCase *t = tcase_create("overlap_wave");
  tcase_set_timeout(t, 300);
  tcase_add_checked_fixture(t, make_path, remove_files);
  tcase_add_loop_test(t, the_window_has_its_transactions, 0, WINDOWS);
  tcase_add_test(t, a_mismatch_is_shown);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
