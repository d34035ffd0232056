/// From a page to the page-table entries that map it. As in Linux 2.6 ("linux/rmap.h").
#ifndef KERNEL_RMAP_H
#define KERNEL_RMAP_H

#include <kernel/mmap.h>

/// The areas that may map a set of anonymous pages: a process's, and its children's since.
struct anon_vma {
  struct list_head head; ///< of vm_area_struct.anon_vma_node
};

/// Bit 0 of page->mapping tells the two kinds apart.
static inline bool PageAnon(const struct page *page) {
  return (uintptr_t)page->mapping & 1;
}
static inline struct anon_vma *page_anon_vma(const struct page *page) {
  return (struct anon_vma *)((uintptr_t)page->mapping & ~(uintptr_t)1);
}

void anon_vma_init(void);
/// Gives the area an anon_vma if it has none. Returns 0 or -ENOMEM.
int anon_vma_prepare(struct vm_area_struct *vma);
/// Enters an area that has been copied from another into that one's anon_vma; takes it out.
void anon_vma_link(struct vm_area_struct *vma);
void anon_vma_unlink(struct vm_area_struct *vma);

/// Another entry maps the page; one does no more.
void page_add_anon_rmap(struct page *page, struct vm_area_struct *vma, unsigned long address);
void page_add_file_rmap(struct page *page);
void page_dup_rmap(struct page *page);
void page_remove_rmap(struct page *page);

/// How many entries of the page had the accessed bit, which is cleared.
int page_referenced(struct page *page);

/// Unmaps the page everywhere: anonymous ones, which are in the swap cache, leave their swap entries behind. Returns
/// false if an entry stays, since the page was just used or is locked in memory.
bool try_to_unmap(struct page *page);

#endif
