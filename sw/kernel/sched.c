/// Tasks take turns: first come, first served, and only when a task gives up the processor, so that a run never depends
/// on time. Each task belongs to a logical processor; a switch changes to its per-CPU data.
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/swap.h>

extern char init_stack[];                                          // boot.S
void __switch_to(unsigned long *prev_esp, unsigned long next_esp); // entry.S
void schedule_tail(void);

struct task_struct init_task = {.comm = "init", .mm = NULL, .active_mm = &init_mm, .flags = PF_KTHREAD};
struct list_head all_tasks = {&all_tasks, &all_tasks};
DEFINE_PER_CPU(struct task_struct *, current_task) = &init_task;
DECLARE_PER_CPU(unsigned, preempt_count);

static struct list_head run_queue = {&run_queue, &run_queue};
static bool need_resched; // somebody urgent waits

void sched_init(void) {
  enum { INIT_STACK_SIZE = 8192 };
  INIT_LIST_HEAD(&init_task.children);
  INIT_LIST_HEAD(&init_task.wait_list);
  init_waitqueue_head(&init_task.wait_chldexit);
  init_task.stack = (unsigned long)init_stack + INIT_STACK_SIZE - thread_size;
  list_add_tail(&init_task.run_list, &run_queue);
  list_add_tail(&init_task.tasks, &all_tasks);
}

/// This processor's per-CPU data become those of `cpu`.
static void load_cpu(unsigned cpu) {
  if (cpu != smp_processor_id()) load_percpu_segment(__per_cpu_offset[cpu]);
}

void switch_cpu(unsigned cpu) {
  struct task_struct *task = current;

  BUG_ON(in_atomic() || cpu >= nr_cpu_ids);
  unsigned long flags = local_irq_save();
  task->cpu = cpu;
  load_cpu(cpu);
  __get_cpu_var(current_task) = task;
  __get_cpu_var(preempt_count) = 0;
  local_irq_restore(flags);
}

/// Everything that the processor has of a task, but for the stack.
static void switch_context(struct task_struct *prev, struct task_struct *next) {
  prev->saved_preempt_count = __get_cpu_var(preempt_count);
  load_cpu(next->cpu);
  __get_cpu_var(current_task) = next;
  __get_cpu_var(preempt_count) = next->saved_preempt_count;
  if (next->mm) {
    next->active_mm = next->mm;
    switch_mm(next->mm);
  } else { // kernel tasks run in the kernel's own page directory: no process's can go away under them
    next->active_mm = &init_mm;
    switch_mm(&init_mm);
  }
  for (int i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++) // before the return to ring 3 loads them
    gdt_table[GDT_ENTRY_TLS_MIN + i] = next->tls_array[i];
  load_esp0(next->stack + thread_size);
}

/// With nobody to run: time passes.
static void cpu_idle(void) {
  if (!timeouts_pending() && !ramdisk_busy()) panic("deadlock: every task waits");
  local_irq_enable();
  wait_for_tick();
  local_irq_disable();
}

void schedule(void) {
  struct task_struct *prev = current;

  scheduling_while_atomic();
  enum origin before = origin_enter(ORIGIN_SCHEDULE);
  unsigned long flags = local_irq_save();
  if (prev->state == TASK_RUNNING) { // to the end of the queue; else it has left it
    list_del(&prev->run_list);
    list_add_tail(&prev->run_list, &run_queue);
  }
  while (list_empty(&run_queue))
    cpu_idle();
  need_resched = false;
  struct task_struct *next = list_entry(run_queue.next, struct task_struct, run_list);
  if (next != prev) {
    switch_context(prev, next);
    __switch_to(&prev->esp, next->esp);
  }
  local_irq_restore(flags);
  origin_leave(before);
}

/// The first thing that a new task does: what schedule() does after the switch.
void schedule_tail(void) {
  local_irq_enable();
  if (current->mm && current->pending_signal) do_exit(current->pending_signal);
  origin_enter(current->mm ? ORIGIN_USER : ORIGIN_OTHER);
}

void yield(void) {
  schedule();
}

void cond_resched(void) {
  if (need_resched && !in_atomic()) schedule();
}

void wake_up_process(struct task_struct *task) {
  unsigned long flags = local_irq_save();

  if (task->state == TASK_UNINTERRUPTIBLE) {
    task->state = TASK_RUNNING;
    task->wake_at = 0;
    list_del(&task->wait_list);
    if (task->flags & PF_KSWAPD) { // who brings memory goes first
      list_add(&task->run_list, &run_queue);
      need_resched = true;
    } else {
      list_add_tail(&task->run_list, &run_queue);
    }
  }
  local_irq_restore(flags);
}

/// Takes the current task out of the run queue and lets others run until somebody wakes it. Interrupts are off.
static void sleep(unsigned long flags) {
  current->state = TASK_UNINTERRUPTIBLE;
  list_del(&current->run_list);
  schedule();
  local_irq_restore(flags);
}

void sleep_on(struct wait_queue_head *queue) {
  __might_sleep(__FILE__, __LINE__); // and no yield: between the condition and this nobody else may run
  unsigned long flags = local_irq_save();
  list_add_tail(&current->wait_list, &queue->task_list);
  sleep(flags);
}

void wake_up(struct wait_queue_head *queue) {
  list_for_each_safe(at, after, &queue->task_list) wake_up_process(list_entry(at, struct task_struct, wait_list));
}

void schedule_timeout(unsigned long ticks) {
  might_sleep();
  unsigned long flags = local_irq_save();
  current->wake_at = jiffies + ticks;
  if (!current->wake_at) current->wake_at = 1; // 0 is for who does not sleep so
  sleep(flags);
}

void wake_sleepers(void) {
  list_for_each(at, &all_tasks) {
    struct task_struct *task = list_entry(at, struct task_struct, tasks);
    if (task->wake_at && (long)(jiffies - task->wake_at) >= 0) wake_up_process(task);
  }
}

bool timeouts_pending(void) {
  list_for_each(at, &all_tasks) if (list_entry(at, struct task_struct, tasks)->wake_at) return true;
  return false;
}

/// Makes a new task runnable.
void wake_up_new_task(struct task_struct *task) {
  unsigned long flags = local_irq_save();
  list_add_tail(&task->run_list, &run_queue);
  local_irq_restore(flags);
}
