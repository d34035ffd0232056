/// The slab allocator and kmalloc: random traffic, every error they detect, and memory that runs out at any point.
#include "shim.h"
#include <check.h>
#include <kernel/slab.h>
#include <string.h>

enum { PAGES = 2048, OBJECTS = 600 };

static unsigned char *objects[OBJECTS];
static size_t sizes[OBJECTS];
static unsigned long free_at_start, errors_at_start;

static void start(void) {
  host_start(1, PAGES);
  kmem_cache_init();
  memset(objects, 0, sizeof(objects));
  kmem_cache_reap();
  free_at_start = nr_free_pages();
  errors_at_start = nr_slab_errors();
}

/// Nothing may have leaked.
static void stop(void) {
  host_fail_allocations(0, 0);
  kmem_cache_reap();
  ck_assert_uint_eq(nr_free_pages(), free_at_start);
  ck_assert(check_free_area());
  ck_assert_uint_eq(nr_bad_pages(), 0);
  host_stop();
}

static void fill(int i) {
  memset(objects[i], i & 0xFF, sizes[i]);
}

static bool filled(int i) {
  for (size_t at = 0; at < sizes[i]; at++)
    if (objects[i][at] != (i & 0xFF)) return false;
  return true;
}

static void construct(void *object) {
  memset(object, 0xCC, 8);
}

static const struct {
  size_t size, align;
  unsigned flags;
  bool ctor;
} kinds[] = {
    {1, 0, SLAB_POISON, false},
    {12, 0, SLAB_POISON | SLAB_RED_ZONE, false},
    {40, 64, SLAB_POISON | SLAB_RED_ZONE, false},
    {100, 0, SLAB_RED_ZONE | SLAB_HWCACHE_ALIGN, true},
    {511, 0, SLAB_RED_ZONE, false},
    {512, 512, SLAB_POISON, false},
    {1500, 0, SLAB_POISON | SLAB_RED_ZONE, false},
    {4096, 4096, SLAB_POISON, false},
    {5000, 0, SLAB_RED_ZONE, true},
    {131072, 0, 0, false},
};

START_TEST(random_traffic) {
  struct kmem_cache *cache =
      kmem_cache_create("test", kinds[_i].size, kinds[_i].align, kinds[_i].flags, kinds[_i].ctor ? construct : NULL);
  unsigned long live = 0;

  ck_assert_ptr_nonnull(cache);
  for (int step = 0; step < 6000; step++) {
    int i = (int)host_random(OBJECTS);
    if (step == 3000) host_fail_allocations(0, 3);
    if (objects[i]) {
      ck_assert(filled(i));
      if (kinds[_i].ctor) construct(objects[i]);
      kmem_cache_free(cache, objects[i]);
      objects[i] = NULL;
      live--;
    } else if ((objects[i] = kmem_cache_alloc(cache)) != NULL) {
      if (kinds[_i].align) ck_assert_uint_eq((unsigned long)objects[i] % kinds[_i].align, 0);
      if (kinds[_i].ctor) ck_assert(objects[i][0] == 0xCC && objects[i][7] == 0xCC);
      sizes[i] = kinds[_i].size;
      fill(i);
      live++;
    }
    if (step % 64 == 0) ck_assert(kmem_cache_check(cache));
    ck_assert_uint_eq(kmem_cache_info(cache).active_objects, live);
  }
  for (int i = 0; i < OBJECTS; i++) {
    if (!objects[i]) continue;
    ck_assert(filled(i));
    if (kinds[_i].ctor) construct(objects[i]);
    kmem_cache_free(cache, objects[i]);
  }
  ck_assert(kmem_cache_check(cache));
  ck_assert(kmem_cache_destroy(cache));
  ck_assert_uint_eq(nr_slab_errors(), errors_at_start);
}
END_TEST

START_TEST(kmalloc_traffic) {
  host_fail_allocations(0, 20);
  for (int step = 0; step < 20000; step++) {
    int i = (int)host_random(OBJECTS / 4);
    if (objects[i]) {
      ck_assert(filled(i));
      kfree(objects[i]);
      objects[i] = NULL;
    } else {
      sizes[i] = 1 + host_random(1U << (1 + host_random(18)));
      objects[i] = kmalloc(sizes[i]);
      if (!objects[i]) continue;
      ck_assert_uint_ge(ksize(objects[i]), sizes[i]);
      fill(i);
    }
  }
  for (int i = 0; i < OBJECTS; i++)
    kfree(objects[i]);
  ck_assert_uint_eq(nr_slab_errors(), errors_at_start);
}
END_TEST

/// Each allocation of pages that a slab needs fails once; the caches have to stay as they were.
START_TEST(every_failure_once) {
  for (unsigned long n = 1; n <= 6; n++) {
    host_fail_allocations(n, 0);
    struct kmem_cache *cache = kmem_cache_create("test", 700, 0, 0, NULL);
    void *object = cache ? kmem_cache_alloc(cache) : NULL;
    host_fail_allocations(0, 0);
    if (!cache) continue;
    if (!object) ck_assert_ptr_nonnull(object = kmem_cache_alloc(cache));
    ck_assert(kmem_cache_check(cache));
    kmem_cache_free(cache, object);
    ck_assert(kmem_cache_destroy(cache));
    kmem_cache_reap();
  }
}
END_TEST

START_TEST(errors_are_found) {
  struct kmem_cache *cache = kmem_cache_create("test", 44, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  struct kmem_cache *other = kmem_cache_create("other", 44, 0, 0, NULL);
  unsigned char *object = kmem_cache_alloc(cache);
  unsigned long n = errors_at_start;

  kmem_cache_free(other, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  kmem_cache_free(cache, object + 4);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  ck_assert(!kmem_cache_destroy(cache));
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  object[43] ^= 1;
  ck_assert_ptr_eq(kmem_cache_alloc(cache), object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  object[48] ^= 1; // the guard, aligned behind the object
  kmem_cache_free(cache, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  ck_assert(kmem_cache_check(cache));
  ck_assert(kmem_cache_destroy(cache));
  ck_assert(kmem_cache_destroy(other));
}
END_TEST

START_TEST(impossible_caches) {
  ck_assert_ptr_null(kmem_cache_create("none", 0, 0, 0, NULL));
  ck_assert_ptr_null(kmem_cache_create("odd", 8, 24, 0, NULL));
  ck_assert_ptr_null(kmem_cache_create("huge", 1 << 20, 0, 0, NULL));
  ck_assert_ptr_null(kmalloc(0));
  ck_assert_ptr_null(kmalloc((size_t)PAGES << PAGE_SHIFT));
}
END_TEST

START_TEST(management_off_slab) {
  struct kmem_cache *small = kmem_cache_create("small", 64, 0, 0, NULL),
                    *large = kmem_cache_create("large", 1024, 0, 0, NULL);
  ck_assert(!kmem_cache_info(small).off_slab);
  ck_assert(kmem_cache_info(large).off_slab);
  ck_assert_uint_eq(kmem_cache_info(large).objects_per_slab, 4);
  ck_assert(kmem_cache_destroy(small));
  ck_assert(kmem_cache_destroy(large));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("slab");
  TCase *tc = tcase_create("slab");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, random_traffic, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
  tcase_add_test(tc, kmalloc_traffic);
  tcase_add_test(tc, every_failure_once);
  tcase_add_test(tc, errors_are_found);
  tcase_add_test(tc, impossible_caches);
  tcase_add_test(tc, management_off_slab);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
