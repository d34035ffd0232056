/*
 * Waveforms of requests that overlap, as a viewer reads them: the window that was asked for, and what stands
 * beside both ports.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gtkwave/fstapi.h"
#include "overlap.h"
#include "rig.h"
#include "stimulus.h"
#include "wrong_rtl.h"

enum { RAM = STIMULUS_RAM_MIN, TRANSACTIONS = 2000, FIRST = 700, COUNT = 100 };

static char path[64];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-overlap-wave-test-%ld", (long)getpid());
}

static void remove_files(void) {
  remove(path);
}

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  overlap_t overlap;
  stimulus_t stimulus;
} bench_t;

static void other_agent(void *ctx) {
  stimulus_change_entry(ctx);
}

/* arguments: of wrong_rtl. */
static void open_bench(bench_t *b, const char *arguments) {
  char error[256] = "";
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  b->ls.dut = wrong_rtl(dut_rtl());
  ck_assert(world_create(&b->dut_world, RAM));
  const dut_env_t env = {.mem = world_port(&b->dut_world),
                         .cycle_limit = 1000,
                         .mem_latency = 3,
                         .seed = 2,
                         .waves = true,
                         .overlapped = true,
                         .arguments = arguments};
  b->ls.handle = b->ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(b->ls.handle != NULL, "%s", error);
  b->ls.dut_world = &b->dut_world;
  const mmu_config_t config = b->ls.dut->config();
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
  ck_assert_ptr_nonnull(b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config));
  overlap_init(&b->overlap, &b->ls, 5);
  b->overlap.between = other_agent;
  b->overlap.between_ctx = &b->stimulus;
  b->ls.overlap = &b->overlap;
}

static void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  b->ls.dut->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

static bool drive(bench_t *b) {
  bool agree = stimulus_start(&b->stimulus, &b->rig, 3);
  while (agree && b->stimulus.done < TRANSACTIONS)
    agree = stimulus_step(&b->stimulus);
  return agree && overlap_drain(&b->overlap);
}

/* --- what a file has --- */

typedef enum { SEQUENCE, MISMATCH, KILLED, CLOCK, PORT_SIGNALS } signal_t;
typedef enum {
  PHASE,
  NUMBER,
  OP,
  OFFSET,
  SIZE,
  DUT_PADDR,
  MODEL_PADDR,
  DUT_LADDR,
  REFERENCES,
  REQ_VALID,
  RSP_VALID,
  OFS
} of_t;

static const char *const names[PORT_SIGNALS] = {"sequence", "mismatch", "f_killed", "clk_i"};
static const char *const port_names[OFS] = {"phase",          "number",      "req_op",       "req_offset",
                                            "req_size",       "dut_paddr0",  "model_paddr0", "dut_laddr",
                                            "dut_references", "req_valid_i", "rsp_valid_o"};

enum { SIGNALS = PORT_SIGNALS + DUT_PORTS * OFS };

/* The values at one time, and what was seen until then. */
typedef struct {
  fstHandle handle[SIGNALS];
  uint64_t value[SIGNALS];
  uint64_t first_time, time;
  uint64_t first; /* sequence */
  uint64_t rise, rises;
  bool any;
  uint8_t numbers[TRANSACTIONS * 2]; /* answered: how often one came */
  uint64_t answered, translated, killed;
  uint64_t last[DUT_PORTS]; /* number */
  dut_phase_t phase[DUT_PORTS];
  bool began; /* number FIRST was seen before its answer */
} seen_t;

static uint64_t at(const seen_t *seen, unsigned port, of_t of) {
  return seen->value[PORT_SIGNALS + OFS * port + of];
}

/* All values of one time are there: the group agrees with the ports. */
static void look_at(seen_t *seen) {
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    dut_phase_t phase = (dut_phase_t)at(seen, port, PHASE);
    uint64_t number = at(seen, port, NUMBER);
    if (phase == DUT_IDLE)
      for (unsigned of = NUMBER; of <= REFERENCES; of++)
        ck_assert_msg(at(seen, port, (of_t)of) == 0, "time %" PRIu64 ": %s of nobody", seen->time, port_names[of]);
    if (phase != DUT_ANSWERED)
      ck_assert(number == 0 && at(seen, port, DUT_PADDR) == 0 && at(seen, port, MODEL_PADDR) == 0);
    if (phase == DUT_OFFERED) ck_assert(at(seen, port, REQ_VALID) && at(seen, port, REFERENCES) == 0);
    if (seen->rises == 0) ck_assert_uint_eq(phase == DUT_ANSWERED, at(seen, port, RSP_VALID));
    if (phase == DUT_ANSWERED && (seen->phase[port] != DUT_ANSWERED || seen->last[port] != number)) {
      ck_assert_uint_lt(number, sizeof seen->numbers);
      seen->numbers[number]++;
      seen->answered++;
      seen->translated += at(seen, port, DUT_PADDR) != 0;
      seen->began = seen->began || (number == FIRST && seen->phase[port] == DUT_UNDER_WAY);
      if (!seen->value[MISMATCH]) ck_assert_uint_eq(at(seen, port, DUT_PADDR), at(seen, port, MODEL_PADDR));
    }
    seen->phase[port] = phase;
    seen->last[port] = number;
  }
  seen->killed += seen->value[KILLED];
}

static void on_value(void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
  seen_t *seen = ctx;
  if (seen->any && time != seen->time) look_at(seen);
  if (!seen->any) seen->first_time = time;
  seen->time = time;
  for (unsigned i = 0; i < SIGNALS; i++) {
    if (seen->handle[i] != handle) continue;
    seen->value[i] = strtoull((const char *)value, NULL, 2);
    if (i == SEQUENCE && !seen->any) seen->first = seen->value[i];
    seen->any = seen->any || i == SEQUENCE;
    if (i != MISMATCH || !seen->value[i]) continue;
    seen->rise = time;
    seen->rises++;
  }
}

static bool is_named(const struct fstHier *h, const char *prefix, const char *name) {
  size_t n = strlen(prefix), m = strlen(name);
  const char *is = h->u.var.name;
  return strncmp(is, prefix, n) == 0 && strncmp(is + n, name, m) == 0 && (is[n + m] == 0 || is[n + m] == ' ');
}

static void read_wave(seen_t *seen) {
  memset(seen, 0, sizeof *seen);
  void *reader = fstReaderOpen(path);
  ck_assert_ptr_nonnull(reader);
  for (const struct fstHier *h; (h = fstReaderIterateHier(reader));)
    for (unsigned i = 0; i < SIGNALS && h->htyp == FST_HT_VAR; i++) {
      unsigned port = (i - PORT_SIGNALS) / OFS;
      bool named = i < PORT_SIGNALS
                       ? is_named(h, "", names[i])
                       : is_named(h, port == DUT_FETCH ? "f_" : "d_", port_names[(i - PORT_SIGNALS) % OFS]);
      if (named && !seen->handle[i]) seen->handle[i] = h->u.var.handle;
    }
  for (unsigned i = 0; i < SIGNALS; i++)
    ck_assert_msg(seen->handle[i] || i == PORT_SIGNALS + OFS * DUT_FETCH + OP, "signal %u is not there", i);
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(reader, on_value, seen, NULL);
  fstReaderClose(reader);
  look_at(seen);
}

/* --- as it runs --- */

static void show(bench_t *b, uint64_t first, uint64_t count) {
  b->ls.wave_path = path;
  b->ls.wave_first = first;
  b->ls.wave_count = count;
}

/* Every transaction of the window is there, once, and hardly more; nothing is shown of a port that does nothing. */
START_TEST(the_window_has_its_transactions) {
  static bench_t b;
  static seen_t seen;
  open_bench(&b, "");
  show(&b, FIRST, COUNT);
  ck_assert(drive(&b));
  lockstep_finish(&b.ls);
  ck_assert_msg(!b.ls.wave_failed, "%s", b.ls.wave_error);
  read_wave(&seen);
  for (unsigned i = FIRST; i < FIRST + COUNT; i++)
    ck_assert_msg(seen.numbers[i] == 1, "transaction %u: %u times", i, seen.numbers[i]);
  ck_assert(seen.began);
  ck_assert_uint_ge(seen.first, FIRST - 4);
  ck_assert_uint_le(seen.answered, COUNT + 4);
  ck_assert_uint_eq(seen.value[SEQUENCE], FIRST + COUNT);
  ck_assert_uint_ge(seen.translated, COUNT / 4);
  ck_assert_uint_eq(seen.rises, 0);
  close_bench(&b);
}
END_TEST

/* The cycle that brings the wrong answer is the last one, and shows both answers. */
START_TEST(a_mismatch_is_shown) {
  static bench_t b;
  static seen_t seen;
  open_bench(&b, "+wrong=1 +from=6000");
  show(&b, 0, UINT64_MAX);
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  lockstep_finish(&b.ls);
  read_wave(&seen);
  ck_assert_uint_eq(seen.rises, 1);
  ck_assert_uint_eq(seen.rise, 2 * b.ls.dut->cycles(b.ls.handle) - 1);
  ck_assert_uint_eq(at(&seen, DUT_DATA, DUT_PADDR), b.ls.dut_rsp.paddr[0]);
  ck_assert_uint_eq(at(&seen, DUT_DATA, MODEL_PADDR), b.ls.model_rsp.paddr[0]);
  ck_assert_uint_eq(at(&seen, DUT_DATA, NUMBER), b.ls.sequence);
  ck_assert_uint_gt(seen.killed, 0);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("overlap_wave");
  TCase *t = tcase_create("overlap_wave");
  tcase_set_timeout(t, 300);
  tcase_add_checked_fixture(t, make_path, remove_files);
  tcase_add_test(t, the_window_has_its_transactions);
  tcase_add_test(t, a_mismatch_is_shown);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
