/// Page-out. User pages are on two lists in the order of their last use: active and inactive. Reclaim takes from the
/// end of the inactive one, and fills it from the end of the active one. A page that has been used meanwhile, as the
/// accessed bit of its page-table entries tells, gets a second chance.
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/rmap.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/swap.h>
#include <kernel/vmstat.h>

enum { SWAP_CLUSTER_MAX = 32, DEF_PRIORITY = 12 };

struct scan_control {
  gfp_t gfp;
  unsigned long nr_scanned, nr_reclaimed;
};

static void add_page_to_list(struct page *page, bool active) {
  struct zone *zone = page_zone(page);

  set_page_flag(page, PG_lru);
  if (active) {
    set_page_flag(page, PG_active);
    list_add(&page->lru, &zone->active_list);
    zone->nr_active++;
  } else {
    clear_page_flag(page, PG_active);
    list_add(&page->lru, &zone->inactive_list);
    zone->nr_inactive++;
  }
}

void lru_cache_add(struct page *page) {
  add_page_to_list(page, false);
}
void lru_cache_add_active(struct page *page) {
  add_page_to_list(page, true);
}

void lru_cache_del(struct page *page) {
  struct zone *zone = page_zone(page);

  if (!PageLRU(page)) return;
  list_del(&page->lru);
  if (PageActive(page))
    zone->nr_active--;
  else
    zone->nr_inactive--;
  clear_page_flag(page, PG_lru);
}

void activate_page(struct page *page) {
  if (!PageLRU(page) || PageActive(page)) return;
  lru_cache_del(page);
  add_page_to_list(page, true);
  count_vm_event(PGACTIVATE);
}

/// Referenced once: a mark; twice: active.
void mark_page_accessed(struct page *page) {
  if (!PageActive(page) && PageReferenced(page) && PageLRU(page)) {
    activate_page(page);
    clear_page_flag(page, PG_referenced);
  } else {
    set_page_flag(page, PG_referenced);
  }
}

/// Whether the page is still somebody's but for its cache and us.
static bool freeable(struct page *page) {
  return !page_mapped(page) && page_count(page) == 2;
}

/// What is to become of an isolated page of the inactive list.
enum page_fate { PAGE_ACTIVATE, PAGE_KEEP, PAGE_FREED };

/// Tries to free a locked, isolated page. It is still locked and has our reference then, unless it is freed.
static enum page_fate shrink_page(struct page *page, const struct scan_control *sc) {
  if (PageWriteback(page) || page_count(page) == 1) return PAGE_KEEP; // nobody's any more: goes with our reference
  if (page_referenced(page)) return PAGE_ACTIVATE;
  if (PageAnon(page) && !PageSwapCache(page)) {
    if (!(sc->gfp & __GFP_IO)) return PAGE_KEEP;
    if (!add_to_swap(page)) return PAGE_ACTIVATE;
  }
  if (page_mapped(page) && !try_to_unmap(page)) return PAGE_ACTIVATE;
  if (PageSwapCache(page) && PageDirty(page)) {
    if (!(sc->gfp & __GFP_IO)) return PAGE_KEEP;
    clear_page_flag(page, PG_dirty);
    swap_writepage(page); // freed when it is written, and comes by again
    return PAGE_KEEP;
  }
  if (!freeable(page)) return PAGE_KEEP;
  if (PageSwapCache(page))
    delete_from_swap_cache(page);
  else if (page->mapping && !PageAnon(page))
    remove_from_page_cache(page);
  else
    return PAGE_KEEP;
  return PAGE_FREED;
}

/// Takes up to `n` pages off the end of a list, with a reference to each. Returns how many.
static unsigned long isolate_pages(struct zone *zone, struct list_head *from, unsigned long n, struct list_head *to) {
  unsigned long taken = 0;

  while (taken < n && !list_empty(from)) {
    struct page *page = list_entry(from->prev, struct page, lru);
    bool active = PageActive(page);
    lru_cache_del(page);
    if (active) set_page_flag(page, PG_active);
    get_page(page);
    list_add(&page->lru, to);
    taken++;
  }
  zone->pages_scanned += taken;
  return taken;
}

static void shrink_inactive_list(struct zone *zone, unsigned long n, struct scan_control *sc) {
  struct list_head pages;

  INIT_LIST_HEAD(&pages);
  unsigned long taken = isolate_pages(zone, &zone->inactive_list, n, &pages);
  sc->nr_scanned += taken;
  count_vm_events(PGSCAN, taken);
  while (!list_empty(&pages)) {
    struct page *page = list_entry(pages.prev, struct page, lru);
    enum page_fate fate = PAGE_KEEP;
    list_del(&page->lru);
    if (trylock_page(page)) {
      fate = shrink_page(page, sc);
      unlock_page(page);
    }
    if (fate == PAGE_FREED) {
      sc->nr_reclaimed++;
      count_vm_event(PGSTEAL);
    } else if (page_count(page) > 1) { // else ours is the last reference: its process ended
      add_page_to_list(page, fate == PAGE_ACTIVATE);
      if (fate == PAGE_ACTIVATE) count_vm_event(PGACTIVATE);
    }
    put_page(page);
  }
}

static void shrink_active_list(struct zone *zone, unsigned long n) {
  struct list_head pages;

  INIT_LIST_HEAD(&pages);
  isolate_pages(zone, &zone->active_list, n, &pages);
  while (!list_empty(&pages)) {
    struct page *page = list_entry(pages.prev, struct page, lru);
    list_del(&page->lru);
    bool referenced = page_mapped(page) && page_referenced(page);
    add_page_to_list(page, referenced);
    count_vm_event(referenced ? PGROTATED : PGDEACTIVATE);
    put_page(page);
  }
}

static void shrink_zone(struct zone *zone, int priority, struct scan_control *sc) {
  unsigned long active = (zone->nr_active >> priority) + 1, inactive = (zone->nr_inactive >> priority) + 1;

  while (active || inactive) {
    unsigned long n = min_ul(active, SWAP_CLUSTER_MAX);
    if (n) shrink_active_list(zone, n);
    active -= n;
    n = min_ul(inactive, SWAP_CLUSTER_MAX);
    if (n) shrink_inactive_list(zone, n, sc);
    inactive -= n;
    if (sc->nr_reclaimed >= SWAP_CLUSTER_MAX && priority < DEF_PRIORITY) return;
  }
}

static struct list_head shrinker_list = {&shrinker_list, &shrinker_list};

void register_shrinker(struct shrinker *shrinker) {
  list_add_tail(&shrinker->list, &shrinker_list);
}
void unregister_shrinker(struct shrinker *shrinker) {
  list_del(&shrinker->list);
}

/// Asks the caches for as large a part of their objects as of the user pages was scanned. Returns how many pages the
/// slab caches gave back then.
static unsigned long shrink_slab(const struct scan_control *sc, int priority) {
  list_for_each_safe(at, after, &shrinker_list) {
    struct shrinker *shrinker = list_entry(at, struct shrinker, list);
    int objects = shrinker->shrink(0, sc->gfp);
    if (objects > 0) shrinker->shrink((objects >> priority) / shrinker->seeks + 1, sc->gfp);
  }
  return priority < DEF_PRIORITY / 2 ? kmem_cache_reap() : 0;
}

unsigned long try_to_free_pages(const struct zonelist *zonelist, unsigned order, gfp_t gfp) {
  enum origin before = origin_enter(ORIGIN_RECLAIM);
  struct scan_control sc = {.gfp = gfp};

  (void)order;
  for (int priority = DEF_PRIORITY; priority >= 0 && sc.nr_reclaimed < SWAP_CLUSTER_MAX; priority--) {
    for (struct zone *const *at = zonelist->zones; *at; at++)
      shrink_zone(*at, priority, &sc);
    sc.nr_reclaimed += shrink_slab(&sc, priority);
    if (ramdisk_busy() && sc.nr_reclaimed < SWAP_CLUSTER_MAX) schedule_timeout(1); // until some writes are done
  }
  origin_leave(before);
  return sc.nr_reclaimed;
}

static DECLARE_WAIT_QUEUE_HEAD(kswapd_wait);
static bool kswapd_wanted;

void wakeup_kswapd(struct zone *zone, unsigned order) {
  if (!populated_zone(zone) || kswapd_wanted || zone_watermark_ok(zone, order, zone->pages_low, ZONE_DMA, 0)) return;
  if (list_empty(&kswapd_wait.task_list)) return;
  kswapd_wanted = true;
  count_vm_event(KSWAPD_WAKE);
  wake_up(&kswapd_wait);
}

/// Whether the zone has enough free pages again, or has no hope.
static bool zone_balanced(const struct zone *zone) {
  return !populated_zone(zone) || zone->all_unreclaimable || zone_watermark_ok(zone, 0, zone->pages_high, ZONE_DMA, 0);
}

static bool all_balanced(void) {
  for (int i = 0; i < MAX_NR_ZONES; i++)
    if (!zone_balanced(&contig_page_data.node_zones[i])) return false;
  return true;
}

static void balance_pgdat(void) {
  struct scan_control sc = {.gfp = GFP_KERNEL};

  for (int priority = DEF_PRIORITY; priority >= 0 && !all_balanced(); priority--) {
    for (int i = MAX_NR_ZONES - 1; i >= 0; i--) {
      struct zone *zone = &contig_page_data.node_zones[i];
      if (zone_balanced(zone)) continue;
      unsigned long before = sc.nr_reclaimed;
      shrink_zone(zone, priority, &sc);
      if (sc.nr_reclaimed == before && zone->pages_scanned >= 6 * (zone->nr_active + zone->nr_inactive) && !priority)
        zone->all_unreclaimable = true;
    }
    shrink_slab(&sc, priority);
    if (ramdisk_busy() && !all_balanced()) schedule_timeout(1);
  }
}

static int kswapd(void *unused) {
  (void)unused;
  current->flags |= PF_MEMALLOC | PF_KSWAPD;
  origin_enter(ORIGIN_RECLAIM);
  for (;;) {
    kswapd_wanted = false;
    sleep_on(&kswapd_wait);
    balance_pgdat();
  }
  return 0;
}

void kswapd_init(void) {
  if (kernel_thread("kswapd", kswapd, NULL) < 0) panic("no memory for kswapd");
  yield(); // until it waits
}
