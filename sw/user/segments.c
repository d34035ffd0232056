/// Segments of a process's own: thread-local data, an LDT.
#include "user.h"

static u32 read_gs(u32 offset) {
  u32 value;
  __asm__ volatile("movl %%gs:(%1), %0" : "=r"(value) : "r"(offset) : "memory");
  return value;
}

static void write_gs(u32 offset, u32 value) {
  __asm__ volatile("movl %0, %%gs:(%1)" : : "r"(value), "r"(offset) : "memory");
}

/// Makes %gs a segment that starts at `base`.
static void set_gs(u32 base) {
  __asm__ volatile("movl %0, %%gs" : : "r"(syscall(__NR_set_thread_area, (long)base, 0, 0)));
}

/// Each process sees its own memory through %gs, however often the other one runs in between.
int tls_test(u32 rounds) {
  volatile u32 *word = (volatile u32 *)brk(0);
  brk((u32)word + 16 * PAGE);
  set_gs((u32)word);
  write_gs(0, 1);
  long child = fork();
  if (child < 0) return 1;
  if (read_gs(0) != 1) return 2; // inherited
  u32 at = child ? 5 * PAGE - 2 : 9 * PAGE + 4;
  set_gs((u32)word + at);
  for (u32 i = 0; i < rounds; i++) {
    write_gs(i % 7, i);
    yield();
    if (read_gs(i % 7) != i) return 3;
    if (*(volatile u32 *)((u32)word + at + i % 7) != i) return 4;
    if (read_gs(0 - at) != 1) return 5;
  }
  if (!child) return 0;
  int status = -1;
  return waitpid(child, &status) == child && !status ? 0 : 6;
}

/// Makes entry `entry` of the LDT a segment. Returns its selector, or a negative error.
static long set_ldt(u32 entry, u32 base, u32 limit, bool read_only, bool expand_down) {
  struct user_desc desc = {entry, base, limit, read_only, expand_down};
  return syscall(__NR_modify_ldt, (long)&desc, 0, 0);
}

static void load_gs(long selector) {
  __asm__ volatile("movl %0, %%gs" : : "r"(selector));
}

/// Several segments over one array, and a child with the same LDT, which it changes for itself.
int ldt_test(u32 rounds) {
  static u32 array[4 * PAGE / 4];
  u32 base = (u32)array;

  if (set_ldt(64, base, 0xFFF, false, false) != -EINVAL) return 1;
  for (u32 i = 0; i < 4; i++)
    if (set_ldt(i, base + i * PAGE, 0xFFFFFFFF, i == 3, false) != (long)(i * 8 + 7)) return 2;
  for (u32 i = 0; i < rounds; i++) {
    u32 segment = i % 3, offset = (i * 40) % (PAGE - 8);
    load_gs((long)(segment * 8 + 7));
    write_gs(offset, i + 1);
    if (*(volatile u32 *)(base + segment * PAGE + offset) != i + 1) return 3;
    load_gs(3 * 8 + 7);
    if (read_gs(offset + segment * PAGE - 3 * PAGE) != i + 1) return 4;
  }
  load_gs(7);
  write_gs(0, 1234);
  long child = fork();
  if (child < 0) return 5;
  if (!child) {
    if (read_gs(0) != 1234) return 6; // the LDT is inherited
    set_ldt(0, base + PAGE, 0xFFFFFFFF, false, false);
    load_gs(7);
    write_gs(0, 4321);
    yield();
    return read_gs(0) == 4321 ? 0 : 7;
  }
  yield();
  load_gs(7); // still the parent's
  if (read_gs(0) != 1234) return 8;
  int status = -1;
  return waitpid(child, &status) == child && !status ? 0 : 9;
}

/// A segment of 100 bytes: the word at `offset` is inside, or the processor ends this.
int ldt_limit(u32 offset) {
  static u32 array[256];

  load_gs(set_ldt(5, (u32)array, 99, false, false));
  write_gs(offset, 1);
  return ((u8 *)array)[offset] == 1 ? 0 : 1;
}
