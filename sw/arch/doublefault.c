/// The double fault's task. When a kernel stack overflows into its guard page, the page fault finds no stack for its
/// frame: a double fault, and only a task of its own has a stack then. SDM "Double Fault Exception (#DF)", "Task
/// Switching".
#include <arch/processor.h>
#include <arch/traps.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/sched.h>

void doublefault_entry(void); // entry.S
void do_double_fault(void);

static char doublefault_stack[PAGE_SIZE] __attribute__((aligned(16)));

struct tss_struct doublefault_tss = {
    .eip = 0, // set by doublefault_init, as everything that is an address
    .eflags = 0x2,
    .es = KERNEL_DS,
    .cs = KERNEL_CS,
    .ss = KERNEL_DS,
    .ds = KERNEL_DS,
    .fs = KERNEL_PERCPU,
    .io_bitmap_base = sizeof(struct tss_struct),
};

void doublefault_init(void) {
  doublefault_tss.eip = (u32)(unsigned long)doublefault_entry;
  doublefault_tss.esp = (u32)(unsigned long)(doublefault_stack + sizeof(doublefault_stack));
  doublefault_tss.cr3 = (u32)__pa(swapper_pg_dir);
}

/// Ends the task whose stack has overflowed.
static void stack_overflow(void) {
  printk("%s[%d]: kernel stack overflow: killed\n", current->comm, current->pid);
  fault_stats.stack_overflow++;
  do_exit(SIGSEGV);
}

/// The interrupted task's registers are in init_tss; IRET takes it up again from there.
void do_double_fault(void) {
  const struct task_struct *task = current;
  unsigned long esp = init_tss.esp;

  if (task == &init_task || esp >= task->stack + 64 || esp < task->stack - thread_size) {
    printk("mmu86: FAIL double fault: eip %08x esp %08x cr2 %08x, %s[%d]\n", init_tss.eip, init_tss.esp, read_cr2(),
           task->comm, task->pid);
    machine_exit(EXIT_EXCEPTION);
  }
  // Its stack is empty again, and it ends. The processor does not save CR3 in a TSS, but loads it from there.
  init_tss.esp = (u32)(task->stack + thread_size);
  init_tss.eip = (u32)(unsigned long)stack_overflow;
  init_tss.ebp = 0;
  init_tss.cr3 = (u32)__pa(task->active_mm->pgd);
  init_tss.ldt = task->active_mm->ldt ? GDT_ENTRY_LDT * 8 : 0;
}
