#include "output.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool output_places(const char *path, char *target, char *partial) {
  static const char suffix[] = ".partial";
  struct stat there;
  char resolved[PATH_MAX];
  if (stat(path, &there) == 0) {
    if (!S_ISREG(there.st_mode) || !realpath(path, resolved)) return false;
    path = resolved;
  }
  if (strlen(path) + sizeof suffix > OUTPUT_PATH) return false;
  strcpy(target, path);
  snprintf(partial, OUTPUT_PATH, "%.*s%s", (int)(OUTPUT_PATH - sizeof suffix), path, suffix);
  return true;
}

bool output_same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void output_plain(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7F) *text = '?';
}
