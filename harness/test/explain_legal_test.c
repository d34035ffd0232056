/*
 * The explainer at the architectural check level: given what the oracle found out that the device used, it must say
 * what the reference says. The device is one that caches as no real one does.
 *
 * A stream is recorded first. It is then gone through record by record, each transaction being explained in the memory
 * that was before it: what the device wrote is taken back for that.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain_legal.h"
#include "replay.h"
#include "sloppy_dut.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN, WRITES = 64 };

/* A byte or more of the reference's memory that a transaction has changed. */
typedef struct {
  uint64_t paddr, before, after;
  unsigned size;
} write_t;

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  write_t writes[WRITES];
  unsigned n_writes;
  uint64_t verdicts[ORACLE_VERDICTS], cached, tables, faults;
} bench_t;

static uint64_t port_read(void *ctx, uint64_t paddr, unsigned size) {
  bench_t *b = ctx;
  return world_read(&b->dut_world, paddr, size);
}

/* The reference's memory changes only after the device's. */
static bool port_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  bench_t *b = ctx;
  if (world_read(&b->dut_world, paddr, size) != expected) return false;
  ck_assert_uint_lt(b->n_writes, WRITES);
  b->writes[b->n_writes++] = (write_t){paddr, world_read(&b->rig.world, paddr, size), data, size};
  world_write(&b->dut_world, paddr, size, data);
  return true;
}

static void open_bench(bench_t *b, bool upper_cached, bool stale_faults) {
  char error[128];
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM));
  dut_env_t env = {.mem = {b, port_read, port_update}, .cycle_limit = 1000, .seed = 7};
  b->ls.dut = sloppy_dut();
  b->ls.handle = sloppy_dut()->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(b->ls.handle);
  sloppy_choose(b->ls.handle, SLOPPY_LEGAL, upper_cached, stale_faults);
  b->ls.dut_world = &b->dut_world;
  mmu_config_t config = mmu_default_config();
  config.upper_cached = upper_cached;
  config.stale_faults = stale_faults;
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
  b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config);
  ck_assert_ptr_nonnull(b->ls.oracle);
}

static void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  sloppy_dut()->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

static char path[64];

static void record_stream(bench_t *b, uint64_t seed, uint64_t n) {
  char error[256];
  const trace_header_t header = {.ram_bytes = RAM, .mmu = b->rig.config};
  stimulus_t stimulus;
  b->ls.trace = trace_create(path, &header, error, sizeof error);
  ck_assert_ptr_nonnull(b->ls.trace);
  ck_assert(stimulus_start(&stimulus, &b->rig, seed));
  while (stimulus.done < n) {
    b->n_writes = 0;
    ck_assert(stimulus_step(&stimulus));
  }
  ck_assert(trace_finish(b->ls.trace, error, sizeof error));
  b->ls.trace = NULL;
}

/* Takes back what the transaction wrote, or (again) writes it again. */
static void rewrite(bench_t *b, bool again) {
  for (unsigned i = 0; i < b->n_writes; i++) {
    const write_t *w = &b->writes[again ? i : b->n_writes - 1 - i];
    world_write(&b->rig.world, w->paddr, w->size, again ? w->after : w->before);
  }
}

static void count(bench_t *b, const explanation_t *e, const explain_legal_t *legal) {
  b->verdicts[legal->verdict]++;
  for (unsigned i = 0; i < e->n_pages; i++)
    b->cached += e->page[i].cached;
  for (unsigned i = 0; i < legal->n_used; i++)
    b->tables += !legal->used[i].walked && legal->used[i].page.table;
  b->faults += legal->verdict == ORACLE_STALE_LEGAL && e->rsp.fault;
}

/* A planted mistake in what is said to have been used. */
typedef void plant_t(explain_cache_t *cache);

/* Returns the number of the first transaction that the explainer says otherwise; UINT64_MAX: none. */
static uint64_t explain_stream(bench_t *b, plant_t *plant) {
  static explanation_t explanation;
  char error[256];
  trace_header_t header;
  trace_record_t record;
  mmu_rsp_t rsp;
  explain_follow_t follow;
  explain_follow_reset(&follow, &b->rig.config);
  trace_reader_t *reader = trace_open(path, &header, error, sizeof error);
  ck_assert_ptr_nonnull(reader);
  uint64_t wrong = UINT64_MAX;
  while (wrong == UINT64_MAX && trace_read(reader, &record) == TRACE_OK) {
    explain_state_t before;
    explain_legal_t legal;
    b->n_writes = 0;
    explain_state_read(&before, b->rig.mmu, &follow);
    ck_assert_int_eq(replay_record(&b->rig, &record, &rsp, error, sizeof error), REPLAY_AGREE);
    if (record.kind != TRACE_REQUEST) continue;
    explain_legal_judged(&legal, b->ls.oracle, b->ls.verdict);
    explain_legal_recall(&legal, &before.cache);
    if (plant) plant(&before.cache);
    rewrite(b, false);
    explain(&before, &b->rig.world, &record.req, &explanation);
    rewrite(b, true);
    if (explain_legal_differs(&legal, &explanation, &rsp)) wrong = b->ls.sequence - 1;
    explain_follow(&follow, &record.req, &rsp);
    count(b, &explanation, &legal);
  }
  trace_close(reader);
  return wrong;
}

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-explain-legal-%ld", (long)getpid());
}

static void remove_file(void) {
  remove(path);
}

START_TEST(what_was_used_explains_the_answer) {
  bool upper_cached = _i & 1, stale_faults = _i & 2;
  bench_t b;
  open_bench(&b, upper_cached, stale_faults);
  record_stream(&b, 60 + (uint64_t)_i, 40000);
  close_bench(&b);
  open_bench(&b, upper_cached, stale_faults);
  uint64_t wrong = explain_stream(&b, NULL);
  ck_assert_msg(wrong == UINT64_MAX, "transaction %llu", (unsigned long long)wrong);
  ck_assert_uint_gt(b.verdicts[ORACLE_FRESH], 10000);
  ck_assert_uint_gt(b.verdicts[ORACLE_STALE_LEGAL], 100);
  ck_assert_uint_gt(b.cached, 1000);
  if (upper_cached) ck_assert_uint_gt(b.tables, 100);
  if (stale_faults) ck_assert_uint_gt(b.faults, 10);
  close_bench(&b);
}
END_TEST

/* --- planted --- */

static void nothing_used(explain_cache_t *cache) {
  cache->n = 0;
}

static void other_frame(explain_cache_t *cache) {
  for (unsigned i = 0; i < cache->n; i++)
    cache->recall[i].entry ^= 0x400000;
}

static void later_used(explain_cache_t *cache) {
  if (cache->n < 2) return;
  explain_recall_t first = cache->recall[0];
  cache->recall[0] = cache->recall[1];
  cache->recall[1] = first;
}

static plant_t *const plants[] = {nothing_used, other_frame, later_used};

START_TEST(something_else_does_not) {
  bench_t b;
  open_bench(&b, true, false);
  record_stream(&b, 70, 10000);
  close_bench(&b);
  open_bench(&b, true, false);
  ck_assert_uint_ne(explain_stream(&b, plants[_i]), UINT64_MAX);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("explain_legal");
  TCase *tcase = tcase_create("explain_legal");
  tcase_set_timeout(tcase, 300);
  tcase_add_checked_fixture(tcase, make_path, remove_file);
  tcase_add_loop_test(tcase, what_was_used_explains_the_answer, 0, 4);
  tcase_add_loop_test(tcase, something_else_does_not, 0, sizeof plants / sizeof *plants);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
