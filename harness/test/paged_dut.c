#include "paged_dut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x86.h"

enum { DATA, FETCH, UNITS };

typedef struct {
  mmu_t *unit[UNITS];
  dut_env_t env;
  bool sins, loses; /* from now on; the next update */
  uint64_t pieces, cycles;
  const char *complaint;
  bool silent; /* tells no TLB event */
} paged_t;

static dut_traits_t traits;
static mmu_config_t chosen;
static bool two;
static paged_sin_t sin_of;
static uint64_t sins_after;

static mmu_config_t config(void) {
  return chosen;
}

static void flat(mmu_t *mmu, mmu_seg_id_t seg, uint64_t attr) {
  mmu_rsp_t rsp;
  const mmu_req_t req = {.op = MMU_OP_SET_SEG,
                         .seg = (uint8_t)seg,
                         .reason = MMU_SET_RAW,
                         .data = UINT32_MAX | attr << 32 | UINT64_C(1) << 48};
  mmu_transact(mmu, &req, &rsp);
}

static uint64_t read_memory(void *ctx, uint64_t paddr, unsigned size) {
  const paged_t *p = ctx;
  return p->env.mem.read(p->env.mem.ctx, paddr, size);
}

static bool update_memory(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  paged_t *p = ctx;
  if (p->sins && sin_of == PAGED_REREADS) expected = read_memory(p, paddr, size);
  if (p->sins && sin_of == PAGED_LOSES && (p->loses = !p->loses)) return false;
  return p->env.mem.update(p->env.mem.ctx, paddr, size, expected, data);
}

static void reset(void *dut) {
  paged_t *p = dut;
  const mmu_mem_port_t port = {p, read_memory, update_memory};
  for (unsigned i = 0; i < UNITS; i++) {
    mmu_init(p->unit[i], &chosen, &port);
    flat(p->unit[i], MMU_SEG_CS, 0xC9B);
    flat(p->unit[i], MMU_SEG_DS, 0xC93);
  }
}

static void *open_paged(const dut_env_t *env, char *error, unsigned error_bytes) {
  paged_t *p = calloc(1, sizeof *p);
  if (!p) abort();
  for (unsigned i = 0; i < UNITS; i++)
    if (!(p->unit[i] = malloc(mmu_sizeof()))) abort();
  (void)error, (void)error_bytes;
  p->env = *env;
  p->silent = strstr(env->arguments, "+silent");
  reset(p);
  return p;
}

static void close_paged(void *dut) {
  paged_t *p = dut;
  for (unsigned i = 0; i < UNITS; i++)
    free(p->unit[i]);
  free(p);
}

static dut_status_t complain(paged_t *p, const char *what) {
  p->complaint = what;
  return DUT_PROTOCOL;
}

static dut_status_t control(paged_t *p, const mmu_req_t *req, mmu_rsp_t *rsp, bool sins) {
  if (req->op == MMU_OP_INVLPG && traits.flushes) return complain(p, "was sent an INVLPG");
  if (sins && sin_of == PAGED_KEEPS && req->op == MMU_OP_WRITE_CR && req->cr == 3 &&
      req->data == mmu_cr(p->unit[DATA], 3)) {
    memset(rsp, 0, sizeof *rsp);
    return DUT_OK;
  }
  for (unsigned i = 0; i < UNITS; i++)
    mmu_transact(p->unit[i], req, rsp);
  if (rsp->fault) return complain(p, "was sent a value that is not legal");
  if (req->op == MMU_OP_WRITE_CR && mmu_cr(p->unit[DATA], req->cr) != req->data)
    return complain(p, "was sent a value that no register holds");
  if (sins && sin_of == PAGED_REFUSES_CR) rsp->fault = true;
  return DUT_OK;
}

/* A page fault invalidates the page in both TLBs ("Operations that Invalidate TLBs and Paging-Structure Caches"). */
static void forget(mmu_t *mmu, uint64_t laddr) {
  mmu_rsp_t ignored;
  const mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  mmu_transact(mmu, &req, &ignored);
}

static uint64_t block_of(const mmu_req_t *piece) {
  uint64_t block = piece->access == MMU_EXECUTE ? traits.fetch_block : traits.data_block;
  return block ? block : 1;
}

static void perform(paged_t *p, const mmu_req_t *piece, mmu_rsp_t *rsp, bool sins) {
  bool write = piece->access == MMU_WRITE;
  uint64_t block = block_of(piece), paddr = rsp->paddr[0] & ~(block - 1);
  bool access = !rsp->fault;
  if (sins && sin_of == PAGED_ACCESS_OF_FAULT && rsp->fault) access = true;
  if (sins && sin_of == PAGED_NO_ACCESS && rsp->n_mem == 0) access = false;
  if (sins && sin_of == PAGED_READ_FOR_WRITE) write = false;
  if (sins && sin_of == PAGED_WRITE_FOR_READ) write = true;
  if (sins && sin_of == PAGED_WRONG_BLOCK) paddr ^= block;
  rsp->paddr[0] = 0xBAD; /* nobody looks */
  if (!access || rsp->n_mem == MMU_MEM_MAX) return;
  rsp->mem[rsp->n_mem++] =
      (mmu_mem_t){.paddr = paddr, .data = p->env.mem.read(p->env.mem.ctx, paddr & ~7u, 4), .size = 4, .write = write};
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  paged_t *p = dut;
  p->cycles++;
  bool sins = p->sins = sin_of != PAGED_RIGHT && p->pieces >= sins_after;
  if (req->op == MMU_OP_WRITE_CR || req->op == MMU_OP_INVLPG) return control(p, req, rsp, sins);
  p->pieces++;
  if (req->op != MMU_OP_ACCESS || req->seg != MMU_SEG_LINEAR) return complain(p, "was sent what is no piece");
  if (req->size < 1 || req->size > 16 || req->offset % MMU_PAGE_BYTES + req->size > MMU_PAGE_BYTES)
    return complain(p, "was sent a piece that straddles a page");
  mmu_req_t inner = *req;
  inner.seg = req->access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS;
  if (sins && sin_of == PAGED_USER_IS_KING) inner.cpl = 0;
  unsigned unit = two && req->access == MMU_EXECUTE ? FETCH : DATA;
  mmu_transact(p->unit[unit], &inner, rsp);
  if (two && rsp->fault && !(sins && sin_of == PAGED_FAULT_SPARES)) forget(p->unit[!unit], rsp->cr2);
  if (p->silent) rsp->n_tlb = 0;
  if (traits.no_page_size) rsp->page_size[0] = MMU_PAGE_NONE;
  if (traits.no_memory_type) rsp->pcd[0] = rsp->pwt[0] = false;
  if (traits.performs) perform(p, req, rsp, sins);
  if (!sins) return DUT_OK;
  if (sin_of == PAGED_WRONG_FRAME) rsp->paddr[0] ^= 0x1000;
  if (sin_of == PAGED_HIGH_ADDRESS) rsp->paddr[0] |= UINT64_C(1) << 32;
  if (sin_of == PAGED_MANY_REFERENCES)
    while (rsp->n_mem < MMU_MEM_MAX)
      rsp->mem[rsp->n_mem++] = (mmu_mem_t){.size = 4};
  return sin_of == PAGED_HANGS ? DUT_HANG : DUT_OK;
}

static const char *error_of(void *dut) {
  paged_t *p = dut;
  return p->complaint ? p->complaint : "stands still";
}

static uint64_t cycles(void *dut) {
  return ((paged_t *)dut)->cycles;
}

/* Waveforms and snapshots are there, and do nothing: the adapter's part is looked at. */
static bool wave_open(void *dut, const char *path, char *error, unsigned error_bytes) {
  (void)dut, (void)path, (void)error, (void)error_bytes;
  return true;
}
static void wave_note(void *dut, const dut_annotation_t *note) {
  (void)dut, (void)note;
}
static void wave_judged(void *dut, const mmu_rsp_t *model) {
  (void)dut, (void)model;
}
static bool wave_close(void *dut, char *error, unsigned error_bytes) {
  (void)dut, (void)error, (void)error_bytes;
  return true;
}
static bool snapshot(void *dut, unsigned slot) {
  (void)dut, (void)slot;
  return true;
}
static bool rewind_paged(void *dut, unsigned slot, char *error, unsigned error_bytes) {
  (void)dut, (void)slot, (void)error, (void)error_bytes;
  return true;
}
static uint64_t wave_time(void *dut) {
  return ((paged_t *)dut)->cycles;
}

const dut_ops_t *paged_dut(dut_traits_t with, bool two_tlbs, uint32_t cr4_absent, paged_sin_t sin, uint64_t after) {
  static dut_ops_t ops;
  traits = with;
  two = two_tlbs;
  sin_of = sin;
  sins_after = after;
  chosen = mmu_default_config();
  chosen.cr4_absent = cr4_absent;
  ops = (dut_ops_t){.abi_version = DUT_ABI_VERSION,
                    .name = "paged",
                    .about = "a paging unit",
                    .traits = with,
                    .config = config,
                    .open = open_paged,
                    .close = close_paged,
                    .transact = transact,
                    .error = error_of,
                    .cycles = cycles,
                    .wave_open = wave_open,
                    .wave_note = wave_note,
                    .wave_judged = wave_judged,
                    .wave_close = wave_close,
                    .snapshot = snapshot,
                    .rewind = rewind_paged,
                    .wave_time = wave_time,
                    .reset = reset};
  return &ops;
}
