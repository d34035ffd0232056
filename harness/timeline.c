#include "timeline.h"

#include <string.h>

void timeline_start(timeline_t *t) {
  memset(t, 0, sizeof *t);
  t->every = t->next = 1;
}

void timeline_add(timeline_t *t, const timeline_point_t *point) {
  t->point[t->n++] = *point;
  if (t->n == TIMELINE_POINTS) {
    for (unsigned i = 0; i < TIMELINE_POINTS / 2; i++)
      t->point[i] = t->point[2 * i + 1];
    t->n = TIMELINE_POINTS / 2;
    t->every *= 2;
  }
  t->next = (t->n + 1) * t->every;
}
