/*
 * On whose behalf the guest refers to memory: what it writes to the origin port (EAH) holds for all that follows until
 * the next write. After RESET it is ORIGIN_OTHER.
 *
 * The numbers are a contract with guests; make lint holds the names and sw/include/kernel/origin.h against them.
 */
#ifndef MMU86_ORIGIN_H
#define MMU86_ORIGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  ORIGIN_OTHER = 0,
  ORIGIN_BOOT = 1,
  ORIGIN_BUDDY = 2,
  ORIGIN_SLAB = 3,
  ORIGIN_KMALLOC = 4,
  ORIGIN_VMALLOC = 5,
  ORIGIN_KMAP = 6,
  ORIGIN_FAULT = 7, /* the page-fault handler */
  ORIGIN_USER = 8,
  ORIGIN_MALLOC = 9, /* in user space */
  ORIGIN_RECLAIM = 10,
  ORIGIN_SWAP = 11,
  ORIGIN_FORK = 12,
  ORIGIN_EXEC = 13,
  ORIGIN_EXIT = 14,
  ORIGIN_MMAP = 15, /* mmap, munmap, mprotect, brk */
  ORIGIN_PERCPU = 16,
  ORIGIN_SCHEDULE = 17,
  ORIGIN_INTERRUPT = 18,
  ORIGIN_MMZ = 19,
  ORIGIN_SYSCALL = 20,
  ORIGIN_TEST = 21, /* a workload's own accesses */
};

/* How many there are; those from 22 on have no name of their own. */
enum { ORIGIN_COUNT = 32 };

/* The origin that a byte at the port stands for: itself, or ORIGIN_OTHER if it is none. */
static inline uint8_t origin_of(uint8_t byte) {
  return byte < ORIGIN_COUNT ? byte : (uint8_t)ORIGIN_OTHER;
}

/* Its name: "slab", "origin 22". origin: less than ORIGIN_COUNT. */
const char *origin_name(unsigned origin);

#ifdef __cplusplus
}
#endif

#endif
