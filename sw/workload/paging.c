/// Demand paging: zeroed pages, a file's pages, and pages that come back from the swap area while memory is short.
#include "pressure.h"
#include "programs.h"
#include <arch/traps.h>
#include <kernel/boot.h>
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/swap.h>
#include <kernel/vmstat.h>
#include <kernel/workload.h>

/// A cache that memory pressure empties: the file system's, say.
struct entry {
  struct list_head list;
  u32 payload[30];
};
static struct kmem_cache *entry_cachep;
static struct list_head entries = {&entries, &entries};
static int nr_entries;
static unsigned long refused_without_fs;

static int shrink_entries(int n, gfp_t gfp) {
  if (!n) return nr_entries;
  if (!(gfp & __GFP_FS)) {
    refused_without_fs++;
    return -1;
  }
  for (; n && nr_entries; n--, nr_entries--) {
    struct entry *entry = list_entry(entries.prev, struct entry, list);
    list_del(&entry->list);
    kmem_cache_free(entry_cachep, entry);
  }
  return nr_entries;
}

static struct shrinker entry_shrinker = {.shrink = shrink_entries, .seeks = DEFAULT_SEEKS};

static void fill_entries(int n) {
  while (nr_entries < n) {
    struct entry *entry = need(kmem_cache_alloc(entry_cachep, GFP_KERNEL));
    entry->payload[0] = (u32)nr_entries++;
    list_add(&entry->list, &entries);
  }
}

static void demand(void) {
  struct fault_stats before = fault_stats;

  expect_program("mmap", pages(90, 8) + 6);
  expect_program("file", rounds(64) + 2);
  expect_program("file", 3);
  CHECK(fault_stats.zero_page > before.zero_page && fault_stats.anonymous > before.anonymous);
  CHECK(fault_stats.file > before.file);
  printk("%lu anonymous pages, %lu zero page, %lu of files\n", fault_stats.anonymous - before.anonymous,
         fault_stats.zero_page - before.zero_page, fault_stats.file - before.file);
}

/// Programs that together use more than there is. The kernel's own pages, those of page tables above all, cannot be
/// swapped out.
static void swapping(void) {
  enum { KERNEL_NEEDS = 200 };
  unsigned long left = form() == FORM_FULL ? 300 : 110, hog = left * 3 / 5;
  unsigned long in = vm_event(PSWPIN), out = vm_event(PSWPOUT), swapped = fault_stats.swapped,
                rotated = vm_event(PGROTATED);

  fill_entries(200);
  make_memory_short(left, KERNEL_NEEDS);
  for (unsigned long i = turns(2); i; i--) {
    start_program("hog", hog * 2);
    start_program("hog", hog);
    start_program("hog", hog);
    await_programs(3);
  }
  relieve_memory();
  CHECK(vm_event(PSWPOUT) > out && vm_event(PSWPIN) > in && fault_stats.swapped > swapped);
  CHECK(vm_event(PGROTATED) > rotated); // some had their second chance
  CHECK(nr_entries < 200);
  drop_swap_cache();
  CHECK(nr_swap_pages() == total_swap_pages()); // every place is free again
  printk("%lu pages swapped out, %lu in, %lu faults on swapped pages, %d of 200 cache entries left\n",
         vm_event(PSWPOUT) - out, vm_event(PSWPIN) - in, fault_stats.swapped - swapped, nr_entries);
}

void workload_paging(void) {
  demand();
  if (total_swap_pages() < 1000) {
    printk("paging: too little swap\n");
    return;
  }
  entry_cachep = need(kmem_cache_create("entries", sizeof(struct entry), 0, SLAB_RECLAIM_ACCOUNT, NULL));
  register_shrinker(&entry_shrinker);
  swapping();
  shrink_entries(nr_entries, GFP_KERNEL);
  unregister_shrinker(&entry_shrinker);
  kmem_cache_destroy(entry_cachep);
}
