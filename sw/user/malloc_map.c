/// malloc's large blocks: each has pages of its own, which go back to the kernel when it is freed. A list of them tells
/// a block from a wild pointer without a look at where it points.
#include "malloc_priv.h"

struct mapping *malloc_mappings;

void *map_take(size_t bytes) {
  struct mapping *mapping = mmap_pages(mapping_bytes(bytes));

  if (!mapping) return NULL;
  *mapping = (struct mapping){.next = malloc_mappings, .bytes = mapping_bytes(bytes)};
  mapping->seal = mapping->bytes ^ CHUNK_SEAL;
  if (mapping->next) mapping->next->prev = mapping;
  malloc_mappings = mapping;
  return mapping + 1;
}

void map_give(struct mapping *mapping) {
  if (mapping->next) mapping->next->prev = mapping->prev;
  if (mapping->prev)
    mapping->prev->next = mapping->next;
  else
    malloc_mappings = mapping->next;
  munmap_pages(mapping, mapping->bytes);
}

struct mapping *map_find(const void *block, enum malloc_error *error) {
  for (struct mapping *mapping = malloc_mappings; mapping; mapping = mapping->next) {
    if (!mapping_intact(mapping)) {
      *error = MALLOC_DAMAGED;
      return NULL;
    }
    if (mapping + 1 == block) return mapping;
  }
  *error = MALLOC_WILD_POINTER;
  return NULL;
}
