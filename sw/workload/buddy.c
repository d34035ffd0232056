/// Random traffic on the buddy allocator, and how fragmented it leaves memory.
#include <kernel/highmem.h>
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

struct block {
  struct page *page; // NULL: none
  unsigned order;
  u32 tag;
};

/// Marks the first and last word of each page of a block.
static void mark(const struct block *block) {
  for (unsigned long i = 0; i < 1UL << block->order; i++) {
    u32 *word = kmap_atomic(block->page + i, KM_USER0);
    word[0] = block->tag + i;
    word[PAGE_SIZE / 4 - 1] = ~(block->tag + i);
    kunmap_atomic(word, KM_USER0);
  }
}

static bool marked(const struct block *block) {
  u32 wrong = 0;

  for (unsigned long i = 0; i < 1UL << block->order; i++) {
    u32 *word = kmap_atomic(block->page + i, KM_USER0);
    wrong |= (word[0] ^ (block->tag + i)) | (word[PAGE_SIZE / 4 - 1] ^ ~(block->tag + i));
    kunmap_atomic(word, KM_USER0);
  }
  return !wrong;
}

/// Small orders are frequent, order 10 is one in a thousand.
static unsigned random_order(void) {
  unsigned order = 0;
  while (order < MAX_ORDER - 1 && random_below(2))
    order++;
  return order;
}

/// A request of a random kind. Returns whether it got what it asked for.
static bool take(struct block *block) {
  static const gfp_t kinds[] = {GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_ATOMIC, GFP_KERNEL | __GFP_RECLAIMABLE, GFP_DMA};
  gfp_t gfp = kinds[random_below(ARRAY_SIZE(kinds))] | __GFP_NOWARN | __GFP_NORETRY;
  unsigned order = random_order();
  unsigned long before = nr_free_pages();
  struct page *page = alloc_pages(gfp, order);

  if (!page) return false;
  CHECK(nr_free_pages() == before - (1UL << order));
  CHECK(page_to_pfn(page) % (1UL << order) == 0);
  CHECK(zone_idx(page_zone(page)) <= gfp_zone(gfp));
  CHECK(zone_idx(page_zone(page + (1UL << order) - 1)) == zone_idx(page_zone(page)));
  *block = (struct block){page, order, random_u32()};
  mark(block);
  return true;
}

static void give_back(struct block *block) {
  CHECK(marked(block));
  __free_pages(block->page, block->order);
  block->page = NULL;
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
  free_pages((unsigned long)page_address(page) + 8, 1); // no page's address
  free_pages(PAGE_OFFSET - PAGE_SIZE, 0);
  CHECK(nr_bad_pages() == bad + 6);
  CHECK(nr_free_pages() == before && check_free_area());

  u32 *word = page_address(page);
  *word ^= 1; // a write after the free, found upon the next allocation
  CHECK(alloc_pages(GFP_KERNEL, 1) == page);
  CHECK(nr_bad_pages() == bad + 7);
  __free_pages(page, 1);
}

/// References, compound pages, zeroed pages.
static void references(void) {
  struct page *page = need(alloc_pages(GFP_KERNEL | __GFP_COMP, 2));
  unsigned long before = nr_free_pages();

  get_page(page + 3); // counts in the first one
  CHECK(page_count(page) == 2 && page_count(page + 1) == 2 && compound_head(page + 2) == page);
  put_page(page + 1);
  CHECK(nr_free_pages() == before);
  put_page(page);
  CHECK(nr_free_pages() == before + 4);

  u32 *zeroed = need((void *)get_zeroed_page(GFP_KERNEL)), sum = 0;
  for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
    sum |= zeroed[i];
  CHECK(!sum);
  free_page((unsigned long)zeroed);
}

static void report(const char *when) {
  printk("fragmentation %s, of 1000 free pages in blocks below order 3, 6, 9:", when);
  for (int i = 0; i < MAX_NR_ZONES; i++) {
    const struct zone *zone = &contig_page_data.node_zones[i];
    if (populated_zone(zone))
      printk(" %s %u %u %u", zone->name, fragmentation_index(zone, 3), fragmentation_index(zone, 6),
             fragmentation_index(zone, 9));
  }
  printk("\n");
}

void workload_buddy(void) {
  enum { BLOCKS = 256 };
  struct block *blocks = need(kzalloc(BLOCKS * sizeof(*blocks), GFP_KERNEL));
  unsigned long taken = 0, refused = 0;

  for (unsigned long i = rounds(2400); i; i--) {
    struct block *block = &blocks[random_below(BLOCKS)];
    if (block->page)
      give_back(block);
    else if (take(block))
      taken++;
    else
      refused++;
    if (i % 256 == 0) CHECK(check_free_area());
    if (i % 512 == 0) switch_cpu(random_below(nr_cpu_ids));
  }
  report("under load");
  show_buddyinfo();
  show_pagetypeinfo();
  for (unsigned i = 0; i < BLOCKS; i++)
    if (blocks[i].page) give_back(&blocks[i]);
  kfree(blocks);
  drain_all_pages();
  report("afterwards");
  printk("%lu blocks taken, %lu refused\n", taken, refused);
  planted_errors();
  references();
}
