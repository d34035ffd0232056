#include <string.h>

#include "shrink_priv.h"

static size_t count_requests(const records_t *list) {
  size_t n = 0;
  for (size_t i = 0; i < list->n; i++)
    n += list->at[i].kind == TRACE_REQUEST;
  return n;
}

/* Makes trial: the state before best's last n requests, then those and what stands between them. */
static bool make_tail(shrink_t *s, size_t n) {
  size_t first = s->best.n;
  while (n > 0)
    n -= s->best.at[--first].kind == TRACE_REQUEST;
  subject_t reference;
  ledger_t ledger;
  mmu_rsp_t rsp;
  failure_t failure;
  char error[256];
  bench_env_t alone = s->env;
  mmu_config_t config = s->env.dut->config();
  alone.dut = NULL;
  s->trial.n = 0;
  if (!subject_open(&reference, &alone, &config, error, sizeof error)) return false;
  ledger_open(&ledger, s->env.ram_bytes);
  bool ok = true;
  for (size_t i = 0; i < first && ok; i++) {
    ok = subject_step(&reference, &s->best.at[i], &rsp, &failure);
    if (ok) ledger_note(&ledger, &s->best.at[i], &rsp);
  }
  if (ok) {
    ledger_capture(&ledger, &reference, s->pool, &s->trial);
    records_append(&s->trial, &s->best, first, s->best.n - first);
  }
  ledger_close(&ledger);
  subject_close(&reference);
  return ok;
}

/* Tries tails of at most that many requests. */
static bool replace_prefix(shrink_t *s, size_t most) {
  enum { REGISTERS = 16 }; /* requests that a state takes */
  size_t requests = count_requests(&s->best);
  for (size_t n = 1; n <= most && n + REGISTERS < requests && !s->stopped; n *= 4)
    if (make_tail(s, n) && shrink_try(s)) return true;
  return false;
}

void shrink_replace_prefix(shrink_t *s) {
  enum { SHORT = 64 }; /* requests: what needs more than that hangs on delays rather than on what they did */
  s->in_phase = false;
  if (replace_prefix(s, s->env.mem_latency ? SHORT : SIZE_MAX)) return;
  s->in_phase = s->env.mem_latency && count_requests(&s->best) > SHORT;
  if (s->in_phase) replace_prefix(s, SIZE_MAX);
}

/* What of memory counts in a list of records. */
typedef struct {
  touched_t read, written;
  bool mapped; /* the map changes: an address may mean another */
} memory_use_t;

/* Is a byte of these ever read, at this address or another that means the same? */
static bool is_read(const memory_use_t *use, uint64_t paddr, unsigned size) {
  if (touched_has(&use->read, paddr, size)) return true;
  if (!use->mapped) return false;
  const uint64_t shadow = UINT64_C(0xfff00000); /* from an address below 1 MiB to the same place below 4 GiB */
  return touched_has(&use->read, paddr & ~(uint64_t)MEMMAP_A20, size) ||
         touched_has(&use->read, paddr | MEMMAP_A20, size) ||
         (paddr >= shadow && touched_has(&use->read, paddr - shadow, size));
}

/* Cuts a LOAD into units of 4 bytes and keeps what counts. */
static void cut_load(memory_use_t *use, const trace_record_t *load, records_t *out) {
  for (uint32_t at = 0, n; at < load->size; at += n) {
    static const uint8_t zeroes[4];
    trace_record_t part = *load;
    n = 4 - (uint32_t)((load->paddr + at) & 3);
    if (n > load->size - at) n = load->size - at;
    part.paddr += at;
    part.bytes += at;
    part.size = n;
    if (!is_read(use, part.paddr, n)) continue;
    bool blank = !use->mapped && memcmp(part.bytes, zeroes, n) == 0 && !touched_has(&use->written, part.paddr, n);
    if (blank) continue; /* memory is zeroed at first */
    touched_add(&use->written, part.paddr, n);
    records_add(out, &part);
  }
}

void shrink_unread_memory(shrink_t *s) {
  memory_use_t use = {0};
  failure_t failure;
  subject_replay(&s->env, &s->best, s->target.kind == FAILURE_IMAGES, &use.read, &failure);
  for (size_t i = 0; i < s->best.n; i++)
    use.mapped = use.mapped || s->best.at[i].kind == TRACE_MAP;
  s->trial.n = 0;
  for (size_t i = 0; i < s->best.n; i++) {
    const trace_record_t *record = &s->best.at[i];
    if (record->kind == TRACE_LOAD) {
      cut_load(&use, record, &s->trial);
    } else if (record->kind != TRACE_STORE) {
      records_add(&s->trial, record);
    } else if (is_read(&use, record->paddr, record->size)) {
      touched_add(&use.written, record->paddr, record->size);
      records_add(&s->trial, record);
    }
  }
  shrink_try(s);
  touched_free(&use.read);
  touched_free(&use.written);
}
