#include "setup_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

const char setup_file_kept[] = "kept as it is: mmu86 has not written it, or it was changed since";

/* The first line; to the viewer a comment. */
static const char sum_line[] = "[*] mmu86: written anew unless it is changed; %016" PRIx64 "\n";
enum { SUM_LINE_BYTES = 80 };

/* FNV-1a, of what follows the first line. */
static uint64_t add_to_sum(uint64_t sum, int byte) {
  return (sum ^ (uint64_t)byte) * 0x100000001B3u;
}

static const uint64_t no_sum = 0xCBF29CE484222325u;

static bool is_ours(FILE *file) {
  char line[SUM_LINE_BYTES], want[SUM_LINE_BYTES];
  if (!fgets(line, sizeof line, file)) return false;
  uint64_t sum = no_sum;
  for (int byte; (byte = fgetc(file)) != EOF;)
    sum = add_to_sum(sum, byte);
  snprintf(want, sizeof want, sum_line, sum);
  return !ferror(file) && strcmp(line, want) == 0;
}

/* Whether a file may be written over. One that cannot be read may not. */
static bool may_replace(const char *path) {
  FILE *there = fopen(path, "rb");
  if (!there) return access(path, F_OK) != 0;
  bool ours = is_ours(there);
  fclose(there);
  return ours;
}

setup_file_t setup_file_write(const char *path, const char *text) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  if (!output_places(path, target, partial)) {
    errno = EINVAL;
    return SETUP_FAILED;
  }
  if (!may_replace(target)) return SETUP_KEPT;
  FILE *file = fopen(partial, "wb");
  if (!file) return SETUP_FAILED;
  uint64_t sum = no_sum;
  for (const char *c = text; *c; c++)
    sum = add_to_sum(sum, (unsigned char)*c);
  fprintf(file, sum_line, sum);
  fputs(text, file);
  bool ok = !ferror(file);
  if (fclose(file) == 0 && ok && rename(partial, target) == 0) return SETUP_WRITTEN;
  int why = errno;
  remove(partial);
  errno = why;
  return SETUP_FAILED;
}
