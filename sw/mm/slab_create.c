/// Caches: their sizes, their colours, their life.
#include "slab_priv.h"
#include <kernel/kernel.h>
#include <kernel/string.h>

enum {
  CACHE_LINE = 32,
  WORD = sizeof(void *),
  OFF_SLAB_MIN = PAGE_SIZE / 8, ///< objects of that size and more: management outside
  BREAK_GFP_ORDER = 1,          ///< larger blocks only where one object does not fit
};

struct list_head cache_chain;
static struct kmem_cache cache_cache; // the cache of struct kmem_cache
static bool cpucaches_up;             // kmalloc can be asked for lists

/// How many objects a block of 2^order pages holds. *left: the bytes that remain.
static unsigned cache_estimate(unsigned order, const struct kmem_cache *cache, size_t *left) {
  size_t total = PAGE_SIZE << order, management = 0;
  unsigned num = (unsigned)min_ul(total / cache->buffer_size, SLAB_LIMIT);

  if (!cache->off_slab) {
    management = align_up(slab_mgmt_size(num), cache->align);
    while (num && management + num * cache->buffer_size > total)
      management = align_up(slab_mgmt_size(--num), cache->align);
  }
  *left = total - management - num * cache->buffer_size;
  return num;
}

/// Chooses the smallest block that wastes at most an eighth. Returns false if none holds an object.
static bool calculate_slab_order(struct kmem_cache *cache) {
  size_t left = 0;

  for (unsigned order = 0; order < MAX_ORDER; order++) {
    unsigned num = cache_estimate(order, cache, &left);
    if (!num) continue;
    cache->num = num;
    cache->gfporder = order;
    if (order >= BREAK_GFP_ORDER || left * 8 <= PAGE_SIZE << order) break;
  }
  if (!cache->num) return false;
  cache->slab_size = cache->off_slab ? slab_mgmt_size(cache->num) : align_up(slab_mgmt_size(cache->num), cache->align);
  cache->colour_off = max_ul(cache->align, CACHE_LINE);
  cache->colour = (unsigned)(left / cache->colour_off) + 1;
  return true;
}

bool cache_setup(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned flags,
                 void (*ctor)(void *)) {
  if (align < WORD) align = WORD;
  if ((flags & SLAB_HWCACHE_ALIGN) && size > CACHE_LINE / 2) align = max_ul(align, CACHE_LINE);
  if (ctor) flags &= ~(unsigned)SLAB_POISON; // a free object stays constructed
  if (!size || size > KMALLOC_MAX_SIZE || align > PAGE_SIZE || align & (align - 1)) return false;

  cache->name = name;
  cache->object_size = size;
  cache->align = align;
  cache->flags = flags;
  cache->ctor = ctor;
  cache->gfpflags = (flags & SLAB_CACHE_DMA ? __GFP_DMA : 0) | (flags & SLAB_RECLAIM_ACCOUNT ? __GFP_RECLAIMABLE : 0);
  cache->buffer_size = align_up(size, WORD);
  if (flags & SLAB_RED_ZONE) {
    cache->object_offset = align;
    cache->buffer_size += align + WORD;
  }
  cache->buffer_size = align_up(cache->buffer_size, align);
  cache->off_slab = cache->buffer_size >= OFF_SLAB_MIN;
  INIT_LIST_HEAD(&cache->lists.slabs_partial);
  INIT_LIST_HEAD(&cache->lists.slabs_full);
  INIT_LIST_HEAD(&cache->lists.slabs_free);
  INIT_LIST_HEAD(&cache->next);
  return calculate_slab_order(cache);
}

static struct array_cache *alloc_arraycache(unsigned limit, unsigned batchcount) {
  struct array_cache *ac = kmalloc(sizeof(*ac) + limit * sizeof(void *), GFP_KERNEL);
  if (ac) *ac = (struct array_cache){.limit = limit, .batchcount = batchcount};
  return ac;
}

static void free_cpucaches(struct kmem_cache *cache) {
  for_each_possible_cpu(cpu) {
    kfree(cache->array[cpu]);
    cache->array[cpu] = NULL;
  }
  kfree(cache->lists.shared);
  cache->lists.shared = NULL;
}

bool enable_cpucache(struct kmem_cache *cache) {
  size_t size = cache->buffer_size;
  unsigned limit = size > 131072 ? 1 : size > PAGE_SIZE ? 8 : size > 1024 ? 24 : size > 256 ? 54 : 120;
  struct array_cache *arrays[NR_CPUS] = {NULL}, *shared = NULL;
  bool ok = true;

  for_each_possible_cpu(cpu) ok = (arrays[cpu] = alloc_arraycache(limit, (limit + 1) / 2)) != NULL && ok;
  if (nr_cpu_ids > 1 && size <= PAGE_SIZE) ok = (shared = alloc_arraycache(limit, (limit + 1) / 2)) != NULL && ok;
  if (!ok) {
    for_each_possible_cpu(cpu) kfree(arrays[cpu]);
    kfree(shared);
    return false;
  }
  memcpy(cache->array, arrays, sizeof(arrays));
  cache->lists.shared = shared;
  return true;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *)) {
  struct kmem_cache *cache = kmem_cache_zalloc(&cache_cache, GFP_KERNEL);
  bool ok = cache && cache_setup(cache, name, size, align, flags, ctor) && (!cpucaches_up || enable_cpucache(cache));

  if (ok) {
    list_add_tail(&cache->next, &cache_chain);
    return cache;
  }
  if (cache) kmem_cache_free(&cache_cache, cache);
  if (flags & SLAB_PANIC) panic("no memory for cache `%s'", name);
  return NULL;
}

void kmem_cache_destroy(struct kmem_cache *cache) {
  if (cache->active) {
    slab_error(cache, "destroyed with objects in use");
    return;
  }
  list_del(&cache->next); // before the pages go: their free may reap
  kmem_cache_shrink(cache);
  free_cpucaches(cache);
  kmem_cache_free(&cache_cache, cache);
}

void kmem_cache_init(void) {
  INIT_LIST_HEAD(&cache_chain);
  memset(&cache_cache, 0, sizeof(cache_cache));
  cpucaches_up = false;
  BUG_ON(!cache_setup(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), WORD, SLAB_POISON | SLAB_RED_ZONE, NULL));
  list_add(&cache_cache.next, &cache_chain);
  kmalloc_init();
  list_for_each(at, &cache_chain) {
    if (!enable_cpucache(list_entry(at, struct kmem_cache, next))) panic("no memory for the caches' lists");
  }
  cpucaches_up = true;
}

size_t kmem_cache_size(const struct kmem_cache *cache) {
  return cache->object_size;
}
const char *kmem_cache_name(const struct kmem_cache *cache) {
  return cache->name;
}
