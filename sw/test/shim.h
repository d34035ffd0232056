/// What the memory manager needs of a kernel, on the host.
#ifndef TEST_SHIM_H
#define TEST_SHIM_H

#include <kernel/mm.h>

/// Starts anew: `pages` pages of junk, of which the first `reserved` belong to nobody, and an allocator on the rest.
void host_start(unsigned long reserved, unsigned long pages);
void host_stop(void);

/// Lets the n-th call of alloc_pages from outside page_alloc.c from now on fail, n >= 1, and each later one with a
/// probability of one in `odds` (0: never).
void host_fail_allocations(unsigned long n, unsigned odds);

/// xorshift32 with a fixed start at host_start.
u32 host_random(u32 below);

#endif
