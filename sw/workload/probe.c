/// Memory that every privilege level can use.
#include <arch/segment.h>
#include <kernel/mm.h>
#include <kernel/probe.h>
#include <kernel/workload.h>

/// Rights and accessed bits as they stay, so that no probe changes the probes' own pages' entries.
enum { CODE_PAGE = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED, STACK_PAGE = CODE_PAGE | _PAGE_RW | _PAGE_DIRTY };

enum { EFLAGS_FIXED = 1 << 1 }; // reads as 1

static unsigned long table, stack;
static u32 code_page;

void probe_open(const void *code, u32 bytes) {
  table = (unsigned long)need((void *)get_zeroed_page(GFP_KERNEL));
  stack = (unsigned long)need((void *)get_zeroed_page(GFP_KERNEL));
  code_page = (u32)(unsigned long)code & (u32)PAGE_MASK;

  volatile u32 *entry = (volatile u32 *)table;
  *entry++ = (u32)__pa(stack) | STACK_PAGE;
  for (u32 page = code_page; page < (u32)(unsigned long)code + bytes; page += PAGE_SIZE)
    *entry++ = (u32)__pa(page) | CODE_PAGE;
  *directory_entry(PROBE_WINDOW) = (u32)__pa(table) | STACK_PAGE;
}

void probe_close(void) {
  *directory_entry(PROBE_WINDOW) = 0;
  flush_tlb_all();
  free_pages(table, 0);
  free_pages(stack, 0);
}

u32 probe_address(const void *code) {
  return PROBE_CODE + ((u32)(unsigned long)code - code_page);
}

void probe_start(struct pt_regs *start, u32 cpl) {
  u32 cs = cpl ? USER_CS : KERNEL_CS, ds = cpl ? USER_DS : KERNEL_DS;

  *start = (struct pt_regs){.xcs = cs, .xds = ds, .xes = ds, .xss = ds, .esp = PROBE_STACK_TOP, .eflags = EFLAGS_FIXED};
}
