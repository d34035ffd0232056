/// Wait queues: tasks that sleep until something happens. As in Linux 2.6 ("linux/wait.h").
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <kernel/list.h>

struct wait_queue_head {
  struct list_head task_list; ///< of struct task_struct.wait_list
};

#define DECLARE_WAIT_QUEUE_HEAD(name) struct wait_queue_head name = {{&(name).task_list, &(name).task_list}}

static inline void init_waitqueue_head(struct wait_queue_head *queue) {
  INIT_LIST_HEAD(&queue->task_list);
}

/// Puts the current task in the queue and lets others run until it is woken.
void sleep_on(struct wait_queue_head *queue);

/// Makes all tasks in the queue runnable. Also from interrupts.
void wake_up(struct wait_queue_head *queue);

/// Sleeps until `condition` holds; it is looked at whenever the queue is woken.
#define wait_event(queue, condition)                                                                                   \
  do {                                                                                                                 \
    while (!(condition))                                                                                               \
      sleep_on(queue);                                                                                                 \
  } while (0)

#endif
