#include "world.h"

#include <string.h>
#include <sys/mman.h>

bool world_create(world_t *world, uint64_t bytes) {
  void *ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (ram == MAP_FAILED) return false;
  world->ram = ram;
  world->bytes = bytes;
  return true;
}

void world_destroy(world_t *world) {
  if (world->ram) munmap(world->ram, world->bytes);
  world->ram = NULL;
}

static bool inside(const world_t *world, uint64_t paddr, uint64_t n) {
  return paddr < world->bytes && n <= world->bytes - paddr;
}

/* The slow way, for references that leave RAM half way. */
static uint64_t read_bytewise(const world_t *world, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned i = 0; i < size; i++)
    data |= (uint64_t)(inside(world, paddr + i, 1) ? world->ram[paddr + i] : 0xff) << (8 * i);
  return data;
}

uint64_t world_read(const world_t *world, uint64_t paddr, unsigned size) {
  if (!inside(world, paddr, size)) return read_bytewise(world, paddr, size);
  uint64_t data = 0;
  memcpy(&data, world->ram + paddr, size);
  return data;
}

void world_write(world_t *world, uint64_t paddr, unsigned size, uint64_t data) {
  world_load(world, paddr, &data, size);
}

void world_load(world_t *world, uint64_t paddr, const void *bytes, uint64_t n) {
  if (paddr >= world->bytes) return;
  if (n > world->bytes - paddr) n = world->bytes - paddr;
  memcpy(world->ram + paddr, bytes, n);
}

static uint64_t port_read(void *ctx, uint64_t paddr, unsigned size) {
  return world_read(ctx, paddr, size);
}

static void port_write(void *ctx, uint64_t paddr, unsigned size, uint64_t data) {
  world_write(ctx, paddr, size, data);
}

mmu_mem_port_t world_port(world_t *world) {
  return (mmu_mem_port_t){world, port_read, port_write};
}

bool world_equal(const world_t *a, const world_t *b, uint64_t *paddr) {
  enum { CHUNK = 65536 };
  for (uint64_t at = 0; at < a->bytes; at += CHUNK) {
    uint64_t n = a->bytes - at < CHUNK ? a->bytes - at : CHUNK;
    if (memcmp(a->ram + at, b->ram + at, n) == 0) continue;
    while (a->ram[at] == b->ram[at])
      at++;
    *paddr = at;
    return false;
  }
  return true;
}
