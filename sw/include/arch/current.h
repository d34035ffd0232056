/// The running task.
#ifndef ARCH_CURRENT_H
#define ARCH_CURRENT_H

#include <kernel/percpu.h>

struct task_struct;
DECLARE_PER_CPU(struct task_struct *, current_task);

static inline struct task_struct *get_current(void) {
  return percpu_read(current_task);
}
#define current get_current()

#endif
