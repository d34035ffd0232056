/*
 * Pages of 4 MiB become pages of 4 KiB. No step on single records leads there: the entry alone names no page table, and
 * the table alone is not read. One request fewer, that which sets CR4.PSE, and simpler entries are left.
 */
#include "shrink_priv.h"
#include "x86.h"

enum { FRAMES = 32 };

static bool writes_cr(const trace_record_t *r, unsigned cr) {
  return r->kind == TRACE_REQUEST && r->req.op == MMU_OP_WRITE_CR && r->req.cr == cr;
}

static bool is_large(const records_t *list, const trace_record_t *r) {
  const uint64_t large = X86_PTE_P | X86_PDE_PS;
  return r->kind == TRACE_STORE && r->size == 4 && r->paddr % 4 == 0 && (r->data & large) == large &&
         shrink_is_directory(list, r->paddr >> 12);
}

/* The page-table index of the first reference that goes through the directory entry at paddr. */
static uint32_t table_index(const records_t *list, uint64_t paddr) {
  for (size_t i = 0; i < list->n; i++) {
    const trace_record_t *r = &list->at[i];
    bool reference = r->kind == TRACE_REQUEST &&
                     (r->req.op == MMU_OP_ACCESS || r->req.op == MMU_OP_SYSTEM || r->req.op == MMU_OP_INVLPG);
    if (reference && (r->req.offset >> 22 & 0x3ff) == (paddr >> 2 & 0x3ff)) return r->req.offset >> 12 & 0x3ff;
  }
  return 0;
}

/* Appends to trial the entry of a page of 4 MiB as one that names a new page table, and that table's entry. */
static void add_small(shrink_t *s, const trace_record_t *large) {
  const uint64_t both = X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_PWT | X86_PTE_PCD | X86_PTE_A;
  uint64_t frame = 1;
  while (frame < FRAMES && (shrink_frame_used(&s->best, frame) || shrink_frame_used(&s->trial, frame) ||
                            shrink_is_directory(&s->best, frame)))
    frame++;
  uint32_t index = table_index(&s->best, large->paddr);
  trace_record_t directory = *large, table = *large;
  directory.data = frame << 12 | (large->data & both);
  table.paddr = frame << 12 | index << 2;
  table.data = (large->data & 0xffc00000) | index << 12 | (large->data & (both | X86_PTE_D | X86_PTE_G));
  records_add(&s->trial, &directory);
  records_add(&s->trial, &table);
}

void shrink_small_pages(shrink_t *s) {
  bool found = false;
  s->trial.n = 0;
  for (size_t i = 0; i < s->best.n; i++) {
    trace_record_t record = s->best.at[i];
    if (is_large(&s->best, &record)) {
      add_small(s, &record);
      found = true;
      continue;
    }
    bool enables = writes_cr(&record, 4) && record.req.data & X86_CR4_PSE;
    record.req.data &= enables ? ~(uint64_t)X86_CR4_PSE : UINT64_MAX;
    if (!enables || record.req.data) records_add(&s->trial, &record);
  }
  if (found && s->trial.n <= s->best.n) shrink_try(s);
}
