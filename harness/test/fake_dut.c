#include "fake_dut.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t mem_read(void *ctx, uint64_t paddr, unsigned size) {
  fake_dut_t *fake = ctx;
  return fake->env.mem.read(fake->env.mem.ctx, paddr, size);
}

static bool mem_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  fake_dut_t *fake = ctx;
  return fake->drop_writes || fake->env.mem.update(fake->env.mem.ctx, paddr, size, expected, data);
}

static mmu_config_t config(void) {
  return mmu_default_config();
}

static void reset(void *dut) {
  fake_dut_t *fake = dut;
  mmu_config_t c = config();
  mmu_mem_port_t port = {fake, mem_read, mem_update};
  mmu_init(fake->mmu, &c, &port);
}

static void *open_fake(const dut_env_t *env, char *error, unsigned error_bytes) {
  fake_dut_t *fake = calloc(1, sizeof *fake);
  if (fake) fake->mmu = malloc(mmu_sizeof());
  if (!fake || !fake->mmu) {
    snprintf(error, error_bytes, "no memory for the fake DUT");
    free(fake);
    return NULL;
  }
  fake->env = *env;
  reset(fake);
  return fake;
}

static void close_fake(void *dut) {
  fake_dut_t *fake = dut;
  free(fake->mmu);
  free(fake);
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  fake_dut_t *fake = dut;
  mmu_transact(fake->mmu, req, rsp);
  if (fake->transactions++ != fake->strike_at) return DUT_OK;
  if (fake->strike) fake->strike(req, rsp);
  return fake->status;
}

static const char *error(void *dut) {
  fake_dut_t *fake = dut;
  return fake->status == DUT_HANG ? "fake: no answer" : "fake: broken protocol";
}

static uint64_t cycles(void *dut) {
  return ((fake_dut_t *)dut)->transactions;
}

const dut_ops_t *fake_dut(void) {
  static const dut_ops_t ops = {.abi_version = DUT_ABI_VERSION,
                                .name = "fake",
                                .about = "the reference with a planted fault",
                                .config = config,
                                .open = open_fake,
                                .close = close_fake,
                                .transact = transact,
                                .error = error,
                                .cycles = cycles,
                                .reset = reset};
  return &ops;
}
