#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_bochs.h"
#include "dut_rtl.h"
#include "lockstep.h"
#include "machine.h"
#include "progress.h"
#include "snapshot.h"
#include "x86.h"

/* A recorded stream in memory: what the bare RTL replays. */
typedef struct {
  trace_record_t *records; /* LOADs are applied while recording and not kept */
  size_t count, room;
  world_t start; /* memory before the first request */
  bool failed;
} stream_t;

/* A machine with everything that a measurement may hang on it. */
typedef struct {
  lockstep_t ls;
  world_t dut_world;
  snapshots_t *snapshots; /* NULL: none */
  stream_t *stream;       /* NULL: not recorded */
  machine_t *machine;
} bench_t;

static void keep(stream_t *stream, const trace_record_t *record) {
  if (stream->count == stream->room) {
    size_t room = stream->room ? 2 * stream->room : 1 << 16;
    trace_record_t *grown = realloc(stream->records, room * sizeof *grown);
    if (!grown) {
      stream->failed = true;
      return;
    }
    stream->records = grown;
    stream->room = room;
  }
  stream->records[stream->count++] = *record;
}

static bool transact(void *ctx, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bench_t *b = ctx;
  if (b->stream) keep(b->stream, &(trace_record_t){.kind = TRACE_REQUEST, .req = *req});
  return lockstep_transact(&b->ls, mmu, req, rsp);
}

static void stored(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  bench_t *b = ctx;
  if (b->stream) keep(b->stream, &(trace_record_t){.kind = TRACE_STORE, .paddr = paddr, .size = size, .data = data});
  lockstep_stored(&b->ls, paddr, size, data);
}

static void loaded(void *ctx, uint64_t paddr, const void *bytes, uint64_t n) {
  bench_t *b = ctx;
  if (b->stream) world_load(&b->stream->start, paddr, bytes, n);
  lockstep_loaded(&b->ls, paddr, bytes, n);
}

static void where(void *ctx, uint64_t *instruction, uint64_t *eip) {
  const cpu_t *cpu = machine_cpu(((bench_t *)ctx)->machine);
  *instruction = cpu_instructions(cpu);
  *eip = cpu_eip(cpu);
}

static void close_bench(bench_t *b) {
  lockstep_finish(&b->ls);
  if (b->machine) machine_destroy(b->machine);
  if (b->ls.handle) b->ls.dut->close(b->ls.handle);
  snapshots_destroy(b->snapshots);
  world_destroy(&b->dut_world);
}

static void *open_dut(mmu_mem_port_t port, bool waves, char *error, unsigned error_bytes) {
  dut_env_t env = {.mem = port, .cycle_limit = 100000, .seed = 1, .waves = waves};
  return dut_rtl()->open(&env, error, error_bytes);
}

/* Opens a machine with the image loaded; with a DUT in lockstep if lockstep is set, and with snapshots every so many
 * transactions unless that is 0. */
static bool open_bench(bench_t *b, const bench_setup_t *setup, bool lockstep, stream_t *stream, const char *wave,
                       uint64_t every, char *error, unsigned error_bytes) {
  *b = (bench_t){.stream = stream};
  lockstep_init(&b->ls);
  machine_config_t config = {.ram_bytes = setup->ram_bytes, .mmu = dut_rtl()->config()};
  if (lockstep) {
    if (!world_create(&b->dut_world, setup->ram_bytes)) {
      snprintf(error, error_bytes, "no memory for the DUT's world");
      return false;
    }
    if (every && !(b->snapshots = snapshots_create(dut_rtl(), &b->dut_world, every, false))) {
      snprintf(error, error_bytes, "no memory for snapshots");
      return false;
    }
    mmu_mem_port_t port = b->snapshots ? snapshots_port(b->snapshots) : world_port(&b->dut_world);
    b->ls.handle = open_dut(port, wave != NULL, error, error_bytes);
    if (!b->ls.handle) return false;
    if (b->snapshots) b->snapshots->handle = b->ls.handle;
    b->ls.snapshots = b->snapshots;
    b->ls.where = where;
    b->ls.where_ctx = b;
    b->ls.dut = dut_rtl();
    b->ls.dut_world = &b->dut_world;
    b->ls.wave_path = wave;
    b->ls.wave_count = wave ? UINT64_MAX : 0;
    config.hooks = (machine_hooks_t){.ctx = b, .transact = transact, .stored = stored, .loaded = loaded};
  }
  b->machine = machine_create(&config, error, error_bytes);
  const machine_image_t image = {.path = setup->image, .cmdline = setup->cmdline};
  return b->machine && machine_load_image(b->machine, &image, error, error_bytes);
}

/* Million instructions a second. */
static double run(machine_t *machine, uint64_t insns) {
  double started = progress_clock();
  machine_run(machine, insns);
  return (double)cpu_instructions(machine_cpu(machine)) / (progress_clock() - started) * 1e-6;
}

static bool emulator(const bench_setup_t *setup, double *mips, char *error, unsigned error_bytes) {
  bench_t b;
  bool ok = open_bench(&b, setup, false, NULL, NULL, 0, error, error_bytes);
  if (ok) *mips = run(b.machine, setup->emulator_insns);
  close_bench(&b);
  return ok;
}

static bool emulator_loop(const bench_setup_t *setup, double *mips, char *error, unsigned error_bytes) {
  machine_config_t config = {.ram_bytes = setup->ram_bytes, .mmu = dut_rtl()->config()};
  machine_t *machine = machine_create(&config, error, error_bytes);
  bool ok = machine && machine_load_bios(machine, setup->loop, error, error_bytes);
  if (ok) {
    *mips = run(machine, setup->loop_insns);
    ok = cpu_instructions(machine_cpu(machine)) >= setup->loop_insns;
    if (!ok) snprintf(error, error_bytes, "%s: ends too soon to be measured", setup->loop);
  }
  if (machine) machine_destroy(machine);
  return ok;
}

/* The loop, on both emulators in turn. */
static bool loop(const bench_setup_t *setup, bench_round_t *round, char *error, unsigned error_bytes) {
  round->loop_mips = round->bochs_mips = round->bochs_ratio = 0;
  if (!setup->loop) return true;
  if (!emulator_loop(setup, &round->loop_mips, error, error_bytes)) return false;
  if (!setup->bochs) return true;
  if (!bench_bochs(setup->loop, &round->bochs_mips, error, error_bytes)) return false;
  round->bochs_ratio = round->loop_mips / round->bochs_mips;
  return true;
}

/* Runs in lockstep. insns: the budget. Returns references per second in *rate and, with it, the references. */
static bool in_lockstep(const bench_setup_t *setup, uint64_t insns, stream_t *stream, const char *wave, double *rate,
                        uint64_t *transactions, char *error, unsigned error_bytes) {
  bench_t b;
  bool ok = open_bench(&b, setup, true, stream, wave, 0, error, error_bytes);
  if (ok) {
    double started = progress_clock();
    machine_run(b.machine, insns);
    double seconds = progress_clock() - started;
    *rate = (double)b.ls.stats.references / seconds;
    *transactions = b.ls.sequence;
    if (b.ls.state != LOCKSTEP_AGREE) {
      snprintf(error, error_bytes, "the two sides differ at transaction %llu", (unsigned long long)b.ls.sequence);
      ok = false;
    }
  }
  close_bench(&b);
  return ok;
}

/* Two runs in lockstep side by side, with snapshots and without, so that both see the same minute. */
static bool snapshots(const bench_setup_t *setup, double *ratio, char *error, unsigned error_bytes) {
  enum { TURN = 50000, SIDES = 2 };
  if (!dut_rtl()->snapshot) return true;
  bench_t sides[SIDES] = {0};
  double seconds[SIDES] = {0};
  bool ok = open_bench(&sides[0], setup, true, NULL, NULL, 0, error, error_bytes) &&
            open_bench(&sides[1], setup, true, NULL, NULL, setup->snapshot_every, error, error_bytes);
  for (uint64_t done = 0; ok && done < setup->snapshot_insns; done += TURN) {
    for (unsigned i = 0; i < SIDES; i++) {
      unsigned side = (done / TURN + i) % SIDES;
      double started = progress_clock();
      machine_run(sides[side].machine, TURN);
      seconds[side] += progress_clock() - started;
    }
  }
  for (unsigned i = 0; i < SIDES; i++)
    close_bench(&sides[i]);
  if (ok) *ratio = seconds[1] / seconds[0];
  return ok;
}

/* The RTL alone on a recorded stream. */
static bool bare(const stream_t *stream, double *rate, char *error, unsigned error_bytes) {
  world_t world;
  if (!world_create(&world, stream->start.size)) {
    snprintf(error, error_bytes, "no memory for the DUT's world");
    return false;
  }
  memcpy(world.bytes, stream->start.bytes, world.size);
  void *handle = open_dut(world_port(&world), false, error, error_bytes);
  stats_t stats = {0};
  mmu_rsp_t rsp;
  double started = progress_clock();
  for (size_t i = 0; handle && i < stream->count; i++) {
    const trace_record_t *r = &stream->records[i];
    if (r->kind == TRACE_STORE) {
      world_write(&world, r->paddr, r->size, r->data);
    } else {
      dut_rtl()->transact(handle, &r->req, &rsp);
      stats.references += stats_is_reference(&r->req);
    }
  }
  *rate = (double)stats.references / (progress_clock() - started);
  if (handle) dut_rtl()->close(handle);
  world_destroy(&world);
  return handle != NULL;
}

/* Hits of the reference alone: accesses to a few mapped pages, read, write and fetch in turn. */
static bool model_hits(double *rate, char *error, unsigned error_bytes) {
  enum { HITS = 4000000, PAGES = 8 };
  world_t world;
  mmu_t *mmu = malloc(mmu_sizeof());
  if (!mmu || !world_create(&world, 1 << 20)) {
    snprintf(error, error_bytes, "no memory for the reference's world");
    free(mmu);
    return false;
  }
  for (unsigned i = 0; i < 256; i++)
    world_write(&world, 0x2000 + 4 * i, 4, i << 12 | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A | X86_PTE_D);
  world_write(&world, 0x1000, 4, 0x2000 | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A);
  mmu_config_t config = mmu_default_config();
  mmu_mem_port_t port = world_port(&world);
  mmu_rsp_t rsp;
  mmu_init(mmu, &config, &port);
  mmu_transact(mmu, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE}, &rsp);
  for (uint8_t seg = MMU_SEG_ES; seg <= MMU_SEG_DS; seg++) {
    uint64_t attr = seg == MMU_SEG_CS ? 0xc9b : 0xc93;
    mmu_req_t set = {
        .op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = seg, .data = 0xffffffff | attr << 32 | 1ull << 48};
    mmu_transact(mmu, &set, &rsp);
  }
  mmu_transact(mmu, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000}, &rsp);
  mmu_transact(mmu, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG}, &rsp);
  uint64_t hits = 0;
  double started = 0;
  for (unsigned i = 0; i < HITS + PAGES * 3; i++) {
    if (i == PAGES * 3) started = progress_clock();
    unsigned access = i % 3;
    mmu_req_t req = {.op = MMU_OP_ACCESS,
                     .seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS,
                     .access = (uint8_t)access,
                     .size = 4,
                     .offset = 0x10000 + (i % PAGES << 12) + (i & 0xffc)};
    mmu_transact(mmu, &req, &rsp);
    hits += rsp.n_tlb == 1 && rsp.tlb[0].kind == MMU_TLB_HIT;
  }
  *rate = (double)HITS / (progress_clock() - started);
  free(mmu);
  world_destroy(&world);
  if (hits >= HITS) return true;
  snprintf(error, error_bytes, "the reference missed its TLB where it should hit");
  return false;
}

bool bench_round(const bench_setup_t *setup, bench_round_t *round, char *error, unsigned error_bytes) {
  stream_t stream = {0};
  uint64_t n = 0, ignored = 0;
  double rate = 0, plain = 0, waved = 0;
  bool ok =
      world_create(&stream.start, setup->ram_bytes) && loop(setup, round, error, error_bytes) &&
      emulator(setup, &round->emulator_mips, error, error_bytes) &&
      model_hits(&round->model_hits_per_s, error, error_bytes) &&
      in_lockstep(setup, setup->lockstep_insns, &stream, NULL, &rate, &n, error, error_bytes) &&
      in_lockstep(setup, setup->lockstep_insns, NULL, NULL, &round->lockstep_refs_per_s, &n, error, error_bytes) &&
      bare(&stream, &round->bare_rtl_refs_per_s, error, error_bytes) &&
      in_lockstep(setup, setup->wave_insns, NULL, NULL, &plain, &n, error, error_bytes) &&
      in_lockstep(setup, setup->wave_insns, NULL, setup->wave_path, &waved, &ignored, error, error_bytes) &&
      snapshots(setup, &round->snapshot_cost_ratio, error, error_bytes) &&
      bench_fuzz(setup->fuzz_count, setup->trace_path, &round->fuzz, error, error_bytes);
  if (ok && stream.failed) {
    snprintf(error, error_bytes, "no memory for the recorded stream");
    ok = false;
  }
  remove(setup->wave_path);
  free(stream.records);
  world_destroy(&stream.start);
  if (!ok) return false;
  round->lockstep_to_bare_ratio = round->lockstep_refs_per_s / round->bare_rtl_refs_per_s;
  round->wave_cost_ratio = plain / waved;
  return true;
}
