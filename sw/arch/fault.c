/// The page-fault handler: decides whether the access was legitimate, and mends or ends.
#include <arch/traps.h>
#include <kernel/kernel.h>
#include <kernel/sched.h>

/// Copies the entry of the kernel's directory that this task's directory lacks: the vmalloc area grows without
/// telling the tasks. Returns false if the kernel has none either.
static bool vmalloc_fault(unsigned long address) {
  pgd_t *pgd = pgd_offset((pgd_t *)__va(read_cr3() & PAGE_MASK), address);
  const pgd_t *reference = pgd_offset(swapper_pg_dir, address);

  if (!pgd_present(*reference) || pgd_present(*pgd)) return false;
  set_pgd(pgd, *reference);
  fault_stats.vmalloc++;
  return true;
}

/// The range that allows this access; extends the stack if need be. NULL: none does.
static struct vm_area_struct *good_area(const struct pt_regs *regs, u32 error_code, unsigned long address) {
  struct vm_area_struct *vma = find_vma(current->mm, address);

  if (!vma) return NULL;
  if (address < vma->vm_start) {
    if (!(vma->vm_flags & VM_GROWSDOWN) || vma->vm_end - address > STACK_LIMIT) return NULL;
    // Below the stack pointer nothing is the stack's, but PUSHA writes up to 32 bytes below before it moves it.
    if ((error_code & PF_USER) && address + 32 < regs->esp) return NULL;
    vma->vm_start = address & PAGE_MASK;
    fault_stats.stack_growth++;
  }
  return vma->vm_flags & (error_code & PF_WRITE ? VM_WRITE : VM_READ) ? vma : NULL;
}

_Noreturn static void kill_current(u32 error_code, unsigned long address) {
  printk("%s[%d]: %s of %s address %08lx: killed\n", current->name, current->pid,
         error_code & PF_WRITE ? "write" : "read", error_code & PF_PROT ? "protected" : "unmapped", address);
  fault_stats.killed++;
  do_exit(KILLED_BY_TRAP + TRAP_PF);
}

void do_page_fault(struct pt_regs *regs, u32 error_code) {
  unsigned long address = read_cr2();

  if (address >= VMALLOC_START && address < VMALLOC_END && !(error_code & (PF_PROT | PF_USER)))
    if (vmalloc_fault(address)) return;

  // A reserved bit is set in a page table: nothing to mend, unless a test did that.
  if (error_code & PF_RSVD) {
    if (!user_mode(regs) && fixup_exception(regs, (u32)address)) return;
    die("reserved bit in a page table", regs);
  }
  if (current->mm && address < TASK_SIZE) {
    const struct vm_area_struct *vma = good_area(regs, error_code, address);
    if (vma && handle_mm_fault(current->mm, vma, address, error_code & PF_WRITE)) return;
  }
  if (user_mode(regs))
    kill_current(error_code, address);
  else if (!fixup_exception(regs, (u32)address))
    die("unexpected page fault in the kernel", regs);
}
