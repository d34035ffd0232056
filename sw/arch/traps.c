/// The interrupt descriptor table and the dispatch of exceptions.
#include <arch/irq.h>
#include <arch/irqflags.h>
#include <arch/processor.h>
#include <arch/ring3.h>
#include <arch/segment.h>
#include <arch/traps.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/sched.h>
#include <kernel/syscall.h>

static struct desc_struct idt_table[SYSCALL_VECTOR + 1] __attribute__((aligned(8)));

extern const char ret_from_trap[], ret_from_trap_end[];  // entry.S: what loads a task's registers
extern const u32 trap_stubs[TRAP_VECTORS + NR_IRQS + 1]; // entry.S; the last one is the system call's

struct trap_record last_fixup;
struct fault_stats fault_stats;

enum { GATE_TASK = 0x8500, GATE_INTERRUPT = 0x8E00, GATE_TRAP = 0x8F00, GATE_DPL3 = 0x6000 };

static void set_gate(int vector, u32 type, u32 handler) {
  idt_table[vector] = (struct desc_struct){KERNEL_CS << 16 | (handler & 0xFFFF), (handler & 0xFFFF0000) | type};
}

void trap_init(void) {
  for (int vector = 0; vector < TRAP_VECTORS + NR_IRQS; vector++)
    set_gate(vector, GATE_INTERRUPT, trap_stubs[vector]);
  set_gate(TRAP_BP, GATE_TRAP | GATE_DPL3, trap_stubs[TRAP_BP]);
  set_gate(TRAP_OF, GATE_TRAP | GATE_DPL3, trap_stubs[TRAP_OF]);
  set_gate(SYSCALL_VECTOR, GATE_TRAP | GATE_DPL3, trap_stubs[TRAP_VECTORS + NR_IRQS]);
  doublefault_init();
  idt_table[TRAP_DF] = (struct desc_struct){GDT_ENTRY_DOUBLEFAULT_TSS * 8 << 16, GATE_TASK};

  struct {
    u16 limit;
    u32 base;
  } __attribute__((packed)) idtr = {sizeof(idt_table) - 1, (u32)(unsigned long)idt_table};
  __asm__ volatile("lidt %0" : : "m"(idtr));
}

static const char *trap_name(u32 vector) {
  static const char *const names[] = {"divide error",
                                      "debug",
                                      "NMI",
                                      "breakpoint",
                                      "overflow",
                                      "bound",
                                      "invalid opcode",
                                      "no device",
                                      "double fault",
                                      "coprocessor overrun",
                                      "invalid TSS",
                                      "segment not present",
                                      "stack fault",
                                      "general protection",
                                      "page fault"};
  return vector < ARRAY_SIZE(names) ? names[vector] : "exception";
}

void die(const char *why, const struct pt_regs *regs) {
  u32 cr2 = read_cr2(), eflags = regs->eflags & 0xFFFF; // without RF, which QEMU does not set
  printk("mmu86: FAIL %s: %s, error code %04x\n", why, trap_name(regs->trapno), regs->error_code);
  printk("eip %04x:%08x eflags %08x cr2 %08x cr3 %08x\n", regs->xcs, regs->eip, eflags, cr2, read_cr3());
  printk("eax %08x ebx %08x ecx %08x edx %08x\n", regs->eax, regs->ebx, regs->ecx, regs->edx);
  printk("esi %08x edi %08x ebp %08x esp %08x\n", regs->esi, regs->edi, regs->ebp,
         user_mode(regs) ? regs->esp : (u32)(unsigned long)&regs->esp);
  printk("ds %04x es %04x fs %04x gs %04x pid %d\n", regs->xds, regs->xes, regs->xfs, regs->xgs, current->pid);
  machine_exit(EXIT_EXCEPTION);
}

/// One instruction that may fault, and where to continue if it does.
struct exception_table_entry {
  u32 insn, fixup;
};
extern const struct exception_table_entry __start___ex_table[], __stop___ex_table[];

bool fixup_exception(struct pt_regs *regs, u32 address) {
  for (const struct exception_table_entry *entry = __start___ex_table; entry < __stop___ex_table; entry++) {
    if (entry->insn != regs->eip) continue;
    last_fixup = (struct trap_record){regs->trapno, regs->error_code, address};
    fault_stats.fixup++;
    regs->eip = entry->fixup;
    return true;
  }
  return false;
}

/// The signal of an exception in ring 3.
static int trap_signal(u32 vector) {
  switch (vector) {
  case TRAP_DE:
    return SIGFPE;
  case TRAP_DB:
  case TRAP_BP:
    return SIGTRAP;
  case TRAP_UD:
  case TRAP_NM: // there is no x87 for processes
    return SIGILL;
  default:
    return SIGSEGV;
  }
}

/// A task's selectors are its own affair until they are loaded: what faults then is the task's fault.
static bool in_return_to_user(const struct pt_regs *regs) {
  return regs->eip >= (u32)(unsigned long)ret_from_trap && regs->eip < (u32)(unsigned long)ret_from_trap_end;
}

static void do_exception(struct pt_regs *regs) {
  if (user_mode(regs) || in_return_to_user(regs)) {
    int signal = trap_signal(regs->trapno);
    if (regs->eflags & EFLAGS_IF) local_irq_enable();
    printk("%s[%d]: %s, error code %04x: signal %d\n", current->comm, current->pid, trap_name(regs->trapno),
           regs->error_code, signal);
    fault_stats.killed++;
    do_exit(signal);
  } else if (!fixup_exception(regs, 0)) {
    die("unexpected exception in the kernel", regs);
  }
}

void do_trap(struct pt_regs *regs) {
  ring3_trap(regs); // does not return if it ends a test's run at another level
  enum origin before = origin_enter(regs->trapno == TRAP_PF ? ORIGIN_FAULT : ORIGIN_SYSCALL);

  if (regs->trapno == SYSCALL_VECTOR)
    system_call(regs);
  else if (regs->trapno == TRAP_PF)
    do_page_fault(regs, regs->error_code);
  else if (regs->trapno >= IRQ_VECTOR && regs->trapno < IRQ_VECTOR + NR_IRQS)
    do_irq(regs);
  else
    do_exception(regs);
  if (user_mode(regs)) {
    if (current->pending_signal) do_exit(current->pending_signal);
    cond_resched();
    local_irq_disable();
  }
  origin_leave(before);
}
