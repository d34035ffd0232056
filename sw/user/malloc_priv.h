/// malloc from inside: the heap as a row of chunks, and mappings.
///
///     start                                               top                     end
///     | head  block  foot | head  next prev   foot | ...  | unused                |
///       in use              free
///
/// Each chunk begins and ends with a boundary tag (Knuth, The Art of Computer Programming, 2.5, algorithm C): its size
/// and whether it is in use. So both neighbours of a chunk are found without a search, and merged with it when it is
/// freed: no two free chunks are neighbours, and none reaches the top. The foot is sealed, which tells tags from data.
/// The head of a chunk that is freed says "free" even when the chunk has become part of another one: who frees it again
/// is found out.
#ifndef USER_MALLOC_PRIV_H
#define USER_MALLOC_PRIV_H

#include "malloc.h"

enum {
  WORD = sizeof(size_t),
  CHUNK_TAGS = 2 * WORD,
  CHUNK_MIN = 4 * WORD,
  CHUNK_IN_USE = 1,
  CHUNK_FOREIGN = 2, ///< memory between two parts of the heap, which somebody else got from sbrk; always in use too
  CHUNK_FLAGS = MALLOC_ALIGNMENT - 1,
  MALLOC_PAGE = 4096,
  BINS = 128,
};

static const size_t CHUNK_SEAL = (size_t)0xA5E1C0DE5EA1F007;

/// Largest request in bytes. What it grows to on its way to sbrk is still a positive intptr_t.
static const size_t REQUEST_MAX = PTRDIFF_MAX / 2;

struct chunk {
  size_t head;               ///< size in bytes, tags included, and flags
  struct chunk *next, *prev; ///< in its bin, while it is free
};

/// The heap. Heads lie one word below a multiple of MALLOC_ALIGNMENT, `end` at the beginning of a page, so that at
/// least a word remains behind whatever is taken from the top.
struct heap {
  struct chunk *start, *top;
  char *end;
  size_t arena;            ///< bytes from sbrk
  struct chunk bins[BINS]; ///< rings of free chunks, in ascending size; heads are not used
  uint32_t map[BINS / 32]; ///< which bins are not empty
};

extern struct heap malloc_heap;

static inline size_t align_up(size_t value, size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

static inline size_t chunk_size(const struct chunk *chunk) {
  return chunk->head & ~(size_t)CHUNK_FLAGS;
}

static inline bool chunk_in_use(const struct chunk *chunk) {
  return chunk->head & CHUNK_IN_USE;
}

static inline struct chunk *chunk_at(const struct chunk *chunk, size_t offset) {
  return (struct chunk *)((char *)chunk + offset);
}

/// The chunk behind, or the top.
static inline struct chunk *chunk_after(const struct chunk *chunk) {
  return chunk_at(chunk, chunk_size(chunk));
}

static inline size_t *chunk_foot(const struct chunk *chunk) {
  return (size_t *)chunk_after(chunk) - 1;
}

/// Writes both tags.
static inline void chunk_tag(struct chunk *chunk, size_t size, size_t flags) {
  chunk->head = size | flags;
  *chunk_foot(chunk) = chunk->head ^ CHUNK_SEAL;
}

static inline void *chunk_block(struct chunk *chunk) {
  return &chunk->next;
}

static inline struct chunk *block_chunk(const void *block) {
  return (struct chunk *)((char *)block - WORD);
}

/// Whether the address lies between `start` and `end`.
static inline bool heap_contains(const void *address) {
  return (uintptr_t)address >= (uintptr_t)malloc_heap.start && (uintptr_t)address < (uintptr_t)malloc_heap.end;
}

/// Bytes that can be taken from the top.
static inline size_t heap_room(void) {
  return malloc_heap.end ? (size_t)(malloc_heap.end - (char *)malloc_heap.top) - WORD : 0;
}

/// A chunk of at least `size` bytes, a multiple of MALLOC_ALIGNMENT from CHUNK_MIN on, in use: the smallest free one,
/// cut to size, else from the top. NULL: no memory.
struct chunk *heap_take(size_t size);

/// Frees a chunk: merges it with free neighbours, puts it into a bin or makes it part of the top, and that smaller if
/// it has become large. Returns false, and does nothing, if one of those is damaged (reported).
bool heap_give(struct chunk *chunk);

/// Makes a chunk in use larger or smaller where it is. Returns false, and does nothing, if there is no room.
bool heap_resize(struct chunk *chunk, size_t size);

/// Frees what a chunk in use has beyond `size` bytes, if that is enough for a chunk.
void heap_cut(struct chunk *chunk, size_t size);

/// As malloc_trim.
bool heap_trim(size_t pad);

/// Says what is wrong with a pointer into the heap that the program says is a block in use.
enum malloc_error heap_examine(const void *block);

/// Whether a chunk can be at this address, and its tags are sound.
bool chunk_intact(const struct chunk *chunk);

/// Whether, in addition, the chunk is free and in its bin.
bool free_chunk_intact(const struct chunk *chunk);

/// The bin for chunks of `size` bytes.
unsigned bin_of(size_t size);

/// What stands at the beginning of a block with pages of its own.
struct mapping {
  struct mapping *next, *prev;
  size_t bytes; ///< of the pages
  size_t seal;  ///< bytes ^ CHUNK_SEAL
};

/// The mappings, the latest first.
extern struct mapping *malloc_mappings;

static inline bool mapping_intact(const struct mapping *mapping) {
  return mapping->seal == (mapping->bytes ^ CHUNK_SEAL);
}

/// The bytes of pages that a block of `bytes` bytes takes.
static inline size_t mapping_bytes(size_t bytes) {
  return align_up(bytes + sizeof(struct mapping), MALLOC_PAGE);
}

/// A block with pages of its own. NULL: no memory.
void *map_take(size_t bytes);

/// Unmaps it.
void map_give(struct mapping *mapping);

/// The mapping of a block, which is not looked at before it is found. NULL: there is none, and *error says why.
struct mapping *map_find(const void *block, enum malloc_error *error);

/// Counts an error, and calls the program's hook.
void malloc_report(enum malloc_error error, const void *where);

#endif
