/*
 * Minimal reproductions: a trace whose replay fails is reduced to the few records that make it fail the same way.
 *
 * Every candidate is replayed on a fresh reference and a fresh DUT. Nothing is random: the same trace and the same
 * device give the same result.
 */
#ifndef MMU86_SHRINK_H
#define MMU86_SHRINK_H

#include "subject.h"

typedef struct {
  bench_env_t env;         /* ram_bytes is taken from the trace */
  bool any_failure;        /* what is left may fail in another way than the trace does */
  void *ctx;               /* of the functions below, which may be NULL */
  bool (*stop)(void *ctx); /* asked before each candidate: true ends it with what is best so far */
  void (*show)(void *ctx, uint64_t candidates, size_t records); /* progress */
} shrink_config_t;

typedef enum {
  SHRINK_DONE,    /* the result cannot be reduced further by any step that there is */
  SHRINK_STOPPED, /* the result fails, but there was no time to reduce it further */
  SHRINK_AGREES,  /* the replay does not fail: no result */
  SHRINK_BAD,     /* the trace cannot be replayed; error says why: no result */
} shrink_status_t;

typedef struct {
  trace_header_t header; /* of the trace; overlapped: of the records */
  bench_env_t env;       /* that of the records */
  records_t records;     /* the last one fails */
  records_pool_t pool;   /* of records */
  failure_t original, failure;
  records_count_t before, after; /* before: up to the failure */
  uint64_t candidates;           /* that were tried */
} shrink_result_t;

/*
 * Shrinks the trace at path. error: one line with SHRINK_BAD. The caller frees *result by shrink_free, whatever the
 * status is.
 */
shrink_status_t shrink_trace(const char *path, const shrink_config_t *config, shrink_result_t *result, char *error,
                             unsigned error_bytes);
void shrink_free(shrink_result_t *result);

#endif
