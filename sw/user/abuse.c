/// System calls as nobody should use them. Each of these once ended the machine, or let a process see another's memory.
#include "user.h"

static u32 *map_media(long block) {
  return (u32 *)syscall(__NR_mmz_map, block, 1, 0);
}

/// Rights of media memory stay: its frames are mapped once.
static int protect_media(void) {
  long block = syscall(__NR_mmz_alloc, 2 * PAGE, 0, 0);
  u32 *media = map_media(block);

  media[0] = 0x1234;
  if (mprotect(media, 2 * PAGE, PROT_READ) != -EACCES || mprotect(media, PAGE, PROT_READ | PROT_WRITE) != -EACCES)
    return 1;
  media[1] = 5;
  return media[0] == 0x1234 ? 0 : 2;
}

/// The heap does not grow over a mapping.
static int brk_over_mapping(void) {
  u32 end = brk(0),
      *mapping = mmap(end + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0);
  if (is_error(mapping)) return 1;
  mapping[0] = 1;
  if (brk(end + 4 * PAGE) != end) return 2;
  long child = fork();
  if (!child) return 0;
  int status = -1;
  return waitpid(child, &status) == child && !status ? 0 : 3;
}

/// A thread-local segment ends with the program that made it.
static int tls_over_exec(void) {
  static const char *const argv[] = {"abuse", "100", 0};
  syscall(__NR_set_thread_area, 0, 0, 0);
  return (int)syscall(__NR_execve, (long)"user", (long)argv, 0);
}

static int tls_after_exec(void) {
  long child = fork();
  if (!child) {
    __asm__ volatile("movl %0, %%gs" : : "r"(0x33)); // ends this
    return 1;
  }
  int status = 0;
  return waitpid(child, &status) == child && term_signal(status) == 11 ? 0 : 2;
}

static int sleep_of_no_time(void) {
  syscall(__NR_nanosleep, 0, 0, 0);
  syscall(__NR_nanosleep, -1, 0, 0); // not before the counter has gone round: that is over at once
  return 0;
}

/// A mapping of media memory goes whole, by whatever call, and the block is free then and not before.
static int media_mappings(void) {
  long block = syscall(__NR_mmz_alloc, 2 * PAGE, 0, 0);
  u32 *media = map_media(block);

  if (munmap(media, PAGE) != -EINVAL || munmap(media + PAGE / 4, PAGE) != -EINVAL) return 1;
  if (syscall(__NR_mmz_free, block, 0, 0) != -EBUSY) return 2;
  if (munmap(media, 2 * PAGE) || syscall(__NR_mmz_free, block, 0, 0)) return 3;
  block = syscall(__NR_mmz_alloc, 2 * PAGE, 0, 0);
  media = map_media(block);
  void *over = mmap((u32)media, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0);
  if (over != media || syscall(__NR_mmz_free, block, 0, 0)) return 4;
  return media[0] ? 5 : 0;
}

/// Nobody waits for grandchildren.
static int orphans(void) {
  for (int i = 0; i < 40; i++) {
    long child = fork();
    if (child < 0) return 1;
    if (!child) {
      fork();
      return 0;
    }
    int status = 0;
    if (waitpid(child, &status) != child) return 2;
  }
  return 0;
}

static int lengths(void) {
  u32 *area = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0);

  if (munmap(area + PAGE / 4, 0xFFFFFFFF) != -EINVAL || mprotect(area, 0xFFFFFFFF, PROT_READ) != -EINVAL) return 1;
  if ((long)mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, 0, 0) != -EINVAL) return 2;
  if ((long)mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS | MAP_PRIVATE | MAP_SHARED, 0, 0) != -EINVAL) return 3;
  area[3 * PAGE / 4] = 1;
  return syscall(__NR_write, 1, (long)area, -1) == -EINVAL ? 0 : 4;
}

int abuse(u32 number) {
  static int (*const ways[])(void) = {protect_media,  brk_over_mapping, tls_over_exec, sleep_of_no_time,
                                      media_mappings, orphans,          lengths};
  if (number == 100) return tls_after_exec();
  return number < sizeof(ways) / sizeof(ways[0]) ? ways[number]() : 96;
}

/// What an argument may be: nothing in particular, a bound of something, or what a call has given.
static u32 random_argument(u32 *state, const u32 *given) {
  static const u32 odd[] = {0,          1,          7,          4095,       4096,       0x400000,
                            0x7FFFFFFF, 0x80000000, 0xBFFFEFFF, 0xBFFFF000, 0xC0000000, 0xC0100000,
                            0xF8800000, 0xFFFFF000, 0xFFFFFFFF, 0x08048000};
  switch (next_random(state) >> 29) {
  case 0:
    return next_random(state);
  case 1:
    return odd[next_random(state) >> 28];
  case 2:
  case 3:
  case 4:
    return given[next_random(state) >> 28] + (next_random(state) >> 29) * PAGE;
  default:
    return (next_random(state) >> 27) * PAGE;
  }
}

/// One random call. Calls that would take the program's own text or stack away are a child's.
static u32 random_call(u32 *state, const u32 *given) {
  static const u8 calls[] = {__NR_brk,   __NR_mmap,   __NR_mmap,    __NR_munmap, __NR_mprotect,    __NR_open,
                             __NR_write, __NR_execve, __NR_waitpid, __NR_getpid, __NR_sched_yield, __NR_modify_ldt};
  u32 call = calls[(next_random(state) >> 16) % sizeof(calls)], arguments[6];

  for (u32 i = 0; i < 6; i++)
    arguments[i] = random_argument(state, given);
  if ((next_random(state) >> 30) == 0) call = __NR_mmz_alloc + (next_random(state) >> 30);
  if (call == __NR_write) arguments[1] |= 0xC0000000; // prints nothing
  if (call == __NR_mmap && next_random(state) >> 31) {
    arguments[1] = (next_random(state) >> 28) * PAGE;
    arguments[2] &= 7;
    arguments[3] = MAP_PRIVATE | MAP_ANONYMOUS;
  }
  return (u32)syscall((long)call, call == __NR_mmap ? (long)arguments : (long)arguments[0], (long)arguments[1],
                      (long)arguments[2]);
}

/// Children make random calls and touch what they got; how they end does not matter, the kernel must go on.
int fuzz(u32 seed) {
  u32 state = seed * 2654435761U + 1;

  for (u32 child = 0; child < 8; child++) {
    u32 child_state = next_random(&state);
    long pid = fork();
    if (pid < 0) return 1;
    if (!pid) {
      u32 given[16];
      for (u32 i = 0; i < 16; i++)
        given[i] = i % 2 ? brk(0) + i * PAGE : 0x40000000 + i * PAGE;
      for (u32 i = 0; i < 100; i++) {
        u32 result = random_call(&child_state, given);
        if (result < PAGE || result >= 0xC0000000) continue;
        given[i % 16] = result & ~(PAGE - 1U);
        if (i % 4 == 0) *(volatile u32 *)given[i % 16] = i;
      }
      syscall(__NR_exit, 0, 0, 0);
    }
    int status;
    if (waitpid(pid, &status) != pid) return 2;
  }
  return 0;
}
