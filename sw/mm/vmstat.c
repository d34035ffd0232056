#include <kernel/kernel.h>
#include <kernel/vmstat.h>

DEFINE_PER_CPU(struct vm_event_state, vm_event_states);

unsigned long vm_event(enum vm_event event) {
  unsigned long sum = 0;
  for_each_possible_cpu(cpu) sum += per_cpu(vm_event_states, cpu).event[event];
  return sum;
}

void show_vmstat(void) {
  static const char *const names[NR_VM_EVENTS] = {
      [PGALLOC] = "pgalloc",           [PGFREE] = "pgfree",       [PGACTIVATE] = "pgactivate",
      [PGDEACTIVATE] = "pgdeactivate", [PGSCAN] = "pgscan",       [PGSTEAL] = "pgsteal",
      [PGROTATED] = "pgrotated",       [PSWPIN] = "pswpin",       [PSWPOUT] = "pswpout",
      [ALLOCSTALL] = "allocstall",     [KSWAPD_WAKE] = "kswapd",  [OOM_KILL] = "oom_kill",
      [SLAB_GROW] = "slab_grow",       [SLAB_REAP] = "slab_reap",
  };

  printk("vmstat:");
  for (unsigned i = 0; i < NR_VM_EVENTS; i++)
    if (vm_event((enum vm_event)i)) printk(" %s %lu", names[i], vm_event((enum vm_event)i));
  printk("\n");
}
