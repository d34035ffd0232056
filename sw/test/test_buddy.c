/// The buddy allocator against a model: one owner for each page.
#include "shim.h"
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

int main(void) {
  Suite *suite = suite_create("buddy");
  TCase *tc = tcase_create("one zone");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, random_against_model);
  tcase_add_test(tc, all_of_it_page_by_page);
  tcase_add_test(tc, double_free_is_refused);
  tcase_add_test(tc, write_after_free_is_found);
  tcase_add_test(tc, references);
  tcase_add_test(tc, compound_pages);
  tcase_add_test(tc, bad_addresses);
  suite_add_tcase(suite, tc);
  return host_main(suite);
}
