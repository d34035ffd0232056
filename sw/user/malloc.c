/// malloc and its relatives: each enters, finds out what it is given, and lets the heap or the mappings do the work.
#include "malloc_priv.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);

/// Where a block lies: one of the two, or none if it is not a block in use.
struct place {
  struct chunk *chunk;
  struct mapping *mapping;
};

/// Errors are reported.
static struct place find(const void *block) {
  struct place place = {NULL, NULL};
  enum malloc_error error = MALLOC_NO_ERROR;

  if (!heap_contains(block))
    place.mapping = map_find(block, &error);
  else if ((error = heap_examine(block)) == MALLOC_NO_ERROR)
    place.chunk = block_chunk(block);
  if (error) malloc_report(error, block);
  return place;
}

static size_t usable(struct place place) {
  if (place.chunk) return chunk_size(place.chunk) - CHUNK_TAGS;
  return place.mapping ? place.mapping->bytes - sizeof(struct mapping) : 0;
}

static void release(struct place place) {
  if (place.chunk) heap_give(place.chunk);
  if (place.mapping) map_give(place.mapping);
}

/// The size of the chunk for a block of `bytes` bytes.
static size_t chunk_size_for(size_t bytes) {
  return bytes <= CHUNK_MIN - CHUNK_TAGS ? CHUNK_MIN : align_up(bytes + CHUNK_TAGS, MALLOC_ALIGNMENT);
}

static void *allocate(size_t bytes) {
  if (bytes > REQUEST_MAX) return NULL;
  void *block = bytes >= MALLOC_MMAP_THRESHOLD ? map_take(bytes) : NULL;
  if (block) return block;
  struct chunk *chunk = heap_take(chunk_size_for(bytes));
  return chunk ? chunk_block(chunk) : NULL;
}

static void *allocate_zeroed(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) return NULL;
  void *block = allocate(count * size);
  if (block && heap_contains(block)) memset(block, 0, count * size); // mapped pages are zero
  return block;
}

static void *reallocate(void *block, size_t bytes) {
  if (!block) return allocate(bytes);
  struct place place = find(block);
  if ((!place.chunk && !place.mapping) || bytes > REQUEST_MAX) return NULL;
  if (!bytes) {
    release(place);
    return NULL;
  }
  if (place.chunk && heap_resize(place.chunk, chunk_size_for(bytes))) return block;
  if (place.mapping && mapping_bytes(bytes) == place.mapping->bytes) return block;

  size_t old = usable(place);
  void *fresh = allocate(bytes);
  if (!fresh) return bytes <= old ? block : NULL;
  memcpy(fresh, block, bytes < old ? bytes : old);
  release(place);
  return fresh;
}

/// Takes more than is needed, and gives back what lies in front of the aligned block and behind it.
static void *allocate_aligned(size_t alignment, size_t bytes) {
  if (!alignment || alignment & (alignment - 1)) return NULL;
  if (alignment <= MALLOC_ALIGNMENT) return allocate(bytes);
  if (bytes > REQUEST_MAX || alignment > REQUEST_MAX - bytes) return NULL;

  size_t size = chunk_size_for(bytes);
  struct chunk *chunk = heap_take(size + alignment + CHUNK_MIN);
  if (!chunk) return NULL;
  uintptr_t block = (uintptr_t)chunk_block(chunk);
  size_t lead = align_up(block, alignment) - block;
  if (lead && lead < CHUNK_MIN) lead += alignment;
  if (lead) {
    struct chunk *unaligned = chunk;
    chunk = chunk_at(unaligned, lead);
    chunk_tag(chunk, chunk_size(unaligned) - lead, CHUNK_IN_USE);
    chunk_tag(unaligned, lead, CHUNK_IN_USE);
    heap_give(unaligned);
  }
  heap_cut(chunk, size);
  return chunk_block(chunk);
}

void *malloc(size_t bytes) {
  malloc_enter();
  void *block = allocate(bytes);
  malloc_leave();
  return block;
}

void free(void *block) {
  malloc_enter();
  if (block) release(find(block));
  malloc_leave();
}

void *calloc(size_t count, size_t size) {
  malloc_enter();
  void *block = allocate_zeroed(count, size);
  malloc_leave();
  return block;
}

void *realloc(void *block, size_t bytes) {
  malloc_enter();
  block = reallocate(block, bytes);
  malloc_leave();
  return block;
}

void *memalign(size_t alignment, size_t bytes) {
  malloc_enter();
  void *block = allocate_aligned(alignment, bytes);
  malloc_leave();
  return block;
}

size_t malloc_usable_size(const void *block) {
  malloc_enter();
  size_t bytes = block ? usable(find(block)) : 0;
  malloc_leave();
  return bytes;
}

bool malloc_trim(size_t pad) {
  malloc_enter();
  bool trimmed = heap_trim(pad);
  malloc_leave();
  return trimmed;
}
