#include "page_tables.h"

#include <assert.h>

#include "x86.h"

static uint32_t read_entry(machine_t *machine, page_view_t *view, mmu_mem_kind_t kind, uint32_t paddr) {
  uint32_t entry = (uint32_t)ram_peek(machine_memory(machine), paddr, 4);
  view->entry[view->n++] = (mmu_mem_t){.paddr = paddr, .data = entry, .size = 4, .kind = (uint8_t)kind};
  return entry;
}

static void take(page_view_t *view, uint32_t rights, uint32_t last) {
  view->present = true;
  view->user = rights & X86_PTE_U;
  view->writable = rights & X86_PTE_W;
  view->accessed = rights & X86_PTE_A;
  view->global = last & X86_PTE_G;
  view->dirty = last & X86_PTE_D;
}

page_view_t page_view(machine_t *machine, uint32_t laddr) {
  const mmu_t *mmu = machine_mmu(machine);
  page_view_t view = {.paging = mmu_cr(mmu, 0) & X86_CR0_PG};
  if (!view.paging) {
    take(&view, X86_PTE_U | X86_PTE_W, 0);
    view.paddr = laddr;
    return view;
  }
  uint32_t directory = (uint32_t)mmu_cr(mmu, 3) & 0xFFFFF000;
  uint32_t pde = read_entry(machine, &view, MMU_MEM_PDE, directory + 4 * (laddr >> 22));
  if (!(pde & X86_PTE_P)) return view;
  if (pde & X86_PDE_PS && mmu_cr(mmu, 4) & X86_CR4_PSE) {
    take(&view, pde, pde);
    view.page_size = MMU_PAGE_4M;
    view.paddr = (pde & 0xFFC00000) | (laddr & 0x3FFFFF);
    return view;
  }
  uint32_t pte = read_entry(machine, &view, MMU_MEM_PTE, (pde & 0xFFFFF000) + 4 * (laddr >> 12 & 0x3FF));
  if (!(pte & X86_PTE_P)) return view;
  take(&view, pde & pte, pte);
  view.page_size = MMU_PAGE_4K;
  view.paddr = (pte & 0xFFFFF000) | (laddr & 0xFFF);
  return view;
}

static unsigned bytes_on_page(uint32_t laddr, unsigned n) {
  unsigned room = MMU_PAGE_BYTES - laddr % MMU_PAGE_BYTES;
  return n < room ? n : room;
}

unsigned page_read(machine_t *machine, uint32_t laddr, uint8_t *bytes, unsigned n) {
  for (unsigned at = 0, part; at < n; at += part) {
    page_view_t view = page_view(machine, laddr + at);
    if (!view.present) return at;
    part = bytes_on_page(laddr + at, n - at);
    for (unsigned i = 0; i < part; i++)
      bytes[at + i] = (uint8_t)ram_peek(machine_memory(machine), view.paddr + i, 1);
  }
  return n;
}

bool page_write(machine_t *machine, uint32_t laddr, const uint8_t *bytes, unsigned n) {
  assert(n <= PAGE_WRITE_MAX);
  uint64_t paddr[PAGE_WRITE_MAX / MMU_PAGE_BYTES + 2];
  /* All pages are looked up before anything is written: the bytes may be page tables. */
  unsigned page = 0;
  for (unsigned at = 0, part; at < n; at += part) {
    page_view_t view = page_view(machine, laddr + at);
    part = bytes_on_page(laddr + at, n - at);
    if (!view.present || !machine_has_ram(machine, view.paddr, part)) return false;
    paddr[page++] = view.paddr;
  }
  page = 0;
  for (unsigned at = 0, part; at < n; at += part) {
    part = bytes_on_page(laddr + at, n - at);
    machine_poke(machine, paddr[page++], bytes + at, part);
  }
  return true;
}
