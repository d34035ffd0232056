/// Zones: page frames of a kind, each with a buddy system of its own. As in Linux 2.6 ("linux/mmzone.h").
#ifndef KERNEL_MMZONE_H
#define KERNEL_MMZONE_H

#include <kernel/gfp.h>
#include <kernel/mm_types.h>
#include <kernel/percpu.h>

enum zone_type {
  ZONE_DMA,     ///< 0 to 16 MiB: what ISA devices reach
  ZONE_NORMAL,  ///< to 896 MiB: has kernel addresses
  ZONE_HIGHMEM, ///< above: mapped only on demand (highmem.h)
  MAX_NR_ZONES,
};

enum { MAX_ORDER = 11 };

/// What a block is used for. Blocks of a kind are kept together, in 4 MiB pageblocks, against fragmentation.
enum migratetype {
  MIGRATE_UNMOVABLE,
  MIGRATE_RECLAIMABLE,
  MIGRATE_MOVABLE,
  MIGRATE_PCPTYPES, ///< the kinds above have per-CPU lists
  MIGRATE_RESERVE = MIGRATE_PCPTYPES,
  MIGRATE_TYPES,
};

enum { pageblock_order = MAX_ORDER - 1, pageblock_nr_pages = 1 << pageblock_order };

/// The free blocks of an order.
struct free_area {
  struct list_head free_list[MIGRATE_TYPES];
  unsigned long nr_free; ///< blocks
};

/// Free pages that one processor keeps for itself: hot ones in front, cold ones behind.
struct per_cpu_pages {
  int count, high, batch; ///< pages there; above `high`, `batch` go back
  struct list_head lists[MIGRATE_PCPTYPES];
};

struct zone {
  const char *name;
  unsigned long free_pages; ///< in the buddy system
  /// Watermarks in pages: below `low` kswapd is woken and works until `high`; below `min` only the reserve is left.
  unsigned long pages_min, pages_low, pages_high;
  unsigned long lowmem_reserve[MAX_NR_ZONES]; ///< kept from requests that could use a higher zone

  struct per_cpu_pages pageset[NR_CPUS];
  struct free_area free_area[MAX_ORDER];
  u8 *pageblock_types; ///< enum migratetype of each pageblock

  struct list_head active_list, inactive_list; ///< user pages in the order of their last use (vmscan.c)
  unsigned long nr_active, nr_inactive;
  unsigned long pages_scanned; ///< since the last page was freed
  bool all_unreclaimable;

  unsigned long zone_start_pfn, spanned_pages, present_pages;
};

/// The zones to try, in order; ends with NULL.
struct zonelist {
  struct zone *zones[MAX_NR_ZONES + 1];
};

/// All memory: one node.
struct pglist_data {
  struct zone node_zones[MAX_NR_ZONES];
  struct zonelist node_zonelists[MAX_NR_ZONES]; ///< by the highest zone allowed
};
extern struct pglist_data contig_page_data;

static inline enum zone_type zone_idx(const struct zone *zone) {
  return (enum zone_type)(zone - contig_page_data.node_zones);
}
static inline bool populated_zone(const struct zone *zone) {
  return zone->present_pages != 0;
}
static inline bool is_highmem(const struct zone *zone) {
  return zone_idx(zone) == ZONE_HIGHMEM;
}

/// The highest zone that a request may use.
static inline enum zone_type gfp_zone(gfp_t gfp) {
  if (gfp & __GFP_DMA) return ZONE_DMA;
  return (gfp & (__GFP_HIGHMEM | __GFP_DMA32)) == __GFP_HIGHMEM ? ZONE_HIGHMEM : ZONE_NORMAL;
}

/// The kind of block that a request takes its pages from. Few pages all together: no kinds.
static inline enum migratetype gfp_migratetype(gfp_t gfp) {
  extern bool page_group_by_mobility_disabled;
  if (page_group_by_mobility_disabled) return MIGRATE_UNMOVABLE;
  return gfp & __GFP_MOVABLE ? MIGRATE_MOVABLE : gfp & __GFP_RECLAIMABLE ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
}

enum {
  ALLOC_NO_WATERMARKS = 1 << 0, ///< the whole reserve: only who frees memory by it
  ALLOC_HIGH = 1 << 1,          ///< __GFP_HIGH: half of the reserve
  ALLOC_HARDER = 1 << 2,        ///< a quarter less again: who cannot wait
};

/// Whether 2^order pages can be taken and `mark` pages are left, not counting blocks too small and what is reserved
/// for requests restricted to lower zones than `classzone`.
bool zone_watermark_ok(const struct zone *zone, unsigned order, unsigned long mark, enum zone_type classzone,
                       unsigned alloc_flags);

/// Kilobytes of the emergency reserve. Setting it works out the watermarks anew.
extern unsigned long min_free_kbytes;
void setup_per_zone_pages_min(void);

/// Works out lowmem_reserve of each zone.
void setup_per_zone_lowmem_reserve(void);

/// The buddy system of a zone (buddy.c). The caller has interrupts off.
struct page *__rmqueue(struct zone *zone, unsigned order, enum migratetype type);
void __free_one_page(struct page *page, struct zone *zone, unsigned order);
enum migratetype get_pageblock_migratetype(const struct page *page);
void set_pageblock_migratetype(struct page *page, enum migratetype type);

#endif
