/// The swap cache: anonymous pages that are in memory and have a place on the swap area. The cache is a user of the
/// place and has a reference to the page.
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/rmap.h>
#include <kernel/sched.h>
#include <kernel/swap.h>
#include <kernel/vmstat.h>

struct address_space swapper_space;

static DECLARE_WAIT_QUEUE_HEAD(page_wait); // for any page to be unlocked, or written

bool trylock_page(struct page *page) {
  if (PageLocked(page)) return false;
  set_page_flag(page, PG_locked);
  return true;
}

void wait_on_page_locked(struct page *page) {
  wait_event(&page_wait, !PageLocked(page));
}

void lock_page(struct page *page) {
  wait_on_page_locked(page);
  set_page_flag(page, PG_locked);
}

void unlock_page(struct page *page) {
  BUG_ON(!PageLocked(page));
  clear_page_flag(page, PG_locked);
  wake_up(&page_wait);
}

void wait_on_page_writeback(struct page *page) {
  wait_event(&page_wait, !PageWriteback(page));
}

void end_page_writeback(struct page *page) {
  clear_page_flag(page, PG_writeback);
  wake_up(&page_wait);
}

static void add_to_swap_cache(struct page *page, swp_entry_t entry) {
  get_page(page);
  set_page_flag(page, PG_swapcache);
  page->private = entry.val;
  swapper_space.pages[entry.val] = page;
  swapper_space.nrpages++;
}

bool add_to_swap(struct page *page) {
  BUG_ON(!PageLocked(page));
  swp_entry_t entry = get_swap_page();
  if (!entry.val) return false;
  add_to_swap_cache(page, entry);
  set_page_flag(page, PG_dirty); // nothing of it is there yet
  return true;
}

void delete_from_swap_cache(struct page *page) {
  swp_entry_t entry = {page->private};

  BUG_ON(!PageLocked(page) || !PageSwapCache(page) || PageWriteback(page));
  swapper_space.pages[entry.val] = NULL;
  swapper_space.nrpages--;
  clear_page_flag(page, PG_swapcache);
  page->private = 0;
  swap_free(entry);
  put_page(page);
}

struct page *lookup_swap_cache(swp_entry_t entry) {
  return find_get_page(&swapper_space, entry.val);
}

struct page *read_swap_cache(swp_entry_t entry) {
  struct page *page = lookup_swap_cache(entry);
  if (page) return page;

  enum origin before = origin_enter(ORIGIN_SWAP);
  page = alloc_page(GFP_HIGHUSER_MOVABLE);
  struct page *cached = lookup_swap_cache(entry); // while we slept
  if (cached || !page || !swap_count(entry)) {
    if (page) put_page(page);
    origin_leave(before);
    return cached;
  }
  set_page_flag(page, PG_locked);
  swap_duplicate(entry);
  add_to_swap_cache(page, entry);
  lru_cache_add_active(page);
  swap_readpage(page);
  wait_on_page_locked(page);
  origin_leave(before);
  return page;
}

bool remove_exclusive_swap_page(struct page *page) {
  BUG_ON(!PageLocked(page));
  if (!PageSwapCache(page) || PageWriteback(page)) return false;
  // The cache's reference and the caller's, and the cache is the place's only user.
  if (page_count(page) != 2 || swap_count((swp_entry_t){page->private}) != 1) return false;
  delete_from_swap_cache(page);
  set_page_flag(page, PG_dirty);
  return true;
}

void free_page_and_swap_cache(struct page *page) {
  if (PageSwapCache(page) && !page_mapped(page) && trylock_page(page)) {
    remove_exclusive_swap_page(page);
    unlock_page(page);
  }
  put_page(page);
}

void free_swap_and_cache(swp_entry_t entry) {
  struct page *page = swap_count(entry) == 2 ? lookup_swap_cache(entry) : NULL;

  swap_free(entry);
  if (page) free_page_and_swap_cache(page);
}

unsigned long drop_swap_cache(void) {
  unsigned long dropped = 0;

  for (unsigned long slot = 1; slot < swapper_space.nr_slots; slot++) {
    struct page *page = find_get_page(&swapper_space, slot);
    if (!page) continue;
    wait_on_page_writeback(page);
    lock_page(page);
    dropped += PageSwapCache(page) && !page_mapped(page) && remove_exclusive_swap_page(page);
    unlock_page(page);
    put_page(page);
  }
  return dropped;
}

static void end_swap_io(struct page *page, bool write) {
  if (write) {
    end_page_writeback(page);
  } else {
    set_page_flag(page, PG_uptodate);
    unlock_page(page);
  }
}

void swap_writepage(struct page *page) {
  enum origin before = origin_enter(ORIGIN_SWAP);
  set_page_flag(page, PG_writeback);
  count_vm_event(PSWPOUT);
  ramdisk_submit(page, page->private, true, end_swap_io);
  origin_leave(before);
}

void swap_readpage(struct page *page) {
  count_vm_event(PSWPIN);
  ramdisk_submit(page, page->private, false, end_swap_io);
}
