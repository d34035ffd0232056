#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_file.h"
#include "setup_file.h"
#include "translations_gtkw.h"
#include "view.h"

/* A line of the set-up; filters are named where they lie. */
static void put_line(FILE *file, const char *line, size_t n) {
  static const char here[] = "waveforms/";
  char path[DATA_FILE_PATH];
  for (size_t i = 0; line[0] == '^' && i + sizeof here - 1 < n; i++) {
    if (strncmp(&line[i], here, sizeof here - 1) != 0) continue;
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(n - i), &line[i]);
    if (!data_file(name, path)) return; /* the viewer shows the number then */
    fprintf(file, "%.*s%s\n", (int)i, line, path);
    return;
  }
  fprintf(file, "%.*s\n", (int)n, line);
}

static void put(FILE *file, uint64_t first) {
  unsigned long long marker = first, start = first > 2 ? first - 2 : 0;
  fprintf(file, "[timestart] %llu\n*-2.000000 %llu -1\n", start, marker);
  for (const char *line = translations_gtkw, *end; (end = strchr(line, '\n')); line = end + 1)
    put_line(file, line, (size_t)(end - line));
}

bool view_setup_write(const char *path, uint64_t first, bool *kept, char *error, unsigned error_bytes) {
  char *text = NULL;
  size_t bytes = 0;
  setup_file_t how = SETUP_FAILED;
  FILE *file = open_memstream(&text, &bytes);
  if (file) {
    put(file, first);
    if (fclose(file) == 0) how = setup_file_write(path, text);
  }
  if (how == SETUP_FAILED)
    snprintf(error, error_bytes, "%s: cannot write the viewer's set-up: %s", path, strerror(errno));
  free(text);
  *kept = how == SETUP_KEPT;
  return how != SETUP_FAILED;
}
