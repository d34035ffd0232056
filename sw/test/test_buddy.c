/// The buddy allocator against a model: one owner for each page.
#include "shim.h"
#include <arch/irqflags.h>
#include <kernel/sched.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVED = 37, PAGES = 5 * 1024 + 300, BLOCKS = 400 };

struct block {
  struct page *page; // NULL: none
  unsigned order;
};

static struct block blocks[BLOCKS];
static char *owned; // one per page frame
static unsigned long bad_at_start;

static unsigned long first_pfn(void) { // mem_map lies before it
  unsigned long pfn = 0;
  while (test_page_flag(pfn_to_page(pfn), PG_reserved))
    pfn++;
  return pfn;
}

static void start(void) {
  host_start(RESERVED, PAGES);
  owned = calloc(PAGES, 1);
  bad_at_start = nr_bad_pages();
  for (unsigned long pfn = 0; pfn < first_pfn(); pfn++)
    owned[pfn] = 1;
  for (int i = 0; i < BLOCKS; i++)
    blocks[i].page = NULL;
}

static void stop(void) {
  free(owned);
  host_stop();
}

/// Whether an aligned block of this order is entirely free: then, and only then, must an allocation succeed.
static bool model_has(unsigned order) {
  unsigned long size = 1UL << order;
  for (unsigned long pfn = 0; pfn + size <= PAGES; pfn += size) {
    unsigned long i = 0;
    while (i < size && !owned[pfn + i])
      i++;
    if (i == size) return true;
  }
  return false;
}

static void take(struct block *block, unsigned order) {
  bool possible = model_has(order);
  unsigned long before = nr_free_pages();
  struct page *page = alloc_pages(GFP_KERNEL, order);

  ck_assert_int_eq(page != NULL, possible);
  if (!page) return;
  unsigned long pfn = page_to_pfn(page);
  ck_assert_uint_eq(pfn & ((1UL << order) - 1), 0);
  ck_assert_uint_le(pfn + (1UL << order), PAGES);
  ck_assert_uint_eq(nr_free_pages(), before - (1UL << order));
  for (unsigned long i = 0; i < 1UL << order; i++) {
    ck_assert(!owned[pfn + i]);
    owned[pfn + i] = 1;
    *(unsigned long *)page_address(page + i) = pfn + i;
  }
  *block = (struct block){page, order};
}

static void give_back(struct block *block) {
  unsigned long pfn = page_to_pfn(block->page);
  for (unsigned long i = 0; i < 1UL << block->order; i++) {
    ck_assert_uint_eq(*(unsigned long *)page_address(block->page + i), pfn + i);
    owned[pfn + i] = 0;
  }
  __free_pages(block->page, block->order);
  block->page = NULL;
}

/// A free that is wrong in one of the ways there are; it must change nothing.
static void wrong_free(const struct block *block) {
  unsigned long before = nr_free_pages(), bad = nr_bad_pages();
  switch (host_random(3)) {
  case 0:
    __free_pages(block->page, (block->order + 1 + host_random(MAX_ORDER - 1)) % MAX_ORDER);
    break;
  case 1:
    __free_pages(pfn_to_page(host_random(RESERVED)), 0);
    break;
  default:
    __free_pages(block->page + (block->order ? 1 : 0), block->order ? 0 : 1);
    break;
  }
  ck_assert_uint_eq(nr_bad_pages(), bad + 1);
  ck_assert_uint_eq(nr_free_pages(), before);
}

START_TEST(random_against_model) {
  unsigned long all = nr_free_pages();

  for (int i = 0; i < 20000; i++) {
    struct block *block = &blocks[host_random(BLOCKS)];
    if (!block->page) {
      unsigned order = 0;
      while (order < MAX_ORDER - 1 && host_random(2))
        order++;
      take(block, order);
    } else if (host_random(20) == 0) {
      wrong_free(block);
    } else {
      give_back(block);
    }
    if (i % 64 == 0) ck_assert(check_free_area());
  }
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i].page) give_back(&blocks[i]);
  ck_assert_uint_eq(nr_free_pages(), all);
  ck_assert(check_free_area());
}
END_TEST

START_TEST(all_of_it_page_by_page) {
  unsigned long all = nr_free_pages(), before[MAX_ORDER];
  const struct zone *zone = &contig_page_data.node_zones[ZONE_NORMAL];
  struct page **pages = calloc(all, sizeof(*pages));

  for (unsigned order = 0; order < MAX_ORDER; order++)
    before[order] = zone->free_area[order].nr_free;
  for (unsigned long i = 0; i < all; i++)
    ck_assert_ptr_nonnull(pages[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0));
  ck_assert_ptr_null(alloc_pages(GFP_KERNEL, 0));
  for (unsigned long i = all - 1; i > 0; i--) {
    unsigned long j = host_random((u32)i + 1);
    struct page *t = pages[i];
    pages[i] = pages[j];
    pages[j] = t;
  }
  for (unsigned long i = 0; i < all; i++)
    __free_pages(pages[i], 0);
  drain_all_pages();
  for (unsigned order = 0; order < MAX_ORDER; order++)
    ck_assert_uint_eq(zone->free_area[order].nr_free, before[order]);
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start);
  free(pages);
}
END_TEST

START_TEST(double_free_is_refused) {
  struct page *page = alloc_pages(GFP_KERNEL, 3);
  __free_pages(page, 3);
  __free_pages(page, 3);
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start + 1);
  ck_assert(check_free_area());
}
END_TEST

START_TEST(write_after_free_is_found) {
  struct page *page = alloc_pages(GFP_KERNEL, 0);
  __free_pages(page, 0);
  *(char *)page_address(page) = 1;
  ck_assert_ptr_eq(alloc_pages(GFP_KERNEL, 0), page);
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start + 1);
}
END_TEST

START_TEST(references) {
  struct page *page = alloc_pages(GFP_KERNEL, 0);
  unsigned long before = nr_free_pages();
  get_page(page);
  put_page(page);
  ck_assert_uint_eq(nr_free_pages(), before);
  put_page(page);
  ck_assert_uint_eq(nr_free_pages(), before + 1);
}
END_TEST

START_TEST(compound_pages) {
  struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
  unsigned long before = nr_free_pages();

  get_page(page + 5);
  ck_assert_int_eq(page_count(page), 2);
  put_page(page + 7);
  put_page(page + 1);
  ck_assert_uint_eq(nr_free_pages(), before + 8);
  for (int i = 0; i < 8; i++)
    ck_assert(!PageCompound(page + i) && !PageTail(page + i));
  page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
  __free_pages(page + 1, 0);
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start + 1);
  put_page(page);
}
END_TEST

START_TEST(bad_addresses) {
  unsigned long before = nr_free_pages();
  unsigned long address = __get_free_pages(GFP_KERNEL, 1);

  free_pages(address + 1, 1);
  free_pages((unsigned long)__va((unsigned long)PAGES << PAGE_SHIFT), 0);
  ck_assert_uint_eq(nr_bad_pages(), bad_at_start + 2);
  free_pages(0, 3);
  free_pages(address, 1);
  ck_assert_uint_eq(nr_free_pages(), before);
}
END_TEST

/// Three zones, two processors, watermarks and reserves as they are.
static void start_zones(void) {
  const unsigned long zone_end[MAX_NR_ZONES] = {4096, 12288, 16384};
  host_start_zones(RESERVED, zone_end, 2);
  bad_at_start = nr_bad_pages();
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
  Suite *suite = suite_create("buddy");
  TCase *one = tcase_create("one zone"), *zones = tcase_create("zones");
  tcase_add_checked_fixture(one, start, stop);
  tcase_set_timeout(one, 120);
  tcase_add_test(one, random_against_model);
  tcase_add_test(one, all_of_it_page_by_page);
  tcase_add_test(one, double_free_is_refused);
  tcase_add_test(one, write_after_free_is_found);
  tcase_add_test(one, references);
  tcase_add_test(one, compound_pages);
  tcase_add_test(one, bad_addresses);
  suite_add_tcase(suite, one);
  tcase_add_checked_fixture(zones, start_zones, host_stop);
  tcase_set_timeout(zones, 120);
  tcase_add_test(zones, zones_and_fallback);
  tcase_add_test(zones, watermarks_and_reserve);
  tcase_add_test(zones, reclaim_and_retries);
  tcase_add_test(zones, per_cpu_lists);
  tcase_add_test(zones, mobility);
  tcase_add_test(zones, atomic_context);
  suite_add_tcase(suite, zones);
  return host_main(suite);
}
