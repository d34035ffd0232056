/// Kernel memory that is contiguous only in virtual addresses: 4 KiB mappings beyond the direct one.
#ifndef KERNEL_VMALLOC_H
#define KERNEL_VMALLOC_H

#include <arch/pgtable.h>
#include <kernel/mm.h>

/// A range of addresses. A page that is never mapped follows each.
struct vm_struct {
  struct list_head list; ///< ascending addresses
  unsigned long addr, size;
  struct page **pages; ///< NULL if the area was made by get_vm_area
};

/// `size` bytes of addresses, rounded up to pages, without anything mapped. NULL: no room or no memory.
struct vm_struct *get_vm_area(unsigned long size);

/// Gives a range back whose pages the caller has unmapped.
void free_vm_area(struct vm_struct *area);

/// Maps a page with protection `prot` (bits of a PTE) and flushes that address. Returns false if there is no memory for
/// a table.
bool map_kernel_page(unsigned long address, unsigned long pfn, u32 prot);

/// Clears an entry, flushes that address and returns what the entry was.
pte_t unmap_kernel_page(unsigned long address);

/// `size` bytes, zeroed. NULL: no memory.
void *vmalloc(unsigned long size);
void vfree(void *address);

#endif
