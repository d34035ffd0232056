/// For tests on the host: the test says which processor this is.
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

DECLARE_PER_CPU(unsigned long, this_cpu_off);

extern unsigned host_cpu;
static inline unsigned long my_cpu_offset(void) {
  return __per_cpu_offset[host_cpu];
}

#define percpu_read(name) __get_cpu_var(name)
#define percpu_add(name, n) (__get_cpu_var(name) += (n))

#endif
