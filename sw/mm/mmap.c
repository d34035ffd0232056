/// The areas of an address space.
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/origin.h>
#include <kernel/rmap.h>
#include <kernel/slab.h>
#include <kernel/string.h>

static struct kmem_cache *mm_cachep, *vm_area_cachep;

struct mm_struct init_mm = {.pgd = swapper_pg_dir, .mm_users = 1};

void mm_cache_init(void) {
  unsigned flags = SLAB_POISON | SLAB_RED_ZONE | SLAB_PANIC;
  mm_cachep = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0, flags, NULL);
  vm_area_cachep = kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, flags, NULL);
  anon_vma_init();
}

struct mm_struct *mm_alloc(void) {
  struct mm_struct *mm = kmem_cache_zalloc(mm_cachep, GFP_KERNEL);
  if (!mm) return NULL;

  mm->mm_users = 1;
  mm->pgd = (pgd_t *)get_zeroed_page(GFP_KERNEL);
  if (!mm->pgd) {
    kmem_cache_free(mm_cachep, mm);
    return NULL;
  }
  memcpy(mm->pgd + USER_PTRS_PER_PGD, swapper_pg_dir + USER_PTRS_PER_PGD,
         (PTRS_PER_PGD - USER_PTRS_PER_PGD) * sizeof(pgd_t));
  return mm;
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address) {
  struct vm_area_struct *vma = mm->mmap_cache;

  if (vma && vma->vm_start <= address && address < vma->vm_end) return vma;
  for (vma = mm->mmap; vma && address >= vma->vm_end; vma = vma->vm_next)
    ;
  if (vma) mm->mmap_cache = vma;
  return vma;
}

/// The link that points to the first area which ends after `address`.
static struct vm_area_struct **find_vma_link(struct mm_struct *mm, unsigned long address) {
  struct vm_area_struct **link = &mm->mmap;
  while (*link && (*link)->vm_end <= address)
    link = &(*link)->vm_next;
  return link;
}

/// Enters the area into its file's list.
static void link_file(struct vm_area_struct *vma) {
  INIT_LIST_HEAD(&vma->shared);
  if (vma->vm_file) list_add_tail(&vma->shared, &vma->vm_file->mapping.i_mmap);
}

/// Takes the area that `link` points to out, and frees it. Its pages are unmapped already.
static void remove_vma(struct mm_struct *mm, struct vm_area_struct **link) {
  struct vm_area_struct *vma = *link;

  *link = vma->vm_next;
  mm->mmap_cache = NULL;
  mm->map_count--;
  if (vma->vm_close) vma->vm_close(vma);
  anon_vma_unlink(vma);
  list_del(&vma->shared);
  kmem_cache_free(vm_area_cachep, vma);
}

/// Whether an area of these properties that starts at `start` continues `vma`.
static bool can_merge_after(const struct vm_area_struct *vma, unsigned long start, u32 vm_flags,
                            const struct inode *file, unsigned long pgoff) {
  return vma && vma->vm_end == start && vma->vm_flags == vm_flags && vma->vm_file == file &&
         !(vm_flags & (VM_GROWSDOWN | VM_PFNMAP)) && vma->vm_pgoff + vma_pages(vma) == pgoff;
}

int insert_area(struct mm_struct *mm, unsigned long start, unsigned long end, u32 vm_flags, struct inode *file,
                unsigned long pgoff) {
  struct vm_area_struct **link = find_vma_link(mm, start), *prev = NULL;

  for (struct vm_area_struct *at = mm->mmap; at && at->vm_end <= start; at = at->vm_next)
    prev = at;
  if (can_merge_after(prev, start, vm_flags, file, pgoff)) {
    mm->total_vm += (end - start) >> PAGE_SHIFT;
    prev->vm_end = end;
    return 0;
  }
  struct vm_area_struct *vma = kmem_cache_zalloc(vm_area_cachep, GFP_KERNEL);
  if (!vma) return -ENOMEM;
  vma->vm_mm = mm;
  vma->vm_start = start;
  vma->vm_end = end;
  vma->vm_flags = vm_flags;
  vma->vm_file = file;
  vma->vm_pgoff = pgoff;
  INIT_LIST_HEAD(&vma->anon_vma_node);
  link_file(vma);
  vma->vm_next = *link;
  *link = vma;
  mm->map_count++;
  mm->total_vm += vma_pages(vma);
  return 0;
}

int split_vma(struct vm_area_struct *vma, unsigned long address, bool new_below) {
  struct vm_area_struct *part = kmem_cache_alloc(vm_area_cachep, GFP_KERNEL);
  unsigned long pages_below = (address - vma->vm_start) >> PAGE_SHIFT;
  if (!part) return -ENOMEM;

  *part = *vma;
  INIT_LIST_HEAD(&part->anon_vma_node);
  anon_vma_link(part);
  link_file(part);
  if (new_below) {
    struct vm_area_struct **link = find_vma_link(vma->vm_mm, vma->vm_start);
    part->vm_end = vma->vm_start = address;
    vma->vm_pgoff += pages_below;
    part->vm_next = vma;
    *link = part;
  } else {
    vma->vm_end = part->vm_start = address;
    part->vm_pgoff += pages_below;
    vma->vm_next = part;
  }
  vma->vm_mm->map_count++;
  vma->vm_mm->mmap_cache = NULL;
  return 0;
}

int expand_stack(struct vm_area_struct *vma, unsigned long address) {
  unsigned long pages = (vma->vm_start - (address & PAGE_MASK)) >> PAGE_SHIFT;

  if (vma->vm_end - address > STACK_LIMIT) return -ENOMEM;
  if (anon_vma_prepare(vma)) return -ENOMEM;
  vma->vm_start -= pages << PAGE_SHIFT;
  vma->vm_pgoff -= pages;
  vma->vm_mm->total_vm += pages;
  return 0;
}

/// A free range of addresses; 0: none.
static unsigned long get_unmapped_area(struct mm_struct *mm, unsigned long length) {
  unsigned long address = TASK_UNMAPPED_BASE;

  for (const struct vm_area_struct *vma = find_vma(mm, address); vma; vma = vma->vm_next) {
    if (address + length <= vma->vm_start) break;
    address = vma->vm_end;
  }
  return address + length > STACK_TOP - 2 * STACK_LIMIT || address + length < address ? 0 : address;
}

static u32 calc_vm_flags(unsigned prot, unsigned flags) {
  return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) | (prot & PROT_EXEC ? VM_EXEC : 0) |
         (flags & MAP_SHARED ? VM_SHARED : 0);
}

long do_mmap(struct mm_struct *mm, struct inode *file, unsigned long address, unsigned long length, unsigned prot,
             unsigned flags, unsigned long pgoff) {
  if (!length || length > TASK_SIZE) return -EINVAL;
  bool shared = flags & MAP_SHARED, private = flags & MAP_PRIVATE;
  if (shared == private) return -EINVAL;
  if (shared && (!file || prot & PROT_WRITE)) return -EINVAL; // files cannot be written
  length = align_up(length, PAGE_SIZE);
  if (flags & MAP_FIXED) {
    if (address % PAGE_SIZE || address > TASK_SIZE - length) return -EINVAL;
    int error = do_munmap(mm, address, length);
    if (error) return error;
  } else {
    address = get_unmapped_area(mm, length);
    if (!address) return -ENOMEM;
  }
  int error = insert_area(mm, address, address + length, calc_vm_flags(prot, flags), file,
                          file ? pgoff : address >> PAGE_SHIFT);
  return error ? error : (long)address;
}

/// Whether `address` lies inside the area, not at its beginning.
static bool divides(const struct vm_area_struct *vma, unsigned long address) {
  return vma && vma->vm_start < address && address < vma->vm_end;
}

int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long length) {
  unsigned long end = start + align_up(length, PAGE_SIZE);

  if (start % PAGE_SIZE || !length || start > TASK_SIZE || length > TASK_SIZE - start) return -EINVAL;
  struct vm_area_struct *vma = find_vma(mm, start), *last = find_vma(mm, end - 1);
  if (divides(vma, start) && vma->vm_flags & VM_PFNMAP) return -EINVAL; // they go as they came, whole
  if (divides(last, end) && last->vm_flags & VM_PFNMAP) return -EINVAL;
  if (divides(vma, start) && split_vma(vma, start, true)) return -ENOMEM;
  vma = find_vma(mm, end - 1);
  if (divides(vma, end) && split_vma(vma, end, false)) return -ENOMEM;

  struct vm_area_struct **link = find_vma_link(mm, start);
  while (*link && (*link)->vm_start < end) {
    mm->total_vm -= vma_pages(*link);
    unmap_vma(*link, (*link)->vm_start, (*link)->vm_end);
    remove_vma(mm, link);
  }
  return 0;
}

unsigned long do_brk(struct mm_struct *mm, unsigned long brk) {
  unsigned long old_end = align_up(mm->brk, PAGE_SIZE), new_end = align_up(brk, PAGE_SIZE);

  if (brk < mm->start_brk || brk > TASK_UNMAPPED_BASE) return mm->brk;
  const struct vm_area_struct *next = new_end > old_end ? find_vma(mm, old_end) : NULL;
  if (next && next->vm_start < new_end) return mm->brk; // a mapping is in the way
  if (new_end < old_end && do_munmap(mm, new_end, old_end - new_end)) return mm->brk;
  if (new_end > old_end && insert_area(mm, old_end, new_end, VM_READ | VM_WRITE, NULL, old_end >> PAGE_SHIFT))
    return mm->brk;
  return mm->brk = brk;
}

void mmput(struct mm_struct *mm) {
  if (--mm->mm_users) return;
  while (mm->mmap) {
    unmap_vma(mm->mmap, mm->mmap->vm_start, mm->mmap->vm_end);
    remove_vma(mm, &mm->mmap);
  }
  BUG_ON(mm->anon_rss || mm->file_rss || mm->map_count);
  free_pgtables(mm);
  kfree(mm->ldt);
  free_page((unsigned long)mm->pgd);
  kmem_cache_free(mm_cachep, mm);
}

/// Copies one area with its pages to the end of the list in `mm`.
static int dup_vma(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_area_struct **link) {
  struct vm_area_struct *copy = kmem_cache_alloc(vm_area_cachep, GFP_KERNEL);
  if (!copy) return -ENOMEM;

  *copy = *vma;
  copy->vm_mm = mm;
  copy->vm_next = NULL;
  INIT_LIST_HEAD(&copy->anon_vma_node);
  anon_vma_link(copy);
  link_file(copy);
  *link = copy;
  mm->map_count++;
  mm->total_vm += vma_pages(copy);
  return copy_page_range(mm, vma->vm_mm, vma);
}

struct mm_struct *dup_mm(struct mm_struct *from) {
  struct mm_struct *mm = mm_alloc();
  if (!mm) return NULL;

  struct vm_area_struct **link = &mm->mmap;
  mm->start_brk = from->start_brk;
  mm->brk = from->brk;
  mm->start_stack = from->start_stack;
  bool ok = true;
  if (from->ldt) {
    mm->ldt = kmalloc(LDT_ENTRIES * sizeof(*mm->ldt), GFP_KERNEL);
    ok = mm->ldt != NULL;
    if (ok) memcpy(mm->ldt, from->ldt, LDT_ENTRIES * sizeof(*mm->ldt));
  }
  for (struct vm_area_struct *vma = from->mmap; ok && vma; vma = vma->vm_next) {
    if (vma->vm_flags & VM_DONTCOPY) continue;
    ok = !dup_vma(mm, vma, link);
    if (*link) link = &(*link)->vm_next;
  }
  flush_tlb(); // the parent's writable translations
  if (ok) return mm;
  mmput(mm);
  return NULL;
}

void switch_mm(struct mm_struct *next) {
  u32 cr3 = (u32)__pa(next->pgd);

  if (read_cr3() != cr3) write_cr3(cr3);
  load_ldt(next->ldt, next->ldt ? LDT_ENTRIES : 0);
}
