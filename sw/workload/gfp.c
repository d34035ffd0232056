/// The flags of an allocation: what each allows, seen from outside.
#include "pressure.h"
#include "programs.h"
#include <arch/irq.h>
#include <kernel/highmem.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/swap.h>
#include <kernel/vmstat.h>
#include <kernel/workload.h>

enum { QUIET = __GFP_NOWARN | __GFP_NORETRY };

/// The highest zone that has pages, up to `type`.
static enum zone_type best_zone(enum zone_type type) {
  return zone_idx(contig_page_data.node_zonelists[type].zones[0]);
}

static void zones(void) {
  static const struct {
    gfp_t gfp;
    enum zone_type zone;
  } kinds[] = {
      {GFP_KERNEL, ZONE_NORMAL},
      {GFP_ATOMIC, ZONE_NORMAL},
      {GFP_NOIO, ZONE_NORMAL},
      {GFP_NOFS, ZONE_NORMAL},
      {GFP_USER, ZONE_NORMAL},
      {GFP_HIGHUSER, ZONE_HIGHMEM},
      {GFP_DMA, ZONE_DMA},
      {GFP_KERNEL | GFP_DMA, ZONE_DMA},
      {GFP_KERNEL | GFP_DMA32, ZONE_NORMAL},
      {GFP_HIGHUSER_MOVABLE, ZONE_HIGHMEM},
      {__GFP_HIGHMEM, ZONE_HIGHMEM},
  };

  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    struct page *page = need(alloc_page(kinds[i].gfp));
    CHECK(zone_idx(page_zone(page)) == best_zone(kinds[i].zone));
    __free_page(page);
  }
}

/// Takes pages until none is given; they are listed by their private fields.
static struct page *take_all(gfp_t gfp, unsigned long *count) {
  struct page *page, *all = NULL;

  for (*count = 0; (page = alloc_page(gfp)) != NULL; ++*count) {
    page->private = (unsigned long)all;
    all = page;
  }
  return all;
}

static void give_all(struct page *page) {
  while (page) {
    struct page *next = (struct page *)page->private;
    page->private = 0;
    __free_page(page);
    page = next;
  }
}

/// Who may go on when memory is short: who frees some by it, who cannot wait, who says that it matters.
static void reserves(void) {
  unsigned long count;

  make_memory_short(0, 100);
  struct page *all = take_all(GFP_KERNEL | QUIET, &count);
  CHECK(count >= 50 && count <= 200);
  CHECK(!alloc_page(GFP_KERNEL | QUIET));
  static const gfp_t privileged[] = {GFP_ATOMIC, GFP_KERNEL | __GFP_HIGH};
  for (size_t i = 0; i < ARRAY_SIZE(privileged); i++) {
    struct page *page = alloc_page(privileged[i] | QUIET);
    if (CHECK(page)) __free_page(page);
  }
  CHECK(!alloc_pages(GFP_KERNEL, MAX_ORDER) && !alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 11)); // never
  give_all(all);
  relieve_memory();
}

/// All that there is, in large blocks where possible; they are listed by their private fields.
static struct page *take_ballast(void) {
  struct page *ballast = NULL, *page;

  for (unsigned order = MAX_ORDER; order-- > 2;)
    while ((page = alloc_pages(GFP_KERNEL | QUIET, order)) != NULL) {
      page->private = (unsigned long)ballast;
      page->index = order;
      ballast = page;
    }
  return ballast;
}

static void give_ballast(struct page *page) {
  while (page) {
    struct page *next = (struct page *)page->private;
    page->private = 0;
    __free_pages(page, (unsigned)page->index);
    page = next;
  }
}

/// Down to the last page: each may go further than the one before.
static void last_pages(void) {
  unsigned long kernel, high, atomic, memalloc, refused;
  const struct zone *zone = &contig_page_data.node_zones[best_zone(ZONE_NORMAL)];
  struct page *ballast = take_ballast(), *all[4];

  all[0] = take_all(GFP_KERNEL | QUIET, &kernel);
  all[1] = take_all(GFP_KERNEL | __GFP_HIGH | QUIET, &high);
  all[2] = take_all(GFP_ATOMIC | QUIET, &atomic);
  CHECK(high > 0 && atomic > 0);
  CHECK(zone->free_pages > 0 && zone->free_pages <= zone->pages_min);
  current->flags |= PF_MEMALLOC;
  all[3] = take_all(GFP_ATOMIC | __GFP_NOMEMALLOC | QUIET, &refused);
  CHECK(!refused && !all[3]);
  all[3] = take_all(GFP_ATOMIC | QUIET, &memalloc);
  current->flags &= ~(unsigned)PF_MEMALLOC;
  CHECK(memalloc > 0 && zone->free_pages == 0);
  printk("the last pages: %lu with __GFP_HIGH, %lu more with GFP_ATOMIC, %lu more with PF_MEMALLOC\n", high, atomic,
         memalloc);
  for (int i = 0; i < 4; i++)
    give_all(all[i]);
  give_ballast(ballast);
}

/// A cache that can only be emptied by who may enter the file system.
static int cached, asked, asked_without_fs;

static int shrink(int n, gfp_t gfp) {
  asked++;
  if (!(gfp & __GFP_FS)) {
    asked_without_fs++;
    return -1;
  }
  cached -= n < cached ? n : cached;
  return cached;
}

/// What reclaim may do for whom: write to the swap area (IO), enter the file system (FS).
static void reclaim(void) {
  struct shrinker shrinker = {.shrink = shrink, .seeks = DEFAULT_SEEKS};
  const struct zonelist *zonelist = &contig_page_data.node_zonelists[ZONE_HIGHMEM];

  register_shrinker(&shrinker);
  cached = 1000;
  asked = asked_without_fs = 0;
  start_program("hold", 40); // 40 pages, and sleeps
  schedule_timeout(1);
  unsigned long out = vm_event(PSWPOUT);
  for (int i = 0; i < 4; i++) // the accessed bits go first
    try_to_free_pages(zonelist, 0, GFP_NOIO);
  CHECK(vm_event(PSWPOUT) == out);
  CHECK(cached == 1000 && asked && asked == asked_without_fs);
  try_to_free_pages(zonelist, 0, GFP_NOFS);
  CHECK(cached == 1000 && (!total_swap_pages() || vm_event(PSWPOUT) > out));
  try_to_free_pages(zonelist, 0, GFP_KERNEL);
  CHECK(cached < 1000);
  await_programs(1);
  unregister_shrinker(&shrinker);
}

static struct page *hostage;
static bool wanted;

/// Gives memory back some time after somebody else began to wait for it.
static int release(void *unused) {
  (void)unused;
  while (!wanted)
    yield();
  yield();
  yield();
  __free_pages(hostage, 4);
  hostage = NULL;
  return 0;
}

/// How long it is tried.
static void persistence(void) {
  unsigned long count;
  int status = -1;

  hostage = need(alloc_pages(GFP_KERNEL, 4));
  wanted = false;
  int pid = kernel_thread("release", release, NULL);
  make_memory_short(0, 8);
  struct page *all = take_all(GFP_KERNEL | QUIET, &count);
  unsigned long stalls = vm_event(ALLOCSTALL);
  CHECK(!alloc_page(GFP_KERNEL | QUIET) && vm_event(ALLOCSTALL) == stalls + 1); // one attempt at reclaim
  struct page *page = alloc_page(GFP_ATOMIC | QUIET);                           // none: from the reserve at once
  CHECK(page && vm_event(ALLOCSTALL) == stalls + 1);
  __free_page(page);
  CHECK(!alloc_page(GFP_NOIO | __GFP_REPEAT)); // reported
  wanted = true;
  page = alloc_page(GFP_KERNEL | __GFP_NOFAIL); // waits for the other task
  CHECK(page && !hostage);
  __free_page(page);
  give_all(all);
  relieve_memory();
  CHECK(do_wait(pid, &status) == pid && status == 0);
}

/// What comes out: zeroed, compound, cold; and a slab cache that may not grow.
static void content(void) {
  struct page *page = need(alloc_pages(GFP_HIGHUSER | __GFP_ZERO, 1));
  u32 sum = 0;

  for (int i = 0; i < 2; i++) {
    u32 *word = kmap_atomic(page + i, KM_USER0);
    for (unsigned at = 0; at < PAGE_SIZE / 4; at++)
      sum |= word[at];
    kunmap_atomic(word, KM_USER0);
  }
  CHECK(!sum && !PageCompound(page));
  __free_pages(page, 1);
  page = need(alloc_pages(GFP_KERNEL | __GFP_COMP, 1));
  CHECK(PageCompound(page) && PageTail(page + 1) && compound_head(page + 1) == page);
  __free_pages(page, 1);
  struct page *hot = need(alloc_page(GFP_KERNEL)), *other = need(alloc_page(GFP_KERNEL));
  __free_page(other);
  __free_page(hot);
  page = need(alloc_page(GFP_KERNEL | __GFP_COLD));
  CHECK(page != hot); // that one is in the processor's cache
  __free_page(page);
  struct kmem_cache *cache = need(kmem_cache_create("no-grow", 100, 0, 0, NULL));
  CHECK(!kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NO_GROW));
  kmem_cache_destroy(cache);
}

static unsigned long atomic_sleeps;

static void in_a_handler(void) {
  unsigned long before = nr_atomic_sleeps();

  kfree(kmalloc(100, GFP_ATOMIC));
  CHECK(nr_atomic_sleeps() == before);
  kfree(kmalloc(100, GFP_NOIO));
  CHECK(nr_atomic_sleeps() == before + 1);
  atomic_sleeps = nr_atomic_sleeps() - before;
}

void workload_gfp(void) {
  zones();
  reserves();
  if (form() == FORM_FULL) last_pages();
  reclaim();
  persistence();
  content();
  call_on_irq_stack(in_a_handler);
  CHECK(atomic_sleeps == 1);
}
