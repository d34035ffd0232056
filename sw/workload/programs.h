/// Running ring-3 programs from a workload.
#ifndef WORKLOAD_PROGRAMS_H
#define WORKLOAD_PROGRAMS_H

/// Runs a program of user/ with a number as its argument to its end. Its exit status must be 0.
void expect_program(const char *name, unsigned long argument);

/// Starts one, up to 16 at a time; waits for `n` that were started. Each exit status must be 0.
void start_program(const char *name, unsigned long argument);
void await_programs(unsigned n);

#endif
