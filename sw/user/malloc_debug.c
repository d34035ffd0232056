/// Errors, statistics and consistency of malloc.
#include "malloc_priv.h"

static unsigned long errors;
static void (*error_hook)(enum malloc_error error, const void *where);

unsigned long nr_malloc_errors(void) {
  return errors;
}

void malloc_on_error(void (*hook)(enum malloc_error error, const void *where)) {
  error_hook = hook;
}

void malloc_report(enum malloc_error error, const void *where) {
  errors++;
  if (error_hook) error_hook(error, where);
}

/// Adds up the chunks up to the top. Returns false if a tag is damaged, two free chunks are neighbours, or one is at
/// the top.
static bool walk_chunks(struct mallinfo *info) {
  bool was_free = false, sound = true;

  for (const struct chunk *chunk = malloc_heap.start; chunk != malloc_heap.top; chunk = chunk_after(chunk)) {
    if (!chunk_intact(chunk)) return false;
    if (chunk->head & CHUNK_FOREIGN) {
      was_free = false;
    } else if (chunk_in_use(chunk)) {
      info->uordblks += chunk_size(chunk);
      was_free = false;
    } else {
      info->ordblks++;
      info->fordblks += chunk_size(chunk);
      if (was_free || !free_chunk_intact(chunk)) sound = false;
      was_free = true;
    }
  }
  return sound && !was_free;
}

/// Takes the chunks of the bins from what walk_chunks has found. Returns false if a chunk is in the wrong bin or order:
/// the links of the first and the last one say which bin is theirs, and those between them are between them in size.
static bool walk_bins(struct mallinfo *info) {
  for (unsigned i = 0; i < BINS; i++) {
    const struct chunk *bin = &malloc_heap.bins[i];
    size_t least = 0;
    if ((bin->next != bin) != (malloc_heap.map[i / 32] >> i % 32 & 1)) return false;
    for (const struct chunk *chunk = bin->next; chunk != bin; chunk = chunk->next) {
      if (!info->ordblks || !free_chunk_intact(chunk)) return false;
      if (chunk_size(chunk) < least) return false;
      least = chunk_size(chunk);
      info->ordblks--;
      info->fordblks -= least;
    }
  }
  return true;
}

/// Adds up the mappings. Returns false if one is damaged.
static bool walk_mappings(struct mallinfo *info) {
  for (const struct mapping *mapping = malloc_mappings; mapping; mapping = mapping->next) {
    if (!mapping_intact(mapping) || mapping->bytes % MALLOC_PAGE) return false;
    if (mapping->next && mapping->next->prev != mapping) return false;
    info->hblks++;
    info->hblkhd += mapping->bytes;
  }
  return true;
}

struct mallinfo mallinfo(void) {
  struct mallinfo info = {.arena = malloc_heap.arena, .keepcost = heap_room()};

  malloc_enter();
  walk_chunks(&info);
  walk_mappings(&info);
  if (info.keepcost) info.ordblks++;
  info.fordblks += info.keepcost;
  malloc_leave();
  return info;
}

/// Whether the heap as a whole is possible.
static bool bounds_sound(size_t in_chunks) {
  if (!malloc_heap.start) return !malloc_heap.end && !malloc_heap.arena;
  return malloc_heap.start <= malloc_heap.top && (char *)malloc_heap.top + WORD <= malloc_heap.end &&
         (uintptr_t)malloc_heap.end % MALLOC_PAGE == 0 && in_chunks + heap_room() + WORD <= malloc_heap.arena;
}

bool malloc_check(void) {
  struct mallinfo info = {0};

  malloc_enter();
  bool sound = walk_chunks(&info) && bounds_sound(info.uordblks + info.fordblks);
  if (sound && malloc_heap.start) sound = walk_bins(&info) && !info.ordblks && !info.fordblks;
  sound = walk_mappings(&info) && sound;
  malloc_leave();
  return sound;
}
