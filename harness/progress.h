/*
 * A line on stderr that tells how far a long run is; nothing at all if stderr is no terminal.
 */
#ifndef MMU86_PROGRESS_H
#define MMU86_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool on, shown;
  double started, last; /* seconds of the monotonic clock */
  const char *unit;
  uint64_t total; /* 0: unknown */
} progress_t;

/* Seconds of the monotonic clock. */
double progress_clock(void);

/* unit: what is counted, such as "instructions". total: 0 if unknown. */
void progress_start(progress_t *progress, const char *unit, uint64_t total);

/* done units and references so far. Redraws at most five times a second. */
void progress_show(progress_t *progress, uint64_t done, uint64_t references);

/* Takes the line away, before other output and at the end. */
void progress_clear(progress_t *progress);

#endif
