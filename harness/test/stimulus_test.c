/*
 * The random stimulus follows from its seed and from nothing else, whatever it is compiled by: the values stored here
 * hold in the normal and in the sanitized build.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fake_dut.h"
#include "overlap.h"
#include "stimulus.h"

enum { REQUESTS = 20000, SEEDS = 4 };

/* FNV-1a. */
static uint64_t digest, counted;

static void digest_number(uint64_t number, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++)
    digest = (digest ^ (number >> 8 * i & 0xff)) * 0x100000001b3u;
}

static void begin(void) {
  digest = 0xcbf29ce484222325u;
  counted = 0;
}

static void digest_request(const mmu_req_t *req) {
  const uint8_t bytes[] = {req->op, req->seg, req->access,   req->size, req->align, req->cpl, req->reason,
                           req->cr, req->rmw, req->implicit, req->ac,   req->vm,    req->ext};
  for (unsigned i = 0; i < sizeof bytes; i++)
    digest_number(bytes[i], 1);
  digest_number(req->selector, 2);
  digest_number(req->offset, 8);
  digest_number(req->data, 8);
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (counted++ < REQUESTS) digest_request(req);
  return fake_dut()->transact(dut, req, rsp);
}

/* Requests of a seed, and what they and the stores leave in the memory of the tables. */
static uint64_t digest_of(uint64_t seed) {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  stimulus_t stimulus;
  char error[128];
  dut_ops_t ops = *fake_dut();
  ops.transact = transact;
  lockstep_init(&ls);
  ck_assert(world_create(&dut_world, STIMULUS_RAM_MIN));
  dut_env_t env = {.mem = world_port(&dut_world), .cycle_limit = 1000};
  ls.dut = &ops;
  ls.handle = ops.open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(ls.handle);
  ((fake_dut_t *)ls.handle)->strike_at = UINT64_MAX;
  ls.dut_world = &dut_world;
  mmu_config_t config = ops.config();
  ck_assert(rig_create(&rig, &ls, &config, STIMULUS_RAM_MIN));
  begin();
  bool agree = stimulus_start(&stimulus, &rig, seed);
  while (agree && stimulus.done < REQUESTS)
    agree = stimulus_step(&stimulus);
  ck_assert(agree);
  for (uint64_t at = 0; at < 0x100000; at += 8)
    digest_number(world_read(&dut_world, at, 8), 8);
  rig_destroy(&rig);
  ops.close(ls.handle);
  world_destroy(&dut_world);
  return digest;
}

START_TEST(requests_and_tables_of_a_seed) {
  static const uint64_t stored[SEEDS] = {0xbf5ad6b1fb7c25be, 0xf12842024b7e1993, 0x68fa807a8905537f,
                                         0x7570fb092823be6b};
  uint64_t found = digest_of(1 + (uint64_t)_i);
  ck_assert_msg(found == stored[_i], "seed %d: %#llx, stored is %#llx", 1 + _i, (unsigned long long)found,
                (unsigned long long)stored[_i]);
}
END_TEST

/* A device that never does anything, and looks at what is asked of its ports. */
static dut_status_t idle_clock(void *dut, const dut_drive_t *drive, dut_cycle_t *cycle) {
  (void)dut, (void)cycle;
  digest_number(drive->take[0] | drive->take[1] << 1 | drive->kill << 2, 1);
  return ++counted < REQUESTS ? DUT_OK : DUT_PROTOCOL;
}

START_TEST(cycles_of_a_seed) {
  static const uint64_t stored[SEEDS] = {0xaa6499e76fe14633, 0x91c7d5592018613e, 0x5a3fbb691ee4e800,
                                         0x210cafdbb33552e1};
  dut_ops_t ops = *fake_dut();
  ops.clock = idle_clock;
  lockstep_t ls;
  lockstep_init(&ls);
  ls.dut = &ops;
  overlap_t overlap;
  overlap_init(&overlap, &ls, 1 + (uint64_t)_i);
  begin();
  mmu_req_t req = {.op = MMU_OP_ACCESS, .size = 1};
  mmu_rsp_t rsp;
  while (overlap_transact(&overlap, &req, &rsp)) {
  }
  ck_assert_uint_eq(counted, REQUESTS);
  ck_assert_msg(digest == stored[_i], "seed %d: %#llx, stored is %#llx", 1 + _i, (unsigned long long)digest,
                (unsigned long long)stored[_i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stimulus");
  TCase *t = tcase_create("stimulus");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, requests_and_tables_of_a_seed, 0, SEEDS);
  tcase_add_loop_test(t, cycles_of_a_seed, 0, SEEDS);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
