/// The buddy allocator: blocks of 2^order pages, aligned to their size. A block is split in halves to serve a smaller
/// request; a freed block is joined with its buddy, the other half, as long as that is free as a whole.
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/string.h>

struct page *mem_map;
unsigned long max_low_pfn;

static struct free_area {
  struct list_head free_list;
  unsigned long nr_free; // blocks
} free_area[MAX_ORDER];

static unsigned long free_page_count;
static unsigned long bad_page_count;

/// One word in each POISON_STEP of a free page holds POISON_FREE. Filling the pages entirely would be most of what the
/// kernel does; this still finds whoever writes more than a few words.
static const u32 POISON_FREE = 0x6b6b6b6b, POISON_FRESH = 0x5a5a5a5a;
enum { POISON_STEP = 128 };

static void bad_page(const struct page *page, const char *why) {
  printk("Bad page state: %s (flags %lx, count %d, order %u)\n", why, page->flags, page->_count, page->order);
  bad_page_count++;
}

static void poison_page(struct page *page) {
  char *at = page_address(page), *end = at + PAGE_SIZE;
  for (; at < end; at += POISON_STEP)
    *(u32 *)at = POISON_FREE;
  page->flags |= PG_POISONED;
}

/// Fresh pages contain junk, so that nobody takes them for zeroed ones.
static void unpoison_page(struct page *page) {
  char *at = page_address(page), *end = at + PAGE_SIZE;
  bool intact = true;

  for (; at < end; at += POISON_STEP) {
    intact &= *(u32 *)at == POISON_FREE;
    *(u32 *)at = POISON_FRESH;
  }
  if ((page->flags & PG_POISONED) && !intact) bad_page(page, "written after it was freed");
  page->flags &= ~(unsigned long)PG_POISONED;
}

static void add_block(struct page *page, unsigned order) {
  page->flags |= PG_BUDDY;
  page->order = order;
  list_add(&page->lru, &free_area[order].free_list);
  free_area[order].nr_free++;
}

static void remove_block(struct page *page) {
  page->flags &= ~(unsigned long)PG_BUDDY;
  list_del(&page->lru);
  free_area[page->order].nr_free--;
}

/// Puts a block back, joined with as many buddies as are free.
static void free_block(struct page *page, unsigned order) {
  unsigned long pfn = page_to_pfn(page);

  free_page_count += 1UL << order;
  for (; order < MAX_ORDER - 1; order++) {
    unsigned long buddy_pfn = pfn ^ (1UL << order);
    if (buddy_pfn >= max_low_pfn) break;
    struct page *buddy = pfn_to_page(buddy_pfn);
    if (!(buddy->flags & PG_BUDDY) || buddy->order != order) break;
    remove_block(buddy);
    pfn &= buddy_pfn;
  }
  add_block(pfn_to_page(pfn), order);
}

struct page *alloc_pages(gfp_t flags, unsigned order) {
  unsigned from = order;

  while (from < MAX_ORDER && list_empty(&free_area[from].free_list))
    from++;
  if (from >= MAX_ORDER) return NULL;

  struct page *page = list_entry(free_area[from].free_list.next, struct page, lru);
  remove_block(page);
  while (from > order) { // keep the lower half
    from--;
    add_block(page + (1UL << from), from);
  }
  free_page_count -= 1UL << order;
  page->order = order;
  page->_count = 1;
  for (unsigned long i = 0; i < 1UL << order; i++)
    unpoison_page(page + i);
  if (flags & __GFP_ZERO) memset(page_address(page), 0, PAGE_SIZE << order);
  return page;
}

/// Why `page` cannot be the first of an allocated block of this order; NULL if it can.
static const char *bad_free(const struct page *page, unsigned order) {
  if (page->flags & PG_RESERVED) return "free of a reserved page";
  if (page->flags & PG_SLAB) return "free of a slab's page";
  if (page->_count <= 0) return "free of a page that is not allocated";
  if (page->order != order) return "free with another order than allocated";
  return NULL;
}

void __free_pages(struct page *page, unsigned order) {
  const char *why = bad_free(page, order);

  if (why) {
    bad_page(page, why);
  } else if (--page->_count == 0) {
    for (unsigned long i = 0; i < 1UL << order; i++)
      poison_page(page + i);
    free_block(page, order);
  }
}

unsigned long __get_free_pages(gfp_t flags, unsigned order) {
  struct page *page = alloc_pages(flags, order);
  return page ? (unsigned long)page_address(page) : 0;
}

unsigned long get_zeroed_page(gfp_t flags) {
  return __get_free_pages(flags | __GFP_ZERO, 0);
}

void free_pages(unsigned long address, unsigned order) {
  if (address) __free_pages(virt_to_page((void *)address), order);
}

unsigned long nr_free_pages(void) {
  return free_page_count;
}
unsigned long nr_free_blocks(unsigned order) {
  return free_area[order].nr_free;
}
unsigned long nr_bad_pages(void) {
  return bad_page_count;
}

void mem_init(unsigned long start_pfn, unsigned long end_pfn) {
  for (unsigned order = 0; order < MAX_ORDER; order++) {
    INIT_LIST_HEAD(&free_area[order].free_list);
    free_area[order].nr_free = 0;
  }
  free_page_count = bad_page_count = 0;

  mem_map = __va(start_pfn << PAGE_SHIFT);
  max_low_pfn = end_pfn;
  memset(mem_map, 0, end_pfn * sizeof(struct page));
  start_pfn += align_up(end_pfn * sizeof(struct page), PAGE_SIZE) >> PAGE_SHIFT;
  for (unsigned long pfn = 0; pfn < start_pfn; pfn++)
    pfn_to_page(pfn)->flags = PG_RESERVED;

  while (start_pfn < end_pfn) { // the largest aligned block that fits
    unsigned order = 0;
    while (order < MAX_ORDER - 1 && !(start_pfn & (1UL << order)) && start_pfn + (2UL << order) <= end_pfn)
      order++;
    free_block(pfn_to_page(start_pfn), order);
    start_pfn += 1UL << order;
  }
}

bool check_free_area(void) {
  unsigned long pages = 0;

  for (unsigned order = 0; order < MAX_ORDER; order++) {
    unsigned long blocks = 0;
    list_for_each(at, &free_area[order].free_list) {
      const struct page *page = list_entry(at, struct page, lru);
      unsigned long pfn = page_to_pfn(page), buddy_pfn = pfn ^ (1UL << order);
      if (!(page->flags & PG_BUDDY) || page->order != order || page->_count || pfn & ((1UL << order) - 1)) return false;
      if (order < MAX_ORDER - 1 && buddy_pfn < max_low_pfn) { // two free buddies should have been joined
        const struct page *buddy = pfn_to_page(buddy_pfn);
        if ((buddy->flags & PG_BUDDY) && buddy->order == order) return false;
      }
      blocks++;
    }
    if (blocks != free_area[order].nr_free) return false;
    pages += blocks << order;
  }
  return pages == free_page_count;
}

void show_buddyinfo(void) {
  printk("buddyinfo:");
  for (unsigned order = 0; order < MAX_ORDER; order++)
    printk(" %lu", free_area[order].nr_free);
  printk("\n");
}
