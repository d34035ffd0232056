#include "origin.h"

#include <assert.h>

const char *origin_name(unsigned origin) {
  static const char *const names[ORIGIN_COUNT] = {
      [ORIGIN_OTHER] = "other",
      [ORIGIN_BOOT] = "boot",
      [ORIGIN_BUDDY] = "buddy",
      [ORIGIN_SLAB] = "slab",
      [ORIGIN_KMALLOC] = "kmalloc",
      [ORIGIN_VMALLOC] = "vmalloc",
      [ORIGIN_KMAP] = "kmap",
      [ORIGIN_FAULT] = "fault",
      [ORIGIN_USER] = "user",
      [ORIGIN_MALLOC] = "malloc",
      [ORIGIN_RECLAIM] = "reclaim",
      [ORIGIN_SWAP] = "swap",
      [ORIGIN_FORK] = "fork",
      [ORIGIN_EXEC] = "exec",
      [ORIGIN_EXIT] = "exit",
      [ORIGIN_MMAP] = "mmap",
      [ORIGIN_PERCPU] = "percpu",
      [ORIGIN_SCHEDULE] = "schedule",
      [ORIGIN_INTERRUPT] = "interrupt",
      [ORIGIN_MMZ] = "mmz",
      [ORIGIN_SYSCALL] = "syscall",
      [ORIGIN_TEST] = "test",
      [22] = "origin 22",
      [23] = "origin 23",
      [24] = "origin 24",
      [25] = "origin 25",
      [26] = "origin 26",
      [27] = "origin 27",
      [28] = "origin 28",
      [29] = "origin 29",
      [30] = "origin 30",
      [31] = "origin 31",
  };
  assert(origin < ORIGIN_COUNT);
  return names[origin];
}
