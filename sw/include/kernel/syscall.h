/// System calls: INT 80H, number in EAX, arguments in EBX, ECX, EDX, result in EAX, as Linux on i386 has it.
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#define __NR_exit 1
#define __NR_fork 2
#define __NR_write 4
#define __NR_open 5 /* EBX: the name of a file in the kernel's image; returns its number */
#define __NR_waitpid 7
#define __NR_execve 11
#define __NR_getpid 20
#define __NR_brk 45
#define __NR_mmap 90 /* EBX: address of six words: address, length, prot, flags, fd, offset */
#define __NR_munmap 91
#define __NR_modify_ldt 123 /* EBX: a struct user_desc; returns the selector */
#define __NR_mprotect 125
#define __NR_sched_yield 158
#define __NR_nanosleep 162       /* EBX: ticks */
#define __NR_set_thread_area 243 /* EBX: the base; returns the selector */
#define __NR_mmz_alloc 500       /* EBX: size, ECX: alignment; returns the physical address of a block */
#define __NR_mmz_map 501         /* EBX: physical address, ECX: cached; returns where */
#define __NR_mmz_unmap 502       /* EBX: where */
#define __NR_mmz_free 503        /* EBX: physical address */

#ifndef __ASSEMBLER__

#include <kernel/types.h>

/// A segment of the process's LDT.
struct user_desc {
  u32 entry_number;
  u32 base, limit; ///< in bytes; a limit of 1 MiB or more ends in FFFH
  u32 read_only, expand_down;
};

struct pt_regs;
void system_call(struct pt_regs *regs);

#endif

#endif
