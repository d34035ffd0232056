/// For tests on the host: flushes are recorded, so that a test can see that none is missing.
#ifndef ARCH_TLBFLUSH_H
#define ARCH_TLBFLUSH_H

#include <arch/processor.h>

void flush_tlb_one(unsigned long address);
void flush_tlb(void);
void flush_tlb_all(void);
void flush_tlb_kernel_range(unsigned long start, unsigned long end);

#endif
