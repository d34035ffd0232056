/// Object caches.
#ifndef KERNEL_SLAB_H
#define KERNEL_SLAB_H

#include <kernel/mm.h>

/// Flags of a cache.
enum {
  SLAB_POISON = 1 << 0,        ///< fill free objects, check them upon allocation; not together with a constructor
  SLAB_RED_ZONE = 1 << 1,      ///< a guard word behind each object
  SLAB_HWCACHE_ALIGN = 1 << 2, ///< align to the cache line
};

/// What kmem_cache_info tells.
struct kmem_cache_info {
  unsigned long active_objects, total_objects, slabs;
  unsigned long allocations; ///< ever
  size_t buffer_size;        ///< an object with its guard and padding
  unsigned objects_per_slab, order;
  bool off_slab; ///< the slab's management lies outside of it
};

/// Prepares the caches themselves and those of kmalloc. After mem_init.
void kmem_cache_init(void);

/// A cache of objects of `size` bytes, aligned to `align` (a power of two up to a page; 0: a word). `name` must stay.
/// `ctor` may be NULL; else it is called once for each object when its slab is made, and who frees an object has to
/// leave it as constructed. NULL: no memory, or an impossible size or alignment.
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags,
                                     void (*ctor)(void *object));

/// Frees the cache and its slabs. Returns false, and does nothing, if objects are still in use.
bool kmem_cache_destroy(struct kmem_cache *cache);

/// An object; NULL if there is no memory.
void *kmem_cache_alloc(struct kmem_cache *cache);

/// An object that is not of this cache, or not in use, is reported and left alone.
void kmem_cache_free(struct kmem_cache *cache, void *object);

/// Gives all empty slabs back. Returns how many there were.
unsigned long kmem_cache_shrink(struct kmem_cache *cache);

/// Gives the empty slabs of all caches back. Returns how many there were.
unsigned long kmem_cache_reap(void);

struct kmem_cache_info kmem_cache_info(const struct kmem_cache *cache);

/// Checks lists and counters. Returns false if they contradict each other.
bool kmem_cache_check(const struct kmem_cache *cache);

/// Errors found: bad frees, overwritten guards, objects written after they were freed. Each is also printed.
unsigned long nr_slab_errors(void);

void show_slabinfo(void);

/// `size` bytes: from a cache up to KMALLOC_MAX, as pages beyond that. NULL: no memory, or size 0.
void *kmalloc(size_t size);

/// As kmalloc, and zeroed.
void *kzalloc(size_t size);

/// NULL is ignored.
void kfree(const void *object);

/// How many bytes the block holds that kmalloc gave.
size_t ksize(const void *object);

/// Makes the caches of kmalloc. Called by kmem_cache_init.
void kmalloc_init(void);

enum { KMALLOC_MIN = 32, KMALLOC_MAX = 128 << 10 };

#endif
