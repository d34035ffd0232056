#include "json_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Returns 0 or an errno. */
static int write_file(FILE *file, const json_t *root) {
  errno = 0;
  bool ok = json_dumpf(root, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF && fflush(file) == 0;
  return ok ? 0 : errno ? errno : EIO;
}

/* A place that cannot be renamed onto, such as a device or a pipe, is written directly. */
static bool is_plain(const char *path) {
  return strncmp(path, "/dev/", 5) != 0 && strcmp(path, "-") != 0;
}

bool json_write(const char *path, const json_t *root, char *error, unsigned error_bytes) {
  char partial[1024];
  bool plain = is_plain(path);
  snprintf(partial, sizeof partial, plain ? "%s.partial" : "%s", path);
  FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(partial, "w");
  int failure = file ? write_file(file, root) : errno;
  if (file && file != stdout && fclose(file) != 0 && !failure) failure = errno;
  if (!failure && plain && rename(partial, path) != 0) failure = errno;
  if (!failure) return true;
  if (plain) remove(partial);
  snprintf(error, error_bytes, "%s: cannot write the result: %s", path, strerror(failure));
  return false;
}
