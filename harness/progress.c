#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

double progress_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_start(progress_t *p, const char *unit, uint64_t total) {
  double now = progress_clock();
  *p = (progress_t){isatty(STDERR_FILENO) == 1, false, now, now, unit, total};
}

void progress_show(progress_t *p, uint64_t done, uint64_t references) {
  if (!p->on) return;
  double now = progress_clock();
  if (now - p->last < 0.2) return;
  p->last = now;
  p->shown = true;
  fprintf(stderr, "\r\033[K%.1f M", (double)done * 1e-6);
  if (p->total) fprintf(stderr, " of %.1f M", (double)p->total * 1e-6);
  fprintf(stderr, " %s, %.1f M references, %.2f M references/s, %.0f s", p->unit, (double)references * 1e-6,
          (double)references * 1e-6 / (now - p->started), now - p->started);
  fflush(stderr);
}

void progress_clear(progress_t *p) {
  if (p->shown) fputs("\r\033[K", stderr);
  p->shown = false;
}
