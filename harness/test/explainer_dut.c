#include "explainer_dut.h"

#include <stdio.h>
#include <stdlib.h>

static mmu_config_t config(void) {
  return mmu_default_config();
}

static void reset(void *dut) {
  explainer_t *e = dut;
  explain_state_reset(&e->state, &e->config);
}

static void *open_explainer(const dut_env_t *env, char *error, unsigned error_bytes) {
  explainer_t *e = calloc(1, sizeof *e);
  if (!e) {
    snprintf(error, error_bytes, "no memory for the explainer");
    return NULL;
  }
  e->env = *env;
  e->config = config();
  reset(e);
  return e;
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  explainer_t *e = dut;
  const mmu_mem_port_t *mem = &e->env.mem;
  if (e->strike && e->transactions >= e->strike_at) e->strike(&e->state, req);
  e->transactions++;
  explain(&e->state, mem->ctx, req, &e->explanation);
  e->state = e->explanation.after;
  *rsp = e->explanation.rsp;
  for (unsigned i = 0; i < rsp->n_mem; i++) {
    const mmu_mem_t *m = &rsp->mem[i];
    if (m->write && !m->lost) mem->update(mem->ctx, m->paddr, m->size, mem->read(mem->ctx, m->paddr, m->size), m->data);
  }
  return DUT_OK;
}

static const char *error(void *dut) {
  (void)dut;
  return "";
}

static uint64_t cycles(void *dut) {
  return ((explainer_t *)dut)->transactions;
}

const dut_ops_t *explainer_dut(void) {
  static const dut_ops_t ops = {.abi_version = DUT_ABI_VERSION,
                                .name = "rtl", /* it takes the RTL's place */
                                .about = "the explainer",
                                .config = config,
                                .open = open_explainer,
                                .close = free,
                                .transact = transact,
                                .error = error,
                                .cycles = cycles,
                                .reset = reset};
  return &ops;
}
