/// What the files of the slab allocator share.
#ifndef MM_SLAB_PRIV_H
#define MM_SLAB_PRIV_H

#include <kernel/slab.h>

/// The free list of a slab: bufctl[i] is the index of the free object after object i.
typedef u16 kmem_bufctl_t;
enum { BUFCTL_END = 0xFFFF, BUFCTL_ACTIVE = 0xFFFE, SLAB_LIMIT = 0xFFF0 };

struct slab {
  struct list_head list; ///< in one of the cache's three lists
  struct page *pages;    ///< the block
  char *s_mem;           ///< the first object
  unsigned inuse;        ///< objects given out
  unsigned free;         ///< the first free object, or BUFCTL_END
};                       // followed by kmem_bufctl_t[num]

struct kmem_cache {
  const char *name;
  struct list_head next; ///< in cache_chain
  struct list_head partial, full, empty;
  size_t object_size, buffer_size, align;
  unsigned flags;
  unsigned num;      ///< objects in a slab
  unsigned order;    ///< of a slab's block
  size_t management; ///< bytes before the first object; 0 if off-slab
  bool off_slab;
  unsigned colours, colour_next; ///< objects of different slabs start at different offsets
  void (*ctor)(void *object);
  unsigned long active, slabs, allocations;
};

static inline size_t slab_management_size(unsigned num) {
  return sizeof(struct slab) + num * sizeof(kmem_bufctl_t);
}
static inline kmem_bufctl_t *slab_bufctl(struct slab *slab) {
  return (kmem_bufctl_t *)(slab + 1);
}

/// Reports and counts an error.
void slab_error(const struct kmem_cache *cache, const char *why);

/// An object's poison and guard: of a new slab, upon allocation, upon free, and for a check of a free one.
void slab_init_object(const struct kmem_cache *cache, char *object);
void slab_take_object(const struct kmem_cache *cache, char *object);
void slab_put_object(const struct kmem_cache *cache, char *object);
void slab_check_free_object(const struct kmem_cache *cache, const char *object);

#endif
