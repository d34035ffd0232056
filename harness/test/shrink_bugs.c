#include "shrink_bugs.h"

#include <stddef.h>

#include "x86.h"

bugs_t bugs;

static void *open_bugged(const dut_env_t *env, char *error, unsigned error_bytes) {
  fake_dut_t *fake = fake_dut()->open(env, error, error_bytes);
  if (!fake) return NULL;
  fake->strike_at = UINT64_MAX;
  fake->drop_writes = bugs.drop_writes;
  bugs.cycle_limit = env->cycle_limit;
  return fake;
}

static dut_status_t transact_bugged(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  fake_dut_t *fake = dut;
  fake_dut()->transact(dut, req, rsp);
  return bugs.bug ? bugs.bug(fake->transactions - 1, req, rsp) : DUT_OK;
}

static const char *error_bugged(void *dut) {
  (void)dut;
  return bugs.words ? bugs.words : "fake";
}

dut_ops_t bugged_device(void) {
  dut_ops_t ops = *fake_dut();
  ops.open = open_bugged;
  ops.transact = transact_bugged;
  ops.error = error_bugged;
  return ops;
}

static bool first_event(const mmu_rsp_t *rsp, mmu_tlb_kind_t kind) {
  return rsp->n_tlb > 0 && rsp->tlb[0].kind == kind;
}

/* A write to a page that is cached clean goes to the neighbour, and the TLB tells something else. */
dut_status_t stray_write(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)index;
  if (req->op != MMU_OP_ACCESS || req->access != MMU_WRITE || rsp->fault || !first_event(rsp, MMU_TLB_RENEW))
    return DUT_OK;
  rsp->paddr[0] ^= 0x1000;
  rsp->tlb[0].kind = MMU_TLB_MISS;
  return DUT_OK;
}

/* The same, and another bug that a whole stream does not meet but every short one with a read by a user does. */
dut_status_t two_bugs(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bool user_read = req->op == MMU_OP_ACCESS && req->access == MMU_READ && req->cpl == 3;
  if (index < 20 && user_read && first_event(rsp, MMU_TLB_MISS)) {
    rsp->tlb[0].kind = MMU_TLB_RENEW;
    return DUT_OK;
  }
  return stray_write(index, req, rsp);
}

/* INVLPG hangs in the upper half of the address space; in the lower one it is slow. */
dut_status_t hang_on_invlpg(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)index, (void)rsp;
  bool answers = req->op != MMU_OP_INVLPG || (!(req->offset >> 31) && bugs.cycle_limit > 50000);
  return answers ? DUT_OK : DUT_HANG;
}

dut_status_t protocol_on_large_hit(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)index, (void)req;
  return first_event(rsp, MMU_TLB_HIT) && rsp->tlb[0].large ? DUT_PROTOCOL : DUT_OK;
}

/* Only what trace_tail sends at the end. */
dut_status_t marked_write(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bool marked = req->ext && req->rmw && req->align == 3 && req->cpl == 2 && req->size == 13;
  return marked ? stray_write(index, req, rsp) : DUT_OK;
}

/* A page whose PTE stands at the end of the address space is taken for its neighbour; memory that is not there reads as
 * ones, PCD among them, and does not count. */
dut_status_t stray_walk(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp) {
  (void)index;
  if (req->op == MMU_OP_ACCESS && !rsp->fault && rsp->n_mem > 1 && rsp->mem[1].paddr >= 0xffff0000 && !rsp->pcd[0])
    rsp->paddr[0] ^= 0x1000;
  return DUT_OK;
}
