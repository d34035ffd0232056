/// Runs a few instructions at another privilege level. The other half: ring3.S.
#include <arch/processor.h>
#include <arch/ring3.h>
#include <arch/segment.h>
#include <kernel/sched.h>

/// A frame as IRET to an outer level takes it, and one that stays at CPL 0: without ESP and SS.
enum { OUTER_WORDS = sizeof(struct pt_regs) / 4, SAME_LEVEL_WORDS = OUTER_WORDS - 2 };

void ring3_enter(const struct pt_regs *regs, u32 words); // ring3.S
_Noreturn void ring3_leave(void);

// entry.S pops a frame without names.
_Static_assert(offsetof(struct pt_regs, eax) == 24 && offsetof(struct pt_regs, xds) == 28 &&
                   offsetof(struct pt_regs, xgs) == 40 && offsetof(struct pt_regs, trapno) == 44 &&
                   offsetof(struct pt_regs, eip) == 52 && offsetof(struct pt_regs, esp) == 64,
               "struct pt_regs is not what entry.S pops");

static struct ring3 *running; ///< where its end is recorded; NULL: an exception is not ours

void ring3_run(const struct pt_regs *start, struct ring3 *end) {
  running = end;
  __asm__ volatile("movl %0, %%cr2" : : "r"(0));
  ring3_enter(start, start->xcs & 3 ? OUTER_WORDS : SAME_LEVEL_WORDS);
  load_esp0(current->stack + thread_size);
}

void ring3_trap(const struct pt_regs *regs) {
  struct ring3 *end = running;

  if (!end) return;
  running = NULL; // a fault of our own is the kernel's
  end->cr2 = read_cr2();
  end->regs = *regs;
  if (!(regs->xcs & 3)) { // no change of stacks
    end->regs.esp = (u32)(unsigned long)&regs->esp;
    end->regs.xss = KERNEL_DS;
  }
  // A push of a segment register may leave the upper half as it was.
  end->regs.xds &= 0xFFFF;
  end->regs.xes &= 0xFFFF;
  end->regs.xfs &= 0xFFFF;
  end->regs.xgs &= 0xFFFF;
  end->regs.xcs &= 0xFFFF;
  end->regs.xss &= 0xFFFF;
  ring3_leave();
}
