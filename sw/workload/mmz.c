/// Media memory: blocks of the kernel's and of processes.
#include "programs.h"
#include <kernel/boot.h>
#include <kernel/errno.h>
#include <kernel/mm.h>
#include <kernel/mmz.h>
#include <kernel/workload.h>

enum { BLOCKS = 24 };

static hil_mmb_t *blocks[BLOCKS];

/// Writes and reads a block through a mapping, cached or not.
static void use(hil_mmb_t *mmb, u32 tag) {
  bool cached = tag & 1;
  u32 *word = cached ? hil_mmb_map2kern_cached(mmb) : hil_mmb_map2kern(mmb);
  u32 *again = cached ? hil_mmb_map2kern_cached(mmb) : hil_mmb_map2kern(mmb);

  if (!CHECK(word && again == word)) return;
  CHECK(!(cached ? hil_mmb_map2kern(mmb) : hil_mmb_map2kern_cached(mmb))); // one way at a time
  for (unsigned long at = 0; at < mmb->length; at += PAGE_SIZE)
    word[at / 4] = tag + at;
  for (unsigned long at = 0; at < mmb->length; at += PAGE_SIZE)
    CHECK(word[at / 4] == tag + at);
  hil_mmb_unmap(mmb);
  CHECK(word[0] == tag); // the first mapping is still there
  hil_mmb_unmap(mmb);
}

/// No two blocks overlap, and each lies in its zone.
static void look_at_all(void) {
  for (int i = 0; i < BLOCKS; i++) {
    const hil_mmb_t *a = blocks[i];
    if (!a) continue;
    CHECK(a->phys_addr >= a->zone->phys_start && a->phys_addr + a->length <= a->zone->phys_start + a->zone->nbytes);
    CHECK(hil_mmb_getby_phys(a->phys_addr + a->length - 1) == a);
    for (int j = 0; j < i; j++)
      if (blocks[j])
        CHECK(a->phys_addr + a->length <= blocks[j]->phys_addr ||
              blocks[j]->phys_addr + blocks[j]->length <= a->phys_addr);
  }
}

static void traffic(void) {
  static const char *const names[] = {"VO", "VI", "VENC", "VDEC", "ISP", "AO"};
  unsigned long refused = 0;

  for (unsigned long i = rounds(240) + 10; i; i--) {
    u32 at = random_below(BLOCKS);
    if (blocks[at]) {
      CHECK(hil_mmb_free(blocks[at]) == 0);
      blocks[at] = NULL;
      continue;
    }
    unsigned long size = 1 + random_below(40 * PAGE_SIZE), align = PAGE_SIZE << random_below(5),
                  gfp = random_below(4) == 0;
    blocks[at] = hil_mmb_alloc(names[at % ARRAY_SIZE(names)], size, align, gfp, NULL);
    if (!blocks[at]) {
      refused++;
      continue;
    }
    CHECK(blocks[at]->phys_addr % align == 0 && blocks[at]->length >= size);
    use(blocks[at], random_u32());
    if (i % 16 == 0) look_at_all();
  }
  look_at_all();
  show_media_mem();
  printk("%lu requests refused\n", refused);
  for (int i = 0; i < BLOCKS; i++) {
    if (blocks[i]) CHECK(hil_mmb_free(blocks[i]) == 0);
    blocks[i] = NULL;
  }
}

/// References, names, what is refused.
static void rules(void) {
  hil_mmb_t *mmb = need(hil_mmb_alloc("rules", 3 * PAGE_SIZE, 0, 0, "anonymous"));

  CHECK(!hil_mmb_alloc("rules", PAGE_SIZE, 0, 1, "anonymous")); // that zone is of another kind
  CHECK(!hil_mmb_alloc("rules", PAGE_SIZE, 0, 0, "nothing"));
  CHECK(!hil_mmb_alloc("rules", 0, 0, 0, NULL) && !hil_mmb_alloc("rules", 1UL << 30, 0, 0, NULL));
  hil_mmb_get(mmb);
  CHECK(hil_mmb_put(mmb) == 0 && hil_mmb_getby_phys(mmb->phys_addr) == mmb);
  CHECK(hil_mmb_map2kern(mmb) && hil_mmb_free(mmb) == -EBUSY);
  CHECK(hil_mmz_destroy(mmb->zone) == -EBUSY);
  CHECK(!hil_mmz_create("overlap", 0, mmb->zone->phys_start + PAGE_SIZE, PAGE_SIZE));
  hil_mmb_unmap(mmb);
  CHECK(hil_mmb_free(mmb) == 0);
}

void workload_mmz(void) {
  if (!mmz_total()) {
    printk("mmz: no memory was kept\n");
    return;
  }
  traffic();
  rules();
  start_program("mmz", rounds(20) + 4);
  start_program("mmz", rounds(20) + 5);
  await_programs(2);
  CHECK(!mmz_blocks() && !mmz_used()); // what the processes held is free
}
