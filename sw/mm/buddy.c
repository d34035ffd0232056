/// The buddy system of a zone: free blocks of 2^order pages, aligned to their size. A block is split in halves to serve
/// a smaller request; a freed block is joined with its buddy, the other half, as long as that is free as a whole.
///
/// Free blocks are listed by order and by kind (enum migratetype), the kind of the 4 MiB pageblock that they lie in. A
/// request whose kind has none takes the largest block of another kind, and, if that is much of a pageblock, the
/// pageblock with it: so pages that cannot be moved do not spread everywhere.
#include <kernel/kernel.h>
#include <kernel/mm.h>

static void set_buddy_order(struct page *page, unsigned order) {
  page->private = order;
  set_page_flag(page, PG_buddy);
}

static void rmv_buddy_order(struct page *page) {
  clear_page_flag(page, PG_buddy);
  page->private = 0;
}

static u8 *pageblock_type(const struct page *page) {
  const struct zone *zone = page_zone(page);
  unsigned long first = zone->zone_start_pfn & ~(pageblock_nr_pages - 1UL);
  return &zone->pageblock_types[(page_to_pfn(page) - first) >> pageblock_order];
}

enum migratetype get_pageblock_migratetype(const struct page *page) {
  return (enum migratetype) * pageblock_type(page);
}

void set_pageblock_migratetype(struct page *page, enum migratetype type) {
  *pageblock_type(page) = (u8)type;
}

static void add_block(struct zone *zone, struct page *page, unsigned order, enum migratetype type) {
  set_buddy_order(page, order);
  list_add(&page->lru, &zone->free_area[order].free_list[type]);
  zone->free_area[order].nr_free++;
}

static void remove_block(struct zone *zone, struct page *page) {
  list_del(&page->lru);
  zone->free_area[page->private].nr_free--;
  rmv_buddy_order(page);
}

/// The other half of the block of 2^(order+1) pages that `page` is half of; NULL if that is not free as a whole.
static struct page *free_buddy(const struct zone *zone, const struct page *page, unsigned order) {
  unsigned long pfn = page_to_pfn(page) ^ (1UL << order);

  if (pfn < zone->zone_start_pfn || pfn >= zone->zone_start_pfn + zone->spanned_pages) return NULL;
  struct page *buddy = pfn_to_page(pfn);
  return PageBuddy(buddy) && buddy->private == order ? buddy : NULL;
}

/// Puts a block back, joined with as many buddies as are free.
void __free_one_page(struct page *page, struct zone *zone, unsigned order) {
  enum migratetype type = get_pageblock_migratetype(page);
  struct page *buddy;

  zone->free_pages += 1UL << order;
  while (order < MAX_ORDER - 1 && (buddy = free_buddy(zone, page, order)) != NULL) {
    remove_block(zone, buddy);
    if (buddy < page) page = buddy;
    order++;
  }
  add_block(zone, page, order, type);
}

/// Splits the block of order `from` that starts at `page` until its first part has order `order`; lists the rest.
static void expand(struct zone *zone, struct page *page, unsigned order, unsigned from, enum migratetype type) {
  while (from > order) {
    from--;
    add_block(zone, page + (1UL << from), from, type);
  }
}

/// The smallest block of the kind that is large enough.
static struct page *rmqueue_smallest(struct zone *zone, unsigned order, enum migratetype type) {
  for (unsigned from = order; from < MAX_ORDER; from++) {
    struct list_head *list = &zone->free_area[from].free_list[type];
    if (list_empty(list)) continue;
    struct page *page = list_entry(list->next, struct page, lru);
    remove_block(zone, page);
    zone->free_pages -= 1UL << order;
    expand(zone, page, order, from, type);
    return page;
  }
  return NULL;
}

/// Lists all free blocks of the pageblock of `page` under another kind. Returns how many pages that are.
static unsigned long move_freepages_block(struct zone *zone, struct page *page, enum migratetype type) {
  unsigned long pfn = page_to_pfn(page) & ~(pageblock_nr_pages - 1UL), end = pfn + pageblock_nr_pages, moved = 0;

  if (pfn < zone->zone_start_pfn || end > zone->zone_start_pfn + zone->spanned_pages) return 0;
  while (pfn < end) {
    struct page *at = pfn_to_page(pfn);
    if (!PageBuddy(at)) {
      pfn++;
      continue;
    }
    unsigned long pages = 1UL << at->private;
    list_move(&at->lru, &zone->free_area[at->private].free_list[type]);
    moved += pages;
    pfn += pages;
  }
  return moved;
}

/// In which order a kind takes from the others.
static const enum migratetype fallbacks[MIGRATE_PCPTYPES][3] = {
    [MIGRATE_UNMOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE, MIGRATE_RESERVE},
    [MIGRATE_RECLAIMABLE] = {MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, MIGRATE_RESERVE},
    [MIGRATE_MOVABLE] = {MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE, MIGRATE_RESERVE},
};

/// A block of another kind: the largest one, which does the least harm. Not of the reserve.
static struct page *rmqueue_fallback(struct zone *zone, unsigned order, enum migratetype start) {
  for (unsigned from = MAX_ORDER; from-- > order;) {
    for (unsigned i = 0; i < ARRAY_SIZE(fallbacks[0]); i++) {
      enum migratetype type = fallbacks[start][i];
      const struct list_head *list = &zone->free_area[from].free_list[type];
      if (type == MIGRATE_RESERVE || list_empty(list)) continue;

      struct page *page = list_entry(list->next, struct page, lru);
      // A large block, or for what shrinkers may empty: the rest of its pageblock changes its kind with it.
      if (from >= pageblock_order / 2 || start == MIGRATE_RECLAIMABLE) {
        unsigned long moved = move_freepages_block(zone, page, start);
        if (moved >= pageblock_nr_pages / 2) set_pageblock_migratetype(page, start);
        if (moved) type = start;
      }
      remove_block(zone, page);
      zone->free_pages -= 1UL << order;
      if (from == pageblock_order) set_pageblock_migratetype(page, start);
      expand(zone, page, order, from, type);
      return page;
    }
  }
  return NULL;
}

struct page *__rmqueue(struct zone *zone, unsigned order, enum migratetype type) {
  struct page *page = rmqueue_smallest(zone, order, type);

  if (!page) page = rmqueue_fallback(zone, order, type);
  if (!page) page = rmqueue_smallest(zone, order, MIGRATE_RESERVE);
  return page;
}
