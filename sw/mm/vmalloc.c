/// Ranges of the vmalloc area, first fit.
#include <kernel/kernel.h>
#include <kernel/slab.h>
#include <kernel/vmalloc.h>

static struct list_head vmlist = {&vmlist, &vmlist};

struct vm_struct *get_vm_area(unsigned long size) {
  struct list_head *before = vmlist.prev;
  unsigned long at = VMALLOC_START;

  size = align_up(size, PAGE_SIZE);
  if (!size) return NULL;
  list_for_each(entry, &vmlist) {
    const struct vm_struct *area = list_entry(entry, struct vm_struct, list);
    if (at + size + PAGE_SIZE <= area->addr) {
      before = entry->prev;
      break;
    }
    at = area->addr + area->size + PAGE_SIZE;
  }
  if (size + PAGE_SIZE > VMALLOC_END - at) return NULL;

  struct vm_struct *area = kzalloc(sizeof(*area));
  if (!area) return NULL;
  area->addr = at;
  area->size = size;
  list_add(&area->list, before);
  return area;
}

void free_vm_area(struct vm_struct *area) {
  list_del(&area->list);
  kfree(area);
}

bool map_kernel_page(unsigned long address, unsigned long pfn, u32 prot) {
  pte_t *pte = pte_alloc_kernel(address);

  if (!pte) return false;
  set_pte(pte, pfn_pte(pfn, prot));
  flush_tlb_one(address);
  return true;
}

pte_t unmap_kernel_page(unsigned long address) {
  pte_t *pte = lookup_kernel_pte(address), old = read_pte(pte);

  set_pte(pte, (pte_t){0});
  flush_tlb_one(address);
  return old;
}

static void free_area_pages(struct vm_struct *area) {
  for (unsigned long i = 0; i < area->size / PAGE_SIZE; i++) {
    if (!area->pages[i]) continue;
    unmap_kernel_page(area->addr + i * PAGE_SIZE);
    __free_pages(area->pages[i], 0);
  }
  kfree(area->pages);
  free_vm_area(area);
}

void *vmalloc(unsigned long size) {
  struct vm_struct *area = get_vm_area(size);
  if (!area) return NULL;

  area->pages = kzalloc(area->size / PAGE_SIZE * sizeof(*area->pages));
  if (!area->pages) {
    free_vm_area(area);
    return NULL;
  }
  for (unsigned long i = 0; i < area->size / PAGE_SIZE; i++) {
    struct page *page = alloc_pages(__GFP_ZERO, 0);
    if (page && !map_kernel_page(area->addr + i * PAGE_SIZE, page_to_pfn(page), _PAGE_KERNEL | page_global)) {
      __free_pages(page, 0);
      page = NULL;
    }
    if (!page) {
      free_area_pages(area);
      return NULL;
    }
    area->pages[i] = page;
  }
  return (void *)area->addr;
}

void vfree(void *address) {
  if (!address) return;
  list_for_each(entry, &vmlist) {
    struct vm_struct *area = list_entry(entry, struct vm_struct, list);
    if (area->addr != (unsigned long)address) continue;
    free_area_pages(area);
    return;
  }
  panic("vfree of what vmalloc did not give");
}
