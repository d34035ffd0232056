/// Hardware interrupts: the 8259 pair, the timer, the stacks that handlers run on.
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <arch/ptrace.h>

/// Ticks since boot. The timer is a one-shot that is set only while no task can run: so time does not pass while
/// something happens, and a run does not depend on it.
extern unsigned long jiffies;

/// Programs the 8259s, all masked, and the timer. Interrupts may be enabled afterwards.
void irq_init(void);

/// Makes the interrupt stacks, one for each processor, between guard pages. After thread_stack_init.
void irq_stack_init(void);

/// Serves an interrupt on this processor's interrupt stack.
void do_irq(struct pt_regs *regs);

/// Halts until the next tick has been served. Interrupts are on.
void wait_for_tick(void);

/// Lowest address of the interrupt stack of processor `cpu`.
unsigned long irq_stack(unsigned cpu);

/// Calls fn on the interrupt stack as an interrupt's handler would be.
void call_on_irq_stack(void (*fn)(void));

/// Ticks served.
unsigned long nr_interrupts(void);

#endif
