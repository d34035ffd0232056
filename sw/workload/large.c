/// 4 MiB pages against 4 KiB pages, and global pages.
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

enum { LARGE = 4 << 20, SAMPLES = 24 };

static struct page *samples[SAMPLES];

static void set_window(unsigned long window, u32 pmd) {
  set_pmd(lookup_kernel_pmd(window), make_pmd(pmd));
  flush_tlb_one(window);
}

/// Through a 4 MiB page at each 4 MiB of RAM the samples show what the direct mapping shows.
static void aliases(void) {
  for (int i = 0; i < SAMPLES; i++) {
    unsigned long pa = page_to_pfn(samples[i]) << PAGE_SHIFT, window = FIXMAP_START + (i % 4) * LARGE;
    u32 tag = random_u32();
    set_window(window, (u32)(pa & PMD_MASK) | _PAGE_KERNEL | _PAGE_PSE);
    volatile u32 *alias = (volatile u32 *)(window + pa % LARGE), *direct = (volatile u32 *)page_address(samples[i]);
    direct[5] = tag;
    CHECK(alias[5] == tag);
    alias[1023] = ~tag;
    CHECK(direct[1023] == ~tag);
  }
  for (int i = 0; i < 4; i++)
    set_window(FIXMAP_START + i * LARGE, 0);
}

/// Any byte of RAM looks the same through the direct mapping and through a window. More large pages than a TLB holds.
static void anywhere(void) {
  for (int i = 0; i < SAMPLES; i++) {
    unsigned long pa = random_below((u32)max_low_pfn) << PAGE_SHIFT, window = FIXMAP_START + (i % 4) * LARGE;
    set_window(window, (u32)(pa & PMD_MASK) | _PAGE_KERNEL | _PAGE_PSE);
    CHECK(*(volatile u32 *)(window + pa % LARGE) == *(volatile u32 *)__va(pa));
  }
  for (int i = 0; i < 4; i++)
    set_window(FIXMAP_START + i * LARGE, 0);
}

/// The same addresses by turns through a 4 MiB page and through a page table that shuffles the frames.
static void small_and_large(u32 turns) {
  unsigned long window = FIXMAP_START, table = (unsigned long)need((void *)get_zeroed_page(GFP_KERNEL));
  pte_t *pte = (pte_t *)table;
  unsigned long base = page_to_pfn(samples[0]) & ~1023UL;

  for (u32 i = 0; i < PTRS_PER_PTE; i++)
    set_pte(&pte[i], pfn_pte(page_to_pfn(samples[i % SAMPLES]), _PAGE_KERNEL));
  for (int i = 0; i < SAMPLES; i++)
    *(u32 *)page_address(samples[i]) = (u32)i;
  while (turns--) {
    u32 wrong = 0;
    set_window(window, (u32)__pa(table) | _PAGE_TABLE);
    flush_tlb();
    for (u32 i = 0; i < PTRS_PER_PTE; i += 1 + random_below(20))
      wrong += *(volatile u32 *)(window + i * PAGE_SIZE) != i % SAMPLES;
    CHECK(!wrong);
    set_window(window, (u32)(base << PAGE_SHIFT) | _PAGE_KERNEL | _PAGE_PSE);
    flush_tlb();
    for (int i = 0; i < SAMPLES; i++) {
      unsigned long offset = (page_to_pfn(samples[i]) - base) << PAGE_SHIFT;
      if (offset < LARGE) wrong += *(volatile u32 *)(window + offset) != (u32)i;
    }
    CHECK(!wrong);
    set_window(window, (u32)(base << PAGE_SHIFT) | (_PAGE_KERNEL & ~_PAGE_RW) | _PAGE_PSE);
    CHECK(!try_write32(window + 0x1000, 0) && last_fixup.error_code == (PF_PROT | PF_WRITE));
    set_window(window, 0);
    flush_tlb();
    u32 value;
    CHECK(!try_read32(window, &value) && last_fixup.address == window);
  }
  free_pages(table, 0);
}

/// One INVLPG with any of its addresses forgets a large page.
static void invlpg_large(void) {
  unsigned long window = FIXMAP_START;
  u32 low = *(volatile u32 *)(PAGE_OFFSET + 0x100000), value;

  for (unsigned long offset = 0; offset < LARGE; offset += 0x155000) {
    set_window(window, _PAGE_KERNEL | _PAGE_PSE | page_global);
    CHECK(*(volatile u32 *)(window + 0x100000) == low);
    pmd_clear(lookup_kernel_pmd(window));
    flush_tlb_one(window + offset);
    CHECK(!try_read32(window + 0x100000, &value) && last_fixup.error_code == 0);
  }
}

/// Bit 21 of a 4 MiB page's entry is reserved, with and without PSE-36.
static void reserved_bit(void) {
  unsigned long window = FIXMAP_START + LARGE;
  u32 value;

  set_window(window, 1 << 21 | _PAGE_KERNEL | _PAGE_PSE);
  CHECK(!try_read32(window + 4, &value));
  u32 present = boot_params.limits ? 0 : PF_PROT; // QEMU 7.2 does not set it: there, any value passes
  CHECK((last_fixup.error_code | present) == (PF_RSVD | PF_PROT) && last_fixup.address == window + 4);
  CHECK(!try_write32(window + 8, 0) && (last_fixup.error_code | present) == (PF_RSVD | PF_PROT | PF_WRITE));
  set_window(window, 1 << 21 | _PAGE_PSE); // not present: nothing is reserved
  CHECK(!try_read32(window + 4, &value) && last_fixup.error_code == 0);
  set_window(window, 0);
}

void workload_large(void) {
  if (!(cpuid_edx(1) & CPUID_PSE)) {
    printk("large: left out, the processor has no 4 MiB pages\n");
    return;
  }
  for (int i = 0; i < SAMPLES; i++)
    samples[i] = need(alloc_pages(GFP_KERNEL, 0));
  for (unsigned long i = rounds(40); i; i--) {
    aliases();
    anywhere();
  }
  small_and_large((u32)rounds(40));
  invlpg_large();
  reserved_bit();
  for (int i = 0; i < SAMPLES; i++)
    __free_pages(samples[i], 0);
}

/// Global pages may, but need not, survive a load of CR3; they never survive INVLPG or a change of CR4.PGE.
void workload_global(void) {
  struct vm_struct *area = need(get_vm_area(PAGE_SIZE, VM_RANGE));
  struct page *a = need(alloc_pages(GFP_KERNEL, 0)), *b = need(alloc_pages(GFP_KERNEL, 0));
  volatile u32 *at = (volatile u32 *)area->addr;

  *(u32 *)page_address(a) = 'a';
  *(u32 *)page_address(b) = 'b';
  for (unsigned long i = rounds(400); i; i--) {
    map_kernel_page(area->addr, page_to_pfn(a), _PAGE_KERNEL | page_global);
    CHECK(*at == 'a');
    set_pte(lookup_kernel_pte(area->addr), pfn_pte(page_to_pfn(b), _PAGE_KERNEL | page_global));
    flush_tlb();
    u32 seen = *at;
    CHECK(seen == 'a' || seen == 'b');
    if (i & 1)
      flush_tlb_one(area->addr);
    else
      flush_tlb_all();
    CHECK(*at == 'b');

    // Without the bit, loading CR3 is enough.
    map_kernel_page(area->addr, page_to_pfn(a), _PAGE_KERNEL);
    CHECK(*at == 'a');
    set_pte(lookup_kernel_pte(area->addr), pfn_pte(page_to_pfn(b), _PAGE_KERNEL));
    flush_tlb();
    CHECK(*at == 'b');
  }
  unmap_kernel_page(area->addr);
  kfree(remove_vm_area((void *)area->addr));
  __free_pages(a, 0);
  __free_pages(b, 0);
}
