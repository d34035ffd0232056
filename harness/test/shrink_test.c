/*
 * The shrinker against a fake DUT with a planted bug: a few steps are left, always the same ones, of the same bug.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shrink_bugs.h"
#include "shrink_steps.h"
#include "stimulus.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN };

/* --- traces --- */

static char path[64];

static void setup(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-shrink-test-%ld", (long)getpid());
  bugs.bug = NULL;
  bugs.drop_writes = false;
  bugs.words = NULL;
}

static void teardown(void) {
  remove(path);
}

/* A reference without DUT whose stream is recorded. */
typedef struct {
  lockstep_t ls;
  rig_t rig;
} recorder_t;

static void record_begin(recorder_t *r) {
  char error[256];
  mmu_config_t config = mmu_default_config();
  trace_header_t header = {.ram_bytes = RAM, .mmu = config, .origin = "a test"};
  lockstep_init(&r->ls);
  r->ls.trace = trace_create(path, &header, error, sizeof error);
  ck_assert_msg(r->ls.trace != NULL, "%s", error);
  ck_assert(rig_create(&r->rig, &r->ls, &config, RAM));
}

static void record_end(recorder_t *r) {
  char error[256];
  ck_assert(trace_finish(r->ls.trace, error, sizeof error));
  rig_destroy(&r->rig);
}

static void send(recorder_t *r, mmu_req_t req) {
  mmu_rsp_t rsp;
  ck_assert(rig_transact(&r->rig, &req, &rsp));
}

static void write_cr(recorder_t *r, uint8_t cr, uint64_t value) {
  send(r, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = cr, .data = value});
}

static void record_stimulus(recorder_t *r, uint64_t seed, uint64_t n) {
  stimulus_t stimulus;
  ck_assert(stimulus_start(&stimulus, &r->rig, seed));
  while (stimulus.done < n)
    ck_assert(stimulus_step(&stimulus));
}

static void make_trace(uint64_t seed, uint64_t n) {
  recorder_t r;
  record_begin(&r);
  record_stimulus(&r, seed, n);
  record_end(&r);
}

/* --- runs --- */

typedef struct {
  dut_ops_t ops;
  shrink_config_t config;
  shrink_result_t result;
  uint64_t asked, most; /* candidates until stop; 0: none */
  char error[512];
} run_t;

static bool stop_after(void *ctx) {
  run_t *run = ctx;
  return run->most && run->asked++ >= run->most;
}

static shrink_status_t run_shrink(run_t *run) {
  run->ops = bugged_device();
  run->config.env = (bench_env_t){.dut = &run->ops, .cycle_limit = 100000, .arguments = ""};
  run->config.ctx = run;
  run->config.stop = stop_after;
  shrink_status_t status = shrink_trace(path, &run->config, &run->result, run->error, sizeof run->error);
  run->config.env.ram_bytes = run->result.header.ram_bytes;
  return status;
}

/* The result fails, in its last record and as the trace did. */
static void expect_failure(run_t *run, failure_kind_t kind) {
  failure_t failure;
  subject_replay(&run->config.env, &run->result.records, kind == FAILURE_IMAGES, NULL, &failure);
  ck_assert_int_eq(failure.kind, kind);
  ck_assert_uint_eq(failure.at + 1, run->result.records.n);
  ck_assert(failure_same(&run->result.original, &failure));
}

static void expect_counts(const run_t *run, uint64_t requests, uint64_t stores, uint64_t loads) {
  ck_assert_uint_eq(run->result.after.requests, requests);
  ck_assert_uint_eq(run->result.after.stores, stores);
  ck_assert_uint_eq(run->result.after.loads, loads);
}

START_TEST(few_steps_are_left) {
  run_t run = {0};
  bugs.bug = stray_write;
  make_trace(3, 20000);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_MISMATCH);
  expect_counts(&run, 4, 2, 0); /* CR3, CR0, a read, a write; a PDE, a PTE */
  const mmu_req_t *last = &run.result.records.at[run.result.records.n - 1].req;
  ck_assert(last->op == MMU_OP_ACCESS && last->access == MMU_WRITE && last->seg == MMU_SEG_DS && last->size == 4 &&
            last->cpl == 0);
  ck_assert_int_eq(run.result.records.at[0].kind, TRACE_STORE);
  shrink_free(&run.result);
}
END_TEST

static char *text_of(run_t *run, void (*write)(FILE *out, const shrink_text_t *text)) {
  char *text = NULL;
  size_t n = 0;
  FILE *out = open_memstream(&text, &n);
  shrink_step_t *steps = shrink_steps(&run->config.env, &run->result.records);
  ck_assert_ptr_nonnull(steps);
  write(out, &(shrink_text_t){"planted", "a title", &run->config.env, &run->result.records, steps});
  fclose(out);
  free(steps);
  return text;
}

START_TEST(the_same_every_time) {
  bugs.bug = stray_write;
  make_trace(5, 20000);
  char *first[2] = {NULL, NULL};
  for (unsigned i = 0; i < 2; i++) {
    run_t run = {0};
    ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
    char *check = text_of(&run, shrink_write_check), *guest = text_of(&run, shrink_write_guest);
    if (i == 0) {
      first[0] = check;
      first[1] = guest;
    } else {
      ck_assert_str_eq(first[0], check);
      ck_assert_str_eq(first[1], guest);
      free(check);
      free(guest);
    }
    shrink_free(&run.result);
  }
  ck_assert_ptr_nonnull(strstr(first[0], ".op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_WRITE"));
  ck_assert_ptr_nonnull(strstr(first[0], "PDE 00001000"));
  ck_assert_ptr_nonnull(strstr(first[1], "write_cr3(0x00001000)"));
  ck_assert_ptr_nonnull(strstr(first[1], "movl %%eax, %%ds:(%0)"));
  free(first[0]);
  free(first[1]);
}
END_TEST

START_TEST(it_does_not_slip_to_another_bug) {
  run_t run = {0};
  bugs.bug = two_bugs;
  make_trace(3, 20000);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_MISMATCH);
  ck_assert_uint_eq(run.result.failure.differences, DIFF_PADDR | DIFF_TLB);
  expect_counts(&run, 4, 2, 0);
  shrink_free(&run.result);
}
END_TEST

START_TEST(any_failure_may_slip) {
  run_t run = {.config.any_failure = true};
  bugs.bug = two_bugs;
  make_trace(3, 20000);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  ck_assert_uint_eq(run.result.failure.differences, DIFF_TLB);
  ck_assert_uint_le(run.result.after.requests, 3);
  shrink_free(&run.result);
}
END_TEST

START_TEST(interrupted_it_has_the_best_so_far) {
  bugs.bug = stray_write;
  make_trace(3, 20000);
  size_t records = SIZE_MAX;
  for (uint64_t most = 1; most <= 60; most += 20) {
    run_t run = {.most = most + 100000}; /* the first questions come while the trace is read */
    ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
    uint64_t all = run.asked;
    shrink_free(&run.result);
    run = (run_t){.most = all - run.result.candidates + most};
    ck_assert_int_eq(run_shrink(&run), SHRINK_STOPPED);
    expect_failure(&run, FAILURE_MISMATCH);
    ck_assert_uint_gt(run.result.records.n, 6);
    ck_assert_uint_le(run.result.records.n, records);
    records = run.result.records.n;
    shrink_free(&run.result);
  }
}
END_TEST

START_TEST(hangs_and_broken_protocols) {
  run_t run = {0};
  make_trace(3, 20000);
  bugs.bug = hang_on_invlpg;
  bugs.words = "fake: no answer within 1000 cycles";
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_HANG);
  expect_counts(&run, 1, 0, 0);
  ck_assert_uint_eq(run.result.records.at[0].req.offset, 0x80000000);
  shrink_free(&run.result);

  run = (run_t){0};
  bugs.bug = protocol_on_large_hit;
  bugs.words = "fake: broken protocol";
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_PROTOCOL);
  expect_counts(&run, 5, 1, 0); /* CR4.PSE, CR3, CR0, two reads; a PDE */
  shrink_free(&run.result);
}
END_TEST

START_TEST(images_that_differ) {
  run_t run = {0};
  bugs.drop_writes = true;
  recorder_t r; /* the walk is not repeated: only the images tell */
  record_begin(&r);
  rig_store(&r.rig, 0x5000, 4, 0x6007);
  rig_store(&r.rig, 0x6008, 4, 0x7007);
  rig_store(&r.rig, 0x6004, 4, 0x7007);
  write_cr(&r, 3, 0x5000);
  write_cr(&r, 0, X86_CR0_PG | X86_CR0_PE);
  send(&r, (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 2, .offset = 0x2010, .cpl = 3});
  send(&r, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = 0x9000});
  record_end(&r);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_IMAGES);
  expect_counts(&run, 3, 2, 0);
  shrink_free(&run.result);
}
END_TEST

/* What fails with pages of 4 KiB as well needs no CR4.PSE. */
START_TEST(large_pages_become_small) {
  run_t run = {0};
  recorder_t r;
  bugs.bug = stray_write;
  record_begin(&r);
  rig_store(&r.rig, 0x5004, 4, 0x00c000a1);
  write_cr(&r, 4, X86_CR4_PSE);
  write_cr(&r, 3, 0x5000);
  write_cr(&r, 0, X86_CR0_PG | X86_CR0_PE);
  mmu_req_t access = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 2, .offset = 0x407010};
  uint64_t flat = 0xffffffff | UINT64_C(0xc93) << 32 | UINT64_C(1) << 48;
  send(&r, (mmu_req_t){.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = MMU_SEG_DS, .data = flat});
  send(&r, access);
  access.access = MMU_WRITE;
  send(&r, access);
  record_end(&r);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_MISMATCH);
  expect_counts(&run, 4, 2, 0);
  shrink_free(&run.result);
}
END_TEST

/* What brings the page into the TLB may as well be a read. */
START_TEST(lookups_become_reads) {
  run_t run = {0};
  recorder_t r;
  bugs.bug = stray_write;
  record_begin(&r);
  rig_store(&r.rig, 0x5004, 4, 0x6007);
  rig_store(&r.rig, 0x6014, 4, 0x7007);
  write_cr(&r, 3, 0x5000);
  uint64_t flat = 0xffffffff | UINT64_C(0xc93) << 32 | UINT64_C(1) << 48;
  send(&r, (mmu_req_t){.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = MMU_SEG_DS, .data = flat});
  send(&r, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = 0x405000, .data = 0xffff});
  write_cr(&r, 0, X86_CR0_PG | X86_CR0_PE);
  send(&r, (mmu_req_t){.op = MMU_OP_VERIFY, .reason = MMU_VERIFY_READ, .selector = 0x20});
  send(&r, (mmu_req_t){.op = MMU_OP_ACCESS, .access = MMU_WRITE, .seg = MMU_SEG_DS, .size = 2, .offset = 0x405010});
  record_end(&r);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_MISMATCH);
  expect_counts(&run, 4, 2, 0);
  ck_assert_int_eq(run.result.records.at[4].req.op, MMU_OP_ACCESS);
  shrink_free(&run.result);
}
END_TEST

static uint8_t image[1 << 20];

static void put32(uint32_t at, uint32_t value) {
  for (unsigned i = 0; i < 4; i++)
    image[at + i] = (uint8_t)(value >> 8 * i);
}

/* A long stream, then an image of which two words count, and the end. */
START_TEST(a_long_prefix_becomes_the_state_it_leaves) {
  run_t run = {0};
  recorder_t r;
  bugs.bug = marked_write;
  record_begin(&r);
  record_stimulus(&r, 9, 250000);
  memset(image, 0xa5, sizeof image);
  put32(0x1000, 0x00202067);
  put32(0x2014, 0x00300027);
  rig_load(&r.rig, 0x200000, image, sizeof image);
  write_cr(&r, 0, X86_CR0_PE);
  write_cr(&r, 4, 0);
  write_cr(&r, 3, 0x201000);
  write_cr(&r, 0, X86_CR0_PG | X86_CR0_PE);
  uint64_t flat = 0xffffffff | UINT64_C(0xc93) << 32 | UINT64_C(1) << 48;
  send(&r, (mmu_req_t){.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = MMU_SEG_DS, .data = flat});
  mmu_req_t access = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 13, .offset = 0x5008, .cpl = 2};
  send(&r, access);
  access.access = MMU_WRITE;
  access.ext = access.rmw = true;
  access.align = 3;
  send(&r, access);
  record_end(&r);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  ck_assert_uint_gt(run.result.before.requests, 250000);
  expect_failure(&run, FAILURE_MISMATCH);
  expect_counts(&run, 4, 2, 0);
  shrink_free(&run.result);
}
END_TEST

/* Tables in ROM, where no store reaches. The directory can be moved to RAM, the table that it names cannot. */
START_TEST(rom_and_map_are_kept) {
  run_t run = {0};
  recorder_t r;
  bugs.bug = stray_walk;
  record_begin(&r);
  memmap_t map = memmap_flat();
  map.rom_bytes = MEMMAP_ROM_UNIT;
  rig_map(&r.rig, &map);
  memset(image, 0, sizeof image);
  put32(0x0, 0xffff1067);
  put32(0x1000, 0x00000067);
  rig_load(&r.rig, 0xffff0000, image, MEMMAP_ROM_UNIT);
  write_cr(&r, 3, 0xffff0000);
  write_cr(&r, 0, X86_CR0_PG | X86_CR0_PE);
  for (unsigned i = 0; i < 5; i++)
    send(&r, (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_SS, .size = 4, .offset = 4 * i});
  record_end(&r);
  ck_assert_int_eq(run_shrink(&run), SHRINK_DONE);
  expect_failure(&run, FAILURE_MISMATCH);
  expect_counts(&run, 3, 1, 1);
  ck_assert_uint_eq(run.result.after.others, 1);
  shrink_free(&run.result);
}
END_TEST

START_TEST(nothing_to_shrink) {
  run_t run = {0};
  make_trace(3, 2000);
  ck_assert_int_eq(run_shrink(&run), SHRINK_AGREES);
  shrink_free(&run.result);
  run = (run_t){0};
  ck_assert_int_eq(truncate(path, 20), 0);
  ck_assert_int_eq(run_shrink(&run), SHRINK_BAD);
  ck_assert_ptr_nonnull(strstr(run.error, path));
  shrink_free(&run.result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shrink");
  TCase *tcase = tcase_create("shrink");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, few_steps_are_left);
  tcase_add_test(tcase, the_same_every_time);
  tcase_add_test(tcase, it_does_not_slip_to_another_bug);
  tcase_add_test(tcase, any_failure_may_slip);
  tcase_add_test(tcase, interrupted_it_has_the_best_so_far);
  tcase_add_test(tcase, hangs_and_broken_protocols);
  tcase_add_test(tcase, large_pages_become_small);
  tcase_add_test(tcase, lookups_become_reads);
  tcase_add_test(tcase, images_that_differ);
  tcase_add_test(tcase, a_long_prefix_becomes_the_state_it_leaves);
  tcase_add_test(tcase, rom_and_map_are_kept);
  tcase_add_test(tcase, nothing_to_shrink);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
