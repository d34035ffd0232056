/// kmalloc: a cache for each power of two from 32 bytes to 4 MiB, and one for what lies between where much is asked
/// for. Each has a twin in ZONE_DMA.
#include "slab_priv.h"
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/string.h>

static struct cache_sizes {
  size_t size;
  const char *name, *name_dma;
  struct kmem_cache *cachep, *dmacachep;
} malloc_sizes[] = {
    {32, "size-32", "size-32(DMA)", NULL, NULL},
    {64, "size-64", "size-64(DMA)", NULL, NULL},
    {96, "size-96", "size-96(DMA)", NULL, NULL},
    {128, "size-128", "size-128(DMA)", NULL, NULL},
    {192, "size-192", "size-192(DMA)", NULL, NULL},
    {256, "size-256", "size-256(DMA)", NULL, NULL},
    {512, "size-512", "size-512(DMA)", NULL, NULL},
    {1024, "size-1024", "size-1024(DMA)", NULL, NULL},
    {2048, "size-2048", "size-2048(DMA)", NULL, NULL},
    {4096, "size-4096", "size-4096(DMA)", NULL, NULL},
    {8192, "size-8192", "size-8192(DMA)", NULL, NULL},
    {16384, "size-16384", "size-16384(DMA)", NULL, NULL},
    {32768, "size-32768", "size-32768(DMA)", NULL, NULL},
    {65536, "size-65536", "size-65536(DMA)", NULL, NULL},
    {131072, "size-131072", "size-131072(DMA)", NULL, NULL},
    {262144, "size-262144", "size-262144(DMA)", NULL, NULL},
    {524288, "size-524288", "size-524288(DMA)", NULL, NULL},
    {1048576, "size-1048576", "size-1048576(DMA)", NULL, NULL},
    {2097152, "size-2097152", "size-2097152(DMA)", NULL, NULL},
    {KMALLOC_MAX_SIZE, "size-4194304", "size-4194304(DMA)", NULL, NULL},
};

void kmalloc_init(void) {
  // Ascending: the large ones keep their management in objects of the small ones.
  for (size_t i = 0; i < ARRAY_SIZE(malloc_sizes); i++) {
    struct cache_sizes *at = &malloc_sizes[i];
    unsigned flags = SLAB_PANIC | (at->size <= PAGE_SIZE ? SLAB_POISON : 0);
    at->cachep = kmem_cache_create(at->name, at->size, 0, flags, NULL);
    at->dmacachep = kmem_cache_create(at->name_dma, at->size, 0, flags | SLAB_CACHE_DMA, NULL);
  }
}

void *kmalloc(size_t size, gfp_t flags) {
  const struct cache_sizes *at = malloc_sizes;

  if (!size || size > KMALLOC_MAX_SIZE) return NULL;
  enum origin before = origin_enter(ORIGIN_KMALLOC);
  while (size > at->size)
    at++;
  void *object = kmem_cache_alloc(flags & __GFP_DMA ? at->dmacachep : at->cachep, flags);
  origin_leave(before);
  return object;
}

void *kzalloc(size_t size, gfp_t flags) {
  void *object = kmalloc(size, flags & ~(gfp_t)__GFP_ZERO);
  return object ? memset(object, 0, size) : NULL;
}

void *kcalloc(size_t n, size_t size, gfp_t flags) {
  if (size && n > (size_t)-1 / size) return NULL;
  return kzalloc(n * size, flags);
}

size_t ksize(const void *object) {
  return object ? kmem_cache_size(page_get_cache(virt_to_page(object))) : 0;
}

void *krealloc(const void *object, size_t size, gfp_t flags) {
  if (!size) {
    kfree(object);
    return NULL;
  }
  size_t old = ksize(object);
  if (size <= old) return (void *)object;
  void *larger = kmalloc(size, flags);
  if (larger && object) {
    memcpy(larger, object, old);
    kfree(object);
  }
  return larger;
}

void kfree(const void *object) {
  if (!object) return;
  struct page *page = virt_addr_valid(object) ? virt_to_page(object) : NULL;

  if (!page || !PageSlab(page)) {
    slab_error(malloc_sizes[0].cachep, "kfree of what kmalloc did not give");
    return;
  }
  enum origin before = origin_enter(ORIGIN_KMALLOC);
  kmem_cache_free(page_get_cache(page), (void *)object);
  origin_leave(before);
}
