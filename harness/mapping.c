#include "mapping.h"

#include <string.h>

#include "x86.h"

/* A run that is still growing; pages 0: none. */
typedef struct {
  mapping_t *mapping;
  mapping_run_t run;
} reader_t;

static uint32_t page_bytes(const mapping_run_t *run) {
  return run->large ? 1u << 22 : 1u << 12;
}

static void end_run(reader_t *r) {
  mapping_t *m = r->mapping;
  if (r->run.pages && m->n < MAPPING_RUNS)
    m->run[m->n++] = r->run;
  else if (r->run.pages)
    m->left_out++;
  r->run.pages = 0;
}

static bool goes_on(const mapping_run_t *run, const mapping_run_t *page) {
  return run->pages && run->table == page->table && run->large == page->large && run->user == page->user &&
         run->writable == page->writable && run->global == page->global &&
         run->laddr + run->pages * page_bytes(run) == page->laddr;
}

/* Adds one page. last: the physical address of the page before it, which is brought up to date. */
static void add_page(reader_t *r, const mapping_run_t *page, uint32_t *last) {
  if (goes_on(&r->run, page)) {
    r->run.pages++;
    r->run.pieces += page->paddr != *last + page_bytes(page);
  } else {
    end_run(r);
    r->run = *page;
  }
  *last = page->paddr;
}

static void read_table(reader_t *r, const world_t *world, uint32_t laddr, uint32_t pde, bool global_enabled) {
  uint32_t table = pde & 0xFFFFF000, last = 0;
  r->mapping->tables++;
  for (uint32_t i = 0; i < 1024; i++) {
    uint32_t pte = (uint32_t)world_read(world, table + 4 * i, 4);
    if (!(pte & X86_PTE_P)) continue;
    const mapping_run_t page = {.laddr = laddr + (i << 12),
                                .paddr = pte & 0xFFFFF000,
                                .table = table,
                                .pages = 1,
                                .pieces = 1,
                                .user = pde & pte & X86_PTE_U,
                                .writable = pde & pte & X86_PTE_W,
                                .global = global_enabled && pte & X86_PTE_G};
    r->mapping->pages_4k++;
    add_page(r, &page, &last);
  }
  end_run(r);
}

void mapping_read(mapping_t *m, const mmu_t *mmu, const world_t *world) {
  reader_t r = {.mapping = m};
  uint32_t cr4 = (uint32_t)mmu_cr(mmu, 4), last = 0;
  memset(m, 0, sizeof *m);
  m->paging = mmu_cr(mmu, 0) & X86_CR0_PG;
  if (!m->paging) return;
  m->directory = (uint32_t)mmu_cr(mmu, 3) & 0xFFFFF000;
  for (uint32_t i = 0; i < 1024; i++) {
    uint32_t pde = (uint32_t)world_read(world, m->directory + 4 * i, 4);
    if (!(pde & X86_PTE_P)) continue;
    if (!(pde & X86_PDE_PS && cr4 & X86_CR4_PSE)) {
      end_run(&r);
      read_table(&r, world, i << 22, pde, cr4 & X86_CR4_PGE);
      continue;
    }
    const mapping_run_t page = {.laddr = i << 22,
                                .paddr = pde & 0xFFC00000,
                                .pages = 1,
                                .pieces = 1,
                                .large = true,
                                .user = pde & X86_PTE_U,
                                .writable = pde & X86_PTE_W,
                                .global = cr4 & X86_CR4_PGE && pde & X86_PTE_G};
    m->pages_4m++;
    add_page(&r, &page, &last);
  }
  end_run(&r);
}
