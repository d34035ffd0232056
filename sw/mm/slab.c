/// The slab allocator: objects of one size. Who allocates takes from its processor's list (struct array_cache), which
/// is filled from the slabs a batch at a time; who frees puts back there. A slab is a block of pages cut into objects;
/// each cache keeps its slabs in three lists: partial, full and free.
///
/// slab_create.c makes caches, slab_grow.c slabs, slab_debug.c checks.
#include "slab_priv.h"
#include <arch/irqflags.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/string.h>

/// Moves a slab to the list that fits the number of its objects in use.
static void slab_relist(struct kmem_cache *cache, struct slab *slab) {
  struct kmem_list3 *l3 = &cache->lists;
  list_move(&slab->list, !slab->inuse                ? &l3->slabs_free
                         : slab->inuse == cache->num ? &l3->slabs_full
                                                     : &l3->slabs_partial);
}

/// An object of a slab: a partial one if there is, else a free one. NULL: none.
static void *slab_get_obj(struct kmem_cache *cache) {
  struct kmem_list3 *l3 = &cache->lists;
  struct list_head *from = list_empty(&l3->slabs_partial) ? &l3->slabs_free : &l3->slabs_partial;
  if (list_empty(from)) return NULL;

  struct slab *slab = list_entry(from->next, struct slab, list);
  unsigned index = slab->free;
  slab->free = slab_bufctl(slab)[index];
  slab_bufctl(slab)[index] = BUFCTL_CACHED;
  slab->inuse++;
  l3->free_objects--;
  slab_relist(cache, slab);
  return index_to_obj(cache, slab, index);
}

static unsigned obj_to_index(const struct kmem_cache *cache, const struct slab *slab, const void *buffer) {
  return (unsigned)((size_t)((const char *)buffer - slab->s_mem) / cache->buffer_size);
}

/// Gives an object back to its slab.
static void slab_put_obj(struct kmem_cache *cache, void *buffer) {
  struct slab *slab = page_get_slab(virt_to_page(buffer));
  unsigned index = obj_to_index(cache, slab, buffer);

  slab_bufctl(slab)[index] = slab->free;
  slab->free = index;
  slab->inuse--;
  cache->lists.free_objects++;
  slab_relist(cache, slab);
}

/// Puts the oldest `n` entries of a list into another. Returns how many found room.
static unsigned transfer_objects(struct array_cache *to, struct array_cache *from, unsigned n) {
  n = (unsigned)min_ul(min_ul(n, from->avail), to->limit - to->avail);
  memcpy(to->entry + to->avail, from->entry, n * sizeof(void *));
  memmove(from->entry, from->entry + n, (from->avail - n) * sizeof(void *));
  to->avail += n;
  from->avail -= n;
  return n;
}

/// Gives the oldest `n` entries of a list back to their slabs.
static void free_block(struct kmem_cache *cache, struct array_cache *ac, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    slab_put_obj(cache, ac->entry[i]);
  memmove(ac->entry, ac->entry + n, (ac->avail - n) * sizeof(void *));
  ac->avail -= n;
}

/// A processor's list is full: a batch goes to the shared list, or to the slabs.
static void cache_flusharray(struct kmem_cache *cache, struct array_cache *ac) {
  struct array_cache *shared = cache->lists.shared;
  if (!shared || !transfer_objects(shared, ac, ac->batchcount))
    free_block(cache, ac, (unsigned)min_ul(ac->batchcount, ac->avail));
}

/// A processor's list is empty: a batch from the shared list, else from the slabs. Returns an object; NULL: no slab
/// has one.
static void *cache_alloc_refill(struct kmem_cache *cache, struct array_cache *ac) {
  struct array_cache *shared = cache->lists.shared;

  ac->touched = true;
  if (!shared || !transfer_objects(ac, shared, ac->batchcount)) {
    void *buffer;
    while (ac->avail < ac->batchcount && (buffer = slab_get_obj(cache)) != NULL)
      ac->entry[ac->avail++] = buffer;
  }
  return ac->avail ? ac->entry[--ac->avail] : NULL;
}

/// An object as it is. Interrupts are off.
static void *try_alloc(struct kmem_cache *cache) {
  struct array_cache *ac = cache->array[smp_processor_id()];

  if (!ac) return slab_get_obj(cache);
  if (!ac->avail) return cache_alloc_refill(cache, ac);
  ac->touched = true;
  return ac->entry[--ac->avail];
}

static kmem_bufctl_t *bufctl_of(const struct kmem_cache *cache, const void *buffer) {
  struct slab *slab = page_get_slab(virt_to_page(buffer));
  return &slab_bufctl(slab)[obj_to_index(cache, slab, buffer)];
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags) {
  might_sleep_if(flags & __GFP_WAIT);
  enum origin before = origin_enter(ORIGIN_SLAB);
  unsigned long irq = local_irq_save();
  void *buffer = try_alloc(cache);

  while (!buffer && !(flags & __GFP_NO_GROW)) {
    local_irq_restore(irq); // growing may sleep
    bool grown = cache_grow(cache, flags);
    irq = local_irq_save();
    buffer = try_alloc(cache); // somebody else may have taken it, or brought more
    if (!grown) break;
  }
  if (buffer) {
    *bufctl_of(cache, buffer) = BUFCTL_ACTIVE;
    cache->active++;
    cache->allocations++;
  }
  local_irq_restore(irq);
  if (buffer) {
    slab_take_object(cache, buffer);
    buffer = (char *)buffer + cache->object_offset;
    if (flags & __GFP_ZERO) memset(buffer, 0, cache->object_size);
  }
  origin_leave(before);
  return buffer;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags) {
  return kmem_cache_alloc(cache, flags | __GFP_ZERO);
}

/// Why `object` cannot be freed to `cache`; NULL if it can.
static const char *bad_object(const struct kmem_cache *cache, const void *object) {
  if (!virt_addr_valid(object)) return "free of an address that no object has";
  const struct page *page = virt_to_page(object);
  if (!PageSlab(page) || page_get_cache(page) != cache) return "free of an object of another cache";
  const struct slab *slab = page_get_slab(page);
  size_t offset = (size_t)((const char *)object - cache->object_offset - slab->s_mem);
  if (offset % cache->buffer_size || offset / cache->buffer_size >= cache->num) return "free of a wild pointer";
  if (*bufctl_of(cache, (const char *)object - cache->object_offset) != BUFCTL_ACTIVE) return "double free";
  return NULL;
}

void kmem_cache_free(struct kmem_cache *cache, void *object) {
  const char *why = bad_object(cache, object);

  if (why) {
    slab_error(cache, why);
    return;
  }
  enum origin before = origin_enter(ORIGIN_SLAB);
  void *buffer = (char *)object - cache->object_offset;
  slab_put_object(cache, buffer);

  unsigned long irq = local_irq_save();
  struct array_cache *ac = cache->array[smp_processor_id()];
  *bufctl_of(cache, buffer) = BUFCTL_CACHED;
  cache->active--;
  if (!ac) {
    slab_put_obj(cache, buffer);
  } else {
    if (ac->avail >= ac->limit) cache_flusharray(cache, ac);
    ac->touched = true;
    ac->entry[ac->avail++] = buffer;
  }
  local_irq_restore(irq);
  origin_leave(before);
}

void drain_cpu_caches(struct kmem_cache *cache) {
  unsigned long irq = local_irq_save();
  struct array_cache *shared = cache->lists.shared;

  for_each_possible_cpu(cpu) if (cache->array[cpu]) free_block(cache, cache->array[cpu], cache->array[cpu]->avail);
  if (shared) free_block(cache, shared, shared->avail);
  local_irq_restore(irq);
}
