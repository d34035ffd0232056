#define _GNU_SOURCE
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void die(const char *what) {
  static const char why[] = "the fuzz target has no memory or files\n";
  const char *text = what ? what : why;
  if (write(STDERR_FILENO, text, strlen(text)) < 0) _exit(1);
  abort();
}

const char *fuzz_file(unsigned number, const void *bytes, size_t n, uint64_t file_bytes) {
  static int files[FUZZ_FILES];
  static char paths[FUZZ_FILES][64];
  char *path = paths[number];
  if (!path[0]) {
    files[number] = memfd_create("mmu86", MFD_CLOEXEC);
    snprintf(path, sizeof paths[number], "/proc/self/fd/%d", files[number]);
  }
  if (ftruncate(files[number], 0) != 0 || pwrite(files[number], bytes, n, 0) != (ssize_t)n) die(NULL);
  if (file_bytes > n && ftruncate(files[number], (off_t)file_bytes) != 0) die(NULL);
  return path;
}

static FILE *real_out, *real_err;
static char *out_text, *err_text;
static size_t out_bytes, err_bytes;

void fuzz_listen(void) {
  free(out_text);
  free(err_text);
  out_text = err_text = NULL;
  real_out = stdout;
  real_err = stderr;
  FILE *out = open_memstream(&out_text, &out_bytes), *err = open_memstream(&err_text, &err_bytes);
  if (!out || !err) die(NULL);
  stdout = out; /* glibc: the standard streams are variables */
  stderr = err;
}

const char *fuzz_heard(void) {
  fclose(stdout);
  fclose(stderr);
  stdout = real_out;
  stderr = real_err;
  fuzz_demand(strlen(err_text) == err_bytes, "stderr got a NUL");
  return err_text;
}

void fuzz_demand(bool good, const char *what) {
  if (good) return;
  char line[256];
  snprintf(line, sizeof line, "not so: %s\n", what);
  die(line);
}

void fuzz_demand_lines(const char *text, unsigned max) {
  unsigned lines = 0;
  for (const char *p = text; *p; p++) {
    lines += *p == '\n';
    if (*p != '\n' && ((unsigned char)*p < ' ' || *p == 0x7F)) {
      fprintf(stderr, "%s\n", text);
      fuzz_demand(false, "what is printed has no control characters");
    }
  }
  if (lines > max) fprintf(stderr, "%s\n", text);
  fuzz_demand(lines <= max, "few lines are printed");
}

void fuzz_demand_line(const char *text) {
  fuzz_demand(text[0] != 0, "an error has a text");
  fuzz_demand_lines(text, 0);
}
