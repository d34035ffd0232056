#include "bench_fuzz.h"

#include <stdio.h>
#include <string.h>

#include "dut_rtl.h"
#include "progress.h"
#include "records.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN, CYCLES = 100000, SEED = 1, TURN = 10000 };

/* A run in lockstep. */
typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  stimulus_t stimulus;
  double seconds;
} sides_t;

/* The RTL alone on a recorded stream. */
typedef struct {
  const records_t *stream;
  size_t next; /* record */
  world_t world;
  void *rtl;
  uint64_t requests; /* so far */
  double seconds;
} bare_t;

static void close_sides(sides_t *s) {
  if (s->ls.handle) s->ls.dut->close(s->ls.handle);
  oracle_destroy(s->ls.oracle);
  rig_destroy(&s->rig);
  world_destroy(&s->dut_world);
}

static void *open_rtl(world_t *world, char *error, unsigned error_bytes) {
  dut_env_t env = {.mem = world_port(world), .cycle_limit = CYCLES, .seed = SEED, .arguments = ""};
  return dut_rtl()->open(&env, error, error_bytes);
}

static bool open_sides(sides_t *s, bool architectural, char *error, unsigned error_bytes) {
  lockstep_init(&s->ls);
  mmu_config_t config = dut_rtl()->config();
  snprintf(error, error_bytes, "no memory for two worlds");
  if (!world_create(&s->dut_world, RAM) || !rig_create(&s->rig, &s->ls, &config, RAM)) return false;
  if (architectural) s->ls.oracle = oracle_create(s->rig.mmu, &s->rig.world, &config);
  if (architectural && !s->ls.oracle) return false;
  s->ls.dut = dut_rtl();
  s->ls.dut_world = &s->dut_world;
  s->ls.handle = open_rtl(&s->dut_world, error, error_bytes);
  return s->ls.handle != NULL;
}

/* Generates and checks until `done` transactions. The first call begins. */
static bool drive(sides_t *s, uint64_t done, char *error, unsigned error_bytes) {
  double started = progress_clock();
  bool agree = s->stimulus.done > 0 || stimulus_start(&s->stimulus, &s->rig, SEED);
  while (agree && s->stimulus.done < done)
    agree = stimulus_step(&s->stimulus);
  s->seconds += progress_clock() - started;
  if (!agree) snprintf(error, error_bytes, "the two sides differ; see mmu86 fuzz --seed %d", SEED);
  return agree;
}

/* The stream of such a run, as a trace. */
static bool record(uint64_t count, const char *path, char *error, unsigned error_bytes) {
  static sides_t s;
  memset(&s, 0, sizeof s);
  bool ok = open_sides(&s, false, error, error_bytes);
  if (ok) {
    trace_header_t header = {.ram_bytes = RAM, .mmu = dut_rtl()->config()};
    s.ls.trace = trace_create(path, &header, error, error_bytes);
    ok = s.ls.trace && drive(&s, count, error, error_bytes);
    if (s.ls.trace && !trace_finish(s.ls.trace, error, error_bytes)) ok = false;
  }
  close_sides(&s);
  return ok;
}

static bool read_stream(const char *path, records_t *list, records_pool_t *pool, char *error, unsigned error_bytes) {
  trace_header_t header;
  trace_record_t record;
  trace_reader_t *reader = trace_open(path, &header, error, error_bytes);
  if (!reader) return false;
  trace_status_t status;
  while ((status = trace_read(reader, &record)) == TRACE_OK) {
    if (record.kind == TRACE_LOAD) record.bytes = records_keep(pool, record.bytes, record.size);
    records_add(list, &record);
  }
  if (status != TRACE_END) snprintf(error, error_bytes, "%s: the stream cannot be read back", path);
  trace_close(reader);
  return status == TRACE_END;
}

/* Replays until `done` requests. */
static bool replay(bare_t *b, uint64_t done, char *error, unsigned error_bytes) {
  mmu_rsp_t rsp;
  bool ok = true;
  double started = progress_clock();
  for (; ok && b->next < b->stream->n && b->requests < done; b->next++) {
    const trace_record_t *r = &b->stream->at[b->next];
    if (r->kind == TRACE_STORE) world_write(&b->world, r->paddr, r->size, r->data);
    if (r->kind == TRACE_LOAD) world_load(&b->world, r->paddr, r->bytes, r->size);
    if (r->kind != TRACE_REQUEST) continue;
    b->requests++;
    ok = dut_rtl()->transact(b->rtl, &r->req, &rsp) == DUT_OK;
  }
  b->seconds += progress_clock() - started;
  if (!ok) snprintf(error, error_bytes, "%s", dut_rtl()->error(b->rtl));
  return ok;
}

static bool measure(uint64_t count, const records_t *stream, bench_fuzz_t *figures, char *error, unsigned error_bytes) {
  static sides_t exact, judged;
  memset(&exact, 0, sizeof exact);
  memset(&judged, 0, sizeof judged);
  bare_t bare = {.stream = stream};
  bool ok = open_sides(&exact, false, error, error_bytes) && open_sides(&judged, true, error, error_bytes);
  if (ok && !world_create(&bare.world, RAM)) {
    snprintf(error, error_bytes, "no memory for the DUT's world");
    ok = false;
  }
  ok = ok && (bare.rtl = open_rtl(&bare.world, error, error_bytes));
  for (uint64_t done = TURN; ok && done <= count; done += TURN)
    ok = drive(&exact, done, error, error_bytes) && drive(&judged, done, error, error_bytes) &&
         replay(&bare, done, error, error_bytes);
  if (ok) {
    figures->lockstep_per_s = (double)exact.stimulus.done / exact.seconds;
    figures->bare_rtl_per_s = (double)bare.requests / bare.seconds;
    figures->to_bare_ratio = figures->lockstep_per_s / figures->bare_rtl_per_s;
    figures->oracle_cost_ratio = judged.seconds / exact.seconds;
  }
  if (bare.rtl) dut_rtl()->close(bare.rtl);
  world_destroy(&bare.world);
  close_sides(&exact);
  close_sides(&judged);
  return ok;
}

bool bench_fuzz(uint64_t count, const char *scratch, bench_fuzz_t *figures, char *error, unsigned error_bytes) {
  records_t list = {0};
  records_pool_t pool = {0};
  bool ok = record(count, scratch, error, error_bytes) && read_stream(scratch, &list, &pool, error, error_bytes) &&
            measure(count, &list, figures, error, error_bytes);
  remove(scratch);
  records_free(&list);
  records_release(&pool);
  return ok;
}
