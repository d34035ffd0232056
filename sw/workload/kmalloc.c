/// kmalloc: every size class, and random traffic.
#include <kernel/mm.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/workload.h>

enum { OBJECTS = 384 };

static u8 *objects[OBJECTS];

/// What kmalloc.md follows.
static void example(void) {
  volatile u8 *object = need(kmalloc(100, GFP_KERNEL));
  object[99] = 0x42;
  CHECK(ksize((void *)object) == 128 && object[99] == 0x42);
  kfree((void *)object);
}

/// One object of each class and of the sizes next to it, up to what memory allows.
static void sweep(void) {
  unsigned long served = 0, wasted = 0, last = form() == FORM_FULL ? KMALLOC_MAX_SIZE : 64 << 10;

  for (size_t size = 32; size <= last; size += size / 2 >= 32 && size & (size - 1) ? size / 3 : size / 2) {
    for (long delta = -1; delta <= 1; delta++) {
      size_t n = size + (size_t)delta;
      u8 *object = kmalloc(n, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
      if (n > KMALLOC_MAX_SIZE) CHECK(!object);
      if (!object) continue;
      CHECK(ksize(object) >= n && (unsigned long)object % 4 == 0);
      object[0] = object[n - 1] = 0x77;
      served++;
      wasted += (ksize(object) - n) * 1000 / ksize(object);
      kfree(object);
    }
  }
  printk("sweep: %lu sizes served, %lu of 1000 bytes unused on average\n", served, wasted / served);
}

/// Growing and shrinking, zeroed, multiplied, for DMA.
static void variants(void) {
  u8 *object = need(kmalloc(10, GFP_KERNEL));
  u32 sum = 0;

  for (u8 i = 0; i < 10; i++)
    object[i] = i;
  for (size_t size = 20; size < 40000; size *= 3) {
    object = need(krealloc(object, size, GFP_KERNEL));
    for (u8 i = 0; i < 10; i++)
      CHECK(object[i] == i);
  }
  CHECK(krealloc(object, 8, GFP_KERNEL) == object);
  CHECK(!krealloc(object, 0, GFP_KERNEL)); // frees
  CHECK(krealloc(NULL, 0, GFP_KERNEL) == NULL);

  object = need(kzalloc(1000, GFP_KERNEL));
  for (size_t i = 0; i < 1000; i++)
    sum |= object[i];
  CHECK(!sum);
  kfree(object);
  object = need(kcalloc(10, 100, GFP_KERNEL));
  CHECK(!object[0] && !object[999]);
  kfree(object);
  CHECK(!kcalloc(0x10000, 0x10001, GFP_KERNEL)); // the product does not fit
  object = need(kmalloc(300, GFP_DMA));
  CHECK(zone_idx(page_zone(virt_to_page(object))) == ZONE_DMA);
  kfree(object);

  unsigned long errors = nr_slab_errors();
  kfree((void *)0x12345);
  CHECK(nr_slab_errors() == errors + 1);
}

/// Mostly small; now and then hundreds of KiB.
static size_t random_size(void) {
  size_t size = 16 + random_below(48);
  while (size < 256 << 10 && random_below(8) < 5)
    size += size / 2 + random_below((u32)size);
  return size;
}

void workload_kmalloc(void) {
  size_t *sizes;

  example();
  sizes = need(kzalloc(OBJECTS * sizeof(*sizes), GFP_KERNEL));
  sweep();
  variants();
  unsigned long errors = nr_slab_errors();
  for (unsigned long i = rounds(1400); i; i--) {
    u32 at = random_below(OBJECTS / 3);
    u8 *block = objects[at], tag = (u8)(at * 7);
    if (block) {
      size_t size = sizes[at];
      CHECK(block[0] == tag && block[size / 2] == tag && block[size - 1] == tag);
      kfree(block);
      objects[at] = NULL;
    } else {
      size_t size = random_size();
      block = kmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
      objects[at] = block;
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
  CHECK(!kmalloc(0, GFP_KERNEL));
  CHECK(nr_slab_errors() == errors);
  CHECK(kmem_cache_check_all());
}
