/// Random traffic on object caches of several kinds.
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/workload.h>

enum { OBJECTS = 384, CONSTRUCTED = 0x0BADCAFE };

static unsigned long constructed;

static void construct(void *object) {
  *(u32 *)object = CONSTRUCTED;
  constructed++;
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
      object = need(kmem_cache_alloc(cache, i % 16 ? GFP_KERNEL : GFP_ATOMIC));
      CHECK((unsigned long)object % (align ? align : sizeof(long)) == 0);
      if (ctor) CHECK(*object == CONSTRUCTED);
      object[0] = i;
      set_tags(object, size, at);
      objects[at] = object;
      live++;
    }
    if (i % 128 == 0) switch_cpu(random_below(nr_cpu_ids));
  }
  struct kmem_cache_info info = kmem_cache_info(cache);
  CHECK(kmem_cache_check(cache) && info.active_objects == live);
  printk("%-9s %5lu bytes, align %2lu: %2u of %4lu in a slab of %2u pages, %u colours%s\n", name, (unsigned long)size,
         (unsigned long)align, info.objects_per_slab, (unsigned long)info.buffer_size, 1U << info.order, info.colours,
         info.off_slab ? ", off-slab" : "");
  for (u32 at = 0; at < limit; at++) {
    if (!objects[at]) continue;
    CHECK(objects[at][1] == at);
    if (ctor) *objects[at] = CONSTRUCTED;
    kmem_cache_free(cache, objects[at]);
    objects[at] = NULL;
  }
  CHECK(!kmem_cache_shrink(cache));
  kmem_cache_destroy(cache);
}

/// Objects of different slabs begin at different offsets.
static void colours(void) {
  struct kmem_cache *cache = need(kmem_cache_create("coloured", 72, 0, 0, NULL));
  struct kmem_cache_info info = kmem_cache_info(cache);
  unsigned n = (unsigned)min_ul(info.colours, 4) * info.objects_per_slab;
  u32 seen = 0;
  void **all = need(kcalloc(n, sizeof(*all), GFP_KERNEL));

  for (unsigned i = 0; i < n; i++) {
    all[i] = need(kmem_cache_alloc(cache, GFP_KERNEL));
    seen |= 1U << (((unsigned long)all[i] % PAGE_SIZE) / 4 % 32); // the residue of the first one differs by colour
  }
  CHECK(info.colours > 1 && kmem_cache_info(cache).slabs == n / info.objects_per_slab && seen);
  CHECK(!kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NO_GROW)); // full, and may not grow
  for (unsigned i = 0; i < n; i++)
    kmem_cache_free(cache, all[i]);
  kfree(all);
  kmem_cache_destroy(cache);
}

/// The allocator has to notice these.
static void planted_errors(void) {
  struct kmem_cache *cache = need(kmem_cache_create("planted", 60, 0, SLAB_POISON | SLAB_RED_ZONE, NULL));
  unsigned long errors = nr_slab_errors();
  u32 *object = need(kmem_cache_alloc(cache, GFP_KERNEL));

  kmem_cache_free(cache, object + 1);     // inside
  kmem_cache_free(cache, (void *)0x1000); // nowhere
  kmem_cache_destroy(cache);              // in use
  CHECK(nr_slab_errors() == errors + 3);
  u32 guard = object[15];
  object[15] = 0;
  kmem_cache_free(cache, object); // with a broken guard behind
  kmem_cache_free(cache, object); // twice
  CHECK(nr_slab_errors() == errors + 5 && guard);
  object[3] = 0; // after the free
  CHECK(kmem_cache_alloc(cache, GFP_KERNEL) == object);
  CHECK(nr_slab_errors() == errors + 6);
  object[-1] = 0;
  kmem_cache_free(cache, object); // with a broken guard before
  CHECK(nr_slab_errors() == errors + 7);
  CHECK(kmem_cache_check(cache));
  kmem_cache_destroy(cache);
}

void workload_slab(void) {
  constructed = 0;
  traffic("tiny", 12, 0, SLAB_POISON, NULL);
  traffic("guarded", 52, 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  traffic("aligned", 100, 64, SLAB_POISON | SLAB_RED_ZONE, NULL);
  traffic("made", 192, 0, SLAB_HWCACHE_ALIGN, construct);
  traffic("off-slab", 700, 0, SLAB_RED_ZONE, construct);
  traffic("large", 3000, 0, 0, NULL);
  traffic("huge", 20000, 0, 0, NULL);
  CHECK(constructed);
  colours();
  planted_errors();
}
