/// malloc's heap: free chunks in bins by size, best fit, split and merged; a top that sbrk moves.
#include "malloc_priv.h"

enum {
  SMALL_BINS = 64,    // each for one size, of this many units of MALLOC_ALIGNMENT
  BINS_A_DOUBLING = 4 // of the others
};

struct heap malloc_heap;

unsigned bin_of(size_t size) {
  size_t units = size / MALLOC_ALIGNMENT;
  if (units < SMALL_BINS) return (unsigned)units;

  unsigned bin = SMALL_BINS;
  for (units /= SMALL_BINS / BINS_A_DOUBLING; units >= 2 * BINS_A_DOUBLING; units /= 2)
    bin += BINS_A_DOUBLING;
  bin += (unsigned)units - BINS_A_DOUBLING;
  return bin < BINS ? bin : BINS - 1;
}

/// The first bin from `bin` on that is not empty; BINS if there is none.
static unsigned next_bin(unsigned bin) {
  uint32_t mask = ~(uint32_t)0 << bin % 32;

  for (unsigned word = bin / 32; word < BINS / 32; word++, mask = ~(uint32_t)0) {
    uint32_t bits = malloc_heap.map[word] & mask;
    if (bits) return 32 * word + (unsigned)__builtin_ctz(bits);
  }
  return BINS;
}

/// Whether a chunk can begin at this address.
static bool chunk_place(const struct chunk *chunk) {
  uintptr_t at = (uintptr_t)chunk;
  return at >= (uintptr_t)malloc_heap.start && at < (uintptr_t)malloc_heap.top && (at + WORD) % MALLOC_ALIGNMENT == 0;
}

/// Whether a chunk of this size can be there.
static bool chunk_fits(const struct chunk *chunk, size_t size, const struct chunk *end) {
  return size >= CHUNK_MIN && size <= (uintptr_t)end - (uintptr_t)chunk;
}

bool chunk_intact(const struct chunk *chunk) {
  return chunk_place(chunk) && chunk_fits(chunk, chunk_size(chunk), malloc_heap.top) &&
         *chunk_foot(chunk) == (chunk->head ^ CHUNK_SEAL);
}

bool free_chunk_intact(const struct chunk *chunk) {
  if (!chunk_intact(chunk) || chunk_in_use(chunk)) return false;
  const struct chunk *bin = &malloc_heap.bins[bin_of(chunk_size(chunk))], *next = chunk->next, *prev = chunk->prev;
  return (next == bin || chunk_place(next)) && next->prev == chunk && (prev == bin || chunk_place(prev)) &&
         prev->next == chunk;
}

/// The chunk or bin in front of which a free chunk of `size` bytes has its place. NULL: the bin is damaged (reported).
static struct chunk *bin_place(size_t size) {
  struct chunk *bin = &malloc_heap.bins[bin_of(size)], *chunk;

  for (chunk = bin->next; chunk != bin; chunk = chunk->next) {
    if (!free_chunk_intact(chunk)) {
      malloc_report(MALLOC_DAMAGED, chunk_block(chunk));
      return NULL;
    }
    if (chunk_size(chunk) >= size) break;
  }
  return chunk;
}

static void bin_insert(struct chunk *chunk, struct chunk *place) {
  unsigned bin = bin_of(chunk_size(chunk));

  chunk->next = place;
  chunk->prev = place->prev;
  place->prev->next = chunk;
  place->prev = chunk;
  malloc_heap.map[bin / 32] |= (uint32_t)1 << bin % 32;
}

static void bin_remove(struct chunk *chunk) {
  unsigned bin = bin_of(chunk_size(chunk));

  chunk->prev->next = chunk->next;
  chunk->next->prev = chunk->prev;
  if (malloc_heap.bins[bin].next == &malloc_heap.bins[bin]) malloc_heap.map[bin / 32] &= ~((uint32_t)1 << bin % 32);
}

/// The smallest free chunk of at least `size` bytes, NULL if there is none. What follows a damaged one is not found.
static struct chunk *bin_find(size_t size) {
  for (unsigned bin = bin_of(size); (bin = next_bin(bin)) < BINS; bin++) {
    struct chunk *ring = &malloc_heap.bins[bin];
    for (struct chunk *chunk = ring->next; chunk != ring; chunk = chunk->next) {
      if (!free_chunk_intact(chunk)) {
        malloc_report(MALLOC_DAMAGED, chunk_block(chunk));
        break;
      }
      if (chunk_size(chunk) >= size) return chunk;
    }
  }
  return NULL;
}

/// The chunk in front of one that is not the first. NULL: the tag between them is damaged.
static struct chunk *chunk_before(const struct chunk *chunk) {
  size_t foot = ((const size_t *)chunk)[-1] ^ CHUNK_SEAL;
  struct chunk *before = (struct chunk *)((uintptr_t)chunk - (foot & ~(size_t)CHUNK_FLAGS));
  return chunk_intact(before) && chunk_after(before) == chunk ? before : NULL;
}

/// Finds the free neighbours of a chunk, NULL where there is none. Returns false if a neighbour is damaged.
static bool free_neighbours(const struct chunk *chunk, struct chunk **before, struct chunk **after) {
  *before = *after = NULL;
  if (chunk != malloc_heap.start) {
    struct chunk *neighbour = chunk_before(chunk);
    if (!neighbour) return false;
    if (!chunk_in_use(neighbour)) *before = neighbour;
  }
  struct chunk *neighbour = chunk_after(chunk);
  if (neighbour != malloc_heap.top) {
    if (!chunk_intact(neighbour)) return false;
    if (!chunk_in_use(neighbour)) *after = neighbour;
  }
  return (!*before || free_chunk_intact(*before)) && (!*after || free_chunk_intact(*after));
}

bool heap_give(struct chunk *chunk) {
  struct chunk *before, *after, *place = NULL;

  if (!free_neighbours(chunk, &before, &after)) {
    malloc_report(MALLOC_DAMAGED, chunk_block(chunk));
    return false;
  }
  struct chunk *first = before ? before : chunk, *end = chunk_after(after ? after : chunk);
  size_t size = (size_t)((char *)end - (char *)first);
  // The neighbours are smaller than what comes into being, so that its place is in front of neither of them.
  if (end != malloc_heap.top && !(place = bin_place(size))) return false;

  chunk_tag(chunk, chunk_size(chunk), 0);
  if (before) bin_remove(before);
  if (after) bin_remove(after);
  if (place) {
    chunk_tag(first, size, 0);
    bin_insert(first, place);
  } else {
    malloc_heap.top = first;
    if (heap_room() > MALLOC_TRIM_THRESHOLD) heap_trim(MALLOC_TOP_PAD);
  }
  return true;
}

void heap_cut(struct chunk *chunk, size_t size) {
  size_t whole = chunk_size(chunk);

  if (whole - size < CHUNK_MIN) return;
  chunk_tag(chunk, size, CHUNK_IN_USE);
  chunk_tag(chunk_after(chunk), whole - size, CHUNK_IN_USE);
  if (!heap_give(chunk_after(chunk))) chunk_tag(chunk, whole, CHUNK_IN_USE);
}

/// Goes on behind memory that somebody else got from sbrk: it becomes a chunk in use, up to `base`, the new top.
static void heap_bridge(struct chunk *base) {
  struct chunk *rest = malloc_heap.top;
  size_t room = heap_room() < CHUNK_MIN ? 0 : heap_room();
  struct chunk *foreign = chunk_at(rest, room);

  malloc_heap.top = base;
  chunk_tag(foreign, (size_t)((char *)base - (char *)foreign), CHUNK_IN_USE | CHUNK_FOREIGN);
  if (!room) return;
  chunk_tag(rest, room, CHUNK_IN_USE);
  heap_give(rest);
}

static void heap_init(struct chunk *base) {
  malloc_heap.start = malloc_heap.top = base;
  for (struct chunk *bin = malloc_heap.bins; bin < malloc_heap.bins + BINS; bin++)
    bin->next = bin->prev = bin;
}

/// The first place for a chunk from an address on.
static struct chunk *first_chunk(char *from) {
  return (struct chunk *)(from + (MALLOC_ALIGNMENT - WORD - (uintptr_t)from) % MALLOC_ALIGNMENT);
}

/// Gets memory from sbrk, so that `size` bytes can be taken from the top. Returns false if there is none.
static bool heap_grow(size_t size) {
  char *end = sbrk(0);

  if (end == (void *)-1 || end < malloc_heap.end) return false;
  bool first = !malloc_heap.end, adjacent = end == malloc_heap.end;
  struct chunk *base = adjacent ? malloc_heap.top : first_chunk(first ? end : end + CHUNK_MIN);
  size_t least = align_up((uintptr_t)base + size + WORD, MALLOC_PAGE) - (uintptr_t)end, more = least + MALLOC_TOP_PAD;

  if (sbrk((intptr_t)more) == (void *)-1) {
    more = least;
    if (sbrk((intptr_t)more) == (void *)-1) return false;
  }
  if (first)
    heap_init(base);
  else if (!adjacent)
    heap_bridge(base);
  malloc_heap.end = end + more;
  malloc_heap.arena += more;
  return true;
}

static bool heap_reserve(size_t size) {
  return heap_room() >= size || heap_grow(size);
}

struct chunk *heap_take(size_t size) {
  struct chunk *chunk = bin_find(size);

  if (chunk) {
    bin_remove(chunk);
    chunk_tag(chunk, chunk_size(chunk), CHUNK_IN_USE);
    heap_cut(chunk, size);
    return chunk;
  }
  if (!heap_reserve(size)) return NULL;
  chunk = malloc_heap.top;
  malloc_heap.top = chunk_at(chunk, size);
  chunk_tag(chunk, size, CHUNK_IN_USE);
  return chunk;
}

bool heap_resize(struct chunk *chunk, size_t size) {
  size_t old = chunk_size(chunk);

  if (size <= old) {
    heap_cut(chunk, size);
    return true;
  }
  if (chunk_after(chunk) == malloc_heap.top && heap_reserve(size - old) && chunk_after(chunk) == malloc_heap.top) {
    malloc_heap.top = chunk_at(chunk, size);
    chunk_tag(chunk, size, CHUNK_IN_USE);
    return true;
  }
  struct chunk *after = chunk_after(chunk);
  if (after == malloc_heap.top || !free_chunk_intact(after) || old + chunk_size(after) < size) return false;
  bin_remove(after);
  chunk_tag(chunk, old + chunk_size(after), CHUNK_IN_USE);
  heap_cut(chunk, size);
  return true;
}

bool heap_trim(size_t pad) {
  size_t room = heap_room(), pages = room > pad ? (room - pad) / MALLOC_PAGE * MALLOC_PAGE : 0;

  if (!pages || sbrk(0) != malloc_heap.end || sbrk(-(intptr_t)pages) == (void *)-1) return false;
  malloc_heap.end -= pages;
  malloc_heap.arena -= pages;
  return true;
}

enum malloc_error heap_examine(const void *block) {
  const struct chunk *chunk = block_chunk(block);

  if ((uintptr_t)block % MALLOC_ALIGNMENT) return MALLOC_WILD_POINTER;
  if (!chunk_fits(chunk, chunk_size(chunk), (struct chunk *)malloc_heap.end)) return MALLOC_WILD_POINTER;
  if (!chunk_in_use(chunk)) return MALLOC_DOUBLE_FREE;
  if (!chunk_fits(chunk, chunk_size(chunk), malloc_heap.top) || chunk->head & CHUNK_FOREIGN) return MALLOC_WILD_POINTER;
  return chunk_intact(chunk) ? MALLOC_NO_ERROR : MALLOC_DAMAGED;
}
