/// Highmem: kmap, which is limited and may sleep, and kmap_atomic.
#include <arch/irq.h>
#include <arch/pgtable.h>
#include <arch/uaccess.h>
#include <kernel/highmem.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

static struct page *high_page(void) {
  struct page *page = alloc_page(GFP_HIGHUSER | __GFP_NOWARN);
  return need(page);
}

/// The same page twice is one mapping; different pages differ; a page keeps its address while somebody has it.
static void persistent(void) {
  enum { N = 64 };
  struct page **pages = need(kcalloc(N, sizeof(*pages), GFP_KERNEL));

  for (u32 i = 0; i < N; i++) {
    pages[i] = high_page();
    u32 *address = kmap(pages[i]);
    CHECK(kmap(pages[i]) == address);
    address[i] = i;
    kunmap(pages[i]);
  }
  CHECK(nr_kmaps() == N);
  for (u32 i = 0; i < N; i++) {
    const u32 *address = page_address(pages[i]);
    CHECK(PageHighMem(pages[i]) && (unsigned long)address >= PKMAP_BASE && address[i] == i);
    kunmap(pages[i]);
  }
  CHECK(nr_kmaps() == 0);
  // Far more than there is room for, one after the other: places are used again, after a flush.
  for (unsigned long round = rounds(3000); round; round--) {
    u32 at = random_below(N);
    struct page *page = pages[at];
    CHECK(((u32 *)kmap(page))[at] == at);
    kunmap(page);
  }
  for (u32 i = 0; i < N; i++) {
    const u32 *address = kmap(pages[i]);
    CHECK(address[i] == i);
    kunmap(pages[i]);
    __free_page(pages[i]);
  }
  kfree(pages);
}

static struct page *taken[LAST_PKMAP];
static bool late_got_it;

/// Wants a place when all are taken.
static int latecomer(void *page) {
  u32 *address = kmap(page);
  late_got_it = true;
  address[0] = 0xCAFE;
  kunmap(page);
  return 0;
}

/// When all places are taken, kmap sleeps until one is given back.
static void limit(void) {
  struct page *late = high_page();
  int status = -1;

  for (int i = 0; i < LAST_PKMAP; i++) {
    taken[i] = high_page();
    *(u32 *)kmap(taken[i]) = 0x1000 + (u32)i; // at an address where another page was before
  }
  for (int i = 0; i < LAST_PKMAP; i++) {
    const u32 *word = kmap_atomic(taken[i], KM_USER0);
    CHECK(*word == 0x1000 + (u32)i);
    kunmap_atomic((void *)word, KM_USER0);
  }
  CHECK(nr_kmaps() == LAST_PKMAP);
  late_got_it = false;
  int pid = kernel_thread("latecomer", latecomer, late);
  yield();
  yield();
  CHECK(!late_got_it);
  kunmap(taken[7]);
  CHECK(do_wait(pid, &status) == pid && status == 0 && late_got_it);
  for (int i = 0; i < LAST_PKMAP; i++) {
    if (i != 7) kunmap(taken[i]);
    __free_page(taken[i]);
  }
  __free_page(late);
}

/// Each use and each processor has a place; it is gone after kunmap_atomic.
static void atomic(void) {
  struct page *a = high_page(), *b = high_page();
  u32 value;

  for (unsigned long round = rounds(1000); round; round--) {
    switch_cpu((u32)round % nr_cpu_ids);
    u32 *first = kmap_atomic(a, KM_USER0), *second = kmap_atomic(b, KM_USER1);
    CHECK(first != second && in_atomic());
    first[0] = (u32)round;
    second[0] = ~(u32)round;
    kunmap_atomic(second, KM_USER1);
    first = (kunmap_atomic(first, KM_USER0), kmap_atomic(b, KM_USER0));
    CHECK(first[0] == ~(u32)round);
    kunmap_atomic(first, KM_USER0);
    CHECK(!in_atomic());
    if (round % 64 == 0) CHECK(!try_read32((unsigned long)first, &value));
  }
  // While a page is mapped so, sleeping is a bug, and found.
  unsigned long before = nr_atomic_sleeps();
  void *address = kmap_atomic(a, KM_USER0);
  __free_page(need(alloc_page(GFP_ATOMIC)));
  CHECK(nr_atomic_sleeps() == before);
  __free_page(need(alloc_page(GFP_KERNEL)));
  CHECK(nr_atomic_sleeps() == before + 1);
  kunmap_atomic(address, KM_USER0);
  __free_page(a);
  __free_page(b);
}

void workload_highmem(void) {
  if (!populated_zone(&contig_page_data.node_zones[ZONE_HIGHMEM])) {
    printk("highmem: there is none\n");
    return;
  }
  persistent();
  limit();
  atomic();
}
