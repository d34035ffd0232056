/// Ranges of the vmalloc area, first fit, and the page tables behind them.
#include <kernel/highmem.h>
#include <kernel/kernel.h>
#include <kernel/origin.h>
#include <kernel/slab.h>
#include <kernel/vmalloc.h>

static struct vm_struct *vmlist;
static unsigned long vmalloc_error_count;

unsigned long nr_vmalloc_errors(void) {
  return vmalloc_error_count;
}

static void vunmap_pte_range(pmd_t *pmd, unsigned long address, unsigned long end) {
  pte_t *pte = pte_offset_kernel(pmd, address);

  for (; address < end; address += PAGE_SIZE, pte++)
    pte_clear(pte);
}

static void vunmap_pmd_range(pud_t *pud, unsigned long address, unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pmd_addr_end(address, end);
    pmd_t *pmd = pmd_offset(pud, address);
    if (!pmd_none(*pmd)) vunmap_pte_range(pmd, address, next);
  }
}

static void vunmap_pud_range(pgd_t *pgd, unsigned long address, unsigned long end) {
  for (unsigned long next; address < end; address = next) {
    next = pud_addr_end(address, end);
    pud_t *pud = pud_offset(pgd, address);
    if (!pud_none(*pud)) vunmap_pmd_range(pud, address, next);
  }
}

/// Clears the entries of [start, end) and forgets their translations.
static void unmap_kernel_range(unsigned long start, unsigned long end) {
  for (unsigned long address = start, next; address < end; address = next) {
    next = pgd_addr_end(address, end);
    pgd_t *pgd = pgd_offset_k(address);
    if (!pgd_none(*pgd)) vunmap_pud_range(pgd, address, next);
  }
  flush_tlb_kernel_range(start, end);
}

static int vmap_pte_range(unsigned long address, unsigned long end, u32 prot, struct page ***pages) {
  pte_t *pte = pte_alloc_kernel(address);

  if (!pte) return -1;
  for (; address < end; address += PAGE_SIZE, pte++) {
    BUG_ON(!pte_none(*pte));
    set_pte(pte, pfn_pte(page_to_pfn(**pages), prot));
    ++*pages;
  }
  return 0;
}

int map_vm_area(struct vm_struct *area, u32 prot, struct page **pages) {
  unsigned long address = area->addr, end = area->addr + area->size - PAGE_SIZE;

  // No pud and pmd has to be made: a kernel that needs them makes them at boot, so that all directories share them.
  for (unsigned long next; address < end; address = next) {
    next = pgd_addr_end(address, end);
    if (vmap_pte_range(address, next, prot, &pages)) return -1;
  }
  return 0;
}

struct vm_struct *get_vm_area(unsigned long size, unsigned flags) {
  unsigned long address = VMALLOC_START;

  if (!size || size > VMALLOC_END - VMALLOC_START) return NULL;
  size = align_up(size, PAGE_SIZE) + PAGE_SIZE; // the guard page
  struct vm_struct *area = kzalloc(sizeof(*area), GFP_KERNEL), **at = &vmlist;
  if (!area) return NULL;
  for (; *at && address + size > (*at)->addr; at = &(*at)->next)
    address = (*at)->addr + (*at)->size;
  if (size > VMALLOC_END - address) {
    kfree(area);
    return NULL;
  }
  *area = (struct vm_struct){.next = *at, .addr = address, .size = size, .flags = flags};
  return *at = area;
}

/// The link that points to the range at `address`; it is NULL if there is none.
static struct vm_struct **find_link(const void *address) {
  struct vm_struct **at = &vmlist;
  while (*at && (*at)->addr != (unsigned long)address)
    at = &(*at)->next;
  return at;
}

struct vm_struct *find_vm_area(const void *address) {
  return *find_link(address);
}

struct vm_struct *remove_vm_area(const void *address) {
  struct vm_struct **link = find_link(address), *area = *link;
  if (!area) return NULL;
  *link = area->next;
  unmap_kernel_range(area->addr, area->addr + area->size - PAGE_SIZE);
  return area;
}

static void *bad_vfree(const char *what, const void *address) {
  printk("Trying to %s nonexistent vm area (%p)\n", what, address);
  vmalloc_error_count++;
  return NULL;
}

/// Takes a range out, with its pages if it owns them.
static void __vunmap(const char *what, const void *address, unsigned flags) {
  const struct vm_struct *found = address ? find_vm_area(address) : NULL;

  BUG_ON(in_interrupt());
  if (!address) return;
  if (!found || !(found->flags & flags)) {
    bad_vfree(what, address);
    return;
  }
  enum origin before = origin_enter(ORIGIN_VMALLOC);
  struct vm_struct *area = remove_vm_area(address);
  if (area->flags & VM_ALLOC) {
    for (unsigned i = 0; i < area->nr_pages; i++)
      __free_page(area->pages[i]);
    kfree(area->pages);
  }
  kfree(area);
  origin_leave(before);
}

void vfree(void *address) {
  __vunmap("vfree", address, VM_ALLOC);
}

void vunmap(void *address) {
  __vunmap("vunmap", address, VM_MAP);
}

/// The pages of an area; false: not all could be had.
static bool alloc_area_pages(struct vm_struct *area, gfp_t gfp) {
  unsigned n = (unsigned)(area->size >> PAGE_SHIFT) - 1;

  area->pages = kcalloc(n, sizeof(*area->pages), (gfp & ~(gfp_t)__GFP_HIGHMEM) | __GFP_NOWARN);
  if (!area->pages) return false;
  for (; area->nr_pages < n; area->nr_pages++) {
    struct page *page = alloc_page(gfp);
    if (!page) return false;
    area->pages[area->nr_pages] = page;
  }
  return true;
}

void *__vmalloc(unsigned long size, gfp_t gfp, u32 prot) {
  enum origin before = origin_enter(ORIGIN_VMALLOC);
  struct vm_struct *area = get_vm_area(size, VM_ALLOC);
  void *address = area ? (void *)area->addr : NULL;

  if (area && (!alloc_area_pages(area, gfp) || map_vm_area(area, prot, area->pages))) {
    vfree(address);
    address = NULL;
  }
  origin_leave(before);
  return address;
}

void *vmalloc(unsigned long size) {
  return __vmalloc(size, GFP_KERNEL | __GFP_HIGHMEM, _PAGE_KERNEL | page_global);
}

void *vzalloc(unsigned long size) {
  return __vmalloc(size, GFP_KERNEL | __GFP_HIGHMEM | __GFP_ZERO, _PAGE_KERNEL | page_global);
}

void *vmap(struct page **pages, unsigned count, unsigned flags, u32 prot) {
  enum origin before = origin_enter(ORIGIN_VMALLOC);
  struct vm_struct *area = count < max_mapnr ? get_vm_area((unsigned long)count << PAGE_SHIFT, VM_MAP | flags) : NULL;
  void *address = area ? (void *)area->addr : NULL;

  if (area && map_vm_area(area, prot, pages)) {
    vunmap(address);
    address = NULL;
  }
  origin_leave(before);
  return address;
}

struct page *vmalloc_to_page(const void *pointer) {
  unsigned long address = (unsigned long)pointer;
  pgd_t *pgd = pgd_offset_k(address);

  if (pgd_none(*pgd) || pud_none(*pud_offset(pgd, address))) return NULL;
  pmd_t *pmd = pmd_offset(pud_offset(pgd, address), address);
  if (pmd_none(*pmd)) return NULL;
  pte_t pte = read_pte(pte_offset_kernel(pmd, address));
  return pte_present(pte) ? pfn_to_page(pte_pfn(pte)) : NULL;
}

void show_vmallocinfo(void) {
  for (const struct vm_struct *area = vmlist; area; area = area->next)
    printk("0x%08lx-0x%08lx %8lu pages=%u%s\n", area->addr, area->addr + area->size, area->size, area->nr_pages,
           area->flags & VM_MAP     ? " vmap"
           : area->flags & VM_ALLOC ? " vmalloc"
                                    : "");
}
