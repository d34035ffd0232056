/*
 * The random stimulus follows from its seed and from nothing else, whatever it is compiled by: the values stored here
 * hold in the normal and in the sanitized build.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
  static const uint64_t stored[SEEDS] = {0x226a0ccba2fa7712, 0xc890bc53218f19a2, 0x4ca34c3863e4d50, 0x82b395cceece473a};
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

static const char *idle_error(void *dut) {
  (void)dut;
  return "enough";
}

START_TEST(cycles_of_a_seed) {
  static const uint64_t stored[SEEDS] = {0xaa6499e76fe14633, 0x91c7d5592018613e, 0x5a3fbb691ee4e800,
                                         0x210cafdbb33552e1};
  dut_ops_t ops = *fake_dut();
  ops.clock = idle_clock;
  ops.error = idle_error;
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

/* --- knobs --- */

/* Writes text as a file of knobs and reads it. */
static bool read_text(const char *text, stimulus_knobs_t *knobs, char *error, unsigned error_bytes) {
  char path[] = "/tmp/mmu86-knobs-XXXXXX";
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, strlen(text)), (long)strlen(text));
  close(fd);
  bool ok = stimulus_knobs_read(path, knobs, error, error_bytes);
  unlink(path);
  return ok;
}

START_TEST(missing_knobs_keep_their_defaults) {
  stimulus_knobs_t usual = stimulus_default_knobs(), knobs;
  char error[256] = "";
  ck_assert_msg(read_text("{}", &knobs, error, sizeof error), "%s", error);
  ck_assert_int_eq(memcmp(&knobs, &usual, sizeof usual), 0);
  ck_assert_msg(read_text("{\"alias\": 100, \"renew_every\": 100}", &knobs, error, sizeof error), "%s", error);
  ck_assert_uint_eq(knobs.alias, 100);
  ck_assert_uint_eq(knobs.renew_every, 100);
  knobs.alias = usual.alias;
  knobs.renew_every = usual.renew_every;
  ck_assert_int_eq(memcmp(&knobs, &usual, sizeof usual), 0);
}
END_TEST

/* One line that has the word. */
START_TEST(bad_knobs_are_refused) {
  static const struct {
    const char *text, *word;
  } bad[] = {
      {"{\"bogus\": 1}", "bogus"},
      {"{\"alias\": \"1\"}", "alias"},
      {"{\"alias\": 1.5}", "alias"},
      {"{\"alias\": true}", "alias"},
      {"{\"alias\": 101}", "alias"},
      {"{\"alias\": -1}", "alias"},
      {"{\"alias\": 4294967297}", "alias"},
      {"{\"renew_every\": 99}", "renew_every"},
      {"{\"hot_pages\": 0}", "hot_pages"},
      {"{\"hot_pages\": 65}", "hot_pages"},
      {"{\"alias\": 1, \"alias\": 2}", "alias"},
      {"[1]", "not a JSON object"},
      {"{\"alias\": 1", ":1:"},
      {"", ":1:"},
      {"{\"load_weight\": 0, \"commit_weight\": 0, \"outer_weight\": 0, \"verify_weight\": 0, \"gate_weight\": 0, "
       "\"io_weight\": 0, \"mark_weight\": 0}",
       "load_weight"},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    stimulus_knobs_t knobs;
    char error[256] = "";
    ck_assert_msg(!read_text(bad[i].text, &knobs, error, sizeof error), "%s", bad[i].text);
    ck_assert_msg(strstr(error, bad[i].word) && !strchr(error, '\n'), "%s: %s", bad[i].text, error);
  }
  char error[256] = "";
  stimulus_knobs_t knobs;
  ck_assert(!stimulus_knobs_read("/nowhere/at/all", &knobs, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "/nowhere/at/all"));
}
END_TEST

/* The shipped profiles can be read. */
START_TEST(profiles_can_be_read) {
  static const char *const names[] = {"default",  "aliasing",     "recursive", "tables", "pagesize",
                                      "segments", "invalidation", "thrash",    "v86"};
  stimulus_knobs_t usual = stimulus_default_knobs(), knobs;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    char path[512], error[256] = "";
    snprintf(path, sizeof path, KNOBS_DIRECTORY "/%s.json", names[i]);
    ck_assert_msg(stimulus_knobs_read(path, &knobs, error, sizeof error), "%s", error);
    ck_assert_int_eq(memcmp(&knobs, &usual, sizeof usual) == 0, i == 0);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stimulus");
  TCase *t = tcase_create("stimulus");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, requests_and_tables_of_a_seed, 0, SEEDS);
  tcase_add_loop_test(t, cycles_of_a_seed, 0, SEEDS);
  tcase_add_test(t, missing_knobs_keep_their_defaults);
  tcase_add_test(t, bad_knobs_are_refused);
  tcase_add_test(t, profiles_can_be_read);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
