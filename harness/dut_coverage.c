#include "dut_coverage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "output.h"

/* Whether a file is there that holds something. */
static bool has_content(const char *path) {
  struct stat there;
  return stat(path, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0;
}

bool dut_coverage_write(const dut_ops_t *dut, void *handle, const char *path, char *error, unsigned error_bytes) {
  char target[OUTPUT_PATH], partial[OUTPUT_PATH], why[256] = "";
  if (!output_places(path, target, partial)) {
    snprintf(error, error_bytes, "%.200s: cannot write the DUT's coverage: not a file", path);
    return false;
  }
  remove(partial);
  if (!dut->coverage_write(handle, partial, why, sizeof why)) {
    why[sizeof why - 1] = 0;
    output_plain(why);
    snprintf(error, error_bytes, "%.200s: the DUT %s writes no coverage: %s", path, dut->name,
             why[0] ? why : "it does not say why");
  } else if (!has_content(partial)) {
    snprintf(error, error_bytes, "%.200s: the DUT %s has written no coverage, and says that it has", path, dut->name);
  } else if (rename(partial, target) == 0) {
    return true;
  } else {
    snprintf(error, error_bytes, "%.200s: cannot write the DUT's coverage: %s", path, strerror(errno));
  }
  remove(partial);
  return false;
}
