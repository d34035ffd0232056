/// The page-fault handler: tells the causes apart, and mends or ends.
///
///   1. a vmalloc address: this page directory lacks the kernel's entry
///   2. outside every area: below a stack it grows, else the access was wrong
///   3. inside one, but its rights do not allow the access
///   4. not yet mapped: a zeroed page, or one of the file    (4 to 6: handle_mm_fault)
///   5. swapped out: read back
///   6. a write to a page that is shared: copied
#include <arch/irqflags.h>
#include <arch/processor.h>
#include <arch/traps.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/sched.h>

/// Copies the entry of the kernel's directory that the loaded one lacks: the vmalloc area grows without telling the
/// processes. Returns false if the kernel has none either.
static bool vmalloc_fault(unsigned long address) {
  pgd_t *pgd = pgd_offset_pgd((pgd_t *)__va(read_cr3() & PAGE_MASK), address);
  pmd_t *pmd = pmd_offset(pud_offset(pgd, address), address), *pmd_k = lookup_kernel_pmd(address);

  if (!pmd_present(*pmd_k) || pmd_present(*pmd)) return false;
  set_pmd(pmd, *pmd_k);
  fault_stats.vmalloc++;
  return true;
}

/// The area that `address` is in, or a stack that may grow to it. NULL: none.
static struct vm_area_struct *faulting_area(const struct pt_regs *regs, u32 error_code, unsigned long address) {
  struct vm_area_struct *vma = find_vma(current->mm, address);

  if (!vma || address >= vma->vm_start) return vma;
  if (!(vma->vm_flags & VM_GROWSDOWN)) return NULL;
  // Below the stack pointer nothing is the stack's, but PUSHA writes up to 32 bytes below before it moves it.
  if ((error_code & PF_USER) && address + 32 < regs->esp) return NULL;
  if (expand_stack(vma, address)) return NULL;
  fault_stats.stack_growth++;
  return vma;
}

/// Whether the area's rights allow the access.
static bool access_allowed(const struct vm_area_struct *vma, u32 error_code) {
  if (error_code & PF_WRITE) return vma->vm_flags & VM_WRITE;
  return vma->vm_flags & (VM_READ | VM_EXEC);
}

/// Mends a fault at a user address. Returns 0, or the signal that it deserves.
static int user_address_fault(const struct pt_regs *regs, u32 error_code, unsigned long address) {
  struct vm_area_struct *vma = faulting_area(regs, error_code, address);

  if (!vma) {
    fault_stats.outside++;
    return SIGSEGV;
  }
  if (!access_allowed(vma, error_code)) {
    fault_stats.rights++;
    return SIGSEGV;
  }
  switch (handle_mm_fault(current->mm, vma, address, error_code & PF_WRITE)) {
  case VM_FAULT_OK:
    return 0;
  case VM_FAULT_OOM:
    return SIGKILL;
  case VM_FAULT_SIGBUS:
    break;
  }
  return SIGBUS;
}

_Noreturn static void kill_current(int signal, u32 error_code, unsigned long address) {
  printk("%s[%d]: %s of %s address %08lx: signal %d\n", current->comm, current->pid,
         error_code & PF_WRITE ? "write" : "read", error_code & PF_PROT ? "protected" : "unmapped", address, signal);
  fault_stats.killed++;
  do_exit(signal);
}

void do_page_fault(struct pt_regs *regs, u32 error_code) {
  unsigned long address = read_cr2(); // before anything else can fault
  enum origin before = origin_enter(ORIGIN_FAULT);
  int signal = SIGSEGV;

  if (regs->eflags & EFLAGS_IF) local_irq_enable();
  if (address >= VMALLOC_START && address < VMALLOC_END && !(error_code & (PF_PROT | PF_USER | PF_RSVD)))
    if (vmalloc_fault(address)) goto out;

  // A reserved bit is set in a page table: nothing to mend, unless a test did that.
  if (error_code & PF_RSVD) {
    if (!user_mode(regs) && fixup_exception(regs, (u32)address)) goto out;
    die("reserved bit in a page table", regs);
  }
  if (current->mm && address < TASK_SIZE && !in_atomic()) {
    signal = user_address_fault(regs, error_code, address);
    if (!signal) goto out;
  }
  if (user_mode(regs))
    kill_current(signal, error_code, address);
  else if (!fixup_exception(regs, (u32)address))
    die("unexpected page fault in the kernel", regs);
out:
  origin_leave(before);
}
