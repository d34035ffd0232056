/// malloc in ring 3, as programs of several kinds use it.
#include "programs.h"
#include <kernel/workload.h>

void workload_malloc(void) {
  unsigned long traces = (rounds(24) + 2) * 100;

  expect_program("malloc", traces + boot_params.seed % 90);
  if (!boot_params.quick) { // two at a time would print each into the other's lines
    for (unsigned long i = 1; i < 2 * boot_params.scale; i++)
      expect_program("malloc", traces / 2 + (boot_params.seed + i) % 90);
  }
  expect_program("mallocbad", 0);
}
