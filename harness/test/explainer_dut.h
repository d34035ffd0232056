/*
 * The explainer as a DUT: what it says comes out is its answer. It carries its own state from RESET on and never looks
 * at the reference's.
 */
#ifndef MMU86_EXPLAINER_DUT_H
#define MMU86_EXPLAINER_DUT_H

#include "dut.h"
#include "explain.h"

typedef struct {
  dut_env_t env; /* env.mem.ctx is the world */
  mmu_config_t config;
  explain_state_t state;
  explanation_t explanation; /* of the last transaction */
  uint64_t transactions, strike_at;
  void (*strike)(explain_state_t *state,
                 const mmu_req_t *req); /* what happens to its state from strike_at on, or NULL */
} explainer_t;

/* The table; its open makes an explainer_t of the default configuration. */
const dut_ops_t *explainer_dut(void);

#endif
