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

bool output_same_place(const char *a, const char *b) {
  struct stat x, y;
  bool there = stat(a, &x) == 0, other_there = stat(b, &y) == 0;
  if (there || other_there) return there && other_there && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
  const char *a_name = strrchr(a, '/'), *b_name = strrchr(b, '/');
  if (strcmp(a_name ? a_name + 1 : a, b_name ? b_name + 1 : b) != 0) return false;
  char a_dir[OUTPUT_PATH], b_dir[OUTPUT_PATH];
  snprintf(a_dir, sizeof a_dir, "%.*s", a_name ? (int)(a_name - a + 1) : 1, a_name ? a : ".");
  snprintf(b_dir, sizeof b_dir, "%.*s", b_name ? (int)(b_name - b + 1) : 1, b_name ? b : ".");
  return output_same_file(a_dir, b_dir);
}

void output_plain(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7F) *text = '?';
}
