/// Pointer chasing over more pages than a TLB holds.
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/mm.h>
#include <kernel/mmap.h>
#include <kernel/slab.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

/// One node in each page, at a different offset in each, so that they do not share cache lines or bit patterns.
struct node {
  struct node *next;
  u32 key;
};

static struct node *node_of(char *area, u32 page) {
  return (struct node *)(area + page * PAGE_SIZE + page * 40 % (PAGE_SIZE - 64) / 8 * 8);
}

/// Links the nodes in one random cycle (Sattolo's algorithm), and walks it round and round.
static void chase(char *area, u32 n, unsigned long steps) {
  u32 *order = need(kmalloc(n * sizeof(*order), GFP_KERNEL));
  u32 expected = 0, sum = 0;

  for (u32 i = 0; i < n; i++)
    order[i] = i;
  for (u32 i = n - 1; i > 0; i--) {
    u32 j = random_below(i), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  for (u32 i = 0; i < n; i++) {
    struct node *node = node_of(area, order[i]);
    node->next = node_of(area, order[(i + 1) % n]);
    node->key = random_u32();
    expected += node->key;
  }
  kfree(order);

  struct node *at = node_of(area, 0);
  unsigned long turns = steps / n + 1;
  for (unsigned long i = turns * n; i; i--) {
    sum += at->key;
    at = at->next;
  }
  CHECK(at == node_of(area, 0));
  CHECK(sum == expected * (u32)turns);
}

/// Many small areas, made and given back in random order: no two may overlap.
static void many_areas(void) {
  enum { AREAS = 32 };
  u32 *areas[AREAS] = {NULL}, words[AREAS] = {0};

  for (unsigned long i = rounds(300); i; i--) {
    u32 at = random_below(AREAS);
    if (areas[at]) {
      CHECK(areas[at][0] == at && areas[at][words[at] - 1] == at);
      vfree(areas[at]);
      areas[at] = NULL;
    } else {
      words[at] = 2 + random_below(4 * PAGE_SIZE / 4);
      areas[at] = need(vzalloc(words[at] * 4));
      CHECK(!areas[at][0] && !areas[at][words[at] - 1]);
      areas[at][0] = areas[at][words[at] - 1] = at;
    }
  }
  for (u32 at = 0; at < AREAS; at++)
    vfree(areas[at]);
}

/// A page directory made before its part of the vmalloc area existed gets the entry upon the first touch.
static void other_directory(void) {
  struct mm_struct *mm = need(mm_alloc());
  u32 *area = need(vmalloc(PAGE_SIZE));
  unsigned long before = fault_stats.vmalloc, address = (unsigned long)area;

  pmd_clear(pmd_offset(pud_offset(pgd_offset(mm, address), address), address));
  *area = 0x600DF00D;
  switch_mm(mm);
  flush_tlb_one(address);
  CHECK(*(volatile u32 *)area == 0x600DF00D);
  CHECK(fault_stats.vmalloc == before + 1);
  switch_mm(&init_mm);
  mmput(mm);
  vfree(area);
}

/// The page behind an area is never mapped, and what was freed is no longer.
static void guard_pages(void) {
  unsigned long area = (unsigned long)need(vmalloc(3 * PAGE_SIZE));
  u32 value;

  CHECK(try_write32(area + 3 * PAGE_SIZE - 4, 1));
  CHECK(!try_write32(area + 3 * PAGE_SIZE, 1) && last_fixup.address == area + 3 * PAGE_SIZE);
  CHECK(!try_read32(area + 3 * PAGE_SIZE - 2, &value) && last_fixup.address == area + 3 * PAGE_SIZE);
  CHECK(vmalloc_to_page((void *)area) && !vmalloc_to_page((void *)(area + 3 * PAGE_SIZE)));
  vfree((void *)area);
  CHECK(!try_read32(area, &value) && last_fixup.error_code == 0);
  CHECK(!vmalloc_to_page((void *)area));
}

/// The same pages twice, in another order.
static void aliases(void) {
  enum { N = 8 };
  struct page *forth[N], *back[N];

  for (u32 i = 0; i < N; i++)
    back[N - 1 - i] = forth[i] = need(alloc_page(GFP_KERNEL | __GFP_HIGHMEM));
  u32 *a = need(vmap(forth, N, 0, _PAGE_KERNEL)), *b = need(vmap(back, N, 0, _PAGE_KERNEL));
  for (u32 i = 0; i < N; i++)
    a[i * PAGE_SIZE / 4 + i] = i + 1;
  for (u32 i = 0; i < N; i++)
    CHECK(b[(N - 1 - i) * PAGE_SIZE / 4 + i] == i + 1);
  vunmap(a);
  CHECK(b[(N - 1) * PAGE_SIZE / 4] == 1);
  vunmap(b);
  for (u32 i = 0; i < N; i++)
    __free_page(forth[i]);
}

/// What was not allocated cannot be freed.
static void planted_errors(void) {
  unsigned long errors = nr_vmalloc_errors();
  char *area = need(vmalloc(2 * PAGE_SIZE));

  vfree(area + PAGE_SIZE);
  vunmap(area);
  CHECK(nr_vmalloc_errors() == errors + 2);
  vfree(area);
  vfree(area);
  CHECK(nr_vmalloc_errors() == errors + 3);
  CHECK(!vmalloc(0) && !vmalloc(1UL << 30));
}

void workload_vmalloc(void) {
  u32 n = (u32)pages(1600, 2);
  char *area = need(vmalloc(n * PAGE_SIZE));

  CHECK((unsigned long)area >= VMALLOC_START);
  chase(area, n, rounds(160000));
  chase(area, (u32)min_ul(n, 48), rounds(100000)); // a little more than a small TLB
  vfree(area);
  many_areas();
  other_directory();
  guard_pages();
  aliases();
  planted_errors();
}
