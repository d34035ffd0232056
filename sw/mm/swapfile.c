/// The places of the swap area: how many users each has. Place 0 is nobody's, so that no entry is 0.
#include <kernel/kernel.h>
#include <kernel/slab.h>
#include <kernel/swap.h>

static unsigned short *swap_map; // users: entries of page tables, and the swap cache
static unsigned long swap_pages, swap_free_pages, swap_next;

void swap_init(unsigned long first_pfn, unsigned long pages) {
  if (pages < 2) return;
  swap_map = kcalloc(pages, sizeof(*swap_map), GFP_KERNEL);
  swapper_space.pages = kcalloc(pages, sizeof(*swapper_space.pages), GFP_KERNEL);
  if (!swap_map || !swapper_space.pages) panic("no memory for the swap area's map");
  swapper_space.nr_slots = swap_pages = pages;
  swap_free_pages = pages - 1;
  ramdisk_init(first_pfn, pages);
}

unsigned long nr_swap_pages(void) {
  return swap_free_pages;
}
unsigned long total_swap_pages(void) {
  return swap_pages ? swap_pages - 1 : 0;
}

bool vm_swap_full(void) {
  return swap_free_pages * 2 < swap_pages;
}

swp_entry_t get_swap_page(void) {
  if (!swap_free_pages) return (swp_entry_t){0};
  do // round and round, so that neighbours in time are neighbours there
    swap_next = swap_next + 1 < swap_pages ? swap_next + 1 : 1;
  while (swap_map[swap_next]);
  swap_map[swap_next] = 1;
  swap_free_pages--;
  return (swp_entry_t){swap_next};
}

static bool valid_entry(swp_entry_t entry) {
  if (entry.val && entry.val < swap_pages && swap_map[entry.val]) return true;
  printk("bad swap entry %08lx\n", entry.val);
  return false;
}

bool swap_duplicate(swp_entry_t entry) {
  if (!valid_entry(entry)) return false;
  swap_map[entry.val]++;
  return true;
}

void swap_free(swp_entry_t entry) {
  BUG_ON(!valid_entry(entry));
  if (--swap_map[entry.val] == 0) swap_free_pages++;
}

unsigned swap_count(swp_entry_t entry) {
  return swap_map[entry.val];
}
