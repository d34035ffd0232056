/// The interrupt flag. SDM "EFLAGS Register".
#ifndef ARCH_IRQFLAGS_H
#define ARCH_IRQFLAGS_H

#include <kernel/types.h>

enum { EFLAGS_IF = 1 << 9 };

static inline unsigned long local_irq_save(void) {
  unsigned long flags;
  __asm__ volatile("pushfl; popl %0; cli" : "=rm"(flags) : : "memory");
  return flags;
}
static inline void local_irq_restore(unsigned long flags) {
  __asm__ volatile("pushl %0; popfl" : : "g"(flags) : "memory", "cc");
}
static inline void local_irq_enable(void) {
  __asm__ volatile("sti" : : : "memory");
}
static inline void local_irq_disable(void) {
  __asm__ volatile("cli" : : : "memory");
}
static inline bool irqs_disabled(void) {
  unsigned long flags;
  __asm__ volatile("pushfl; popl %0" : "=rm"(flags));
  return !(flags & EFLAGS_IF);
}

#endif
