/// Media memory from ring 3.
#include "user.h"

static long mmz_alloc(u32 size, u32 align) {
  return syscall(__NR_mmz_alloc, (long)size, (long)align, 0);
}
static void *mmz_map(long phys, bool cached) {
  return (void *)syscall(__NR_mmz_map, phys, cached, 0);
}
static long mmz_unmap(void *address) {
  return syscall(__NR_mmz_unmap, (long)address, 0, 0);
}
static long mmz_free(long phys) {
  return syscall(__NR_mmz_free, phys, 0, 0);
}

/// Two mappings of a block show the same; a block of the parent's cannot be had; what is held at the end is the
/// kernel's to release.
int mmz_test(u32 rounds) {
  enum { SIZE = 5 * PAGE };

  for (u32 i = 0; i < rounds; i++) {
    long block = mmz_alloc(SIZE, i % 2 ? 0 : 16 * PAGE);
    if (block < 0 && block > -4096) return 1;
    if (i % 2 == 0 && block % (16 * PAGE)) return 2;
    u32 *cached = mmz_map(block, true), *uncached = mmz_map(block, false);
    if (is_error(cached) || is_error(uncached) || cached == uncached) return 3;
    for (u32 page = 0; page < SIZE / PAGE; page++)
      cached[page * PAGE / 4 + i % 1024] = i + page;
    for (u32 page = 0; page < SIZE / PAGE; page++)
      if (uncached[page * PAGE / 4 + i % 1024] != i + page) return 4;
    if (mmz_free(block) != -EBUSY) return 5;
    if (mmz_map(block + PAGE, true) != (void *)-EPERM) return 6;
    long child = fork();
    if (child < 0) return 7;
    if (!child) return mmz_free(block) == -EPERM ? 0 : 8;
    int status = -1;
    if (waitpid(child, &status) != child || status) return 9;
    if (mmz_unmap(cached) || mmz_unmap(uncached) || mmz_unmap(uncached) != -EINVAL) return 10;
    if (i % 3 && mmz_free(block)) return 11;
  }
  return 0;
}
