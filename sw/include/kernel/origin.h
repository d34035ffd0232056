/// Who is at work: told to the harness through a port, so that it can say whose references, TLB misses and walks it
/// counts. Where no such port exists, nothing happens.
#ifndef KERNEL_ORIGIN_H
#define KERNEL_ORIGIN_H

#include <kernel/types.h>

enum origin {
  ORIGIN_OTHER,
  ORIGIN_BOOT,
  ORIGIN_BUDDY,
  ORIGIN_SLAB,
  ORIGIN_KMALLOC,
  ORIGIN_VMALLOC,
  ORIGIN_KMAP,
  ORIGIN_FAULT, ///< the page-fault handler
  ORIGIN_USER,
  ORIGIN_MALLOC, ///< of user space
  ORIGIN_RECLAIM,
  ORIGIN_SWAP,
  ORIGIN_FORK,
  ORIGIN_EXEC,
  ORIGIN_EXIT,
  ORIGIN_MMAP, ///< mmap, munmap, mprotect, brk
  ORIGIN_PERCPU,
  ORIGIN_SCHEDULE,
  ORIGIN_INTERRUPT,
  ORIGIN_MMZ,
  ORIGIN_SYSCALL,
  ORIGIN_TEST, ///< a workload's own accesses
  NR_ORIGINS,
};

/// Says that `origin` is at work from now on. Returns who was before, for origin_leave.
enum origin origin_enter(enum origin origin);
void origin_leave(enum origin before);

#endif
