#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lockstep_gtkw.h"
#include "overlap_gtkw.h"
#include "snapshot_wave.h"

/* 200 pixels show 2^5 points in time, lockstep.gtkw's window some 200; the marker has this many to its left. */
enum { ZOOM = -5, BEFORE = 100, NAMED_MARKERS = 26 };

static bool put(FILE *file, const snapshot_wave_t *wave) {
  uint64_t start = wave->marker > BEFORE ? wave->marker - BEFORE : 0;
  fprintf(file, "[*] mmu86: a failure; the marker is at %" PRIu64 ", A and B are around its transaction\n",
          wave->marker);
  fprintf(file, "[timestart] %" PRIu64 "\n", start);
  fprintf(file, "*%d.000000 %" PRIu64 " %" PRIu64 " %" PRIu64, ZOOM, wave->marker, wave->begin, wave->end);
  for (unsigned i = 2; i < NAMED_MARKERS; i++)
    fputs(" -1", file);
  fprintf(file, "\n%s", wave->overlapped ? overlap_gtkw : lockstep_gtkw);
  return !ferror(file);
}

bool snapshot_setup_write(const char *path, const snapshot_wave_t *wave) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  if (!output_places(path, target, partial)) {
    errno = EINVAL;
    return false;
  }
  FILE *file = fopen(partial, "wb");
  if (!file) return false;
  bool ok = put(file, wave);
  if (fclose(file) == 0 && ok && rename(partial, target) == 0) return true;
  int why = errno;
  remove(partial);
  errno = why;
  return false;
}
