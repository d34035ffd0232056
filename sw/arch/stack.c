/// Kernel stacks: one or two pages with 4 KiB mappings, and a page below that is never mapped, so that an overflow is a
/// fault and not somebody else's data. All page directories share the area's page table.
#include <arch/pgtable.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/sched.h>

enum { SLOT_PAGES = 4, SLOTS = PTRS_PER_PTE / SLOT_PAGES };

unsigned long thread_size = 2 * PAGE_SIZE;

static bool slot_used[SLOTS];

static unsigned long slot_stack(unsigned slot) {
  return KSTACK_START + (slot + 1) * SLOT_PAGES * PAGE_SIZE - thread_size;
}

void thread_stack_init(void) {
  if (!pte_alloc_kernel(KSTACK_START)) panic("no memory for the stacks' page table");
}

unsigned long alloc_thread_stack(void) {
  unsigned slot = 0;

  while (slot < SLOTS && slot_used[slot])
    slot++;
  if (slot == SLOTS) return 0;
  slot_used[slot] = true; // before anything sleeps
  unsigned long stack = slot_stack(slot);
  for (unsigned long at = stack; at < stack + thread_size; at += PAGE_SIZE) {
    struct page *page = alloc_page(GFP_KERNEL);
    if (!page || !map_kernel_page(at, page_to_pfn(page), _PAGE_KERNEL | page_global)) {
      if (page) __free_page(page);
      for (unsigned long mapped = stack; mapped < at; mapped += PAGE_SIZE)
        __free_page(pfn_to_page(pte_pfn(unmap_kernel_page(mapped))));
      slot_used[slot] = false;
      return 0;
    }
  }
  return stack;
}

void free_thread_stack(unsigned long stack) {
  for (unsigned long at = stack; at < stack + thread_size; at += PAGE_SIZE)
    __free_page(pfn_to_page(pte_pfn(unmap_kernel_page(at))));
  slot_used[(stack - KSTACK_START) / (SLOT_PAGES * PAGE_SIZE)] = false;
}
