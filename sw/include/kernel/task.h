/// What the files that make and end tasks share.
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include <kernel/sched.h>

/// Makes the cache of task_structs.
void fork_init(void);

/// Makes a new task runnable.
void wake_up_new_task(struct task_struct *task);

/// Frees what is left of a task that has ended.
void release_task(struct task_struct *task);

/// Frees tasks that have ended and whose parents ended before them: nobody asks for those. Returns how many such have
/// not ended yet.
unsigned reap_orphans(void);

/// Functions that are told of each task that ends, after its address space has gone.
void register_exit_notifier(void (*notify)(struct task_struct *task));

#endif
