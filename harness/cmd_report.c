/*
 * mmu86 report: a result as a page of pictures.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "coverage_report.h"
#include "diff.h"
#include "json_file.h"
#include "options.h"
#include "output.h"
#include "report_page.h"

enum { FILE_MAX = 64 << 20, ERROR_MAX = 1024 };

/* What the page is made of. */
typedef struct {
  const options_t *options;
  json_t *run, *baseline, *coverage;
  report_data_t *data;
  report_coverage_t covered;
  diff_t diff;
  char error[ERROR_MAX];
} report_t;

static bool refuse(report_t *r, const char *path, const char *why) {
  snprintf(r->error, sizeof r->error, "%.400s: %.500s", path, why);
  return false;
}

static json_t *load(report_t *r, const char *path) {
  struct stat there;
  if (stat(path, &there) == 0 && there.st_size > FILE_MAX) {
    refuse(r, path, "is larger than 64 MiB");
    return NULL;
  }
  return json_read(path, r->error, sizeof r->error);
}

/* A file of --coverage as "coverage report --json" would have it. */
static json_t *report_of(report_t *r, const char *path) {
  coverage_t *coverage = coverage_create_for(path, r->error, sizeof r->error);
  bool ok = coverage && coverage_merge_file(coverage, path, r->error, sizeof r->error);
  json_t *json = ok ? coverage_json(coverage) : NULL;
  if (ok && !json) refuse(r, path, "no memory");
  coverage_destroy(coverage);
  return json;
}

static bool load_coverage(report_t *r, const char *path) {
  char error[REPORT_ERROR];
  r->coverage = load(r, path);
  if (!r->coverage) return false;
  if (json_is_string(json_object_get(r->coverage, "format"))) {
    json_decref(r->coverage);
    r->coverage = report_of(r, path);
    if (!r->coverage) return false;
  }
  return report_coverage_read(&r->covered, r->coverage, error) || refuse(r, path, error);
}

static bool load_all(report_t *r) {
  const options_t *o = r->options;
  char error[REPORT_ERROR];
  r->run = load(r, o->input);
  if (!r->run) return false;
  r->data = report_data_read(r->run, error);
  if (!r->data) return refuse(r, o->input, error);
  if (o->baseline) {
    r->baseline = load(r, o->baseline);
    if (!r->baseline) return false;
    diff_compare(&r->diff, r->baseline, r->run);
  }
  return !o->coverage || load_coverage(r, o->coverage);
}

/* RUN.html of RUN.json. */
static bool name_output(report_t *r, char path[OUTPUT_PATH]) {
  const options_t *o = r->options;
  const char *slash = strrchr(o->input, '/'), *dot = strrchr(slash ? slash : o->input, '.');
  size_t stem = dot && dot[1] ? (size_t)(dot - o->input) : strlen(o->input);
  if (!o->output && stem + sizeof ".html" > OUTPUT_PATH) return refuse(r, o->input, "the page's name is too long");
  if (o->output)
    snprintf(path, OUTPUT_PATH, "%s", o->output);
  else
    snprintf(path, OUTPUT_PATH, "%.*s.html", (int)stem, o->input);
  const char *inputs[] = {o->input, o->baseline, o->coverage};
  for (unsigned i = 0; i < 3; i++)
    if (inputs[i] && output_same_file(path, inputs[i]))
      return refuse(r, path, "is an input; it cannot be the output as well");
  return true;
}

/* Writes to a name; stdout for "-". Returns 0 or an errno. */
static int write_name(const char *name, const report_page_t *page) {
  bool standard = strcmp(name, "-") == 0;
  FILE *file = standard ? stdout : fopen(name, "w");
  if (!file) return errno;
  errno = 0;
  report_page(file, page);
  int failure = fflush(file) != 0 || ferror(file) ? errno ? errno : EIO : 0;
  if (!standard && fclose(file) != 0 && !failure) failure = errno;
  return failure;
}

static bool write_page(report_t *r, const char *path) {
  const options_t *o = r->options;
  const report_page_t page = {.run = r->data,
                              .coverage = o->coverage ? &r->covered : &r->data->coverage,
                              .coverage_source = o->coverage ? o->coverage : "the run itself",
                              .diff = r->baseline ? &r->diff : NULL,
                              .baseline = o->baseline};
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  bool plain = strcmp(path, "-") != 0 && output_places(path, target, partial);
  int failure = write_name(plain ? partial : path, &page);
  if (!failure && plain && rename(partial, target) != 0) failure = errno;
  if (!failure) return true;
  if (plain) remove(partial);
  snprintf(r->error, sizeof r->error, "%.900s: cannot write the page: %s", path, strerror(failure));
  return false;
}

int cmd_report(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_REPORT, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_report_help();
    return status;
  }
  char path[OUTPUT_PATH];
  report_t r = {.options = &options};
  bool ok = load_all(&r) && name_output(&r, path) && write_page(&r, path);
  output_plain(r.error); /* one line, whatever the file has in it */
  if (!ok) fprintf(stderr, "mmu86 report: %s\n", r.error);
  diff_free(&r.diff);
  free(r.data);
  json_decref(r.run);
  json_decref(r.baseline);
  json_decref(r.coverage);
  return ok ? EXIT_PASS : EXIT_BAD_INPUT;
}

void cmd_report_help(void) {
  printf(
      "mmu86 report RUN.json [OPTION ...]\n\n"
      "Makes one HTML page of a result of run, replay, fuzz or sweep (--json): verdict and figures, the TLB over time, "
      "walks\n"
      "and faults by origin, clock cycles of a translation, what the page tables map at the end, coverage, and the\n"
      "differences from another run. The page needs no other file and no network.\n\n");
  options_help(stdout, FOR_REPORT);
  printf("\nExit status: 0 the page is written; 2 bad input or an output that cannot be written.\n\n"
         "Examples:\n"
         "  mmu86 run --json run.json && mmu86 report run.json\n"
         "  mmu86 report run.json --output page.html --coverage build/coverage.json\n"
         "  mmu86 report after.json --baseline before.json -o compared.html\n");
}
