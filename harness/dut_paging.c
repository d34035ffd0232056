#include "dut_paging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* References of the segmentation's own in one transaction: descriptors and their updates. */
enum { OWN_REFERENCES = 16 };

/* One in a process: a table's config has no handle. */
static const dut_ops_t *device;

typedef struct {
  void *handle; /* the device's */
  mmu_t *mmu;   /* its segmentation, without a paging unit */
  mmu_t *kept[DUT_SNAPSHOTS];
  uint64_t kept_pieces[DUT_SNAPSHOTS];
  mmu_mem_port_t mem;
  dut_status_t status; /* of the present transaction */
  unsigned n_mem, n_tlb;
  uint64_t pieces, walks;
  bool ours; /* complaint says what is wrong, not the device */
  char complaint[160];
} paging_t;

static dut_status_t complain(paging_t *p, const char *what) {
  snprintf(p->complaint, sizeof p->complaint, "%s", what);
  p->ours = true;
  return DUT_PROTOCOL;
}

/* --- what the device is asked --- */

/* The access itself is the last reference of a device that performs it; its address is the answer. */
static dut_status_t take_access(paging_t *p, const mmu_req_t *piece, mmu_rsp_t *rsp) {
  const dut_traits_t *traits = &device->traits;
  uint64_t block = piece->access == MMU_EXECUTE ? traits->fetch_block : traits->data_block;
  if (block == 0) block = 1;
  if (rsp->n_mem == 0) return complain(p, "answers an access that its bus has not seen");
  const mmu_mem_t *access = &rsp->mem[--rsp->n_mem];
  if (access->write != (piece->access == MMU_WRITE))
    return complain(p, piece->access == MMU_WRITE ? "answers a write without writing" : "answers a read by writing");
  rsp->paddr[0] = (access->paddr & ~(block - 1)) | (piece->offset & (block - 1));
  return DUT_OK;
}

static dut_status_t ask(paging_t *p, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = device->transact(p->handle, req, rsp);
  if (status != DUT_OK) return status;
  p->n_mem += rsp->n_mem;
  p->n_tlb += rsp->n_tlb;
  if (p->n_mem > MMU_MEM_MAX - OWN_REFERENCES) return complain(p, "refers to memory too often for one transaction");
  if (p->n_tlb > MMU_TLB_MAX) return complain(p, "reports too many TLB events for one transaction");
  return DUT_OK;
}

static void translate(void *ctx, const mmu_req_t *piece, mmu_rsp_t *rsp) {
  paging_t *p = ctx;
  p->pieces++;
  if (p->status == DUT_OK) p->status = ask(p, piece, rsp);
  if (p->status == DUT_OK && device->traits.performs && !rsp->fault) p->status = take_access(p, piece, rsp);
  if (p->status == DUT_OK && rsp->paddr[0] >> 32) p->status = complain(p, "answers an address beyond 4 GiB");
  p->walks += p->status == DUT_OK && rsp->n_mem > 0; /* the access is not among them any more */
  if (p->status == DUT_OK) return;
  rsp->n_mem = rsp->n_tlb = 0;
  rsp->fault = true; /* the transaction ends here */
}

/* A control register has been written, or a page is invalidated: what the device has to know of it. */
static dut_status_t control(paging_t *p, const mmu_req_t *req, mmu_rsp_t *rsp) {
  mmu_rsp_t answer = {0};
  mmu_req_t told = *req;
  if (req->op == MMU_OP_INVLPG && device->traits.flushes) told = (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3};
  if (told.op == MMU_OP_WRITE_CR) told.data = mmu_cr(p->mmu, told.cr);
  dut_status_t status = ask(p, &told, &answer);
  if (status != DUT_OK) return status;
  if (answer.fault) return complain(p, "refuses a control operation that is legal");
  rsp->n_mem = answer.n_mem;
  memcpy(rsp->mem, answer.mem, answer.n_mem * sizeof *answer.mem);
  return DUT_OK;
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  paging_t *p = dut;
  p->status = DUT_OK;
  p->n_mem = p->n_tlb = 0;
  p->ours = false;
  mmu_transact(p->mmu, req, rsp);
  bool controls = req->op == MMU_OP_WRITE_CR || req->op == MMU_OP_INVLPG;
  if (p->status == DUT_OK && controls && !rsp->fault) p->status = control(p, req, rsp);
  return p->status;
}

/* --- the other functions --- */

static mmu_config_t config(void) {
  return device->config();
}

static void segmentation_reset(paging_t *p) {
  const mmu_pager_t pager = {.ctx = p, .translate = translate};
  const mmu_config_t c = device->config();
  mmu_init(p->mmu, &c, &p->mem);
  mmu_set_pager(p->mmu, &pager);
}

static void release(paging_t *p) {
  for (unsigned i = 0; i < DUT_SNAPSHOTS; i++)
    free(p->kept[i]);
  free(p->mmu);
  free(p);
}

static void *open_device(const dut_env_t *env, char *error, unsigned error_bytes) {
  paging_t *p = calloc(1, sizeof *p);
  if (p) p->mmu = malloc(mmu_sizeof());
  if (!p || !p->mmu) {
    snprintf(error, error_bytes, "no memory for the segmentation of %s", device->name);
    free(p);
    return NULL;
  }
  p->mem = env->mem;
  segmentation_reset(p);
  p->handle = device->open(env, error, error_bytes);
  if (p->handle) return p;
  release(p);
  return NULL;
}

static void close_device(void *dut) {
  paging_t *p = dut;
  device->close(p->handle);
  release(p);
}

static const char *error_of(void *dut) {
  paging_t *p = dut;
  return p->ours ? p->complaint : device->error(p->handle);
}

static uint64_t cycles(void *dut) {
  return device->cycles(((paging_t *)dut)->handle);
}

static void reset(void *dut) {
  paging_t *p = dut;
  segmentation_reset(p);
  device->reset(p->handle);
}

static bool wave_open(void *dut, const char *path, char *error, unsigned error_bytes) {
  return device->wave_open(((paging_t *)dut)->handle, path, error, error_bytes);
}

static void wave_note(void *dut, const dut_annotation_t *note) {
  device->wave_note(((paging_t *)dut)->handle, note);
}

static void wave_judged(void *dut, const mmu_rsp_t *model) {
  device->wave_judged(((paging_t *)dut)->handle, model);
}

static bool wave_close(void *dut, char *error, unsigned error_bytes) {
  return device->wave_close(((paging_t *)dut)->handle, error, error_bytes);
}

static bool snapshot(void *dut, unsigned slot) {
  paging_t *p = dut;
  if (!p->kept[slot]) p->kept[slot] = malloc(mmu_sizeof());
  if (!p->kept[slot] || !device->snapshot(p->handle, slot)) return false;
  memcpy(p->kept[slot], p->mmu, mmu_sizeof());
  p->kept_pieces[slot] = p->pieces;
  return true;
}

static bool rewind_device(void *dut, unsigned slot, char *error, unsigned error_bytes) {
  paging_t *p = dut;
  if (!device->rewind(p->handle, slot, error, error_bytes)) return false;
  memcpy(p->mmu, p->kept[slot], mmu_sizeof());
  p->pieces = p->kept_pieces[slot]; /* what is repeated is counted once */
  return true;
}

static uint64_t wave_time(void *dut) {
  return device->wave_time(((paging_t *)dut)->handle);
}

static bool coverage_write(void *dut, const char *path, char *error, unsigned error_bytes) {
  return device->coverage_write(((paging_t *)dut)->handle, path, error, error_bytes);
}

const dut_ops_t *dut_paging(const dut_ops_t *ops) {
  static dut_ops_t whole;
  device = ops;
  whole = *ops;
  whole.config = config;
  whole.open = open_device;
  whole.close = close_device;
  whole.transact = transact;
  whole.error = error_of;
  whole.cycles = cycles;
  whole.clock = NULL;
  whole.wave_ports = NULL;
  if (ops->reset) whole.reset = reset;
  if (ops->wave_open) {
    whole.wave_open = wave_open;
    whole.wave_note = wave_note;
    whole.wave_judged = wave_judged;
    whole.wave_close = wave_close;
  }
  if (ops->snapshot) {
    whole.snapshot = snapshot;
    whole.rewind = rewind_device;
    whole.wave_time = wave_time;
  }
  if (ops->coverage_write) whole.coverage_write = coverage_write;
  return &whole;
}

uint64_t dut_paging_pieces(const void *dut) {
  return ((const paging_t *)dut)->pieces;
}

uint64_t dut_paging_walks(const void *dut) {
  return ((const paging_t *)dut)->walks;
}
