/// The page allocator: which zone, who may take how much, what to do when there is none. The blocks are buddy.c's.
#include "page_priv.h"
#include <arch/irqflags.h>
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/swap.h>
#include <kernel/vmstat.h>

/// Blocks of more pages are not worth endless attempts.
enum { PAGE_ALLOC_COSTLY_ORDER = 3 };

/// Takes `count` pages off a processor's list, the cold end first, and gives them back to the buddy system.
static void free_pages_bulk(struct zone *zone, struct per_cpu_pages *pcp, int count) {
  for (unsigned type = 0; count > 0 && pcp->count > 0; type = (type + 1) % MIGRATE_PCPTYPES) {
    if (list_empty(&pcp->lists[type])) continue;
    struct page *page = list_entry(pcp->lists[type].prev, struct page, lru);
    list_del(&page->lru);
    pcp->count--;
    count--;
    __free_one_page(page, zone, 0);
  }
  zone->all_unreclaimable = false;
  zone->pages_scanned = 0;
}

void drain_all_pages(void) {
  unsigned long flags = local_irq_save();

  for (struct zone *zone = contig_page_data.node_zones; zone < contig_page_data.node_zones + MAX_NR_ZONES; zone++)
    for_each_possible_cpu(cpu) free_pages_bulk(zone, &zone->pageset[cpu], zone->pageset[cpu].count);
  local_irq_restore(flags);
}

/// Gives a block back to the system: its marks go, poison comes.
static void free_pages_prepare(struct page *page, unsigned order) {
  for (unsigned long i = 0; i < 1UL << order; i++) {
    struct page *at = page + i;
    at->flags &= ~(1UL << PG_compound | 1UL << PG_tail | 1UL << PG_head | 1UL << PG_dirty | 1UL << PG_referenced |
                   1UL << PG_active | 1UL << PG_uptodate | 1UL << PG_error | 15UL << PAGE_ORDER_SHIFT);
    at->mapping = NULL;
    at->private = 0;
    poison_page(at);
  }
  count_vm_events(PGFREE, 1UL << order);
}

void free_hot_cold_page(struct page *page, bool cold) {
  struct zone *zone = page_zone(page);
  enum migratetype type = get_pageblock_migratetype(page);
  unsigned long flags = local_irq_save();
  struct per_cpu_pages *pcp = &zone->pageset[smp_processor_id()];

  if (type >= MIGRATE_PCPTYPES) { // the reserve is not kept on lists of processors
    __free_one_page(page, zone, 0);
  } else {
    if (cold)
      list_add_tail(&page->lru, &pcp->lists[type]);
    else
      list_add(&page->lru, &pcp->lists[type]);
    if (++pcp->count >= pcp->high) free_pages_bulk(zone, pcp, pcp->batch);
  }
  local_irq_restore(flags);
}

static void free_block(struct page *page, unsigned order) {
  struct zone *zone = page_zone(page);

  free_pages_prepare(page, order);
  if (order == 0) {
    free_hot_cold_page(page, false);
    return;
  }
  unsigned long flags = local_irq_save();
  __free_one_page(page, zone, order);
  zone->all_unreclaimable = false;
  zone->pages_scanned = 0;
  local_irq_restore(flags);
}

void __free_pages(struct page *page, unsigned order) {
  const char *why = bad_free(page, order);

  if (why) {
    bad_page(page, why);
  } else if (--page->_count == 0) {
    enum origin before = origin_enter(ORIGIN_BUDDY);
    free_block(page, order);
    origin_leave(before);
  }
}

void put_page(struct page *page) {
  page = compound_head(page);
  if (page->_count == 1) lru_cache_del(page);
  __free_pages(page, PageCompound(page) ? page_order_allocated(page) : 0);
}

void free_pages(unsigned long address, unsigned order) {
  if (!address) return;
  if (address % PAGE_SIZE || !virt_addr_valid((void *)address))
    bad_address(address);
  else
    __free_pages(virt_to_page((void *)address), order);
}

bool zone_watermark_ok(const struct zone *zone, unsigned order, unsigned long mark, enum zone_type classzone,
                       unsigned alloc_flags) {
  long min = (long)mark, free = (long)zone->free_pages - (1L << order) + 1;

  if (alloc_flags & ALLOC_HIGH) min -= min / 2;
  if (alloc_flags & ALLOC_HARDER) min -= min / 4;
  if (free <= min + (long)zone->lowmem_reserve[classzone]) return false;
  // Of the blocks that are large enough there must be the more the smaller they are.
  for (unsigned i = 0; i < order; i++) {
    free -= (long)(zone->free_area[i].nr_free << i);
    min >>= 1;
    if (free <= min) return false;
  }
  return true;
}

/// Fills a processor's list with a batch of pages of the kind.
static void rmqueue_bulk(struct zone *zone, struct per_cpu_pages *pcp, enum migratetype type) {
  for (int i = 0; i < pcp->batch; i++) {
    struct page *page = __rmqueue(zone, 0, type);
    if (!page) return;
    list_add_tail(&page->lru, &pcp->lists[type]);
    pcp->count++;
  }
}

/// A block of the zone: one page from this processor's list, more from the buddy system.
static struct page *buffered_rmqueue(struct zone *zone, unsigned order, gfp_t gfp) {
  enum migratetype type = gfp_migratetype(gfp);
  unsigned long flags = local_irq_save();
  struct page *page = NULL;

  if (order) {
    page = __rmqueue(zone, order, type);
  } else {
    struct per_cpu_pages *pcp = &zone->pageset[smp_processor_id()];
    struct list_head *list = &pcp->lists[type];
    if (list_empty(list)) rmqueue_bulk(zone, pcp, type);
    if (!list_empty(list)) {
      page = list_entry(gfp & __GFP_COLD ? list->prev : list->next, struct page, lru);
      list_del(&page->lru);
      pcp->count--;
    }
  }
  local_irq_restore(flags);
  return page;
}

static void prep_compound_page(struct page *page, unsigned order) {
  for (unsigned long i = 0; i < 1UL << order; i++) {
    set_page_flag(page + i, PG_compound);
    if (!i) continue;
    set_page_flag(page + i, PG_tail);
    page[i].first_page = page;
  }
}

static struct page *prep_new_page(struct page *page, unsigned order, gfp_t gfp) {
  page->_count = 1;
  page->flags |= 1UL << PG_head | (unsigned long)order << PAGE_ORDER_SHIFT;
  for (unsigned long i = 0; i < 1UL << order; i++) {
    unpoison_page(page + i);
    if (gfp & __GFP_ZERO) clear_highpage(page + i);
  }
  if (order && (gfp & __GFP_COMP)) prep_compound_page(page, order);
  count_vm_events(PGALLOC, 1UL << order);
  return page;
}

static struct page *get_page_from_freelist(gfp_t gfp, unsigned order, const struct zonelist *zonelist,
                                           unsigned long (*mark)(const struct zone *), unsigned alloc_flags) {
  enum zone_type classzone = zone_idx(zonelist->zones[0]);

  for (struct zone *const *at = zonelist->zones; *at; at++) {
    struct zone *zone = *at;
    if (!(alloc_flags & ALLOC_NO_WATERMARKS) && !zone_watermark_ok(zone, order, mark(zone), classzone, alloc_flags))
      continue;
    struct page *page = buffered_rmqueue(zone, order, gfp);
    if (page) return prep_new_page(page, order, gfp);
  }
  return NULL;
}

static unsigned long mark_low(const struct zone *zone) {
  return zone->pages_low;
}
static unsigned long mark_min(const struct zone *zone) {
  return zone->pages_min;
}

/// Whether the task frees memory itself, or by its end: it may have the last page, but must not wait for reclaim, which
/// would wait for it.
static bool frees_memory(void) {
  return current->flags & (PF_MEMALLOC | PF_MEMDIE) && !in_interrupt();
}

/// Whether another attempt is due after reclaim that freed something.
static bool should_retry(gfp_t gfp, unsigned order) {
  if (gfp & __GFP_NORETRY) return false;
  return order <= PAGE_ALLOC_COSTLY_ORDER || gfp & (__GFP_REPEAT | __GFP_NOFAIL);
}

static unsigned long reclaim(const struct zonelist *zonelist, unsigned order, gfp_t gfp) {
  current->flags |= PF_MEMALLOC; // what frees memory may need some
  unsigned long freed = try_to_free_pages(zonelist, order, gfp);
  current->flags &= ~(unsigned)PF_MEMALLOC;
  count_vm_event(ALLOCSTALL);
  drain_all_pages(); // what other processors keep, and the single pages that a larger block lacks
  return freed;
}

/// A page out of the reserve, as far as the request may have it.
static struct page *get_page_from_reserve(gfp_t gfp, unsigned order, const struct zonelist *zonelist) {
  unsigned alloc_flags = (gfp & __GFP_HIGH ? ALLOC_HIGH : 0) | (gfp & __GFP_WAIT ? 0 : ALLOC_HARDER);

  if (frees_memory() && !(gfp & __GFP_NOMEMALLOC)) alloc_flags = ALLOC_NO_WATERMARKS;
  return get_page_from_freelist(gfp, order, zonelist, mark_min, alloc_flags);
}

/// Beyond the fast path: kswapd, the reserve, direct reclaim, the end of some task.
static struct page *alloc_pages_slowpath(gfp_t gfp, unsigned order, const struct zonelist *zonelist) {
  unsigned hopeless = 0;

  for (struct zone *const *at = zonelist->zones; *at; at++)
    wakeup_kswapd(*at, order);
  for (;;) {
    struct page *page = get_page_from_reserve(gfp, order, zonelist);
    if (page || !(gfp & __GFP_WAIT)) return page;

    if (!frees_memory()) {
      cond_resched();
      unsigned long freed = reclaim(zonelist, order, gfp);
      page = get_page_from_reserve(gfp, order, zonelist);
      if (page || (freed && !should_retry(gfp, order))) return page;
      if (freed) continue;
      bool may_kill = gfp & __GFP_FS && !(gfp & __GFP_NORETRY) && order <= PAGE_ALLOC_COSTLY_ORDER;
      if (may_kill && out_of_memory(gfp, order)) continue;
    }
    if (!(gfp & __GFP_NOFAIL)) return NULL;
    if (++hopeless > 100) panic("out of memory: nothing left to reclaim for __GFP_NOFAIL");
    yield();
  }
}

static void warn_failure(gfp_t gfp, unsigned order) {
  printk("%s: page allocation failure. order:%u, mode:0x%x\n", current->comm, order, gfp);
}

struct page *alloc_pages(gfp_t gfp, unsigned order) {
  const struct zonelist *zonelist = &contig_page_data.node_zonelists[gfp_zone(gfp)];

  might_sleep_if(gfp & __GFP_WAIT);
  if (order >= MAX_ORDER || !zonelist->zones[0]) return NULL;
  enum origin before = origin_enter(ORIGIN_BUDDY);
  struct page *page = get_page_from_freelist(gfp, order, zonelist, mark_low, 0);
  if (!page) page = alloc_pages_slowpath(gfp, order, zonelist);
  origin_leave(before);
  if (!page && !(gfp & __GFP_NOWARN)) warn_failure(gfp, order);
  return page;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned order) {
  BUG_ON(gfp & __GFP_HIGHMEM);
  struct page *page = alloc_pages(gfp, order);
  return page ? (unsigned long)page_address(page) : 0;
}

unsigned long get_zeroed_page(gfp_t gfp) {
  return __get_free_pages(gfp | __GFP_ZERO, 0);
}
