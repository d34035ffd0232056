/// Reverse mapping: which page-table entries map a page. Of an anonymous page they are found through its anon_vma, of a
/// file's page through the file: each area that may map it is asked for the page's index.
#include <kernel/errno.h>
#include <kernel/fs.h>
#include <kernel/kernel.h>
#include <kernel/rmap.h>
#include <kernel/slab.h>
#include <kernel/swap.h>

static struct kmem_cache *anon_vma_cachep;

void anon_vma_init(void) {
  anon_vma_cachep =
      kmem_cache_create("anon_vma", sizeof(struct anon_vma), 0, SLAB_POISON | SLAB_RED_ZONE | SLAB_PANIC, NULL);
}

int anon_vma_prepare(struct vm_area_struct *vma) {
  might_sleep();
  if (vma->anon_vma) return 0;
  struct anon_vma *anon_vma = kmem_cache_alloc(anon_vma_cachep, GFP_KERNEL);
  if (!anon_vma) return -ENOMEM;
  INIT_LIST_HEAD(&anon_vma->head);
  vma->anon_vma = anon_vma;
  anon_vma_link(vma);
  return 0;
}

void anon_vma_link(struct vm_area_struct *vma) {
  if (vma->anon_vma) list_add_tail(&vma->anon_vma_node, &vma->anon_vma->head);
}

void anon_vma_unlink(struct vm_area_struct *vma) {
  struct anon_vma *anon_vma = vma->anon_vma;

  if (!anon_vma) return;
  list_del(&vma->anon_vma_node);
  vma->anon_vma = NULL;
  if (list_empty(&anon_vma->head)) kmem_cache_free(anon_vma_cachep, anon_vma);
}

void page_add_anon_rmap(struct page *page, struct vm_area_struct *vma, unsigned long address) {
  if (++page->_mapcount) return;
  page->mapping = (struct address_space *)((uintptr_t)vma->anon_vma | 1);
  page->index = linear_page_index(vma, address & PAGE_MASK);
}

void page_add_file_rmap(struct page *page) {
  page->_mapcount++;
}

void page_dup_rmap(struct page *page) {
  page->_mapcount++;
}

void page_remove_rmap(struct page *page) {
  BUG_ON(page->_mapcount < 0);
  page->_mapcount--;
}

/// The entry by which `vma` maps the page; NULL: it does not. *address: where.
static pte_t *page_check_address(const struct page *page, const struct vm_area_struct *vma, unsigned long *address) {
  if (page->index < vma->vm_pgoff || page->index - vma->vm_pgoff >= vma_pages(vma)) return NULL;
  *address = vma->vm_start + ((page->index - vma->vm_pgoff) << PAGE_SHIFT);
  pte_t *pte = pte_lookup(vma->vm_mm, *address);
  if (!pte || !pte_present(read_pte(pte)) || pte_pfn(read_pte(pte)) != page_to_pfn(page)) return NULL;
  return pte;
}

/// Calls fn(page, vma, pte, address) for each entry that maps the page, until one returns false. Returns the last
/// result.
static bool for_each_mapping(struct page *page,
                             bool (*fn)(struct page *, struct vm_area_struct *, pte_t *, unsigned long, void *),
                             void *argument) {
  if (!page_mapped(page)) return true;
  bool anon = PageAnon(page);
  struct list_head *head = anon ? &page_anon_vma(page)->head : &page->mapping->i_mmap;

  for (struct list_head *at = head->next; at != head; at = at->next) {
    struct vm_area_struct *vma =
        anon ? list_entry(at, struct vm_area_struct, anon_vma_node) : list_entry(at, struct vm_area_struct, shared);
    unsigned long address;
    pte_t *pte = page_check_address(page, vma, &address);
    if (pte && !fn(page, vma, pte, address, argument)) return false;
  }
  return true;
}

/// A translation of another address space may be in the TLB too: CR3 has been loaded since, unless it is the current
/// one's.
void flush_tlb_page(const struct vm_area_struct *vma, unsigned long address) {
  if ((read_cr3() & (u32)PAGE_MASK) == (u32)__pa(vma->vm_mm->pgd)) flush_tlb_one(address);
}

static bool test_and_clear_young(struct page *page, struct vm_area_struct *vma, pte_t *pte, unsigned long address,
                                 void *count) {
  (void)page;
  if (!pte_young(read_pte(pte))) return true;
  set_pte(pte, pte_mkold(read_pte(pte)));
  flush_tlb_page(vma, address); // or the processor would not set it again
  ++*(int *)count;
  return true;
}

int page_referenced(struct page *page) {
  int count = 0;
  for_each_mapping(page, test_and_clear_young, &count);
  return count;
}

static bool unmap_one(struct page *page, struct vm_area_struct *vma, pte_t *pte, unsigned long address,
                      void *argument) {
  (void)argument;
  pte_t entry = read_pte(pte);

  if (vma->vm_flags & VM_LOCKED || pte_young(entry)) return false; // used just now
  pte_clear(pte);
  flush_tlb_page(vma, address);
  if (pte_dirty(entry)) set_page_flag(page, PG_dirty);
  if (PageAnon(page)) {
    swp_entry_t place = {page->private};
    BUG_ON(!PageSwapCache(page) || !swap_duplicate(place));
    set_pte(pte, swp_entry_to_pte(place));
    vma->vm_mm->anon_rss--;
  } else {
    vma->vm_mm->file_rss--;
  }
  page_remove_rmap(page);
  put_page(page);
  return true;
}

bool try_to_unmap(struct page *page) {
  return for_each_mapping(page, unmap_one, NULL) && !page_mapped(page);
}
