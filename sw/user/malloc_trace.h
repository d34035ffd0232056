/// Workload "malloc traces": what programs of several kinds ask of malloc, replayed, and every block checked.
#ifndef USER_MALLOC_TRACE_H
#define USER_MALLOC_TRACE_H

#include <stddef.h>

enum malloc_trace_kind {
  TRACE_LIST,    ///< many small objects of one size, freed in the order they were made in or against it
  TRACE_STRINGS, ///< many short and few long ones, which grow by realloc
  TRACE_TREE,    ///< nodes that live the longer the nearer they are to the root; whole branches go
  TRACE_BUFFERS, ///< a few large ones around and above the mmap threshold
  TRACE_SERVER,  ///< sessions that stay among requests that go; phases of growth and of release
  TRACE_SWEEP,   ///< every size, every small alignment
  TRACE_KINDS
};

/// What malloc_trace finds wrong.
enum malloc_trace_failure {
  TRACE_PASSED,
  TRACE_UNKNOWN,      ///< no such kind
  TRACE_NO_MEMORY,    ///< malloc returned NULL
  TRACE_MISALIGNED,   ///< a block not as aligned as was asked for
  TRACE_SMALL,        ///< malloc_usable_size is less than what was asked for
  TRACE_NOT_ZERO,     ///< calloc's block is not zero
  TRACE_OVERWRITTEN,  ///< a block does not hold what was written to it: another one overlaps it, or realloc lost it
  TRACE_INCONSISTENT, ///< malloc_check says so
  TRACE_ERRORS,       ///< malloc found an error, but there was none
  TRACE_LEAK,         ///< more is in use after the last free than before the first malloc
};

struct malloc_trace_result {
  unsigned long allocations, frees, reallocs;
  size_t peak_bytes;      ///< the most that was asked for at a time
  size_t heap_bytes;      ///< the largest heap seen at the end of every fourth round
  size_t mapped_blocks;   ///< the most blocks with pages of their own seen there
  unsigned fragmentation; ///< the most seen there, in per mille: what of the heap is free but not at its end
};

/// "list", "strings" ...; NULL if there is no such kind.
const char *malloc_trace_name(unsigned kind);

/// Replays a trace of `rounds` rounds of some dozens of calls each; it is a function of its arguments. Returns 0, or
/// the enum malloc_trace_failure of the first check that failed. All it allocates is freed in any case.
int malloc_trace(unsigned kind, unsigned rounds, unsigned seed, struct malloc_trace_result *result);

#endif
