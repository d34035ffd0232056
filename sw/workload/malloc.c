/// malloc in ring 3, as programs of several kinds use it.
#include "programs.h"
#include <kernel/workload.h>

void workload_malloc(void) {
  unsigned long traces = rounds(24) * 100;

  expect_program("malloc", traces + boot_params.seed % 90);
  for (unsigned long i = turns(2); i > 1; i--) // one after the other: each prints lines
    expect_program("malloc", traces / 2 + (boot_params.seed + i) % 90);
  expect_program("mallocbad", 0);
}
