/// The workloads: each uses the memory manager or the MMU in one way and checks what comes out.
#ifndef KERNEL_WORKLOAD_H
#define KERNEL_WORKLOAD_H

#include <kernel/boot.h>
#include <kernel/kernel.h>

/// Counts a self-check; a failed one is reported.
#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)

/// Returns `ok`. After ten failures the machine is ended.
bool check(bool ok, const char *file, int line, const char *what);

/// Ends the machine with an error if `pointer` is NULL: a workload cannot go on without memory.
void *need(void *pointer);

/// A pseudo-random number (xorshift32); the sequence follows from `seed=N` and the workload's name.
u32 random_u32(void);

/// One from [0, n); n > 0.
static inline u32 random_below(u32 n) {
  return random_u32() % n;
}

/// How long a workload is to be: `quick`, short for tests; all workloads in turn; or `workload=NAME` alone.
enum form { FORM_QUICK, FORM_TOUR, FORM_FULL };
enum form form(void);

/// `n` rounds scaled by the command line: `scale=N` multiplies, the shorter forms divide.
unsigned long rounds(unsigned long n);

/// `n` times something long: 1 but for the full form, which `scale=N` multiplies.
unsigned long turns(unsigned long n);

/// `n` pages, or fewer: at most a 1/`share` of what is free, and `quick` divides.
unsigned long pages(unsigned long n, unsigned long share);

/// Runs the workloads the command line asks for, checks that each gives all memory back, and prints statistics.
/// Returns how many self-checks failed.
unsigned long run_workloads(void);

void workload_boot(void);
void workload_buddy(void);
void workload_gfp(void);
void workload_slab(void);
void workload_kmalloc(void);
void workload_vmalloc(void);
void workload_highmem(void);
void workload_percpu(void);
void workload_stacks(void);
void workload_kernels(void);
void workload_straddle(void);
void workload_churn(void);
void workload_rights(void);
void workload_bits(void);
void workload_large(void);
void workload_global(void);
void workload_permission(void);
void workload_segment(void);
void workload_segmatrix(void);
void workload_limits(void);
void workload_user(void);
void workload_fork(void);
void workload_paging(void);
void workload_abuse(void);
void workload_malloc(void);
void workload_mmz(void);

/// The planted failures of the command line, to test the tests.
void plant_failure(void);

#endif
