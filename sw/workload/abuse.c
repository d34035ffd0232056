/// System calls in ways that must harm nobody but the caller.
#include "programs.h"
#include <kernel/mmz.h>
#include <kernel/workload.h>

void workload_abuse(void) {
  enum { WAYS = 7 };

  for (unsigned long way = 0; way < WAYS; way++)
    if (mmz_total() || (way != 0 && way != 4)) expect_program("abuse", way); // 0 and 4 want media memory
  for (unsigned long i = rounds(60) + 2; i; i--)
    expect_program("fuzz", random_below(1000000));
  CHECK(!mmz_blocks());
}
