#include "dpi_records.h"

#include <assert.h>
#include <string.h>

/*
 * Where a vector is walked, from bit 0 up: a packed struct's last field comes first. One walk serves both directions,
 * so that they cannot part.
 */
typedef struct {
  const svBitVecVal *get;
  svBitVecVal *put; /* NULL: the vector is read, from get */
  unsigned at;      /* bit */
} cursor_t;

static uint64_t take(cursor_t *c, unsigned width) {
  uint64_t value = 0;
  for (unsigned n = 0; n < width;) {
    unsigned low = c->at % 32, bits = 32 - low < width - n ? 32 - low : width - n;
    uint64_t part = (uint64_t)c->get[c->at / 32] >> low & ((UINT64_C(1) << bits) - 1);
    value |= part << n;
    n += bits;
    c->at += bits;
  }
  return value;
}

static void give(cursor_t *c, unsigned width, uint64_t value) {
  for (unsigned n = 0; n < width;) {
    unsigned low = c->at % 32, bits = 32 - low < width - n ? 32 - low : width - n;
    uint32_t mask = (uint32_t)((UINT64_C(1) << bits) - 1) << low;
    svBitVecVal *word = &c->put[c->at / 32];
    *word = (*word & ~mask) | ((uint32_t)(value >> n) << low & mask);
    n += bits;
    c->at += bits;
  }
}

static uint64_t field(cursor_t *c, unsigned width, uint64_t value) {
  if (!c->put) return take(c, width);
  give(c, width, value);
  return value;
}

static void u8(cursor_t *c, unsigned width, uint8_t *value) {
  *value = (uint8_t)field(c, width, *value);
}

static void u16(cursor_t *c, unsigned width, uint16_t *value) {
  *value = (uint16_t)field(c, width, *value);
}

static void u32(cursor_t *c, uint32_t *value) {
  *value = (uint32_t)field(c, 32, *value);
}

static void u64(cursor_t *c, uint64_t *value) {
  *value = field(c, 64, *value);
}

static void flag(cursor_t *c, bool *value) {
  *value = field(c, 1, *value);
}

static void walk_config(cursor_t *c, mmu_config_t *config) {
  u32(c, &config->cr4_absent);
  flag(c, &config->pat_reserved);
  flag(c, &config->accessed_on_fault);
  flag(c, &config->limit_wraps);
  u8(c, 8, &config->tlb_large);
  u8(c, 8, &config->tlb_ways);
  u8(c, 8, &config->tlb_sets);
}

static void walk_req(cursor_t *c, mmu_req_t *req) {
  u64(c, &req->data);
  u64(c, &req->offset);
  u16(c, 16, &req->selector);
  flag(c, &req->ext);
  flag(c, &req->vm);
  flag(c, &req->ac);
  flag(c, &req->implicit);
  flag(c, &req->rmw);
  u8(c, 4, &req->cr);
  u8(c, 4, &req->reason);
  u8(c, 2, &req->cpl);
  u8(c, 2, &req->align);
  u8(c, 5, &req->size);
  u8(c, 2, &req->access);
  u8(c, 4, &req->seg);
  u8(c, 4, &req->op);
}

static void walk_seg(cursor_t *c, mmu_seg_t *seg) {
  flag(c, &seg->usable);
  u16(c, 12, &seg->attr);
  u16(c, 16, &seg->selector);
  u32(c, &seg->limit);
  u64(c, &seg->base);
}

static void walk_mem(cursor_t *c, mmu_mem_t *mem) {
  u8(c, 2, &mem->kind);
  flag(c, &mem->lost);
  flag(c, &mem->write);
  u8(c, 4, &mem->size);
  u64(c, &mem->data);
  u64(c, &mem->paddr);
}

static void walk_tlb(cursor_t *c, mmu_tlb_event_t *event) {
  u8(c, 5, &event->way);
  u8(c, 6, &event->set);
  flag(c, &event->evicted);
  flag(c, &event->large);
  u8(c, 2, &event->kind);
}

/* The logs come last in the struct, so that an unused rest is passed over. */
static void walk_rsp(cursor_t *c, mmu_rsp_t *rsp) {
  unsigned logs = MMU_MEM_MAX * DPI_MEM_BITS + MMU_TLB_MAX * DPI_TLB_BITS;
  c->at = logs;
  u8(c, 6, &rsp->n_tlb);
  u8(c, 7, &rsp->n_mem);
  for (unsigned i = 0; i < 2; i++)
    flag(c, &rsp->pwt[i]);
  for (unsigned i = 0; i < 2; i++)
    flag(c, &rsp->pcd[i]);
  for (unsigned i = 0; i < 2; i++)
    u8(c, 2, &rsp->page_size[i]);
  u8(c, 5, &rsp->first);
  flag(c, &rsp->split);
  flag(c, &rsp->verified);
  flag(c, &rsp->system);
  flag(c, &rsp->fault);
  u8(c, 5, &rsp->vector);
  u16(c, 16, &rsp->error_code);
  walk_seg(c, &rsp->seg);
  u64(c, &rsp->descriptor);
  u64(c, &rsp->cr2);
  for (unsigned i = 0; i < 2; i++)
    u64(c, &rsp->paddr[i]);
  u64(c, &rsp->laddr);
  assert(c->at == DPI_RSP_BITS);

  c->at = 0;
  for (unsigned i = 0; i < rsp->n_mem && i < MMU_MEM_MAX; i++)
    walk_mem(c, &rsp->mem[i]);
  c->at = MMU_MEM_MAX * DPI_MEM_BITS;
  for (unsigned i = 0; i < rsp->n_tlb && i < MMU_TLB_MAX; i++)
    walk_tlb(c, &rsp->tlb[i]);
}

void dpi_config_get(mmu_config_t *config, const svBitVecVal *bits) {
  cursor_t c = {.get = bits};
  memset(config, 0, sizeof *config);
  walk_config(&c, config);
  assert(c.at == DPI_CONFIG_BITS);
}

void dpi_req_get(mmu_req_t *req, const svBitVecVal *bits) {
  cursor_t c = {.get = bits};
  memset(req, 0, sizeof *req);
  walk_req(&c, req);
  assert(c.at == DPI_REQ_BITS);
}

void dpi_rsp_get(mmu_rsp_t *rsp, const svBitVecVal *bits) {
  cursor_t c = {.get = bits};
  memset(rsp, 0, sizeof *rsp);
  walk_rsp(&c, rsp);
}

void dpi_rsp_put(const mmu_rsp_t *rsp, svBitVecVal *bits) {
  mmu_rsp_t copy = *rsp;
  cursor_t c = {.put = bits};
  memset(bits, 0, (DPI_RSP_BITS + 31) / 32 * sizeof *bits);
  walk_rsp(&c, &copy);
}

void dpi_seg_put(const mmu_seg_t *seg, svBitVecVal *bits) {
  mmu_seg_t copy = *seg;
  cursor_t c = {.put = bits};
  memset(bits, 0, (DPI_SEG_BITS + 31) / 32 * sizeof *bits);
  walk_seg(&c, &copy);
  assert(c.at == DPI_SEG_BITS);
}
