/// What the malloc of the guest's programs needs of a kernel, on the host.
#ifndef TEST_MALLOC_SHIM_H
#define TEST_MALLOC_SHIM_H

#include "../user/malloc.h"

enum { HOST_PAGE = 4096 };

/// Reserves the address space of the heap; pages beyond its end fault. Pages it gets begin with junk. Once a process.
void host_start(void);

/// Lets the n-th call of sbrk (for memory) or mmap_pages from now on fail, n >= 1 (0: none), and each later one with a
/// probability of one in `odds` (0: never).
void host_fail_memory(unsigned long n, unsigned odds);

/// How many calls failed since host_fail_memory.
unsigned long host_failures(void);

/// Moves the end of the heap as somebody else would. Returns the old end; the bytes behind it hold 0xC3.
char *host_sbrk(intptr_t increment);

/// The heap's bounds, and the bytes mapped.
char *host_heap_start(void);
char *host_heap_end(void);
size_t host_mapped(void);

/// Below `below`, from a xorshift32 that host_seed has started.
unsigned host_random(unsigned below);
void host_seed(unsigned seed);

#endif
