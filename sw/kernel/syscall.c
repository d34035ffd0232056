#include <arch/io.h>
#include <arch/ptrace.h>
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/kernel.h>
#include <kernel/sched.h>
#include <kernel/syscall.h>

/// To the console, whatever the descriptor.
static long sys_write(unsigned long buffer, unsigned long n) {
  char chunk[64];
  unsigned long done = 0;

  while (done < n) {
    unsigned long now = min_ul(n - done, sizeof(chunk));
    if (copy_from_user(chunk, buffer + done, now)) return -EFAULT;
    for (unsigned long i = 0; i < now; i++)
      printk("%c", chunk[i]);
    done += now;
  }
  return (long)n;
}

static long sys_waitpid(int pid, unsigned long status) {
  int code = 0;
  int child = do_wait(pid, &code);

  if (child >= 0 && status && copy_to_user(status, &code, sizeof(code))) return -EFAULT;
  return child;
}

/// A flat segment with a base for the current task, as for thread-local variables.
static long sys_set_thread_area(u32 base) {
  current->tls = make_desc(base, 0xFFFFFFFF, DESC_DATA_RW | DESC_DPL(3));
  gdt_table[GDT_ENTRY_TLS_MIN] = current->tls;
  return GDT_ENTRY_TLS_MIN * 8 | 3;
}

void system_call(struct pt_regs *regs) {
  long result = -ENOSYS;

  fault_stats.syscalls++;
  switch (regs->eax) {
  case __NR_exit:
    do_exit((int)regs->ebx);
  case __NR_fork:
    result = do_fork();
    break;
  case __NR_write:
    result = sys_write(regs->ecx, regs->edx);
    break;
  case __NR_waitpid:
    result = sys_waitpid((int)regs->ebx, regs->ecx);
    break;
  case __NR_getpid:
    result = current->pid;
    break;
  case __NR_brk:
    result = (long)do_brk(current->mm, regs->ebx);
    break;
  case __NR_set_thread_area:
    result = sys_set_thread_area(regs->ebx);
    break;
  case __NR_sched_yield:
    schedule();
    result = 0;
    break;
  }
  regs->eax = (u32)result;
}
