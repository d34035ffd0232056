/// Page tables of processes: made, looked up, copied, freed.
#include <kernel/errno.h>
#include <kernel/kernel.h>
#include <kernel/mmap.h>
#include <kernel/rmap.h>
#include <kernel/swap.h>

pte_t *pte_lookup(const struct mm_struct *mm, unsigned long address) {
  pgd_t *pgd = pgd_offset(mm, address);
  if (pgd_none(*pgd)) return NULL;
  pud_t *pud = pud_offset(pgd, address);
  if (pud_none(*pud)) return NULL;
  pmd_t *pmd = pmd_offset(pud, address);
  return pmd_present(*pmd) ? pte_offset_kernel(pmd, address) : NULL;
}

pte_t *pte_alloc(struct mm_struct *mm, unsigned long address) {
  pmd_t *pmd = pmd_offset(pud_offset(pgd_offset(mm, address), address), address);

  if (!pmd_present(*pmd)) {
    unsigned long table = get_zeroed_page(GFP_KERNEL | __GFP_REPEAT);
    if (!table) return NULL;
    set_pmd(pmd, make_pmd((u32)__pa(table) | _PAGE_TABLE | _PAGE_USER));
  }
  return pte_offset_kernel(pmd, address);
}

void free_pgtables(struct mm_struct *mm) {
  for (unsigned long address = 0; address < TASK_SIZE; address += PMD_SIZE) {
    pmd_t *pmd = pmd_offset(pud_offset(pgd_offset(mm, address), address), address);
    if (pmd_none(*pmd)) continue;
    unsigned long table = (unsigned long)__va(pmd_val(*pmd) & PAGE_MASK);
    pmd_clear(pmd);
    free_page(table);
  }
}

/// One entry of a parent: the child gets the same, and neither may write a private page any more.
static int copy_one_pte(struct mm_struct *to, pte_t *target, pte_t *source, const struct vm_area_struct *vma) {
  pte_t entry = read_pte(source);

  if (is_swap_pte(entry)) {
    if (!swap_duplicate(pte_to_swp_entry(entry))) return -ENOMEM;
    set_pte(target, entry);
    return 0;
  }
  if (!(vma->vm_flags & VM_SHARED) && pte_write(entry)) {
    entry = pte_wrprotect(entry);
    set_pte(source, entry);
  }
  set_pte(target, pte_mkold(entry));
  struct page *page = vm_normal_page(vma, entry);
  if (!page) return 0;
  get_page(page);
  page_dup_rmap(page);
  if (PageAnon(page))
    to->anon_rss++;
  else
    to->file_rss++;
  return 0;
}

static int copy_pte_range(struct mm_struct *to, pmd_t *source_pmd, const struct vm_area_struct *vma,
                          unsigned long address, unsigned long end) {
  pte_t *target = pte_alloc(to, address);

  if (!target) return -ENOMEM;
  pte_t *source = pte_offset_kernel(source_pmd, address);
  for (; address < end; address += PAGE_SIZE, source++, target++)
    if (!pte_none(read_pte(source)) && copy_one_pte(to, target, source, vma)) return -ENOMEM;
  return 0;
}

static int copy_pmd_range(struct mm_struct *to, pud_t *pud, const struct vm_area_struct *vma, unsigned long address,
                          unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pmd_addr_end(address, end);
    pmd_t *pmd = pmd_offset(pud, address);
    if (!pmd_none(*pmd) && copy_pte_range(to, pmd, vma, address, next)) return -ENOMEM;
  }
  return 0;
}

static int copy_pud_range(struct mm_struct *to, pgd_t *pgd, const struct vm_area_struct *vma, unsigned long address,
                          unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pud_addr_end(address, end);
    pud_t *pud = pud_offset(pgd, address);
    if (!pud_none(*pud) && copy_pmd_range(to, pud, vma, address, next)) return -ENOMEM;
  }
  return 0;
}

int copy_page_range(struct mm_struct *to, struct mm_struct *from, const struct vm_area_struct *vma) {
  for (unsigned long address = vma->vm_start, next; address < vma->vm_end; address = next) {
    next = pgd_addr_end(address, vma->vm_end);
    pgd_t *pgd = pgd_offset(from, address);
    if (!pgd_none(*pgd) && copy_pud_range(to, pgd, vma, address, next)) return -ENOMEM;
  }
  return 0;
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long pfn, unsigned long pages, u32 prot) {
  vma->vm_flags |= VM_PFNMAP | VM_DONTCOPY;
  vma->vm_pgoff = pfn;
  for (unsigned long i = 0; i < pages; i++) {
    pte_t *pte = pte_alloc(vma->vm_mm, vma->vm_start + i * PAGE_SIZE);
    if (!pte) return -ENOMEM;
    u32 rights = vm_page_prot(vma->vm_flags) | (vma->vm_flags & VM_WRITE ? _PAGE_RW | _PAGE_DIRTY : 0);
    set_pte(pte, pfn_pte(pfn + i, rights | prot));
  }
  return 0;
}
