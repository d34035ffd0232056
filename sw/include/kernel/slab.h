/// Object caches and kmalloc. As in Linux 2.6 ("linux/slab.h").
#ifndef KERNEL_SLAB_H
#define KERNEL_SLAB_H

#include <kernel/gfp.h>

struct kmem_cache;

/// Flags of a cache.
enum {
  SLAB_POISON = 1 << 0,          ///< fill free objects, check them upon allocation; not together with a constructor
  SLAB_RED_ZONE = 1 << 1,        ///< a guard word before and behind each object
  SLAB_HWCACHE_ALIGN = 1 << 2,   ///< align to the cache line
  SLAB_CACHE_DMA = 1 << 3,       ///< from ZONE_DMA
  SLAB_RECLAIM_ACCOUNT = 1 << 4, ///< a shrinker can empty it
  SLAB_PANIC = 1 << 5,           ///< panic if it cannot be made
};

/// What kmem_cache_info tells.
struct kmem_cache_info {
  unsigned long active_objects; ///< in users' hands
  unsigned long total_objects, slabs;
  unsigned long cached;      ///< free objects on the lists of processors
  unsigned long allocations; ///< ever
  size_t buffer_size;        ///< an object with its guards and padding
  unsigned objects_per_slab, order, colours;
  bool off_slab; ///< the slab's management lies outside of it
};

/// Prepares the caches themselves and those of kmalloc. After mem_init.
void kmem_cache_init(void);

/// A cache of objects of `size` bytes, aligned to `align` (a power of two up to a page; 0: a word). `name` must stay.
/// `ctor` may be NULL; else it is called once for each object when its slab is made, and who frees an object has to
/// leave it as constructed. NULL: no memory, or an impossible size or alignment.
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *object));

/// Frees the cache and its slabs. If objects are still in use that is reported and nothing is done.
void kmem_cache_destroy(struct kmem_cache *cache);

/// An object; NULL if there is no memory. Effects: may sleep with __GFP_WAIT.
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags);

/// An object that is not of this cache, or not in use, is reported and left alone.
void kmem_cache_free(struct kmem_cache *cache, void *object);

/// Gives all free slabs back, those on processors' lists too. Returns 0 if no slab is left.
int kmem_cache_shrink(struct kmem_cache *cache);

/// Under memory pressure: gives the free slabs of all caches back. Returns how many pages that were.
unsigned long kmem_cache_reap(void);

size_t kmem_cache_size(const struct kmem_cache *cache);
const char *kmem_cache_name(const struct kmem_cache *cache);
struct kmem_cache_info kmem_cache_info(const struct kmem_cache *cache);

/// Checks lists and counters. Returns false if they contradict each other.
bool kmem_cache_check(const struct kmem_cache *cache);

/// The same of all caches, kmalloc's too.
bool kmem_cache_check_all(void);

/// Errors found: bad frees, overwritten guards, objects written after they were freed. Each is also printed.
unsigned long nr_slab_errors(void);

/// As /proc/slabinfo, caches without slabs left out.
void show_slabinfo(void);

enum { KMALLOC_MIN_SIZE = 32, KMALLOC_MAX_SIZE = 4 << 20 };

/// `size` bytes from the smallest cache that has room; with __GFP_DMA from ZONE_DMA. NULL: no memory, size 0 or more
/// than KMALLOC_MAX_SIZE.
void *kmalloc(size_t size, gfp_t flags);

/// As kmalloc, and zeroed.
void *kzalloc(size_t size, gfp_t flags);

/// `n` zeroed elements of `size` bytes. NULL also if the product overflows.
void *kcalloc(size_t n, size_t size, gfp_t flags);

/// As kmalloc, with the content of `object`, which is then freed unless NULL is returned. `object` NULL: as kmalloc;
/// size 0: as kfree.
void *krealloc(const void *object, size_t size, gfp_t flags);

/// NULL is ignored.
void kfree(const void *object);

/// How many bytes may be used of what kmalloc gave.
size_t ksize(const void *object);

#endif
