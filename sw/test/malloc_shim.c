#include "malloc_shim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEAP_BYTES = 256 << 20, JUNK_BYTES = 1 << 20, JUNK = 0xC3 };

static char *heap, *heap_end;
static size_t mapped;
static unsigned long fail_countdown, failures;
static unsigned fail_odds, random_state = 1;
static bool in_malloc;

static void need(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "malloc_shim: %s\n", what);
  abort();
}

static size_t whole_pages(size_t bytes) {
  return (bytes + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;
}

void host_start(void) {
  heap = heap_end = mmap(NULL, HEAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  need(heap != MAP_FAILED, "no address space");
}

void host_seed(unsigned seed) {
  random_state = seed * 2654435761U | 1;
}

unsigned host_random(unsigned below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % below;
}

void host_fail_memory(unsigned long n, unsigned odds) {
  fail_countdown = n;
  fail_odds = odds;
  failures = 0;
}

unsigned long host_failures(void) {
  return failures;
}

static bool fails_now(void) {
  bool fails = (fail_countdown && --fail_countdown == 0) || (fail_odds && host_random(fail_odds) == 0);
  failures += fails;
  return fails;
}

/// Pages that the heap loses are gone; those it gets begin with junk.
static bool move_end(char *end) {
  size_t old_bytes = whole_pages((size_t)(heap_end - heap)), bytes = whole_pages((size_t)(end - heap));
  if (bytes > HEAP_BYTES) return false;
  if (bytes > old_bytes) {
    need(!mprotect(heap + old_bytes, bytes - old_bytes, PROT_READ | PROT_WRITE), "mprotect");
    memset(heap + old_bytes, JUNK, bytes - old_bytes < JUNK_BYTES ? bytes - old_bytes : JUNK_BYTES);
  } else if (bytes < old_bytes) {
    need(!mprotect(heap + bytes, old_bytes - bytes, PROT_NONE), "mprotect");
  }
  heap_end = end;
  return true;
}

void *sbrk(intptr_t increment) {
  char *old = heap_end;
  need(in_malloc, "sbrk from outside of malloc");
  need(increment >= heap - heap_end, "sbrk below the heap");
  if (increment > 0 && (increment > HEAP_BYTES || fails_now())) return (void *)-1;
  return move_end(heap_end + increment) ? old : (void *)-1;
}

char *host_sbrk(intptr_t increment) {
  char *old = heap_end;
  need(move_end(heap_end + increment), "heap exhausted");
  if (increment > 0) memset(old, JUNK, (size_t)increment);
  return old;
}

char *host_heap_start(void) {
  return heap;
}

char *host_heap_end(void) {
  return heap_end;
}

void *mmap_pages(size_t bytes) {
  need(in_malloc && bytes && bytes % HOST_PAGE == 0, "mmap_pages: not whole pages");
  if (fails_now()) return NULL;
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  mapped += bytes;
  return pages;
}

void munmap_pages(void *pages, size_t bytes) {
  need(in_malloc && bytes && bytes % HOST_PAGE == 0 && bytes <= mapped, "munmap_pages: not whole pages");
  need(!munmap(pages, bytes), "munmap");
  mapped -= bytes;
}

size_t host_mapped(void) {
  return mapped;
}

void malloc_origin(int on) {
  need(in_malloc != on, "malloc_enter and malloc_leave do not alternate");
  in_malloc = on;
}
