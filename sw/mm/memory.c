/// User pages: demand-zero, demand-loaded, copy-on-write.
#include <arch/traps.h>
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/string.h>

enum { USER_PROT = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED };

/// What reads of untouched anonymous memory see, read-only, until the first write.
static char empty_zero_page[PAGE_SIZE] __attribute__((aligned(4096)));

static unsigned long zero_pfn(void) {
  return __pa(empty_zero_page) >> PAGE_SHIFT;
}

/// The entry of a user address, or NULL if its page table does not exist.
static pte_t *find_pte(const struct mm_struct *mm, unsigned long address) {
  pgd_t *pgd = pgd_offset(mm->pgd, address);
  return pgd_present(*pgd) ? pte_offset(pgd, address) : NULL;
}

static pte_t *pte_alloc(struct mm_struct *mm, unsigned long address) {
  pgd_t *pgd = pgd_offset(mm->pgd, address);

  if (!pgd_present(*pgd)) {
    unsigned long table = get_zeroed_page(GFP_KERNEL);
    if (!table) return NULL;
    set_pgd(pgd, (pgd_t){(u32)__pa(table) | _PAGE_TABLE | _PAGE_USER});
  }
  return pte_offset(pgd, address);
}

/// Drops a reference to a user page. The zero page belongs to the kernel's image and is not counted.
static void put_user_page(unsigned long pfn) {
  if (pfn != zero_pfn()) put_page(pfn_to_page(pfn));
}

/// First touch of an anonymous page.
static bool do_anonymous_page(struct mm_struct *mm, pte_t *pte, bool write) {
  if (write) {
    struct page *page = alloc_pages(__GFP_ZERO, 0);
    if (!page) return false;
    set_pte(pte, pfn_pte(page_to_pfn(page), USER_PROT | _PAGE_RW | _PAGE_DIRTY));
    fault_stats.anonymous++;
  } else {
    set_pte(pte, pfn_pte(zero_pfn(), USER_PROT));
    fault_stats.zero_page++;
  }
  mm->rss++;
  return true;
}

/// First touch of a page of the program's image.
static bool do_no_page(struct mm_struct *mm, const struct vm_area_struct *vma, pte_t *pte, unsigned long address) {
  struct page *page = alloc_pages(__GFP_ZERO, 0);
  if (!page) return false;

  unsigned long offset = (address & PAGE_MASK) - vma->vm_start;
  if (offset < vma->file_bytes)
    memcpy(page_address(page), vma->file + offset, min_ul(vma->file_bytes - offset, PAGE_SIZE));
  set_pte(pte, pfn_pte(page_to_pfn(page), USER_PROT | (vma->vm_flags & VM_WRITE ? _PAGE_RW : 0)));
  mm->rss++;
  fault_stats.file++;
  return true;
}

/// A write to a present, write-protected page of a writable range.
static bool do_wp_page(pte_t *pte, unsigned long address) {
  unsigned long pfn = pte_pfn(*pte);

  if (pfn != zero_pfn() && page_count(pfn_to_page(pfn)) == 1) { // the others are gone
    set_pte(pte, (pte_t){pte->pte | _PAGE_RW | _PAGE_DIRTY});
    fault_stats.cow_reuse++;
  } else {
    struct page *page = alloc_pages(GFP_KERNEL, 0);
    if (!page) return false;
    memcpy(page_address(page), __va(pfn << PAGE_SHIFT), PAGE_SIZE);
    set_pte(pte, pfn_pte(page_to_pfn(page), USER_PROT | _PAGE_RW | _PAGE_DIRTY));
    put_user_page(pfn);
    fault_stats.cow_copy++;
  }
  flush_tlb_one(address);
  return true;
}

bool handle_mm_fault(struct mm_struct *mm, const struct vm_area_struct *vma, unsigned long address, bool write) {
  pte_t *pte = pte_alloc(mm, address);

  if (!pte) return false;
  if (!pte_present(*pte)) return vma->file ? do_no_page(mm, vma, pte, address) : do_anonymous_page(mm, pte, write);
  if (write && !pte_write(*pte)) return do_wp_page(pte, address);
  flush_tlb_one(address); // the entry allows it: a stale translation
  return true;
}

void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end) {
  for (unsigned long address = start; address < end; address += PAGE_SIZE) {
    pte_t *pte = find_pte(mm, address);
    if (!pte || !pte_present(*pte)) continue;
    unsigned long pfn = pte_pfn(*pte);
    set_pte(pte, (pte_t){0});
    flush_tlb_one(address);
    put_user_page(pfn);
    mm->rss--;
  }
}

bool copy_page_range(struct mm_struct *to, struct mm_struct *from, const struct vm_area_struct *vma) {
  for (unsigned long address = vma->vm_start; address < vma->vm_end; address += PAGE_SIZE) {
    pte_t *source = find_pte(from, address);
    if (!source || !pte_present(*source)) continue;
    pte_t *target = pte_alloc(to, address);
    if (!target) return false;
    set_pte(source, pte_wrprotect(*source));
    set_pte(target, (pte_t){source->pte & ~(u32)_PAGE_DIRTY});
    if (pte_pfn(*source) != zero_pfn()) get_page(pfn_to_page(pte_pfn(*source)));
    to->rss++;
  }
  return true;
}
