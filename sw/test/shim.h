/// What the memory manager needs of a kernel, on the host.
#ifndef TEST_SHIM_H
#define TEST_SHIM_H

#include <check.h>
#include <kernel/mm.h>

/// Starts anew: `pages` pages of junk, of which the first `reserved` belong to nobody, and an allocator on the rest: a
/// zone, or with host_start_zones as many as have pages. `cpus` processors.
void host_start(unsigned long reserved, unsigned long pages);
void host_start_zones(unsigned long reserved, const unsigned long zone_end[MAX_NR_ZONES], unsigned cpus);
void host_stop(void);

/// Lets the watermarks and reserves be 0, so that exactly what is free can be had.
void host_no_reserves(void);

/// Lets the n-th call of alloc_pages from outside page_alloc.c from now on fail, n >= 1, and each later one with a
/// probability of one in `odds` (0: never).
void host_fail_allocations(unsigned long n, unsigned odds);

/// xorshift32 with a fixed start at host_start.
u32 host_random(u32 below);

/// Which processor this is.
extern unsigned host_cpu;

/// Called when an allocation reclaims; returns how many pages it freed. NULL: none.
extern unsigned long (*host_reclaim)(gfp_t gfp);
extern unsigned long host_reclaims, host_kswapd_wakes;

/// Whether the page at a kernel address was flushed since it was last asked about.
bool host_flushed(unsigned long address);

/// The main function of a suite with one case.
int host_main(Suite *suite);

#endif
