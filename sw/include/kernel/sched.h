/// Tasks and their address spaces.
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <arch/pgtable.h>
#include <arch/ptrace.h>
#include <arch/segment.h>
#include <kernel/list.h>

enum {
  THREAD_SIZE = 8192, // a kernel stack
  VM_READ = 1 << 0,
  VM_WRITE = 1 << 1,
  VM_GROWSDOWN = 1 << 2,
  STACK_LIMIT = 256 << 10,
  KILLED_BY_TRAP = 128, // exit code of a task killed by vector n: KILLED_BY_TRAP + n
};

/// Highest address of a user stack.
#define STACK_TOP (TASK_SIZE - PAGE_SIZE)

/// A range of user addresses with the same rights. Pages come from `file` (the rest of the last one is zero), or are
/// zero.
struct vm_area_struct {
  struct list_head list; ///< of mm->mmap, ascending
  unsigned long vm_start, vm_end;
  u32 vm_flags;
  const char *file;         ///< content of vm_start; NULL: anonymous
  unsigned long file_bytes; ///< how much of it there is
};

struct mm_struct {
  pgd_t *pgd;
  struct list_head mmap;
  unsigned long start_brk, brk;
  unsigned long rss; ///< pages mapped
};

enum task_state { TASK_RUNNING, TASK_WAITING, TASK_ZOMBIE };

struct task_struct {
  struct list_head run_list;
  struct list_head sibling; ///< in parent->children
  struct list_head children;
  struct task_struct *parent;
  const char *name;
  enum task_state state;
  int pid, exit_code;
  struct mm_struct *mm;   ///< NULL: a kernel task; runs in swapper_pg_dir
  unsigned long esp;      ///< saved by __switch_to
  unsigned long stack;    ///< lowest address of the kernel stack
  struct desc_struct tls; ///< the segment of set_thread_area, in the GDT while the task runs
};

extern struct task_struct *current;
extern struct task_struct init_task;

/// The registers with which a user task entered the kernel.
static inline struct pt_regs *task_pt_regs(const struct task_struct *task) {
  return (struct pt_regs *)(task->stack + THREAD_SIZE) - 1;
}

void sched_init(void);

/// Lets the next runnable task go on. Returns when it is our turn again.
void schedule(void);

/// Starts the linked-in user program with two arguments as a child of the current task. Returns its pid, or -1 if there
/// is no memory.
int spawn_user(const char *name, u32 program, u32 argument);

/// A copy of the current task, which returns 0 from its system call. Returns its pid, or -1.
int do_fork(void);
_Noreturn void do_exit(int code);

/// Waits for a child, frees it, and returns its pid; -1 if there is none. `pid` -1: any child.
int do_wait(int pid, int *exit_code);

/// The address space of an ELF image, nothing of it loaded yet. NULL: no memory, or a bad image. *entry: where it
/// starts.
struct mm_struct *load_elf(const char *image, unsigned long size, unsigned long *entry);

struct mm_struct *mm_alloc(void);
void mm_free(struct mm_struct *mm);

/// A copy that shares all pages, which neither may write any more without copying.
struct mm_struct *dup_mm(struct mm_struct *from);

/// Adds a range, which must not overlap another. NULL: no memory.
struct vm_area_struct *add_vma(struct mm_struct *mm, unsigned long start, unsigned long end, u32 flags);

/// The first range that ends after `address`: it contains the address or lies above it. NULL: none.
struct vm_area_struct *find_vma(const struct mm_struct *mm, unsigned long address);

/// Moves the end of the heap; returns the new one, or the old one if that is not possible.
unsigned long do_brk(struct mm_struct *mm, unsigned long brk);

/// Makes the page of `address` accessible as wanted. Returns false if there is no memory.
bool handle_mm_fault(struct mm_struct *mm, const struct vm_area_struct *vma, unsigned long address, bool write);

/// Unmaps and frees the user pages of [start, end).
void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end);

/// Maps the pages of `vma` in `to` as in `from`, read-only in both. Returns false if there is no memory. The caller
/// flushes the TLB.
bool copy_page_range(struct mm_struct *to, struct mm_struct *from, const struct vm_area_struct *vma);

/// Loads CR3; NULL: the kernel's own page tables.
void switch_mm(const struct mm_struct *next);
void mm_init(void);

#endif
