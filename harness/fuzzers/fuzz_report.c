/*
 * mmu86 report. The input: a result; behind a NUL the baseline, behind another one coverage. The page goes to a file
 * that is read again: whatever the results hold, it is markup of ours alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fuzz.h"
#include "options.h"

/* The end of a tag that the page may have: its name is one of ours, and a quote is never left open. */
static const char *check_tag(const char *tag) {
  static const char names[] =
      " !DOCTYPE html head meta title style body header p h1 h2 span pre dl dt dd div nav a section "
      "figure svg text rect line path details summary table thead tbody tr th td footer ";
  char name[16] = " ";
  const char *at = tag + (*tag == '/');
  size_t n = strcspn(at, " />");
  fuzz_demand(n > 0 && n < sizeof name - 2, "a tag has a name");
  memcpy(name + 1, at, n);
  memcpy(name + 1 + n, " ", 2);
  fuzz_demand(strstr(names, name), "a tag is one of the page's own");
  for (at += n; *at != '>'; at++) {
    fuzz_demand(*at && *at != '<' && *at != '\'', "a tag ends");
    if (*at != '"') continue;
    at = strchr(at + 1, '"');
    fuzz_demand(at, "an attribute ends");
    if (!at) abort();
  }
  return at;
}

/* A page that was written. */
static void check_page(const char *text) {
  int depth = 0; /* elements that are open */
  fuzz_demand(strncmp(text, "<!DOCTYPE html>\n", 16) == 0, "a page begins");
  for (const char *at = text + 15; *at; at++) {
    fuzz_demand((unsigned char)*at >= ' ' || *at == '\n', "no control characters");
    if (*at != '<') continue;
    const char *end = check_tag(at + 1);
    depth += at[1] == '/' ? -1 : end[-1] != '/';
    at = end;
  }
  fuzz_demand(depth == 0, "each element ends");
  fuzz_demand(!strstr(text, "\"nan") && !strstr(text, "\"-nan") && !strstr(text, "\"inf"), "coordinates are numbers");
}

static char *read_page(const char *path) {
  FILE *file = fopen(path, "rb");
  fuzz_demand(file, "there is a page");
  if (!file) abort();
  fseek(file, 0, SEEK_END);
  size_t n = (size_t)ftell(file);
  char *text = malloc(n + 1);
  rewind(file);
  if (!text || fread(text, 1, n, file) != n) abort();
  text[n] = 0;
  fclose(file);
  fuzz_demand(strlen(text) == n, "a page has no NUL");
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char name[] = "report", paths[3][64], page[64], output[] = "-o", baseline[] = "--baseline", coverage[] = "--coverage";
  char *argv[9] = {name, paths[0], output, page};
  int argc = 4;
  for (unsigned i = 0; i < 3; i++) {
    const uint8_t *nul = size && i < 2 ? memchr(data, 0, size) : NULL;
    size_t n = nul ? (size_t)(nul - data) : size;
    snprintf(paths[i], sizeof paths[i], "%s", fuzz_file(i, data, n, 0));
    if (i) {
      argv[argc++] = i == 1 ? baseline : coverage;
      argv[argc++] = paths[i];
    }
    if (!nul) break;
    data = nul + 1;
    size -= n + 1;
  }
  snprintf(page, sizeof page, "%s", fuzz_file(3, NULL, 0, 0));
  fuzz_listen();
  int status = cmd_report(argc, argv);
  const char *said = fuzz_heard();
  fuzz_demand_lines(said, 1);
  fuzz_demand(status == EXIT_PASS || status == EXIT_BAD_INPUT, "the exit status is one of two");
  fuzz_demand((status == EXIT_BAD_INPUT) == (said[0] != 0), "bad input is said to be bad, and nothing else is");
  if (status != EXIT_PASS) return 0;
  char *text = read_page(page);
  check_page(text);
  free(text);
  return 0;
}
