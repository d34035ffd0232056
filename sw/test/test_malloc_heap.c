/// The heap of malloc as a whole: bins of all sizes, and its end, which moves, is refused, or is moved by somebody
/// else.
#include "malloc_shim.h"
#include <check.h>
#include <string.h>

enum { BIG = MALLOC_MMAP_THRESHOLD };

static void stop(void) {
  ck_assert(malloc_check());
  ck_assert_uint_eq(nr_malloc_errors(), 0);
  ck_assert_uint_eq(mallinfo().uordblks + mallinfo().hblks + host_mapped(), 0);
}

/// One free chunk is found by a request for any size up to its own, and cut if what is over can be a chunk.
START_TEST(any_fit) {
  for (size_t bytes = 24; bytes < 40000; bytes += bytes / 4 / 8 * 8 + 8) {
    for (size_t less = bytes; less >= 24; less -= less / 16 / 8 * 8 + 8) {
      void *chunk = malloc(bytes), *guard = malloc(1);
      size_t whole = malloc_usable_size(chunk);
      free(chunk);
      ck_assert_ptr_eq(malloc(less), chunk);
      ck_assert_uint_lt(malloc_usable_size(chunk), less + 2 * MALLOC_ALIGNMENT);
      ck_assert_int_eq(mallinfo().ordblks > 1, whole - malloc_usable_size(chunk) > 0);
      free(chunk);
      free(guard);
    }
  }
}
END_TEST

START_TEST(huge_chunks) {
  void *chunk[3], *guard[3];
  for (unsigned i = 0; i < 3; i++) {
    size_t bytes = (size_t)(50 + i * 10) << 20;
    chunk[i] = memalign(4096, bytes);
    ck_assert(chunk[i] && (guard[i] = malloc(8000))); // does not fit in front of the chunk
  }
  for (unsigned i = 0; i < 3; i++)
    free(chunk[i]);
  ck_assert(malloc_check());
  host_fail_memory(0, 1);
  char *again = malloc(69 << 20), *below = malloc(59 << 20);
  ck_assert(again > (char *)chunk[1] && below < (char *)guard[1] && below > (char *)chunk[0]);
  free(again);
  free(below);
  for (unsigned i = 0; i < 3; i++)
    free(guard[i]);
}
END_TEST

/// A refused mapping is made up for by the heap, a refused pad by less.
START_TEST(second_choices) {
  host_fail_memory(1, 0);
  char *block = malloc(2 * BIG);
  ck_assert(block >= host_heap_start() && block < host_heap_end());
  free(block);
  host_fail_memory(1, 0);
  ck_assert_ptr_nonnull(block = malloc(100000));
  ck_assert_uint_eq(host_failures(), 1);
  free(block);
}
END_TEST

START_TEST(trim) {
  char *block[8], *small = malloc(10);
  for (unsigned i = 0; i < 8; i++)
    block[i] = malloc(100000);
  char *end = host_heap_end(), *last = end;
  for (unsigned i = 8; i-- > 0; last = host_heap_end()) {
    free(block[i]);
    if (host_heap_end() < last) ck_assert_uint_ge(mallinfo().keepcost, MALLOC_TOP_PAD);
  }
  ck_assert(last < end);
  ck_assert_uint_le(mallinfo().keepcost, MALLOC_TRIM_THRESHOLD);
  ck_assert_uint_eq(mallinfo().arena, (size_t)(host_heap_end() - host_heap_start()));
  ck_assert(malloc_trim(10000));
  ck_assert(mallinfo().keepcost >= 10000 && mallinfo().keepcost < 10000 + HOST_PAGE);
  ck_assert(malloc_trim(0));
  ck_assert(!malloc_trim(0));
  ck_assert_uint_eq((uintptr_t)(host_heap_end() - host_heap_start()), HOST_PAGE);
  char *bigger = malloc(50000); // the end is no longer malloc's
  free(bigger);
  host_sbrk(1);
  ck_assert(!malloc_trim(0));
  free(small);
}
END_TEST

/// When somebody else has taken memory away from the heap, it does not grow.
START_TEST(memory_taken_away) {
  char *block = malloc(100);
  host_sbrk(-HOST_PAGE);
  ck_assert(!malloc(100000) && !malloc_trim(0));
  host_sbrk(HOST_PAGE);
  free(malloc(100000));
  free(block);
}
END_TEST

/// Memory that somebody else gets from sbrk stays theirs, and the heap goes on behind it.
START_TEST(foreign_memory) {
  static const int steals[] = {1, 4096, 7, 100, 12345};
  char *stolen[5], *block[10];
  for (unsigned i = 0; i < 5; i++) {
    stolen[i] = host_sbrk(steals[i]);
    for (unsigned j = 2 * i; j < 2 * i + 2; j++) {
      ck_assert_ptr_nonnull(block[j] = malloc(100000 - i * 8));
      memset(block[j], (int)j, 100000 - i * 8);
    }
    ck_assert(malloc_check());
  }
  char *theirs = host_sbrk(100), *grown = realloc(block[9], 400000); // cannot grow where it is
  ck_assert(grown && grown != block[9]);
  for (size_t at = 0; at < 90000; at++)
    ck_assert_int_eq(grown[at], 9);
  memset(block[9] = grown, 9, 400000);
  ck_assert(malloc_check());
  for (size_t at = 0; at < 100; at++)
    ck_assert_int_eq((unsigned char)theirs[at], 0xC3);
  for (unsigned i = 0; i < 5; i++)
    for (int at = 0; at < steals[i]; at++)
      ck_assert_int_eq((unsigned char)stolen[i][at], 0xC3);
  for (unsigned i = 0; i < 10; i++)
    free(block[i]);
}
END_TEST

/// Memory that somebody else gets from sbrk stays theirs, and the heap goes on behind it.
/// Whatever remains at the end when somebody else moves it: nothing, less than a chunk, a chunk.
START_TEST(foreign_memory_at_any_place) {
  enum { RESTS = 8 };
  void *first[RESTS], *last[RESTS];
  for (size_t rest = 0; rest < RESTS; rest++) {
    ck_assert_ptr_nonnull(first[rest] = malloc(2000));
    ck_assert_ptr_nonnull(last[rest] = malloc(mallinfo().keepcost - (rest + 2) * MALLOC_ALIGNMENT));
    while (mallinfo().keepcost > rest * MALLOC_ALIGNMENT) // larger, by as little as possible
      ck_assert_ptr_nonnull(last[rest] = realloc(last[rest], malloc_usable_size(last[rest]) + 1));
    ck_assert_uint_eq(mallinfo().keepcost, rest * MALLOC_ALIGNMENT);
    host_sbrk(1);
  }
  free(malloc(2000));
  ck_assert(malloc_check());
  for (size_t rest = 0; rest < RESTS; rest++) {
    free(first[rest]);
    free(last[rest]);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("malloc heap");
  TCase *tc = tcase_create("malloc heap");
  tcase_add_checked_fixture(tc, host_start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, any_fit);
  tcase_add_test(tc, huge_chunks);
  tcase_add_test(tc, second_choices);
  tcase_add_test(tc, trim);
  tcase_add_test(tc, memory_taken_away);
  tcase_add_test(tc, foreign_memory);
  tcase_add_test(tc, foreign_memory_at_any_place);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
