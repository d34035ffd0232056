/// Tasks: round robin, and only when a task gives up the processor, so that a run never depends on time.
#include <arch/segment.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>

extern char init_stack[];                         // boot.S
extern const char user_image[], user_image_end[]; // user_image.S
void ret_from_trap(void);                         // entry.S
void __switch_to(unsigned long *prev_esp, unsigned long next_esp);

struct task_struct init_task = {.name = "init"};
struct task_struct *current = &init_task;

static struct kmem_cache *task_cachep;
static struct list_head run_queue;
static int last_pid;

void sched_init(void) {
  INIT_LIST_HEAD(&run_queue);
  INIT_LIST_HEAD(&init_task.children);
  init_task.stack = (unsigned long)init_stack;
  list_add_tail(&init_task.run_list, &run_queue);
  task_cachep = kmem_cache_create("task_struct", sizeof(struct task_struct), 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  if (!task_cachep) panic("no memory for sched_init");
}

void schedule(void) {
  struct task_struct *prev = current;

  // `prev` goes to the end of the queue, or has left it.
  if (prev->state == TASK_RUNNING) {
    list_del(&prev->run_list);
    list_add_tail(&prev->run_list, &run_queue);
  }
  if (list_empty(&run_queue)) panic("deadlock: every task waits");
  struct task_struct *next = list_entry(run_queue.next, struct task_struct, run_list);
  if (next == prev) return;
  current = next;
  switch_mm(next->mm);
  gdt_table[GDT_ENTRY_TLS_MIN] = next->tls; // before the return to ring 3 loads it
  load_esp0(next->stack + THREAD_SIZE);
  __switch_to(&prev->esp, next->esp);
}

static void wake_up(struct task_struct *task) {
  if (task->state != TASK_WAITING) return;
  task->state = TASK_RUNNING;
  list_add_tail(&task->run_list, &run_queue);
}

/// What __switch_to pops of a task that has never run: four registers and the return address.
struct switch_frame {
  u32 edi, esi, ebx, ebp, eip;
};

/// A task that will return to ring 3 with `regs`. Takes over `mm`; frees it if there is no memory and returns NULL.
static struct task_struct *new_task(const char *name, struct mm_struct *mm, const struct pt_regs *regs) {
  struct task_struct *task = mm ? kmem_cache_alloc(task_cachep) : NULL;
  unsigned long stack = task ? __get_free_pages(GFP_KERNEL, 1) : 0;

  if (!stack) {
    if (task) kmem_cache_free(task_cachep, task);
    if (mm) mm_free(mm);
    return NULL;
  }
  *task = (struct task_struct){.name = name, .mm = mm, .stack = stack, .pid = ++last_pid, .parent = current};
  INIT_LIST_HEAD(&task->children);
  list_add_tail(&task->sibling, &current->children);

  *task_pt_regs(task) = *regs;
  struct switch_frame *frame = (struct switch_frame *)task_pt_regs(task) - 1;
  *frame = (struct switch_frame){.eip = (u32)(unsigned long)ret_from_trap};
  task->esp = (unsigned long)frame;
  list_add_tail(&task->run_list, &run_queue);
  return task;
}

int spawn_user(const char *name, u32 program, u32 argument) {
  unsigned long entry = 0;
  struct mm_struct *mm = load_elf(user_image, (unsigned long)(user_image_end - user_image), &entry);
  struct pt_regs regs = {
      .eax = program,
      .edx = argument,
      .xds = USER_DS,
      .xes = USER_DS,
      .eip = (u32)entry,
      .xcs = USER_CS,
      .eflags = 0x2, // interrupts stay off, in ring 3 too: nothing may depend on time
      .esp = (u32)STACK_TOP,
      .xss = USER_DS,
  };
  const struct task_struct *task = new_task(name, mm, &regs);
  return task ? task->pid : -1;
}

int do_fork(void) {
  struct pt_regs regs = *task_pt_regs(current);
  regs.eax = 0;
  struct task_struct *task = new_task(current->name, dup_mm(current->mm), &regs);
  if (task) task->tls = current->tls;
  return task ? task->pid : -1;
}

void do_exit(int code) {
  struct mm_struct *mm = current->mm;

  BUG_ON(current == &init_task);
  current->mm = NULL;
  switch_mm(NULL);
  mm_free(mm);
  list_for_each_safe(at, after, &current->children) {
    struct task_struct *child = list_entry(at, struct task_struct, sibling);
    child->parent = &init_task;
    list_del(at);
    list_add_tail(at, &init_task.children);
  }
  current->exit_code = code;
  current->state = TASK_ZOMBIE;
  list_del(&current->run_list);
  wake_up(current->parent);
  schedule();
  panic("a zombie ran");
}

/// A child that has exited, or any child if there is no such; NULL if there is none at all.
static struct task_struct *find_child(int pid) {
  struct task_struct *found = NULL;

  list_for_each(at, &current->children) {
    struct task_struct *child = list_entry(at, struct task_struct, sibling);
    if (pid != -1 && child->pid != pid) continue;
    if (child->state == TASK_ZOMBIE) return child;
    found = child;
  }
  return found;
}

int do_wait(int pid, int *exit_code) {
  struct task_struct *child;

  while ((child = find_child(pid)) != NULL && child->state != TASK_ZOMBIE) {
    current->state = TASK_WAITING;
    list_del(&current->run_list);
    schedule();
  }
  if (!child) return -1;
  pid = child->pid;
  *exit_code = child->exit_code;
  list_del(&child->sibling);
  free_pages(child->stack, 1);
  kmem_cache_free(task_cachep, child);
  return pid;
}
