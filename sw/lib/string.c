/// memcpy and friends, on the string instructions: each iteration is a reference through the segments DS and ES.
#include <kernel/string.h>

void *memcpy(void *to, const void *from, size_t n) {
  void *d = to;
  size_t words = n / 4;
  __asm__ volatile("rep movsl" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
  n &= 3;
  __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  if (to <= from || (const char *)from + n <= (char *)to) return memcpy(to, from, n);
  void *d = (char *)to + n - 1;
  from = (const char *)from + n - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
  return to;
}

void *memset(void *to, int value, size_t n) {
  void *d = to;
  size_t words = n / 4;
  u32 pattern = (u8)value * 0x01010101U;
  __asm__ volatile("rep stosl" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
  n &= 3;
  __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(pattern) : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  const u8 *p = a, *q = b;
  for (; n; n--, p++, q++)
    if (*p != *q) return *p - *q;
  return 0;
}

char *strncpy(char *to, const char *from, size_t n) {
  size_t i = 0;
  for (; i < n && from[i]; i++)
    to[i] = from[i];
  for (; i < n; i++)
    to[i] = 0;
  return to;
}

size_t strlen(const char *s) {
  size_t n = 0;
  while (s[n])
    n++;
  return n;
}

int strcmp(const char *a, const char *b) {
  for (; *a && *a == *b; a++, b++)
    ;
  return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
  for (; n && *a && *a == *b; a++, b++, n--)
    ;
  return n ? (u8)*a - (u8)*b : 0;
}
