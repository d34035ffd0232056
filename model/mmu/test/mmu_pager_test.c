/*
 * Another paging unit in this one's place: what it is asked, and what becomes of its answers.
 */
#include "mmu_paged_rig.h"

enum { PIECES = 8 };

static struct {
  mmu_req_t piece[PIECES];
  unsigned n;
  unsigned faults_at; /* of the piece that faults; PIECES: none */
  rig_t *rig;
} pager;

/* Physical addresses are linear ones + 1 MiB; a reference to memory and a TLB event for each piece. */
static void translate(void *ctx, const mmu_req_t *piece, mmu_rsp_t *rsp) {
  rig_equal("ctx", ctx == &pager, true);
  rig_true("room", pager.n < PIECES);
  rig_equal("no logs yet", rsp->n_mem + rsp->n_tlb, 0);
  unsigned n = pager.n++;
  pager.piece[n] = *piece;
  rsp->mem[rsp->n_mem++] = (mmu_mem_t){.paddr = 0x900 + 4 * n, .data = n, .size = 4};
  rsp->tlb[rsp->n_tlb++] = (mmu_tlb_event_t){.kind = MMU_TLB_MISS, .way = (uint8_t)n};
  if (n == pager.faults_at) {
    rsp->fault = true;
    rsp->vector = X86_PF;
    rsp->error_code = X86_PF_U;
    rsp->cr2 = piece->offset;
    return;
  }
  rsp->paddr[0] = piece->offset + 0x100000;
  rsp->page_size[0] = MMU_PAGE_4M;
  rsp->pcd[0] = n & 1;
  rsp->pwt[0] = !(n & 1);
}

/* The log has what does not pass the port of the rig: rig_do would object. */
static const mmu_rsp_t *transact(mmu_req_t req) {
  pager.n = 0;
  memset(&pager.rig->rsp, 0xA5, sizeof pager.rig->rsp);
  mmu_transact(pager.rig->mmu, &req, &pager.rig->rsp);
  return &pager.rig->rsp;
}

static rig_t *pager_rig(bool paging) {
  const mmu_pager_t functions = {.ctx = &pager, .translate = translate};
  rig_t *rig = protected_rig();
  rig_flat(rig);
  memset(&pager, 0, sizeof pager);
  pager.rig = rig;
  pager.faults_at = PIECES;
  mmu_set_pager(rig->mmu, &functions);
  if (paging) transact((mmu_req_t){.op = MMU_OP_WRITE_CR, .data = X86_CR0_PE | X86_CR0_PG});
  return rig;
}

static void check_piece(unsigned n, mmu_access_t access, uint32_t laddr, unsigned size, unsigned cpl, bool ac) {
  const mmu_req_t expected = {.op = MMU_OP_ACCESS,
                              .seg = MMU_SEG_LINEAR,
                              .access = (uint8_t)access,
                              .size = (uint8_t)size,
                              .cpl = (uint8_t)cpl,
                              .ac = ac,
                              .offset = laddr};
  rig_true("asked so often", n < pager.n);
  rig_true("the piece", memcmp(&pager.piece[n], &expected, sizeof expected) == 0);
}

/* An operand is asked for page by page, also while paging is off. */
START_TEST(operands_come_in_pieces) {
  rig_t *rig = pager_rig(_i == 1);
  rig_set_raw(rig, MMU_SEG_DS, 0, 0x10000, 0xFFFFFFFF, 0xCF3, true);
  const mmu_rsp_t *rsp = transact((mmu_req_t){
      .op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_WRITE, .size = 16, .cpl = 3, .offset = 0x2FF9, .ac = true});
  rig_equal("pieces", pager.n, 2);
  check_piece(0, MMU_WRITE, 0x12FF9, 7, 3, false);
  check_piece(1, MMU_WRITE, 0x13000, 9, 3, false);
  rig_check_ok(rsp);
  rig_equal("laddr", rsp->laddr, 0x12FF9);
  rig_equal("paddr[0]", rsp->paddr[0], 0x112FF9);
  rig_equal("paddr[1]", rsp->paddr[1], 0x113000);
  rig_equal("page sizes", rsp->page_size[0] + rsp->page_size[1], 2 * MMU_PAGE_4M);
  rig_equal("pcd", rsp->pcd[0] * 2 + rsp->pcd[1], 1);
  rig_equal("pwt", rsp->pwt[0] * 2 + rsp->pwt[1], 2);
  rig_equal("n_mem", rsp->n_mem, 2);
  rig_check_mem(rsp, 0, false, 0x900, 4, 0);
  rig_check_mem(rsp, 1, false, 0x904, 4, 1);
  rig_equal("n_tlb", rsp->n_tlb, 2);
  rig_check_event(rsp, 1, MMU_TLB_MISS, false, 0, 1, false);
  rig_free(rig);
}
END_TEST

/* Who accesses: a user; the supervisor, whom SMAP lets pass or not; the processor itself. */
START_TEST(privilege_of_a_piece) {
  rig_t *rig = pager_rig(true);
  mmu_req_t req = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 1, .offset = 0x5000};
  transact(req);
  check_piece(0, MMU_READ, 0x5000, 1, 0, false);
  req.ac = true;
  req.cpl = 2;
  transact(req);
  check_piece(0, MMU_READ, 0x5000, 1, 0, true);
  req.cpl = 3;
  req.implicit = true;
  transact(req);
  check_piece(0, MMU_READ, 0x5000, 1, 0, false);
  transact((mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 5, .offset = 0x6000});
  check_piece(0, MMU_EXECUTE, 0x6000, 5, 0, false);
  rig_free(rig);
}
END_TEST

/* The second page's fault ends the transaction; the references of the first stay in the log. */
START_TEST(faults_pass) {
  rig_t *rig = pager_rig(true);
  pager.faults_at = 1;
  const mmu_rsp_t *rsp =
      transact((mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_READ, .size = 4, .offset = 0x6FFE});
  rig_check_fault(rsp, X86_PF, X86_PF_U, 0x7000);
  rig_equal("laddr", rsp->laddr, 0x6FFE);
  rig_equal("n_mem", rsp->n_mem, 2);
  rig_free(rig);
}
END_TEST

/* The segmentation refuses before anybody is asked. */
START_TEST(segments_come_first) {
  rig_t *rig = pager_rig(true);
  rig_set_raw(rig, MMU_SEG_DS, 0, 0, 0xFF, 0x493, true);
  rig_check_fault(transact((mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = 0xFD}), X86_GP, 0,
                  0);
  rig_equal("asked", pager.n, 0);
  rig_free(rig);
}
END_TEST

/* A descriptor that straddles a page: its reads, each through the pager, then the accessed bit's write, through it too;
 * the descriptor itself is read through the MMU's own port, where the pager has said. */
START_TEST(descriptors) {
  rig_t *rig = pager_rig(true);
  transact((mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = 0x7FFC - 0x10, .data = 0xFFFF});
  rig_poke(rig, 0x107FFC, 8, rig_descriptor(0x1234, 0xFF, 0x092));
  const mmu_rsp_t *rsp =
      transact((mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_ES, .reason = MMU_LOAD_DATA, .selector = 0x10});
  rig_check_ok(rsp);
  rig_check_seg(rsp->seg, 0x10, 0x1234, 0xFF, 0x093, true);
  rig_equal("pieces", pager.n, 3);
  check_piece(0, MMU_READ, 0x7FFC, 4, 0, false);
  check_piece(1, MMU_READ, 0x8000, 4, 0, false);
  check_piece(2, MMU_WRITE, 0x8001, 1, 0, false);
  rig_equal("accessed", rig_peek(rig, 0x108001, 1), 0x93);
  rig_equal("n_mem", rsp->n_mem, 6);
  rig_check_mem(rsp, 2, false, 0x107FFC, 4, rig_descriptor(0x1234, 0xFF, 0x092) & 0xFFFFFFFF);
  rig_check_mem(rsp, 5, true, 0x108001, 1, 0x93);
  rig_free(rig);
}
END_TEST

/* mmu_init ends it. */
START_TEST(until_the_next_reset) {
  rig_t *rig = pager_rig(false);
  const mmu_config_t config = mmu_default_config();
  const mmu_mem_port_t port = mmu_memory(rig->mmu);
  mmu_init(rig->mmu, &config, &port);
  pager.n = 0;
  rig_check_ok(rig_linear(rig, MMU_READ, 0x5000, 4));
  rig_equal("asked", pager.n, 0);
  rig_free(rig);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {privilege_of_a_piece, faults_pass, segments_come_first, descriptors,
                                until_the_next_reset};
  Suite *suite = rig_suite("mmu_pager", tests, sizeof tests / sizeof tests[0]);
  TCase *pieces = tcase_create("pieces");
  tcase_add_loop_test(pieces, operands_come_in_pieces, 0, 2);
  suite_add_tcase(suite, pieces);
  return rig_run(suite);
}
