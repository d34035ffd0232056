#include "shrink.h"

#include <stdio.h>

#include "shrink_priv.h"
#include "trace_codec.h"

bool shrink_attempt(shrink_t *s, failure_t *failure) {
  const shrink_config_t *config = s->config;
  *failure = (failure_t){.kind = FAILURE_BROKEN};
  if (!s->stopped && config->stop && config->stop(config->ctx)) s->stopped = true;
  if (s->stopped) return false;
  s->candidates++;
  if (config->show) config->show(config->ctx, s->candidates, s->best.n);
  subject_replay(&s->env, &s->trial, s->target.kind == FAILURE_IMAGES, NULL, failure);
  bool fails = failure->kind != FAILURE_NONE && failure->kind != FAILURE_BROKEN;
  if (!fails || !(config->any_failure || failure_same(&s->target, failure))) return false;
  records_t old = s->best;
  s->best = s->trial;
  s->best.n = failure->at + 1;
  s->trial = old;
  s->found = *failure;
  s->kept++;
  return true;
}

bool shrink_try(shrink_t *s) {
  failure_t failure;
  return shrink_attempt(s, &failure) || (s->in_phase && shrink_in_phase(s, &failure));
}

bool shrink_same_record(const trace_record_t *a, const trace_record_t *b) {
  if (a->kind != b->kind) return false;
  if (a->kind != TRACE_REQUEST)
    return a->paddr == b->paddr && a->size == b->size && a->data == b->data && a->bytes == b->bytes &&
           memmap_equal(&a->map, &b->map) && a->origin == b->origin && a->take[0] == b->take[0] &&
           a->take[1] == b->take[1] && a->kill == b->kill;
  const mmu_req_t *x = &a->req, *y = &b->req;
  return x->op == y->op && x->seg == y->seg && x->access == y->access && x->size == y->size && x->align == y->align &&
         x->cpl == y->cpl && x->reason == y->reason && x->cr == y->cr && x->rmw == y->rmw &&
         x->implicit == y->implicit && x->ac == y->ac && x->vm == y->vm && x->ext == y->ext &&
         x->selector == y->selector && x->offset == y->offset && x->data == y->data;
}

bool shrink_try_record(shrink_t *s, size_t i, const trace_record_t *record) {
  if (i >= s->best.n || shrink_same_record(record, &s->best.at[i])) return false;
  if (record->kind == TRACE_REQUEST && !trace_request_valid(&record->req)) return false;
  records_copy(&s->trial, &s->best);
  s->trial.at[i] = *record;
  return shrink_try(s);
}

/* One request after another, and no clock cycles, if that is enough. */
static void serialize(shrink_t *s) {
  if (!s->env.overlapped) return;
  s->env.overlapped = false;
  s->trial.n = 0;
  for (size_t i = 0; i < s->best.n; i++)
    if (s->best.at[i].kind != TRACE_CYCLE) records_add(&s->trial, &s->best.at[i]);
  if (!shrink_try(s)) s->env.overlapped = true;
}

static void reduce_records(shrink_t *s) {
  for (uint64_t before = UINT64_MAX; before != s->kept && !s->stopped;) {
    before = s->kept;
    shrink_remove_chunks(s);
    shrink_merge(s);
    shrink_fields(s);
    shrink_rename(s);
    shrink_small_pages(s);
    shrink_remove_pairs(s);
    shrink_hasten(s);
  }
}

void shrink_reduce(shrink_t *s) {
  serialize(s);
  shrink_latency(s, 0);
  shrink_replace_prefix(s);
  shrink_unread_memory(s);
  reduce_records(s);
  if (s->env.mem_latency && !s->in_phase) {
    s->in_phase = true;
    reduce_records(s);
  }
  for (uint32_t latency = 1; latency < s->env.mem_latency && !s->stopped; latency++)
    if (shrink_latency(s, latency)) reduce_records(s);
  shrink_arrange(s);
}

static void copy_record(shrink_result_t *result, const trace_record_t *record) {
  trace_record_t copy = *record;
  if (copy.kind == TRACE_LOAD) copy.bytes = records_keep(&result->pool, record->bytes, record->size);
  records_add(&result->records, &copy);
}

/* --- the trace --- */

typedef struct {
  const char *path;
  const shrink_config_t *config;
  bench_env_t env;
  shrink_result_t *result;
  char *error;
  unsigned error_bytes;
} source_t;

static bool stopping(const shrink_config_t *config) {
  return config->stop && config->stop(config->ctx);
}

/*
 * Replays the whole trace as `mmu86 replay` does. Finds the failure, the records before it (failure.at) and their
 * counts. Returns DONE if there is one.
 */
static shrink_status_t find_failure(source_t *t, failure_t *failure) {
  shrink_result_t *result = t->result;
  trace_record_t record;
  mmu_rsp_t rsp;
  subject_t subject;
  shrink_status_t status = SHRINK_BAD;
  trace_reader_t *reader = trace_open(t->path, &result->header, t->error, t->error_bytes);
  if (!reader) return SHRINK_BAD;
  t->env = t->config->env;
  t->env.ram_bytes = result->header.ram_bytes;
  t->env.overlapped = result->header.overlapped;
  t->env.architectural = t->env.architectural || t->env.overlapped;
  if (!subject_open(&subject, &t->env, NULL, t->error, t->error_bytes)) {
    trace_close(reader);
    return SHRINK_BAD;
  }
  *failure = (failure_t){.kind = FAILURE_NONE};
  failure_t images = {.kind = FAILURE_NONE};
  records_count_t until_images = {0};
  size_t at = 0;
  trace_status_t got;
  subject.watch_images = true;
  while ((got = trace_read(reader, &record)) == TRACE_OK && !stopping(t->config)) {
    records_count(&result->before, &record);
    if (!subject_step(&subject, &record, &rsp, failure)) {
      failure->at = at;
      if (failure->kind != FAILURE_IMAGES) break;
      images = *failure; /* the run goes on: what follows may heal it, or fail otherwise */
      until_images = result->before;
      *failure = (failure_t){.kind = FAILURE_NONE};
      subject.watch_images = false;
    }
    at++;
  }
  if (at > 0 && (got == TRACE_END || got == TRACE_CUT) && !subject_end(&subject, failure)) failure->at = at - 1;
  uint64_t paddr;
  if (failure->kind == FAILURE_BROKEN) {
    snprintf(t->error, t->error_bytes, "%s", failure->text);
  } else if (failure->kind != FAILURE_NONE) {
    status = SHRINK_DONE;
  } else if (got == TRACE_CORRUPT) {
    snprintf(t->error, t->error_bytes, "%s", trace_error(reader));
  } else if (got == TRACE_OK) {
    snprintf(t->error, t->error_bytes, "%s: interrupted before anything failed", t->path);
  } else if (images.kind == FAILURE_IMAGES && !world_equal(&subject.rig.world, &subject.dut_world, &paddr)) {
    *failure = images;
    result->before = until_images;
    status = SHRINK_DONE;
  } else {
    status = SHRINK_AGREES;
  }
  subject_close(&subject);
  trace_close(reader);
  return status;
}

/* Fills result->records: the state before the last `window` records up to the failure, then those. */
static bool read_window(source_t *t, size_t until, size_t window) {
  trace_header_t header;
  trace_record_t record;
  mmu_rsp_t rsp;
  subject_t reference;
  ledger_t ledger;
  failure_t failure;
  size_t skip = until + 1 > window ? until + 1 - window : 0;
  bench_env_t alone = t->env;
  mmu_config_t config = t->env.dut->config();
  alone.dut = NULL;
  trace_reader_t *reader = trace_open(t->path, &header, t->error, t->error_bytes);
  if (!reader) return false;
  if (!subject_open(&reference, &alone, &config, t->error, t->error_bytes)) {
    trace_close(reader);
    return false;
  }
  ledger_open(&ledger, t->env.ram_bytes);
  records_release(&t->result->pool);
  t->result->records.n = 0;
  bool ok = true;
  for (size_t i = 0; i <= until && ok; i++) {
    if (i == skip && skip) ledger_capture(&ledger, &reference, &t->result->pool, &t->result->records);
    ok = trace_read(reader, &record) == TRACE_OK;
    if (ok && i >= skip) copy_record(t->result, &record);
    if (!ok || i >= skip) continue;
    ok = subject_step(&reference, &record, &rsp, &failure);
    ledger_note(&ledger, &record, &rsp);
  }
  if (!ok) snprintf(t->error, t->error_bytes, "%s: it has changed while it was read", t->path);
  ledger_close(&ledger);
  subject_close(&reference);
  trace_close(reader);
  return ok;
}

/*
 * A hung transaction costs as many clock cycles as the limit allows: while candidates are tried, no more than any
 * transaction can take, unless that changes what fails.
 */
static void limit_cycles(shrink_t *s) {
  enum { REFERENCES = 64 }; /* more than one transaction makes */
  failure_t failure;
  uint32_t full = s->env.cycle_limit, enough = 1000 + 2 * REFERENCES * (s->env.mem_latency + 4);
  if (s->target.kind != FAILURE_HANG || enough >= full) return;
  s->env.cycle_limit = enough;
  subject_replay(&s->env, &s->best, false, NULL, &failure);
  if (failure.at + 1 != s->best.n || !failure_same(&s->target, &failure)) s->env.cycle_limit = full;
}

/* Reduces result->records, which fail. */
static void reduce(source_t *t, shrink_t *s) {
  records_t whole = {0};
  failure_t failure;
  s->best = t->result->records;
  t->result->records = (records_t){0};
  records_copy(&whole, &s->best);
  limit_cycles(s);
  shrink_reduce(s);
  if (s->env.cycle_limit != t->env.cycle_limit) {
    s->env.cycle_limit = t->env.cycle_limit;
    subject_replay(&s->env, &s->best, false, NULL, &failure);
    if (!failure_same(&s->target, &failure)) { /* it was only slow */
      s->env = t->env;
      records_copy(&s->best, &whole);
      subject_replay(&s->env, &s->best, false, NULL, &s->found);
      shrink_reduce(s);
    }
  }
  records_free(&whole);
  t->result->records = s->best;
  t->result->failure = s->found;
  t->result->env = s->env;
  t->result->header.overlapped = s->env.overlapped;
  records_free(&s->trial);
}

shrink_status_t shrink_trace(const char *path, const shrink_config_t *config, shrink_result_t *result, char *error,
                             unsigned error_bytes) {
  enum { WINDOW = 200000 }; /* records that are looked at first; they take 20 MB */
  *result = (shrink_result_t){0};
  source_t t = {.path = path, .config = config, .result = result, .error = error, .error_bytes = error_bytes};
  shrink_status_t status = find_failure(&t, &result->original);
  if (status != SHRINK_DONE) return status;
  size_t until = result->original.at;
  shrink_t s = {.config = config, .env = t.env, .target = result->original, .pool = &result->pool};
  for (size_t window = WINDOW;; window *= 8) {
    if (!read_window(&t, until, window)) return SHRINK_BAD;
    subject_replay(&t.env, &result->records, s.target.kind == FAILURE_IMAGES, NULL, &s.found);
    s.candidates++;
    if (failure_same(&s.target, &s.found) || window > until) break;
  }
  if (!failure_same(&s.target, &s.found)) {
    snprintf(error, error_bytes, "%s: the failure does not repeat: the device depends on more than the trace", path);
    return SHRINK_BAD;
  }
  result->records.n = s.found.at + 1;
  reduce(&t, &s);
  for (size_t i = 0; i < result->records.n; i++)
    records_count(&result->after, &result->records.at[i]);
  result->candidates = s.candidates;
  return s.stopped ? SHRINK_STOPPED : SHRINK_DONE;
}

void shrink_free(shrink_result_t *result) {
  records_free(&result->records);
  records_release(&result->pool);
}
