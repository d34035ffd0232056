/// Zones: made from the RAM that there is, their watermarks, the order in which they are tried.
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/string.h>

struct page *mem_map;
unsigned long max_mapnr, max_low_pfn;
struct pglist_data contig_page_data;
unsigned long min_free_kbytes;
bool page_group_by_mobility_disabled;

enum { LARGE_MAP = 1024 }; ///< pages of mem_map that are many

static const char *const zone_names[MAX_NR_ZONES] = {"DMA", "Normal", "HighMem"};

/// The share of higher zones' pages, one in so many, that a zone keeps from requests that may use those: memory that
/// only few can use must not be filled by those who have a choice.
static const unsigned lowmem_reserve_ratio[MAX_NR_ZONES - 1] = {256, 32};

static unsigned long int_sqrt(unsigned long x) {
  unsigned long root = 0;
  for (unsigned long bit = 1UL << 15; bit; bit >>= 1)
    if ((root + bit) * (root + bit) <= x) root += bit;
  return root;
}

/// The number of pages that go to and from a processor's list at a time: about a four-thousandth of the zone, less one,
/// so that lists are not in step with powers of two.
static int zone_batchsize(const struct zone *zone) {
  unsigned long batch = min_ul(zone->present_pages / 1024, (512UL << 10) / PAGE_SIZE) / 4, power = 1;

  if (batch < 1) batch = 1;
  while (power * 2 <= batch + batch / 2)
    power *= 2;
  return power > 1 ? (int)power - 1 : 1;
}

static void build_zonelists(void) {
  for (int highest = 0; highest < MAX_NR_ZONES; highest++) {
    struct zonelist *list = &contig_page_data.node_zonelists[highest];
    unsigned n = 0;
    for (int i = highest; i >= 0; i--)
      if (populated_zone(&contig_page_data.node_zones[i])) list->zones[n++] = &contig_page_data.node_zones[i];
    list->zones[n] = NULL;
  }
}

void setup_per_zone_lowmem_reserve(void) {
  for (int i = 0; i < MAX_NR_ZONES - 1; i++) {
    struct zone *zone = &contig_page_data.node_zones[i];
    unsigned long above = 0;
    for (int j = i + 1; j < MAX_NR_ZONES; j++) {
      above += contig_page_data.node_zones[j].present_pages;
      zone->lowmem_reserve[j] = above / lowmem_reserve_ratio[i];
    }
  }
}

/// As many pageblocks at the zone's end as the reserve needs are for emergencies: nothing else is put there, so that
/// the reserve is in large blocks.
static void setup_zone_migrate_reserve(struct zone *zone) {
  unsigned long reserve = align_up(zone->pages_min, pageblock_nr_pages) >> pageblock_order;
  unsigned long pfn = (zone->zone_start_pfn + zone->spanned_pages) & ~(pageblock_nr_pages - 1UL);

  while (reserve && pfn >= zone->zone_start_pfn + 2 * pageblock_nr_pages) {
    pfn -= pageblock_nr_pages;
    struct page *page = pfn_to_page(pfn);
    if (!PageBuddy(page) || page->private != pageblock_order) continue;
    set_pageblock_migratetype(page, MIGRATE_RESERVE);
    list_move(&page->lru, &zone->free_area[pageblock_order].free_list[MIGRATE_RESERVE]);
    reserve--;
  }
}

void setup_per_zone_pages_min(void) {
  unsigned long pages_min = min_free_kbytes >> (PAGE_SHIFT - 10), lowmem = 0;

  for (int i = 0; i < ZONE_HIGHMEM; i++)
    lowmem += contig_page_data.node_zones[i].present_pages;
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    struct zone *zone = &contig_page_data.node_zones[i];
    unsigned long min = lowmem ? pages_min * (zone->present_pages / 16) / (lowmem / 16 + 1) : 0;
    if (is_highmem(zone)) // nobody needs highmem in an emergency
      min = min_ul(max_ul(zone->present_pages / 1024, 32), 128);
    zone->pages_min = min;
    zone->pages_low = min + min / 4;
    zone->pages_high = min + min / 2;
  }
}

static void init_zone(enum zone_type type, unsigned long start_pfn, unsigned long end_pfn) {
  struct zone *zone = &contig_page_data.node_zones[type];

  zone->name = zone_names[type];
  zone->zone_start_pfn = start_pfn;
  zone->spanned_pages = zone->present_pages = end_pfn - start_pfn;
  for (unsigned order = 0; order < MAX_ORDER; order++)
    for (unsigned kind = 0; kind < MIGRATE_TYPES; kind++)
      INIT_LIST_HEAD(&zone->free_area[order].free_list[kind]);
  INIT_LIST_HEAD(&zone->active_list);
  INIT_LIST_HEAD(&zone->inactive_list);
  for (unsigned cpu = 0; cpu < NR_CPUS; cpu++) {
    struct per_cpu_pages *pcp = &zone->pageset[cpu];
    pcp->batch = zone_batchsize(zone);
    pcp->high = 6 * pcp->batch;
    for (unsigned kind = 0; kind < MIGRATE_PCPTYPES; kind++)
      INIT_LIST_HEAD(&pcp->lists[kind]);
  }
}

/// How many pageblocks the zone touches.
static unsigned long nr_pageblocks(const struct zone *zone) {
  unsigned long first = zone->zone_start_pfn >> pageblock_order, end = zone->zone_start_pfn + zone->spanned_pages;
  return (align_up(end, pageblock_nr_pages) >> pageblock_order) - first;
}

/// Gives the frames of a zone that are not reserved to its buddy system, in the largest aligned blocks that fit.
static void free_zone(struct zone *zone) {
  unsigned long pfn = zone->zone_start_pfn, end_pfn = pfn + zone->spanned_pages;

  while (pfn < end_pfn) {
    if (test_page_flag(pfn_to_page(pfn), PG_reserved)) {
      pfn++;
      continue;
    }
    unsigned order = 0;
    while (order < MAX_ORDER - 1 && !(pfn & (1UL << order)) && pfn + (2UL << order) <= end_pfn &&
           !test_page_flag(pfn_to_page(pfn + (1UL << order)), PG_reserved))
      order++;
    __free_one_page(pfn_to_page(pfn), zone, order);
    pfn += 1UL << order;
  }
}

void mem_init(unsigned long start_pfn, const unsigned long zone_end[MAX_NR_ZONES]) {
  unsigned long pfn = 0, blocks = 0;

  memset(&contig_page_data, 0, sizeof(contig_page_data));
  max_mapnr = zone_end[ZONE_HIGHMEM];
  max_low_pfn = zone_end[ZONE_NORMAL];
  page_group_by_mobility_disabled = max_mapnr < pageblock_nr_pages * MIGRATE_TYPES * 2;
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    init_zone((enum zone_type)i, pfn, zone_end[i]);
    blocks += nr_pageblocks(&contig_page_data.node_zones[i]);
    pfn = zone_end[i];
  }

  // mem_map, then the pageblocks' kinds. A large one is not to fill ZONE_DMA.
  unsigned long map_pages = align_up(max_mapnr * sizeof(struct page) + blocks, PAGE_SIZE) >> PAGE_SHIFT;
  unsigned long map_pfn = map_pages > LARGE_MAP ? max_ul(start_pfn, zone_end[ZONE_DMA]) : start_pfn;
  mem_map = __va(map_pfn << PAGE_SHIFT);
  memset(mem_map, 0, max_mapnr * sizeof(struct page));
  u8 *types = (u8 *)(mem_map + max_mapnr);
  memset(types, page_group_by_mobility_disabled ? MIGRATE_UNMOVABLE : MIGRATE_MOVABLE, blocks);

  for (int i = 0; i < MAX_NR_ZONES; i++) {
    struct zone *zone = &contig_page_data.node_zones[i];
    zone->pageblock_types = types;
    types += nr_pageblocks(zone);
    for (pfn = zone->zone_start_pfn; pfn < zone_end[i]; pfn++) {
      struct page *page = pfn_to_page(pfn);
      bool reserved = pfn < start_pfn || (pfn >= map_pfn && pfn < map_pfn + map_pages);
      page->flags = (unsigned long)i << PAGE_ZONE_SHIFT | (reserved ? 1UL << PG_reserved : 0);
      page->_mapcount = -1;
    }
    free_zone(zone);
    zone->present_pages = zone->free_pages;
  }
  build_zonelists();
  setup_per_zone_lowmem_reserve();
  min_free_kbytes = min_ul(max_ul(4 * int_sqrt(max_low_pfn << (PAGE_SHIFT - 10)), 128), 65536);
  setup_per_zone_pages_min();
  if (!page_group_by_mobility_disabled)
    for (int i = 0; i < MAX_NR_ZONES; i++)
      setup_zone_migrate_reserve(&contig_page_data.node_zones[i]);
}

unsigned long zone_free_pages(const struct zone *zone) {
  unsigned long pages = zone->free_pages;
  for_each_possible_cpu(cpu) pages += (unsigned long)zone->pageset[cpu].count;
  return pages;
}

unsigned long nr_free_pages(void) {
  unsigned long pages = 0;
  for (int i = 0; i < MAX_NR_ZONES; i++)
    pages += zone_free_pages(&contig_page_data.node_zones[i]);
  return pages;
}
