/// The ring-3 program. Returns 0 if all went as it should, else a number that tells which check did not.
#include <kernel/programs.h>
#include <kernel/syscall.h>
#include <kernel/types.h>

long syscall(long number, long a, long b, long c);
u32 two_pages(void); // start.S
int main(enum user_program program, u32 argument);

enum { PAGE = 4096, FRAME = 2048 };

static const char read_only[] = "text";
static u32 initialized = 0x12345678;
static u32 zeroed[3 * PAGE / 4];

static long brk(u32 end) {
  return syscall(__NR_brk, (long)end, 0, 0);
}
static void yield(void) {
  syscall(__NR_sched_yield, 0, 0, 0);
}

static u32 next_random(u32 *state) {
  return *state = *state * 1664525 + 1013904223;
}

static int hello(void) {
  static const char text[] = "hello from ring 3\n";
  if (syscall(__NR_write, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1) return 1;
  if (syscall(__NR_write, 1, (long)0xC0100000, 16) != -EFAULT) return 2;
  if (syscall(__NR_write, 1, 0x1000, 16) != -EFAULT) return 3;
  if (syscall(__NR_write, 1, (long)0xBFFFFFFF, 0x7fffffff) != -EFAULT) return 4;
  if (syscall(9999, 0, 0, 0) != -ENOSYS) return 5;
  if (syscall(__NR_waitpid, -1, 0, 0) != -1) return 6;
  if (syscall(__NR_getpid, 0, 0, 0) <= 0) return 7;
  if (initialized != 0x12345678) return 8;
  for (u32 i = 0; i < sizeof(zeroed) / 4; i++)
    if (zeroed[i]) return 9;
  zeroed[PAGE / 4] = initialized = 1; // a read maps the zero page, a write replaces it
  return zeroed[PAGE / 4 - 1] || zeroed[PAGE / 4 + 1] || zeroed[PAGE / 4] != 1 ? 10 : 0;
}

static int heap(u32 pages) {
  u32 start = (u32)brk(0), *word = (u32 *)start;
  if ((u32)brk(start + pages * PAGE) != start + pages * PAGE) return 1;
  for (u32 i = 0; i < pages; i += 2)
    if (word[i * PAGE / 4]) return 2;
  for (u32 i = 0; i < pages; i++)
    for (u32 j = 0; j < PAGE / 4; j += 64)
      word[i * PAGE / 4 + j] = i * 31 + j;
  for (u32 i = 0; i < pages; i++)
    for (u32 j = 0; j < PAGE / 4; j += 64)
      if (word[i * PAGE / 4 + j] != i * 31 + j) return 3;
  // Given back and taken again, memory is zero.
  if ((u32)brk(start + pages / 2 * PAGE) != start + pages / 2 * PAGE) return 4;
  if ((u32)brk(start + pages * PAGE) != start + pages * PAGE) return 5;
  for (u32 i = pages / 2; i < pages; i++)
    if (word[i * PAGE / 4]) return 6;
  if (word[0] != 0 || word[PAGE / 4] != 31) return 7;
  if ((u32)brk(0xC0000000) != start + pages * PAGE) return 8; // refused
  return (u32)brk(start) != start ? 9 : 0;
}

/// Uses FRAME bytes of stack for each level.
static __attribute__((noinline)) u32 recurse(u32 depth) {
  volatile u32 frame[FRAME / 4];
  for (u32 i = 0; i < FRAME / 4; i += 64)
    frame[i] = depth + i;
  u32 below = depth ? recurse(depth - 1) : 0;
  for (u32 i = 0; i < FRAME / 4; i += 64)
    if (frame[i] != depth + i) return ~0U;
  return below + 1;
}

static int fork_test(u32 pages) {
  u32 start = (u32)brk(0);
  volatile u32 *word = (volatile u32 *)start;
  brk(start + pages * PAGE);
  for (u32 i = 0; i < pages; i++)
    word[i * PAGE / 4] = i;
  long child = syscall(__NR_fork, 0, 0, 0);
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
  if (syscall(__NR_waitpid, child, (long)&status[PAGE / 4], 0) != child) return 4;
  return status[PAGE / 4] == 77 ? 0 : 5;
}

struct node {
  struct node *next;
  u32 key;
  char padding[56];
};

/// Merges two ascending lists.
static struct node *merge(struct node *a, struct node *b) {
  struct node *head = 0, **tail = &head;
  while (a && b) {
    struct node **least = a->key <= b->key ? &a : &b;
    *tail = *least;
    tail = &(*least)->next;
    *least = *tail;
  }
  *tail = a ? a : b;
  return head;
}

static struct node *sort_list(struct node *list, u32 n) {
  if (n <= 1) {
    if (list) list->next = 0;
    return list;
  }
  struct node *half = list;
  for (u32 i = 0; i < n / 2; i++)
    half = half->next;
  struct node *upper = sort_list(half, n - n / 2), *lower;
  struct node *at = list;
  for (u32 i = 1; i < n / 2; i++)
    at = at->next;
  at->next = 0;
  lower = sort_list(list, n / 2);
  if (n >= 256) yield();
  return merge(lower, upper);
}

static int sort_test(u32 n) {
  struct node *nodes = (struct node *)brk(0);
  u32 state = n + (u32)syscall(__NR_getpid, 0, 0, 0), sum = 0;
  if ((u32)brk((u32)(nodes + n)) != (u32)(nodes + n)) return 1;
  for (u32 i = 0; i < n; i++) {
    nodes[i].key = next_random(&state);
    sum += nodes[i].key;
    nodes[i].next = i + 1 < n ? &nodes[i + 1] : 0;
  }
  struct node *at = sort_list(nodes, n);
  u32 count = 0, last = 0;
  for (; at; at = at->next, count++) {
    if (at->key < last) return 2;
    last = at->key;
    sum -= last;
  }
  return count != n ? 3 : sum ? 4 : 0;
}

/// Code on the heap, at each offset around a page boundary.
static int code(void) {
  u32 start = (u32)brk(0);
  if (two_pages() != 0x12345678) return 1;
  brk(start + 2 * PAGE);
  for (u32 at = start + PAGE - 8; at < start + PAGE; at++) {
    volatile u8 *byte = (volatile u8 *)at;
    u32 value = at * 2654435761U;
    byte[0] = 0xB8; // MOV EAX, imm32
    for (int i = 0; i < 4; i++)
      byte[1 + i] = (u8)(value >> 8 * i);
    byte[5] = 0xC3; // RET
    if (((u32(*)(void))at)() != value) return 2;
  }
  return 0;
}

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
static int tls_test(u32 rounds) {
  volatile u32 *word = (volatile u32 *)brk(0);
  brk((u32)word + 16 * PAGE);
  set_gs((u32)word);
  write_gs(0, 1);
  long child = syscall(__NR_fork, 0, 0, 0);
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
  return syscall(__NR_waitpid, child, (long)&status, 0) == child && !status ? 0 : 6;
}

int main(enum user_program program, u32 argument) {
  switch (program) {
  case PROGRAM_HELLO:
    return hello();
  case PROGRAM_HEAP:
    return heap(argument);
  case PROGRAM_STACK:
    return recurse(argument) == argument + 1 ? 0 : 1;
  case PROGRAM_FORK:
    return fork_test(argument);
  case PROGRAM_SORT:
    return sort_test(argument);
  case PROGRAM_CODE:
    return code();
  case PROGRAM_TLS:
    return tls_test(argument);
  case PROGRAM_JUMP_KERNEL:
    ((void (*)(void))0xC0100000)();
    break;
  case PROGRAM_JUMP_NOWHERE:
    ((void (*)(void))0x40000000)();
    break;
  case PROGRAM_READ_KERNEL:
    return *(volatile char *)0xC0100000;
  case PROGRAM_WRITE_KERNEL:
    *(volatile char *)0xC0100000 = 1;
    break;
  case PROGRAM_WRITE_TEXT:
    *(volatile char *)read_only = 1;
    break;
  case PROGRAM_NULL:
    __asm__ volatile("movl 0, %%eax" : : : "eax");
    break;
  case PROGRAM_HLT:
    __asm__ volatile("hlt");
    break;
  case PROGRAM_PORT:
    __asm__ volatile("outb %%al, $0x80" : : "a"(0));
    break;
  case PROGRAM_BAD_SEGMENT:
    __asm__ volatile("movl %0, %%ds" : : "r"(0x68));
    break;
  case PROGRAM_DIVIDE:
    __asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
    break;
  case PROGRAM_UD:
    __asm__ volatile("ud2");
    break;
  case PROGRAM_OVER_STACK:
    return (int)recurse(1000);
  case PROGRAM_BELOW_STACK: {
    u32 esp;
    __asm__ volatile("movl %%esp, %0" : "=r"(esp));
    *(volatile u32 *)(esp - 16 * PAGE) = 1;
    break;
  }
  }
  return 99; // none of the programs that are to be killed gets here
}
