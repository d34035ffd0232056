/// Kernel memory that is contiguous only in linear addresses: 4 KiB mappings beyond the direct one. As in Linux 2.6
/// ("linux/vmalloc.h"). The entries are made in swapper_pg_dir; the page directories of processes get them when they
/// touch the addresses (vmalloc_fault).
#ifndef KERNEL_VMALLOC_H
#define KERNEL_VMALLOC_H

#include <arch/pgtable.h>
#include <kernel/mm.h>

/// How a range came to be.
enum {
  VM_ALLOC = 1 << 0, ///< vmalloc: owns its pages
  VM_MAP = 1 << 1,   ///< vmap
  VM_RANGE = 1 << 2, ///< get_vm_area: addresses alone
};

/// A range of addresses. A page that is never mapped, the guard page, follows each.
struct vm_struct {
  struct vm_struct *next; ///< in vmlist, ascending addresses
  unsigned long addr;
  unsigned long size; ///< with the guard page
  unsigned flags;
  struct page **pages; ///< of VM_ALLOC and VM_MAP
  unsigned nr_pages;
};

/// `size` bytes of addresses, rounded up to pages, without anything mapped. NULL: no room or no memory.
struct vm_struct *get_vm_area(unsigned long size, unsigned flags);

/// Takes the range that starts at `address` out and unmaps it. NULL: there is none. The caller frees it with kfree.
struct vm_struct *remove_vm_area(const void *address);

/// The range that starts at `address`, or NULL.
struct vm_struct *find_vm_area(const void *address);

/// Maps the area's pages, without the guard. Returns 0, or -1: no memory for a table, and what was mapped stays.
int map_vm_area(struct vm_struct *area, u32 prot, struct page **pages);

/// `size` bytes; vzalloc: zeroed. The pages come from highmem first. NULL: no memory.
void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);
void *__vmalloc(unsigned long size, gfp_t gfp, u32 prot);

/// What vmalloc did not give is reported. NULL is ignored. vfree and vunmap may sleep: not in interrupts.
void vfree(void *address);

/// Maps `count` pages next to each other. vunmap leaves the pages to the caller.
void *vmap(struct page **pages, unsigned count, unsigned flags, u32 prot);
void vunmap(void *address);

/// The page behind an address of the vmalloc area; NULL: none is mapped.
struct page *vmalloc_to_page(const void *address);

/// Errors found: frees of what was not allocated. Each is also printed.
unsigned long nr_vmalloc_errors(void);

/// As /proc/vmallocinfo.
void show_vmallocinfo(void);

#endif
