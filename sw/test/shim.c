#include "shim.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *host_memory;

static unsigned long fail_countdown;
static unsigned fail_odds;
static u32 random_state;

void host_start(unsigned long reserved, unsigned long pages) {
  size_t bytes = pages << PAGE_SHIFT, alignment = PAGE_SIZE << (MAX_ORDER - 1);

  host_memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!host_memory) abort();
  memset(host_memory, 0xC3, bytes);
  fail_countdown = fail_odds = 0;
  random_state = 2463534242U;
  mem_init(reserved, pages);
}

void host_stop(void) {
  free(host_memory);
  host_memory = NULL;
}

void host_fail_allocations(unsigned long n, unsigned odds) {
  fail_countdown = n;
  fail_odds = odds;
}

u32 host_random(u32 below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % below;
}

/// The linker sends the calls of other files here (--wrap).
struct page *__real_alloc_pages(gfp_t flags, unsigned order);
struct page *__wrap_alloc_pages(gfp_t flags, unsigned order);

struct page *__wrap_alloc_pages(gfp_t flags, unsigned order) {
  if (fail_countdown && --fail_countdown == 0) return NULL;
  if (fail_odds && host_random(fail_odds) == 0) return NULL;
  return __real_alloc_pages(flags, order);
}

/// The planted errors are many; their counters are what the tests look at.
void printk(const char *format, ...) {
  (void)format;
}

void panic(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  abort();
}
