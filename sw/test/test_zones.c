/// Zones: which pages a request gets, how much of the reserve, lists of processors, kinds of pages.
#include "shim.h"
#include <arch/irqflags.h>
#include <kernel/sched.h>
#include <string.h>

enum { RESERVED = 37 };

/// Three zones, two processors, watermarks and reserves as they are.
static void start_zones(void) {
  const unsigned long zone_end[MAX_NR_ZONES] = {4096, 12288, 16384};
  host_start_zones(RESERVED, zone_end, 2);
}

static struct zone *zone_of(enum zone_type type) {
  return &contig_page_data.node_zones[type];
}

/// Takes single pages until none is given. Returns them linked through their private fields, and how many of each zone.
static struct page *take_all(gfp_t gfp, unsigned long count[MAX_NR_ZONES]) {
  struct page *page, *taken = NULL;

  memset(count, 0, MAX_NR_ZONES * sizeof(*count));
  while ((page = alloc_page(gfp | __GFP_NOWARN)) != NULL) {
    count[zone_idx(page_zone(page))]++;
    page->private = (unsigned long)taken;
    taken = page;
  }
  return taken;
}

static void give_all(struct page *page) {
  while (page) {
    struct page *next = (struct page *)page->private;
    page->private = 0;
    __free_page(page);
    page = next;
  }
}

/// A request gets pages of its own zone first, then of the lower ones, never of a higher one.
START_TEST(zones_and_fallback) {
  unsigned long count[MAX_NR_ZONES];

  ck_assert_int_eq(zone_idx(page_zone(alloc_page(GFP_HIGHUSER))), ZONE_HIGHMEM);
  ck_assert_int_eq(zone_idx(page_zone(alloc_page(GFP_KERNEL))), ZONE_NORMAL);
  ck_assert_int_eq(zone_idx(page_zone(alloc_page(GFP_KERNEL | GFP_DMA32))), ZONE_NORMAL);
  ck_assert_int_eq(zone_idx(page_zone(alloc_page(GFP_KERNEL | GFP_DMA))), ZONE_DMA);

  struct page *all = take_all(GFP_HIGHUSER, count);
  ck_assert(count[ZONE_HIGHMEM] > 3900 && count[ZONE_NORMAL] > 7000 && count[ZONE_DMA] > 3000);
  give_all(all);
  all = take_all(GFP_KERNEL, count);
  ck_assert(count[ZONE_HIGHMEM] == 0 && count[ZONE_NORMAL] > 7000 && count[ZONE_DMA] > 3000);
  give_all(all);
  all = take_all(GFP_KERNEL | GFP_DMA, count);
  ck_assert(count[ZONE_HIGHMEM] == 0 && count[ZONE_NORMAL] == 0 && count[ZONE_DMA] > 3000);
  give_all(all);
  ck_assert(check_free_area());
}
END_TEST

/// Who cannot wait gets more of the reserve than who can; a task that frees memory gets all of it.
START_TEST(watermarks_and_reserve) {
  unsigned long count[MAX_NR_ZONES];

  struct page *kernel = take_all(GFP_KERNEL, count);
  unsigned long left = zone_of(ZONE_NORMAL)->free_pages, dma_left = zone_of(ZONE_DMA)->free_pages;
  ck_assert(left <= zone_of(ZONE_NORMAL)->pages_min && left + 8 > zone_of(ZONE_NORMAL)->pages_min);
  ck_assert_uint_gt(dma_left, zone_of(ZONE_DMA)->pages_min); // what is kept from those who have a choice
  ck_assert_uint_gt(host_kswapd_wakes, 0);
  ck_assert_uint_gt(host_reclaims, 0);

  unsigned long reclaims = host_reclaims;
  struct page *atomic = take_all(GFP_ATOMIC, count);
  ck_assert_uint_eq(host_reclaims, reclaims); // it may not
  ck_assert_uint_gt(count[ZONE_NORMAL], left / 2);
  ck_assert_uint_lt(count[ZONE_NORMAL], left);
  struct page *low = take_all(__GFP_HIGH | __GFP_WAIT, count);
  ck_assert_uint_eq(count[ZONE_NORMAL], 0); // half of the reserve is less than what GFP_ATOMIC may have

  init_task.flags |= PF_MEMALLOC;
  ck_assert_ptr_null(alloc_page(GFP_ATOMIC | __GFP_NOMEMALLOC | __GFP_NOWARN));
  struct page *memalloc = take_all(GFP_ATOMIC, count);
  init_task.flags &= ~(unsigned)PF_MEMALLOC;
  ck_assert(count[ZONE_NORMAL] > 0 && zone_of(ZONE_NORMAL)->free_pages == 0 && zone_of(ZONE_DMA)->free_pages == 0);
  give_all(kernel);
  give_all(atomic);
  give_all(low);
  give_all(memalloc);
  drain_all_pages();
  ck_assert(check_free_area());
}
END_TEST

static struct page *hostage;

static unsigned long free_hostage(gfp_t gfp) {
  if (!hostage || !(gfp & __GFP_IO)) return 0;
  __free_pages(hostage, 4);
  hostage = NULL;
  return 16;
}

/// Reclaim, and how often it is tried.
START_TEST(reclaim_and_retries) {
  unsigned long count[MAX_NR_ZONES];

  hostage = alloc_pages(GFP_KERNEL, 4);
  struct page *all = take_all(GFP_KERNEL, count);
  ck_assert_ptr_null(alloc_page(GFP_NOIO | __GFP_NOWARN));
  host_reclaim = free_hostage;
  ck_assert_ptr_null(alloc_page(GFP_NOIO | __GFP_NOWARN)); // reclaim may not write
  struct page *page = alloc_page(GFP_NOFS);
  ck_assert_ptr_nonnull(page);
  __free_page(page);
  unsigned long before = host_reclaims;
  ck_assert_ptr_null(alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 8));
  ck_assert_uint_eq(host_reclaims, before + 1);
  give_all(all);
}
END_TEST

/// Each processor has a list of its own; the last page freed is the first one taken, but for cold ones.
START_TEST(per_cpu_lists) {
  host_cpu = 0;
  struct page *a = alloc_page(GFP_KERNEL), *b = alloc_page(GFP_KERNEL);
  __free_page(a);
  __free_page(b);
  ck_assert_ptr_eq(alloc_page(GFP_KERNEL), b);
  __free_page(b);
  free_pages((unsigned long)page_address(alloc_page(GFP_KERNEL)), 0);
  host_cpu = 1;
  ck_assert_ptr_ne(alloc_page(GFP_KERNEL), b);
  host_cpu = 0;
  struct page *cold = alloc_page(GFP_KERNEL | __GFP_COLD);
  ck_assert_ptr_ne(cold, b);
  struct per_cpu_pages *pcp = &zone_of(ZONE_NORMAL)->pageset[0];
  struct page *pages[100];
  for (int i = 0; i < 100; i++)
    pages[i] = alloc_page(GFP_KERNEL);
  for (int i = 0; i < 100; i++) {
    __free_page(pages[i]);
    ck_assert_int_le(pcp->count, pcp->high);
  }
  ck_assert(check_free_area());
  unsigned long all = nr_free_pages();
  drain_all_pages();
  ck_assert_int_eq(pcp->count, 0);
  ck_assert_uint_eq(nr_free_pages(), all);
  ck_assert(!in_atomic() && !irqs_disabled());
}
END_TEST

/// Movable and other pages are kept in different 4 MiB blocks, so that one kind leaves large blocks to the other.
START_TEST(mobility) {
  struct page *movable[1500], *unmovable[1500];

  for (int i = 0; i < 1500; i++) {
    movable[i] = alloc_page(GFP_USER | __GFP_MOVABLE);
    unmovable[i] = alloc_page(GFP_KERNEL);
  }
  for (int i = 0; i < 1500; i++) {
    ck_assert_int_eq(get_pageblock_migratetype(movable[i]), MIGRATE_MOVABLE);
    ck_assert_int_eq(get_pageblock_migratetype(unmovable[i]), MIGRATE_UNMOVABLE);
    __free_page(movable[i]);
  }
  drain_all_pages();
  // All that is left lies in two blocks; the others are whole again.
  ck_assert_uint_lt(fragmentation_index(zone_of(ZONE_NORMAL), MAX_ORDER - 1), 200);
  for (int i = 0; i < 1500; i++)
    __free_page(unmovable[i]);
}
END_TEST

/// Sleeping where that is not allowed is found.
START_TEST(atomic_context) {
  unsigned long before = nr_atomic_sleeps();

  preempt_disable();
  __free_page(alloc_page(GFP_ATOMIC));
  ck_assert_uint_eq(nr_atomic_sleeps(), before);
  __free_page(alloc_page(GFP_KERNEL));
  ck_assert_uint_eq(nr_atomic_sleeps(), before + 1);
  preempt_enable();
  add_preempt_count(HARDIRQ_OFFSET);
  ck_assert(in_interrupt());
  __free_page(alloc_page(GFP_NOIO));
  ck_assert_uint_eq(nr_atomic_sleeps(), before + 2);
  sub_preempt_count(HARDIRQ_OFFSET);
  __free_page(alloc_page(GFP_KERNEL));
  ck_assert_uint_eq(nr_atomic_sleeps(), before + 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("zones");
  TCase *tc = tcase_create("zones");
  tcase_add_checked_fixture(tc, start_zones, host_stop);
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, zones_and_fallback);
  tcase_add_test(tc, watermarks_and_reserve);
  tcase_add_test(tc, reclaim_and_retries);
  tcase_add_test(tc, per_cpu_lists);
  tcase_add_test(tc, mobility);
  tcase_add_test(tc, atomic_context);
  suite_add_tcase(suite, tc);
  return host_main(suite);
}
