/// Mappings, their rights, files, and more memory than there is.
#include "user.h"

/// Maps, fills, unmaps a hole, maps again: a hole is zero when it comes back, its neighbours are as they were.
int mmap_test(u32 pages) {
  u32 *area = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0), words = PAGE / 4;

  if (is_error(area)) return 1;
  for (u32 i = 0; i < pages; i++) {
    if (area[i * words] || area[i * words + words - 1]) return 2;
    area[i * words] = i;
    area[i * words + words - 1] = ~i;
  }
  u32 hole = pages / 3, length = pages / 3;
  if (munmap(area + hole * words, length * PAGE)) return 3;
  void *again = mmap((u32)(area + hole * words), length * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0);
  if (again != area + hole * words) return 4;
  for (u32 i = 0; i < pages; i++) {
    bool fresh = i >= hole && i < hole + length;
    if (area[i * words] != (fresh ? 0 : i) || area[i * words + words - 1] != (fresh ? 0 : ~i)) return 5;
  }
  if (munmap(area, pages * PAGE)) return 6;
  if ((long)mmap(1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0) != -EINVAL) return 7;
  if ((long)mmap(0, 0xC0000000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0) != -ENOMEM) return 8;
  return munmap((void *)1, PAGE) == -EINVAL ? 0 : 9;
}

/// Rights come and go under pages that are there. Wrong accesses are a child's, which ends by them.
int mprotect_test(u32 pages) {
  u32 *area = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0), words = PAGE / 4;

  if (is_error(area)) return 1;
  for (u32 i = 0; i < pages; i++)
    area[i * words] = i;
  for (u32 i = 0; i < pages; i += 3)
    if (mprotect(area + i * words, PAGE, PROT_READ)) return 2;
  for (u32 i = 0; i < pages; i++) {
    if (area[i * words] != i) return 3;
    if (i % 3) area[i * words] = i + 1;
  }
  long child = fork();
  int status = 0;
  if (child < 0) return 4;
  if (!child) {
    *(volatile u32 *)area = 1;
    return 0;
  }
  if (waitpid(child, &status) != child || term_signal(status) != 11) return 5;
  child = fork();
  if (!child) { // the translation that the first write has left must go
    *(volatile u32 *)(area + words) = 1;
    mprotect(area + words, PAGE, PROT_READ);
    *(volatile u32 *)(area + words) = 2;
    return 0;
  }
  if (waitpid(child, &status) != child || term_signal(status) != 11) return 10;
  if (mprotect(area, pages * PAGE, PROT_READ | PROT_WRITE)) return 6;
  for (u32 i = 0; i < pages; i++)
    area[i * words] += i;
  for (u32 i = 0; i < pages; i++)
    if (area[i * words] != 2 * i + (i % 3 ? 1 : 0)) return 7;
  if (mprotect(area + pages * words, PAGE, PROT_READ) != -ENOMEM) return 8;
  return munmap(area, pages * PAGE) ? 9 : 0;
}

/// A file: read through a mapping, copied upon a write, the same again in another mapping.
int file_test(u32 rounds) {
  enum { FILE_PAGES = 16 };
  long fd = open("data");

  if (fd < 0 || open("nothing") != -ENOENT) return 1;
  u32 *whole = mmap(0, FILE_PAGES * PAGE, PROT_READ, MAP_SHARED, (u32)fd, 0);
  if (is_error(whole)) return 2;
  if ((long)mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (u32)fd, 0) != -EINVAL) return 3;
  u32 state = 1;
  for (u32 i = 0; i < FILE_PAGES * PAGE / 4; i++) {
    if (whole[i] != state) return 4;
    state = state * 1664525 + 1013904223;
  }
  for (u32 i = 0; i < rounds; i++) {
    u32 page = i % FILE_PAGES, *one = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, (u32)fd, page * PAGE);
    if (is_error(one)) return 5;
    if (one[10] != whole[page * PAGE / 4 + 10]) return 6;
    one[10] = i;
    if (one[10] != i || one[11] != whole[page * PAGE / 4 + 11]) return 7;
    if (whole[page * PAGE / 4 + 10] == i) return 8;
    if (munmap(one, 2 * PAGE)) return 9;
  }
  return munmap(whole, FILE_PAGES * PAGE) ? 10 : 0;
}

/// Uses more pages than there may be memory for: again and again in an order that is sometimes friendly to page-out,
/// sometimes not; with a child that shares them.
int hog(u32 pages) {
  u32 *area = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0), words = PAGE / 4;
  u32 state = pages;

  if (is_error(area)) return 1;
  for (u32 i = 0; i < pages; i++)
    area[i * words + i % words] = i * 2654435761U;
  long child = fork();
  if (child < 0) return 2;
  u32 mine = child ? 0 : 0x55555555;
  for (u32 i = 0; i < pages; i++) {
    u32 page = i % 2 ? i : next_random(&state) % pages;
    if (area[page * words + page % words] != page * 2654435761U) return 3;
    if (i % 5 == 0) area[i * words + (i + 1) % words] = mine + i;
  }
  for (u32 i = 0; i < pages; i++) {
    if (area[i * words + i % words] != i * 2654435761U) return 4;
    if (i % 5 == 0 && area[i * words + (i + 1) % words] != mine + i) return 5;
  }
  if (!child) return 0;
  int status = -1;
  return waitpid(child, &status) == child && !status ? 0 : 6;
}

/// Holds pages while it sleeps; they must be as they were afterwards, wherever they have been.
int hold(u32 pages) {
  u32 *area = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0), words = PAGE / 4;

  if (is_error(area)) return 1;
  for (u32 i = 0; i < pages; i++)
    area[i * words + i] = i ^ 0x0FF1CE;
  syscall(__NR_nanosleep, 100, 0, 0);
  for (u32 i = 0; i < pages; i++)
    if (area[i * words + i] != (i ^ 0x0FF1CE)) return 2;
  return 0;
}

int sleeper(u32 ticks) {
  return (int)syscall(__NR_nanosleep, (long)ticks, 0, 0);
}
