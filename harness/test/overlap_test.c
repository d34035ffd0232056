/*
 * Overlapping requests: a clocked fake DUT that keeps the ports' rules passes; one that breaks any of them is caught.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "overlap.h"
#include "rig.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN };

typedef enum {
  LAWFUL,
  ACCEPTS_NOTHING,   /* accepts a request that is not offered */
  ACCEPTS_TWO,       /* accepts a second one while one is on its way */
  ANSWERS_NOBODY,    /* a response without a request */
  WITHDRAWS,         /* a response goes before it is taken */
  CHANGES,           /* a response changes before it is taken */
  REFERS_FOR_NOBODY, /* a reference to memory on behalf of an idle port */
  ANSWERS_THE_KILLED,
  FALLS_SILENT,
  REFUSES,       /* accepts nothing any more */
  ANSWERS_WRONG, /* the translation of another page */
  SINS,
} sin_t;

static const char *const complaints[SINS] = {
    [ACCEPTS_NOTHING] = "accepts a request that is not offered",
    [ACCEPTS_TWO] = "accepts a request while one is on its way",
    [ANSWERS_NOBODY] = "answers a request that was not accepted",
    [WITHDRAWS] = "withdraws a response",
    [CHANGES] = "changes a response that is not yet taken",
    [REFERS_FOR_NOBODY] = "refers to memory for no request",
    [ANSWERS_THE_KILLED] = "answers a fetch after its kill",
    [FALLS_SILENT] = "does not answer",
    [REFUSES] = "does not accept a request",
};

typedef enum { IDLE, REFERRING, ANSWERING } state_t;

/* The reference behind two ports: a request is done when it is accepted, and its references told one in a cycle. */
typedef struct {
  mmu_t *mmu;
  sin_t sin;
  uint64_t cycles;
  unsigned held; /* cycles that a response has waited */
  struct {
    state_t state;
    mmu_req_t req;
    mmu_rsp_t rsp;
    unsigned told; /* references */
  } port[DUT_PORTS];
} clocked_t;

static bool may_accept(const clocked_t *d, unsigned port, const mmu_req_t *req) {
  if (d->sin == REFUSES && d->cycles > 500) return false;
  if (d->sin == ACCEPTS_TWO && d->cycles > 500 && d->port[port].state == REFERRING) return true;
  bool control = req->op != MMU_OP_ACCESS && req->op != MMU_OP_SYSTEM;
  bool other_works = d->port[!port].state == REFERRING; /* the engine is one */
  return d->port[port].state == IDLE && !other_works && !(control && d->port[!port].state != IDLE);
}

static bool sins_now(const clocked_t *d, sin_t sin) {
  return d->sin == sin && d->cycles > 500;
}

static void finish_cycle(clocked_t *d, unsigned port, dut_cycle_t *out) {
  state_t *state = &d->port[port].state;
  mmu_rsp_t *rsp = &d->port[port].rsp;
  if (*state == REFERRING && d->port[port].told == rsp->n_mem && !sins_now(d, FALLS_SILENT)) {
    *state = ANSWERING;
    if (sins_now(d, ANSWERS_WRONG) && !rsp->fault) rsp->paddr[0] ^= 0x1000;
  }
  if (*state == REFERRING && d->port[port].told < rsp->n_mem && !out->referred) {
    out->referred = true;
    out->on_behalf = (dut_port_t)port;
    out->reference = rsp->mem[d->port[port].told++];
  }
  out->valid[port] = *state == ANSWERING || (sins_now(d, ANSWERS_NOBODY) && *state == IDLE);
  if (sins_now(d, WITHDRAWS) && d->held == 2) out->valid[port] = false;
  if (!out->valid[port]) return;
  memcpy(out->rsp[port], rsp, offsetof(mmu_rsp_t, n_mem));
  if (sins_now(d, CHANGES) && d->held == 2) out->rsp[port]->laddr ^= 4;
}

static dut_status_t clock_it(void *dut, const dut_drive_t *drive, dut_cycle_t *out) {
  clocked_t *d = dut;
  mmu_rsp_t *places[] = {out->rsp[0], out->rsp[1]};
  *out = (dut_cycle_t){.rsp = {places[0], places[1]}};
  d->cycles++;
  for (unsigned p = 0; p < DUT_PORTS; p++) {
    out->taken[p] = d->port[p].state == ANSWERING && drive->take[p];
    if (d->port[p].state == ANSWERING) d->held = drive->take[p] ? 0 : d->held + 1;
  }
  bool killed = drive->kill && d->port[DUT_FETCH].state == ANSWERING && !out->taken[DUT_FETCH];
  for (unsigned p = 0; p < DUT_PORTS; p++) {
    const mmu_req_t *req = drive->offer[p];
    bool accept = req && !(drive->kill && p == DUT_FETCH) && may_accept(d, p, req);
    if (out->taken[p]) d->port[p].state = IDLE;
    out->accepted[p] = accept || (sins_now(d, ACCEPTS_NOTHING) && !req);
    if (!accept) continue;
    d->port[p].req = *req;
    d->port[p].told = 0;
    mmu_transact(d->mmu, req, &d->port[p].rsp);
    d->port[p].state = REFERRING;
  }
  if (killed && !sins_now(d, ANSWERS_THE_KILLED)) d->port[DUT_FETCH].state = IDLE;
  for (unsigned p = 0; p < DUT_PORTS; p++)
    finish_cycle(d, p, out);
  if (sins_now(d, REFERS_FOR_NOBODY) && !out->referred && d->port[DUT_FETCH].state == IDLE) {
    out->referred = true;
    out->on_behalf = DUT_FETCH;
    out->reference = (mmu_mem_t){.paddr = 0x1000, .size = 4};
  }
  return DUT_OK;
}

static const char *no_error(void *dut) {
  (void)dut;
  return "none";
}

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  overlap_t overlap;
  clocked_t dut;
  dut_ops_t ops;
  stimulus_t stimulus;
} bench_t;

static void open_bench(bench_t *b, sin_t sin) {
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  mmu_config_t config = mmu_default_config();
  ck_assert(world_create(&b->dut_world, RAM) && rig_create(&b->rig, &b->ls, &config, RAM));
  mmu_mem_port_t port = world_port(&b->dut_world);
  b->dut.mmu = malloc(mmu_sizeof());
  ck_assert_ptr_nonnull(b->dut.mmu);
  mmu_init(b->dut.mmu, &config, &port);
  b->dut.sin = sin;
  b->ops = (dut_ops_t){.abi_version = DUT_ABI_VERSION, .name = "clocked", .error = no_error, .clock = clock_it};
  b->ls.dut = &b->ops;
  b->ls.handle = &b->dut;
  b->ls.dut_world = &b->dut_world;
  b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config);
  ck_assert_ptr_nonnull(b->ls.oracle);
  overlap_init(&b->overlap, &b->ls, 5);
  b->overlap.knobs.kill = 0; /* what this device has begun it cannot take back */
  b->overlap.knobs.take = 50;
  b->ls.overlap = &b->overlap;
}

static void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  world_destroy(&b->dut_world);
  free(b->dut.mmu);
}

/* Lets the device tell all that it has referred to: it did so when it accepted, and what the stimulus stores now would
 * give the lie to it. */
static bool settle(bench_t *b) {
  static const bool take[DUT_PORTS];
  while (b->dut.port[DUT_DATA].state == REFERRING || b->dut.port[DUT_FETCH].state == REFERRING)
    if (!overlap_cycle(&b->overlap, take, false)) return false;
  return true;
}

static bool drive(bench_t *b, uint64_t n) {
  bool agree = stimulus_start(&b->stimulus, &b->rig, 3);
  while (agree && b->stimulus.done < n)
    agree = settle(b) && stimulus_step(&b->stimulus);
  return agree && overlap_drain(&b->overlap);
}

START_TEST(the_lawful_passes) {
  static bench_t b;
  uint64_t paddr;
  open_bench(&b, LAWFUL);
  ck_assert_msg(drive(&b, 30000), "%s, %s", b.ls.dut_error[0] ? b.ls.dut_error : "differs",
                oracle_verdict_name(b.ls.verdict));
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_ge(b.ls.sequence, 30000);
  ck_assert_uint_ge(b.overlap.answered[DUT_FETCH], 3000);
  close_bench(&b);
}
END_TEST

/* A fetch that is killed while its answer waits. */
static bool kill_an_answer(bench_t *b) {
  static const bool take[DUT_PORTS];
  mmu_req_t fetch = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 1};
  overlap_offer(&b->overlap, &fetch);
  while (!b->overlap.valid[DUT_FETCH])
    ck_assert(overlap_cycle(&b->overlap, take, false));
  return overlap_cycle(&b->overlap, take, true);
}

START_TEST(each_broken_rule_is_caught) {
  static bench_t b;
  open_bench(&b, (sin_t)_i);
  if (_i == ANSWERS_THE_KILLED)
    ck_assert(drive(&b, 3000) && !kill_an_answer(&b));
  else
    ck_assert(!drive(&b, 30000));
  if (_i == ANSWERS_WRONG) {
    ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
    ck_assert_int_ge(b.ls.verdict, ORACLE_STALE_ILLEGAL);
  } else {
    ck_assert_int_eq(b.ls.state, LOCKSTEP_PROTOCOL);
    ck_assert_str_eq(b.ls.dut_error, complaints[_i]);
  }
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("overlap");
  TCase *tests = tcase_create("overlap");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, the_lawful_passes);
  tcase_add_loop_test(tests, each_broken_rule_is_caught, LAWFUL + 1, SINS);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
