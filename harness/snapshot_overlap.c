#include "snapshot_overlap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Clock cycles between two looks at whether to stop. */
enum { LOOK = 1024 };

typedef struct {
  const lockstep_t *failed; /* as the run left it */
  const overlap_t *was;     /* likewise */
  lockstep_t ls;            /* nobody judges */
  overlap_t overlap;
  bool (*stop)(void);
  snapshot_wave_t *wave;
} again_t;

static void happen(again_t *a, const snapshot_event_t *e) {
  if (e->kind == EVENT_REQUEST) overlap_offer(&a->overlap, &e->req);
  if (e->kind == EVENT_STORE) world_write(a->ls.dut_world, e->store.paddr, e->size, e->store.data);
  if (e->kind == EVENT_MAP) world_map(a->ls.dut_world, &e->map);
  if (e->kind == EVENT_RESET) a->ls.dut->reset(a->ls.handle);
}

/* The answer that differed is the same again, the broken rule is broken again. */
static bool fails_again(const again_t *a, bool agree) {
  const lockstep_t *failed = a->failed;
  if (failed->state != LOCKSTEP_MISMATCH) return !agree && strcmp(a->ls.dut_error, failed->dut_error) == 0;
  dut_port_t port = overlap_port(&failed->bad_req);
  bool answers = a->overlap.valid[port] && !a->overlap.flight[port].busy; /* else it is about a reference */
  return !answers || lockstep_compare(&failed->dut_rsp, &a->overlap.flight[port].answer) == 0;
}

/* What the lockstep found in the last cycle. */
static void show_failure(again_t *a) {
  const lockstep_t *failed = a->failed;
  dut_port_t port = overlap_port(&failed->bad_req);
  a->ls.state = failed->state;
  a->ls.sequence = failed->sequence;
  if (failed->state == LOCKSTEP_MISMATCH && !a->overlap.flight[port].busy)
    a->overlap.reference[port] = failed->model_rsp;
  if (!a->wave->written) return;
  const dut_ports_note_t note = overlap_note(&a->overlap);
  a->ls.dut->wave_ports(a->ls.handle, &note, false);
}

/* Repeats a cycle. last: the one that failed. Returns whether it went as before. */
static bool repeat_cycle(again_t *a, uint32_t cycle, bool last) {
  const bool take[DUT_PORTS] = {cycle & SNAPSHOT_TAKE, cycle >> 1 & SNAPSHOT_TAKE};
  const uint64_t sequence = a->ls.sequence;
  bool agree = overlap_cycle(&a->overlap, take, cycle & SNAPSHOT_KILL);
  if (a->overlap.came != cycle >> SNAPSHOT_CAME) return snapshot_strayed(a->wave, sequence, "goes another way");
  if (!last) return agree || snapshot_strayed(a->wave, sequence, a->ls.dut_error);
  if (!fails_again(a, agree)) return snapshot_strayed(a->wave, sequence, "does not fail");
  show_failure(a);
  a->wave->repeated = true;
  return true;
}

/* Repeats a stretch. last: the run failed in its last cycle. Returns false if it went another way or was stopped. */
static bool repeat_stretch(again_t *a, const snapshot_stretch_t *stretch, bool last) {
  const snapshot_event_t *e = stretch->event, *end = e + stretch->events;
  for (size_t i = 0; i < stretch->cycles; i++) {
    for (; e < end && e->cycle <= i; e++)
      happen(a, e);
    if (i % LOOK == 0 && a->stop && a->stop()) {
      snprintf(a->wave->error, sizeof a->wave->error, "interrupted at transaction %" PRIu64, a->ls.sequence);
      return false;
    }
    if (!repeat_cycle(a, stretch->cycle[i], last && i + 1 == stretch->cycles)) return false;
  }
  for (; e < end; e++)
    happen(a, e);
  return true;
}

void snapshot_overlap_repeat(lockstep_t *ls, unsigned oldest, bool (*stop)(void), snapshot_wave_t *wave) {
  const snapshots_t *s = ls->snapshots;
  again_t a = {.failed = ls, .was = s->overlap, .overlap = *s->stretch[oldest].overlap, .stop = stop, .wave = wave};
  lockstep_init(&a.ls);
  a.ls.dut = ls->dut;
  a.ls.handle = ls->handle;
  a.ls.dut_world = ls->dut_world;
  a.ls.unjudged = true;
  a.ls.sequence = s->stretch[oldest].first;
  a.ls.wave_open = wave->written;
  a.overlap.ls = &a.ls;
  const uint64_t start = wave->written ? ls->dut->wave_time(ls->handle) : 0;
  if (repeat_stretch(&a, &s->stretch[oldest], oldest == s->present) && oldest != s->present)
    repeat_stretch(&a, &s->stretch[s->present], true);
  if (!wave->written) return;
  const uint64_t took = a.was->cycles - a.was->since; /* cycles after that of the acceptance */
  wave->begin = wave->end = ls->dut->wave_time(ls->handle) - 1;
  if (wave->repeated) wave->begin = wave->end - start > 2 * took + 1 ? wave->end - 2 * took - 1 : start;
  wave->marker = took >= OVERLAP_PATIENCE ? wave->begin : wave->end;
}
