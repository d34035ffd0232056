/// How tasks end.
#include <arch/irqflags.h>
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/task.h>

enum { MAX_NOTIFIERS = 4 };
static void (*notifiers[MAX_NOTIFIERS])(struct task_struct *);

void register_exit_notifier(void (*notify)(struct task_struct *task)) {
  for (int i = 0; i < MAX_NOTIFIERS; i++) {
    if (notifiers[i] && notifiers[i] != notify) continue;
    notifiers[i] = notify;
    return;
  }
  BUG_ON(true);
}

void send_signal(struct task_struct *task, int signal) {
  task->pending_signal = signal;
  if (!task->mm) return;
  wake_up_process(task);
}

/// Gives up the task's address space.
static void exit_mm(void) {
  struct mm_struct *mm = current->mm;

  if (!mm) return;
  current->mm = NULL;
  current->active_mm = &init_mm;
  switch_mm(&init_mm);
  mmput(mm);
}

void do_exit(int code) {
  BUG_ON(current == &init_task || in_interrupt());
  origin_enter(ORIGIN_EXIT);
  local_irq_enable();
  exit_mm();
  for (int i = 0; i < MAX_NOTIFIERS && notifiers[i]; i++)
    notifiers[i](current);
  list_for_each_safe(at, after, &current->children) {
    struct task_struct *child = list_entry(at, struct task_struct, sibling);
    child->parent = &init_task;
    child->flags |= PF_ORPHAN;
    list_del(at);
    list_add_tail(at, &init_task.children);
  }
  local_irq_disable();
  current->exit_code = code;
  current->state = TASK_ZOMBIE;
  list_del(&current->run_list);
  wake_up(&current->parent->wait_chldexit);
  schedule();
  panic("a zombie ran");
}

/// A child that has ended, or any child if there is no such; NULL if there is none at all.
static struct task_struct *find_child(int pid) {
  struct task_struct *found = NULL;

  list_for_each(at, &current->children) {
    struct task_struct *child = list_entry(at, struct task_struct, sibling);
    if (pid == -1 ? (child->flags & (PF_KSWAPD | PF_ORPHAN)) != 0 : child->pid != pid) continue;
    if (child->state == TASK_ZOMBIE) return child;
    found = child;
  }
  return found;
}

unsigned reap_orphans(void) {
  unsigned alive = 0;

  list_for_each_safe(at, after, &init_task.children) {
    struct task_struct *child = list_entry(at, struct task_struct, sibling);
    if (!(child->flags & PF_ORPHAN)) continue;
    if (child->state == TASK_ZOMBIE)
      release_task(child);
    else
      alive++;
  }
  return alive;
}

int do_wait(int pid, int *exit_code) {
  struct task_struct *child;

  while ((child = find_child(pid)) != NULL && child->state != TASK_ZOMBIE) {
    if (current->pending_signal) return -EINTR;
    sleep_on(&current->wait_chldexit);
  }
  if (!child) return -ECHILD;
  pid = child->pid;
  *exit_code = child->exit_code;
  release_task(child);
  return pid;
}
