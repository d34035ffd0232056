/*
 * The translation view: a small FST file of a whole run, one transaction at each point of time, with what came of it,
 * station by station. It knows no device: what it shows is the reference's answer, and the verdict.
 */
#ifndef MMU86_VIEW_H
#define MMU86_VIEW_H

#include "mmu.h"

typedef struct view view_t;

/* What is thought of the device's answer. */
typedef enum {
  VIEW_ALONE = 0, /* there is no device, or nobody judges it */
  VIEW_AGREES,    /* check level exact */
  VIEW_FRESH,
  VIEW_STALE_LEGAL,
  VIEW_STALE_ILLEGAL,
  VIEW_WRONG, /* what no page ever was; check level exact: the answers differ */
  VIEW_HANG,
  VIEW_PROTOCOL,
  VIEW_VERDICTS
} view_verdict_t;

/* A transaction. */
typedef struct {
  uint64_t number; /* its point of time; more than that of the one before */
  const mmu_req_t *req;
  const mmu_rsp_t *rsp;
  const mmu_t *mmu; /* the reference after it */
  uint8_t origin;   /* for whom the guest works */
  view_verdict_t verdict;
} view_step_t;

/* Begins a view, which is written beside path and renamed when whole. Returns NULL and a line in error. */
view_t *view_open(const char *path, char *error, unsigned error_bytes);

void view_show(view_t *view, const view_step_t *step);

/* Ends it. Returns false and a line in error if the file is not whole; then it is not there. */
bool view_close(view_t *view, char *error, unsigned error_bytes);

/* Writes GTKWave's set-up for a view that begins at point of time first. kept: there is another one, which stays.
 * Returns false and a line in error. */
bool view_setup_write(const char *path, uint64_t first, bool *kept, char *error, unsigned error_bytes);

#endif
