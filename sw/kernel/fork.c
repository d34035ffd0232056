/// How tasks come into being.
#include <arch/irqflags.h>
#include <arch/traps.h>
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/task.h>

void ret_from_fork(void); // entry.S
void kernel_thread_helper(void);
void kernel_thread_end(int result);

static struct kmem_cache *task_struct_cachep;
static int last_pid;

void fork_init(void) {
  task_struct_cachep =
      kmem_cache_create("task_struct", sizeof(struct task_struct), 0, SLAB_POISON | SLAB_RED_ZONE | SLAB_PANIC, NULL);
}

/// What __switch_to pops of a task that has never run: four registers and the return address.
struct switch_frame {
  u32 edi, esi, ebx, ebp, eip;
};

/// A task with a stack, a child of the current one, that will begin with `frame`, then `regs`. It does not run yet.
/// NULL: no memory.
static struct task_struct *new_task(const char *name, const struct pt_regs *regs, const struct switch_frame *frame) {
  reap_orphans();
  struct task_struct *task = kmem_cache_alloc(task_struct_cachep, GFP_KERNEL);
  unsigned long stack = task ? alloc_thread_stack() : 0;

  if (!stack) {
    if (task) kmem_cache_free(task_struct_cachep, task);
    return NULL;
  }
  memset(task, 0, sizeof(*task));
  strncpy(task->comm, name, TASK_COMM_LEN - 1);
  task->stack = stack;
  task->pid = ++last_pid;
  task->parent = current;
  task->cpu = (unsigned)task->pid % nr_cpu_ids;
  task->active_mm = &init_mm;
  INIT_LIST_HEAD(&task->children);
  INIT_LIST_HEAD(&task->run_list);
  INIT_LIST_HEAD(&task->wait_list);
  init_waitqueue_head(&task->wait_chldexit);
  list_add_tail(&task->sibling, &current->children);
  list_add_tail(&task->tasks, &all_tasks);

  *task_pt_regs(task) = *regs;
  struct switch_frame *at = (struct switch_frame *)task_pt_regs(task) - 1;
  *at = *frame;
  task->esp = (unsigned long)at;
  return task;
}

int kernel_thread(const char *name, int (*fn)(void *), void *argument) {
  struct pt_regs regs = {.xcs = KERNEL_CS, .eflags = 0x202};
  struct switch_frame frame = {
      .ebx = (u32)(unsigned long)fn,
      .esi = (u32)(unsigned long)argument,
      .eip = (u32)(unsigned long)kernel_thread_helper,
  };
  struct task_struct *task = new_task(name, &regs, &frame);

  if (!task) return -1;
  task->flags = PF_KTHREAD;
  wake_up_new_task(task);
  return task->pid;
}

/// A kernel task's function has returned: either it has loaded a program, which starts now, or it ends.
void kernel_thread_end(int result) {
  if (!current->mm) do_exit(result << 8);
  local_irq_disable();
  origin_enter(ORIGIN_USER);
}

int do_fork(void) {
  enum origin before = origin_enter(ORIGIN_FORK);
  struct pt_regs regs = *task_pt_regs(current);
  struct switch_frame frame = {.eip = (u32)(unsigned long)ret_from_fork};
  regs.eax = 0;

  struct mm_struct *mm = dup_mm(current->mm);
  struct task_struct *task = mm ? new_task(current->comm, &regs, &frame) : NULL;
  int pid = -ENOMEM;
  if (task) {
    task->mm = mm;
    memcpy(task->tls_array, current->tls_array, sizeof(task->tls_array));
    wake_up_new_task(task);
    pid = task->pid;
  } else if (mm) {
    mmput(mm);
  }
  origin_leave(before);
  return pid;
}

void release_task(struct task_struct *task) {
  list_del(&task->sibling);
  list_del(&task->tasks);
  free_thread_stack(task->stack);
  kmem_cache_free(task_struct_cachep, task);
}
