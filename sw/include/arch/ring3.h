/// A few instructions at another privilege level and back, for tests.
///
/// ring3_run starts code with registers of the caller's choice, by an IRET; the first exception or INT that reaches
/// do_trap ends it, whatever its vector, and the caller gets the registers as that event saved them. Interrupts stay
/// off. The code's CPL is that of its CS, mostly 3; 1 and 2 work as well, and so does 0, where no stack is switched.
#ifndef ARCH_RING3_H
#define ARCH_RING3_H

#include <arch/ptrace.h>

/// How a run ended.
struct ring3 {
  struct pt_regs regs; ///< all of it is valid, also after CPL 0; the upper halves of selectors are 0
  u32 cr2;             ///< 0 if there was no page fault, since a run starts with 0
};

/// The vector of code that ends as it should: `int $RING3_DONE`.
enum { RING3_DONE = SYSCALL_VECTOR };

/// Runs code at the privilege level of start->xcs until an exception or INT.
/// DS, ES, FS and GS are loaded by the kernel, so they must be loadable at CPL 0; CS, SS and ESP by IRET. A fault of
/// these loads is reported like one of the code, with the kernel's CS. trapno and error_code are ignored, and with CPL
/// 0 xss and esp too: that code runs on the caller's stack, below what is in use, and must end with the kernel's SS.
/// The caller's own flags survive whatever the code does to its. Effects: the stack of interrupts from ring 3 is the
/// current task's when it returns.
void ring3_run(const struct pt_regs *start, struct ring3 *end);

/// The beginning of do_trap: ends a run, and then does not return. Returns if there is none.
void ring3_trap(const struct pt_regs *regs);

#endif
