/*
 * The fake DUT with planted bugs, for the shrinker's tests.
 */
#ifndef MMU86_SHRINK_BUGS_H
#define MMU86_SHRINK_BUGS_H

#include "fake_dut.h"

/* Called after each transaction of the device: may spoil the response; returns how it ends. */
typedef dut_status_t (*bug_t)(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);

/* What devices do, from now on. */
typedef struct {
  bug_t bug;            /* NULL: none */
  bool drop_writes;     /* A and D bits do not reach memory */
  uint32_t cycle_limit; /* of the device that was opened last */
  const char *words;    /* what the device says of its end */
} bugs_t;

extern bugs_t bugs;

dut_ops_t bugged_device(void);

/* The bugs; shrink_bugs.c says what each does. */
dut_status_t stray_write(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);
dut_status_t two_bugs(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);
dut_status_t hang_on_invlpg(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);
dut_status_t protocol_on_large_hit(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);
dut_status_t marked_write(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);
dut_status_t stray_walk(uint64_t index, const mmu_req_t *req, mmu_rsp_t *rsp);

#endif
