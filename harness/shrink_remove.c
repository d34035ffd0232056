/*
 * Delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), as far as it
 * tries complements. The record that fails is always kept.
 */
#include "shrink_priv.h"

static void make_without(shrink_t *s, size_t first, size_t n) {
  s->trial.n = 0;
  records_append(&s->trial, &s->best, 0, first);
  records_append(&s->trial, &s->best, first + n, s->best.n - first - n);
}

/* Without record i, or without the next one: is that the same list? Clock cycles stand in long rows. */
static bool repeats(const shrink_t *s, size_t i) {
  return i + 2 < s->best.n && shrink_same_record(&s->best.at[i], &s->best.at[i + 1]);
}

/* One pass with chunks of that size. Returns whether something went. */
static bool remove_pass(shrink_t *s, size_t chunk) {
  bool removed = false;
  for (size_t first = 0; first + 1 < s->best.n && !s->stopped;) {
    size_t n = s->best.n - 1 - first < chunk ? s->best.n - 1 - first : chunk;
    make_without(s, first, n);
    if (!(chunk == 1 && repeats(s, first)) && shrink_try(s))
      removed = true;
    else
      first += n;
  }
  return removed;
}

void shrink_remove_chunks(shrink_t *s) {
  size_t chunk = 1;
  while (2 * chunk < s->best.n)
    chunk *= 2;
  for (; chunk > 1 && !s->stopped; chunk /= 2)
    remove_pass(s, chunk);
  while (remove_pass(s, 1) && !s->stopped)
    continue;
}

void shrink_remove_pairs(shrink_t *s) {
  enum { MOST = 64 }; /* records: beyond that there are too many pairs */
  if (s->best.n > MOST) return;
  for (size_t i = 0; i + 2 < s->best.n; i++)
    for (size_t j = i + 1; j + 1 < s->best.n && !s->stopped; j++) {
      if (repeats(s, j) || (j > i + 1 && repeats(s, i))) continue;
      s->trial.n = 0;
      records_append(&s->trial, &s->best, 0, i);
      records_append(&s->trial, &s->best, i + 1, j - i - 1);
      records_append(&s->trial, &s->best, j + 1, s->best.n - j - 1);
      shrink_try(s);
    }
}

/* Do both records set the same register, or the same bytes? */
static bool sets_the_same(const trace_record_t *a, const trace_record_t *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == TRACE_STORE) return a->paddr == b->paddr && a->size == b->size;
  if (a->kind != TRACE_REQUEST) return a->kind == TRACE_MAP;
  bool segments = (a->req.op >= MMU_OP_LOAD_SEG && a->req.op <= MMU_OP_SET_SEG) &&
                  (b->req.op >= MMU_OP_LOAD_SEG && b->req.op <= MMU_OP_SET_SEG);
  if (segments) return a->req.seg == b->req.seg;
  if (a->req.op != b->req.op) return false;
  if (a->req.op == MMU_OP_LOAD_TABLE) return a->req.seg == b->req.seg;
  return a->req.op == MMU_OP_WRITE_CR && a->req.cr == b->req.cr;
}

/* The later one's value at the earlier one's place: what removing alone cannot reach. */
void shrink_merge(shrink_t *s) {
  for (size_t i = 0; i + 2 < s->best.n; i++)
    for (size_t j = i + 1; j + 1 < s->best.n && !s->stopped; j++) {
      if (!sets_the_same(&s->best.at[i], &s->best.at[j])) continue;
      make_without(s, j, 1);
      s->trial.at[i] = s->best.at[j];
      shrink_try(s);
    }
}
