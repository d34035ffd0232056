/*
 * mmu86 diff. The input: two results with a NUL between; without one, the same twice, which must not differ.
 */
#include <string.h>

#include "commands.h"
#include "fuzz.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char name[] = "diff", a[64], b[64];
  const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
  size_t first = nul ? (size_t)(nul - data) : size;
  strcpy(a, fuzz_file(0, data, first, 0));
  strcpy(b, nul ? fuzz_file(1, nul + 1, size - first - 1, 0) : a);
  char *argv[] = {name, a, b, NULL};
  fuzz_listen();
  int status = cmd_diff(3, argv);
  const char *said = fuzz_heard();
  fuzz_demand_lines(said, 1);
  fuzz_demand(status == EXIT_PASS || status == EXIT_MISMATCH || status == EXIT_BAD_INPUT,
              "the exit status is one of three");
  fuzz_demand((status == EXIT_BAD_INPUT) == (said[0] != 0), "bad input is said to be bad, and nothing else is");
  fuzz_demand(nul || status != EXIT_MISMATCH, "a result does not differ from itself");
  return 0;
}
