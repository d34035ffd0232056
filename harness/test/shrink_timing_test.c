/*
 * The shrinker against a race that hangs on when things happen: on the delays of memory, and on the cycle of a kill.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rng.h"
#include "shrink.h"
#include "slow_dut.h"
#include "stimulus.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN };

static const mmu_req_t data = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4};
static const mmu_req_t fetch = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 4};

static char path[64];

static void setup(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-shrink-timing-test-%ld", (long)getpid());
}

static void teardown(void) {
  remove(path);
}

/* --- traces: no page is present, so an access is one reference and a fault --- */

static trace_writer_t *begin(void) {
  char error[256];
  trace_header_t header = {.ram_bytes = RAM, .mmu = mmu_default_config(), .overlapped = true, .origin = "a test"};
  trace_writer_t *trace = trace_create(path, &header, error, sizeof error);
  ck_assert_msg(trace != NULL, "%s", error);
  trace_request(trace, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PG | X86_CR0_PE});
  return trace;
}

static void let_pass(trace_writer_t *trace, unsigned cycles) {
  for (unsigned i = 0; i < cycles; i++)
    trace_cycle(trace, (const bool[]){true, true}, false);
}

/* In the last of these cycles fetches are killed. Then the access that goes wrong. */
static void end(trace_writer_t *trace, unsigned cycles) {
  char error[256];
  let_pass(trace, cycles - 1);
  trace_cycle(trace, (const bool[]){true, true}, true);
  trace_request(trace, &data);
  let_pass(trace, 200);
  ck_assert(trace_finish(trace, error, sizeof error));
}

/* Accesses until the next one's delays are as long as can be. Returns their number. */
static uint64_t make_race(uint64_t seed, uint32_t latency) {
  trace_writer_t *trace = begin();
  rng_t rng = {seed};
  uint64_t n = 0;
  for (bool slowest = false; !slowest;) {
    rng_t next = rng;
    uint32_t one = rng_below(&next, latency + 1), other = rng_below(&next, latency + 1);
    slowest = one == latency && other == latency && n > 300;
    if (slowest) break;
    trace_request(trace, &data);
    rng = next;
    n++;
  }
  let_pass(trace, 200);
  trace_request(trace, &fetch);
  end(trace, SLOW_DUT_CYCLES + 2 * latency + 1);
  return n;
}

/* --- runs --- */

typedef struct {
  dut_ops_t ops;
  shrink_config_t config;
  shrink_result_t result;
} run_t;

static void run_shrink(run_t *run, uint64_t seed, uint32_t latency) {
  char error[512] = "";
  *run = (run_t){.ops = slow_dut()};
  run->config.env = (bench_env_t){.dut = &run->ops, .cycle_limit = 100000, .arguments = ""};
  run->config.env.seed = seed;
  run->config.env.mem_latency = latency;
  ck_assert_msg(shrink_trace(path, &run->config, &run->result, error, sizeof error) == SHRINK_DONE, "%s", error);
}

/* The result fails in its last record and as the trace did, with the seed and the latency that it says. */
static void expect_failure(const run_t *run) {
  const shrink_result_t *r = &run->result;
  failure_t failure;
  subject_replay(&r->env, &r->records, false, NULL, &failure);
  ck_assert_int_eq(failure.kind, FAILURE_MISMATCH);
  ck_assert(failure_same(&r->original, &failure));
  ck_assert_uint_eq(failure.at + 1, r->records.n);
}

/* Each access before the fetch goes, and with it what it drew; the fetch's own delays stay. */
START_TEST(delays_stay_with_their_references) {
  enum { SEED = 7, LATENCY = 12 };
  run_t run, again;
  uint64_t before = make_race(SEED, LATENCY);
  run_shrink(&run, SEED, LATENCY);
  ck_assert_uint_eq(run.result.before.requests, before + 3);
  expect_failure(&run);
  ck_assert_uint_eq(run.result.after.requests, 3);
  ck_assert_uint_eq(run.result.env.mem_latency, LATENCY);
  bench_env_t other = run.result.env; /* the seed that it began with will not do */
  failure_t failure;
  other.seed = SEED;
  subject_replay(&other, &run.result.records, false, NULL, &failure);
  ck_assert_int_eq(failure.kind, FAILURE_NONE);
  run_shrink(&again, SEED, LATENCY);
  ck_assert_uint_eq(again.result.candidates, run.result.candidates);
  ck_assert_uint_eq(again.result.env.seed, run.result.env.seed);
  ck_assert_uint_eq(again.result.records.n, run.result.records.n);
  shrink_free(&run.result);
  shrink_free(&again.result);
}
END_TEST

/* The fetch waits for accesses before it. Without one of them it would be done before it is killed. */
START_TEST(what_follows_a_removed_request_comes_earlier) {
  run_t run;
  trace_writer_t *trace = begin();
  trace_request(trace, &data);
  trace_request(trace, &data);
  trace_request(trace, &fetch);
  enum { ACCESS = SLOW_DUT_CYCLES + 2 }; /* until it is taken, and the next one accepted */
  end(trace, 2 * ACCESS + SLOW_DUT_CYCLES);
  run_shrink(&run, 1, 0);
  expect_failure(&run);
  ck_assert_uint_eq(run.result.after.requests, 3);
  ck_assert(run.result.env.overlapped);
  shrink_free(&run.result);
}
END_TEST

/* A race of other cycles with each latency: seen with none, it needs none. */
START_TEST(memory_is_as_fast_as_it_may_be) {
  run_t run;
  trace_writer_t *trace = begin();
  for (unsigned i = 0; i < 40; i++) {
    trace_request(trace, &data);
    let_pass(trace, 60);
    trace_request(trace, &fetch);
    let_pass(trace, SLOW_DUT_CYCLES + i % 12);
    trace_cycle(trace, (const bool[]){true, true}, true);
  }
  trace_request(trace, &fetch);
  end(trace, SLOW_DUT_CYCLES + 1);
  run_shrink(&run, 3, 5);
  expect_failure(&run);
  ck_assert_uint_eq(run.result.env.mem_latency, 0);
  ck_assert_uint_eq(run.result.after.requests, 3);
  shrink_free(&run.result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shrink_timing");
  TCase *tcase = tcase_create("shrink_timing");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, delays_stay_with_their_references);
  tcase_add_test(tcase, what_follows_a_removed_request_comes_earlier);
  tcase_add_test(tcase, memory_is_as_fast_as_it_may_be);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
