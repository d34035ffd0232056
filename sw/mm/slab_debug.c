/// Checks of the slab allocator: poison, guard words, consistency.
#include "slab_priv.h"
#include <kernel/kernel.h>

static const u32 POISON_FREE = 0x6b6b6b6b, POISON_FRESH = 0x5a5a5a5a;
static const unsigned long RED_INACTIVE = 0x5A2CF071, RED_ACTIVE = 0x170FC2A5;

static unsigned long slab_error_count;

unsigned long nr_slab_errors(void) {
  return slab_error_count;
}

void slab_error(const struct kmem_cache *cache, const char *why) {
  printk("slab error in cache `%s': %s\n", cache->name, why);
  slab_error_count++;
}

/// The words of an object that poison may fill: the guard comes after them.
static size_t poison_words(const struct kmem_cache *cache) {
  return cache->object_size / sizeof(u32);
}

static void poison_object(const struct kmem_cache *cache, char *object, u32 value) {
  u32 *word = (u32 *)object;
  for (size_t i = 0, n = poison_words(cache); i < n; i++)
    word[i] = value;
}

static unsigned long *red_zone(const struct kmem_cache *cache, const char *object) {
  return (unsigned long *)(object + align_up(cache->object_size, sizeof(unsigned long)));
}

void slab_init_object(const struct kmem_cache *cache, char *object) {
  if (cache->flags & SLAB_RED_ZONE) *red_zone(cache, object) = RED_INACTIVE;
  if (cache->flags & SLAB_POISON) poison_object(cache, object, POISON_FREE);
  if (cache->ctor) cache->ctor(object);
}

void slab_check_free_object(const struct kmem_cache *cache, const char *object) {
  if ((cache->flags & SLAB_RED_ZONE) && *red_zone(cache, object) != RED_INACTIVE)
    slab_error(cache, "guard of a free object overwritten");
  if (!(cache->flags & SLAB_POISON)) return;
  const u32 *word = (const u32 *)object;
  u32 difference = 0;
  for (size_t i = 0, n = poison_words(cache); i < n; i++)
    difference |= word[i] ^ POISON_FREE;
  if (difference) slab_error(cache, "object written after it was freed");
}

void slab_take_object(const struct kmem_cache *cache, char *object) {
  slab_check_free_object(cache, object);
  if (cache->flags & SLAB_RED_ZONE) *red_zone(cache, object) = RED_ACTIVE;
  if (cache->flags & SLAB_POISON) poison_object(cache, object, POISON_FRESH);
}

void slab_put_object(const struct kmem_cache *cache, char *object) {
  if (cache->flags & SLAB_RED_ZONE) {
    if (*red_zone(cache, object) != RED_ACTIVE) slab_error(cache, "guard overwritten");
    *red_zone(cache, object) = RED_INACTIVE;
  }
  if (cache->flags & SLAB_POISON) poison_object(cache, object, POISON_FREE);
}

struct kmem_cache_info kmem_cache_info(const struct kmem_cache *cache) {
  return (struct kmem_cache_info){
      .active_objects = cache->active,
      .total_objects = cache->slabs * cache->num,
      .slabs = cache->slabs,
      .allocations = cache->allocations,
      .buffer_size = cache->buffer_size,
      .objects_per_slab = cache->num,
      .order = cache->order,
      .off_slab = cache->off_slab,
  };
}

/// Walks one list; each slab has to have between `least` and `most` objects in use. Adds up slabs and objects.
static bool check_list(const struct kmem_cache *cache, const struct list_head *head, unsigned least, unsigned most,
                       unsigned long *slabs, unsigned long *active) {
  list_for_each(at, head) {
    struct slab *slab = list_entry(at, struct slab, list);
    unsigned free = 0, in_use = 0;
    for (unsigned i = slab->free; i != BUFCTL_END && free <= cache->num; i = slab_bufctl(slab)[i])
      free++;
    for (unsigned i = 0; i < cache->num; i++)
      in_use += slab_bufctl(slab)[i] == BUFCTL_ACTIVE;
    if (in_use != slab->inuse || in_use + free != cache->num || in_use < least || in_use > most) return false;
    ++*slabs;
    *active += in_use;
  }
  return true;
}

bool kmem_cache_check(const struct kmem_cache *cache) {
  unsigned long slabs = 0, active = 0;

  return check_list(cache, &cache->full, cache->num, cache->num, &slabs, &active) &&
         check_list(cache, &cache->partial, 1, cache->num - 1, &slabs, &active) &&
         check_list(cache, &cache->empty, 0, 0, &slabs, &active) && slabs == cache->slabs && active == cache->active;
}
