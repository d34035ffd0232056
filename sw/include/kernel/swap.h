/// The swap area on a RAM disk, the swap cache and page-out. As in Linux 2.6 ("linux/swap.h").
#ifndef KERNEL_SWAP_H
#define KERNEL_SWAP_H

#include <arch/pgtable.h>
#include <kernel/fs.h>

/// The pages that are in memory and on the swap area; page->private is the entry.
extern struct address_space swapper_space;

/// Makes the swap area of `pages` frames from `first_pfn` on. 0 pages: no swap.
void swap_init(unsigned long first_pfn, unsigned long pages);
unsigned long nr_swap_pages(void);    ///< free places
unsigned long total_swap_pages(void); ///< all places
/// Whether more than half of the places are taken.
bool vm_swap_full(void);

/// A free place, with one user. val 0: none.
swp_entry_t get_swap_page(void);
/// One user more, and less. Returns false if there is no such entry.
bool swap_duplicate(swp_entry_t entry);
void swap_free(swp_entry_t entry);
unsigned swap_count(swp_entry_t entry);

/// Drops a user of an entry, and the cached page if it was the last.
void free_swap_and_cache(swp_entry_t entry);

/// Gives a locked anonymous page a place on the swap area. Returns false: no place, no memory.
bool add_to_swap(struct page *page);
void delete_from_swap_cache(struct page *page);
struct page *lookup_swap_cache(swp_entry_t entry);

/// The page of an entry, from the cache or read from the area. NULL: no memory.
struct page *read_swap_cache(swp_entry_t entry);

/// Takes a locked page out of the swap cache if nobody else needs it there. Returns whether.
bool remove_exclusive_swap_page(struct page *page);

/// Drops an entry's reference to a page, which may leave the swap cache with it.
void free_page_and_swap_cache(struct page *page);

/// Drops all cached pages that nobody maps. May sleep. Returns how many.
unsigned long drop_swap_cache(void);

/// Starts writing or reading a page; the end clears PG_writeback, or PG_locked.
void swap_writepage(struct page *page);
void swap_readpage(struct page *page);

void lock_page(struct page *page);
bool trylock_page(struct page *page);
void unlock_page(struct page *page);
void wait_on_page_locked(struct page *page);
void wait_on_page_writeback(struct page *page);
void end_page_writeback(struct page *page);

/// The RAM disk (ramdisk.c): copies a page to or from block `block`, and calls `done` from the timer's interrupt.
void ramdisk_init(unsigned long first_pfn, unsigned long blocks);
void ramdisk_submit(struct page *page, unsigned long block, bool write, void (*done)(struct page *page, bool write));
bool ramdisk_busy(void);
void ramdisk_interrupt(void);

/// Page-out lists (vmscan.c).
void lru_cache_add(struct page *page);
void lru_cache_add_active(struct page *page);
void lru_cache_del(struct page *page);
void activate_page(struct page *page);
void mark_page_accessed(struct page *page);

void kswapd_init(void);

/// Caches that give memory back. `shrink`: with n > 0 tries to free n objects; returns how many are left, or -1 if it
/// cannot now (no __GFP_FS, say).
struct shrinker {
  int (*shrink)(int n, gfp_t gfp);
  int seeks; ///< what an object costs to make anew, DEFAULT_SEEKS usually
  struct list_head list;
};
enum { DEFAULT_SEEKS = 2 };
void register_shrinker(struct shrinker *shrinker);
void unregister_shrinker(struct shrinker *shrinker);

#endif
