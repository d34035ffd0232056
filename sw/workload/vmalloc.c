/// Pointer chasing over more pages than a TLB holds.
#include <arch/traps.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
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
  u32 *order = need(kmalloc(n * sizeof(*order)));
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
      areas[at] = need(vmalloc(words[at] * 4));
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
  unsigned long before = fault_stats.vmalloc;

  set_pgd(pgd_offset(mm->pgd, (unsigned long)area), (pgd_t){0});
  *area = 0x600DF00D;
  switch_mm(mm);
  flush_tlb_one((unsigned long)area);
  CHECK(*(volatile u32 *)area == 0x600DF00D);
  CHECK(fault_stats.vmalloc == before + 1);
  switch_mm(NULL);
  mm_free(mm);
  vfree(area);
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
}
