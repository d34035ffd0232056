/// kmalloc: a cache for each power of two.
#include <kernel/kernel.h>
#include <kernel/slab.h>
#include <kernel/string.h>

static struct cache_sizes {
  size_t size;
  const char *name;
  struct kmem_cache *cache;
} malloc_sizes[] = {
    {32, "size-32", NULL},
    {64, "size-64", NULL},
    {128, "size-128", NULL},
    {256, "size-256", NULL},
    {512, "size-512", NULL},
    {1024, "size-1024", NULL},
    {2048, "size-2048", NULL},
    {4096, "size-4096", NULL},
    {8192, "size-8192", NULL},
    {16384, "size-16384", NULL},
    {32768, "size-32768", NULL},
    {65536, "size-65536", NULL},
    {KMALLOC_MAX, "size-131072", NULL},
};

void kmalloc_init(void) {
  // Ascending: the large ones keep their management in objects of the small ones.
  for (size_t i = 0; i < ARRAY_SIZE(malloc_sizes); i++) {
    malloc_sizes[i].cache = kmem_cache_create(malloc_sizes[i].name, malloc_sizes[i].size, 0, SLAB_POISON, NULL);
    if (!malloc_sizes[i].cache) panic("no memory for kmalloc's caches");
  }
}

void *kmalloc(size_t size) {
  unsigned order = 0;

  if (!size) return NULL;
  for (size_t i = 0; i < ARRAY_SIZE(malloc_sizes); i++)
    if (size <= malloc_sizes[i].size) return kmem_cache_alloc(malloc_sizes[i].cache);
  while (PAGE_SIZE << order < size)
    if (++order >= MAX_ORDER) return NULL;
  return (void *)__get_free_pages(GFP_KERNEL, order);
}

void *kzalloc(size_t size) {
  void *object = kmalloc(size);
  return object ? memset(object, 0, size) : NULL;
}

size_t ksize(const void *object) {
  const struct page *page = virt_to_page(object);

  if (page->flags & PG_SLAB) return kmem_cache_info(page->cache).buffer_size;
  return PAGE_SIZE << page->order;
}

void kfree(const void *object) {
  if (!object) return;
  struct page *page = virt_to_page(object);
  if (page->flags & PG_SLAB)
    kmem_cache_free(page->cache, (void *)object);
  else
    __free_pages(page, page->order);
}
