/// Random traffic on the buddy allocator.
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

struct block {
  unsigned long address; // 0: none
  unsigned order;
  u32 tag;
};

/// Marks the first and last word of each page of a block.
static void mark(const struct block *block) {
  for (unsigned long page = 0; page < 1UL << block->order; page++) {
    u32 *word = (u32 *)(block->address + page * PAGE_SIZE);
    word[0] = block->tag + page;
    word[PAGE_SIZE / 4 - 1] = ~(block->tag + page);
  }
}

static bool marked(const struct block *block) {
  for (unsigned long page = 0; page < 1UL << block->order; page++) {
    const u32 *word = (const u32 *)(block->address + page * PAGE_SIZE);
    if (word[0] != block->tag + page || word[PAGE_SIZE / 4 - 1] != ~(block->tag + page)) return false;
  }
  return true;
}

/// Small orders are frequent, order 10 is one in a thousand.
static unsigned random_order(void) {
  unsigned order = 0;
  while (order < MAX_ORDER - 1 && random_below(2))
    order++;
  return order;
}

static void take(struct block *block) {
  unsigned order = random_order();
  unsigned long before = nr_free_pages(), address = __get_free_pages(GFP_KERNEL, order);

  if (!address) { // only if no block is large enough
    for (unsigned i = order; i < MAX_ORDER; i++)
      CHECK(!nr_free_blocks(i));
    return;
  }
  CHECK(nr_free_pages() == before - (1UL << order));
  CHECK(__pa(address) % (PAGE_SIZE << order) == 0);
  *block = (struct block){address, order, random_u32()};
  mark(block);
}

static void give_back(struct block *block) {
  CHECK(marked(block));
  free_pages(block->address, block->order);
  block->address = 0;
}

/// The allocator has to notice these, and to leave its lists alone.
static void planted_errors(void) {
  unsigned long bad = nr_bad_pages(), before = nr_free_pages();
  struct page *page = need(alloc_pages(GFP_KERNEL, 1));

  __free_pages(page, 0);     // another order
  __free_pages(page + 1, 0); // the middle of a block
  CHECK(nr_bad_pages() == bad + 2);
  __free_pages(page, 1);
  __free_pages(page, 1); // twice
  __free_pages(pfn_to_page(0), 0);
  CHECK(nr_bad_pages() == bad + 4);
  CHECK(nr_free_pages() == before && check_free_area());

  u32 *word = page_address(page);
  *word ^= 1; // a write after the free, found upon the next allocation
  CHECK(alloc_pages(GFP_KERNEL, 1) == page);
  CHECK(nr_bad_pages() == bad + 5);
  __free_pages(page, 1);
}

void workload_buddy(void) {
  enum { BLOCKS = 256 };
  struct block *blocks = need(kzalloc(BLOCKS * sizeof(*blocks)));

  for (unsigned long i = rounds(1600); i; i--) {
    struct block *block = &blocks[random_below(BLOCKS)];
    if (block->address)
      give_back(block);
    else
      take(block);
    if (i % 256 == 0) CHECK(check_free_area());
  }
  for (unsigned i = 0; i < BLOCKS; i++)
    if (blocks[i].address) give_back(&blocks[i]);
  kfree(blocks);
  planted_errors();

  u32 *zeroed = need((void *)get_zeroed_page(GFP_KERNEL));
  u32 sum = 0;
  for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
    sum |= zeroed[i];
  CHECK(!sum);
  free_pages((unsigned long)zeroed, 0);
}
