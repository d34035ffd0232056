#include "replay.h"

#include <stdio.h>

#include "decode.h"
#include "x86.h"

/* What reads descriptors makes sense in protected mode only; a trace from elsewhere may ask for it anyway. */
static bool acceptable(const rig_t *rig, const mmu_req_t *req) {
  bool needs_protection = req->op == MMU_OP_LOAD_SEG || req->op >= MMU_OP_VERIFY;
  return !needs_protection || (mmu_cr(rig->mmu, 0) & X86_CR0_PE);
}

replay_status_t replay_record(rig_t *rig, const trace_record_t *record, mmu_rsp_t *rsp, char *why, unsigned why_bytes) {
  switch (record->kind) {
  case TRACE_REQUEST:
    if (acceptable(rig, &record->req)) return rig_transact(rig, &record->req, rsp) ? REPLAY_AGREE : REPLAY_DIFFERS;
    snprintf(why, why_bytes, "transaction %llu: %s in real mode", (unsigned long long)rig->ls->sequence,
             decode_op_name(record->req.op));
    return REPLAY_REFUSED;
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
  case TRACE_RESET:
    break;
  }
  if (lockstep_can_reset(rig->ls)) {
    rig_reset(rig);
    return REPLAY_AGREE;
  }
  snprintf(why, why_bytes, "transaction %llu: the trace resets the machine; the DUT %s has no reset",
           (unsigned long long)rig->ls->sequence, rig->ls->dut->name);
  return REPLAY_REFUSED;
}
