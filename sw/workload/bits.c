/// Accessed and dirty bits. SDM "Accessed and Dirty Flags".
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

enum { AD = _PAGE_ACCESSED | _PAGE_DIRTY };

/// Clears the bits `clear` and forgets the translation.
static pte_t *fresh(unsigned long address, u32 clear) {
  pte_t *pte = lookup_kernel_pte(address);
  set_pte(pte, (pte_t){pte->pte & ~clear});
  flush_tlb_one(address);
  return pte;
}

static void one_page(unsigned long address) {
  pte_t *pte = fresh(address, AD);
  u32 value;

  CHECK((read_pte(pte).pte & AD) == 0);
  value = *(volatile u32 *)(address + 64);
  CHECK((read_pte(pte).pte & AD) == _PAGE_ACCESSED); // a read never sets D
  *(volatile u32 *)(address + 64) = value + 1;
  CHECK((read_pte(pte).pte & AD) == AD); // though the translation is cached

  pte = fresh(address, AD);
  *(volatile u8 *)(address + 64) = (u8)value; // a write first
  CHECK((read_pte(pte).pte & AD) == AD);

  pte = fresh(address, AD);
  __asm__ volatile("lock; orl $0, (%0)" : : "r"(address + 64) : "memory");
  CHECK((read_pte(pte).pte & AD) == AD);
}

/// A write that is refused sets neither D nor anything else that a read would not.
static void refused_write(unsigned long address) {
  pte_t *pte = fresh(address, AD | _PAGE_RW);

  CHECK(!try_write32(address, 1));
  CHECK(!pte_dirty(read_pte(pte)));
  u32 value;
  CHECK(try_read32(address, &value) && pte_young(read_pte(pte)) && !pte_dirty(read_pte(pte)));
  set_pte(pte, pte_mkwrite(*pte));
  flush_tlb_one(address);
  CHECK(try_write32(address, value) && pte_dirty(read_pte(pte)));
}

/// A straddling write marks both pages, a straddling read neither dirty.
static void straddling(unsigned long boundary) {
  pte_t *first = fresh(boundary - PAGE_SIZE, AD), *second = fresh(boundary, AD);
  u32 value = *(volatile u32 *)(boundary - 2);

  CHECK((read_pte(first).pte & AD) == _PAGE_ACCESSED && (read_pte(second).pte & AD) == _PAGE_ACCESSED);
  *(volatile u32 *)(boundary - 2) = value;
  CHECK(pte_dirty(read_pte(first)) && pte_dirty(read_pte(second)));
}

/// The directory entry gets A, and D only if it maps a page itself.
static void directory(unsigned long address) {
  pmd_t *pmd = lookup_kernel_pmd(address);

  set_pmd(pmd, make_pmd(pmd_val(read_pmd(pmd)) & ~(u32)AD));
  flush_tlb_all();
  *(volatile u32 *)address = 1;
  CHECK((pmd_val(read_pmd(pmd)) & _PAGE_ACCESSED) != 0);

  if (!(cpuid_edx(1) & CPUID_PSE)) return;
  unsigned long window = FIXMAP_START;
  pmd = lookup_kernel_pmd(window);
  set_pmd(pmd, make_pmd(_PAGE_PSE | _PAGE_PRESENT | _PAGE_RW));
  flush_tlb_one(window);
  u32 value = *(volatile u32 *)(window + 0x123000);
  CHECK((pmd_val(read_pmd(pmd)) & AD) == _PAGE_ACCESSED);
  *(volatile u32 *)(window + 0x300000 - 4) = *(volatile u32 *)(window + 0x300000 - 4);
  CHECK((pmd_val(read_pmd(pmd)) & AD) == AD);
  CHECK(*(volatile u32 *)(PAGE_OFFSET + 0x123000) == value);
  pmd_clear(pmd);
  flush_tlb_one(window);
}

void workload_bits(void) {
  u32 n = (u32)pages(96, 8);
  unsigned long area = (unsigned long)need(vmalloc(n * PAGE_SIZE));

  for (unsigned long i = rounds(1500); i; i--) {
    unsigned long address = area + random_below(n) * PAGE_SIZE;
    one_page(address);
    if (i % 4 == 0) refused_write(address);
    if (i % 8 == 0) straddling(area + (1 + random_below(n - 1)) * PAGE_SIZE);
  }
  directory(area);

  // What a page-out scan does: clear A everywhere, touch some, see which.
  for (unsigned long i = rounds(16); i; i--) {
    u32 wrong = 0, mask = random_u32();
    for (u32 page = 0; page < n; page++)
      fresh(area + page * PAGE_SIZE, AD);
    for (u32 page = 0; page < n; page++)
      if (mask >> page % 32 & 1) (void)*(volatile u8 *)(area + page * PAGE_SIZE);
    for (u32 page = 0; page < n; page++)
      wrong += pte_young(read_pte(lookup_kernel_pte(area + page * PAGE_SIZE))) != (mask >> page % 32 & 1);
    CHECK(!wrong);
  }
  vfree((void *)area);
}
