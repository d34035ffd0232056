/// struct page: what the kernel knows of a page frame. As in Linux 2.6 ("linux/mm_types.h").
#ifndef KERNEL_MM_TYPES_H
#define KERNEL_MM_TYPES_H

#include <kernel/list.h>

struct address_space;

/// One per page frame, in mem_map.
struct page {
  unsigned long flags; ///< PG_*, above them the order and zone
  int _count;          ///< references; 0: free
  int _mapcount;       ///< page-table entries that map it, less one
  union {
    struct {
      unsigned long private;         ///< PG_buddy: order of the free block; PG_swapcache: the swap entry
      struct address_space *mapping; ///< file or swap cache it belongs to; bit 0 set: the anon_vma of anonymous memory
    };
    struct page *first_page; ///< of a compound page's other pages (PG_tail)
  };
  unsigned long index;  ///< page offset in `mapping`
  struct list_head lru; ///< free list, page-out list; PG_slab: cache and slab
  void *virtual;        ///< kernel address of a highmem page while kmap has it, else NULL
};

/// Bits of struct page.flags.
enum {
  PG_locked,     ///< in the hands of one task, or being read from the swap area
  PG_error,      ///< its read failed
  PG_referenced, ///< second chance: seen accessed once
  PG_uptodate,   ///< content is valid
  PG_dirty,      ///< content is newer than on the swap area
  PG_lru,        ///< on a page-out list
  PG_active,     ///< on the active one
  PG_slab,       ///< belongs to a slab
  PG_reserved,   ///< not the allocator's: the kernel's image, or no RAM
  PG_compound,   ///< part of a compound page
  PG_tail,       ///< part of a compound page, not the first
  PG_swapcache,  ///< its content is at a place of the swap area
  PG_buddy,      ///< first page of a free block
  PG_writeback,  ///< being written to the swap area
  PG_poisoned,   ///< free, and filled with the poison
  PG_head,       ///< first page of an allocated block
  NR_PAGEFLAGS,

  PAGE_ORDER_SHIFT = 20, ///< PG_head: order of the allocated block, 4 bits
  PAGE_ZONE_SHIFT = 28,  ///< zone number, 2 bits
};

static inline bool test_page_flag(const struct page *page, unsigned bit) {
  return page->flags >> bit & 1;
}
static inline void set_page_flag(struct page *page, unsigned bit) {
  page->flags |= 1UL << bit;
}
static inline void clear_page_flag(struct page *page, unsigned bit) {
  page->flags &= ~(1UL << bit);
}

static inline bool PageLocked(const struct page *page) {
  return test_page_flag(page, PG_locked);
}
static inline bool PageDirty(const struct page *page) {
  return test_page_flag(page, PG_dirty);
}
static inline bool PageSlab(const struct page *page) {
  return test_page_flag(page, PG_slab);
}
static inline bool PageReserved(const struct page *page) {
  return test_page_flag(page, PG_reserved);
}
static inline bool PageBuddy(const struct page *page) {
  return test_page_flag(page, PG_buddy);
}
static inline bool PageCompound(const struct page *page) {
  return test_page_flag(page, PG_compound);
}
static inline bool PageTail(const struct page *page) {
  return test_page_flag(page, PG_tail);
}
static inline bool PageSwapCache(const struct page *page) {
  return test_page_flag(page, PG_swapcache);
}
static inline bool PageWriteback(const struct page *page) {
  return test_page_flag(page, PG_writeback);
}
static inline bool PageUptodate(const struct page *page) {
  return test_page_flag(page, PG_uptodate);
}
static inline bool PageLRU(const struct page *page) {
  return test_page_flag(page, PG_lru);
}
static inline bool PageActive(const struct page *page) {
  return test_page_flag(page, PG_active);
}
static inline bool PageReferenced(const struct page *page) {
  return test_page_flag(page, PG_referenced);
}

#endif
