#include "data_file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From where programs are installed to where their data are: what GNUInstallDirs' directories come to. */
static const char installed[] = MMU86_DATA_FROM_BIN;

static bool there(const char *path) {
  return access(path, F_OK) == 0;
}

bool data_file_from(const char *bin, const char *name, char *path) {
  char other[DATA_FILE_PATH];
  int n = snprintf(path, DATA_FILE_PATH, "%s/%s/%s", bin, installed, name);
  if (n >= DATA_FILE_PATH) return false;
  if (!there(path)) {
    n = snprintf(other, sizeof other, "%s/share/mmu86/%s", bin, name);
    if (n >= DATA_FILE_PATH || !there(other)) return false;
    memcpy(path, other, (size_t)n + 1);
  }
  char *real = realpath(path, NULL);
  if (real && strlen(real) < DATA_FILE_PATH) memcpy(path, real, strlen(real) + 1);
  free(real);
  return true;
}

bool data_file(const char *name, char *path) {
  char bin[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", bin, sizeof bin - 1);
  bin[n > 0 ? n : 0] = 0;
  char *slash = strrchr(bin, '/');
  if (slash) *slash = 0;
  return data_file_from(bin, name, path);
}

static int visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

void data_file_list(FILE *out, const char *directory) {
  char path[DATA_FILE_PATH];
  struct dirent **entries;
  int n = data_file(directory, path) ? scandir(path, &entries, visible, alphasort) : -1;
  if (n < 0) return;
  for (int i = 0; i < n; i++) {
    fprintf(out, "  %.*s\n", (int)strcspn(entries[i]->d_name, "."), entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
}
