#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the DUT's memory port, watched --- */

static uint64_t dut_read(void *ctx, uint64_t paddr, unsigned size) {
  subject_t *s = ctx;
  s->references++;
  if (s->reads) touched_add(s->reads, paddr, size);
  return s->dut_port.read(s->dut_port.ctx, paddr, size);
}

static bool dut_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  subject_t *s = ctx;
  s->references++;
  unsigned room = sizeof s->dut_writes / sizeof *s->dut_writes;
  if (s->n_dut_writes < room) s->dut_writes[s->n_dut_writes++] = paddr;
  return s->dut_port.update(s->dut_port.ctx, paddr, size, expected, data);
}

/* Has answers judged, of requests that may overlap. */
static bool open_oracle(subject_t *s, const bench_env_t *bench, const mmu_config_t *mmu, char *error,
                        unsigned error_bytes) {
  s->ls.ignored = bench->dut ? lockstep_untold(&bench->dut->traits) : 0;
  if (!bench->architectural && !bench->dut->traits.own_caching) return true;
  if (bench->overlapped && !bench->dut->clock) {
    snprintf(error, error_bytes, "the requests overlap; the DUT %s has no clock", bench->dut->name);
    return false;
  }
  s->ls.oracle = oracle_create(s->rig.mmu, &s->rig.world, mmu);
  if (!s->ls.oracle) {
    snprintf(error, error_bytes, "no memory for the oracle");
    return false;
  }
  oracle_ignore(s->ls.oracle, s->ls.ignored);
  if (!bench->overlapped) return true;
  overlap_init(&s->overlap, &s->ls, bench->seed);
  s->ls.overlap = &s->overlap;
  return true;
}

bool subject_open(subject_t *s, const bench_env_t *bench, const mmu_config_t *config, char *error,
                  unsigned error_bytes) {
  memset(s, 0, sizeof *s);
  lockstep_init(&s->ls);
  mmu_config_t mmu = bench->dut ? bench->dut->config() : *config;
  bool ok = rig_create(&s->rig, &s->ls, &mmu, bench->ram_bytes);
  if (ok && bench->dut) ok = world_create(&s->dut_world, bench->ram_bytes);
  if (!ok) {
    snprintf(error, error_bytes, "no memory for two worlds of %llu MiB", (unsigned long long)bench->ram_bytes >> 20);
    subject_close(s);
    return false;
  }
  if (!bench->dut) return true;
  s->dut_port = world_port(&s->dut_world);
  dut_env_t env = {.mem = {s, dut_read, dut_update},
                   .cycle_limit = bench->cycle_limit,
                   .mem_latency = bench->mem_latency,
                   .seed = bench->seed,
                   .arguments = bench->arguments};
  s->ls.handle = bench->dut->open(&env, error, error_bytes);
  if (!s->ls.handle) {
    subject_close(s);
    return false;
  }
  s->ls.dut = bench->dut;
  s->ls.dut_world = &s->dut_world;
  if (open_oracle(s, bench, &mmu, error, error_bytes)) return true;
  subject_close(s);
  return false;
}

void subject_close(subject_t *s) {
  if (s->ls.handle) s->ls.dut->close(s->ls.handle);
  s->ls.handle = NULL;
  oracle_destroy(s->ls.oracle);
  s->ls.oracle = NULL;
  rig_destroy(&s->rig);
  world_destroy(&s->dut_world);
}

static void describe(const lockstep_t *ls, failure_t *f) {
  f->req = ls->bad_req;
  f->kind = ls->state == LOCKSTEP_HANG       ? FAILURE_HANG
            : ls->state == LOCKSTEP_PROTOCOL ? FAILURE_PROTOCOL
                                             : FAILURE_MISMATCH;
  if (f->kind != FAILURE_MISMATCH) {
    snprintf(f->text, sizeof f->text, "%s", ls->dut_error);
    return;
  }
  f->differences = ls->differences;
  f->model_fault = ls->model_rsp.fault;
  f->dut_fault = ls->dut_rsp.fault;
  f->model_vector = ls->model_rsp.vector;
  f->dut_vector = ls->dut_rsp.vector;
}

/* Does what either side has written in this transaction stand in both memories? */
static bool images_agree(const subject_t *s, const mmu_rsp_t *rsp) {
  for (unsigned i = 0; i < rsp->n_mem; i++)
    if (rsp->mem[i].write && world_read(&s->rig.world, rsp->mem[i].paddr, rsp->mem[i].size) !=
                                 world_read(&s->dut_world, rsp->mem[i].paddr, rsp->mem[i].size))
      return false;
  for (unsigned i = 0; i < s->n_dut_writes; i++)
    if (world_read(&s->rig.world, s->dut_writes[i], 8) != world_read(&s->dut_world, s->dut_writes[i], 8)) return false;
  return true;
}

bool subject_step(subject_t *s, const trace_record_t *record, mmu_rsp_t *rsp, failure_t *f) {
  bool request = record->kind == TRACE_REQUEST;
  s->n_dut_writes = 0;
  replay_status_t status = replay_record(&s->rig, record, rsp, f->text, sizeof f->text);
  if (status == REPLAY_REFUSED) {
    f->kind = FAILURE_BROKEN;
    return false;
  }
  if (request && s->reads)
    for (unsigned i = 0; i < rsp->n_mem; i++)
      if (!rsp->mem[i].write) touched_add(s->reads, rsp->mem[i].paddr, rsp->mem[i].size);
  if (status == REPLAY_DIFFERS) {
    describe(&s->ls, f);
    return false;
  }
  if (!request) return true;
  if (!s->watch_images || s->ls.overlap || images_agree(s, rsp)) return true;
  f->kind = FAILURE_IMAGES;
  f->req = record->req;
  return false;
}

bool subject_end(subject_t *s, failure_t *f) {
  if (!s->ls.overlap || overlap_drain(s->ls.overlap)) return true;
  describe(&s->ls, f);
  return false;
}

void subject_replay(const bench_env_t *env, const records_t *list, bool watch_images, touched_t *reads, failure_t *f) {
  subject_t s;
  mmu_rsp_t rsp;
  *f = (failure_t){.kind = FAILURE_BROKEN};
  if (!subject_open(&s, env, NULL, f->text, sizeof f->text)) return;
  s.watch_images = watch_images;
  s.reads = reads;
  f->kind = FAILURE_NONE;
  for (f->at = 0; f->at < list->n; f->at++)
    if (!subject_step(&s, &list->at[f->at], &rsp, f)) break;
  f->references = s.references;
  if (f->kind == FAILURE_NONE && list->n && !subject_end(&s, f)) f->at = list->n - 1;
  subject_close(&s);
}

/* --- failures --- */

/* Fields from the most telling one on: what software would see first, traffic of the MMU's own last. */
static const unsigned telling[LOCKSTEP_DIFFS] = {
    DIFF_FAULT, DIFF_VECTOR, DIFF_ERROR_CODE, DIFF_CR2,        DIFF_SYSTEM,      DIFF_VERIFIED, DIFF_SEG, DIFF_LADDR,
    DIFF_PADDR, DIFF_SPLIT,  DIFF_PAGE_SIZE,  DIFF_DESCRIPTOR, DIFF_MEMORY_TYPE, DIFF_MEM,      DIFF_TLB};

static unsigned most_telling(unsigned differences) {
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
    if (differences & telling[i]) return telling[i];
  return 0;
}

static bool is_fetch(const mmu_req_t *req) {
  return req->op == MMU_OP_ACCESS && req->access == MMU_EXECUTE;
}

static bool same_mismatch(const failure_t *a, const failure_t *b) {
  if (a->req.op != b->req.op || is_fetch(&a->req) != is_fetch(&b->req)) return false;
  unsigned field = most_telling(a->differences);
  if (!(b->differences & field)) return false;
  bool about_faults = a->differences & (DIFF_FAULT | DIFF_VECTOR);
  return !about_faults || (a->model_fault == b->model_fault && a->dut_fault == b->dut_fault &&
                           a->model_vector == b->model_vector && a->dut_vector == b->dut_vector);
}

bool failure_same(const failure_t *a, const failure_t *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == FAILURE_MISMATCH) return same_mismatch(a, b);
  if (a->kind == FAILURE_IMAGES) return true;
  size_t words = strcspn(a->text, "0123456789");
  return words == strcspn(b->text, "0123456789") && strncmp(a->text, b->text, words) == 0;
}

char *failure_text(const failure_t *f, char *buf, unsigned buf_bytes) {
  static const char *const names[] = {"no failure",           "mismatch",          "hang", "protocol error",
                                      "memory images differ", "cannot be replayed"};
  int n = snprintf(buf, buf_bytes, "%s", names[f->kind]);
  if (f->text[0] && (unsigned)n < buf_bytes) snprintf(buf + n, buf_bytes - (unsigned)n, ": %s", f->text);
  const char *separator = " in ";
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++) {
    if (f->kind != FAILURE_MISMATCH || !(f->differences >> i & 1)) continue;
    if ((unsigned)n < buf_bytes)
      n += snprintf(buf + n, buf_bytes - (unsigned)n, "%s%s", separator, lockstep_diff_name(i));
    separator = ", ";
  }
  return buf;
}
