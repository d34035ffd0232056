/// This processor's copy of per-CPU data: %fs has a segment whose base is the copy's offset.
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

DECLARE_PER_CPU(unsigned long, this_cpu_off);

static inline unsigned long my_cpu_offset(void) {
  unsigned long offset;
  __asm__("movl %%fs:%1, %0" : "=r"(offset) : "m"(per_cpu__this_cpu_off));
  return offset;
}

/// Reads and writes a 32-bit per-CPU variable in one instruction.
#define percpu_read(name)                                                                                              \
  ({                                                                                                                   \
    __typeof__(per_cpu__##name) value;                                                                                 \
    __asm__ volatile("movl %%fs:%1, %0" : "=r"(value) : "m"(per_cpu__##name));                                         \
    value;                                                                                                             \
  })
#define percpu_add(name, n) __asm__ volatile("addl %1, %%fs:%0" : "+m"(per_cpu__##name) : "ri"(n))

#endif
