/// Page tables. The kernel's code walks four levels, pgd, pud, pmd and pte, as Linux 2.6 does; 32-bit paging (SDM
/// "32-Bit Paging") has two, so that pud and pmd are folded into the pgd: each has one entry, which is the one above.
#ifndef ARCH_PGTABLE_H
#define ARCH_PGTABLE_H

#include <arch/page.h>
#include <arch/tlbflush.h>
#include <kernel/types.h>

typedef struct {
  u32 pgd;
} pgd_t; ///< an entry of the page directory
typedef struct {
  pgd_t pgd;
} pud_t; ///< folded
typedef struct {
  pud_t pud;
} pmd_t; ///< folded: points to a page table, or maps 4 MiB
typedef struct {
  u32 pte;
} pte_t; ///< an entry of a page table

enum {
  _PAGE_PRESENT = 0x001,
  _PAGE_RW = 0x002,
  _PAGE_USER = 0x004,
  _PAGE_PWT = 0x008,
  _PAGE_PCD = 0x010,
  _PAGE_ACCESSED = 0x020,
  _PAGE_DIRTY = 0x040,
  _PAGE_PSE = 0x080,    // in a pmd_t: a 4 MiB page
  _PAGE_GLOBAL = 0x100, // kept over a load of CR3
  _PAGE_TABLE = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY,
  _PAGE_KERNEL = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY,

  PGDIR_SHIFT = 22,
  PUD_SHIFT = PGDIR_SHIFT,
  PMD_SHIFT = PGDIR_SHIFT,
  PTRS_PER_PGD = 1024,
  PTRS_PER_PTE = 1024,
};

#define PGDIR_SIZE (1UL << PGDIR_SHIFT)
#define PGDIR_MASK (~(PGDIR_SIZE - 1))
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define USER_PTRS_PER_PGD (TASK_SIZE / PGDIR_SIZE)

/// The kernel's addresses beyond the direct mapping, all with 4 KiB pages; each area has page tables of its own.
#define VMALLOC_START (PAGE_OFFSET + MAXMEM + (8UL << 20))
#define VMALLOC_END 0xFD000000UL
#define KSTACK_START 0xFD000000UL ///< kernel stacks with guard pages (4 MiB)
#define PKMAP_BASE 0xFD400000UL   ///< kmap (4 MiB)
#define KMAP_BASE 0xFD800000UL    ///< kmap_atomic (4 MiB)
#define FIXMAP_START 0xFE000000UL ///< 16 MiB for tests that change page-directory entries

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];

/// _PAGE_GLOBAL if the processor knows it, else 0.
extern u32 page_global;

/// The processor reads and writes the tables behind the compiler's back: one access each, never torn or elided.
static inline void set_pte(pte_t *at, pte_t pte) {
  *(volatile u32 *)&at->pte = pte.pte;
}
static inline pte_t read_pte(const pte_t *at) {
  return (pte_t){*(const volatile u32 *)&at->pte};
}
static inline void set_pmd(pmd_t *at, pmd_t pmd) {
  *(volatile u32 *)&at->pud.pgd.pgd = pmd.pud.pgd.pgd;
}
static inline pmd_t read_pmd(const pmd_t *at) {
  return (pmd_t){{{*(const volatile u32 *)&at->pud.pgd.pgd}}};
}
static inline void pte_clear(pte_t *at) {
  set_pte(at, (pte_t){0});
}
static inline void pmd_clear(pmd_t *at) {
  set_pmd(at, (pmd_t){{{0}}});
}
static inline u32 pmd_val(pmd_t pmd) {
  return pmd.pud.pgd.pgd;
}
static inline pmd_t make_pmd(u32 value) {
  return (pmd_t){{{value}}};
}

/// From level to level. `pgd` is a page directory; the folded levels have one entry, which is always there.
static inline pgd_t *pgd_offset_pgd(pgd_t *pgd, unsigned long address) {
  return pgd + (address >> PGDIR_SHIFT);
}
static inline pgd_t *pgd_offset_k(unsigned long address) {
  return pgd_offset_pgd(swapper_pg_dir, address);
}
static inline bool pgd_none(pgd_t pgd) {
  (void)pgd;
  return false;
}
static inline pud_t *pud_offset(pgd_t *pgd, unsigned long address) {
  (void)address;
  return (pud_t *)pgd;
}
static inline bool pud_none(pud_t pud) {
  (void)pud;
  return false;
}
static inline pmd_t *pmd_offset(pud_t *pud, unsigned long address) {
  (void)address;
  return (pmd_t *)pud;
}
static inline bool pmd_none(pmd_t pmd) {
  return !pmd_val(pmd);
}
static inline bool pmd_present(pmd_t pmd) {
  return pmd_val(pmd) & _PAGE_PRESENT;
}
static inline bool pmd_large(pmd_t pmd) {
  return pmd_val(pmd) & _PAGE_PSE;
}
static inline unsigned long pmd_pfn(pmd_t pmd) {
  return pmd_val(pmd) >> PAGE_SHIFT;
}
static inline unsigned long pte_index(unsigned long address) {
  return (address >> PAGE_SHIFT) % PTRS_PER_PTE;
}
/// The entry of `address` in the page table that `pmd`, present and not a 4 MiB page, points to.
static inline pte_t *pte_offset_kernel(pmd_t *pmd, unsigned long address) {
  return (pte_t *)__va(pmd_val(read_pmd(pmd)) & PAGE_MASK) + pte_index(address);
}

/// Where the part of [address, end) ends that the same entry of that level covers.
static inline unsigned long pgd_addr_end(unsigned long address, unsigned long end) {
  unsigned long boundary = (address + PGDIR_SIZE) & PGDIR_MASK;
  return boundary - 1 < end - 1 ? boundary : end;
}
static inline unsigned long pud_addr_end(unsigned long address, unsigned long end) {
  (void)address;
  return end;
}
static inline unsigned long pmd_addr_end(unsigned long address, unsigned long end) {
  (void)address;
  return end;
}

static inline bool pte_none(pte_t pte) {
  return !pte.pte;
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
static inline pte_t pte_mkdirty(pte_t pte) {
  return (pte_t){pte.pte | _PAGE_DIRTY};
}
static inline pte_t pte_mkclean(pte_t pte) {
  return (pte_t){pte.pte & ~(u32)_PAGE_DIRTY};
}
static inline pte_t pte_mkyoung(pte_t pte) {
  return (pte_t){pte.pte | _PAGE_ACCESSED};
}
static inline pte_t pte_mkold(pte_t pte) {
  return (pte_t){pte.pte & ~(u32)_PAGE_ACCESSED};
}

/// A page that is on the swap area: not present, its place there in bits 31:1.
typedef struct {
  unsigned long val;
} swp_entry_t;
static inline bool is_swap_pte(pte_t pte) {
  return !pte_present(pte) && pte.pte;
}
static inline pte_t swp_entry_to_pte(swp_entry_t entry) {
  return (pte_t){(u32)(entry.val << 1)};
}
static inline swp_entry_t pte_to_swp_entry(pte_t pte) {
  return (swp_entry_t){pte.pte >> 1};
}

/// Completes swapper_pg_dir: the direct mapping of `size` bytes of RAM, a multiple of 4 MiB; nothing below PAGE_OFFSET.
/// 4 MiB pages, global ones; without such, page tables from `start` on, a page's address that boot.S maps. Returns
/// where memory that is not taken begins.
unsigned long paging_init(unsigned long size, unsigned long start);

/// The entry of kernel address `address` in swapper_pg_dir's tables, allocating the table. NULL: no memory.
pte_t *pte_alloc_kernel(unsigned long address);

/// The entries of kernel address `address`, whose table must exist.
pte_t *lookup_kernel_pte(unsigned long address);
pmd_t *lookup_kernel_pmd(unsigned long address);

/// Maps a page at a kernel address with protection `prot` (bits of a PTE) and flushes that address. Returns false if
/// there is no memory for a table.
bool map_kernel_page(unsigned long address, unsigned long pfn, u32 prot);

/// Clears an entry, flushes that address and returns what the entry was.
pte_t unmap_kernel_page(unsigned long address);

#endif
