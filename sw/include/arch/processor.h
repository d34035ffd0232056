/// Control registers and the instructions that belong to them. SDM "Control Registers".
#ifndef ARCH_PROCESSOR_H
#define ARCH_PROCESSOR_H

#include <kernel/types.h>

enum {
  CR0_WP = 1 << 16,
  CR4_PSE = 1 << 4,
  CR4_PGE = 1 << 7,
  CPUID_VME = 1 << 1, // leaf 1, EDX
  CPUID_DE = 1 << 2,
  CPUID_PSE = 1 << 3,
  CPUID_TSC = 1 << 4,
  CPUID_PGE = 1 << 13,
};

static inline u32 read_cr0(void) {
  u32 value;
  __asm__ volatile("movl %%cr0, %0" : "=r"(value));
  return value;
}
static inline u32 read_cr2(void) {
  u32 value;
  __asm__ volatile("movl %%cr2, %0" : "=r"(value));
  return value;
}
static inline u32 read_cr3(void) {
  u32 value;
  __asm__ volatile("movl %%cr3, %0" : "=r"(value));
  return value;
}
static inline u32 read_cr4(void) {
  u32 value;
  __asm__ volatile("movl %%cr4, %0" : "=r"(value));
  return value;
}
static inline void write_cr0(u32 value) {
  __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory");
}
static inline void write_cr3(u32 value) {
  __asm__ volatile("movl %0, %%cr3" : : "r"(value) : "memory");
}
static inline void write_cr4(u32 value) {
  __asm__ volatile("movl %0, %%cr4" : : "r"(value) : "memory");
}

static inline u32 cpuid_edx(u32 leaf) {
  u32 edx, ebx, ecx = 0;
  __asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return edx;
}

/// 0 on a processor without CR4: none of what its first bits are for is there.
static inline u32 read_cr4_safe(void) {
  return cpuid_edx(1) & (CPUID_VME | CPUID_DE | CPUID_PSE | CPUID_TSC) ? read_cr4() : 0;
}

static inline u64 rdtsc(void) {
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}

/// Keeps the compiler from moving memory accesses across.
static inline void barrier(void) {
  __asm__ volatile("" : : : "memory");
}

#endif
