/// Who may sleep.
#include <arch/irqflags.h>
#include <kernel/kernel.h>
#include <kernel/percpu.h>
#include <kernel/sched.h>

DEFINE_PER_CPU(unsigned, preempt_count);

static unsigned long atomic_sleeps;

unsigned preempt_count(void) {
  return percpu_read(preempt_count);
}
void add_preempt_count(unsigned value) {
  percpu_add(preempt_count, value);
}
void sub_preempt_count(unsigned value) {
  BUG_ON((preempt_count() & 0xFFFF) < (value & 0xFFFF) || preempt_count() < value);
  percpu_add(preempt_count, -value);
}

unsigned long nr_atomic_sleeps(void) {
  return atomic_sleeps;
}

bool sleepy;

/// A coin, the same for every run.
static bool heads(void) {
  static u32 state = 1;
  state = state * 1664525 + 1013904223;
  return state >> 31;
}

void sleepy_yield(void) {
  if (sleepy && !in_atomic() && !irqs_disabled() && heads()) yield();
}

void __might_sleep(const char *file, int line) {
  if (!in_atomic() && !irqs_disabled()) return;
  printk("BUG: sleeping function called from invalid context at %s:%d, in_atomic %d, irqs_disabled %d, %s\n", file,
         line, in_atomic(), irqs_disabled(), current->comm);
  atomic_sleeps++;
}

bool scheduling_while_atomic(void) {
  if (!in_atomic()) return false;
  printk("BUG: scheduling while atomic: %s, preempt count %08x\n", current->comm, preempt_count());
  atomic_sleeps++;
  return true;
}
