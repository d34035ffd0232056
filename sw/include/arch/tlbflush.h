/// Forgetting translations. SDM "Invalidation of TLBs and Paging-Structure Caches".
#ifndef ARCH_TLBFLUSH_H
#define ARCH_TLBFLUSH_H

#include <arch/processor.h>

/// INVLPG: forgets the translation of `address`, global or not.
static inline void flush_tlb_one(unsigned long address) {
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/// Reloads CR3: forgets every translation that is not global.
static inline void flush_tlb(void) {
  write_cr3(read_cr3());
}

/// Forgets every translation.
void flush_tlb_all(void);

/// Forgets the translations of kernel addresses: one by one, or all if they are many.
void flush_tlb_kernel_range(unsigned long start, unsigned long end);

#endif
