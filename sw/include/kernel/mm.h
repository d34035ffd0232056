/// Page frames and the buddy allocator.
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <arch/page.h>
#include <kernel/list.h>

struct kmem_cache;
struct slab;

/// One per page frame, in mem_map.
struct page {
  unsigned long flags;
  int _count;               ///< references; only the first page of a block counts
  unsigned order;           ///< of the block, free or allocated, that starts here
  struct list_head lru;     ///< in free_area[order].free_list if PG_BUDDY
  struct kmem_cache *cache; ///< if PG_SLAB
  struct slab *slab;        ///< if PG_SLAB
};

enum {
  PG_RESERVED = 1 << 0, ///< not the allocator's: the kernel's image, or no RAM
  PG_BUDDY = 1 << 1,    ///< the first page of a free block
  PG_SLAB = 1 << 2,     ///< belongs to a slab
  PG_POISONED = 1 << 3, ///< free, and filled with the poison
};

enum { MAX_ORDER = 11 };

typedef unsigned gfp_t;
enum { GFP_KERNEL = 0, __GFP_ZERO = 1 };

extern struct page *mem_map;
extern unsigned long max_low_pfn; ///< entries of mem_map

static inline unsigned long page_to_pfn(const struct page *page) {
  return (unsigned long)(page - mem_map);
}
static inline struct page *pfn_to_page(unsigned long pfn) {
  return mem_map + pfn;
}
static inline void *page_address(const struct page *page) {
  return __va(page_to_pfn(page) << PAGE_SHIFT);
}
static inline struct page *virt_to_page(const void *address) {
  return pfn_to_page(__pa(address) >> PAGE_SHIFT);
}

/// Makes an allocator of the pages [start_pfn, end_pfn). mem_map itself is put at its beginning. Pages below are
/// reserved.
void mem_init(unsigned long start_pfn, unsigned long end_pfn);

/// 2^order pages, aligned to their size; NULL if there are none. Their content is junk, or zero with __GFP_ZERO.
struct page *alloc_pages(gfp_t flags, unsigned order);

/// Drops a reference; with the last one the block is free. `order` must be the one it was allocated with. A page that
/// is not an allocated block of that order is reported and left alone.
void __free_pages(struct page *page, unsigned order);

/// The same by kernel address; 0 if there is no memory.
unsigned long __get_free_pages(gfp_t flags, unsigned order);
unsigned long get_zeroed_page(gfp_t flags);
void free_pages(unsigned long address, unsigned order);

static inline void get_page(struct page *page) {
  page->_count++;
}
static inline void put_page(struct page *page) {
  __free_pages(page, 0);
}
static inline int page_count(const struct page *page) {
  return page->_count;
}

unsigned long nr_free_pages(void);
unsigned long nr_free_blocks(unsigned order);

/// Errors found: bad frees and pages written after they were freed. Each is also printed.
unsigned long nr_bad_pages(void);

/// Walks all free lists. Returns false if they contradict mem_map or each other.
bool check_free_area(void);

void show_buddyinfo(void);

#endif
