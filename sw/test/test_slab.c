/// The slab allocator and kmalloc: random traffic, every error they detect, and memory that runs out at any point.
#include "shim.h"
#include <kernel/slab.h>
#include <string.h>

enum { PAGES = 2048, OBJECTS = 600 };

static unsigned char *objects[OBJECTS];
static size_t sizes[OBJECTS];
static unsigned long free_at_start, errors_at_start, bad_at_start;

static void start(void) {
  const unsigned long zone_end[MAX_NR_ZONES] = {PAGES / 4, PAGES, PAGES};
  host_start_zones(1, zone_end, 2);
  host_no_reserves();
  kmem_cache_init();
  memset(objects, 0, sizeof(objects));
  kmem_cache_reap();
  free_at_start = nr_free_pages();
  errors_at_start = nr_slab_errors();
  bad_at_start = nr_bad_pages();
}

/// Nothing may have leaked.
static void stop(void) {
  host_fail_allocations(0, 0);
  kmem_cache_reap();
  ck_assert_uint_eq(nr_free_pages(), free_at_start);
  ck_assert(check_free_area());
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start);
  ck_assert(kmem_cache_check_all());
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
    } else if ((objects[i] = kmem_cache_alloc(cache, GFP_KERNEL)) != NULL) {
      if (kinds[_i].align) ck_assert_uint_eq((unsigned long)objects[i] % kinds[_i].align, 0);
      if (kinds[_i].ctor) ck_assert(objects[i][0] == 0xCC && objects[i][7] == 0xCC);
      sizes[i] = kinds[_i].size;
      fill(i);
      live++;
    }
    if (step % 64 == 0) ck_assert(kmem_cache_check(cache));
    if (step % 16 == 0) host_cpu = host_random(2);
    ck_assert_uint_eq(kmem_cache_info(cache).active_objects, live);
  }
  for (int i = 0; i < OBJECTS; i++) {
    if (!objects[i]) continue;
    ck_assert(filled(i));
    if (kinds[_i].ctor) construct(objects[i]);
    kmem_cache_free(cache, objects[i]);
  }
  ck_assert(kmem_cache_check(cache));
  kmem_cache_destroy(cache);
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
      objects[i] = kmalloc(sizes[i], GFP_KERNEL);
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
    void *object = cache ? kmem_cache_alloc(cache, GFP_KERNEL) : NULL;
    host_fail_allocations(0, 0);
    if (!cache) continue;
    if (!object) ck_assert_ptr_nonnull(object = kmem_cache_alloc(cache, GFP_KERNEL));
    ck_assert(kmem_cache_check(cache));
    kmem_cache_free(cache, object);
    kmem_cache_destroy(cache);
    kmem_cache_reap();
  }
}
END_TEST

START_TEST(errors_are_found) {
  struct kmem_cache *cache = kmem_cache_create("test", 44, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  struct kmem_cache *other = kmem_cache_create("other", 44, 0, 0, NULL);
  unsigned char *object = kmem_cache_alloc(cache, GFP_KERNEL);
  unsigned long n = errors_at_start;

  kmem_cache_free(other, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  kmem_cache_free(cache, object + 4);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  kmem_cache_destroy(cache); // still in use
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  object[43] ^= 1;
  ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  object[48] ^= 1; // the guard, aligned behind the object
  kmem_cache_free(cache, object);
  ck_assert_uint_eq(nr_slab_errors(), ++n);
  ck_assert(kmem_cache_check(cache));
  kmem_cache_destroy(cache);
  kmem_cache_destroy(other);
}
END_TEST

START_TEST(impossible_caches) {
  ck_assert_ptr_null(kmem_cache_create("none", 0, 0, 0, NULL));
  ck_assert_ptr_null(kmem_cache_create("odd", 8, 24, 0, NULL));
  ck_assert_ptr_null(kmem_cache_create("huge", 5 << 20, 0, 0, NULL));
  ck_assert_ptr_null(kmalloc(0, GFP_KERNEL));
  ck_assert_ptr_null(kmalloc((size_t)PAGES << PAGE_SHIFT, GFP_KERNEL));
}
END_TEST

START_TEST(management_off_slab) {
  struct kmem_cache *small = kmem_cache_create("small", 64, 0, 0, NULL),
                    *large = kmem_cache_create("large", 1024, 0, 0, NULL);
  ck_assert(!kmem_cache_info(small).off_slab);
  ck_assert(kmem_cache_info(large).off_slab);
  ck_assert_uint_eq(kmem_cache_info(large).objects_per_slab, 4);
  kmem_cache_destroy(small);
  kmem_cache_destroy(large);
}
END_TEST

/// Objects go to the list of the processor that frees them, and from there to where they are wanted.
START_TEST(lists_of_processors) {
  struct kmem_cache *cache = kmem_cache_create("test", 64, 0, 0, NULL);
  void *all[200];

  host_cpu = 0;
  for (int i = 0; i < 200; i++)
    all[i] = kmem_cache_alloc(cache, GFP_KERNEL);
  host_cpu = 1;
  for (int i = 0; i < 200; i++)
    kmem_cache_free(cache, all[i]);
  ck_assert(kmem_cache_check(cache));
  unsigned long slabs = kmem_cache_info(cache).slabs;
  ck_assert_uint_gt(kmem_cache_info(cache).cached, 100);
  ck_assert_ptr_eq(kmem_cache_alloc(cache, GFP_KERNEL), all[199]); // still in the processor's cache
  host_cpu = 0; // finds the shared list's, or a slab's: no new slab is made
  for (int i = 0; i < 80; i++)
    all[i] = kmem_cache_alloc(cache, GFP_KERNEL);
  ck_assert_uint_eq(kmem_cache_info(cache).slabs, slabs);
  for (int i = 0; i < 80; i++)
    kmem_cache_free(cache, all[i]);
  kmem_cache_free(cache, all[199]);
  ck_assert_int_eq(kmem_cache_shrink(cache), 0);
  ck_assert_uint_eq(kmem_cache_info(cache).cached, 0);
  kmem_cache_destroy(cache);
}
END_TEST

START_TEST(flags) {
  struct kmem_cache *cache = kmem_cache_create("test", 1000, 0, SLAB_CACHE_DMA, NULL);

  ck_assert_ptr_null(kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NO_GROW));
  unsigned char *object = kmem_cache_zalloc(cache, GFP_KERNEL);
  ck_assert_int_eq(zone_idx(page_zone(virt_to_page(object))), ZONE_DMA);
  for (int i = 0; i < 1000; i++)
    ck_assert_int_eq(object[i], 0);
  ck_assert_ptr_nonnull(kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NO_GROW)); // the slab is there now
  kmem_cache_shrink(cache);
  ck_assert_uint_eq(kmem_cache_info(cache).slabs, 1);
  object = kmalloc(5000, GFP_KERNEL | GFP_DMA);
  ck_assert_int_eq(zone_idx(page_zone(virt_to_page(object))), ZONE_DMA);
  kfree(object);
  ck_assert_ptr_null(kcalloc((size_t)-1 / 4, 8, GFP_KERNEL));
}
END_TEST

START_TEST(reallocation) {
  unsigned char *object = krealloc(NULL, 20, GFP_KERNEL);

  for (int i = 0; i < 20; i++)
    object[i] = (unsigned char)i;
  unsigned char *larger = krealloc(object, 500, GFP_KERNEL);
  ck_assert_ptr_ne(larger, object);
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq(larger[i], i);
  ck_assert_ptr_eq(krealloc(larger, 100, GFP_KERNEL), larger);
  host_fail_allocations(1, 1);
  ck_assert_ptr_null(krealloc(larger, 300000, GFP_KERNEL)); // fails, and the object stays
  host_fail_allocations(0, 0);
  ck_assert_int_eq(larger[19], 19);
  ck_assert_ptr_null(krealloc(larger, 0, GFP_KERNEL));
}
END_TEST

/// Both guards, and colours: the first objects of slabs lie at different offsets.
START_TEST(guards_and_colours) {
  struct kmem_cache *cache = kmem_cache_create("test", 200, 0, SLAB_RED_ZONE, NULL);
  unsigned colours = kmem_cache_info(cache).colours, num = kmem_cache_info(cache).objects_per_slab;
  unsigned long offsets[2] = {0};

  ck_assert_uint_gt(colours, 1);
  for (int slab = 0; slab < 2; slab++)
    for (unsigned i = 0; i < num; i++) {
      unsigned long offset = (unsigned long)kmem_cache_alloc(cache, GFP_KERNEL) % PAGE_SIZE;
      if (!offsets[slab] || offset < offsets[slab]) offsets[slab] = offset;
    }
  ck_assert_uint_ne(offsets[0], offsets[1]);
  u32 *object = kmem_cache_alloc(cache, GFP_KERNEL);
  object[-1] ^= 1;
  kmem_cache_free(cache, object);
  ck_assert_uint_eq(nr_slab_errors(), errors_at_start + 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("slab");
  TCase *tc = tcase_create("leak-free"), *loose = tcase_create("others");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_loop_test(tc, random_traffic, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
  tcase_add_test(tc, kmalloc_traffic);
  tcase_add_test(tc, every_failure_once);
  tcase_add_test(tc, errors_are_found);
  tcase_add_test(tc, impossible_caches);
  tcase_add_test(tc, management_off_slab);
  tcase_add_test(tc, lists_of_processors);
  tcase_add_test(tc, reallocation);
  suite_add_tcase(suite, tc);
  tcase_add_checked_fixture(loose, start, host_stop);
  tcase_add_test(loose, flags);
  tcase_add_test(loose, guards_and_colours);
  suite_add_tcase(suite, loose);
  return host_main(suite);
}
