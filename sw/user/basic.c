/// Programs that use memory as programs do: stack, heap, data, code.
#include "user.h"

u32 two_pages(void); // start.S

enum { FRAME = 2048 };

static u32 initialized = 0x12345678;
static u32 zeroed[3 * PAGE / 4];

int hello(u32 argument) {
  (void)argument;
  static const char text[] = "hello from ring 3\n";
  if (syscall(__NR_write, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1) return 1;
  if (syscall(__NR_write, 1, (long)0xC0100000, 16) != -EFAULT) return 2;
  if (syscall(__NR_write, 1, 0x1000, 16) != -EFAULT) return 3;
  if (syscall(__NR_write, 1, (long)0xBFFFFFFF, 0x7fffffff) != -EFAULT) return 4;
  if (syscall(9999, 0, 0, 0) != -ENOSYS) return 5;
  if (syscall(__NR_waitpid, -1, 0, 0) != -ECHILD) return 6;
  if (syscall(__NR_getpid, 0, 0, 0) <= 0) return 7;
  if (initialized != 0x12345678) return 8;
  for (u32 i = 0; i < sizeof(zeroed) / 4; i++)
    if (zeroed[i]) return 9;
  zeroed[PAGE / 4] = initialized = 1; // a read maps the zero page, a write replaces it
  return zeroed[PAGE / 4 - 1] || zeroed[PAGE / 4 + 1] || zeroed[PAGE / 4] != 1 ? 10 : 0;
}

int heap(u32 pages) {
  u32 start = brk(0), *word = (u32 *)start;
  if (brk(start + pages * PAGE) != start + pages * PAGE) return 1;
  for (u32 i = 0; i < pages; i += 2)
    if (word[i * PAGE / 4]) return 2;
  for (u32 i = 0; i < pages; i++)
    for (u32 j = 0; j < PAGE / 4; j += 64)
      word[i * PAGE / 4 + j] = i * 31 + j;
  for (u32 i = 0; i < pages; i++)
    for (u32 j = 0; j < PAGE / 4; j += 64)
      if (word[i * PAGE / 4 + j] != i * 31 + j) return 3;
  // Given back and taken again, memory is zero.
  if (brk(start + pages / 2 * PAGE) != start + pages / 2 * PAGE) return 4;
  if (brk(start + pages * PAGE) != start + pages * PAGE) return 5;
  for (u32 i = pages / 2; i < pages; i++)
    if (word[i * PAGE / 4]) return 6;
  if (word[0] != 0 || word[PAGE / 4] != 31) return 7;
  if (brk(0xC0000000) != start + pages * PAGE) return 8; // refused
  return brk(start) != start ? 9 : 0;
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

int stack(u32 depth) {
  return recurse(depth) == depth + 1 ? 0 : 1;
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

int sort(u32 n) {
  struct node *nodes = (struct node *)brk(0);
  u32 state = n + (u32)syscall(__NR_getpid, 0, 0, 0), sum = 0;
  if (brk((u32)(nodes + n)) != (u32)(nodes + n)) return 1;
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
int code(u32 argument) {
  (void)argument;
  u32 start = brk(0);
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
