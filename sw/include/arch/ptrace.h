/// The registers as entry.S saves them upon an exception or a system call.
#ifndef ARCH_PTRACE_H
#define ARCH_PTRACE_H

#include <kernel/types.h>

struct pt_regs {
  u32 ebx, ecx, edx, esi, edi, ebp, eax;
  u32 xds, xes, xfs, xgs;
  u32 trapno;     ///< the vector
  u32 error_code; ///< 0 where the processor pushes none
  u32 eip, xcs, eflags;
  u32 esp, xss; ///< only there if the exception came from ring 3
};

static inline bool user_mode(const struct pt_regs *regs) {
  return (regs->xcs & 3) == 3;
}

enum {
  TRAP_DE = 0,
  TRAP_DB = 1,
  TRAP_BP = 3,
  TRAP_OF = 4,
  TRAP_UD = 6,
  TRAP_NM = 7,
  TRAP_DF = 8,
  TRAP_TS = 10,
  TRAP_NP = 11,
  TRAP_SS = 12,
  TRAP_GP = 13,
  TRAP_PF = 14,
  TRAP_VECTORS = 32,
  IRQ_VECTOR = 0x20, ///< of IRQ 0; 16 of them
  NR_IRQS = 16,
  SYSCALL_VECTOR = 0x80,
};

#endif
