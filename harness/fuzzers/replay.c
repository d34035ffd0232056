/*
 * Feeds a fuzz target its corpus, without libFuzzer: for compilers that have none. Arguments: directories and files.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static char current[4096]; /* for who looks at a crash in a debugger */

static bool feed(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) return false;
  long n = ftell(file);
  uint8_t *bytes = n < 0 ? NULL : malloc((size_t)n + 1);
  rewind(file);
  bool ok = bytes && fread(bytes, 1, (size_t)n, file) == (size_t)n;
  fclose(file);
  if (ok) {
    uint8_t *exact = realloc(bytes, n ? (size_t)n : 1); /* so that AddressSanitizer sees its end */
    if (exact) bytes = exact;
    snprintf(current, sizeof current, "%s", path);
    LLVMFuzzerTestOneInput(bytes, (size_t)n);
  }
  free(bytes);
  return ok;
}

static int no_dots(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Returns how many inputs were fed, or -1. */
static int feed_all(const char *path) {
  struct dirent **names;
  int n = scandir(path, &names, no_dots, alphasort);
  if (n < 0) return feed(path) ? 1 : -1;
  bool ok = true;
  for (int i = 0; i < n; i++) {
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
    ok = ok && feed(file);
    free(names[i]);
  }
  free(names);
  return ok ? n : -1;
}

int main(int argc, char **argv) {
  int fed = 0;
  for (int i = 1; i < argc; i++) {
    int n = feed_all(argv[i]);
    if (n <= 0) {
      fprintf(stderr, "%s: %s: cannot be read, or has no inputs\n", argv[0], argv[i]);
      return EXIT_FAILURE;
    }
    fed += n;
  }
  printf("%d inputs\n", fed);
  return fed ? EXIT_SUCCESS : EXIT_FAILURE;
}
