/// Making memory short without filling it.
#ifndef WORKLOAD_PRESSURE_H
#define WORKLOAD_PRESSURE_H

/// Whatever is above `user` pages of the zone that user pages come from, and above `kernel` pages of each zone that the
/// kernel's own come from, becomes reserve. Until relieve_memory.
void make_memory_short(unsigned long user, unsigned long kernel);
void relieve_memory(void);

#endif
