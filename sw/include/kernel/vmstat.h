/// Counters of the memory manager, one set per processor. As in Linux 2.6 ("linux/vmstat.h").
#ifndef KERNEL_VMSTAT_H
#define KERNEL_VMSTAT_H

#include <kernel/percpu.h>

enum vm_event {
  PGALLOC,    ///< pages allocated
  PGFREE,     ///< pages freed
  PGACTIVATE, ///< moved to the active list
  PGDEACTIVATE,
  PGSCAN,      ///< looked at by reclaim
  PGSTEAL,     ///< taken by reclaim
  PGROTATED,   ///< got a second chance
  PSWPIN,      ///< pages read from the swap area
  PSWPOUT,     ///< pages written to it
  ALLOCSTALL,  ///< allocations that had to reclaim themselves
  KSWAPD_WAKE, ///< kswapd set to work
  OOM_KILL,
  SLAB_GROW, ///< slabs made
  SLAB_REAP, ///< slabs given back
  NR_VM_EVENTS,
};

struct vm_event_state {
  unsigned long event[NR_VM_EVENTS];
};
DECLARE_PER_CPU(struct vm_event_state, vm_event_states);

static inline void count_vm_events(enum vm_event event, unsigned long n) {
  get_cpu_var(vm_event_states).event[event] += n;
  put_cpu_var(vm_event_states);
}
static inline void count_vm_event(enum vm_event event) {
  count_vm_events(event, 1);
}

/// Sum over the processors.
unsigned long vm_event(enum vm_event event);

/// One line with each counter that is not 0, as /proc/vmstat.
void show_vmstat(void);

#endif
