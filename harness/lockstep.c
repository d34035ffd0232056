#include "lockstep.h"

#include "dut_paging.h"
#include "overlap.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "recorder.h"
#include "snapshot.h"

const char *lockstep_diff_name(unsigned i) {
  static const char *const names[LOCKSTEP_DIFFS] = {
      "linear address", "physical address",  "fault",       "vector",     "error code",  "CR2",
      "split",          "page size",         "memory type", "descriptor", "hidden part", "system descriptor",
      "TLB events",     "memory references", "verified",
  };
  return i < LOCKSTEP_DIFFS ? names[i] : "?";
}

static bool seg_equal(const mmu_seg_t *a, const mmu_seg_t *b) {
  return a->base == b->base && a->limit == b->limit && a->selector == b->selector && a->attr == b->attr &&
         a->usable == b->usable;
}

static bool tlb_equal(const mmu_rsp_t *a, const mmu_rsp_t *b) {
  if (a->n_tlb != b->n_tlb) return false;
  for (unsigned i = 0; i < a->n_tlb; i++) {
    const mmu_tlb_event_t *x = &a->tlb[i], *y = &b->tlb[i];
    if (x->kind != y->kind || x->large != y->large || x->set != y->set || x->way != y->way || x->evicted != y->evicted)
      return false;
  }
  return true;
}

static bool mem_equal(const mmu_rsp_t *a, const mmu_rsp_t *b) {
  if (a->n_mem != b->n_mem) return false;
  for (unsigned i = 0; i < a->n_mem; i++) {
    const mmu_mem_t *x = &a->mem[i], *y = &b->mem[i];
    if (x->paddr != y->paddr || x->data != y->data || x->size != y->size || x->write != y->write || x->lost != y->lost)
      return false;
  }
  return true;
}

unsigned lockstep_compare(const mmu_rsp_t *m, const mmu_rsp_t *d) {
  unsigned diff = 0;
  if (m->laddr != d->laddr) diff |= DIFF_LADDR;
  if (m->paddr[0] != d->paddr[0] || m->paddr[1] != d->paddr[1]) diff |= DIFF_PADDR;
  if (m->fault != d->fault) diff |= DIFF_FAULT;
  if (m->vector != d->vector) diff |= DIFF_VECTOR;
  if (m->error_code != d->error_code) diff |= DIFF_ERROR_CODE;
  if (m->cr2 != d->cr2) diff |= DIFF_CR2;
  if (m->split != d->split || m->first != d->first) diff |= DIFF_SPLIT;
  if (m->page_size[0] != d->page_size[0] || m->page_size[1] != d->page_size[1]) diff |= DIFF_PAGE_SIZE;
  if (m->pcd[0] != d->pcd[0] || m->pcd[1] != d->pcd[1] || m->pwt[0] != d->pwt[0] || m->pwt[1] != d->pwt[1])
    diff |= DIFF_MEMORY_TYPE;
  if (m->descriptor != d->descriptor) diff |= DIFF_DESCRIPTOR;
  if (!seg_equal(&m->seg, &d->seg)) diff |= DIFF_SEG;
  if (m->system != d->system) diff |= DIFF_SYSTEM;
  if (m->verified != d->verified) diff |= DIFF_VERIFIED;
  if (!tlb_equal(m, d)) diff |= DIFF_TLB;
  if (!mem_equal(m, d)) diff |= DIFF_MEM;
  return diff;
}

unsigned lockstep_untold(const dut_traits_t *traits) {
  return (traits->no_page_size ? DIFF_PAGE_SIZE : 0) | (traits->no_memory_type ? DIFF_MEMORY_TYPE : 0);
}

static bool has_own_caching(const lockstep_t *ls) {
  return ls->dut && ls->dut->traits.own_caching;
}

bool lockstep_tells_tlb(const lockstep_t *ls) {
  const stats_t *s = &ls->stats;
  return !has_own_caching(ls) || (ls->oracle && (s->tlb_hits || s->tlb_misses || s->tlb_evictions));
}

bool lockstep_tells_walks(const lockstep_t *ls) {
  return lockstep_tells_tlb(ls) || (ls->oracle && ls->dut->traits.paging_only);
}

void lockstep_init(lockstep_t *ls) {
  memset(ls, 0, sizeof *ls);
}

static void remember(lockstep_t *ls, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  lockstep_past_t *past = &ls->past[ls->sequence % LOCKSTEP_HISTORY];
  past->sequence = ls->sequence;
  past->req = *req;
  past->laddr = rsp->laddr;
  past->paddr = rsp->paddr[0];
  past->cr2 = rsp->cr2;
  past->error_code = rsp->error_code;
  past->vector = rsp->vector;
  past->fault = rsp->fault;
  past->hit = rsp->n_tlb > 0 && rsp->tlb[0].kind == MMU_TLB_HIT;
}

static void wave_end(lockstep_t *ls) {
  if (!ls->wave_open) return;
  ls->wave_open = false;
  if (!ls->dut->wave_close(ls->handle, ls->wave_error, sizeof ls->wave_error)) ls->wave_failed = true;
}

void lockstep_wave(lockstep_t *ls, uint64_t end) {
  if (ls->wave_failed) return;
  if (ls->sequence >= ls->wave_first && ls->sequence - ls->wave_first >= ls->wave_count) {
    wave_end(ls);
    ls->wave_count = 0;
  } else if (!ls->wave_open && end > ls->wave_first) {
    ls->wave_open = ls->dut->wave_open(ls->handle, ls->wave_path, ls->wave_error, sizeof ls->wave_error);
    ls->wave_begun = ls->wave_open;
    ls->wave_failed = !ls->wave_open;
  }
}

/* A window that begins with what a transaction does begins with this one, or with the next. */
static void look_for_window(lockstep_t *ls, const mmu_req_t *req, const mmu_rsp_t *rsp, uint64_t first) {
  if (!ls->window || !wave_window_begins(ls->window, req, rsp, ls->stats.origin)) return;
  ls->wave_first = first;
  ls->window = NULL;
}

/* Shows a transaction that has ended. */
static void show(lockstep_t *ls, uint64_t number, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  static const view_verdict_t judged[] = {VIEW_FRESH, VIEW_STALE_LEGAL, VIEW_STALE_ILLEGAL, VIEW_WRONG};
  if (number < ls->wave_first || number - ls->wave_first >= ls->wave_count) return;
  view_step_t step = {number, req, rsp, ls->reference, ls->stats.origin, VIEW_ALONE};
  if (ls->state == LOCKSTEP_HANG)
    step.verdict = VIEW_HANG;
  else if (ls->state == LOCKSTEP_PROTOCOL)
    step.verdict = VIEW_PROTOCOL;
  else if (ls->oracle)
    step.verdict = judged[ls->verdict];
  else if (ls->dut && !ls->unjudged)
    step.verdict = ls->differences ? VIEW_WRONG : VIEW_AGREES;
  view_show(ls->view, &step);
}

/* Annotates the waveform, if the transaction is in its window. */
static void wave_step(lockstep_t *ls, const mmu_req_t *req, const mmu_rsp_t *model) {
  lockstep_wave(ls, ls->sequence + 1);
  if (!ls->wave_open) return;
  dut_annotation_t note = {.sequence = ls->sequence, .req = req, .model = model, .origin = ls->stats.origin};
  if (ls->where) ls->where(ls->where_ctx, &note.instruction, &note.eip);
  ls->dut->wave_note(ls->handle, &note);
}

static bool stop(lockstep_t *ls, lockstep_state_t state, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  ls->state = state;
  ls->bad_req = *req;
  ls->model_rsp = *rsp;
  return false;
}

/* The device has not answered. */
static bool stop_device(lockstep_t *ls, dut_status_t status, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  snprintf(ls->dut_error, sizeof ls->dut_error, "%s", ls->dut->error(ls->handle));
  return stop(ls, status == DUT_HANG ? LOCKSTEP_HANG : LOCKSTEP_PROTOCOL, req, rsp);
}

/* The hidden part that a request goes through or replaces. */
static mmu_seg_t seg_before(const mmu_t *mmu, const mmu_req_t *req) {
  bool has = req->op <= MMU_OP_SET_SEG && req->seg < MMU_SEG_COUNT;
  return has ? mmu_seg(mmu, (mmu_seg_id_t)req->seg) : (mmu_seg_t){0};
}

/* Notes a request for a repetition. Returns its event, which lacks `check`; NULL: none. */
static snapshot_event_t *keep(lockstep_t *ls, const mmu_req_t *req) {
  if (!ls->snapshots) return NULL;
  snapshot_event_t *event = snapshots_request(ls->snapshots, ls->sequence, req);
  if (!event) return NULL;
  uint64_t eip = 0;
  event->instruction = 0;
  if (ls->where) ls->where(ls->where_ctx, &event->instruction, &eip);
  event->eip = (uint32_t)eip;
  event->size = ls->stats.origin;
  return event;
}

/* Has an answer judged whose references may be anything. */
static bool judged(lockstep_t *ls, const mmu_req_t *req, mmu_rsp_t *rsp) {
  const mmu_rsp_t *answer = &ls->dut_rsp;
  oracle_seen_t seen[MMU_MEM_MAX];
  bool possible = answer->n_mem <= MMU_MEM_MAX && answer->n_tlb <= MMU_TLB_MAX;
  history_set_sequence(oracle_history(ls->oracle), ls->sequence);
  for (unsigned i = 0; possible && i < answer->n_mem; i++)
    possible = oracle_referred(ls->oracle, &answer->mem[i], &seen[i]);
  ls->differences = DIFF_MEM;
  ls->verdict = ORACLE_WRONG;
  moment_t now = history_now(oracle_history(ls->oracle));
  if (possible)
    ls->verdict = oracle_judge(ls->oracle, ls->sequence, now, req, answer, seen, false, rsp, &ls->differences);
  return ls->differences == 0;
}

/* A transaction is done. answer: what is counted. */
static void done(lockstep_t *ls, const mmu_t *mmu, const mmu_req_t *req, const mmu_rsp_t *answer) {
  ls->sequence++;
  if (ls->recorder) recorder_note(ls->recorder, ls, mmu, req, answer);
}

/* Architectural: the device goes first. */
static bool judged_transaction(lockstep_t *ls, const mmu_req_t *req, mmu_rsp_t *rsp) {
  memset(rsp, 0, offsetof(mmu_rsp_t, tlb));
  if (ls->trace) trace_request(ls->trace, req);
  if (ls->wave_path && ls->wave_count > 0) wave_step(ls, req, NULL);
  snapshot_event_t *event = keep(ls, req);
  dut_status_t status = ls->dut->transact(ls->handle, req, &ls->dut_rsp);
  if (status != DUT_OK) return stop_device(ls, status, req, rsp);
  if (event) event->check = lockstep_check(&ls->dut_rsp);
  bool legal = judged(ls, req, rsp);
  remember(ls, req, rsp);
  if (!legal) {
    if (ls->wave_open) ls->dut->wave_judged(ls->handle, rsp);
    return stop(ls, LOCKSTEP_MISMATCH, req, rsp);
  }
  stats_count(&ls->stats, req, &ls->dut_rsp);
  if (has_own_caching(ls) && ls->dut->traits.paging_only) ls->stats.walks = dut_paging_walks(ls->handle);
  done(ls, NULL, req, &ls->dut_rsp);
  return true;
}

void lockstep_offered(lockstep_t *ls, const mmu_req_t *req) {
  if (ls->snapshots) snapshots_offered(ls->snapshots, req);
  if (ls->trace) trace_request(ls->trace, req);
}

bool lockstep_referred(lockstep_t *ls, const mmu_req_t *req, const mmu_mem_t *reference, oracle_seen_t *seen) {
  static const mmu_rsp_t unknown;
  if (ls->unjudged) return true;
  history_set_sequence(oracle_history(ls->oracle), ls->sequence);
  if (oracle_referred(ls->oracle, reference, seen)) return true;
  ls->differences = DIFF_MEM;
  ls->verdict = ORACLE_WRONG;
  return stop(ls, LOCKSTEP_MISMATCH, req, &unknown);
}

bool lockstep_answered(lockstep_t *ls, const mmu_req_t *req, moment_t accepted, const mmu_rsp_t *answer,
                       const oracle_seen_t *seen, bool cut, mmu_rsp_t *rsp) {
  ls->dut_rsp = *answer;
  if (ls->unjudged) {
    *rsp = *answer;
    ls->sequence += !cut;
    return true;
  }
  ls->verdict = oracle_judge(ls->oracle, ls->sequence, accepted, req, answer, seen, cut, rsp, &ls->differences);
  if (!cut || ls->differences) remember(ls, req, rsp);
  look_for_window(ls, req, answer, ls->sequence);
  if (ls->view && (!cut || ls->differences)) show(ls, ls->sequence, req, answer);
  if (ls->differences) return stop(ls, LOCKSTEP_MISMATCH, req, rsp);
  if (cut) return true;
  stats_count(&ls->stats, req, answer);
  done(ls, NULL, req, answer);
  return true;
}

bool lockstep_broken(lockstep_t *ls, const mmu_req_t *req, const char *rule) {
  static const mmu_rsp_t unknown;
  snprintf(ls->dut_error, sizeof ls->dut_error, "%s", rule ? rule : ls->dut->error(ls->handle));
  return stop(ls, LOCKSTEP_PROTOCOL, req, &unknown);
}

static bool dut_step(lockstep_t *ls, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  if (ls->wave_path && ls->wave_count > 0) wave_step(ls, req, rsp);
  /* The past's request is cheaper to copy than *req. */
  snapshot_event_t *event = keep(ls, &ls->past[ls->sequence % LOCKSTEP_HISTORY].req);
  if (event) event->check = lockstep_check(rsp);
  dut_status_t status = ls->dut->transact(ls->handle, req, &ls->dut_rsp);
  if (status != DUT_OK) return stop_device(ls, status, req, rsp);
  if (event && ls->unjudged) event->check = lockstep_check(&ls->dut_rsp);
  ls->differences = ls->unjudged ? 0 : lockstep_compare(rsp, &ls->dut_rsp) & ~ls->ignored;
  if (ls->differences) return stop(ls, LOCKSTEP_MISMATCH, req, rsp);
  return true;
}

static bool transact(lockstep_t *ls, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  bool loads = req->op == MMU_OP_LOAD_SEG || req->op == MMU_OP_SET_SEG || req->op == MMU_OP_COMMIT_SEG;
  if (loads) ls->bad_seg = seg_before(mmu, req);
  if (ls->oracle) {
    if (judged_transaction(ls, req, rsp)) return true;
    if (!loads) ls->bad_seg = seg_before(mmu, req);
    return false;
  }
  if (ls->coverage) coverage_before(ls->coverage, mmu);
  mmu_transact(mmu, req, rsp);
  if (ls->coverage) coverage_after(ls->coverage, mmu, req, rsp);
  look_for_window(ls, req, rsp, ls->sequence);
  stats_count(&ls->stats, req, rsp);
  remember(ls, req, rsp);
  if (ls->trace) trace_request(ls->trace, req);
  if (ls->dut && !dut_step(ls, req, rsp)) {
    if (!loads) ls->bad_seg = seg_before(mmu, req);
    return false;
  }
  done(ls, mmu, req, ls->dut && ls->unjudged ? &ls->dut_rsp : rsp);
  return true;
}

bool lockstep_transact(lockstep_t *ls, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp) {
  if (ls->overlap) return overlap_transact(ls->overlap, req, rsp);
  uint64_t number = ls->sequence;
  bool agree = transact(ls, mmu, req, rsp);
  if (ls->oracle) look_for_window(ls, req, rsp, number + (ls->wave_path != NULL));
  if (ls->view) show(ls, number, req, rsp);
  return agree;
}

/* Tells the history what was in n bytes of one page; the DUT's world still has that. */
static void tell_change(lockstep_t *ls, uint64_t paddr, unsigned n) {
  history_t *history = oracle_history(ls->oracle);
  if (!history_watches(history, paddr)) return;
  uint8_t before[MMU_PAGE_BYTES];
  for (unsigned i = 0; i < n; i++)
    before[i] = (uint8_t)world_read(ls->dut_world, paddr + i, 1);
  history_set_sequence(history, ls->sequence);
  history_changed(history, paddr, n, before);
}

static void tell_changes(lockstep_t *ls, uint64_t paddr, uint64_t n) {
  for (uint64_t at = paddr, part; ls->oracle && at < paddr + n; at += part) {
    part = MMU_PAGE_BYTES - at % MMU_PAGE_BYTES;
    if (part > paddr + n - at) part = paddr + n - at;
    tell_change(ls, at, (unsigned)part);
  }
}

void lockstep_stored(lockstep_t *ls, uint64_t paddr, unsigned size, uint64_t data) {
  if (ls->snapshots) snapshots_stored(ls->snapshots, paddr, size, data);
  tell_changes(ls, paddr, size);
  if (ls->dut_world) world_write(ls->dut_world, paddr, size, data);
  if (ls->trace) trace_store(ls->trace, paddr, size, data);
}

void lockstep_loaded(lockstep_t *ls, uint64_t paddr, const void *bytes, uint64_t n) {
  if (ls->snapshots) snapshots_forget(ls->snapshots);
  tell_changes(ls, paddr, n);
  if (ls->dut_world) world_load(ls->dut_world, paddr, bytes, n);
  if (ls->trace) trace_load(ls->trace, paddr, bytes, n);
}

void lockstep_mapped(lockstep_t *ls, const memmap_t *map) {
  if (ls->snapshots) snapshots_mapped(ls->snapshots, map);
  if (ls->oracle) history_remapped(oracle_history(ls->oracle), &ls->dut_world->map);
  if (ls->dut_world) world_map(ls->dut_world, map);
  if (ls->trace) trace_map(ls->trace, map);
}

void lockstep_origin(lockstep_t *ls, uint8_t byte) {
  uint8_t origin = origin_of(byte);
  if (ls->stats.tagged && origin == ls->stats.origin) return;
  stats_set_origin(&ls->stats, origin);
  if (ls->trace) trace_origin(ls->trace, origin);
}

bool lockstep_can_reset(const lockstep_t *ls) {
  return !ls->dut || ls->dut->reset;
}

void lockstep_reset(lockstep_t *ls) {
  assert(lockstep_can_reset(ls));
  if (ls->snapshots) snapshots_reset(ls->snapshots);
  if (ls->oracle) oracle_reset(ls->oracle);
  if (ls->dut) ls->dut->reset(ls->handle);
  if (ls->stats.origin != ORIGIN_OTHER) stats_set_origin(&ls->stats, ORIGIN_OTHER);
  if (ls->trace) trace_reset(ls->trace);
  if (ls->coverage) coverage_reset(ls->coverage);
}

void lockstep_finish(lockstep_t *ls) {
  wave_end(ls);
}
