/// Rights flips, and the faults they have to cause. All by the kernel, with CR0.WP on and off.
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

static void set_rights(unsigned long address, u32 set, u32 clear) {
  pte_t *pte = lookup_kernel_pte(address);
  set_pte(pte, (pte_t){(pte->pte & ~clear) | set});
  flush_tlb_one(address);
}

static void read_only(unsigned long address) {
  u32 value = random_u32(), got;

  *(volatile u32 *)address = value;
  set_rights(address, 0, _PAGE_RW);
  CHECK(try_read32(address, &got) && got == value);
  CHECK(!try_write32(address, ~value));
  CHECK(last_fixup.vector == TRAP_PF && last_fixup.error_code == (PF_PROT | PF_WRITE) && last_fixup.address == address);
  CHECK(!try_write8(address + PAGE_SIZE - 1, 1) && last_fixup.address == address + PAGE_SIZE - 1);
  CHECK(*(volatile u32 *)address == value);
  set_rights(address, _PAGE_RW, 0);
  CHECK(try_write32(address, ~value) && *(volatile u32 *)address == ~value);
}

static void not_present(unsigned long address) {
  u32 value = *(volatile u32 *)address, got;

  set_rights(address, 0, _PAGE_PRESENT);
  CHECK(!try_read32(address + 8, &got));
  CHECK(last_fixup.vector == TRAP_PF && last_fixup.error_code == 0 && last_fixup.address == address + 8);
  CHECK(!try_write32(address, 0) && last_fixup.error_code == PF_WRITE);
  // Not-present entries are never cached: the new one needs no INVLPG.
  pte_t *pte = lookup_kernel_pte(address);
  set_pte(pte, (pte_t){pte->pte | _PAGE_PRESENT});
  CHECK(try_read32(address, &got) && got == value);
}

/// Without CR0.WP the kernel writes read-only pages; with it again, at once no more.
static void without_wp(unsigned long address) {
  set_rights(address, 0, _PAGE_RW);
  write_cr0(read_cr0() & ~(u32)CR0_WP);
  CHECK(try_write32(address, 0x1234));
  write_cr0(read_cr0() | CR0_WP);
  CHECK(!try_write32(address, 0x4321));
  CHECK(*(volatile u32 *)address == 0x1234);
  set_rights(address, _PAGE_RW, 0);
}

/// A read-only directory entry makes all of its pages read-only.
static void directory_rights(unsigned long address) {
  pmd_t *pmd = lookup_kernel_pmd(address), old = read_pmd(pmd);

  *(volatile u32 *)address = 7;
  set_pmd(pmd, make_pmd(pmd_val(old) & ~(u32)_PAGE_RW));
  flush_tlb_all();
  CHECK(!try_write32(address, 8) && last_fixup.error_code == (PF_PROT | PF_WRITE));
  CHECK(*(volatile u32 *)address == 7);
  set_pmd(pmd, make_pmd(pmd_val(old) & ~(u32)_PAGE_PRESENT));
  flush_tlb_all();
  u32 got;
  CHECK(!try_read32(address, &got) && last_fixup.error_code == 0);
  set_pmd(pmd, old);
  flush_tlb_all();
  CHECK(try_write32(address, 9) && *(volatile u32 *)address == 9);
}

/// A more liberal entry takes effect without INVLPG (the fault of the stale one forgets it); a stricter one after it.
static void upgrade(unsigned long address) {
  set_rights(address, 0, _PAGE_RW);
  CHECK(!try_write32(address, 1));
  pte_t *pte = lookup_kernel_pte(address);
  set_pte(pte, pte_mkwrite(*pte));
  u32 got;
  bool first = try_write32(address, 0xA5A5A5A5); // a stale translation may still fault, once
  CHECK(first || try_write32(address, 0xA5A5A5A5));
  CHECK(try_read32(address, &got) && got == 0xA5A5A5A5);
}

/// One combination of rights: whether the kernel's access faults, how, and what becomes of the entries.
static void one_combination(unsigned long window, pmd_t *pmd, pte_t *pte, u32 rights, bool write, bool wp) {
  u32 pde = rights % 8, entry = rights / 8, frame = pte->pte & (u32)PAGE_MASK, table = pmd_val(*pmd) & (u32)PAGE_MASK;

  set_pte(pte, (pte_t){frame | entry});
  set_pmd(pmd, make_pmd(table | pde));
  flush_tlb_all();
  write_cr0(wp ? read_cr0() | CR0_WP : read_cr0() & ~(u32)CR0_WP);

  u32 got, both = pde & entry;
  bool expected = (both & _PAGE_PRESENT) && (!write || !wp || (both & _PAGE_RW));
  bool done = write ? try_write32(window, rights) : try_read32(window, &got);
  CHECK(done == expected);
  if (!done) {
    CHECK(last_fixup.vector == TRAP_PF && last_fixup.address == window);
    CHECK(last_fixup.error_code == ((both & _PAGE_PRESENT ? PF_PROT : 0) | (write ? PF_WRITE : 0)));
    CHECK(!pte_dirty(read_pte(pte)));
  } else {
    CHECK((pmd_val(read_pmd(pmd)) & _PAGE_ACCESSED) && pte_young(read_pte(pte)) && pte_dirty(read_pte(pte)) == write);
  }
}

/// All combinations of present, writable and user in both entries, of read and write, of CR0.WP.
static void matrix(void) {
  unsigned long window = FIXMAP_START, table = (unsigned long)need((void *)get_zeroed_page(GFP_KERNEL));
  struct page *page = need(alloc_pages(GFP_KERNEL, 0));
  pmd_t *pmd = lookup_kernel_pmd(window);
  pte_t *pte = (pte_t *)table;

  set_pmd(pmd, make_pmd((u32)__pa(table)));
  set_pte(pte, pfn_pte(page_to_pfn(page), 0));
  for (u32 i = 0; i < 256; i++)
    one_combination(window, pmd, pte, i % 64, i & 64, i & 128);
  write_cr0(read_cr0() | CR0_WP);
  pmd_clear(pmd);
  flush_tlb_all();
  __free_pages(page, 0);
  free_pages(table, 0);
}

void workload_rights(void) {
  u32 n = (u32)pages(64, 8);
  unsigned long area = (unsigned long)need(vmalloc(n * PAGE_SIZE));

  for (unsigned long i = rounds(1000); i; i--) {
    unsigned long address = area + random_below(n) * PAGE_SIZE;
    switch (random_below(4)) {
    case 0:
      not_present(address);
      break;
    case 1:
      upgrade(address);
      break;
    default:
      read_only(address);
    }
  }
  for (unsigned long i = rounds(32); i; i--) {
    without_wp(area + random_below(n) * PAGE_SIZE);
    directory_rights(area + random_below(n) * PAGE_SIZE);
  }
  vfree((void *)area);
  matrix();
}
