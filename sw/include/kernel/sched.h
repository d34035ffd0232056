/// Tasks. As in Linux 2.6 ("linux/sched.h").
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <arch/current.h>
#include <arch/ptrace.h>
#include <arch/segment.h>
#include <kernel/list.h>
#include <kernel/wait.h>

struct mm_struct;

enum task_state {
  TASK_RUNNING,         ///< runs or could run
  TASK_UNINTERRUPTIBLE, ///< sleeps until it is woken
  TASK_ZOMBIE,          ///< has ended; the parent has not asked yet
};

/// Bits of task_struct.flags.
enum {
  PF_MEMALLOC = 1 << 0, ///< frees memory: may use the whole reserve
  PF_MEMDIE = 1 << 1,   ///< is to end for want of memory: likewise
  PF_KTHREAD = 1 << 2,
  PF_KSWAPD = 1 << 3,
  PF_ORPHAN = 1 << 4, ///< its parent has ended: nobody waits for it
};

enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGSEGV = 11, TASK_COMM_LEN = 16 };
enum { GDT_ENTRY_TLS_ENTRIES = 3 };

struct task_struct {
  struct list_head run_list;  ///< in the run queue while TASK_RUNNING
  struct list_head wait_list; ///< in a wait queue
  struct list_head tasks;     ///< of all tasks
  struct list_head sibling;   ///< in parent->children
  struct list_head children;
  struct task_struct *parent;
  char comm[TASK_COMM_LEN];
  enum task_state state;
  unsigned flags; ///< PF_*
  int pid;
  int exit_code;      ///< as waitpid returns it: the signal, or the exit status << 8
  int pending_signal; ///< 0: none; else the task ends by it before it returns to ring 3
  unsigned cpu;       ///< its logical processor
  unsigned saved_preempt_count;
  unsigned long wake_at;       ///< jiffies, while it sleeps in schedule_timeout; 0: it does not
  struct mm_struct *mm;        ///< NULL: a kernel task
  struct mm_struct *active_mm; ///< whose page directory is loaded
  unsigned long esp;           ///< saved by __switch_to
  unsigned long stack;         ///< lowest address of the kernel stack
  struct wait_queue_head wait_chldexit;
  struct desc_struct tls_array[GDT_ENTRY_TLS_ENTRIES]; ///< in the GDT while the task runs
};

extern struct task_struct init_task;
extern struct list_head all_tasks;

/// Bytes of a kernel stack: two pages, or one with `stack=4k`.
extern unsigned long thread_size;

/// The registers with which a user task entered the kernel.
static inline struct pt_regs *task_pt_regs(const struct task_struct *task) {
  return (struct pt_regs *)(task->stack + thread_size) - 1;
}

void sched_init(void);

/// Lets the next runnable task go on. Returns when it is our turn again. If there is none, waits for an interrupt.
void schedule(void);

/// Lets the others go first.
void yield(void);

/// As yield, if somebody urgent has been woken.
void cond_resched(void);

/// Makes a sleeping task runnable. Also from interrupts.
void wake_up_process(struct task_struct *task);

/// Sleeps for `ticks` of the timer, which runs only while nobody else can run.
void schedule_timeout(unsigned long ticks);

/// Makes a sleeper runnable whose time has come. Called with each tick.
void wake_sleepers(void);

/// Whether somebody sleeps in schedule_timeout.
bool timeouts_pending(void);

/// Starts a kernel task that executes fn(argument) and ends with its result. Returns its pid, or -1: no memory.
int kernel_thread(const char *name, int (*fn)(void *argument), void *argument);

/// A copy of the current task, which returns 0 from its system call. Returns its pid, or a negative error.
int do_fork(void);

/// Ends the current task. `code`: see task_struct.exit_code.
_Noreturn void do_exit(int code);

/// Waits for a child, frees it, and returns its pid; -ECHILD if there is none. `pid` -1: any child.
int do_wait(int pid, int *exit_code);

/// Loads the program `name` in place of the current one. argv ends with NULL; strings in kernel memory. Returns 0 (the
/// task's registers are set to start it), or a negative error, and then everything is as before.
int do_execve(const char *name, const char *const *argv);

/// Starts a program as a child of the current task. Returns its pid, or a negative error.
int run_program(const char *const *argv);

/// Lets a task end by a signal before it next returns to ring 3; wakes it.
void send_signal(struct task_struct *task, int signal);

/// A task's kernel stack, between guard pages. 0: no memory.
unsigned long alloc_thread_stack(void);
void free_thread_stack(unsigned long stack);
void thread_stack_init(void);

#endif
