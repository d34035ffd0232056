/// Data of which each processor has its own copy. As in Linux 2.6 ("linux/percpu.h").
///
/// One processor plays nr_cpu_ids logical ones by turns: each task belongs to one of them, and a switch to a task of
/// another changes the base of the segment in FS, through which the copies are reached.
#ifndef KERNEL_PERCPU_H
#define KERNEL_PERCPU_H

#include <kernel/preempt.h>
#include <kernel/types.h>

enum { NR_CPUS = 4 };

/// Logical processors in use, 1 to NR_CPUS.
extern unsigned nr_cpu_ids;

/// What to add to the address of a variable in the section `percpu` for the copy of a processor.
extern unsigned long __per_cpu_offset[NR_CPUS];

#define DEFINE_PER_CPU(type, name) __attribute__((__section__("percpu"))) __typeof__(type) per_cpu__##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) per_cpu__##name

/// `pointer` and an offset; the compiler is not to know that the result is no part of the variable.
#define SHIFT_PERCPU_PTR(pointer, offset)                                                                              \
  ({                                                                                                                   \
    unsigned long shifted = (unsigned long)(pointer);                                                                  \
    __asm__("" : "+r"(shifted));                                                                                       \
    (__typeof__(pointer))(shifted + (offset));                                                                         \
  })

DECLARE_PER_CPU(unsigned, cpu_number);

#include <arch/percpu.h> // my_cpu_offset()

/// The copy of processor `cpu`; the copy of this one, for callers that cannot be preempted.
#define per_cpu(name, cpu) (*SHIFT_PERCPU_PTR(&per_cpu__##name, __per_cpu_offset[cpu]))
#define __get_cpu_var(name) (*SHIFT_PERCPU_PTR(&per_cpu__##name, my_cpu_offset()))

/// This processor's copy; no preemption until put_cpu_var.
#define get_cpu_var(name) (*(preempt_disable(), &__get_cpu_var(name)))
#define put_cpu_var(name) ((void)&per_cpu__##name, preempt_enable())

#define for_each_possible_cpu(cpu) for (unsigned cpu = 0; cpu < nr_cpu_ids; cpu++)

static inline unsigned smp_processor_id(void) {
  return __get_cpu_var(cpu_number);
}
/// This processor's number; no preemption until put_cpu.
static inline unsigned get_cpu(void) {
  preempt_disable();
  return smp_processor_id();
}
static inline void put_cpu(void) {
  preempt_enable();
}

/// Copies the section `percpu` for each processor to `memory`, aligned to a page, and lets this be processor 0.
/// Returns the bytes used; `memory` NULL: only tells how many.
size_t setup_per_cpu_areas(void *memory);

/// Makes this task's processor `cpu` from now on. Not with preemption disabled.
void switch_cpu(unsigned cpu);

/// `size` zeroed bytes for each processor, freed by free_percpu. NULL: no memory. The result is no address: use
/// per_cpu_ptr.
void *__alloc_percpu(size_t size);
void free_percpu(void *pointer);

#define alloc_percpu(type) ((type *)__alloc_percpu(sizeof(type)))
#define per_cpu_ptr(pointer, cpu) ((__typeof__(pointer))percpu_block((pointer), (cpu)))

/// What __alloc_percpu gave, complemented so that nobody takes it for an address: the blocks of the processors.
struct percpu_data {
  void *ptrs[NR_CPUS];
};
static inline void *percpu_block(const void *pointer, unsigned cpu) {
  return ((const struct percpu_data *)~(uintptr_t)pointer)->ptrs[cpu];
}

#endif
