#include "replay.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "overlap.h"
#include "x86.h"

/* What reads descriptors makes sense in protected mode only; a trace from elsewhere may ask for it anyway. */
static bool acceptable(const rig_t *rig, const mmu_req_t *req) {
  bool needs_protection = req->op == MMU_OP_LOAD_SEG || req->op >= MMU_OP_VERIFY;
  return !needs_protection || (mmu_cr(rig->mmu, 0) & X86_CR0_PE);
}

static replay_status_t request(rig_t *rig, const mmu_req_t *req, mmu_rsp_t *rsp, char *why, unsigned why_bytes) {
  overlap_t *overlap = rig->ls->overlap;
  if (overlap && !overlap_make_room(overlap, req)) return REPLAY_DIFFERS;
  if (!acceptable(rig, req)) {
    snprintf(why, why_bytes, "transaction %llu: %s in real mode", (unsigned long long)rig->ls->sequence,
             decode_op_name(req->op));
    return REPLAY_REFUSED;
  }
  if (!overlap) return rig_transact(rig, req, rsp) ? REPLAY_AGREE : REPLAY_DIFFERS;
  memset(rsp, 0, offsetof(mmu_rsp_t, tlb));
  overlap_offer(overlap, req);
  return REPLAY_AGREE;
}

replay_status_t replay_record(rig_t *rig, const trace_record_t *record, mmu_rsp_t *rsp, char *why, unsigned why_bytes) {
  switch (record->kind) {
  case TRACE_REQUEST:
    return request(rig, &record->req, rsp, why, why_bytes);
  case TRACE_STORE:
    rig_store(rig, record->paddr, record->size, record->data);
    return REPLAY_AGREE;
  case TRACE_LOAD:
    rig_load(rig, record->paddr, record->bytes, record->size);
    return REPLAY_AGREE;
  case TRACE_MAP:
    rig_map(rig, &record->map);
    return REPLAY_AGREE;
  case TRACE_ORIGIN:
    lockstep_origin(rig->ls, record->origin);
    return REPLAY_AGREE;
  case TRACE_CYCLE:
    if (!rig->ls->overlap) return REPLAY_AGREE;
    return overlap_cycle(rig->ls->overlap, record->take, record->kill) ? REPLAY_AGREE : REPLAY_DIFFERS;
  case TRACE_RESET:
    break;
  }
  if (rig->ls->overlap) {
    snprintf(why, why_bytes, "transaction %llu: a reset among requests that overlap",
             (unsigned long long)rig->ls->sequence);
    return REPLAY_REFUSED;
  }
  if (lockstep_can_reset(rig->ls)) {
    rig_reset(rig);
    return REPLAY_AGREE;
  }
  snprintf(why, why_bytes, "transaction %llu: the trace resets the machine; the DUT %s has no reset",
           (unsigned long long)rig->ls->sequence, rig->ls->dut->name);
  return REPLAY_REFUSED;
}
