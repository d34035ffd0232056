/// Address spaces of processes. As in Linux 2.6 ("linux/mm.h", "linux/sched.h", "linux/rmap.h").
#ifndef KERNEL_MMAP_H
#define KERNEL_MMAP_H

#include <arch/pgtable.h>
#include <arch/segment.h>
#include <kernel/mm.h>

struct inode;
struct anon_vma;

/// vm_area_struct.vm_flags.
enum {
  VM_READ = 1 << 0,
  VM_WRITE = 1 << 1,
  VM_EXEC = 1 << 2,
  VM_SHARED = 1 << 3,
  VM_GROWSDOWN = 1 << 8,
  VM_PFNMAP = 1 << 10,   ///< frames without struct page, mapped at once
  VM_LOCKED = 1 << 13,   ///< not for page-out
  VM_DONTCOPY = 1 << 17, ///< not for children
};

/// mmap's arguments.
enum {
  PROT_NONE = 0,
  PROT_READ = 1,
  PROT_WRITE = 2,
  PROT_EXEC = 4,
  MAP_SHARED = 1,
  MAP_PRIVATE = 2,
  MAP_FIXED = 0x10,
  MAP_ANONYMOUS = 0x20,
};

/// The lowest address of mappings whose address nobody chose, the top of the stack and how large it may grow.
#define TASK_UNMAPPED_BASE (TASK_SIZE / 3 & PAGE_MASK)
#define STACK_TOP (TASK_SIZE - PAGE_SIZE)
enum { STACK_LIMIT = 256 << 10, LDT_ENTRIES = 64 };

/// A range of user addresses with the same rights.
struct vm_area_struct {
  struct mm_struct *vm_mm;
  unsigned long vm_start, vm_end;
  struct vm_area_struct *vm_next; ///< ascending
  u32 vm_flags;
  struct anon_vma *anon_vma;      ///< finds the page-table entries of our anonymous pages; NULL: none yet
  struct list_head anon_vma_node; ///< in anon_vma->head
  unsigned long vm_pgoff;         ///< page offset of vm_start in the file; anonymous: vm_start's page number when made
  struct inode *vm_file;          ///< NULL: anonymous
  struct list_head shared;        ///< in vm_file's mapping->i_mmap
  void (*vm_close)(struct vm_area_struct *vma); ///< called when the area goes; NULL: nobody wants to know
};

struct mm_struct {
  struct vm_area_struct *mmap;       ///< ascending
  struct vm_area_struct *mmap_cache; ///< found last
  pgd_t *pgd;
  int mm_users;
  int map_count; ///< areas
  unsigned long start_brk, brk, start_stack;
  unsigned long anon_rss, file_rss; ///< pages mapped
  unsigned long total_vm;           ///< pages of all areas
  struct desc_struct *ldt;          ///< LDT_ENTRIES descriptors; NULL: the task has none
};

/// The page directory itself, for kernel tasks.
extern struct mm_struct init_mm;

static inline pgd_t *pgd_offset(const struct mm_struct *mm, unsigned long address) {
  return pgd_offset_pgd(mm->pgd, address);
}
/// The page offset in the file, or the page number, of an address of the area.
static inline unsigned long linear_page_index(const struct vm_area_struct *vma, unsigned long address) {
  return ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}
static inline unsigned long vma_pages(const struct vm_area_struct *vma) {
  return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

void mm_cache_init(void);
struct mm_struct *mm_alloc(void);

/// Drops a user of the address space; with the last one all of it goes.
void mmput(struct mm_struct *mm);

/// A copy that shares all pages, which neither may write any more without copying. NULL: no memory.
struct mm_struct *dup_mm(struct mm_struct *from);

/// Loads page directory and LDT of `next`.
void switch_mm(struct mm_struct *next);

/// The first area that ends after `address`: it contains the address or lies above it. NULL: none.
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);

/// mmap(2). `file` NULL: anonymous. Returns the address, or a negative error.
long do_mmap(struct mm_struct *mm, struct inode *file, unsigned long address, unsigned long length, unsigned prot,
             unsigned flags, unsigned long pgoff);
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long length);
int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned prot);

/// Moves the end of the heap; returns the new one, or the old one if that is not possible.
unsigned long do_brk(struct mm_struct *mm, unsigned long brk);

/// Adds an area where there is none, as a part of the one before where that is alike. Returns 0 or a negative error.
int insert_area(struct mm_struct *mm, unsigned long start, unsigned long end, u32 vm_flags, struct inode *file,
                unsigned long pgoff);

/// Divides an area at `address`. `new_below`: the new one is the lower part. Returns 0 or -ENOMEM.
int split_vma(struct vm_area_struct *vma, unsigned long address, bool new_below);

/// Lets a stack grow down to `address`. Returns 0 or a negative error.
int expand_stack(struct vm_area_struct *vma, unsigned long address);

/// What became of a fault.
enum vm_fault { VM_FAULT_OK, VM_FAULT_OOM, VM_FAULT_SIGBUS };

/// Makes the page of `address`, in `vma`, accessible as wanted. May sleep.
enum vm_fault handle_mm_fault(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address, bool write);

/// The entry of a user address; NULL: its page table does not exist (pte_alloc: there is no memory for it).
pte_t *pte_lookup(const struct mm_struct *mm, unsigned long address);
pte_t *pte_alloc(struct mm_struct *mm, unsigned long address);

/// The bits of an entry for a page of an area with these flags. Writable only if the page is the area's alone.
u32 vm_page_prot(u32 vm_flags);

/// The page behind a present entry; NULL: one that is not counted (the zero page, a frame without struct page).
struct page *vm_normal_page(const struct vm_area_struct *vma, pte_t pte);

/// Unmaps and frees the user pages of [start, end), a part of the area.
void unmap_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/// Frees the page tables of the user's part.
void free_pgtables(struct mm_struct *mm);

/// Maps the pages of `vma` in `to` as in `from`, read-only in both unless shared. Returns 0 or -ENOMEM. The caller
/// flushes the TLB.
int copy_page_range(struct mm_struct *to, struct mm_struct *from, const struct vm_area_struct *vma);

/// Whose translations may be in the TLB: forgets that of `address`.
void flush_tlb_page(const struct vm_area_struct *vma, unsigned long address);

/// Maps `pages` frames from `pfn` on, which need no struct page, at the beginning of `vma`, whose vm_pgoff becomes
/// `pfn`; `prot`: more bits of the entries (_PAGE_PCD). Returns 0 or -ENOMEM.
int remap_pfn_range(struct vm_area_struct *vma, unsigned long pfn, unsigned long pages, u32 prot);

#endif
