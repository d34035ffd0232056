/// mprotect: areas are divided at the bounds, their rights and those of their entries changed.
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>

/// New rights for the pages that are there. None becomes writable here: that is for the write's fault to decide.
static void change_protection(struct vm_area_struct *vma) {
  u32 prot = vm_page_prot(vma->vm_flags);

  for (unsigned long address = vma->vm_start; address < vma->vm_end; address += PAGE_SIZE) {
    pte_t *pte = pte_lookup(vma->vm_mm, address);
    if (!pte) {
      address = (address & PMD_MASK) + PMD_SIZE - PAGE_SIZE;
      continue;
    }
    pte_t old = read_pte(pte);
    if (!pte_present(old)) continue;
    u32 keep = (u32)PAGE_MASK | _PAGE_ACCESSED | _PAGE_DIRTY | (vma->vm_flags & VM_WRITE ? _PAGE_RW : 0);
    set_pte(pte, (pte_t){(old.pte & keep) | (prot & ~(u32)_PAGE_ACCESSED)});
    flush_tlb_one(address);
  }
}

int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned prot) {
  unsigned long end = start + align_up(length, PAGE_SIZE);
  u32 rights = (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) | (prot & PROT_EXEC ? VM_EXEC : 0);

  if (start % PAGE_SIZE || length > TASK_SIZE - start || start > TASK_SIZE || prot & ~7U) return -EINVAL;
  if (!rights) return -EINVAL; // PROT_NONE would need a not-present entry that is not swapped out
  for (unsigned long at = start; at < end;) {
    struct vm_area_struct *vma = find_vma(mm, at);
    if (!vma || vma->vm_start > at) return -ENOMEM;
    if (vma->vm_flags & VM_PFNMAP) return -EACCES; // their entries are made once
    if (vma->vm_flags & VM_SHARED && rights & VM_WRITE) return -EACCES;
    if (vma->vm_start < at && split_vma(vma, at, true)) return -ENOMEM;
    if (vma->vm_end > end && split_vma(vma, end, false)) return -ENOMEM;
    vma->vm_flags = (vma->vm_flags & ~(u32)(VM_READ | VM_WRITE | VM_EXEC)) | rights;
    change_protection(vma);
    at = vma->vm_end;
  }
  return 0;
}
