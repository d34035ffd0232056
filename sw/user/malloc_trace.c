/// The traces: a table of blocks, operations on it that check what they do, and one function for a round of each kind.
#include "malloc_trace.h"
#include "malloc.h"

enum { SLOTS = 2048, ENDS = 16, STRIDE = 61, SAMPLE_ROUNDS = 4, CHECK_ROUNDS = 16 };

struct slot {
  unsigned char *block; ///< NULL: none
  size_t bytes;         ///< as asked for
};

static struct slot slots[SLOTS];
static struct malloc_trace_result *result;
static enum malloc_trace_failure failure; // the first one; nothing is allocated after it
static size_t live_bytes;
static unsigned random_state;

static void fail(enum malloc_trace_failure why) {
  if (!failure) failure = why;
}

static unsigned random_below(unsigned below) {
  random_state = random_state * 1664525 + 1013904223;
  return (random_state >> 8) % below;
}

/// The next of the bytes that are written and checked: all of a small block; of a large one its ends, and some between.
static size_t next_byte(size_t at, size_t bytes) {
  if (at < ENDS || at + ENDS >= bytes) return at + 1;
  return bytes - at > ENDS + STRIDE ? at + STRIDE : bytes - ENDS;
}

static unsigned char pattern(unsigned i, size_t at) {
  return (unsigned char)(i * 37 + at * 11 + (at >> 8));
}

static void fill(unsigned i) {
  for (size_t at = 0; at < slots[i].bytes; at = next_byte(at, slots[i].bytes))
    slots[i].block[at] = pattern(i, at);
}

/// Checks those that lie in the first `least` bytes.
static void verify(unsigned i, size_t least) {
  for (size_t at = 0; at < slots[i].bytes && at < least; at = next_byte(at, slots[i].bytes))
    if (slots[i].block[at] != pattern(i, at)) fail(TRACE_OVERWRITTEN);
}

static void count_live(size_t more, size_t less) {
  live_bytes += more - less;
  if (live_bytes > result->peak_bytes) result->peak_bytes = live_bytes;
}

static void drop(unsigned i) {
  if (!slots[i].block) return;
  verify(i, slots[i].bytes);
  free(slots[i].block);
  slots[i].block = NULL;
  count_live(0, slots[i].bytes);
  result->frees++;
}

/// Accepts what an allocation or realloc has returned.
static void put(unsigned i, void *block, size_t bytes, size_t alignment) {
  slots[i] = (struct slot){block, bytes};
  if (!block) {
    fail(TRACE_NO_MEMORY);
    return;
  }
  count_live(bytes, 0);
  if ((uintptr_t)block % alignment) fail(TRACE_MISALIGNED);
  if (malloc_usable_size(block) < bytes) fail(TRACE_SMALL);
  fill(i);
}

static void put_new(unsigned i, void *block, size_t bytes, size_t alignment) {
  put(i, block, bytes, alignment);
  if (block) result->allocations++;
}

static void make(unsigned i, size_t bytes) {
  drop(i);
  if (!failure) put_new(i, malloc(bytes), bytes, MALLOC_ALIGNMENT);
}

static void make_zeroed(unsigned i, size_t bytes) {
  drop(i);
  if (failure) return;
  unsigned char *block = calloc(1, bytes);
  for (size_t at = 0; block && at < bytes; at = next_byte(at, bytes))
    if (block[at]) fail(TRACE_NOT_ZERO);
  put_new(i, block, bytes, MALLOC_ALIGNMENT);
}

static void make_aligned(unsigned i, size_t alignment, size_t bytes) {
  drop(i);
  if (!failure) put_new(i, memalign(alignment, bytes), bytes, alignment);
}

static void resize(unsigned i, size_t bytes) {
  if (failure) return;
  struct slot *slot = &slots[i];
  size_t old = slot->bytes;
  verify(i, old);
  unsigned char *block = realloc(slot->block, bytes);
  if (!block) {
    fail(TRACE_NO_MEMORY);
    return;
  }
  slot->block = block;
  verify(i, old < bytes ? old : bytes); // still as it was filled for the old size
  count_live(0, old);
  put(i, block, bytes, MALLOC_ALIGNMENT);
  result->reallocs++;
}

/// Half of the time 5 to 8 bytes, a quarter of it 9 to 16, an eighth 17 to 32 ..., with at most `doublings` doublings.
static size_t geometric(unsigned doublings) {
  size_t bytes = 8;
  while (doublings-- && random_below(2))
    bytes *= 2;
  return bytes / 2 + 1 + random_below((unsigned)bytes / 2);
}

static void list_round(unsigned round) {
  enum { NODES = 48, NODE_BYTES = 3 * sizeof(void *) };
  unsigned base = round % (SLOTS / NODES) * NODES; // one of the lists there are goes, and is made anew
  bool fifo = random_below(2);
  for (unsigned i = 0; i < NODES; i++)
    drop(base + (fifo ? i : NODES - 1 - i));
  for (unsigned i = 0; i < NODES; i++)
    make(base + i, NODE_BYTES);
}

static void strings_round(unsigned round) {
  for (unsigned n = 0; n < 48; n++) {
    unsigned i = random_below(SLOTS / 2);
    if (!slots[i].block && (n + round) % 8 == 0)
      make_zeroed(i, geometric(12));
    else if (!slots[i].block)
      make(i, geometric(9));
    else if (random_below(2) && slots[i].bytes < 4096)
      resize(i, slots[i].bytes + geometric(8));
    else if (random_below(4) == 0)
      resize(i, 1 + random_below((unsigned)slots[i].bytes));
    else
      drop(i);
  }
}

/// Slot i has the children 2i + 1 and 2i + 2.
static void drop_branch(unsigned i) {
  if (i >= SLOTS || !slots[i].block) return;
  drop_branch(2 * i + 1);
  drop_branch(2 * i + 2);
  drop(i);
}

static void tree_round(unsigned round) {
  for (unsigned n = 0; n < 32; n++) {
    unsigned i = 0;
    while (i < SLOTS && slots[i].block)
      i = 2 * i + 1 + random_below(2);
    if (i < SLOTS) make(i, 5 * sizeof(void *) + geometric(6));
  }
  unsigned at = 0;
  for (unsigned level = round % 8 ? 4 + random_below(3) : 1; level; level--)
    at = 2 * at + 1 + random_below(2);
  drop_branch(at);
}

static void buffers_round(unsigned round) {
  for (unsigned n = 0; n < 4; n++) {
    unsigned i = random_below(6), quarter = MALLOC_MMAP_THRESHOLD / 4;
    size_t bytes = quarter * (1 + random_below(8)) + random_below(3) - 1; // one less, the very threshold, one more
    if (!slots[i].block && (n + round) % 4 == 0)
      make_zeroed(i, bytes);
    else if (!slots[i].block)
      make(i, bytes);
    else if (random_below(2))
      resize(i, bytes);
    else
      drop(i);
  }
}

static void server_round(unsigned round) {
  enum { PHASE = 32, REQUESTS = 12, SCRATCH = 4 };
  bool growth = round / PHASE % 2 == 0;
  for (unsigned n = 0; n < REQUESTS; n++) {
    for (unsigned i = 0; i < SCRATCH; i++)
      make(i, 64 + geometric(10));
    unsigned session = SCRATCH + random_below(SLOTS - SCRATCH);
    if (growth) make(session, 128 + random_below(384));
    resize(0, slots[0].bytes * 2); // the answer gets longer
    for (unsigned i = 0; i < SCRATCH; i++)
      drop(i);
  }
  if (!growth && round % PHASE == 0)
    for (unsigned i = SCRATCH; i < SLOTS; i++)
      if (random_below(8)) drop(i);
}

static void sweep_round(unsigned round) {
  enum { WINDOW = 32 };
  for (unsigned n = 0; n < WINDOW; n++) {
    size_t bytes = (size_t)round * WINDOW + n + 1;
    if (n % 8 == 7)
      make_aligned(n, (size_t)MALLOC_ALIGNMENT << bytes % 7, bytes);
    else
      make(n, bytes);
  }
}

static const struct {
  const char *name;
  void (*round)(unsigned round);
} kinds[TRACE_KINDS] = {
    [TRACE_LIST] = {"list", list_round},       [TRACE_STRINGS] = {"strings", strings_round},
    [TRACE_TREE] = {"tree", tree_round},       [TRACE_BUFFERS] = {"buffers", buffers_round},
    [TRACE_SERVER] = {"server", server_round}, [TRACE_SWEEP] = {"sweep", sweep_round},
};

const char *malloc_trace_name(unsigned kind) {
  return kind < TRACE_KINDS ? kinds[kind].name : NULL;
}

/// Keeps the largest figures.
static void sample(void) {
  struct mallinfo info = mallinfo();
  unsigned fragmentation = (unsigned)((info.fordblks - info.keepcost) / (info.arena / 1000 + 1));

  if (info.arena > result->heap_bytes) result->heap_bytes = info.arena;
  if (info.hblks > result->mapped_blocks) result->mapped_blocks = info.hblks;
  if (fragmentation > result->fragmentation) result->fragmentation = fragmentation;
}

int malloc_trace(unsigned kind, unsigned rounds, unsigned seed, struct malloc_trace_result *to) {
  *to = (struct malloc_trace_result){0};
  if (kind >= TRACE_KINDS) return TRACE_UNKNOWN;
  result = to;
  failure = TRACE_PASSED;
  random_state = seed;

  struct mallinfo before = mallinfo();
  unsigned long errors = nr_malloc_errors();
  for (unsigned round = 0; round < rounds && !failure; round++) {
    kinds[kind].round(round);
    if (round % SAMPLE_ROUNDS == 0) sample();
    if (round % CHECK_ROUNDS == 0 && !malloc_check()) fail(TRACE_INCONSISTENT);
  }
  for (unsigned i = 0; i < SLOTS; i++)
    drop(i);
  struct mallinfo after = mallinfo();
  if (!malloc_check()) fail(TRACE_INCONSISTENT);
  if (nr_malloc_errors() != errors) fail(TRACE_ERRORS);
  if (after.uordblks != before.uordblks || after.hblks != before.hblks) fail(TRACE_LEAK);
  return failure;
}
