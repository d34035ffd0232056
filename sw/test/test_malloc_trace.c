/// The traces of malloc: each kind passes, twice alike, and ends well when there is no memory.
#include "../user/malloc_trace.h"
#include "malloc_shim.h"
#include <check.h>

START_TEST(traces) {
  struct malloc_trace_result first, again;
  host_start();
  for (unsigned seed = 0; seed < 10; seed++) {
    ck_assert_int_eq(malloc_trace((unsigned)_i, 500, seed, &first), TRACE_PASSED);
    ck_assert_uint_eq(first.allocations, first.frees);
    ck_assert(first.allocations > 500 && first.peak_bytes && first.heap_bytes && first.fragmentation < 1000);
    ck_assert_int_eq(first.mapped_blocks > 0, _i == TRACE_BUFFERS);
    ck_assert_int_eq(first.reallocs > 0, _i == TRACE_STRINGS || _i == TRACE_BUFFERS || _i == TRACE_SERVER);
    ck_assert_int_eq(malloc_trace((unsigned)_i, 500, seed, &again), TRACE_PASSED);
    ck_assert_uint_eq(first.allocations, again.allocations);
    ck_assert_uint_eq(first.reallocs, again.reallocs);
    ck_assert_uint_eq(first.peak_bytes, again.peak_bytes);
  }
}
END_TEST

START_TEST(no_memory) {
  struct malloc_trace_result result;
  host_start();
  host_fail_memory(2, 1);
  ck_assert_int_eq(malloc_trace((unsigned)_i, 500, 1, &result), TRACE_NO_MEMORY);
  ck_assert_uint_eq(result.allocations, result.frees);
  ck_assert(malloc_check() && !mallinfo().uordblks && !host_mapped());
}
END_TEST

START_TEST(names) {
  struct malloc_trace_result result;
  ck_assert_int_eq(malloc_trace(TRACE_KINDS, 1, 1, &result), TRACE_UNKNOWN);
  ck_assert_ptr_null(malloc_trace_name(TRACE_KINDS));
  for (unsigned kind = 0; kind < TRACE_KINDS; kind++)
    ck_assert_ptr_nonnull(malloc_trace_name(kind));
  ck_assert_str_eq(malloc_trace_name(TRACE_LIST), "list");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("malloc traces");
  TCase *tc = tcase_create("malloc traces");
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, traces, 0, TRACE_KINDS);
  tcase_add_loop_test(tc, no_memory, 0, TRACE_KINDS);
  tcase_add_test(tc, names);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
