/// What programs do with memory: copy, fill, sort, hash, look up.
#include <kernel/string.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

/// FNV-1a.
static u32 hash(const u8 *at, size_t n) {
  u32 h = 2166136261U;
  for (; n; n--)
    h = (h ^ *at++) * 16777619;
  return h;
}

static void fill_random(u32 *words, u32 n) {
  for (u32 i = 0; i < n; i++)
    words[i] = random_u32();
}

static void heap_sort(u32 *a, u32 n) {
  for (u32 start = n / 2, end = n; end > 1;) {
    u32 value;
    if (start) {
      value = a[--start];
    } else {
      value = a[--end];
      a[end] = a[0];
    }
    u32 at = start;
    for (u32 child; (child = 2 * at + 1) < end; at = child) {
      if (child + 1 < end && a[child + 1] > a[child]) child++;
      if (a[child] <= value) break;
      a[at] = a[child];
    }
    a[at] = value;
  }
}

static void sort_and_search(u32 *a, u32 n) {
  u32 sum = 0, found = 0;

  fill_random(a, n);
  for (u32 i = 0; i < n; i++)
    sum += a[i];
  u32 sample = a[n / 3];
  heap_sort(a, n);
  for (u32 i = 0; i < n; i++) {
    sum -= a[i];
    if (i && a[i - 1] > a[i]) found++;
  }
  CHECK(!sum && !found);
  u32 low = 0, high = n;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (a[middle] < sample)
      low = middle + 1;
    else
      high = middle;
  }
  CHECK(low < n && a[low] == sample);
}

/// Copies of random length and alignment, forwards and overlapping.
static void copies(u8 *from, u8 *to, u32 bytes) {
  for (unsigned long i = rounds(120); i; i--) {
    u32 n = random_below(6000) + 1, source = random_below(bytes - n), target = random_below(bytes - n);
    memcpy(to + target, from + source, n);
    CHECK(to[target] == from[source] && to[target + n - 1] == from[source + n - 1]);
    if (i % 8 == 0) CHECK(!memcmp(to + target, from + source, min_ul(n, 512)));
  }
  u8 first = from[0], last = from[2999];
  memmove(from + 1, from, 3000);
  CHECK(from[1] == first && from[3000] == last);
  memmove(from, from + 1, 3000);
  CHECK(from[0] == first && from[2999] == last);
  memset(to + 5, 0xA5, 9001);
  CHECK(to[5] == 0xA5 && to[9005] == 0xA5 && hash(to + 5, 64) == hash(to + 8942, 64));
}

/// An open-addressing hash table: random accesses over its whole size.
static void table_lookups(u32 *table, u32 slots) {
  u32 keys = slots / 2, missed = 0;

  memset(table, 0, slots * 4);
  for (u32 key = 1; key <= keys; key++) {
    u32 at = key * 2654435761U % slots;
    while (table[at])
      at = (at + 1) % slots;
    table[at] = key;
  }
  for (u32 key = 1; key <= keys; key++) {
    u32 at = key * 2654435761U % slots;
    while (table[at] != key && table[at])
      at = (at + 1) % slots;
    missed += table[at] != key;
  }
  CHECK(!missed);
}

/// Column by column through a matrix whose rows are pages: a new page with each access.
static void columns(u32 *words, u32 rows) {
  u32 sum = 0;

  for (u32 column = 0; column < 32; column++)
    for (u32 row = 0; row < rows; row++)
      words[row * PAGE_SIZE / 4 + column * 29] = row ^ column;
  for (u32 column = 0; column < 32; column++)
    for (u32 row = 0; row < rows; row++)
      sum += words[row * PAGE_SIZE / 4 + column * 29] ^ row ^ column;
  CHECK(!sum);
}

void workload_kernels(void) {
  u32 n = (u32)pages(256, 6), words = n * PAGE_SIZE / 4;
  u32 *a = need(vmalloc(n * PAGE_SIZE)), *b = need(vmalloc(n * PAGE_SIZE));

  for (unsigned long i = form() == FORM_QUICK ? 0 : turns(1); i; i--) {
    sort_and_search(a, words / 32);
    fill_random(a, words / 8);
    memcpy(b, a, words / 8 * 4);
    CHECK(hash((u8 *)a, words / 4) == hash((u8 *)b, words / 4));
    table_lookups(b, words / 4);
    columns(a, n);
  }
  if (form() == FORM_QUICK) sort_and_search(a, 600);
  copies((u8 *)a, (u8 *)b, words * 4);
  vfree(a);
  vfree(b);
}
