/// System calls.
#include <arch/ptrace.h>
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/mmz.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

/// To the console, whatever the descriptor.
static long sys_write(unsigned long buffer, unsigned long n) {
  char chunk[64];
  unsigned long done = 0;

  if (n > TASK_SIZE) return -EINVAL;
  while (done < n && !current->pending_signal) {
    cond_resched();
    unsigned long now = min_ul(n - done, sizeof(chunk));
    if (copy_from_user(chunk, buffer + done, now)) return -EFAULT;
    for (unsigned long i = 0; i < now; i++)
      printk("%c", chunk[i]);
    done += now;
  }
  return (long)done;
}

static long sys_waitpid(int pid, unsigned long status) {
  int code = 0;
  int child = do_wait(pid, &code);

  if (child >= 0 && status && copy_to_user(status, &code, sizeof(code))) return -EFAULT;
  return child;
}

/// A string of user memory. Returns its length, or a negative error.
static long strncpy_from_user(char *to, unsigned long from, unsigned long size) {
  for (unsigned long i = 0; i < size; i++) {
    if (copy_from_user(to + i, from + i, 1)) return -EFAULT;
    if (!to[i]) return (long)i;
  }
  return -EINVAL;
}

static long sys_open(unsigned long name) {
  char buffer[16];
  long length = strncpy_from_user(buffer, name, sizeof(buffer));

  if (length < 0) return length;
  const struct inode *file = open_file(buffer);
  return file ? (long)file_number(file) : -ENOENT;
}

/// The arguments move into kernel memory before the address space goes.
static long sys_execve(unsigned long name, unsigned long argv) {
  enum { ARGS = 8, BYTES = 256 };
  char file[16], *strings = kmalloc(BYTES, GFP_KERNEL);
  const char *pointers[ARGS + 1] = {NULL};
  long result = strings ? strncpy_from_user(file, name, sizeof(file)) : -ENOMEM;
  unsigned long used = 0;

  for (unsigned i = 0; result >= 0 && i < ARGS; i++) {
    u32 pointer = 0;
    if (copy_from_user(&pointer, argv + i * sizeof(pointer), sizeof(pointer))) result = -EFAULT;
    if (result < 0 || !pointer) break;
    result = strncpy_from_user(strings + used, pointer, BYTES - used);
    pointers[i] = strings + used;
    used += (unsigned long)result + 1;
  }
  if (result >= 0) result = do_execve(file, pointers);
  kfree(strings);
  return result;
}

/// old_mmap's arguments are in memory.
static long sys_mmap(unsigned long where) {
  struct {
    u32 address, length, prot, flags, fd, offset;
  } args;

  if (copy_from_user(&args, where, sizeof(args))) return -EFAULT;
  struct inode *file = args.flags & MAP_ANONYMOUS ? NULL : file_by_number(args.fd);
  if (!file && !(args.flags & MAP_ANONYMOUS)) return -EBADF;
  if (args.offset % PAGE_SIZE) return -EINVAL;
  return do_mmap(current->mm, file, args.address, args.length, args.prot, args.flags, args.offset >> PAGE_SHIFT);
}

/// A flat segment with a base for the current task, as for thread-local variables. Returns its selector.
static long sys_set_thread_area(u32 base) {
  current->tls_array[0] = make_desc(base, 0xFFFFFFFF, DESC_DATA_RW | DESC_DPL(3));
  gdt_table[GDT_ENTRY_TLS_MIN] = current->tls_array[0];
  return GDT_ENTRY_TLS_MIN * 8 | 3;
}

/// Writes an entry of the process's LDT: a data segment of ring 3. Returns its selector, or a negative error.
static long sys_modify_ldt(unsigned long where) {
  struct user_desc desc;

  if (copy_from_user(&desc, where, sizeof(desc))) return -EFAULT;
  if (desc.entry_number >= LDT_ENTRIES) return -EINVAL;
  struct mm_struct *mm = current->mm;
  if (!mm->ldt) {
    mm->ldt = kzalloc(LDT_ENTRIES * sizeof(*mm->ldt), GFP_KERNEL);
    if (!mm->ldt) return -ENOMEM;
  }
  u32 access = DESC_DPL(3) | (desc.read_only ? DESC_DATA_RO : desc.expand_down ? DESC_DATA_DOWN : DESC_DATA_RW);
  mm->ldt[desc.entry_number] = make_desc(desc.base, desc.limit, access);
  load_ldt(mm->ldt, LDT_ENTRIES);
  return (long)(desc.entry_number * 8 | 7);
}

static long memory_call(const struct pt_regs *regs) {
  enum origin before = origin_enter(ORIGIN_MMAP);
  long result = -ENOSYS;

  switch (regs->eax) {
  case __NR_brk:
    result = (long)do_brk(current->mm, regs->ebx);
    break;
  case __NR_mmap:
    result = sys_mmap(regs->ebx);
    break;
  case __NR_munmap:
    result = do_munmap(current->mm, regs->ebx, regs->ecx);
    break;
  case __NR_mprotect:
    result = do_mprotect(current->mm, regs->ebx, regs->ecx, regs->edx);
    break;
  case __NR_mmz_alloc:
    result = mmz_user_alloc(regs->ebx, regs->ecx);
    break;
  case __NR_mmz_map:
    result = mmz_user_map(regs->ebx, regs->ecx);
    break;
  case __NR_mmz_unmap:
    result = mmz_user_unmap(regs->ebx);
    break;
  case __NR_mmz_free:
    result = mmz_user_free(regs->ebx);
    break;
  case __NR_modify_ldt:
    result = sys_modify_ldt(regs->ebx);
    break;
  }
  origin_leave(before);
  return result;
}

void system_call(struct pt_regs *regs) {
  long result = -ENOSYS;

  fault_stats.syscalls++;
  switch (regs->eax) {
  case __NR_exit:
    do_exit((int)(regs->ebx & 0xFF) << 8);
  case __NR_fork:
    result = do_fork();
    break;
  case __NR_write:
    result = sys_write(regs->ecx, regs->edx);
    break;
  case __NR_open:
    result = sys_open(regs->ebx);
    break;
  case __NR_waitpid:
    result = sys_waitpid((int)regs->ebx, regs->ecx);
    break;
  case __NR_execve:
    result = sys_execve(regs->ebx, regs->ecx);
    if (!result) return; // the registers are the new program's
    break;
  case __NR_getpid:
    result = current->pid;
    break;
  case __NR_set_thread_area:
    result = sys_set_thread_area(regs->ebx);
    break;
  case __NR_sched_yield:
    schedule();
    result = 0;
    break;
  case __NR_nanosleep:
    schedule_timeout(regs->ebx);
    result = 0;
    break;
  default:
    result = memory_call(regs);
  }
  regs->eax = (u32)result;
}
