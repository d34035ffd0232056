/// malloc of the guest's programs: random traffic, memory that runs out at any point, merging, best fit, realloc.
#include "malloc_shim.h"
#include <check.h>
#include <string.h>

enum { BLOCKS = 300, BIG = MALLOC_MMAP_THRESHOLD };

static unsigned char *blocks[BLOCKS];
static size_t sizes[BLOCKS];

static void start(void) {
  static bool started;
  if (!started) host_start();
  started = true;
  host_seed(1);
  memset(blocks, 0, sizeof(blocks));
}

/// Nothing may have leaked, and the heap ends as it began.
static void stop(void) {
  struct mallinfo info = mallinfo();
  host_fail_memory(0, 0);
  ck_assert(malloc_check());
  ck_assert_uint_eq(nr_malloc_errors(), 0);
  ck_assert_uint_eq(info.uordblks, 0);
  ck_assert_uint_eq(info.hblks + info.hblkhd + host_mapped(), 0);
  ck_assert(!malloc_trim(0) || mallinfo().keepcost < HOST_PAGE);
}

/// Gives block i its pattern.
static void fill(unsigned i) {
  memset(blocks[i], (int)(i % 255) + 1, sizes[i]);
}

static bool filled(unsigned i, size_t bytes) {
  for (size_t at = 0; at < bytes; at++)
    if (blocks[i][at] != i % 255 + 1) return false;
  return true;
}

static void take(unsigned i, void *block, size_t bytes, size_t alignment) {
  blocks[i] = block;
  sizes[i] = bytes;
  if (!block) return;
  ck_assert_uint_eq((uintptr_t)block % alignment, 0);
  ck_assert_uint_ge(malloc_usable_size(block), bytes);
  fill(i);
}

static void drop(unsigned i) {
  if (blocks[i]) ck_assert(filled(i, sizes[i]));
  free(blocks[i]);
  blocks[i] = NULL;
}

static void resize(unsigned i, size_t bytes) {
  size_t old = sizes[i];
  void *block = realloc(blocks[i], bytes);
  if (block) {
    blocks[i] = block;
    ck_assert(filled(i, old < bytes ? old : bytes));
    take(i, block, bytes, MALLOC_ALIGNMENT);
  } else {
    ck_assert(filled(i, old));
  }
}

static void take_zeroed(unsigned i, size_t bytes) {
  unsigned char *block = calloc(bytes, 1), any = 0;
  for (size_t at = 0; block && at < bytes; at++)
    any |= block[at];
  ck_assert(!any);
  take(i, block, bytes, MALLOC_ALIGNMENT);
}

/// One call on block i.
static void step(unsigned i, size_t bytes) {
  unsigned what = host_random(8);
  if (!blocks[i] && what == 0)
    take_zeroed(i, bytes);
  else if (!blocks[i] && what == 1)
    take(i, memalign((size_t)1 << what, bytes), bytes, (size_t)1 << what);
  else if (!blocks[i] && what == 2)
    take(i, memalign((size_t)64 << host_random(8), bytes), bytes, 64);
  else if (!blocks[i])
    take(i, malloc(bytes), bytes, MALLOC_ALIGNMENT);
  else if (what < 3)
    resize(i, bytes + 1);
  else
    drop(i);
}

static size_t random_size(void) {
  return host_random(2U << host_random(host_random(40) ? 12 : 19));
}

/// With memory enough, with memory that sometimes is refused, and with somebody else who moves the end of the heap.
START_TEST(random_traffic) {
  host_seed((unsigned)_i + 1);
  for (unsigned n = 0; n < 60000; n++) {
    if (n == 20000) host_fail_memory(0, 3);
    if (n == 40000 && _i % 2) host_fail_memory(0, 0);
    if (_i % 2 && n > 40000 && n % 200 == 0) host_sbrk(1 + (intptr_t)host_random(10000));
    unsigned limit = n / 1000 % 2 ? BLOCKS : 30; // it grows and shrinks
    if (limit == 30 && n % 4) drop(host_random(BLOCKS));
    step(host_random(limit), random_size());
    if (n % 64 == 0) ck_assert(malloc_check());
  }
  ck_assert(_i % 2 || host_failures());
  for (unsigned i = 0; i < BLOCKS; i++)
    drop(i);
}
END_TEST

/// A script that needs the heap and mappings several times; each of its calls to the kernel fails once.
START_TEST(every_failure_once) {
  bool failed = true;
  for (unsigned long n = 1; failed; n++) {
    malloc_trim(0);
    host_fail_memory(n, 0);
    static const size_t script[] = {10, 5000, 100000, BIG, 70000, 90000, 3 * BIG, 40000};
    for (unsigned i = 0; i < 8; i++)
      take(i, malloc(script[i]), script[i], MALLOC_ALIGNMENT);
    for (unsigned i = 0; i < 8; i++)
      if (blocks[i]) resize(i, script[(i + 3) % 8]);
    take_zeroed(8, 60000);
    take_zeroed(9, BIG);
    take(10, memalign(4096, 50000), 50000, 4096);
    failed = host_failures();
    ck_assert(malloc_check());
    for (unsigned i = 0; i <= 10; i++)
      drop(i);
    ck_assert_uint_eq(mallinfo().uordblks + host_mapped(), 0);
    ck_assert(failed || n > 8);
  }
}
END_TEST

START_TEST(odd_requests) {
  void *a = malloc(0), *b = malloc(0);
  ck_assert(a && b && a != b);
  free(a);
  free(b);
  free(NULL);
  ck_assert_uint_eq(malloc_usable_size(NULL), 0);
  static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4096, PTRDIFF_MAX, PTRDIFF_MAX / 2 + (size_t)1};
  a = malloc(100);
  for (unsigned i = 0; i < 5; i++) {
    ck_assert(!malloc(huge[i]) && !calloc(1, huge[i]) && !realloc(a, huge[i]) && !memalign(4096, huge[i]));
    ck_assert(!calloc(huge[i], 7) && !calloc(2, huge[i]) && !memalign(64, huge[i] - 64));
  }
  ck_assert(!calloc(SIZE_MAX / 4 + 2, 4)); // 4, if it wrapped
  ck_assert(!memalign(0, 1) && !memalign(24, 1) && !memalign(SIZE_MAX / 2 + 1, 1));
  free(a);
  free(calloc(0, 5));
  free(calloc(5, 0));
  ck_assert_ptr_null(realloc(malloc(7), 0));
  free(realloc(NULL, 9));
  for (size_t alignment = 1; alignment <= 1 << 16; alignment *= 2) {
    take(0, memalign(alignment, 3 * alignment), 3 * alignment, alignment);
    ck_assert_uint_lt(malloc_usable_size(blocks[0]), 3 * alignment + 2 * MALLOC_ALIGNMENT);
    drop(0);
  }
}
END_TEST

/// Blocks of `bytes` bytes, one behind the other, and one more that keeps them from the top.
static void row(unsigned n, size_t bytes) {
  for (unsigned i = 0; i <= n; i++)
    take(i, malloc(bytes), bytes, MALLOC_ALIGNMENT);
  for (unsigned i = 1; i <= n; i++)
    ck_assert(blocks[i] > blocks[i - 1] && blocks[i] - blocks[i - 1] == blocks[1] - blocks[0]);
}

/// In whatever order neighbours are freed, they become one again: a block of the whole fits in.
START_TEST(neighbours_merge) {
  enum { N = 5, ORDERS = 120 };
  for (unsigned order = 0; order < ORDERS; order++) {
    row(N, 200);
    unsigned char *whole = blocks[0];
    for (unsigned left = N, rest = order; left; rest /= left, left--) {
      unsigned at = 0;
      for (unsigned skip = rest % left; !blocks[at] || skip; at++)
        skip -= blocks[at] != NULL;
      drop(at);
      ck_assert(malloc_check());
    }
    ck_assert_uint_eq(mallinfo().ordblks, 2); // they, and the top
    take(0, malloc((size_t)(blocks[N] - whole) - MALLOC_ALIGNMENT), 1, 1);
    ck_assert_ptr_eq(blocks[0], whole);
    ck_assert_uint_eq(mallinfo().ordblks, 1);
    drop(0);
    drop(N);
    ck_assert_uint_eq(mallinfo().ordblks, 1);
  }
}
END_TEST

/// The smallest free chunk that is large enough is taken, and only as much of it as is needed.
START_TEST(best_fit) {
  static const size_t chunks[] = {5000, 40, 3000, 800, 4800, 48, 6000};
  enum { N = sizeof(chunks) / sizeof(chunks[0]) };
  void *hole[N];
  for (unsigned i = 0; i < N; i++) {
    hole[i] = malloc(chunks[i]);
    take(i, malloc(1), 1, 1);
  }
  for (unsigned i = 0; i < N; i++)
    free(hole[i]);
  size_t free_bytes = mallinfo().fordblks;
  static const unsigned expected[] = {3, 4, 0, 6, 2};
  for (unsigned i = 0; i < 5; i++)
    take(N + i, malloc(chunks[expected[i]]), chunks[expected[i]], 1);
  for (unsigned i = 0; i < 5; i++)
    ck_assert_ptr_eq(blocks[N + i], hole[expected[i]]);
  for (unsigned i = 0; i < 5; i++)
    drop(N + i);
  ck_assert_uint_eq(mallinfo().fordblks, free_bytes);
  ck_assert_ptr_eq(blocks[N] = malloc(4700), hole[4]); // cut: what is over is a chunk of its own
  take(N + 1, malloc(48), 48, 1);
  ck_assert_ptr_eq(blocks[N + 1], hole[5]);
  take(N + 2, malloc(56), 56, 1);
  ck_assert(blocks[N + 2] > blocks[N] && blocks[N + 2] < blocks[N] + 4800);
  free(blocks[N]);
  for (unsigned i = 0; i < N; i++)
    drop(i);
  drop(N + 1);
  drop(N + 2);
}
END_TEST

START_TEST(realloc_in_place) {
  row(3, 400);
  unsigned char *at = blocks[0], *next = blocks[1];
  resize(0, 100); // smaller: the rest is free
  ck_assert_ptr_eq(blocks[0], at);
  take(4, malloc(200), 200, 1);
  ck_assert(blocks[4] > at && blocks[4] < next);
  drop(4);
  resize(0, 390); // back into its rest
  ck_assert_ptr_eq(blocks[0], at);
  drop(1);
  resize(0, 500); // into a part of a free neighbour
  ck_assert_ptr_eq(blocks[0], at);
  take(4, malloc(150), 150, 1);
  ck_assert(blocks[4] > at && blocks[4] < blocks[2]);
  drop(4);
  resize(0, (size_t)(blocks[2] - at) - MALLOC_ALIGNMENT); // all of it
  ck_assert_ptr_eq(blocks[0], at);
  ck_assert_uint_eq(mallinfo().ordblks, 1);
  at = blocks[3];
  resize(3, 30000);  // into the top
  resize(3, 120000); // which sbrk moves
  ck_assert_ptr_eq(blocks[3], at);
  char *end = host_heap_end();
  resize(3, 500); // much at the end is given back
  ck_assert_ptr_eq(blocks[3], at);
  ck_assert(host_heap_end() < end);
  for (unsigned i = 0; i < 4; i++)
    drop(i);
}
END_TEST

START_TEST(realloc_elsewhere) {
  row(4, 400);
  unsigned char *at = blocks[0];
  resize(0, 500); // the neighbour is in use
  ck_assert_ptr_ne(blocks[0], at);
  at = blocks[2];
  drop(3);
  resize(2, 900); // the neighbour is free but too small
  ck_assert_ptr_ne(blocks[2], at);
  resize(1, BIG); // to pages
  ck_assert_uint_eq(mallinfo().hblks, 1);
  at = blocks[1];
  resize(1, BIG + 100); // no other number of pages
  ck_assert_ptr_eq(blocks[1], at);
  resize(1, 5 * BIG);
  ck_assert_uint_eq(mallinfo().hblkhd, 5 * BIG + HOST_PAGE);
  resize(1, 2 * BIG);
  ck_assert_uint_eq(mallinfo().hblkhd, 2 * BIG + HOST_PAGE);
  at = blocks[1];
  malloc_trim(0);
  host_fail_memory(0, 1);
  resize(1, 60000); // smaller, but without memory
  ck_assert_ptr_eq(blocks[1], at);
  ck_assert_uint_eq(sizes[1], 60000);
  sizes[1] = 2 * BIG;
  fill(1);
  ck_assert_ptr_null(realloc(at, 3 * BIG));
  host_fail_memory(0, 0);
  resize(1, 1000); // back to the heap
  ck_assert_uint_eq(host_mapped(), 0);
  for (unsigned i = 0; i < 5; i++)
    drop(i);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("malloc");
  TCase *tc = tcase_create("malloc");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, random_traffic, 0, 8);
  tcase_add_test(tc, every_failure_once);
  tcase_add_test(tc, odd_requests);
  tcase_add_test(tc, neighbours_merge);
  tcase_add_test(tc, best_fit);
  tcase_add_test(tc, realloc_in_place);
  tcase_add_test(tc, realloc_elsewhere);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
