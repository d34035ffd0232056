/*
 * A DUT for tests of the harness: the reference itself, with one planted fault.
 */
#ifndef MMU86_FAKE_DUT_H
#define MMU86_FAKE_DUT_H

#include "dut.h"

typedef struct {
  mmu_t *mmu;
  dut_env_t env;
  uint64_t transactions;
  uint64_t strike_at;                                   /* number of the transaction that goes wrong */
  void (*strike)(const mmu_req_t *req, mmu_rsp_t *rsp); /* what happens to its response; NULL: nothing */
  dut_status_t status;                                  /* how it ends */
  bool drop_writes;                                     /* the device forgets its A/D writes but reports them */
} fake_dut_t;

/* The table; its open makes a fake_dut_t that the test then arms. */
const dut_ops_t *fake_dut(void);

#endif
