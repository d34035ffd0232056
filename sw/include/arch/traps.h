/// Exceptions.
#ifndef ARCH_TRAPS_H
#define ARCH_TRAPS_H

#include <arch/ptrace.h>

/// Sets up the IDT: 32 exceptions, 16 interrupts and the system-call gate.
void trap_init(void);

/// Fills the double fault's task-state segment. Called by trap_init.
void doublefault_init(void);

/// What entry.S calls with every exception, interrupt and system call.
void do_trap(struct pt_regs *regs);

/// The page-fault handler. Error code: bit 0 the page was present, bit 1 a write, bit 2 from ring 3.
void do_page_fault(struct pt_regs *regs, u32 error_code);

enum {
  PF_PROT = 1 << 0,
  PF_WRITE = 1 << 1,
  PF_USER = 1 << 2,
  PF_RSVD = 1 << 3,
  PF_INSTR = 1 << 4,
};

/// An exception that a fix-up caught. Tests clear `vector` before and look at it after.
struct trap_record {
  u32 vector;
  u32 error_code;
  u32 address; ///< CR2, if vector is 14
};
extern struct trap_record last_fixup;

/// If the faulting instruction has an entry in the exception table: records the exception in last_fixup, continues at
/// the entry's fix-up and returns true.
bool fixup_exception(struct pt_regs *regs, u32 address);

/// An exception that nobody expected: prints what and where, and ends the machine.
_Noreturn void die(const char *why, const struct pt_regs *regs);

/// What page faults were about. The first six are the causes that the handler tells apart.
struct fault_stats {
  unsigned long outside; ///< outside of every area, or with rights the area does not give: killed or fixed up
  unsigned long rights;
  unsigned long stack_growth;               ///< below the stack's area: it grew
  unsigned long anonymous, zero_page, file; ///< not yet mapped: written, read, from a file
  unsigned long swapped;                    ///< on the swap area
  unsigned long cow_copy, cow_reuse;        ///< written while shared; while no longer shared
  unsigned long vmalloc;                    ///< an entry of the kernel's page directory was missing
  unsigned long spurious;                   ///< the entry allows it: a stale translation
  unsigned long killed, fixup, stack_overflow, syscalls;
};
extern struct fault_stats fault_stats;

#endif
