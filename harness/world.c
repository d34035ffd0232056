#include "world.h"

#include <string.h>

bool world_create(world_t *world, uint64_t bytes) {
  return ram_create(world, bytes);
}

void world_destroy(world_t *world) {
  ram_destroy(world);
}

uint64_t world_read(const world_t *world, uint64_t paddr, unsigned size) {
  return ram_peek(world, paddr, size);
}

void world_write(world_t *world, uint64_t paddr, unsigned size, uint64_t data) {
  ram_write(world, paddr, size, data);
}

void world_load(world_t *world, uint64_t paddr, const void *bytes, uint64_t n) {
  ram_load(world, paddr, bytes, n);
}

void world_map(world_t *world, const memmap_t *map) {
  ram_set_map(world, map);
}

static uint64_t port_read(void *ctx, uint64_t paddr, unsigned size) {
  return ram_read(ctx, paddr, size);
}

static bool port_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  if (ram_peek(ctx, paddr, size) != expected) return false;
  ram_write(ctx, paddr, size, data);
  return true;
}

mmu_mem_port_t world_port(world_t *world) {
  return (mmu_mem_port_t){world, port_read, port_update};
}

bool world_equal(const world_t *a, const world_t *b, uint64_t *paddr) {
  enum { CHUNK = 65536 };
  uint64_t end = a->size + a->map.rom_bytes;
  for (uint64_t at = 0; at < end; at += CHUNK) {
    uint64_t n = end - at < CHUNK ? end - at : CHUNK;
    if (memcmp(a->bytes + at, b->bytes + at, n) == 0) continue;
    while (a->bytes[at] == b->bytes[at])
      at++;
    *paddr = at < a->size ? at : (UINT64_C(1) << 32) - (end - at);
    return false;
  }
  return true;
}
