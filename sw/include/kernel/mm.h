/// Page frames. As in Linux 2.6 ("linux/mm.h").
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <arch/page.h>
#include <kernel/gfp.h>
#include <kernel/mm_types.h>
#include <kernel/mmzone.h>

extern struct page *mem_map;
extern unsigned long max_mapnr;   ///< entries of mem_map
extern unsigned long max_low_pfn; ///< the first frame without a kernel address

static inline unsigned long page_to_pfn(const struct page *page) {
  return (unsigned long)(page - mem_map);
}
static inline struct page *pfn_to_page(unsigned long pfn) {
  return mem_map + pfn;
}
static inline bool pfn_valid(unsigned long pfn) {
  return pfn < max_mapnr;
}
static inline struct page *virt_to_page(const void *address) {
  return pfn_to_page(__pa(address) >> PAGE_SHIFT);
}
/// Whether `address` is one of the direct mapping.
static inline bool virt_addr_valid(const void *address) {
  return (unsigned long)address >= (unsigned long)__va(0) && __pa(address) >> PAGE_SHIFT < max_low_pfn;
}
static inline struct zone *page_zone(const struct page *page) {
  return &contig_page_data.node_zones[page->flags >> PAGE_ZONE_SHIFT & 3];
}
static inline bool PageHighMem(const struct page *page) {
  return is_highmem(page_zone(page));
}
/// Kernel address of a page that always has one.
static inline void *lowmem_page_address(const struct page *page) {
  return __va(page_to_pfn(page) << PAGE_SHIFT);
}
/// Kernel address; NULL: a highmem page that nobody has mapped with kmap.
static inline void *page_address(const struct page *page) {
  return PageHighMem(page) ? page->virtual : lowmem_page_address(page);
}

static inline struct page *compound_head(struct page *page) {
  return PageTail(page) ? page->first_page : page;
}
/// Order of the allocated block that starts at `page`.
static inline unsigned page_order_allocated(const struct page *page) {
  return page->flags >> PAGE_ORDER_SHIFT & 15;
}
static inline int page_count(struct page *page) {
  return compound_head(page)->_count;
}
static inline void get_page(struct page *page) {
  compound_head(page)->_count++;
}
/// Drops a reference of a single page or of a compound page; with the last one it is free.
void put_page(struct page *page);

static inline int page_mapcount(const struct page *page) {
  return page->_mapcount + 1;
}
static inline bool page_mapped(const struct page *page) {
  return page->_mapcount >= 0;
}

/// Makes zones of the page frames [start_pfn, ...): zone i ends before zone_end[i], ascending; one equal to the one
/// before has no pages. Frames below start_pfn are reserved, and mem_map itself is put there. After
/// setup_per_cpu_areas.
void mem_init(unsigned long start_pfn, const unsigned long zone_end[MAX_NR_ZONES]);

/// Free pages: in the buddy systems and on per-CPU lists.
unsigned long nr_free_pages(void);
unsigned long zone_free_pages(const struct zone *zone);

/// Errors found: bad frees and pages written after they were freed. Each is also printed.
unsigned long nr_bad_pages(void);

/// Walks all free lists. Returns false if they contradict mem_map or each other.
bool check_free_area(void);

/// As /proc/buddyinfo, /proc/pagetypeinfo and /proc/zoneinfo.
void show_buddyinfo(void);
void show_pagetypeinfo(void);
void show_zoneinfo(void);

/// Share of the free memory that lies in blocks too small for `order`, in per mille.
unsigned fragmentation_index(const struct zone *zone, unsigned order);

/// Reclaim (vmscan.c), called when an allocation does not succeed. try_to_free_pages returns how many pages it freed.
unsigned long try_to_free_pages(const struct zonelist *zonelist, unsigned order, gfp_t gfp);
void wakeup_kswapd(struct zone *zone, unsigned order);
/// Ends the task with the most memory. Returns false if there is none to end.
bool out_of_memory(gfp_t gfp, unsigned order);

#endif
