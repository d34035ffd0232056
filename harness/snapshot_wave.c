#include "snapshot_wave.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "snapshot_overlap.h"

/* What a transaction of the repetition must end with. */
static dut_status_t expected(const lockstep_t *ls, bool failed) {
  if (!failed || ls->state == LOCKSTEP_MISMATCH) return DUT_OK;
  return ls->state == LOCKSTEP_HANG ? DUT_HANG : DUT_PROTOCOL;
}

bool snapshot_strayed(snapshot_wave_t *wave, uint64_t sequence, const char *how) {
  snprintf(wave->error, sizeof wave->error,
           "the repetition %s at transaction %" PRIu64 ": the device does not follow from its inputs alone", how,
           sequence);
  return false;
}

/* Repeats one transaction. Returns whether it went as before. */
static bool repeat(lockstep_t *ls, const snapshot_event_t *e, uint64_t sequence, snapshot_wave_t *wave) {
  const dut_ops_t *dut = ls->dut;
  bool failed = sequence == ls->sequence;
  dut_annotation_t note = {.sequence = sequence,
                           .instruction = e->instruction,
                           .eip = e->eip,
                           .req = &e->req,
                           .model = failed ? &ls->model_rsp : NULL,
                           .origin = e->size};
  mmu_rsp_t rsp;
  if (wave->written) {
    wave->begin = dut->wave_time(ls->handle);
    dut->wave_note(ls->handle, &note);
  }
  dut_status_t status = dut->transact(ls->handle, &e->req, &rsp);
  if (wave->written) wave->end = dut->wave_time(ls->handle) - 1;
  wave->marker = status == DUT_HANG ? wave->begin : wave->end;
  if (status != expected(ls, failed))
    return snapshot_strayed(wave, sequence, status == DUT_OK ? "succeeds" : dut->error(ls->handle));
  if (status != DUT_OK) return true;
  bool same = failed ? lockstep_compare(&ls->dut_rsp, &rsp) == 0 : lockstep_check(&rsp) == e->check;
  return same || snapshot_strayed(wave, sequence, "answers otherwise");
}

/* Repeats a stretch. Returns false if it went another way, was stopped, or has come to the failure. */
static bool repeat_stretch(lockstep_t *ls, const snapshot_stretch_t *stretch, bool (*stop)(void),
                           snapshot_wave_t *wave) {
  uint64_t sequence = stretch->first;
  for (size_t i = 0; i < stretch->events; i++) {
    const snapshot_event_t *e = &stretch->event[i];
    if (e->kind == EVENT_STORE) world_write(ls->dut_world, e->store.paddr, e->size, e->store.data);
    if (e->kind == EVENT_MAP) world_map(ls->dut_world, &e->map);
    if (e->kind == EVENT_RESET) ls->dut->reset(ls->handle);
    if (e->kind != EVENT_REQUEST) continue;
    if (stop && stop()) {
      snprintf(wave->error, sizeof wave->error, "interrupted at transaction %" PRIu64, sequence);
      return false;
    }
    if (!repeat(ls, e, sequence, wave)) return false;
    wave->repeated = sequence++ == ls->sequence;
  }
  return !wave->repeated;
}

void snapshot_wave_write(lockstep_t *ls, const char *path, bool (*stop)(void), snapshot_wave_t *wave) {
  snapshots_t *s = ls->snapshots;
  const dut_ops_t *dut = ls->dut;
  uint64_t cycles = dut->cycles(ls->handle);
  unsigned oldest;
  *wave = (snapshot_wave_t){0};
  snprintf(wave->setup, sizeof wave->setup, "%s.gtkw", path);
  if (!snapshots_rewind(s, &oldest, wave->error, sizeof wave->error)) return;
  char error[sizeof wave->error] = "";
  wave->written = dut->wave_open(ls->handle, path, error, sizeof error);
  wave->first = s->stretch[oldest].first;
  wave->overlapped = s->cycles > 0;
  if (wave->overlapped)
    snapshot_overlap_repeat(ls, oldest, stop, wave);
  else if (repeat_stretch(ls, &s->stretch[oldest], stop, wave) && oldest != s->present)
    repeat_stretch(ls, &s->stretch[s->present], stop, wave);
  if (wave->repeated && dut->cycles(ls->handle) != cycles)
    wave->repeated = snapshot_strayed(wave, ls->sequence, "takes other clock cycles");
  wave->written = wave->written && dut->wave_close(ls->handle, error, sizeof error);
  const setup_file_t setup = wave->written ? snapshot_setup_write(wave->setup, wave) : SETUP_WRITTEN;
  wave->setup_kept = setup == SETUP_KEPT;
  if (setup == SETUP_FAILED) {
    wave->written = false;
    snprintf(error, sizeof error, "%.400s: cannot write the set-up: %s", wave->setup, strerror(errno));
  }
  if (!wave->written) snprintf(wave->error, sizeof wave->error, "%s", error);
}
