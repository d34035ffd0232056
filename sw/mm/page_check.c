/// Checks of page frames: what is freed must have been allocated so, and nobody writes to a free page.
#include "page_priv.h"
#include <kernel/highmem.h>
#include <kernel/kernel.h>

static unsigned long bad_page_count;

unsigned long nr_bad_pages(void) {
  return bad_page_count;
}

void bad_page(const struct page *page, const char *why) {
  printk("Bad page state: %s (pfn %lx, flags %lx, count %d, mapcount %d)\n", why, page_to_pfn(page),
         page->flags & ((1UL << NR_PAGEFLAGS) - 1), page->_count, page->_mapcount);
  bad_page_count++;
}

void bad_address(unsigned long address) {
  printk("Bad page state: free of address %08lx, which no page has\n", address);
  bad_page_count++;
}

/// One word in each POISON_STEP of a free page holds POISON_FREE. Filling the pages entirely would be most of what the
/// kernel does; this still finds whoever writes more than a few words.
static const u32 POISON_FREE = 0x6b6b6b6b, POISON_FRESH = 0x5a5a5a5a;
enum { POISON_STEP = 128 };

void poison_page(struct page *page) {
  char *start = kmap_atomic(page, KM_POISON);

  for (char *at = start; at < start + PAGE_SIZE; at += POISON_STEP)
    *(u32 *)at = POISON_FREE;
  kunmap_atomic(start, KM_POISON);
  set_page_flag(page, PG_poisoned);
}

/// Fresh pages contain junk, so that nobody takes them for zeroed ones.
void unpoison_page(struct page *page) {
  char *start = kmap_atomic(page, KM_POISON);
  bool intact = true;

  for (char *at = start; at < start + PAGE_SIZE; at += POISON_STEP) {
    intact &= *(u32 *)at == POISON_FREE;
    *(u32 *)at = POISON_FRESH;
  }
  kunmap_atomic(start, KM_POISON);
  if (test_page_flag(page, PG_poisoned) && !intact) bad_page(page, "written after it was freed");
  clear_page_flag(page, PG_poisoned);
}

const char *bad_free(const struct page *page, unsigned order) {
  if (test_page_flag(page, PG_reserved)) return "free of a reserved page";
  if (PageTail(page)) return "free of the middle of a compound page";
  if (page->_count <= 0) return "free of a page that is not allocated";
  if (PageSlab(page)) return "free of a slab's page";
  if (!test_page_flag(page, PG_head) || page_order_allocated(page) != order)
    return "free with another order than allocated";
  if (page->_count == 1 && page_mapped(page)) return "free of a page that is still mapped";
  if (page->_count == 1 && (PageLocked(page) || PageSwapCache(page) || PageWriteback(page)))
    return "free of a page that is being paged in or out";
  if (page->_count == 1 && PageLRU(page)) return "free of a page on a page-out list";
  return NULL;
}

/// The blocks of one list. Returns false if one contradicts mem_map; adds up pages and blocks.
static bool check_list(const struct zone *zone, unsigned order, enum migratetype type, unsigned long *blocks) {
  list_for_each(at, &zone->free_area[order].free_list[type]) {
    const struct page *page = list_entry(at, struct page, lru);
    unsigned long pfn = page_to_pfn(page), buddy_pfn = pfn ^ (1UL << order);
    if (!PageBuddy(page) || page->private != order || page->_count || pfn & ((1UL << order) - 1)) return false;
    if (page_zone(page) != zone || pfn + (1UL << order) > zone->zone_start_pfn + zone->spanned_pages) return false;
    if (order < MAX_ORDER - 1 && buddy_pfn >= zone->zone_start_pfn &&
        buddy_pfn < zone->zone_start_pfn + zone->spanned_pages) { // two free buddies should have been joined
      const struct page *buddy = pfn_to_page(buddy_pfn);
      if (PageBuddy(buddy) && buddy->private == order) return false;
    }
    ++*blocks;
  }
  return true;
}

static bool check_zone(const struct zone *zone) {
  unsigned long pages = 0;

  for (unsigned order = 0; order < MAX_ORDER; order++) {
    unsigned long blocks = 0;
    for (unsigned type = 0; type < MIGRATE_TYPES; type++)
      if (!check_list(zone, order, (enum migratetype)type, &blocks)) return false;
    if (blocks != zone->free_area[order].nr_free) return false;
    pages += blocks << order;
  }
  for_each_possible_cpu(cpu) {
    const struct per_cpu_pages *pcp = &zone->pageset[cpu];
    int count = 0;
    for (unsigned type = 0; type < MIGRATE_PCPTYPES; type++)
      list_for_each(at, &pcp->lists[type]) count += !list_entry(at, struct page, lru)->_count;
    if (count != pcp->count) return false;
  }
  return pages == zone->free_pages;
}

bool check_free_area(void) {
  for (int i = 0; i < MAX_NR_ZONES; i++)
    if (!check_zone(&contig_page_data.node_zones[i])) return false;
  return true;
}
