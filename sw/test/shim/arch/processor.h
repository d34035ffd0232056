/// For tests on the host: no control registers. The TLB that is flushed is the test's.
#ifndef ARCH_PROCESSOR_H
#define ARCH_PROCESSOR_H

#include <kernel/types.h>

enum { CR4_PGE = 1 << 7, CPUID_PSE = 1 << 3, CPUID_PGE = 1 << 13 };

static inline u32 read_cr4(void) {
  return 0;
}
static inline void write_cr4(u32 value) {
  (void)value;
}
static inline u32 cpuid_edx(u32 leaf) {
  (void)leaf;
  return CPUID_PSE;
}

#endif
