/// The slab allocator: a slab is a block of pages cut into equal objects. The management of a slab, its free list, lies
/// at its beginning, or, for large objects, in an object of a kmalloc cache ("off-slab"), so that objects of a power of
/// two fill their pages. Each cache keeps its slabs in three lists: partial, full and empty.
#include "slab_priv.h"
#include <kernel/kernel.h>
#include <kernel/string.h>

enum {
  OFF_SLAB_MIN = PAGE_SIZE / 8,
  MAX_SLAB_ORDER = 5,
  CACHE_LINE = 32,
  WORD = sizeof(unsigned long),
};

static struct kmem_cache cache_cache; // the cache of struct kmem_cache
static struct list_head cache_chain;

/// Cuts a block of 2^order pages. Returns the number of objects; *left: the bytes that remain.
static unsigned cache_estimate(unsigned order, size_t buffer_size, size_t align, bool off_slab, size_t *left) {
  size_t total = PAGE_SIZE << order, management = 0;
  unsigned num = (unsigned)(total / buffer_size);

  if (num > SLAB_LIMIT) num = SLAB_LIMIT;
  if (!off_slab) {
    management = align_up(slab_management_size(num), align);
    while (num && management + num * buffer_size > total)
      management = align_up(slab_management_size(--num), align);
  }
  *left = total - management - num * buffer_size;
  return num;
}

/// Chooses the smallest block that wastes at most an eighth; the largest possible one if none does.
static void calculate_slab_order(struct kmem_cache *cache) {
  size_t left = 0;

  for (unsigned order = 0; order <= MAX_SLAB_ORDER; order++) {
    unsigned num = cache_estimate(order, cache->buffer_size, cache->align, cache->off_slab, &left);
    if (!num) continue;
    cache->num = num;
    cache->order = order;
    if (left * 8 <= PAGE_SIZE << order) break;
  }
  cache->management = cache->off_slab ? 0 : align_up(slab_management_size(cache->num), cache->align);
  cache->colours = (unsigned)(left / cache->align) + 1;
}

static void init_cache(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned flags,
                       void (*ctor)(void *)) {
  cache->name = name;
  cache->object_size = size;
  cache->align = align;
  cache->flags = flags;
  cache->ctor = ctor;
  cache->buffer_size = align_up(align_up(size, WORD) + (flags & SLAB_RED_ZONE ? WORD : 0), align);
  cache->off_slab = cache->buffer_size >= OFF_SLAB_MIN;
  INIT_LIST_HEAD(&cache->partial);
  INIT_LIST_HEAD(&cache->full);
  INIT_LIST_HEAD(&cache->empty);
  calculate_slab_order(cache);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *)) {
  if (align < WORD) align = WORD;
  if ((flags & SLAB_HWCACHE_ALIGN) && align < CACHE_LINE) align = CACHE_LINE;
  if (ctor) flags &= ~(unsigned)SLAB_POISON; // a free object stays constructed
  if (!size || size > PAGE_SIZE << MAX_SLAB_ORDER || align > PAGE_SIZE || align & (align - 1)) return NULL;

  struct kmem_cache *cache = kmem_cache_alloc(&cache_cache);
  if (!cache) return NULL;
  memset(cache, 0, sizeof(*cache));
  init_cache(cache, name, size, align, flags, ctor);
  if (!cache->num) {
    kmem_cache_free(&cache_cache, cache);
    return NULL;
  }
  list_add_tail(&cache->next, &cache_chain);
  return cache;
}

/// Adds an empty slab. Returns false if there is no memory.
static bool cache_grow(struct kmem_cache *cache) {
  struct page *page = alloc_pages(GFP_KERNEL, cache->order);
  if (!page) return false;

  char *base = page_address(page);
  char *coloured = base + cache->align * (cache->colour_next++ % cache->colours);
  struct slab *slab = (struct slab *)coloured;
  if (cache->off_slab) slab = kmalloc(slab_management_size(cache->num));
  if (!slab) {
    __free_pages(page, cache->order);
    return false;
  }
  slab->pages = page;
  slab->s_mem = coloured + cache->management;
  slab->inuse = 0;
  slab->free = 0;
  for (unsigned i = 0; i < cache->num; i++) {
    slab_bufctl(slab)[i] = (kmem_bufctl_t)(i + 1 < cache->num ? i + 1 : BUFCTL_END);
    slab_init_object(cache, slab->s_mem + i * cache->buffer_size);
  }
  for (unsigned long i = 0; i < 1UL << cache->order; i++) {
    page[i].flags |= PG_SLAB;
    page[i].cache = cache;
    page[i].slab = slab;
  }
  list_add(&slab->list, &cache->empty);
  cache->slabs++;
  return true;
}

/// Gives the pages of an empty slab back.
static void slab_destroy(struct kmem_cache *cache, struct slab *slab) {
  struct page *page = slab->pages;

  for (unsigned i = 0; i < cache->num; i++)
    slab_check_free_object(cache, slab->s_mem + i * cache->buffer_size);
  list_del(&slab->list);
  cache->slabs--;
  for (unsigned long i = 0; i < 1UL << cache->order; i++)
    page[i].flags &= ~(unsigned long)PG_SLAB;
  if (cache->off_slab) kfree(slab);
  __free_pages(page, cache->order);
}

void *kmem_cache_alloc(struct kmem_cache *cache) {
  struct list_head *from = &cache->partial;

  if (list_empty(from)) from = &cache->empty;
  if (list_empty(from) && !cache_grow(cache)) return NULL;

  struct slab *slab = list_entry(from->next, struct slab, list);
  unsigned index = slab->free;
  slab->free = slab_bufctl(slab)[index];
  slab_bufctl(slab)[index] = BUFCTL_ACTIVE;
  slab->inuse++;
  list_move(&slab->list, slab->free == BUFCTL_END ? &cache->full : &cache->partial);
  cache->active++;
  cache->allocations++;

  void *object = slab->s_mem + index * cache->buffer_size;
  slab_take_object(cache, object);
  return object;
}

/// The index of `object` in its slab, or why it cannot be freed to `cache`.
static const char *bad_object(const struct kmem_cache *cache, const void *object, unsigned *index) {
  const struct page *page = virt_to_page(object);

  if (!(page->flags & PG_SLAB) || page->cache != cache) return "free of an object of another cache";
  size_t offset = (size_t)((const char *)object - page->slab->s_mem);
  if (offset % cache->buffer_size || offset / cache->buffer_size >= cache->num) return "free of a wild pointer";
  *index = (unsigned)(offset / cache->buffer_size);
  if (slab_bufctl(page->slab)[*index] != BUFCTL_ACTIVE) return "double free";
  return NULL;
}

void kmem_cache_free(struct kmem_cache *cache, void *object) {
  unsigned index = 0;
  const char *why = bad_object(cache, object, &index);

  if (why) {
    slab_error(cache, why);
    return;
  }
  struct slab *slab = virt_to_page(object)->slab;
  slab_put_object(cache, object);
  slab_bufctl(slab)[index] = (kmem_bufctl_t)slab->free;
  slab->free = index;
  slab->inuse--;
  cache->active--;
  if (slab->inuse) {
    list_move(&slab->list, &cache->partial);
    return;
  }
  bool spare = list_empty(&cache->empty); // one empty slab is kept
  list_move(&slab->list, &cache->empty);
  if (!spare) slab_destroy(cache, slab);
}

unsigned long kmem_cache_shrink(struct kmem_cache *cache) {
  unsigned long freed = 0;

  list_for_each_safe(at, after, &cache->empty) {
    slab_destroy(cache, list_entry(at, struct slab, list));
    freed++;
  }
  return freed;
}

unsigned long kmem_cache_reap(void) {
  unsigned long freed = 0, now;

  do { // an off-slab management that was freed may have emptied a slab of a cache we have passed
    now = 0;
    list_for_each(at, &cache_chain) now += kmem_cache_shrink(list_entry(at, struct kmem_cache, next));
    freed += now;
  } while (now);
  return freed;
}

bool kmem_cache_destroy(struct kmem_cache *cache) {
  if (cache->active) {
    slab_error(cache, "destroyed with objects in use");
    return false;
  }
  kmem_cache_shrink(cache);
  list_del(&cache->next);
  kmem_cache_free(&cache_cache, cache);
  return true;
}

void kmem_cache_init(void) {
  INIT_LIST_HEAD(&cache_chain);
  memset(&cache_cache, 0, sizeof(cache_cache));
  init_cache(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), WORD, SLAB_POISON | SLAB_RED_ZONE, NULL);
  list_add(&cache_cache.next, &cache_chain);
  kmalloc_init();
}

void show_slabinfo(void) {
  printk("slabinfo:      active  total  slabs   size  order\n");
  list_for_each(at, &cache_chain) {
    const struct kmem_cache *cache = list_entry(at, struct kmem_cache, next);
    printk("%-14s %6lu %6lu %6lu %6lu %6u%s\n", cache->name, cache->active, cache->slabs * cache->num, cache->slabs,
           (unsigned long)cache->buffer_size, cache->order, cache->off_slab ? " off-slab" : "");
  }
}
