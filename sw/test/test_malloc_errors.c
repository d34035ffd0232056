/// What malloc finds wrong: each kind of error is counted and reported, and the heap stays as it was, byte for byte.
#include "../user/malloc_priv.h"
#include "malloc_shim.h"
#include <check.h>
#include <string.h>

enum { BIG = MALLOC_MMAP_THRESHOLD };

static enum malloc_error seen;
static const void *seen_at;
static size_t *a, *b, *c; // blocks of 200 bytes, one behind the other; `a` is the first of the heap

static void hook(enum malloc_error error, const void *where) {
  seen = error;
  seen_at = where;
}

static void start(void) {
  host_start();
  host_seed(1);
  malloc_on_error(hook);
  a = malloc(200);
  b = malloc(200);
  c = malloc(200);
  ck_assert(a < b && b < c && malloc_check());
}

/// What is still in use is freed; no tag may have suffered.
static void stop(void) {
  unsigned long errors = nr_malloc_errors();
  free(a);
  free(b);
  free(c);
  ck_assert_uint_eq(nr_malloc_errors(), errors);
  ck_assert(malloc_check());
  ck_assert_uint_eq(mallinfo().uordblks + mallinfo().hblks + host_mapped(), 0);
}

enum call { FREE, REALLOC, SHRINK, USABLE_SIZE };

/// Calls with a bad pointer find `error` there, and change nothing.
static void expect(enum malloc_error error, void *block, enum call call) {
  static char before[1 << 20];
  size_t bytes = (size_t)(host_heap_end() - host_heap_start());
  unsigned long errors = nr_malloc_errors();
  struct mallinfo info = mallinfo(), after;

  ck_assert_uint_le(bytes, sizeof(before));
  memcpy(before, host_heap_start(), bytes);
  seen = MALLOC_NO_ERROR;
  if (call == FREE) free(block);
  if (call == REALLOC) ck_assert_ptr_null(realloc(block, 5000));
  if (call == SHRINK) ck_assert_ptr_null(realloc(block, 0));
  if (call == USABLE_SIZE) ck_assert_uint_eq(malloc_usable_size(block), 0);
  ck_assert_int_eq(seen, error);
  ck_assert_ptr_eq(seen_at, block);
  ck_assert_uint_eq(nr_malloc_errors(), errors + 1);
  ck_assert_uint_eq((size_t)(host_heap_end() - host_heap_start()), bytes);
  ck_assert(!memcmp(before, host_heap_start(), bytes));
  after = mallinfo();
  ck_assert(!memcmp(&info, &after, sizeof(info)));
}

static void expect_of_all(enum malloc_error error, void *block) {
  for (enum call call = FREE; call <= USABLE_SIZE; call++)
    expect(error, block, call);
  ck_assert(malloc_check());
}

/// Free, as it was; merged with the one in front, the one behind, both; part of the top.
START_TEST(double_frees) {
  size_t *block[3] = {a, b, c};
  static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const unsigned *order = orders[_i / 2];
  void *guard = _i % 2 ? malloc(1) : NULL; // without it, the last one and then the others go to the top
  for (unsigned i = 0; i < 3; i++) {
    free(block[order[i]]);
    for (unsigned j = 0; j <= i; j++)
      expect_of_all(MALLOC_DOUBLE_FREE, block[order[j]]);
  }
  free(guard);
  a = b = c = NULL;
}
END_TEST

START_TEST(wild_pointers) {
  static char elsewhere[64];
  char on_stack = 0;
  memset(b, 0x21, 200); // would be a size, and in use
  expect_of_all(MALLOC_WILD_POINTER, &on_stack);
  expect_of_all(MALLOC_WILD_POINTER, elsewhere);
  expect_of_all(MALLOC_WILD_POINTER, (void *)WORD);
  expect_of_all(MALLOC_WILD_POINTER, (void *)UINTPTR_MAX);
  expect_of_all(MALLOC_WILD_POINTER, host_heap_start());
  expect_of_all(MALLOC_WILD_POINTER, host_heap_end());
  expect_of_all(MALLOC_WILD_POINTER, host_heap_end() - MALLOC_ALIGNMENT);
  for (unsigned at = 1; at < 40; at++)
    expect_of_all(MALLOC_WILD_POINTER, (char *)b + at);
  for (size_t at = 0; at < 25; at++) // sizes that would do
    b[at] = 4 * WORD + 1;
  for (size_t at = 1; at < 16; at++)
    expect_of_all(at % 2 ? MALLOC_WILD_POINTER : MALLOC_DAMAGED, b + at);
  for (size_t at = 0; at < 25; at++) // too large, and free
    b[at] = 0x41414140;
  for (size_t at = 1; at < 16; at++)
    expect_of_all(MALLOC_WILD_POINTER, b + at);
}
END_TEST

START_TEST(mapped_blocks) {
  char *block = malloc(BIG), *other = malloc(3 * BIG);
  for (unsigned at = 1; at < 100; at++)
    expect_of_all(MALLOC_WILD_POINTER, block + at);
  expect_of_all(MALLOC_WILD_POINTER, block - MALLOC_ALIGNMENT);
  expect_of_all(MALLOC_WILD_POINTER, other + HOST_PAGE);
  free(other);
  expect_of_all(MALLOC_WILD_POINTER, other); // again: nothing is known of it any more
  for (unsigned at = 1; at <= 2; at++) {
    size_t *word = (size_t *)block - at, was = *word;
    *word ^= HOST_PAGE;
    expect(MALLOC_DAMAGED, block, FREE);
    ck_assert(!malloc_check());
    *word = was;
  }
  free(block);
}
END_TEST

START_TEST(foreign_memory_is_not_freed) {
  char *foreign = host_sbrk(1000);
  size_t *behind = malloc(100000);
  ck_assert((char *)behind > foreign);
  expect_of_all(MALLOC_WILD_POINTER, foreign); // in front of it lies a head that is sound
  free(behind);
  ck_assert_uint_eq(mallinfo().ordblks, 2); // the rest in front of it, and the top
}
END_TEST

/// Words that a program may write by mistake, their place relative to the block in the middle, in words; the foot of
/// the block in front, its own head and foot, the head behind.
START_TEST(damaged_tags) {
  size_t words = malloc_usable_size(b) / WORD;
  size_t *tags[] = {b - 2, b - 1, b + words, b + words + 1};
  size_t values[] = {0, 1, 0x21, SIZE_MAX, 0x41414141, CHUNK_SEAL | CHUNK_IN_USE, CHUNK_SEAL};
  enum { VALUES = sizeof(values) / sizeof(values[0]) };
  for (unsigned i = 0; i < 4; i++) {
    size_t was = *tags[i];
    for (unsigned j = 0; j < VALUES + 8 * WORD; j++) {
      *tags[i] = j < VALUES ? values[j] : was ^ (size_t)1 << (j - VALUES);
      unsigned long errors = nr_malloc_errors();
      ck_assert(!malloc_check());
      free(b);
      ck_assert_uint_eq(nr_malloc_errors(), errors + 1);
      if (i != 1) ck_assert_int_eq(seen, MALLOC_DAMAGED); // what its own head says is anybody's guess
      *tags[i] = was;
      ck_assert(malloc_check());
    }
    *tags[i] = 0x41414141;
    if (i != 1) expect(MALLOC_DAMAGED, b, FREE);
    *tags[i] = was;
  }
  size_t foot = c[-2]; // as if `a` reached up to `c`
  c[-2] = (((a[-1] + b[-1]) & ~(size_t)CHUNK_FLAGS) | CHUNK_IN_USE) ^ CHUNK_SEAL;
  expect(MALLOC_DAMAGED, c, FREE);
  c[-2] = foot;
}
END_TEST

/// A block that is written after it was freed: its links lead astray.
START_TEST(damaged_links) {
  static const size_t values[] = {0, 8, 0x41414141, SIZE_MAX};
  free(b);
  for (unsigned link = 0; link < 2; link++) {
    size_t was = b[link];
    for (unsigned i = 0; i < 6; i++) {
      b[link] = i < 4 ? values[i] : (size_t)(i == 4 ? a - 1 : b - 1);
      ck_assert(!malloc_check());
      expect(MALLOC_DAMAGED, a, FREE); // it would merge
      expect(MALLOC_DAMAGED, c, FREE);
      unsigned long errors = nr_malloc_errors();
      size_t *other = malloc(200); // from elsewhere
      ck_assert(other && other != b);
      ck_assert_int_eq(seen, MALLOC_DAMAGED);
      ck_assert_uint_ge(nr_malloc_errors(), errors + 1);
      b[link] = was;
      free(other);
    }
  }
  b = NULL;
}
END_TEST

/// Damage in a bin is noticed before the freed chunk is put there.
START_TEST(damaged_bin) {
  void *guard = malloc(1);
  free(b);
  size_t was = b[0];
  b[0] = 0x41414140;
  size_t *other[2] = {malloc(200), malloc(10)};
  unsigned long errors = nr_malloc_errors();
  free(other[0]);
  ck_assert_uint_eq(nr_malloc_errors(), errors + 1);
  ck_assert_ptr_eq(seen_at, b);
  b[0] = was;
  ck_assert(malloc_check());
  free(other[0]);
  free(other[1]);
  free(guard);
  b = NULL;
}
END_TEST

/// A chunk is not cut when there is no place for the rest.
START_TEST(no_place_for_the_rest) {
  size_t *small = malloc(104), *guard = malloc(1), *large = malloc(304), *other = malloc(1);
  size_t chunk = malloc_usable_size(small) + 2 * WORD, whole = malloc_usable_size(large);
  free(small);
  free(large);
  size_t was = small[1], errors = nr_malloc_errors();
  small[1] = 0x41414140;
  ck_assert_ptr_eq(malloc(whole - chunk), large); // what is over would join `small`
  ck_assert_uint_eq(malloc_usable_size(large), whole);
  ck_assert_uint_eq(nr_malloc_errors(), errors + 1);
  small[1] = was;
  ck_assert(malloc_check());
  free(large);
  free(guard);
  free(other);
}
END_TEST

/// Makes a chunk in use a free one, behind one of its size in its bin, without merging it; and undoes it.
static void plant(struct chunk *chunk, struct chunk *prev) {
  chunk_tag(chunk, chunk_size(chunk), 0);
  *chunk = (struct chunk){chunk->head, prev->next, prev};
  prev->next = chunk->next->prev = chunk;
}

static void take_out(struct chunk *chunk) {
  chunk->next->prev = chunk->prev;
  chunk->prev->next = chunk->next;
}

static void uproot(struct chunk *chunk) {
  take_out(chunk);
  chunk_tag(chunk, chunk_size(chunk), CHUNK_IN_USE);
}

/// malloc_check compares what the heap, the bins and the map say.
START_TEST(contradictions) {
  struct chunk *first = block_chunk(a), *second = block_chunk(b), *third = block_chunk(c);
  unsigned bin = bin_of(chunk_size(first));
  uint32_t *map = &malloc_heap.map[bin / 32], bit = (uint32_t)1 << bin % 32;

  for (unsigned is_free = 0; is_free < 2; is_free++) {
    ck_assert(malloc_check());
    *map ^= bit;
    ck_assert(!malloc_check());
    *map ^= bit;
    if (!is_free) free(a);
  }
  plant(third, first); // at the top
  ck_assert(!malloc_check());
  void *behind = malloc(1000);
  ck_assert(malloc_check());
  plant(second, first); // between free ones
  ck_assert(!malloc_check());
  uproot(second);
  take_out(third); // in no bin
  third->next = third->prev = third;
  ck_assert(!malloc_check());
  chunk_tag(third, chunk_size(third), CHUNK_IN_USE);
  ck_assert(malloc_check());
  free(behind);
  a = NULL;
}
END_TEST

START_TEST(bin_out_of_order) {
  size_t *smaller = malloc(6000), *guard = malloc(1000), *larger = malloc(6100), *last = malloc(1000);
  free(smaller);
  free(larger);
  ck_assert(malloc_check());
  struct chunk *chunk = block_chunk(smaller), *next = block_chunk(larger);
  ck_assert(chunk->next == next);
  take_out(chunk);
  *chunk = (struct chunk){chunk->head, next->next, next}; // behind
  next->next = chunk->next->prev = chunk;
  ck_assert(!malloc_check());
  take_out(chunk);
  *chunk = (struct chunk){chunk->head, next, next->prev}; // in front
  next->prev = chunk->prev->next = chunk;
  ck_assert(malloc_check());
  free(guard);
  free(last);
}
END_TEST

START_TEST(no_hook) {
  malloc_on_error(NULL);
  unsigned long errors = nr_malloc_errors();
  free((char *)a + 1);
  ck_assert_uint_eq(nr_malloc_errors(), errors + 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("malloc errors");
  TCase *tc = tcase_create("malloc errors");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, double_frees, 0, 12);
  tcase_add_test(tc, wild_pointers);
  tcase_add_test(tc, mapped_blocks);
  tcase_add_test(tc, foreign_memory_is_not_freed);
  tcase_add_test(tc, damaged_tags);
  tcase_add_test(tc, damaged_links);
  tcase_add_test(tc, damaged_bin);
  tcase_add_test(tc, no_place_for_the_rest);
  tcase_add_test(tc, contradictions);
  tcase_add_test(tc, bin_out_of_order);
  tcase_add_test(tc, no_hook);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
