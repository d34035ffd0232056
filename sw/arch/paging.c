/// The kernel's page tables.
#include <arch/pgtable.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>

u32 page_global;

void flush_tlb_all(void) {
  u32 cr4 = page_global ? read_cr4() : 0; // a processor without global pages may have no CR4

  if (cr4 & CR4_PGE) {
    write_cr4(cr4 & ~(u32)CR4_PGE);
    write_cr4(cr4);
  } else {
    flush_tlb();
  }
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end) {
  enum { SINGLY = 32 };

  if ((end - start) / PAGE_SIZE > SINGLY) {
    flush_tlb_all();
    return;
  }
  for (; start < end; start += PAGE_SIZE)
    flush_tlb_one(start);
}

pmd_t *lookup_kernel_pmd(unsigned long address) {
  return pmd_offset(pud_offset(pgd_offset_k(address), address), address);
}

/// A page table at `table` for the 4 MiB from physical address `pa`.
static u32 map_by_table(pte_t *table, unsigned long pa) {
  for (unsigned i = 0; i < PTRS_PER_PTE; i++)
    set_pte(&table[i], pfn_pte((pa >> PAGE_SHIFT) + i, _PAGE_KERNEL | page_global));
  return (u32)__pa(table) | _PAGE_TABLE;
}

unsigned long paging_init(unsigned long size, unsigned long start) {
  u32 features = cpuid_edx(1);

  if (features & CPUID_PGE) page_global = _PAGE_GLOBAL;

  for (unsigned long address = 0; address < TASK_SIZE; address += PMD_SIZE)
    pmd_clear(lookup_kernel_pmd(address));
  for (unsigned long pa = 0; pa < (size > 16UL << 20 ? size : 16UL << 20); pa += PMD_SIZE) {
    u32 entry = (u32)pa | _PAGE_KERNEL | _PAGE_PSE | page_global;
    if (pa < size && !(features & CPUID_PSE)) {
      entry = map_by_table((pte_t *)start, pa);
      start += PAGE_SIZE;
    }
    set_pmd(lookup_kernel_pmd(PAGE_OFFSET + pa), make_pmd(pa < size ? entry : 0));
  }

  flush_tlb();
  if (page_global) write_cr4(read_cr4() | CR4_PGE);
  return start;
}

pte_t *pte_alloc_kernel(unsigned long address) {
  pmd_t *pmd = lookup_kernel_pmd(address);

  if (pmd_none(*pmd)) {
    unsigned long table = get_zeroed_page(GFP_KERNEL);
    if (!table) return NULL;
    if (!pmd_none(read_pmd(pmd))) { // while we slept
      free_page(table);
      return pte_offset_kernel(pmd, address);
    }
    set_pmd(pmd, make_pmd((u32)__pa(table) | _PAGE_TABLE));
  }
  return pte_offset_kernel(pmd, address);
}

pte_t *lookup_kernel_pte(unsigned long address) {
  pmd_t *pmd = lookup_kernel_pmd(address);

  BUG_ON(!pmd_present(*pmd) || pmd_large(*pmd));
  return pte_offset_kernel(pmd, address);
}

bool map_kernel_page(unsigned long address, unsigned long pfn, u32 prot) {
  pte_t *pte = pte_alloc_kernel(address);

  if (!pte) return false;
  set_pte(pte, pfn_pte(pfn, prot));
  flush_tlb_one(address);
  return true;
}

pte_t unmap_kernel_page(unsigned long address) {
  pte_t *pte = lookup_kernel_pte(address), old = read_pte(pte);

  pte_clear(pte);
  flush_tlb_one(address);
  return old;
}
