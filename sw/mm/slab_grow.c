/// Slabs come and go.
#include "slab_priv.h"
#include <arch/irqflags.h>
#include <kernel/kernel.h>
#include <kernel/vmstat.h>

/// The pages of a slab; NULL: no memory.
static struct page *kmem_getpages(struct kmem_cache *cache, gfp_t flags) {
  struct page *page = alloc_pages((flags & ~(gfp_t)__GFP_ZERO) | cache->gfpflags, cache->gfporder);

  for (unsigned long i = 0; page && i < 1UL << cache->gfporder; i++)
    set_page_flag(page + i, PG_slab);
  return page;
}

static void kmem_freepages(struct kmem_cache *cache, struct page *page) {
  for (unsigned long i = 0; i < 1UL << cache->gfporder; i++)
    clear_page_flag(page + i, PG_slab);
  __free_pages(page, cache->gfporder);
}

/// The management of a new slab in `page`; NULL: no memory for an off-slab one.
static struct slab *alloc_slabmgmt(struct kmem_cache *cache, struct page *page, size_t colour_off, gfp_t flags) {
  char *base = page_address(page);
  struct slab *slab = cache->off_slab ? kmalloc(cache->slab_size, flags & ~(gfp_t)(__GFP_ZERO | __GFP_DMA))
                                      : (struct slab *)(base + colour_off);

  if (!slab) return NULL;
  slab->colouroff = colour_off;
  slab->s_mem = base + colour_off + (cache->off_slab ? 0 : cache->slab_size);
  slab->inuse = 0;
  slab->free = 0;
  return slab;
}

/// All objects of a new slab are free, and constructed.
static void cache_init_objs(struct kmem_cache *cache, struct slab *slab) {
  for (unsigned i = 0; i < cache->num; i++) {
    slab_init_object(cache, index_to_obj(cache, slab, i));
    slab_bufctl(slab)[i] = i + 1 < cache->num ? i + 1 : BUFCTL_END;
  }
}

static void slab_map_pages(struct kmem_cache *cache, struct slab *slab, struct page *page) {
  for (unsigned long i = 0; i < 1UL << cache->gfporder; i++) {
    page[i].lru.next = (struct list_head *)cache;
    page[i].lru.prev = (struct list_head *)slab;
  }
}

bool cache_grow(struct kmem_cache *cache, gfp_t flags) {
  // Objects of different slabs start at different offsets, so that they do not compete for the same cache lines.
  size_t colour_off = cache->colour_next * cache->colour_off;
  cache->colour_next = cache->colour_next + 1 < cache->colour ? cache->colour_next + 1 : 0;

  struct page *page = kmem_getpages(cache, flags);
  if (!page) return false;
  struct slab *slab = alloc_slabmgmt(cache, page, colour_off, flags);
  if (!slab) {
    kmem_freepages(cache, page);
    return false;
  }
  slab_map_pages(cache, slab, page);
  cache_init_objs(cache, slab);

  unsigned long irq = local_irq_save();
  list_add_tail(&slab->list, &cache->lists.slabs_free);
  cache->lists.free_objects += cache->num;
  cache->slabs++;
  local_irq_restore(irq);
  count_vm_event(SLAB_GROW);
  return true;
}

void slab_destroy(struct kmem_cache *cache, struct slab *slab) {
  struct page *page = virt_to_page(slab->s_mem - slab->colouroff - (cache->off_slab ? 0 : cache->slab_size));

  for (unsigned i = 0; i < cache->num; i++)
    slab_check_free_object(cache, index_to_obj(cache, slab, i));
  kmem_freepages(cache, page);
  if (cache->off_slab) kfree(slab);
  count_vm_event(SLAB_REAP);
}

/// Gives the free slabs back. Returns how many there were.
static unsigned long drain_freelist(struct kmem_cache *cache) {
  struct list_head *slabs_free = &cache->lists.slabs_free;
  unsigned long slabs = 0;

  while (!list_empty(slabs_free)) {
    struct slab *slab = list_entry(slabs_free->prev, struct slab, list);
    unsigned long irq = local_irq_save();
    list_del(&slab->list);
    cache->lists.free_objects -= cache->num;
    cache->slabs--;
    local_irq_restore(irq);
    slab_destroy(cache, slab);
    slabs++;
  }
  return slabs;
}

int kmem_cache_shrink(struct kmem_cache *cache) {
  drain_cpu_caches(cache);
  drain_freelist(cache);
  return cache->slabs != 0;
}

unsigned long kmem_cache_reap(void) {
  unsigned long pages = 0, now;

  do { // an off-slab management that was freed may have emptied a slab of a cache that we have passed
    now = 0;
    list_for_each(at, &cache_chain) {
      struct kmem_cache *cache = list_entry(at, struct kmem_cache, next);
      drain_cpu_caches(cache);
      now += drain_freelist(cache) << cache->gfporder;
    }
    pages += now;
  } while (now);
  return pages;
}
