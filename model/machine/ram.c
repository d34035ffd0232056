#include "ram.h"

#include <stddef.h>
#include <sys/mman.h>

bool ram_create(ram_t *ram, uint64_t size) {
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) return false;
  ram->bytes = bytes;
  ram->size = size;
  return true;
}

void ram_destroy(ram_t *ram) {
  if (ram->bytes) munmap(ram->bytes, ram->size);
  ram->bytes = NULL;
  ram->size = 0;
}

uint64_t ram_read_slow(const ram_t *ram, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned i = 0; i < size; i++) {
    uint8_t byte = ram_holds(ram, paddr + i, 1) ? ram->bytes[paddr + i] : 0xFF;
    data |= (uint64_t)byte << (8 * i);
  }
  return data;
}

void ram_write_slow(ram_t *ram, uint64_t paddr, unsigned size, uint64_t data) {
  for (unsigned i = 0; i < size; i++)
    if (ram_holds(ram, paddr + i, 1)) ram->bytes[paddr + i] = (uint8_t)(data >> (8 * i));
}
