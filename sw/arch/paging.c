/// The kernel's page tables.
#include <arch/pgtable.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>

u32 page_global;

void flush_tlb_all(void) {
  u32 cr4 = read_cr4();

  if (cr4 & CR4_PGE) {
    write_cr4(cr4 & ~(u32)CR4_PGE);
    write_cr4(cr4);
  } else {
    flush_tlb();
  }
}

void paging_init(unsigned long size) {
  u32 features = cpuid_edx(1);

  if (!(features & CPUID_PSE)) panic("the processor has no 4 MiB pages");
  if (features & CPUID_PGE) page_global = _PAGE_GLOBAL;

  for (unsigned long address = 0; address < TASK_SIZE; address += PGDIR_SIZE)
    set_pgd(pgd_offset(swapper_pg_dir, address), (pgd_t){0});
  for (unsigned long pa = 0; pa < size; pa += PGDIR_SIZE)
    set_pgd(pgd_offset(swapper_pg_dir, PAGE_OFFSET + pa), (pgd_t){(u32)pa | _PAGE_KERNEL | _PAGE_PSE | page_global});

  flush_tlb();
  if (page_global) write_cr4(read_cr4() | CR4_PGE);
}

pte_t *pte_alloc_kernel(unsigned long address) {
  pgd_t *pgd = pgd_offset(swapper_pg_dir, address);

  if (!pgd_present(*pgd)) {
    unsigned long table = get_zeroed_page(GFP_KERNEL);
    if (!table) return NULL;
    set_pgd(pgd, (pgd_t){(u32)__pa(table) | _PAGE_TABLE});
  }
  return pte_offset(pgd, address);
}

pte_t *lookup_kernel_pte(unsigned long address) {
  pgd_t *pgd = pgd_offset(swapper_pg_dir, address);

  BUG_ON(!pgd_present(*pgd) || pgd_large(*pgd));
  return pte_offset(pgd, address);
}
