/// malloc in ring 3: the traces, and the errors it has to notice.
#include "malloc.h"
#include "malloc_trace.h"
#include "user.h"

/// The harness counts malloc's references apart: ring 3 may write the port, by the I/O permission bitmap.
void malloc_origin(int on) {
  enum { ORIGIN_PORT = 0xEA, ORIGIN_USER = 8, ORIGIN_MALLOC = 9 };
  __asm__ volatile("outb %%al, %1" : : "a"(on ? ORIGIN_MALLOC : ORIGIN_USER), "N"(ORIGIN_PORT));
}

void *mmap_pages(size_t bytes) {
  void *pages = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0);
  return is_error(pages) ? NULL : pages;
}

void munmap_pages(void *pages, size_t bytes) {
  munmap(pages, bytes);
}

static void print_result(unsigned kind, const struct malloc_trace_result *result) {
  print_text(malloc_trace_name(kind), 8);
  print_number(result->allocations, 6, " allocations,");
  print_number(result->reallocs, 6, " reallocs, peak");
  print_number(result->peak_bytes >> 10, 5, " KiB, heap");
  print_number(result->heap_bytes >> 10, 5, " KiB,");
  print_number(result->mapped_blocks, 3, " mapped,");
  print_number(result->fragmentation, 4, " of 1000 bytes free inside\n");
}

/// argument: 100 * rounds + seed.
int malloc_traces(u32 argument) {
  u32 before = brk(0);

  for (unsigned kind = 0; kind < TRACE_KINDS; kind++) {
    struct malloc_trace_result result;
    int failed = malloc_trace(kind, argument / 100, argument % 100 + kind, &result);
    if (failed) return (int)kind * 10 + failed;
    print_result(kind, &result);
    if (kind == TRACE_BUFFERS && argument >= 2400 && !result.mapped_blocks) return 70; // over many rounds there must be
  }
  malloc_trim(0);
  if (!malloc_check() || mallinfo().uordblks) return 71;
  return brk(0) - before > 16 * PAGE ? 72 : 0; // what is free at the end was given back
}

/// What malloc must refuse, and leave alone.
int malloc_errors(u32 argument) {
  char *a = malloc(100), *b = malloc(200), *c = malloc(200000);

  (void)argument;
  if (!a || !b || !c) return 1;
  free(a + 8);
  if (nr_malloc_errors() != 1) return 2;
  free(a);
  free(a);
  if (nr_malloc_errors() != 2) return 3;
  free(c + PAGE);
  free(&argument);
  if (nr_malloc_errors() != 4) return 4;
  size_t *tag = (size_t *)b - 1, saved = *tag;
  *tag ^= 0x100;
  free(b);
  if (nr_malloc_errors() != 5) return 5;
  *tag = saved;
  free(b);
  free(c);
  return nr_malloc_errors() == 5 && malloc_check() ? 0 : 6;
}
