#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lockstep_gtkw.h"
#include "overlap_gtkw.h"
#include "snapshot_wave.h"

/* 200 pixels show 2^5 points in time, lockstep.gtkw's window some 200; the marker has this many to its left. */
enum { ZOOM = -5, BEFORE = 100, NAMED_MARKERS = 26 };

static void put(FILE *file, const snapshot_wave_t *wave) {
  uint64_t start = wave->marker > BEFORE ? wave->marker - BEFORE : 0;
  fprintf(file, "[*] A failure; the marker is at %" PRIu64 ", A and B are around its transaction\n", wave->marker);
  fprintf(file, "[timestart] %" PRIu64 "\n", start);
  fprintf(file, "*%d.000000 %" PRIu64 " %" PRIu64 " %" PRIu64, ZOOM, wave->marker, wave->begin, wave->end);
  for (unsigned i = 2; i < NAMED_MARKERS; i++)
    fputs(" -1", file);
  fprintf(file, "\n%s", wave->overlapped ? overlap_gtkw : lockstep_gtkw);
}

setup_file_t snapshot_setup_write(const char *path, const snapshot_wave_t *wave) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *file = open_memstream(&text, &bytes);
  if (!file) return SETUP_FAILED;
  put(file, wave);
  setup_file_t how = fclose(file) == 0 ? setup_file_write(path, text) : SETUP_FAILED;
  int why = errno;
  free(text);
  errno = why;
  return how;
}
