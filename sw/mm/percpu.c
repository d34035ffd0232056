/// Per-CPU data: the static kind, copied at boot, and blocks at run time.
#include <kernel/kernel.h>
#include <kernel/mm.h>
#include <kernel/origin.h>
#include <kernel/percpu.h>
#include <kernel/slab.h>
#include <kernel/string.h>

extern char __start_percpu[], __stop_percpu[]; // the linker's: the section's bounds

enum { CACHE_LINE = 32 };

unsigned nr_cpu_ids = 1;
unsigned long __per_cpu_offset[NR_CPUS];
DEFINE_PER_CPU(unsigned, cpu_number) = 0;
DEFINE_PER_CPU(unsigned long, this_cpu_off) = 0;

size_t setup_per_cpu_areas(void *memory) {
  size_t size = align_up((unsigned long)(__stop_percpu - __start_percpu), CACHE_LINE);

  for (unsigned cpu = 0; memory && cpu < nr_cpu_ids; cpu++) {
    char *copy = (char *)memory + cpu * size;
    memcpy(copy, __start_percpu, (size_t)(__stop_percpu - __start_percpu));
    __per_cpu_offset[cpu] = (unsigned long)copy - (unsigned long)__start_percpu;
    per_cpu(cpu_number, cpu) = cpu;
    per_cpu(this_cpu_off, cpu) = __per_cpu_offset[cpu];
  }
  return size * nr_cpu_ids;
}

void *__alloc_percpu(size_t size) {
  enum origin before = origin_enter(ORIGIN_PERCPU);
  struct percpu_data *data = kzalloc(sizeof(*data), GFP_KERNEL);
  bool ok = data != NULL;

  for (unsigned cpu = 0; ok && cpu < nr_cpu_ids; cpu++) {
    data->ptrs[cpu] = kzalloc(size, GFP_KERNEL);
    ok = data->ptrs[cpu] != NULL;
  }
  if (data && !ok) {
    free_percpu((void *)~(uintptr_t)data);
    data = NULL;
  }
  origin_leave(before);
  return data ? (void *)~(uintptr_t)data : NULL;
}

void free_percpu(void *pointer) {
  if (!pointer) return;
  struct percpu_data *data = (struct percpu_data *)~(uintptr_t)pointer;
  for (unsigned cpu = 0; cpu < nr_cpu_ids; cpu++)
    kfree(data->ptrs[cpu]);
  kfree(data);
}
