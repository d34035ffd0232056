/// Random traffic on object caches of several kinds, and on kmalloc.
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/workload.h>

enum { OBJECTS = 384, CONSTRUCTED = 0x0BADCAFE };

static void construct(void *object) {
  *(u32 *)object = CONSTRUCTED;
}

/// Objects in use; their second and last words hold tags.
static u32 *objects[OBJECTS];

static void set_tags(u32 *object, size_t size, u32 tag) {
  object[1] = tag;
  object[size / 4 - 1] = tag;
}

static void traffic(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *)) {
  struct kmem_cache *cache = need(kmem_cache_create(name, size, align, flags, ctor));
  unsigned limit = (unsigned)min_ul(OBJECTS, max_ul(nr_free_pages() * PAGE_SIZE / 4 / size, 1));
  unsigned long live = 0;

  for (unsigned long i = rounds(1000); i; i--) {
    u32 at = random_below(limit);
    u32 *object = objects[at];
    if (object) {
      CHECK(object[1] == at && object[size / 4 - 1] == at);
      if (ctor) *object = CONSTRUCTED;
      kmem_cache_free(cache, object);
      objects[at] = NULL;
      live--;
    } else {
      object = need(kmem_cache_alloc(cache));
      CHECK((unsigned long)object % (align ? align : sizeof(long)) == 0);
      if (ctor) CHECK(*object == CONSTRUCTED);
      object[0] = i;
      set_tags(object, size, at);
      objects[at] = object;
      live++;
    }
  }
  CHECK(kmem_cache_check(cache) && kmem_cache_info(cache).active_objects == live);
  for (u32 at = 0; at < limit; at++) {
    if (!objects[at]) continue;
    CHECK(objects[at][1] == at);
    if (ctor) *objects[at] = CONSTRUCTED;
    kmem_cache_free(cache, objects[at]);
    objects[at] = NULL;
  }
  CHECK(kmem_cache_destroy(cache));
}

/// The allocator has to notice these.
static void planted_errors(void) {
  struct kmem_cache *cache = need(kmem_cache_create("planted", 60, 0, SLAB_POISON | SLAB_RED_ZONE, NULL));
  unsigned long errors = nr_slab_errors();
  u32 *object = need(kmem_cache_alloc(cache));

  kmem_cache_free(cache, object + 1); // inside
  CHECK(!kmem_cache_destroy(cache));
  CHECK(nr_slab_errors() == errors + 2);
  u32 guard = object[15];
  object[15] = 0;
  kmem_cache_free(cache, object); // with a broken guard
  kmem_cache_free(cache, object); // twice
  CHECK(nr_slab_errors() == errors + 4 && guard);
  object[3] = 0; // after the free
  CHECK(kmem_cache_alloc(cache) == object);
  CHECK(nr_slab_errors() == errors + 5);
  kmem_cache_free(cache, object);
  CHECK(kmem_cache_check(cache));
  CHECK(kmem_cache_destroy(cache));
}

void workload_slab(void) {
  traffic("tiny", 12, 0, SLAB_POISON, NULL);
  traffic("guarded", 52, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  traffic("aligned", 100, 64, SLAB_POISON | SLAB_RED_ZONE, NULL);
  traffic("made", 192, 0, SLAB_HWCACHE_ALIGN, construct);
  traffic("off-slab", 700, 0, SLAB_RED_ZONE, construct);
  traffic("large", 3000, 0, 0, NULL);
  planted_errors();
}

/// Mostly small; up to twice what the caches serve.
static size_t random_size(void) {
  size_t size = 16 + random_below(48);
  while (size < 2 * KMALLOC_MAX && random_below(8) < 5)
    size += size / 2 + random_below((u32)size);
  return size;
}

void workload_kmalloc(void) {
  unsigned long errors = nr_slab_errors();
  size_t *sizes = need(kzalloc(OBJECTS * sizeof(*sizes)));

  for (unsigned long i = rounds(1400); i; i--) {
    u32 at = random_below(OBJECTS / 3);
    u8 *block = (u8 *)objects[at], tag = (u8)(at * 7);
    if (block) {
      size_t size = sizes[at];
      CHECK(block[0] == tag && block[size / 2] == tag && block[size - 1] == tag);
      kfree(block);
      objects[at] = NULL;
    } else {
      size_t size = random_size();
      block = kmalloc(size);
      objects[at] = (u32 *)block;
      if (!block) continue; // with little RAM large blocks run out
      CHECK(ksize(block) >= size);
      sizes[at] = size;
      memset(block, tag, min_ul(size, 512));
      block[size / 2] = block[size - 1] = tag;
    }
  }
  for (u32 at = 0; at < OBJECTS; at++) {
    kfree(objects[at]);
    objects[at] = NULL;
  }
  kfree(sizes);
  kfree(NULL);
  CHECK(!kmalloc(0));
  CHECK(nr_slab_errors() == errors);
}
