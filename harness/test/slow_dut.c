#include "slow_dut.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

typedef enum { IDLE, WORKING, ANSWERING } state_t;

typedef struct {
  mmu_t *mmu;
  dut_env_t env;
  rng_t rng;
  uint64_t cycles;
  state_t state;
  dut_port_t port; /* of the request that is on its way */
  mmu_req_t req;
  mmu_rsp_t rsp;
  uint32_t left;  /* cycles of work, the last of which refer to memory */
  unsigned told;  /* references */
  bool slowest;   /* no delay could be longer */
  bool forgetful; /* the bug has struck: */
  bool forgets;   /* this request */
} slow_t;

static void *open_slow(const dut_env_t *env, char *error, unsigned error_bytes) {
  slow_t *d = calloc(1, sizeof *d);
  if (d) d->mmu = malloc(mmu_sizeof());
  if (!d || !d->mmu) {
    snprintf(error, error_bytes, "no memory for the slow DUT");
    free(d);
    return NULL;
  }
  d->env = *env;
  d->rng.state = env->seed;
  mmu_config_t config = mmu_default_config();
  mmu_init(d->mmu, &config, &d->env.mem);
  return d;
}

static void close_slow(void *dut) {
  slow_t *d = dut;
  free(d->mmu);
  free(d);
}

static uint32_t delay(slow_t *d) {
  return d->env.mem_latency ? rng_below(&d->rng, d->env.mem_latency + 1) : 0;
}

/* An access is one reference. */
static void accept(slow_t *d, unsigned port, const mmu_req_t *req) {
  bool access = req->op == MMU_OP_ACCESS;
  uint32_t delays = 0;
  d->state = WORKING;
  d->port = (dut_port_t)port;
  d->req = *req;
  d->forgets = d->forgetful && access && port == DUT_DATA;
  for (unsigned i = 0; i < 2 && access && !d->forgets; i++)
    delays += delay(d);
  d->left = SLOW_DUT_CYCLES + delays;
  d->slowest = access && !d->forgets && delays == 2 * d->env.mem_latency;
}

/* All that there is to be done. */
static void answer(slow_t *d) {
  d->told = 0;
  d->rsp = (mmu_rsp_t){0};
  if (!d->forgets) mmu_transact(d->mmu, &d->req, &d->rsp);
  if (d->forgets) d->forgetful = false;
}

static void work(slow_t *d, dut_cycle_t *out) {
  if (d->left > 1 && --d->left == 1)
    answer(d);
  else if (d->left == 1 && d->told == d->rsp.n_mem)
    d->state = ANSWERING;
  if (d->left > 1 || d->state == ANSWERING || d->told == d->rsp.n_mem) return;
  out->referred = true;
  out->on_behalf = d->port;
  out->reference = d->rsp.mem[d->told++];
}

static dut_status_t clock_slow(void *dut, const dut_drive_t *drive, dut_cycle_t *out) {
  slow_t *d = dut;
  mmu_rsp_t *places[] = {out->rsp[0], out->rsp[1]};
  *out = (dut_cycle_t){.rsp = {places[0], places[1]}};
  d->cycles++;
  bool idle = d->state == IDLE;
  if (d->state == ANSWERING && drive->take[d->port]) {
    out->taken[d->port] = true;
    d->state = IDLE;
  }
  if (d->state != IDLE && d->port == DUT_FETCH && drive->kill) {
    d->forgetful = d->state == WORKING && d->left == 1 && d->slowest;
    d->state = IDLE;
  }
  for (unsigned port = 0; port < DUT_PORTS && idle && d->state == IDLE; port++) {
    if (!drive->offer[port] || (port == DUT_FETCH && drive->kill)) continue;
    accept(d, port, drive->offer[port]);
    out->accepted[port] = true;
    idle = false;
  }
  if (d->state == WORKING && !out->accepted[d->port]) work(d, out);
  if (d->state == ANSWERING) {
    out->valid[d->port] = true;
    memcpy(out->rsp[d->port], &d->rsp, offsetof(mmu_rsp_t, n_mem));
  }
  return DUT_OK;
}

/* One after another. */
static dut_status_t transact_slow(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  slow_t *d = dut;
  accept(d, DUT_DATA, req);
  answer(d);
  d->cycles += d->left;
  d->state = IDLE;
  *rsp = d->rsp;
  return DUT_OK;
}

static const char *error_slow(void *dut) {
  (void)dut;
  return "slow: no error";
}

static uint64_t cycles_slow(void *dut) {
  return ((slow_t *)dut)->cycles;
}

dut_ops_t slow_dut(void) {
  return (dut_ops_t){.abi_version = DUT_ABI_VERSION,
                     .name = "slow",
                     .about = "the reference behind slow memory, with a race",
                     .config = mmu_default_config,
                     .open = open_slow,
                     .close = close_slow,
                     .transact = transact_slow,
                     .error = error_slow,
                     .cycles = cycles_slow,
                     .clock = clock_slow};
}
