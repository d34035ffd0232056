/// Media memory for processes: blocks of their own, mapped where they like, and given back when they die.
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/mmz.h>
#include <kernel/sched.h>
#include <kernel/task.h>

/// The process's block that begins at a physical address, or NULL.
static hil_mmb_t *own_block(unsigned long phys_addr) {
  hil_mmb_t *mmb = hil_mmb_getby_phys(phys_addr);
  return mmb && mmb->phys_addr == phys_addr && mmb->owner == current->pid ? mmb : NULL;
}

long mmz_user_alloc(unsigned long size, unsigned long align) {
  hil_mmb_t *mmb = hil_mmb_alloc(current->comm, size, align, 0, NULL);
  if (!mmb) return -ENOMEM;
  mmb->owner = current->pid;
  return (long)mmb->phys_addr;
}

/// A mapping of a block goes, however that came about.
static void close_mapping(struct vm_area_struct *vma) {
  hil_mmb_t *mmb = hil_mmb_getby_phys(vma->vm_pgoff << PAGE_SHIFT);
  BUG_ON(!mmb || !mmb->user_maps);
  mmb->user_maps--;
}

long mmz_user_map(unsigned long phys_addr, bool cached) {
  hil_mmb_t *mmb = own_block(phys_addr);
  if (!mmb) return -EPERM;
  long address = do_mmap(current->mm, NULL, 0, mmb->length, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
  if (address < 0 && address > -4096) return address;
  struct vm_area_struct *vma = find_vma(current->mm, (unsigned long)address);
  // Next to an area like it, the new one has become part of that: the frames need one of their own.
  if (vma->vm_start < (unsigned long)address && split_vma(vma, (unsigned long)address, true)) goto no_memory;
  vma = find_vma(current->mm, (unsigned long)address);
  if (remap_pfn_range(vma, mmb->phys_addr >> PAGE_SHIFT, mmb->length >> PAGE_SHIFT, cached ? 0 : _PAGE_PCD))
    goto no_memory;
  mmb->user_maps++;
  vma->vm_close = close_mapping;
  return address;
no_memory:
  do_munmap(current->mm, (unsigned long)address, mmb->length);
  return -ENOMEM;
}

long mmz_user_unmap(unsigned long address) {
  const struct vm_area_struct *vma = find_vma(current->mm, address);
  if (!vma || vma->vm_start != address || !(vma->vm_flags & VM_PFNMAP)) return -EINVAL;
  if (!own_block(vma->vm_pgoff << PAGE_SHIFT)) return -EPERM;
  return do_munmap(current->mm, vma->vm_start, vma->vm_end - vma->vm_start);
}

long mmz_user_free(unsigned long phys_addr) {
  hil_mmb_t *mmb = own_block(phys_addr);
  return mmb ? hil_mmb_free(mmb) : -EPERM;
}

/// A dying process's blocks go. Its mappings are gone already, with its address space.
static void release_blocks(struct task_struct *task) {
  hil_mmb_t *mmb;

  while ((mmb = hil_mmb_owned_by(task->pid)) != NULL) {
    mmb->owner = 0;
    hil_mmb_put(mmb);
  }
}

void mmz_init(unsigned long first_pfn, unsigned long pages) {
  unsigned long jpeg = pages / 4;

  if (!pages) return;
  register_exit_notifier(release_blocks);
  if (!hil_mmz_create("anonymous", 0, first_pfn << PAGE_SHIFT, (pages - jpeg) << PAGE_SHIFT) ||
      !hil_mmz_create("jpeg", 1, (first_pfn + pages - jpeg) << PAGE_SHIFT, jpeg << PAGE_SHIFT))
    panic("no memory for media memory zones");
}
