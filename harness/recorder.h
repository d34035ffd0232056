/*
 * What a run with a JSON result records for pictures (mmu86 report): itself over time, and clock cycles.
 */
#ifndef MMU86_RECORDER_H
#define MMU86_RECORDER_H

#include "cycle_counts.h"
#include "lockstep.h"
#include "timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct recorder {
  timeline_t timeline;
  cycle_counts_t counts;
  mmu_config_t geometry; /* of the reference's TLB */
  bool has_entries;      /* the reference's TLB is the device's: the points have the entries */
  bool has_cycles;       /* counts says something: there is a device, and its requests do not overlap */
  uint64_t cycles;       /* of the device, at the end of the last transaction */
} recorder_t;

/* Before the first transaction. geometry: of the reference. overlapped: requests will. */
void recorder_start(recorder_t *recorder, const lockstep_t *ls, const mmu_config_t *geometry, bool overlapped);

/* A transaction is done, and counted in ls->stats and ls->sequence. mmu: the reference. */
void recorder_note(recorder_t *recorder, const lockstep_t *ls, const mmu_t *mmu, const mmu_req_t *req,
                   const mmu_rsp_t *rsp);

/* The sums and entries of now. mmu: NULL if nobody has one. */
timeline_point_t recorder_now(const recorder_t *recorder, const lockstep_t *ls, const mmu_t *mmu);

#ifdef __cplusplus
}
#endif

#endif
