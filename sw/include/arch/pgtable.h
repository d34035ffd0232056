/// Page tables of 32-bit paging. SDM "32-Bit Paging". A page directory entry is a pgd_t, as in Linux without PAE.
#ifndef ARCH_PGTABLE_H
#define ARCH_PGTABLE_H

#include <arch/page.h>
#include <arch/processor.h>
#include <kernel/types.h>

typedef struct {
  u32 pte;
} pte_t;

typedef struct {
  u32 pgd;
} pgd_t;

enum {
  _PAGE_PRESENT = 0x001,
  _PAGE_RW = 0x002,
  _PAGE_USER = 0x004,
  _PAGE_PWT = 0x008,
  _PAGE_PCD = 0x010,
  _PAGE_ACCESSED = 0x020,
  _PAGE_DIRTY = 0x040,
  _PAGE_PSE = 0x080,    // in a pgd_t: a 4 MiB page
  _PAGE_GLOBAL = 0x100, // kept over a load of CR3
  _PAGE_TABLE = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY,
  _PAGE_KERNEL = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY,
  PTRS_PER_PGD = 1024,
  PTRS_PER_PTE = 1024,
  USER_PTRS_PER_PGD = TASK_SIZE / PGDIR_SIZE,
};

/// Kernel addresses mapped with 4 KiB pages lie here, beyond the direct mapping.
#define VMALLOC_START (PAGE_OFFSET + MAXMEM + (8UL << 20))
#define VMALLOC_END 0xFE000000UL

/// A 4 MiB-aligned window of 16 MiB for tests that change page-directory entries.
#define FIXMAP_START 0xFE000000UL

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];

/// _PAGE_GLOBAL if the processor knows it, else 0.
extern u32 page_global;

static inline pgd_t *pgd_offset(pgd_t *pgd, unsigned long address) {
  return &pgd[address >> PGDIR_SHIFT];
}
static inline bool pgd_present(pgd_t pgd) {
  return pgd.pgd & _PAGE_PRESENT;
}
static inline bool pgd_large(pgd_t pgd) {
  return pgd.pgd & _PAGE_PSE;
}

/// The entry of `address` in the page table that `pgd`, present and not a 4 MiB page, points to.
static inline pte_t *pte_offset(pgd_t *pgd, unsigned long address) {
  return (pte_t *)__va(pgd->pgd & PAGE_MASK) + (address >> PAGE_SHIFT) % PTRS_PER_PTE;
}

static inline bool pte_present(pte_t pte) {
  return pte.pte & _PAGE_PRESENT;
}
static inline bool pte_write(pte_t pte) {
  return pte.pte & _PAGE_RW;
}
static inline bool pte_dirty(pte_t pte) {
  return pte.pte & _PAGE_DIRTY;
}
static inline bool pte_young(pte_t pte) {
  return pte.pte & _PAGE_ACCESSED;
}
static inline unsigned long pte_pfn(pte_t pte) {
  return pte.pte >> PAGE_SHIFT;
}
static inline pte_t pfn_pte(unsigned long pfn, u32 prot) {
  return (pte_t){(u32)(pfn << PAGE_SHIFT) | prot};
}
static inline pte_t pte_wrprotect(pte_t pte) {
  return (pte_t){pte.pte & ~(u32)_PAGE_RW};
}
static inline pte_t pte_mkwrite(pte_t pte) {
  return (pte_t){pte.pte | _PAGE_RW};
}

/// The processor reads and writes the tables behind the compiler's back: one access each, never torn or elided.
static inline void set_pte(pte_t *at, pte_t pte) {
  *(volatile u32 *)&at->pte = pte.pte;
}
static inline pte_t read_pte(const pte_t *at) {
  return (pte_t){*(const volatile u32 *)&at->pte};
}
static inline void set_pgd(pgd_t *at, pgd_t pgd) {
  *(volatile u32 *)&at->pgd = pgd.pgd;
}
static inline pgd_t read_pgd(const pgd_t *at) {
  return (pgd_t){*(const volatile u32 *)&at->pgd};
}

/// INVLPG: forgets the translation of `address`, global or not.
static inline void flush_tlb_one(unsigned long address) {
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/// Reloads CR3: forgets every translation that is not global.
static inline void flush_tlb(void) {
  write_cr3(read_cr3());
}

/// Forgets every translation.
void flush_tlb_all(void);

/// Completes swapper_pg_dir: the direct mapping of `size` bytes of RAM, global 4 MiB pages; nothing below PAGE_OFFSET.
void paging_init(unsigned long size);

/// The entry of kernel address `address` in swapper_pg_dir's tables, allocating the table. NULL: no memory.
pte_t *pte_alloc_kernel(unsigned long address);

/// The entry of kernel address `address`, whose table must exist.
pte_t *lookup_kernel_pte(unsigned long address);

#endif
