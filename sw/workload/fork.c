/// Copy on write: trees of processes that share and change the same pages.
#include "programs.h"
#include <arch/traps.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/workload.h>

void workload_fork(void) {
  struct fault_stats before = fault_stats;
  unsigned long depth = form() == FORM_FULL ? 4 : form() == FORM_TOUR ? 3 : 2;

  for (unsigned long i = turns(3); i; i--) {
    expect_program("fork", pages(40, 8));
    start_program("storm", pages(16, 64) * 10 + depth);
    start_program("storm", pages(48, 64) * 10 + depth - 1);
    await_programs(2);
    expect_program("mprotect", pages(60, 16) + 4);
  }
  CHECK(fault_stats.cow_copy > before.cow_copy && fault_stats.cow_reuse > before.cow_reuse);
  CHECK(list_empty(&init_task.children) == false); // kswapd alone
  printk("%lu pages copied on write, %lu reused\n", fault_stats.cow_copy - before.cow_copy,
         fault_stats.cow_reuse - before.cow_reuse);
}
