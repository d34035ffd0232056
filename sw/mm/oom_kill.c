/// When nothing can be reclaimed any more: the task with the most memory ends.
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/sched.h>
#include <kernel/vmstat.h>

static unsigned long badness(const struct task_struct *task) {
  return task->mm && task->state != TASK_ZOMBIE ? task->mm->total_vm + 1 : 0;
}

bool out_of_memory(gfp_t gfp, unsigned order) {
  struct task_struct *victim = NULL;

  list_for_each(at, &all_tasks) {
    struct task_struct *task = list_entry(at, struct task_struct, tasks);
    if (task->flags & PF_MEMDIE && task->state != TASK_ZOMBIE) { // one is about to go
      if (task != current) yield();
      return true;
    }
    if (badness(task) && (!victim || badness(task) > badness(victim))) victim = task;
  }
  if (!victim) return false;
  printk("Out of memory: kill process %d (%s), order %u, mode 0x%x\n", victim->pid, victim->comm, order, gfp);
  count_vm_event(OOM_KILL);
  victim->flags |= PF_MEMDIE;
  send_signal(victim, SIGKILL);
  if (victim != current) yield();
  return true;
}
