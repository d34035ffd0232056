/*
 * Files of functional coverage, as `mmu86 coverage` reads them. The input is the file; it is merged with itself.
 */
#include <string.h>

#include "coverage_report.h"
#include "fuzz.h"

/* What is read twice counts twice, and is reported with and without holes. */
static void check(coverage_t *c, const char *path) {
  char error[512] = "";
  coverage_count_t once = coverage_count(c, coverage_n_groups(c));
  fuzz_demand(coverage_merge_file(c, path, error, sizeof error), "what was merged can be merged again");
  coverage_count_t twice = coverage_count(c, coverage_n_groups(c));
  fuzz_demand(once.hit == twice.hit && once.bins == twice.bins, "the same bins are hit");
  fuzz_listen();
  coverage_print(stdout, c, true);
  unsigned violations = coverage_print_violations(stderr, c);
  fuzz_demand_lines(fuzz_heard(), violations);
  json_t *json = coverage_json(c);
  fuzz_demand(json_is_object(json), "it can be written as JSON");
  json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char error[512] = "";
  const char *path = fuzz_file(0, data, size, 0);
  coverage_t *c = coverage_create_for(path, error, sizeof error);
  bool ok = c && coverage_merge_file(c, path, error, sizeof error);
  if (ok)
    check(c, path);
  else
    fuzz_demand_line(error);
  coverage_destroy(c);
  return 0;
}
