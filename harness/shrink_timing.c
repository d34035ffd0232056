/*
 * The delays of the DUT's memory, which no record holds: the bench draws them, so many each reference, in order.
 */
#include "rng.h"
#include "shrink_priv.h"

/*
 * Without some references the later ones get other delays, and a race that hangs on these is lost. A record that may go
 * would then stay for what it draws. So the seed is set forward by as many draws.
 */
bool shrink_in_phase(shrink_t *s, failure_t *failure) {
  enum { DRAWS = 2 }; /* a reference: until memory takes it, until it answers */
  enum { TURNS = 2 }; /* another phase may bring another number of references */
  const rng_t before = {s->env.seed};
  uint64_t ahead = 0;
  for (unsigned i = 0; i < TURNS && failure->kind == FAILURE_NONE; i++) {
    if (s->found.references - failure->references == ahead) break;
    ahead = s->found.references - failure->references;
    rng_t rng = before;
    rng_skip(&rng, DRAWS * ahead);
    s->env.seed = rng.state;
    if (shrink_attempt(s, failure)) return true;
  }
  s->env.seed = before.state;
  return false;
}

bool shrink_latency(shrink_t *s, uint32_t latency) {
  enum { SEEDS = 16 }; /* the first is what every command has by default */
  if (latency >= s->env.mem_latency) return false;
  const bench_env_t before = s->env;
  failure_t failure;
  s->env.mem_latency = latency;
  records_copy(&s->trial, &s->best);
  for (s->env.seed = 1; s->env.seed <= (latency ? SEEDS : 1); s->env.seed++)
    if (shrink_attempt(s, &failure)) return true;
  s->env = before;
  return false;
}

/* Makes trial: best without request i, and without the first n cycles behind it; returns how many of these there were.
 */
static size_t make_hastened(shrink_t *s, size_t i, size_t n) {
  size_t gone = 0;
  bool killed = false;
  s->trial.n = 0;
  records_append(&s->trial, &s->best, 0, i);
  for (size_t k = i + 1; k < s->best.n; k++) {
    const trace_record_t *record = &s->best.at[k];
    killed = killed || record->kill;
    if (record->kind == TRACE_CYCLE && !killed && gone < n)
      gone++;
    else
      records_add(&s->trial, record);
  }
  return gone;
}

static bool hasten(shrink_t *s, size_t i) {
  for (size_t n = 1; make_hastened(s, i, n) == n && !s->stopped; n++)
    if (shrink_try(s)) return true;
  return false;
}

void shrink_hasten(shrink_t *s) {
  enum { MOST = 64 }; /* records */
  if (!s->env.overlapped || s->best.n > MOST) return;
  for (size_t i = 0; i + 1 < s->best.n && !s->stopped;)
    if (s->best.at[i].kind != TRACE_REQUEST || !hasten(s, i)) i++;
}
