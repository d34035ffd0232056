/// One access through two page-table entries: made, and compared with the manual.
#include "permission.h"
#include <arch/traps.h>
#include <kernel/probe.h>
#include <kernel/workload.h>

enum { VALUE = 0x13579BDF };

/// An access and the end of the run. EBX: address or selector, EAX: VALUE. ACCESS_EXECUTE runs the target's own code.
extern const u8 permission_read[], permission_write[], permission_add[], permission_xchg[], permission_lar[];
__asm__(".pushsection .rodata\n"
        ".globl permission_code, permission_code_end\n"
        "permission_code:\n"
        "permission_read:\n\t"
        "movl (%ebx), %eax\n\t"
        "int $0x80\n"
        "permission_write:\n\t"
        "movl %eax, (%ebx)\n\t"
        "int $0x80\n"
        "permission_add:\n\t"
        "lock addl %eax, (%ebx)\n\t"
        "int $0x80\n"
        "permission_xchg:\n\t"
        "xchgl %eax, (%ebx)\n\t"
        "int $0x80\n"
        "permission_lar:\n\t"
        "larl %ebx, %eax\n\t"
        "int $0x80\n"
        "permission_code_end:\n\t"
        ".popsection");

static u32 linear(const struct window *window, const void *at) {
  return window->address + (u32)((const u8 *)at - (const u8 *)window->target);
}

/// The address that the access is made to.
static u32 operand(const struct window *window, enum access access) {
  if (access == ACCESS_EXECUTE) return linear(window, &window->target->code);
  if (access == ACCESS_DESCRIPTOR) return linear(window, &window->target->ldt[1]);
  return linear(window, &window->target->word);
}

/// Where the run starts. At CPL 0 that is the kernel's own page, which SMEP lets it execute.
static u32 start_of(const struct window *window, const struct attempt *attempt, bool xchg) {
  static const u8 *const codes[ACCESSES] = {permission_read, permission_write, NULL, permission_add, permission_lar};
  const u8 *code = codes[attempt->access];

  if (attempt->access == ACCESS_EXECUTE) return operand(window, ACCESS_EXECUTE);
  if (attempt->access == ACCESS_RMW && xchg) code = permission_xchg;
  return attempt->cpl ? probe_address(code) : (u32)(unsigned long)code;
}

/// Whether memory and EAX are as an access that is made leaves them.
static bool has_effect(const struct window *window, const struct attempt *attempt, u32 eax, bool xchg) {
  const struct target *target = window->target;

  switch (attempt->access) {
  case ACCESS_READ:
    return target->word == TAG && eax == TAG;
  case ACCESS_WRITE:
    return target->word == VALUE;
  case ACCESS_RMW:
    return xchg ? target->word == VALUE && eax == TAG : target->word == TAG + VALUE;
  case ACCESS_DESCRIPTOR:
    return target->word == TAG && (eax & 0xFF00) == (target->ldt[1].b & 0xFF00);
  default:
    return target->word == TAG;
  }
}

static bool as_expected(const struct window *window, const struct attempt *attempt, const struct ring3 *end, u32 start,
                        bool xchg) {
  if (window->decoy->word != DECOY_TAG) return false;
  if (end->regs.trapno == TRAP_PF)
    return end->cr2 == operand(window, attempt->access) && end->regs.eip == start && window->target->word == TAG &&
           end->regs.eax == VALUE;
  return end->regs.trapno == (attempt->access == ACCESS_EXECUTE ? (u32)TRAP_BP : (u32)RING3_DONE) &&
         has_effect(window, attempt, end->regs.eax, xchg);
}

static void report(const struct attempt *attempt, const struct outcome *expected, const struct ring3 *end,
                   const struct outcome *seen) {
  static const char *const names[] = {"read", "write", "execute", "read-modify-write", "descriptor read"};

  printk("%s, CPL %u, WP %d PSE %d SMEP %d SMAP %d AC %d, entries %08x %08x\n", names[attempt->access], attempt->cpl,
         attempt->wp, attempt->pse, attempt->smep, attempt->smap, attempt->ac, attempt->pde, attempt->pte);
  printk("  expected: %s, error code %02x, entries %08x %08x\n", expected->fault ? "#PF" : "done", expected->error_code,
         expected->pde, expected->pte);
  printk("  seen: vector %u, error code %02x, entries %08x %08x, cr2 %08x eip %08x eax %08x\n", end->regs.trapno,
         seen->error_code, seen->pde, seen->pte, end->cr2, end->regs.eip, end->regs.eax);
}

bool try_access(const struct window *window, const struct attempt *attempt, const struct outcome *expected, bool xchg) {
  enum { EFLAGS_AC = 1 << 18 };
  u32 cr0 = read_cr0(), with_wp = attempt->wp ? cr0 | CR0_WP : cr0 & ~(u32)CR0_WP;
  struct pt_regs start;
  struct ring3 end;

  probe_start(&start, attempt->cpl);
  start.eip = start_of(window, attempt, xchg);
  start.ebx = attempt->access == ACCESS_DESCRIPTOR ? (u32)TARGET_LDT_SELECTOR : operand(window, attempt->access);
  start.eax = VALUE;
  if (attempt->ac) start.eflags |= EFLAGS_AC;
  window->target->word = TAG;
  if (cr0 != with_wp) write_cr0(with_wp);
  ring3_run(&start, &end);

  struct outcome seen = {end.regs.trapno == TRAP_PF, end.regs.error_code, *window->pde, *window->pte};
  if (outcome_agrees(attempt, expected, &seen, boot_params.limits) &&
      as_expected(window, attempt, &end, start.eip, xchg))
    return true;
  report(attempt, expected, &end, &seen);
  return false;
}
