/// Address spaces: their ranges, their heap.
#include <kernel/kernel.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>

static struct kmem_cache *mm_cachep, *vma_cachep;

void mm_init(void) {
  mm_cachep = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  vma_cachep = kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, SLAB_POISON | SLAB_RED_ZONE, NULL);
  if (!mm_cachep || !vma_cachep) panic("no memory for mm_init");
}

struct mm_struct *mm_alloc(void) {
  struct mm_struct *mm = kmem_cache_alloc(mm_cachep);
  if (!mm) return NULL;

  memset(mm, 0, sizeof(*mm));
  INIT_LIST_HEAD(&mm->mmap);
  mm->pgd = (pgd_t *)get_zeroed_page(GFP_KERNEL);
  if (!mm->pgd) {
    kmem_cache_free(mm_cachep, mm);
    return NULL;
  }
  memcpy(mm->pgd + USER_PTRS_PER_PGD, swapper_pg_dir + USER_PTRS_PER_PGD,
         (PTRS_PER_PGD - USER_PTRS_PER_PGD) * sizeof(pgd_t));
  return mm;
}

void mm_free(struct mm_struct *mm) {
  list_for_each_safe(at, after, &mm->mmap) {
    struct vm_area_struct *vma = list_entry(at, struct vm_area_struct, list);
    zap_page_range(mm, vma->vm_start, vma->vm_end);
    list_del(at);
    kmem_cache_free(vma_cachep, vma);
  }
  BUG_ON(mm->rss);
  for (unsigned i = 0; i < USER_PTRS_PER_PGD; i++)
    if (pgd_present(mm->pgd[i])) free_pages((unsigned long)__va(mm->pgd[i].pgd & PAGE_MASK), 0);
  free_pages((unsigned long)mm->pgd, 0);
  kmem_cache_free(mm_cachep, mm);
}

struct vm_area_struct *find_vma(const struct mm_struct *mm, unsigned long address) {
  list_for_each(at, &mm->mmap) {
    struct vm_area_struct *vma = list_entry(at, struct vm_area_struct, list);
    if (address < vma->vm_end) return vma;
  }
  return NULL;
}

struct vm_area_struct *add_vma(struct mm_struct *mm, unsigned long start, unsigned long end, u32 flags) {
  struct vm_area_struct *after = find_vma(mm, start), *vma = kmem_cache_alloc(vma_cachep);
  if (!vma) return NULL;

  memset(vma, 0, sizeof(*vma));
  vma->vm_start = start;
  vma->vm_end = end;
  vma->vm_flags = flags;
  list_add_tail(&vma->list, after ? &after->list : &mm->mmap);
  return vma;
}

unsigned long do_brk(struct mm_struct *mm, unsigned long brk) {
  unsigned long old_end = align_up(mm->brk, PAGE_SIZE), new_end = align_up(brk, PAGE_SIZE);
  struct vm_area_struct *heap = old_end > mm->start_brk ? find_vma(mm, mm->start_brk) : NULL;

  if (brk < mm->start_brk || brk > STACK_TOP - 2 * STACK_LIMIT) return mm->brk;
  if (!heap && new_end > mm->start_brk) {
    if (!add_vma(mm, mm->start_brk, new_end, VM_READ | VM_WRITE)) return mm->brk;
  } else if (heap && new_end > mm->start_brk) {
    if (new_end < old_end) zap_page_range(mm, new_end, old_end);
    heap->vm_end = new_end;
  } else if (heap) {
    zap_page_range(mm, mm->start_brk, old_end);
    list_del(&heap->list);
    kmem_cache_free(vma_cachep, heap);
  }
  return mm->brk = brk;
}

struct mm_struct *dup_mm(struct mm_struct *from) {
  struct mm_struct *mm = mm_alloc();
  if (!mm) return NULL;

  mm->start_brk = from->start_brk;
  mm->brk = from->brk;
  list_for_each(at, &from->mmap) {
    const struct vm_area_struct *vma = list_entry(at, struct vm_area_struct, list);
    struct vm_area_struct *copy = add_vma(mm, vma->vm_start, vma->vm_end, vma->vm_flags);
    if (copy) {
      copy->file = vma->file;
      copy->file_bytes = vma->file_bytes;
    }
    if (!copy || !copy_page_range(mm, from, vma)) {
      flush_tlb();
      mm_free(mm);
      return NULL;
    }
  }
  flush_tlb(); // the parent's writable translations
  return mm;
}

void switch_mm(const struct mm_struct *next) {
  u32 cr3 = (u32)__pa(next ? next->pgd : swapper_pg_dir);
  if (read_cr3() != cr3) write_cr3(cr3);
}
