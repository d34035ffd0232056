/// User pages come in: zeroed upon the first write, from a file, back from the swap area, copied when shared.
#include <arch/traps.h>
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/rmap.h>
#include <kernel/swap.h>

/// What reads of untouched anonymous memory see, read-only, until the first write. It belongs to the image and is not
/// counted.
static char empty_zero_page[PAGE_SIZE] __attribute__((aligned(4096)));

static unsigned long zero_pfn(void) {
  return __pa(empty_zero_page) >> PAGE_SHIFT;
}

u32 vm_page_prot(u32 vm_flags) {
  u32 prot = _PAGE_USER | _PAGE_ACCESSED;
  return vm_flags & (VM_READ | VM_WRITE | VM_EXEC) ? prot | _PAGE_PRESENT : 0;
}

struct page *vm_normal_page(const struct vm_area_struct *vma, pte_t pte) {
  unsigned long pfn = pte_pfn(pte);
  return pfn == zero_pfn() || vma->vm_flags & VM_PFNMAP ? NULL : pfn_to_page(pfn);
}

static unsigned long *rss_of(struct mm_struct *mm, const struct page *page) {
  return PageAnon(page) ? &mm->anon_rss : &mm->file_rss;
}

/// First touch of an anonymous page.
static enum vm_fault do_anonymous_page(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *pte,
                                       unsigned long address, bool write) {
  u32 prot = vm_page_prot(vma->vm_flags);

  if (!write) {
    set_pte(pte, pfn_pte(zero_pfn(), prot));
    fault_stats.zero_page++;
    return VM_FAULT_OK;
  }
  if (anon_vma_prepare(vma)) return VM_FAULT_OOM;
  struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
  if (!page) return VM_FAULT_OOM;
  if (!pte_none(read_pte(pte))) { // while we slept
    put_page(page);
    return VM_FAULT_OK;
  }
  set_page_flag(page, PG_uptodate);
  lru_cache_add_active(page);
  page_add_anon_rmap(page, vma, address);
  mm->anon_rss++;
  set_pte(pte, pfn_pte(page_to_pfn(page), prot | _PAGE_RW | _PAGE_DIRTY));
  fault_stats.anonymous++;
  return VM_FAULT_OK;
}

/// A new anonymous page with the content of another. NULL: no memory.
static struct page *copy_page(struct vm_area_struct *vma, struct page *from) {
  if (anon_vma_prepare(vma)) return NULL;
  struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | (from ? 0 : __GFP_ZERO));
  if (!page) return NULL;
  if (from) copy_highpage(page, from);
  set_page_flag(page, PG_uptodate);
  return page;
}

/// First touch of a page of a file: the cached page, or, for a write to a private mapping, a copy.
static enum vm_fault do_fault(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *pte, unsigned long address,
                              bool write) {
  struct page *page = read_cache_page(vma->vm_file, linear_page_index(vma, address & PAGE_MASK));
  u32 prot = vm_page_prot(vma->vm_flags);

  if (!page)
    return linear_page_index(vma, address & PAGE_MASK) < vma->vm_file->mapping.nr_slots ? VM_FAULT_OOM
                                                                                        : VM_FAULT_SIGBUS;
  mark_page_accessed(page);
  if (write) {
    struct page *copy = copy_page(vma, page);
    put_page(page);
    if (!copy) return VM_FAULT_OOM;
    page = copy;
  }
  if (!pte_none(read_pte(pte))) { // while we slept
    put_page(page);
    return VM_FAULT_OK;
  }
  if (write) {
    lru_cache_add_active(page);
    page_add_anon_rmap(page, vma, address);
    prot |= _PAGE_RW | _PAGE_DIRTY;
  } else {
    page_add_file_rmap(page);
  }
  ++*rss_of(mm, page);
  set_pte(pte, pfn_pte(page_to_pfn(page), prot));
  fault_stats.file++;
  return VM_FAULT_OK;
}

/// A write to a present, write-protected page of a writable area.
static enum vm_fault do_wp_page(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *pte, pte_t old,
                                unsigned long address) {
  struct page *page = vm_normal_page(vma, old);

  if (page && PageAnon(page)) {
    // Other users may be processes, or the swap cache, which can let go of it.
    bool alone = page_mapcount(page) == 1 && page_count(page) == 1;
    if (!alone && page_mapcount(page) == 1 && trylock_page(page)) {
      alone = remove_exclusive_swap_page(page);
      unlock_page(page);
    }
    if (alone) {
      set_pte(pte, pte_mkwrite(pte_mkdirty(pte_mkyoung(old))));
      flush_tlb_one(address);
      fault_stats.cow_reuse++;
      return VM_FAULT_OK;
    }
  }
  if (page) get_page(page); // it must not go while we sleep
  struct page *copy = copy_page(vma, page);
  bool same = read_pte(pte).pte == old.pte || (pte_present(read_pte(pte)) && pte_pfn(read_pte(pte)) == pte_pfn(old));
  if (copy && same) {
    if (page) {
      page_remove_rmap(page);
      --*rss_of(mm, page);
      put_page(page); // the entry's
    }
    lru_cache_add_active(copy);
    page_add_anon_rmap(copy, vma, address);
    mm->anon_rss++;
    set_pte(pte, pfn_pte(page_to_pfn(copy), vm_page_prot(vma->vm_flags) | _PAGE_RW | _PAGE_DIRTY));
    flush_tlb_one(address);
    fault_stats.cow_copy++;
  } else if (copy) {
    put_page(copy);
  }
  if (page) put_page(page);
  return copy ? VM_FAULT_OK : VM_FAULT_OOM;
}

/// A page that is on the swap area.
static enum vm_fault do_swap_page(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *pte, pte_t old,
                                  unsigned long address, bool write) {
  swp_entry_t entry = pte_to_swp_entry(old);
  struct page *page = read_swap_cache(entry);

  if (!page) return VM_FAULT_OOM;
  lock_page(page);
  if (read_pte(pte).pte != old.pte || !PageSwapCache(page) || page->private != entry.val) { // while we slept
    unlock_page(page);
    put_page(page);
    return VM_FAULT_OK;
  }
  mm->anon_rss++;
  page_add_anon_rmap(page, vma, address);
  swap_free(entry);
  u32 prot = vm_page_prot(vma->vm_flags);
  // A page that nobody shares need not keep its place: it will differ from it soon, or others want the place.
  if ((write || vm_swap_full()) && remove_exclusive_swap_page(page) && write) prot |= _PAGE_RW | _PAGE_DIRTY;
  old = pfn_pte(page_to_pfn(page), prot);
  set_pte(pte, old); // which has the reference from now on
  activate_page(page);
  unlock_page(page);
  fault_stats.swapped++;
  return write && !pte_write(old) ? do_wp_page(mm, vma, pte, old, address) : VM_FAULT_OK;
}

enum vm_fault handle_mm_fault(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address, bool write) {
  pte_t *pte = pte_alloc(mm, address);
  if (!pte) return VM_FAULT_OOM;

  pte_t entry = read_pte(pte);
  if (pte_none(entry))
    return vma->vm_file ? do_fault(mm, vma, pte, address, write) : do_anonymous_page(mm, vma, pte, address, write);
  if (is_swap_pte(entry)) return do_swap_page(mm, vma, pte, entry, address, write);
  if (write && !pte_write(entry)) return do_wp_page(mm, vma, pte, entry, address);
  flush_tlb_one(address); // the entry allows it: a stale translation
  fault_stats.spurious++;
  return VM_FAULT_OK;
}

/// An entry goes, and with it what it refers to.
static void zap_pte(struct mm_struct *mm, const struct vm_area_struct *vma, pte_t *pte, unsigned long address) {
  pte_t entry = read_pte(pte);

  if (pte_none(entry)) return;
  pte_clear(pte);
  if (!pte_present(entry)) {
    free_swap_and_cache(pte_to_swp_entry(entry));
    return;
  }
  flush_tlb_page(vma, address);
  struct page *page = vm_normal_page(vma, entry);
  if (!page) return;
  if (pte_dirty(entry) && PageAnon(page)) set_page_flag(page, PG_dirty);
  --*rss_of(mm, page);
  page_remove_rmap(page);
  free_page_and_swap_cache(page);
}

static void zap_pte_range(struct mm_struct *mm, const struct vm_area_struct *vma, pmd_t *pmd, unsigned long address,
                          unsigned long end) {
  pte_t *pte = pte_offset_kernel(pmd, address);
  for (; address < end; address += PAGE_SIZE, pte++)
    zap_pte(mm, vma, pte, address);
}

static void zap_pmd_range(struct mm_struct *mm, const struct vm_area_struct *vma, pud_t *pud, unsigned long address,
                          unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pmd_addr_end(address, end);
    pmd_t *pmd = pmd_offset(pud, address);
    if (!pmd_none(*pmd)) zap_pte_range(mm, vma, pmd, address, next);
  }
}

static void zap_pud_range(struct mm_struct *mm, const struct vm_area_struct *vma, pgd_t *pgd, unsigned long address,
                          unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pud_addr_end(address, end);
    pud_t *pud = pud_offset(pgd, address);
    if (!pud_none(*pud)) zap_pmd_range(mm, vma, pud, address, next);
  }
}

void unmap_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end) {
  for (unsigned long address = start, next; address < end; address = next) {
    next = pgd_addr_end(address, end);
    pgd_t *pgd = pgd_offset(vma->vm_mm, address);
    if (!pgd_none(*pgd)) zap_pud_range(vma->vm_mm, vma, pgd, address, next);
  }
}
