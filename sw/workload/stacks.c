/// Kernel stacks: a task of each; overflows caught by the guard page; interrupts on stacks of their own.
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/pgtable.h>
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/workload.h>

static unsigned long stack_pointer(void) {
  unsigned long esp;
  __asm__ volatile("movl %%esp, %0" : "=r"(esp));
  return esp;
}

/// Uses 128 bytes of stack for each level.
static __attribute__((noinline)) u32 dig(u32 depth) {
  volatile u32 frame[24];
  frame[0] = depth;
  u32 below = depth ? dig(depth - 1) : 0;
  return below + (frame[0] == depth);
}

static u32 depth_reached;

/// As deep as fits, with room for one more exception.
static int deep(void *unused) {
  (void)unused;
  u32 depth = (u32)(stack_pointer() - current->stack - 400) / 160;
  depth_reached = dig(depth);
  return depth_reached == depth + 1 ? 0 : 1;
}

static int too_deep(void *unused) {
  (void)unused;
  return (int)dig(1000);
}

static int wait_for(int pid) {
  int status = -1;
  CHECK(pid > 0 && do_wait(pid, &status) == pid);
  return status;
}

/// Stacks are neither next to each other nor next to anything.
static int look_around(void *unused) {
  unsigned long low = current->stack, value;

  (void)unused;
  CHECK(stack_pointer() > low && stack_pointer() < low + thread_size);
  CHECK(!try_read32(low - 4, (u32 *)&value) && !try_write32(low - PAGE_SIZE, 0));
  CHECK(!try_read32(low + thread_size, (u32 *)&value));
  return 0;
}

/// What a handler sees.
static unsigned long handler_esp;
static u32 handler_sleeps;

static void handler(void) {
  unsigned long before = nr_atomic_sleeps();

  handler_esp = stack_pointer();
  CHECK(in_interrupt() && in_atomic());
  free_page(__get_free_page(GFP_ATOMIC));
  CHECK(nr_atomic_sleeps() == before);
  free_page(__get_free_page(GFP_KERNEL)); // may not: reported
  handler_sleeps = (u32)(nr_atomic_sleeps() - before);
}

static void interrupts(void) {
  for_each_possible_cpu(cpu) {
    switch_cpu(cpu);
    call_on_irq_stack(handler);
    CHECK(handler_esp >= irq_stack(cpu) && handler_esp < irq_stack(cpu) + thread_size);
    CHECK(handler_sleeps == 1 && !in_interrupt());
    u32 value;
    CHECK(!try_read32(irq_stack(cpu) - 4, &value)); // a guard page there too
  }
  switch_cpu(0);
  // Real ones: the timer's, while everybody waits.
  unsigned long now = jiffies, served = nr_interrupts();
  for (unsigned long i = rounds(40); i; i--)
    schedule_timeout(1 + i % 3);
  CHECK(jiffies > now && nr_interrupts() - served == jiffies - now);
}

/// Sleepers wake in the order of their times, whatever the order they went to sleep in.
static char order[4];
static int order_length;

static int sleeper(void *name) {
  schedule_timeout((unsigned long)(*(const char *)name - 'a') * 2 + 1);
  order[order_length++] = *(const char *)name;
  return 0;
}

static void sleepers(void) {
  order_length = 0;
  kernel_thread("c", sleeper, "c");
  kernel_thread("a", sleeper, "a");
  int last = kernel_thread("b", sleeper, "b");
  for (int i = 0; i < 3; i++) {
    int status = -1;
    CHECK(do_wait(-1, &status) > 0 && status == 0);
  }
  CHECK(last > 0 && order[0] == 'a' && order[1] == 'b' && order[2] == 'c');
}

void workload_stacks(void) {
  unsigned long overflows = fault_stats.stack_overflow, n = rounds(20) + 1;

  CHECK(wait_for(kernel_thread("around", look_around, NULL)) == 0);
  for (unsigned long i = n; i; i--)
    CHECK(wait_for(kernel_thread("deep", deep, NULL)) == 0);
  for (unsigned long i = n; i; i--) {
    CHECK(wait_for(kernel_thread("overflow", too_deep, NULL)) == SIGSEGV);
    CHECK(wait_for(kernel_thread("deep", deep, NULL)) == 0); // the next one is as good as ever
  }
  CHECK(fault_stats.stack_overflow == overflows + n);
  printk("stacks of %lu KiB: %u frames deep, %lu overflows caught\n", thread_size >> 10, depth_reached, n);
  interrupts();
  sleepers();
}
