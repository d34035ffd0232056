/// System calls and small helpers.
#include "user.h"

u32 brk(u32 end) {
  return (u32)syscall(__NR_brk, (long)end, 0, 0);
}

void *sbrk(intptr_t increment) {
  u32 old = brk(0), end = old + (u32)increment;
  if (increment && brk(end) != end) return (void *)-1;
  return (void *)old;
}

void yield(void) {
  syscall(__NR_sched_yield, 0, 0, 0);
}
long fork(void) {
  return syscall(__NR_fork, 0, 0, 0);
}
long waitpid(long pid, int *status) {
  return syscall(__NR_waitpid, pid, (long)status, 0);
}
void *mmap(u32 address, u32 length, u32 prot, u32 flags, u32 fd, u32 offset) {
  const u32 arguments[] = {address, length, prot, flags, fd, offset};
  return (void *)syscall(__NR_mmap, (long)arguments, 0, 0);
}
int munmap(void *address, u32 length) {
  return (int)syscall(__NR_munmap, (long)address, (long)length, 0);
}
int mprotect(void *address, u32 length, u32 prot) {
  return (int)syscall(__NR_mprotect, (long)address, (long)length, (long)prot);
}
long open(const char *name) {
  return syscall(__NR_open, (long)name, 0, 0);
}

void write_string(const char *text) {
  long length = 0;
  while (text[length])
    length++;
  syscall(__NR_write, 1, (long)text, length);
}

void print_text(const char *text, u32 width) {
  u32 length = 0;
  while (text[length])
    length++;
  syscall(__NR_write, 1, (long)text, (long)length);
  for (; length < width; length++)
    syscall(__NR_write, 1, (long)" ", 1);
}

void print_number(u32 value, u32 width, const char *text_behind) {
  char buffer[24];
  u32 at = sizeof(buffer);

  buffer[--at] = '\0';
  do
    buffer[--at] = (char)('0' + value % 10);
  while (value /= 10);
  while (sizeof(buffer) - 1 - at < width)
    buffer[--at] = ' ';
  write_string(buffer + at);
  write_string(text_behind);
}

u32 number(const char *text) {
  u32 value = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + (u32)(*text - '0');
  return value;
}

u32 next_random(u32 *state) {
  return *state = *state * 1664525 + 1013904223;
}

void *memcpy(void *to, const void *from, size_t n) {
  void *target = to;
  size_t words = n / 4, rest = n % 4;
  __asm__ volatile("rep movsl" : "+D"(target), "+S"(from), "+c"(words) : : "memory");
  __asm__ volatile("rep movsb" : "+D"(target), "+S"(from), "+c"(rest) : : "memory");
  return to;
}

void *memset(void *to, int value, size_t n) {
  void *target = to;
  __asm__ volatile("rep stosb" : "+D"(target), "+c"(n) : "a"(value) : "memory");
  return to;
}

int strcmp(const char *a, const char *b) {
  for (; *a && *a == *b; a++, b++)
    ;
  return (u8)*a - (u8)*b;
}
