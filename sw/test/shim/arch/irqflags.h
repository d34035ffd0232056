/// For tests on the host: there are no interrupts, but whether they would be off is kept.
#ifndef ARCH_IRQFLAGS_H
#define ARCH_IRQFLAGS_H

#include <kernel/types.h>

extern bool host_irqs_off;

static inline unsigned long local_irq_save(void) {
  unsigned long flags = host_irqs_off;
  host_irqs_off = true;
  return flags;
}
static inline void local_irq_restore(unsigned long flags) {
  host_irqs_off = flags;
}
static inline bool irqs_disabled(void) {
  return host_irqs_off;
}

#endif
