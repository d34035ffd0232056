/*
 * A run over time, in a bounded number of points: sums up to equal distances in transactions. When the points are all
 * used, every second one is dropped and the distance doubles, so the same run has the same points.
 */
#ifndef MMU86_TIMELINE_H
#define MMU86_TIMELINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TIMELINE_POINTS = 512 };

/* Since the run began, but for the entries: those are of that moment. */
typedef struct {
  uint64_t tlb_hits, tlb_misses, walks, faults, cycles;
  uint32_t entries_4k, entries_4m; /* valid ones of the TLB */
} timeline_point_t;

/* Point i is at the end of transaction (i + 1) * every. Zeroed by timeline_start. */
typedef struct {
  uint64_t every; /* transactions between points */
  uint64_t next;  /* transactions done when the next point is due */
  unsigned n;
  timeline_point_t point[TIMELINE_POINTS];
} timeline_t;

void timeline_start(timeline_t *timeline);

/* Adds the point that is due at timeline->next. */
void timeline_add(timeline_t *timeline, const timeline_point_t *point);

#ifdef __cplusplus
}
#endif

#endif
