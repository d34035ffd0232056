#include "pit8254.h"

#include <check.h>
#include <stdlib.h>

/* Programs a counter with both bytes of count at tick. */
static void program(pit_t *pit, unsigned counter, unsigned mode, uint16_t count, uint64_t tick) {
  pit_write(pit, 3, (uint8_t)(counter << 6 | 0x30 | mode << 1), tick);
  pit_write(pit, counter, (uint8_t)count, tick);
  pit_write(pit, counter, (uint8_t)(count >> 8), tick);
}

static unsigned count_of(pit_t *pit, unsigned counter, uint64_t tick) {
  pit_write(pit, 3, (uint8_t)(counter << 6), tick);
  unsigned low = pit_read(pit, counter, tick + 1000); /* latched: later reads do not matter */
  return low | (unsigned)pit_read(pit, counter, tick + 2000) << 8;
}

/* Returns the number of rising edges of OUT in (from, to], by looking at every tick. */
static unsigned edges(const pit_t *pit, unsigned counter, uint64_t from, uint64_t to) {
  unsigned n = 0;
  for (uint64_t t = from + 1; t <= to; t++)
    n += pit_out(pit, counter, t) && !pit_out(pit, counter, t - 1);
  return n;
}

START_TEST(mode0_counts_down_and_on) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 0, 1000, 50);
  ck_assert_uint_eq(count_of(&pit, 0, 50), 1000);
  ck_assert_uint_eq(count_of(&pit, 0, 51), 999);
  ck_assert(!pit_out(&pit, 0, 1049));
  ck_assert(pit_out(&pit, 0, 1050));
  ck_assert(pit_out(&pit, 0, 999999));
  ck_assert_uint_eq(count_of(&pit, 0, 1051), 0xFFFF);
  ck_assert_uint_eq(pit_next(&pit, 0, 50), 1050);
  ck_assert_uint_eq(pit_next(&pit, 0, 1050), PIT_NEVER);
}
END_TEST

START_TEST(mode2_reloads) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 2, 100, 7);
  ck_assert_uint_eq(count_of(&pit, 0, 7 + 99), 1);
  ck_assert_uint_eq(count_of(&pit, 0, 7 + 100), 100);
  ck_assert_uint_eq(edges(&pit, 0, 7, 7 + 1000), 10);
  ck_assert(pit_out(&pit, 0, 107));
}
END_TEST

START_TEST(mode3_is_a_square_wave_that_counts_by_two) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 3, 100, 7);
  ck_assert_uint_eq(count_of(&pit, 0, 8), 98);
  ck_assert(pit_out(&pit, 0, 7));
  ck_assert(pit_out(&pit, 0, 56));
  ck_assert(!pit_out(&pit, 0, 57));
  ck_assert(!pit_out(&pit, 0, 106));
  ck_assert_uint_eq(edges(&pit, 0, 7, 7 + 1000), 10);
  program(&pit, 0, 3, 5, 0); /* odd: high for one tick more */
  ck_assert(pit_out(&pit, 0, 2));
  ck_assert(!pit_out(&pit, 0, 3));
  ck_assert(pit_out(&pit, 0, 5));
}
END_TEST

START_TEST(mode4_strobes_once) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 4, 100, 0);
  ck_assert_uint_eq(edges(&pit, 0, 0, 1000), 1);
  ck_assert(pit_out(&pit, 0, 100));
}
END_TEST

START_TEST(count_zero_is_65536) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 2, 0, 0);
  ck_assert_uint_eq(count_of(&pit, 0, 1), 0xFFFF);
  ck_assert(pit_out(&pit, 0, 65536));
  ck_assert_uint_eq(edges(&pit, 0, 0, 3 * 65536), 3);
}
END_TEST

/* Walking from event to event sees every edge that looking at each tick sees. */
START_TEST(next_event_misses_no_edge) {
  for (unsigned mode = 0; mode < 8; mode++) {
    for (uint16_t count = 1; count < 40; count++) {
      pit_t pit;
      pit_init(&pit, 0);
      program(&pit, 0, mode, count, 3);
      unsigned n = 0;
      bool was = pit_out(&pit, 0, 3);
      for (uint64_t t = 3, next; (next = pit_next(&pit, 0, t)) <= 500; t = next) {
        ck_assert_uint_gt(next, t);
        bool now = pit_out(&pit, 0, next);
        n += now && !was;
        was = now;
      }
      ck_assert_uint_eq(n, edges(&pit, 0, 3, 500));
    }
  }
}
END_TEST

START_TEST(single_byte_access) {
  pit_t pit;
  pit_init(&pit, 0);
  pit_write(&pit, 3, 0x14, 0); /* counter 0, low byte, mode 2 */
  ck_assert(pit_write(&pit, 0, 0x80, 0));
  ck_assert_uint_eq(pit_read(&pit, 0, 1), 0x7F);
  ck_assert_uint_eq(pit_read(&pit, 0, 2), 0x7E);
  pit_write(&pit, 3, 0x24, 0); /* high byte */
  ck_assert(pit_write(&pit, 0, 0x80, 0));
  ck_assert_uint_eq(pit_read(&pit, 0, 1), 0x7F);
  ck_assert_uint_eq(pit_read(&pit, 0, 255), 0x7F);
  ck_assert_uint_eq(pit_read(&pit, 0, 257), 0x7E);
}
END_TEST

START_TEST(two_byte_access_alternates) {
  pit_t pit;
  pit_init(&pit, 0);
  pit_write(&pit, 3, 0x34, 0);
  ck_assert(!pit_write(&pit, 0, 0x34, 0));
  ck_assert(pit_write(&pit, 0, 0x12, 0));
  ck_assert_uint_eq(pit_read(&pit, 0, 0), 0x34);
  ck_assert_uint_eq(pit_read(&pit, 0, 0), 0x12);
  ck_assert_uint_eq(pit_read(&pit, 0, 0), 0x34);
}
END_TEST

START_TEST(read_back) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 0, 3, 1000, 0);
  program(&pit, 2, 0, 500, 0);
  pit_write(&pit, 3, 0xCA, 10); /* count and status of counters 0 and 2 */
  ck_assert_uint_eq(pit_read(&pit, 0, 20), 0xB6);
  ck_assert_uint_eq(pit_read(&pit, 0, 20), 980 & 0xFF);
  ck_assert_uint_eq(pit_read(&pit, 0, 20), 980 >> 8);
  ck_assert_uint_eq(pit_read(&pit, 2, 20), 0x30);
  ck_assert_uint_eq(pit_read(&pit, 2, 20), 490 & 0xFF);
  pit_write(&pit, 3, 0x80, 30); /* still latched: the older count stays */
  ck_assert_uint_eq(pit_read(&pit, 2, 40), 490 >> 8);
  ck_assert_uint_eq(pit_read(&pit, 3, 40), 0);
}
END_TEST

START_TEST(gate_restarts) {
  pit_t pit;
  pit_init(&pit, 0);
  program(&pit, 2, 3, 100, 0);
  pit_gate(&pit, 2, true, 30);
  ck_assert_uint_eq(count_of(&pit, 2, 31), 98);
  pit_gate(&pit, 2, true, 40);
  ck_assert_uint_eq(count_of(&pit, 2, 41), 78);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pit8254");
  TCase *tests = tcase_create("pit8254");
  tcase_add_test(tests, mode0_counts_down_and_on);
  tcase_add_test(tests, mode2_reloads);
  tcase_add_test(tests, mode3_is_a_square_wave_that_counts_by_two);
  tcase_add_test(tests, mode4_strobes_once);
  tcase_add_test(tests, count_zero_is_65536);
  tcase_add_test(tests, next_event_misses_no_edge);
  tcase_add_test(tests, single_byte_access);
  tcase_add_test(tests, two_byte_access_alternates);
  tcase_add_test(tests, read_back);
  tcase_add_test(tests, gate_restarts);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
