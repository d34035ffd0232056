/// What the files of the slab allocator share.
#ifndef MM_SLAB_PRIV_H
#define MM_SLAB_PRIV_H

#include <kernel/mm.h>
#include <kernel/slab.h>

/// The free list of a slab: bufctl[i] is the index of the free object after object i; or who has it.
typedef u32 kmem_bufctl_t;
static const kmem_bufctl_t BUFCTL_END = ~0U;        ///< the last one
static const kmem_bufctl_t BUFCTL_ACTIVE = ~0U - 1; ///< in a user's hands
static const kmem_bufctl_t BUFCTL_CACHED = ~0U - 2; ///< free, on a processor's list
enum { SLAB_LIMIT = 0xFFFFF };

/// Management of a slab: at its beginning, or off-slab, in an object of another cache.
struct slab {
  struct list_head list;   ///< in one of the cache's three lists
  unsigned long colouroff; ///< bytes before the management or the first object
  char *s_mem;             ///< the first object
  unsigned inuse;          ///< objects not on the free list below
  kmem_bufctl_t free;      ///< the first free object
};                         // followed by kmem_bufctl_t[num]

/// Free objects that a processor, or all of them together, keep at hand; the last one freed is taken first.
struct array_cache {
  unsigned avail, limit, batchcount;
  bool touched; ///< used since the last reap
  void *entry[];
};

/// The slabs of a node.
struct kmem_list3 {
  struct list_head slabs_partial, slabs_full, slabs_free;
  unsigned long free_objects;
  struct array_cache *shared; ///< between this node's processors; NULL: none
};

struct kmem_cache {
  struct array_cache *array[NR_CPUS]; ///< NULL: not yet
  struct kmem_list3 lists;            ///< of the only node
  size_t buffer_size;                 ///< an object with guards and padding
  size_t object_size, align, object_offset;
  unsigned flags, num, gfporder;
  gfp_t gfpflags;
  bool off_slab;
  unsigned colour, colour_next; ///< different offsets that fit in what is left of a slab
  size_t colour_off;            ///< their unit
  size_t slab_size;             ///< bytes of the management
  void (*ctor)(void *object);
  const char *name;
  struct list_head next; ///< in cache_chain
  unsigned long active, slabs, allocations;
};

extern struct list_head cache_chain;

static inline size_t slab_mgmt_size(unsigned num) {
  return sizeof(struct slab) + num * sizeof(kmem_bufctl_t);
}
static inline kmem_bufctl_t *slab_bufctl(struct slab *slab) {
  return (kmem_bufctl_t *)(slab + 1);
}
static inline void *index_to_obj(const struct kmem_cache *cache, const struct slab *slab, unsigned index) {
  return slab->s_mem + index * cache->buffer_size;
}

/// Cache and slab of a slab's page lie where others have the list.
static inline struct kmem_cache *page_get_cache(const struct page *page) {
  return (struct kmem_cache *)page->lru.next;
}
static inline struct slab *page_get_slab(const struct page *page) {
  return (struct slab *)page->lru.prev;
}

/// slab_create.c: sizes and colours of a cache that is all zero. Returns false if that cannot be.
bool cache_setup(struct kmem_cache *cache, const char *name, size_t size, size_t align, unsigned flags,
                 void (*ctor)(void *object));
/// Gives the cache its lists of processors. Returns false if there is no memory.
bool enable_cpucache(struct kmem_cache *cache);

/// slab_grow.c: adds a free slab. Returns false if there is no memory.
bool cache_grow(struct kmem_cache *cache, gfp_t flags);
/// Gives a free slab back.
void slab_destroy(struct kmem_cache *cache, struct slab *slab);

/// slab.c: empties the processors' lists into the slabs.
void drain_cpu_caches(struct kmem_cache *cache);

/// slab_debug.c: reports and counts an error.
void slab_error(const struct kmem_cache *cache, const char *why);
/// An object's poison and guards: of a new slab, upon allocation, upon free, and for a check of a free one.
void slab_init_object(const struct kmem_cache *cache, char *buffer);
void slab_take_object(const struct kmem_cache *cache, char *buffer);
void slab_put_object(const struct kmem_cache *cache, char *buffer);
void slab_check_free_object(const struct kmem_cache *cache, const char *buffer);

/// kmalloc.c
void kmalloc_init(void);

#endif
