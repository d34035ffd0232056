/// Mapping pages that have no kernel address. As in Linux 2.6 ("linux/highmem.h").
#ifndef KERNEL_HIGHMEM_H
#define KERNEL_HIGHMEM_H

#include <kernel/mm.h>
#include <kernel/string.h>

enum { LAST_PKMAP = 128 }; ///< kmaps at a time

/// A page's kernel address, until kunmap. May sleep, until one of LAST_PKMAP places is free.
void *kmap(struct page *page);
void kunmap(struct page *page);

/// kmaps of highmem pages in use; places that a flush would free.
unsigned nr_kmaps(void);

/// Who uses kmap_atomic: each has a place of its own on each processor.
enum km_type {
  KM_USER0,
  KM_USER1,
  KM_IRQ0,
  KM_IRQ1,
  KM_BOUNCE,
  KM_POISON,
  KM_MMZ,
  KM_TYPE_NR,
};

/// A page's kernel address until kunmap_atomic; no preemption and no sleep until then. A place that is in use is a bug.
void *kmap_atomic(struct page *page, enum km_type type);
/// The same of a frame that may have no struct page.
void *kmap_atomic_pfn(unsigned long pfn, enum km_type type);
void kunmap_atomic(void *address, enum km_type type);

/// Makes their page tables. After mem_init.
void kmap_init(void);

static inline void clear_highpage(struct page *page) {
  enum km_type type = in_interrupt() ? KM_IRQ0 : KM_USER0;
  void *address = kmap_atomic(page, type);
  memset(address, 0, PAGE_SIZE);
  kunmap_atomic(address, type);
}

static inline void copy_highpage(struct page *to, struct page *from) {
  void *target = kmap_atomic(to, KM_USER0), *source = kmap_atomic(from, KM_USER1);
  memcpy(target, source, PAGE_SIZE);
  kunmap_atomic(source, KM_USER1);
  kunmap_atomic(target, KM_USER0);
}

#endif
