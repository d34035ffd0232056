#include "lapic_rig.h"

START_TEST(timer_once) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, TIMER, 0x50);
  set(&l, DIVIDE, BY_2);
  lapic_write(&l, INITIAL, 4, 100, 1000);
  ck_assert_uint_eq(lapic_next(&l, 1000), 1200);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1000), 100);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1001), 100);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1002), 99);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1199), 1);
  ck_assert(!lapic_output(&l));
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1200), 0);
  ck_assert_uint_eq(ack(&l), 0x50);
  set(&l, EOI, 0);
  ck_assert_uint_eq(lapic_next(&l, 1200), LAPIC_NEVER);
  lapic_run_timer(&l, 100000);
  ck_assert(!lapic_output(&l));
  ck_assert_uint_eq(lapic_read(&l, INITIAL, 4, 100000), 100);
}
END_TEST

START_TEST(timer_again_and_again) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, TIMER, 0x50 | PERIODIC);
  set(&l, DIVIDE, BY_1);
  lapic_write(&l, INITIAL, 4, 10, 5);
  for (uint64_t time = 15; time < 100; time += 10) {
    ck_assert_uint_eq(lapic_next(&l, time - 1), time);
    lapic_run_timer(&l, time - 1);
    ck_assert(!lapic_output(&l));
    lapic_run_timer(&l, time);
    ck_assert_uint_eq(ack(&l), 0x50);
    lapic_write(&l, EOI, 4, 0, time);
    ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, time), 10);
    ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, time + 9), 1);
  }
  lapic_run_timer(&l, 141); /* several at once are one */
  ck_assert_uint_eq(ack(&l), 0x50);
  lapic_write(&l, EOI, 4, 0, 141);
  ck_assert(!lapic_output(&l));
  ck_assert_uint_eq(lapic_next(&l, 141), 145);
  lapic_write(&l, INITIAL, 4, 0, 142); /* stops it */
  ck_assert_uint_eq(lapic_next(&l, 142), LAPIC_NEVER);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 143), 0);
}
END_TEST

START_TEST(timer_masked_counts_silently) {
  seen_t seen;
  lapic_t l = ready(&seen);
  set(&l, DIVIDE, BY_1);
  lapic_write(&l, INITIAL, 4, 1000, 0);
  ck_assert_uint_eq(lapic_next(&l, 0), LAPIC_NEVER);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 400), 600);
  lapic_write(&l, DIVIDE, 4, BY_128, 400); /* the count goes on, slower */
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 400 + 128), 599);
  ck_assert_uint_eq(lapic_read(&l, CURRENT, 4, 1000000), 0);
  lapic_write(&l, TIMER, 4, 0x50, 1000000);
  ck_assert(!lapic_output(&l));
}
END_TEST

START_TEST(timer_divides) {
  static const struct {
    uint8_t code, by;
  } cases[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
  for (unsigned i = 0; i < 8; i++) {
    seen_t seen;
    lapic_t l = ready(&seen);
    set(&l, TIMER, 0x50);
    set(&l, DIVIDE, cases[i].code);
    set(&l, INITIAL, 0xFFFFFFFF);
    ck_assert_uint_eq(lapic_next(&l, 0), UINT64_C(0xFFFFFFFF) * cases[i].by);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lapic_timer");
  TCase *tests = tcase_create("lapic_timer");
  tcase_add_test(tests, timer_once);
  tcase_add_test(tests, timer_again_and_again);
  tcase_add_test(tests, timer_masked_counts_silently);
  tcase_add_test(tests, timer_divides);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
