/// Interrupts. The only source is the timer, and only while the processor waits for it.
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/swap.h>

enum {
  PIC_MASTER = 0x20, // command; data is the next port
  PIC_SLAVE = 0xA0,
  PIC_ICW1 = 0x11, // edge-triggered, cascaded, ICW4 follows
  PIC_ICW4 = 0x01, // 8086 mode
  PIC_EOI = 0x20,
  PIT_CHANNEL0 = 0x40,
  PIT_CONTROL = 0x43,
  PIT_ONE_SHOT = 0x30, // channel 0, both bytes, mode 0
  PIT_NEVER = 0x32,    // mode 1: waits for a gate that never comes
  TICK = 64,           // periods of the timer's clock, 1.193182 MHz
};

unsigned long jiffies;

static unsigned long irq_stacks[NR_CPUS];
static unsigned long interrupts;
static bool tick_wanted;

static void set_timer(u8 mode) {
  outb(mode, PIT_CONTROL);
  outb(TICK & 0xFF, PIT_CHANNEL0);
  outb(TICK >> 8, PIT_CHANNEL0);
}

void irq_init(void) {
  outb(0xFF, PIC_MASTER + 1);
  outb(0xFF, PIC_SLAVE + 1);
  // Whatever the firmware had the timer do ends here, before the 8259s forget what they have seen.
  set_timer(PIT_NEVER);
  outb(PIC_ICW1, PIC_MASTER);
  outb(IRQ_VECTOR, PIC_MASTER + 1);
  outb(1 << 2, PIC_MASTER + 1); // the slave is at input 2
  outb(PIC_ICW4, PIC_MASTER + 1);
  outb(PIC_ICW1, PIC_SLAVE);
  outb(IRQ_VECTOR + 8, PIC_SLAVE + 1);
  outb(2, PIC_SLAVE + 1);
  outb(PIC_ICW4, PIC_SLAVE + 1);
  outb((u8)~1, PIC_MASTER + 1); // IRQ 0 alone
  outb(0xFF, PIC_SLAVE + 1);
}

void irq_stack_init(void) {
  for_each_possible_cpu(cpu) {
    irq_stacks[cpu] = alloc_thread_stack();
    if (!irq_stacks[cpu]) panic("no memory for interrupt stacks");
  }
}

unsigned long irq_stack(unsigned cpu) {
  return irq_stacks[cpu];
}

/// Calls fn(argument) with ESP at the top of another stack.
static void call_on_stack(unsigned long stack_top, void (*fn)(void *), void *argument) {
  unsigned long saved_esp, top = stack_top, function = (unsigned long)fn, eax = (unsigned long)argument;
  __asm__ volatile("movl %%esp, %0\n\t"
                   "movl %1, %%esp\n\t"
                   "pushl %3\n\t"
                   "call *%2\n\t"
                   "movl %0, %%esp"
                   : "=&b"(saved_esp), "+S"(top), "+D"(function), "+a"(eax)
                   :
                   : "ecx", "edx", "memory", "cc");
}

/// A tick that nobody waits for is what firmware's use of the timer has left behind.
static void timer_interrupt(void) {
  if (!tick_wanted) return;
  tick_wanted = false;
  interrupts++;
  jiffies++;
  ramdisk_interrupt();
  wake_sleepers();
}

static void handle_irq(void *argument) {
  const struct pt_regs *regs = argument;
  u32 irq = regs->trapno - IRQ_VECTOR;

  if (irq == 0) timer_interrupt();
  if (irq >= 8) outb(PIC_EOI, PIC_SLAVE);
  outb(PIC_EOI, PIC_MASTER);
}

void do_irq(struct pt_regs *regs) {
  enum origin before = origin_enter(ORIGIN_INTERRUPT);
  bool nested =
      in_interrupt() || !irq_stacks[smp_processor_id()]; // on the interrupt stack already, or too early for it

  add_preempt_count(HARDIRQ_OFFSET);
  if (nested)
    handle_irq(regs);
  else
    call_on_stack(irq_stacks[smp_processor_id()] + thread_size, handle_irq, regs);
  sub_preempt_count(HARDIRQ_OFFSET);
  origin_leave(before);
}

static void call_plain(void *argument) {
  (*(void (**)(void))argument)();
}

void call_on_irq_stack(void (*fn)(void)) {
  add_preempt_count(HARDIRQ_OFFSET);
  call_on_stack(irq_stacks[smp_processor_id()] + thread_size, call_plain, &fn);
  sub_preempt_count(HARDIRQ_OFFSET);
}

void wait_for_tick(void) {
  unsigned long now = jiffies;

  local_irq_disable();
  tick_wanted = true;
  set_timer(PIT_ONE_SHOT);
  while (jiffies == now) // STI takes effect after HLT has begun
    __asm__ volatile("sti; hlt; cli" : : : "memory");
  local_irq_enable();
}

unsigned long nr_interrupts(void) {
  return interrupts;
}
