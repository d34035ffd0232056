#include "bench_fuzz.h"

#include <stdio.h>
#include <string.h>

#include "progress.h"
#include "records.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN, CYCLES = 100000, SEED = 1 };

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
} sides_t;

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
  memset(s, 0, sizeof *s);
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

static bool drive(sides_t *s, uint64_t count, double *rate, char *error, unsigned error_bytes) {
  stimulus_t stimulus;
  double started = progress_clock();
  bool agree = stimulus_start(&stimulus, &s->rig, SEED);
  while (agree && stimulus.done < count)
    agree = stimulus_step(&stimulus);
  *rate = (double)stimulus.done / (progress_clock() - started);
  if (!agree) snprintf(error, error_bytes, "the two sides differ; see mmu86 fuzz --seed %d", SEED);
  return agree;
}

static bool in_lockstep(uint64_t count, bool architectural, double *rate, char *error, unsigned error_bytes) {
  sides_t s;
  bool ok = open_sides(&s, architectural, error, error_bytes) && drive(&s, count, rate, error, error_bytes);
  close_sides(&s);
  return ok;
}

/* The stream of such a run, as a trace. */
static bool record(uint64_t count, const char *path, char *error, unsigned error_bytes) {
  sides_t s;
  double ignored;
  bool ok = open_sides(&s, false, error, error_bytes);
  if (ok) {
    trace_header_t header = {.ram_bytes = RAM, .mmu = dut_rtl()->config()};
    s.ls.trace = trace_create(path, &header, error, error_bytes);
    ok = s.ls.trace && drive(&s, count, &ignored, error, error_bytes);
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

static bool replay(const records_t *list, double *rate, char *error, unsigned error_bytes) {
  world_t world;
  snprintf(error, error_bytes, "no memory for the DUT's world");
  if (!world_create(&world, RAM)) return false;
  void *rtl = open_rtl(&world, error, error_bytes);
  uint64_t requests = 0;
  mmu_rsp_t rsp;
  double started = progress_clock();
  for (size_t i = 0; rtl && i < list->n; i++) {
    const trace_record_t *r = &list->at[i];
    if (r->kind == TRACE_STORE) world_write(&world, r->paddr, r->size, r->data);
    if (r->kind == TRACE_LOAD) world_load(&world, r->paddr, r->bytes, r->size);
    if (r->kind != TRACE_REQUEST) continue;
    requests++;
    if (dut_rtl()->transact(rtl, &r->req, &rsp) != DUT_OK) break;
  }
  *rate = (double)requests / (progress_clock() - started);
  if (rtl) dut_rtl()->close(rtl);
  world_destroy(&world);
  return rtl != NULL;
}

bool bench_fuzz(uint64_t count, const char *scratch, bench_fuzz_t *figures, char *error, unsigned error_bytes) {
  records_t list = {0};
  records_pool_t pool = {0};
  bool ok = record(count, scratch, error, error_bytes) && read_stream(scratch, &list, &pool, error, error_bytes) &&
            in_lockstep(count, false, &figures->lockstep_per_s, error, error_bytes) &&
            replay(&list, &figures->bare_rtl_per_s, error, error_bytes) &&
            in_lockstep(count, true, &figures->architectural_per_s, error, error_bytes);
  remove(scratch);
  records_free(&list);
  records_release(&pool);
  return ok;
}
