/// Processes: copies that share pages until one writes, and programs that replace one another.
#include "user.h"

int fork_test(u32 pages) {
  u32 start = brk(0);
  volatile u32 *word = (volatile u32 *)start;
  brk(start + pages * PAGE);
  for (u32 i = 0; i < pages; i++)
    word[i * PAGE / 4] = i;
  long child = fork();
  if (child < 0) return 1;
  u32 mine = child ? 0x1000000 : 0x2000000;
  for (u32 i = 0; i < pages; i++) { // both write each page; neither sees the other's
    if (word[i * PAGE / 4] != i) return 2;
    word[i * PAGE / 4] = mine + i;
    if (i % 8 == 0) yield();
  }
  for (u32 i = 0; i < pages; i++)
    if (word[i * PAGE / 4] != mine + i) return 3;
  if (!child) return 77;
  // Untouched since the fork: the kernel itself writes through the copy-on-write page.
  static int status[PAGE / 2];
  if (waitpid(child, &status[PAGE / 4]) != child) return 4;
  return exit_status(status[PAGE / 4]) == 77 ? 0 : 5;
}

/// A tree of processes: each has two children until the depth is 0, and each writes every page of the heap. What it
/// sees there must be its parent's until it writes, and its own afterwards.
static int grow_tree(volatile u32 *word, u32 pages, u32 depth, u32 tag) {
  long children[2] = {0, 0};

  for (u32 i = 0; depth && i < 2; i++) {
    children[i] = fork();
    if (children[i] < 0) return 1;
    if (children[i]) continue;
    for (u32 page = 0; page < pages; page++)
      if (word[page * PAGE / 4] != tag + page) syscall(__NR_exit, 2, 0, 0);
    tag = tag * 3 + i + 1;
    for (u32 page = 0; page < pages; page++) {
      word[page * PAGE / 4] = tag + page;
      if (page % 4 == i) yield();
    }
    syscall(__NR_exit, grow_tree(word, pages, depth - 1, tag), 0, 0);
  }
  for (u32 page = 0; page < pages; page++)
    if (word[page * PAGE / 4] != tag + page) return 3;
  for (u32 i = 0; i < 2; i++) {
    int status = 0;
    if (children[i] && (waitpid(children[i], &status) != children[i] || status)) return exit_status(status) ? 4 : 5;
  }
  return 0;
}

int fork_storm(u32 argument) {
  u32 depth = argument % 10, pages = argument / 10;
  volatile u32 *word = sbrk((intptr_t)(pages * PAGE));

  if (word == (void *)-1) return 9;
  for (u32 page = 0; page < pages; page++)
    word[page * PAGE / 4] = 1 + page;
  return grow_tree(word, pages, depth, 1);
}

/// Children that become other programs, and calls that must fail and leave everything as it is.
int exec_test(u32 rounds) {
  static const char *const good[] = {"stack", "20", 0};
  static const char *const none[] = {0};

  if (syscall(__NR_execve, (long)"nothing", (long)good, 0) != -ENOENT) return 1;
  if (syscall(__NR_execve, (long)"data", (long)good, 0) != -ENOEXEC) return 2;
  if (syscall(__NR_execve, 0x1000, (long)good, 0) != -EFAULT) return 3;
  if (syscall(__NR_execve, (long)"user", 0x1000, 0) != -EFAULT) return 4;
  for (u32 i = 0; i < rounds; i++) {
    long child = fork();
    int status = -1;
    if (child < 0) return 5;
    if (!child) {
      syscall(__NR_execve, (long)"user", (long)(i % 4 == 3 ? none : good), 0);
      return 6;
    }
    if (waitpid(child, &status) != child || exit_status(status) != (i % 4 == 3 ? 98 : 0)) return 7;
  }
  return 0;
}
