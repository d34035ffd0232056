/// System calls: INT 80H, number in EAX, arguments in EBX, ECX, EDX, result in EAX, as Linux on i386 has it.
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#define __NR_exit 1
#define __NR_fork 2
#define __NR_write 4
#define __NR_waitpid 7
#define __NR_getpid 20
#define __NR_brk 45
#define __NR_sched_yield 158
#define __NR_set_thread_area 243 /* EBX: the base; returns the selector */

#ifndef __ASSEMBLER__

enum { EFAULT = 14, ENOSYS = 38 };

struct pt_regs;
void system_call(struct pt_regs *regs);

#endif

#endif
