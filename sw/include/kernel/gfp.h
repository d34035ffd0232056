/// How an allocation may go about it. Names and meaning as in Linux 2.6 ("linux/gfp.h").
#ifndef KERNEL_GFP_H
#define KERNEL_GFP_H

#include <kernel/types.h>

typedef unsigned gfp_t;

enum {
  // Where the pages may come from: the highest zone; lower ones are the fallback.
  __GFP_DMA = 0x01,     ///< below the end of ZONE_DMA
  __GFP_HIGHMEM = 0x02, ///< need not have a kernel address
  __GFP_DMA32 = 0x04,   ///< below 4 GiB: no zone of its own here, ZONE_NORMAL

  // What the caller can bear.
  __GFP_WAIT = 0x10,    ///< may sleep and reclaim
  __GFP_HIGH = 0x20,    ///< may use half of the emergency reserve
  __GFP_IO = 0x40,      ///< reclaim may write to the swap area
  __GFP_FS = 0x80,      ///< reclaim may call into file caches (shrinkers)
  __GFP_COLD = 0x100,   ///< a page whose content is not in the processor's cache will do
  __GFP_NOWARN = 0x200, ///< no message upon failure
  __GFP_REPEAT = 0x400, ///< try hard; may fail
  __GFP_NOFAIL =
      0x800, ///< with __GFP_WAIT: never fails. It tries as long as others may free something, then the kernel panics
  __GFP_NORETRY = 0x1000,      ///< one attempt at reclaim
  __GFP_NO_GROW = 0x2000,      ///< a slab cache does not get new slabs
  __GFP_COMP = 0x4000,         ///< a compound page: its references are counted in its first page
  __GFP_ZERO = 0x8000,         ///< zeroed
  __GFP_NOMEMALLOC = 0x10000,  ///< never the reserve of PF_MEMALLOC
  __GFP_HARDWALL = 0x20000,    ///< for user space
  __GFP_RECLAIMABLE = 0x80000, ///< caches that a shrinker can empty
  __GFP_MOVABLE = 0x100000,    ///< pages that can be migrated or paged out

  GFP_ATOMIC = __GFP_HIGH,
  GFP_NOIO = __GFP_WAIT,
  GFP_NOFS = __GFP_WAIT | __GFP_IO,
  GFP_KERNEL = __GFP_WAIT | __GFP_IO | __GFP_FS,
  GFP_USER = GFP_KERNEL | __GFP_HARDWALL,
  GFP_HIGHUSER = GFP_USER | __GFP_HIGHMEM,
  GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | __GFP_MOVABLE,
  GFP_DMA = __GFP_DMA,
  GFP_DMA32 = __GFP_DMA32,
};

struct page;

/// 2^order pages, aligned to their size; NULL if there are none. Their content is junk, or zero with __GFP_ZERO.
/// Effects: may sleep and reclaim with __GFP_WAIT.
struct page *alloc_pages(gfp_t gfp, unsigned order);

static inline struct page *alloc_page(gfp_t gfp) {
  return alloc_pages(gfp, 0);
}

/// The same by kernel address; not with __GFP_HIGHMEM. 0 if there is no memory.
unsigned long __get_free_pages(gfp_t gfp, unsigned order);

static inline unsigned long __get_free_page(gfp_t gfp) {
  return __get_free_pages(gfp, 0);
}
static inline unsigned long __get_dma_pages(gfp_t gfp, unsigned order) {
  return __get_free_pages(gfp | __GFP_DMA, order);
}

/// One zeroed page by its kernel address, or 0.
unsigned long get_zeroed_page(gfp_t gfp);

/// Drops a reference; with the last one the block is free. `order` must be the one it was allocated with. A page that
/// is not an allocated block of that order is reported (nr_bad_pages) and left alone.
void __free_pages(struct page *page, unsigned order);

static inline void __free_page(struct page *page) {
  __free_pages(page, 0);
}

/// By kernel address; 0 is ignored, an address that no page has is reported.
void free_pages(unsigned long address, unsigned order);

static inline void free_page(unsigned long address) {
  free_pages(address, 0);
}

/// One page without reference, to the front of the processor's list, or to its end if it is `cold`.
void free_hot_cold_page(struct page *page, bool cold);

/// Gives the page lists of all processors back to the buddy system.
void drain_all_pages(void);

#endif
