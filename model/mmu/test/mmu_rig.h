/*
 * The test rig: an MMU with a memory of its own, and what the tests do with it all the time.
 *
 * The rig keeps its own record of what goes through the memory port and compares it with the log of every response;
 * it fills a response with junk before each transaction, so that a field left undefined shows.
 */
#ifndef MMU86_MMU_RIG_H
#define MMU86_MMU_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mmu.h"
#include "x86.h"

enum { RIG_RAM_BYTES = 16 << 20 };

typedef struct rig {
  mmu_t *mmu;
  uint8_t *ram;  /* at physical address 0; beyond it, reads are ones and writes are dropped */
  mmu_rsp_t rsp; /* of the last transaction */
  unsigned n_seen;
  mmu_mem_t seen[MMU_MEM_MAX];                            /* what went through the port in the last transaction */
  void (*before_update)(struct rig *rig, uint64_t paddr); /* another writer of memory; may be NULL */
} rig_t;

/* Fails the test unless two values are equal. Unlike ck_assert it costs nothing when they are, so loops may use it. */
static inline void rig_equal(const char *what, uint64_t actual, uint64_t expected) {
  if (actual != expected)
    ck_abort_msg("%s: %#llx, expected %#llx", what, (unsigned long long)actual, (unsigned long long)expected);
}

static inline void rig_true(const char *what, bool condition) {
  rig_equal(what, condition, true);
}

static inline void rig_see(rig_t *rig, uint64_t paddr, unsigned size, bool write, uint64_t data) {
  rig_true("a reference stays within a page",
           size >= 1 && size <= 8 && paddr % MMU_PAGE_BYTES + size <= MMU_PAGE_BYTES);
  rig_true("room in the log", rig->n_seen < MMU_MEM_MAX);
  rig->seen[rig->n_seen++] = (mmu_mem_t){.paddr = paddr, .data = data, .size = (uint8_t)size, .write = write};
}

static inline uint64_t rig_peek(const rig_t *rig, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned i = 0; i < size; i++)
    data |= (uint64_t)(paddr + i < RIG_RAM_BYTES ? rig->ram[paddr + i] : 0xFF) << 8 * i;
  return data;
}

static inline void rig_poke(rig_t *rig, uint64_t paddr, unsigned size, uint64_t data) {
  for (unsigned i = 0; i < size; i++)
    if (paddr + i < RIG_RAM_BYTES) rig->ram[paddr + i] = (uint8_t)(data >> 8 * i);
}

static inline uint64_t rig_port_read(void *ctx, uint64_t paddr, unsigned size) {
  rig_t *rig = (rig_t *)ctx;
  uint64_t data = rig_peek(rig, paddr, size);
  rig_see(rig, paddr, size, false, data);
  return data;
}

static inline bool rig_port_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  rig_t *rig = (rig_t *)ctx;
  if (rig->before_update) rig->before_update(rig, paddr);
  rig_see(rig, paddr, size, true, data);
  rig->seen[rig->n_seen - 1].lost = rig_peek(rig, paddr, size) != expected;
  if (rig->seen[rig->n_seen - 1].lost) return false;
  rig_poke(rig, paddr, size, data);
  return true;
}

/* A rig after RESET. The caller calls rig_free. */
static inline rig_t *rig_new(mmu_config_t config) {
  rig_t *rig = (rig_t *)calloc(1, sizeof *rig);
  ck_assert_ptr_nonnull(rig);
  rig->ram = (uint8_t *)calloc(1, RIG_RAM_BYTES);
  rig->mmu = (mmu_t *)malloc(mmu_sizeof());
  ck_assert(rig->ram && rig->mmu);
  memset(rig->mmu, 0xA5, mmu_sizeof());
  mmu_mem_port_t port = {.ctx = rig, .read = rig_port_read, .update = rig_port_update};
  mmu_init(rig->mmu, &config, &port);
  return rig;
}

static inline void rig_free(rig_t *rig) {
  free(rig->mmu);
  free(rig->ram);
  free(rig);
}

/* Performs a transaction; checks the reference log against the port. Returns the response, which the rig keeps. */
static inline const mmu_rsp_t *rig_do(rig_t *rig, mmu_req_t req) {
  memset(&rig->rsp, 0xA5, sizeof rig->rsp);
  rig->n_seen = 0;
  mmu_transact(rig->mmu, &req, &rig->rsp);
  rig_equal("n_mem", rig->rsp.n_mem, rig->n_seen);
  rig_true("n_tlb", rig->rsp.n_tlb <= MMU_TLB_MAX);
  for (unsigned i = 0; i < rig->n_seen; i++) {
    const mmu_mem_t *logged = &rig->rsp.mem[i], *seen = &rig->seen[i];
    if (logged->paddr != seen->paddr || logged->data != seen->data || logged->size != seen->size ||
        logged->write != seen->write || logged->lost != seen->lost)
      ck_abort_msg("reference %u: the log and the port differ", i);
  }
  return &rig->rsp;
}

/* Performs a transaction that has to leave every register, the TLB and its replacement bits as they are. */
static inline const mmu_rsp_t *rig_do_without_effect(rig_t *rig, mmu_req_t req) {
  void *before = malloc(mmu_sizeof());
  ck_assert_ptr_nonnull(before);
  memcpy(before, rig->mmu, mmu_sizeof());
  rig_do(rig, req);
  rig_true("the MMU is as before", memcmp(before, rig->mmu, mmu_sizeof()) == 0);
  free(before);
  return &rig->rsp;
}

static inline const mmu_rsp_t *rig_write_cr(rig_t *rig, uint8_t cr, uint64_t value) {
  return rig_do(rig, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = cr, .data = value});
}

static inline const mmu_rsp_t *rig_invlpg(rig_t *rig, uint32_t laddr) {
  return rig_do(rig, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = laddr});
}

/* A plain linear supervisor access, as by the hardware itself. */
static inline const mmu_rsp_t *rig_linear(rig_t *rig, uint8_t access, uint32_t laddr, uint8_t size) {
  return rig_do(
      rig, (mmu_req_t){.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .access = access, .size = size, .offset = laddr});
}

/* An access of one byte through a flat segment (see rig_flat). */
static inline const mmu_rsp_t *rig_byte(rig_t *rig, uint8_t access, uint8_t cpl, uint32_t laddr) {
  uint8_t seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS;
  return rig_do(rig,
                (mmu_req_t){.op = MMU_OP_ACCESS, .seg = seg, .access = access, .size = 1, .cpl = cpl, .offset = laddr});
}

/* SET_SEG with MMU_SET_RAW. */
static inline void rig_set_raw(rig_t *rig, uint8_t seg, uint16_t selector, uint32_t base, uint32_t limit, uint16_t attr,
                               bool usable) {
  rig_do(rig, (mmu_req_t){.op = MMU_OP_SET_SEG,
                          .seg = seg,
                          .reason = MMU_SET_RAW,
                          .selector = selector,
                          .offset = base,
                          .data = limit | (uint64_t)attr << 32 | (uint64_t)usable << 48});
}

/* Flat 32-bit segments: code in CS, writable data in the others. */
static inline void rig_flat(rig_t *rig) {
  for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++)
    rig_set_raw(rig, seg, 0, 0, 0xFFFFFFFF, seg == MMU_SEG_CS ? 0xC9B : 0xC93, true);
}

static inline void rig_load_table(rig_t *rig, uint8_t seg, uint32_t base, uint16_t limit) {
  rig_do(rig, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = seg, .offset = base, .data = limit});
}

/* A segment descriptor from its fields; attr as in mmu_seg_t. */
static inline uint64_t rig_descriptor(uint32_t base, uint32_t limit20, uint16_t attr) {
  uint32_t low = (limit20 & 0xFFFF) | base << 16;
  uint32_t high =
      (base >> 16 & 0xFF) | (attr & 0xFFu) << 8 | (limit20 & 0xF0000) | (attr & 0xF00u) << 12 | (base & 0xFF000000);
  return low | (uint64_t)high << 32;
}

static inline void rig_check_seg(mmu_seg_t seg, uint16_t selector, uint32_t base, uint32_t limit, uint16_t attr,
                                 bool usable) {
  rig_equal("seg.selector", seg.selector, selector);
  rig_equal("seg.base", seg.base, base);
  rig_equal("seg.limit", seg.limit, limit);
  rig_equal("seg.attr", seg.attr, attr);
  rig_equal("seg.usable", seg.usable, usable);
}

static inline void rig_check_fault(const mmu_rsp_t *rsp, unsigned vector, unsigned error_code, uint32_t cr2) {
  rig_equal("fault", rsp->fault, true);
  rig_equal("vector", rsp->vector, vector);
  rig_equal("error_code", rsp->error_code, error_code);
  rig_equal("cr2", rsp->cr2, cr2);
  rig_equal("system", rsp->system, false);
  rig_equal("verified", rsp->verified, false);
  for (unsigned i = 0; i < 2; i++) {
    rig_equal("paddr", rsp->paddr[i], 0);
    rig_equal("page_size", rsp->page_size[i], MMU_PAGE_NONE);
    rig_equal("pcd", rsp->pcd[i], false);
    rig_equal("pwt", rsp->pwt[i], false);
  }
  rig_check_seg(rsp->seg, 0, 0, 0, 0, false);
}

static inline void rig_check_ok(const mmu_rsp_t *rsp) {
  rig_equal("fault", rsp->fault, false);
  rig_equal("vector", rsp->vector, 0);
  rig_equal("error_code", rsp->error_code, 0);
  rig_equal("cr2", rsp->cr2, 0);
}

/* The fields that describe an operand are 0. */
static inline void rig_check_no_operand(const mmu_rsp_t *rsp) {
  rig_equal("laddr", rsp->laddr, 0);
  rig_equal("paddr[0]", rsp->paddr[0], 0);
  rig_equal("paddr[1]", rsp->paddr[1], 0);
  rig_equal("split", rsp->split, false);
  rig_equal("first", rsp->first, 0);
  rig_equal("page_size", rsp->page_size[0] | rsp->page_size[1], MMU_PAGE_NONE);
  rig_equal("pcd, pwt", rsp->pcd[0] | rsp->pcd[1] | rsp->pwt[0] | rsp->pwt[1], 0);
}

static inline void rig_check_mem(const mmu_rsp_t *rsp, unsigned i, bool write, uint64_t paddr, unsigned size,
                                 uint64_t data) {
  rig_true("enough references", i < rsp->n_mem);
  rig_equal("mem.write", rsp->mem[i].write, write);
  rig_equal("mem.paddr", rsp->mem[i].paddr, paddr);
  rig_equal("mem.size", rsp->mem[i].size, size);
  rig_equal("mem.data", rsp->mem[i].data, data);
}

static inline void rig_check_event(const mmu_rsp_t *rsp, unsigned i, mmu_tlb_kind_t kind, bool large, unsigned set,
                                   unsigned way, bool evicted) {
  rig_true("enough events", i < rsp->n_tlb);
  rig_equal("event.kind", rsp->tlb[i].kind, kind);
  rig_equal("event.large", rsp->tlb[i].large, large);
  rig_equal("event.set", rsp->tlb[i].set, set);
  rig_equal("event.way", rsp->tlb[i].way, way);
  rig_equal("event.evicted", rsp->tlb[i].evicted, evicted);
}

/* A suite of one case with these tests. The products take a while under a sanitizer. */
static inline Suite *rig_suite(const char *name, const TTest *const *tests, unsigned n) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 300);
  for (unsigned i = 0; i < n; i++)
    tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  return suite;
}

/* Runs a suite. Returns what main returns. */
static inline int rig_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
