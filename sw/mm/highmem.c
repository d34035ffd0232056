/// kmap: places in a page table that all share, limited; who finds none sleeps. kmap_atomic: one place for each use on
/// each processor, at once.
#include <arch/pgtable.h>
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/wait.h>

/// For each place of kmap: 0 free; 1 unused, but a TLB may still know it; n: n - 1 users.
static int pkmap_count[LAST_PKMAP];
static struct page *pkmap_page[LAST_PKMAP];
static unsigned last_pkmap_nr;
static DECLARE_WAIT_QUEUE_HEAD(pkmap_map_wait);

static unsigned long pkmap_addr(unsigned nr) {
  return PKMAP_BASE + nr * PAGE_SIZE;
}

void kmap_init(void) {
  if (!pte_alloc_kernel(PKMAP_BASE) || !pte_alloc_kernel(KMAP_BASE)) panic("no memory for kmap's page tables");
}

/// Frees all places that nobody uses. Only now the TLB has to forget them.
static void flush_all_zero_pkmaps(void) {
  bool flush = false;

  for (unsigned nr = 0; nr < LAST_PKMAP; nr++) {
    if (pkmap_count[nr] != 1) continue;
    pkmap_count[nr] = 0;
    pte_clear(lookup_kernel_pte(pkmap_addr(nr)));
    pkmap_page[nr]->virtual = NULL;
    flush = true;
  }
  if (flush) flush_tlb_kernel_range(PKMAP_BASE, PKMAP_BASE + LAST_PKMAP * PAGE_SIZE);
}

/// A free place, or -1. The search goes round, and flushes each time it begins anew.
static int find_place(void) {
  for (unsigned n = LAST_PKMAP; n; n--) {
    last_pkmap_nr = (last_pkmap_nr + 1) % LAST_PKMAP;
    if (!last_pkmap_nr) flush_all_zero_pkmaps();
    if (!pkmap_count[last_pkmap_nr]) return (int)last_pkmap_nr;
  }
  return -1;
}

static void *kmap_high(struct page *page) {
  while (!page->virtual) {
    int nr = find_place();
    if (nr < 0) {
      wait_event(&pkmap_map_wait, page->virtual || (flush_all_zero_pkmaps(), find_place() >= 0));
      continue;
    }
    set_pte(lookup_kernel_pte(pkmap_addr((unsigned)nr)), pfn_pte(page_to_pfn(page), _PAGE_KERNEL));
    pkmap_count[nr] = 1;
    pkmap_page[nr] = page;
    page->virtual = (void *)pkmap_addr((unsigned)nr);
  }
  pkmap_count[((unsigned long)page->virtual - PKMAP_BASE) >> PAGE_SHIFT]++;
  return page->virtual;
}

void *kmap(struct page *page) {
  might_sleep();
  if (!PageHighMem(page)) return page_address(page);
  enum origin before = origin_enter(ORIGIN_KMAP);
  void *address = kmap_high(page);
  origin_leave(before);
  return address;
}

void kunmap(struct page *page) {
  BUG_ON(in_interrupt());
  if (!PageHighMem(page)) return;
  unsigned nr = (unsigned)(((unsigned long)page->virtual - PKMAP_BASE) >> PAGE_SHIFT);
  BUG_ON(!page->virtual || pkmap_count[nr] < 2);
  if (--pkmap_count[nr] == 1) wake_up(&pkmap_map_wait);
}

unsigned nr_kmaps(void) {
  unsigned n = 0;
  for (unsigned nr = 0; nr < LAST_PKMAP; nr++)
    n += pkmap_count[nr] > 1;
  return n;
}

static unsigned long kmap_atomic_addr(enum km_type type) {
  return KMAP_BASE + (smp_processor_id() * KM_TYPE_NR + type) * PAGE_SIZE;
}

void *kmap_atomic_pfn(unsigned long pfn, enum km_type type) {
  preempt_disable();
  enum origin before = origin_enter(ORIGIN_KMAP);
  unsigned long address = kmap_atomic_addr(type);
  pte_t *pte = lookup_kernel_pte(address);
  BUG_ON(!pte_none(*pte));
  set_pte(pte, pfn_pte(pfn, _PAGE_KERNEL));
  origin_leave(before);
  return (void *)address;
}

void *kmap_atomic(struct page *page, enum km_type type) {
  if (PageHighMem(page)) return kmap_atomic_pfn(page_to_pfn(page), type);
  preempt_disable();
  return lowmem_page_address(page);
}

void kunmap_atomic(void *address, enum km_type type) {
  if ((unsigned long)address >= KMAP_BASE) {
    enum origin before = origin_enter(ORIGIN_KMAP);
    BUG_ON((unsigned long)address != kmap_atomic_addr(type));
    pte_clear(lookup_kernel_pte((unsigned long)address));
    flush_tlb_one((unsigned long)address);
    origin_leave(before);
  }
  preempt_enable();
}
