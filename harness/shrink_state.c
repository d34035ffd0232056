#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shrink_priv.h"
#include "x86.h"

enum { PAGE = 4096 };

void ledger_open(ledger_t *l, uint64_t ram_bytes) {
  *l = (ledger_t){.n_pages = ram_bytes / PAGE};
  l->pages = calloc(l->n_pages / 8 + 1, 1);
  if (l->pages) return;
  fprintf(stderr, "mmu86: no memory for a list of pages\n");
  exit(2);
}

void ledger_close(ledger_t *l) {
  free(l->pages);
  *l = (ledger_t){0};
}

/* Bytes were written, at that address or with A20 masked. */
static void note_bytes(ledger_t *l, uint64_t paddr, uint64_t n) {
  for (uint64_t page = paddr / PAGE; page <= (paddr + n - 1) / PAGE; page++) {
    if (page < l->n_pages) l->pages[page / 8] |= (uint8_t)(1u << page % 8);
    uint64_t masked = page & ~(uint64_t)(MEMMAP_A20 / PAGE);
    if (masked < l->n_pages) l->pages[masked / 8] |= (uint8_t)(1u << masked % 8);
  }
}

void ledger_note(ledger_t *l, const trace_record_t *record, const mmu_rsp_t *rsp) {
  switch (record->kind) {
  case TRACE_STORE:
  case TRACE_LOAD:
    if (record->size) note_bytes(l, record->paddr, record->size);
    break;
  case TRACE_MAP:
    l->mapped = true;
    break;
  case TRACE_ORIGIN:
    l->tagged = true;
    l->origin = record->origin;
    break;
  case TRACE_CYCLE:
    break;
  case TRACE_RESET:
    memset(l->tables, 0, sizeof l->tables);
    break;
  case TRACE_REQUEST:
    if (record->req.op == MMU_OP_LOAD_TABLE) l->tables[record->req.seg == MMU_SEG_IDTR] = record->req;
    for (unsigned i = 0; i < rsp->n_mem; i++)
      if (rsp->mem[i].write) note_bytes(l, rsp->mem[i].paddr, rsp->mem[i].size);
    break;
  }
}

static void add_request(records_t *list, const mmu_req_t *req) {
  records_add(list, &(trace_record_t){.kind = TRACE_REQUEST, .req = *req});
}

static void add_load(records_t *list, records_pool_t *pool, uint64_t paddr, const uint8_t *bytes, uint32_t n) {
  records_add(list,
              &(trace_record_t){.kind = TRACE_LOAD, .paddr = paddr, .size = n, .bytes = records_keep(pool, bytes, n)});
}

/* Pages that hold something; the ROM. */
static void capture_memory(const ledger_t *l, const world_t *world, records_pool_t *pool, records_t *list) {
  static const uint8_t zeroes[PAGE];
  for (uint64_t page = 0; page < l->n_pages; page++) {
    const uint8_t *bytes = world->bytes + page * PAGE;
    if (l->pages[page / 8] >> page % 8 & 1 && memcmp(bytes, zeroes, PAGE) != 0)
      add_load(list, pool, page * PAGE, bytes, PAGE);
  }
  uint32_t rom = world->map.rom_bytes;
  for (uint32_t at = 0; at < rom; at += PAGE)
    add_load(list, pool, (UINT64_C(1) << 32) - rom + at, world->bytes + world->size + at, PAGE);
}

static void capture_registers(const ledger_t *l, const mmu_t *mmu, records_t *list) {
  for (unsigned i = 0; i < 2; i++)
    if (l->tables[i].op == MMU_OP_LOAD_TABLE) add_request(list, &l->tables[i]);
  for (unsigned seg = 0; seg < MMU_SEG_COUNT; seg++) {
    mmu_seg_t hidden = mmu_seg(mmu, (mmu_seg_id_t)seg);
    mmu_req_t raw = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = (uint8_t)seg, .selector = hidden.selector};
    raw.offset = hidden.base;
    raw.data = hidden.limit | (uint64_t)hidden.attr << 32 | (uint64_t)hidden.usable << 48;
    add_request(list, &raw);
  }
  static const uint8_t order[] = {4, 3, 0};
  for (unsigned i = 0; i < sizeof order; i++)
    add_request(list, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = order[i], .data = mmu_cr(mmu, order[i])});
}

void ledger_capture(const ledger_t *l, const subject_t *reference, records_pool_t *pool, records_t *list) {
  if (l->mapped) records_add(list, &(trace_record_t){.kind = TRACE_MAP, .map = reference->rig.world.map});
  capture_memory(l, &reference->rig.world, pool, list);
  capture_registers(l, reference->rig.mmu, list);
  if (l->tagged) records_add(list, &(trace_record_t){.kind = TRACE_ORIGIN, .origin = l->origin});
}
