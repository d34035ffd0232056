/// vmalloc on the host: its addresses cannot be touched there, but its page tables can be walked, and the flushes seen.
#include "shim.h"
#include <kernel/slab.h>
#include <kernel/vmalloc.h>
#include <stdlib.h>

enum { PAGES = 3000 };

static unsigned long free_at_start, errors_at_start;

static void start(void) {
  const unsigned long zone_end[MAX_NR_ZONES] = {0, 2000, PAGES};
  host_start_zones(1, zone_end, 1);
  host_no_reserves();
  kmem_cache_init();
  vfree(vmalloc(PAGE_SIZE)); // makes the first page table, which stays
  kmem_cache_reap();
  drain_all_pages();
  free_at_start = nr_free_pages();
  errors_at_start = nr_vmalloc_errors();
}

static void stop(void) {
  host_fail_allocations(0, 0);
  kmem_cache_reap();
  drain_all_pages();
  ck_assert_uint_eq(nr_free_pages(), free_at_start);
  ck_assert(check_free_area());
  host_stop();
}

/// The host's address of what is mapped at `address`.
static unsigned char *behind(const char *address) {
  struct page *page = vmalloc_to_page(address);
  ck_assert_ptr_nonnull(page);
  return (unsigned char *)__va(page_to_pfn(page) << PAGE_SHIFT) + (unsigned long)address % PAGE_SIZE;
}

START_TEST(mapped_and_unmapped) {
  char *area = vzalloc(5 * PAGE_SIZE - 100);

  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(*behind(area + i * PAGE_SIZE), 0);
    ck_assert(PageHighMem(vmalloc_to_page(area + i * PAGE_SIZE))); // comes first
    for (int j = 0; j < i; j++)
      ck_assert_ptr_ne(vmalloc_to_page(area + i * PAGE_SIZE), vmalloc_to_page(area + j * PAGE_SIZE));
  }
  ck_assert_ptr_null(vmalloc_to_page(area + 5 * PAGE_SIZE)); // the guard
  for (int i = 0; i < 5; i++)
    host_flushed((unsigned long)area + i * PAGE_SIZE);
  vfree(area);
  for (int i = 0; i < 5; i++) {
    ck_assert_ptr_null(vmalloc_to_page(area + i * PAGE_SIZE));
    ck_assert(host_flushed((unsigned long)area + i * PAGE_SIZE));
  }
}
END_TEST

START_TEST(random_traffic) {
  enum { AREAS = 40 };
  char *areas[AREAS] = {NULL};
  unsigned sizes[AREAS] = {0};

  for (int step = 0; step < 4000; step++) {
    unsigned at = host_random(AREAS);
    if (step == 2000) host_fail_allocations(0, 12);
    if (areas[at]) {
      for (unsigned page = 0; page < sizes[at]; page++)
        ck_assert_int_eq(*behind(areas[at] + page * PAGE_SIZE), (unsigned char)(at + page));
      vfree(areas[at]);
      areas[at] = NULL;
      continue;
    }
    sizes[at] = 1 + host_random(40);
    areas[at] = vmalloc(sizes[at] * PAGE_SIZE);
    if (!areas[at]) continue;
    for (unsigned page = 0; page < sizes[at]; page++)
      *behind(areas[at] + page * PAGE_SIZE) = (unsigned char)(at + page);
    for (unsigned other = 0; other < AREAS; other++) // no two overlap, and there is a guard page between them
      if (other != at && areas[other])
        ck_assert(areas[other] + (sizes[other] + 1) * PAGE_SIZE <= areas[at] ||
                  areas[at] + (sizes[at] + 1) * PAGE_SIZE <= areas[other]);
  }
  for (unsigned at = 0; at < AREAS; at++)
    vfree(areas[at]);
}
END_TEST

/// Each allocation that vmalloc makes fails once; nothing is left behind.
START_TEST(every_failure_once) {
  for (unsigned long n = 1; n <= 12; n++) {
    host_fail_allocations(n, 0);
    void *area = vmalloc(8 * PAGE_SIZE);
    host_fail_allocations(0, 0);
    vfree(area);
    kmem_cache_reap();
    drain_all_pages();
    ck_assert_uint_eq(nr_free_pages(), free_at_start);
  }
}
END_TEST

START_TEST(maps_of_pages) {
  struct page *pages[3];

  for (int i = 0; i < 3; i++)
    pages[i] = alloc_page(GFP_KERNEL | __GFP_HIGHMEM);
  char *area = vmap(pages, 3, 0, _PAGE_KERNEL);
  for (int i = 0; i < 3; i++)
    ck_assert_ptr_eq(vmalloc_to_page(area + i * PAGE_SIZE), pages[i]);
  vfree(area); // not vmalloc's
  ck_assert_uint_eq(nr_vmalloc_errors(), errors_at_start + 1);
  vunmap(area);
  vunmap(area);
  ck_assert_uint_eq(nr_vmalloc_errors(), errors_at_start + 2);
  for (int i = 0; i < 3; i++)
    __free_page(pages[i]);
}
END_TEST

/// The first gap that is large enough is taken.
START_TEST(first_fit) {
  char *a = vmalloc(3 * PAGE_SIZE), *b = vmalloc(PAGE_SIZE), *c = vmalloc(2 * PAGE_SIZE);

  ck_assert_ptr_eq(b, a + 4 * PAGE_SIZE);
  ck_assert_ptr_eq(c, b + 2 * PAGE_SIZE);
  vfree(a);
  char *d = vmalloc(4 * PAGE_SIZE), *e = vmalloc(2 * PAGE_SIZE);
  ck_assert_ptr_eq(d, c + 3 * PAGE_SIZE);
  ck_assert_ptr_eq(e, a);
  ck_assert_ptr_null(vmalloc(0));
  ck_assert_ptr_null(vmalloc(VMALLOC_END - VMALLOC_START));
  ck_assert_ptr_null(vmalloc(~0UL));
  struct vm_struct *area = get_vm_area(VMALLOC_END - VMALLOC_START - 40 * PAGE_SIZE, VM_RANGE);
  ck_assert_ptr_nonnull(area);
  ck_assert_ptr_null(get_vm_area(60 * PAGE_SIZE, VM_RANGE));
  kfree(remove_vm_area((void *)area->addr));
  vfree(b);
  vfree(c);
  vfree(d);
  vfree(e);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("vmalloc");
  TCase *tc = tcase_create("vmalloc");
  tcase_add_checked_fixture(tc, start, stop);
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, mapped_and_unmapped);
  tcase_add_test(tc, random_traffic);
  tcase_add_test(tc, every_failure_once);
  tcase_add_test(tc, maps_of_pages);
  tcase_add_test(tc, first_fit);
  suite_add_tcase(suite, tc);
  return host_main(suite);
}
