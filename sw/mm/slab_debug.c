/// Checks of the slab allocator: poison, guard words, consistency; and what it shows of itself.
#include "slab_priv.h"
#include <kernel/kernel.h>

static const u32 POISON_FREE = 0x6b6b6b6b, POISON_FRESH = 0x5a5a5a5a;
static const u32 RED_INACTIVE = 0x5A2CF071, RED_ACTIVE = 0x170FC2A5;

static unsigned long slab_error_count;

unsigned long nr_slab_errors(void) {
  return slab_error_count;
}

void slab_error(const struct kmem_cache *cache, const char *why) {
  printk("slab error in cache `%s': %s\n", cache->name, why);
  slab_error_count++;
}

/// The words of an object that poison may fill.
static size_t poison_words(const struct kmem_cache *cache) {
  return cache->object_size / sizeof(u32);
}

static void poison_object(const struct kmem_cache *cache, char *buffer, u32 value) {
  u32 *word = (u32 *)(buffer + cache->object_offset);
  for (size_t i = 0, n = poison_words(cache); i < n; i++)
    word[i] = value;
}

/// The guard right before the object, and the one in the buffer's last word.
static u32 *red_zone1(const struct kmem_cache *cache, const char *buffer) {
  return (u32 *)(buffer + cache->object_offset - sizeof(u32));
}
static u32 *red_zone2(const struct kmem_cache *cache, const char *buffer) {
  return (u32 *)(buffer + cache->object_offset + align_up(cache->object_size, sizeof(void *)));
}

static void set_red_zones(const struct kmem_cache *cache, char *buffer, u32 value) {
  *red_zone1(cache, buffer) = value;
  *red_zone2(cache, buffer) = value;
}
static bool red_zones_are(const struct kmem_cache *cache, const char *buffer, u32 value) {
  return *red_zone1(cache, buffer) == value && *red_zone2(cache, buffer) == value;
}

void slab_init_object(const struct kmem_cache *cache, char *buffer) {
  if (cache->flags & SLAB_RED_ZONE) set_red_zones(cache, buffer, RED_INACTIVE);
  if (cache->flags & SLAB_POISON) poison_object(cache, buffer, POISON_FREE);
  if (cache->ctor) cache->ctor(buffer + cache->object_offset);
}

void slab_check_free_object(const struct kmem_cache *cache, const char *buffer) {
  if ((cache->flags & SLAB_RED_ZONE) && !red_zones_are(cache, buffer, RED_INACTIVE))
    slab_error(cache, "guard of a free object overwritten");
  if (!(cache->flags & SLAB_POISON)) return;
  const u32 *word = (const u32 *)(buffer + cache->object_offset);
  u32 difference = 0;
  for (size_t i = 0, n = poison_words(cache); i < n; i++)
    difference |= word[i] ^ POISON_FREE;
  if (difference) slab_error(cache, "object written after it was freed");
}

void slab_take_object(const struct kmem_cache *cache, char *buffer) {
  slab_check_free_object(cache, buffer);
  if (cache->flags & SLAB_RED_ZONE) set_red_zones(cache, buffer, RED_ACTIVE);
  if (cache->flags & SLAB_POISON) poison_object(cache, buffer, POISON_FRESH);
}

void slab_put_object(const struct kmem_cache *cache, char *buffer) {
  if (cache->flags & SLAB_RED_ZONE) {
    if (!red_zones_are(cache, buffer, RED_ACTIVE)) slab_error(cache, "guard overwritten");
    set_red_zones(cache, buffer, RED_INACTIVE);
  }
  if (cache->flags & SLAB_POISON) poison_object(cache, buffer, POISON_FREE);
}

static unsigned long cached_objects(const struct kmem_cache *cache) {
  unsigned long n = cache->lists.shared ? cache->lists.shared->avail : 0;
  for_each_possible_cpu(cpu) n += cache->array[cpu] ? cache->array[cpu]->avail : 0;
  return n;
}

struct kmem_cache_info kmem_cache_info(const struct kmem_cache *cache) {
  return (struct kmem_cache_info){
      .active_objects = cache->active,
      .total_objects = cache->slabs * cache->num,
      .slabs = cache->slabs,
      .cached = cached_objects(cache),
      .allocations = cache->allocations,
      .buffer_size = cache->buffer_size,
      .objects_per_slab = cache->num,
      .order = cache->gfporder,
      .colours = cache->colour,
      .off_slab = cache->off_slab,
  };
}

/// What a walk over lists has counted.
struct tally {
  unsigned long slabs, active, cached, free;
};

/// Walks one list; each slab has to have between `least` and `most` objects off its free list.
static bool check_list(const struct kmem_cache *cache, const struct list_head *head, unsigned least, unsigned most,
                       struct tally *tally) {
  list_for_each(at, head) {
    struct slab *slab = list_entry(at, struct slab, list);
    unsigned free = 0, active = 0, cached = 0;
    for (kmem_bufctl_t i = slab->free; i != BUFCTL_END && free <= cache->num; i = slab_bufctl(slab)[i])
      free++;
    for (unsigned i = 0; i < cache->num; i++) {
      active += slab_bufctl(slab)[i] == BUFCTL_ACTIVE;
      cached += slab_bufctl(slab)[i] == BUFCTL_CACHED;
    }
    if (active + cached != slab->inuse || slab->inuse + free != cache->num) return false;
    if (slab->inuse < least || slab->inuse > most) return false;
    tally->slabs++;
    tally->active += active;
    tally->cached += cached;
    tally->free += free;
  }
  return true;
}

bool kmem_cache_check(const struct kmem_cache *cache) {
  const struct kmem_list3 *l3 = &cache->lists;
  struct tally tally = {0};

  return check_list(cache, &l3->slabs_full, cache->num, cache->num, &tally) &&
         check_list(cache, &l3->slabs_partial, 1, cache->num - 1, &tally) &&
         check_list(cache, &l3->slabs_free, 0, 0, &tally) && tally.slabs == cache->slabs &&
         tally.active == cache->active && tally.cached == cached_objects(cache) && tally.free == l3->free_objects;
}

bool kmem_cache_check_all(void) {
  list_for_each(at, &cache_chain) if (!kmem_cache_check(list_entry(at, struct kmem_cache, next))) return false;
  return true;
}

void show_slabinfo(void) {
  printk("# name            <active> <objects> <objsize> <objperslab> <pagesperslab> : slabs <slabs> <cached>\n");
  list_for_each(at, &cache_chain) {
    const struct kmem_cache *cache = list_entry(at, struct kmem_cache, next);
    if (!cache->slabs) continue;
    printk("%-17s %9lu %9lu %9lu %12u %14lu : slabs %7lu %8lu%s\n", cache->name, cache->active,
           cache->slabs * cache->num, (unsigned long)cache->buffer_size, cache->num, 1UL << cache->gfporder,
           cache->slabs, cached_objects(cache), cache->off_slab ? " off-slab" : "");
  }
}
