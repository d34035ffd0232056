/// The preemption count: whether this task may give up the processor, that is, sleep. As in Linux 2.6
/// ("linux/preempt.h", "linux/hardirq.h"). Nobody is preempted by force, so that a run does not depend on time; but who
/// gives up the processor while the count is not 0 is reported.
#ifndef KERNEL_PREEMPT_H
#define KERNEL_PREEMPT_H

#include <kernel/types.h>

enum { PREEMPT_OFFSET = 1, HARDIRQ_OFFSET = 1 << 16 };

/// Bits 15:0: preempt_disable's that are open; bits 31:16: hardware interrupts being served. Of the current task.
unsigned preempt_count(void);

/// Adds to it.
void add_preempt_count(unsigned value);
void sub_preempt_count(unsigned value);

static inline void preempt_disable(void) {
  add_preempt_count(PREEMPT_OFFSET);
}
static inline void preempt_enable(void) {
  sub_preempt_count(PREEMPT_OFFSET);
}

static inline bool in_interrupt(void) {
  return preempt_count() >= HARDIRQ_OFFSET;
}
static inline bool in_atomic(void) {
  return preempt_count() != 0;
}

/// Reports a caller that must not sleep: preemption or interrupts are off. Put where a function may sleep.
#define might_sleep() (__might_sleep(__FILE__, __LINE__), sleepy_yield())
#define might_sleep_if(condition)                                                                                      \
  do {                                                                                                                 \
    if (condition) might_sleep();                                                                                      \
  } while (0)
void __might_sleep(const char *file, int line);

/// If set, such a place does give up the processor, one time in two: what others may do meanwhile then happens.
extern bool sleepy;
void sleepy_yield(void);

/// Whether schedule() is called by somebody who must not; reports it.
bool scheduling_while_atomic(void);

/// How often that was reported, and schedule() called, by somebody who must not sleep.
unsigned long nr_atomic_sleeps(void);

#endif
