#include "overlap_seen.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dut_rtl.h"
#include "wrong_rtl.h"

static void other_agent(void *ctx) {
  stimulus_change_entry(ctx);
}

void open_bench(bench_t *b, const char *arguments, uint64_t every, bool live) {
  char error[256] = "";
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  b->ls.dut = wrong_rtl(dut_rtl());
  ck_assert(world_create(&b->dut_world, OVERLAP_RAM));
  if (every) ck_assert_ptr_nonnull(b->ls.snapshots = snapshots_create(b->ls.dut, &b->dut_world, every, true));
  const dut_env_t env = {.mem = every ? snapshots_port(b->ls.snapshots) : world_port(&b->dut_world),
                         .cycle_limit = 1000,
                         .mem_latency = 3,
                         .seed = 2,
                         .waves = live,
                         .overlapped = true,
                         .arguments = arguments};
  b->ls.handle = b->ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(b->ls.handle != NULL, "%s", error);
  if (every) b->ls.snapshots->handle = b->ls.handle;
  b->ls.dut_world = &b->dut_world;
  const mmu_config_t config = b->ls.dut->config();
  ck_assert(rig_create(&b->rig, &b->ls, &config, OVERLAP_RAM));
  ck_assert_ptr_nonnull(b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config));
  overlap_init(&b->overlap, &b->ls, 5);
  b->overlap.between = other_agent;
  b->overlap.between_ctx = &b->stimulus;
  b->ls.overlap = &b->overlap;
}

void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  b->ls.dut->close(b->ls.handle);
  snapshots_destroy(b->ls.snapshots);
  world_destroy(&b->dut_world);
}

bool drive(bench_t *b) {
  bool agree = stimulus_start(&b->stimulus, &b->rig, 3);
  while (agree && b->stimulus.done < OVERLAP_TRANSACTIONS)
    agree = stimulus_step(&b->stimulus);
  return agree && overlap_drain(&b->overlap);
}

/* --- what a file has --- */

static const char *const names[PORT_SIGNALS] = {"sequence", "mismatch", "f_killed", "clk_i"};
static const char *const port_names[OFS] = {"phase",          "number",      "req_op",       "req_offset",
                                            "req_size",       "dut_paddr0",  "model_paddr0", "dut_laddr",
                                            "dut_references", "req_valid_i", "rsp_valid_o"};

uint64_t at(const seen_t *seen, unsigned port, of_t of) {
  return seen->value[PORT_SIGNALS + OFS * port + of];
}

/* All values of one time are there: the group agrees with the ports. */
static void look_at(seen_t *seen) {
  for (unsigned port = 0; port < DUT_PORTS; port++) {
    dut_phase_t phase = (dut_phase_t)at(seen, port, PHASE);
    uint64_t number = at(seen, port, NUMBER);
    if (!seen->looked) seen->carried[port] = phase == DUT_UNDER_WAY || phase == DUT_ANSWERED;
    if (seen->looked && seen->offers[port] != at(seen, port, REQ_VALID)) ck_assert_uint_eq(seen->value[CLOCK], 0);
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
      seen->cut_off[number] = seen->carried[port];
      if (!seen->value[MISMATCH]) ck_assert_uint_eq(at(seen, port, DUT_PADDR), at(seen, port, MODEL_PADDR));
    }
    if (phase == DUT_IDLE || phase == DUT_ANSWERED) seen->carried[port] = false;
    seen->phase[port] = phase;
    seen->last[port] = number;
    seen->offers[port] = at(seen, port, REQ_VALID);
  }
  seen->looked = true;
  seen->killed += seen->value[KILLED];
}

static void on_value(void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
  seen_t *seen = ctx;
  if (seen->any && time != seen->time) look_at(seen);
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

void read_wave(const char *path, seen_t *seen) {
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
