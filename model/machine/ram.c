#include "ram.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define FOUR_GIB (UINT64_C(1) << 32)

bool ram_create(ram_t *ram, uint64_t size) {
  void *bytes =
      mmap(NULL, size + MEMMAP_ROM_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) return false;
  *ram = (ram_t){.bytes = bytes, .size = size};
  memmap_t flat = memmap_flat();
  ram_set_map(ram, &flat);
  return true;
}

void ram_destroy(ram_t *ram) {
  if (ram->bytes) munmap(ram->bytes, ram->size + MEMMAP_ROM_MAX);
  *ram = (ram_t){0};
}

void ram_set_map(ram_t *ram, const memmap_t *map) {
  assert(memmap_valid(map));
  ram->map = *map;
  ram->low_end = ram->high_bytes = 0;
  if (!map->a20) return;
  if ((map->ram_reads & map->ram_writes) == MEMMAP_ALL_REGIONS) {
    ram->low_end = ram->size;
    return;
  }
  ram->low_end = ram->size < MEMMAP_PAM_START ? ram->size : MEMMAP_PAM_START;
  ram->high_bytes = ram->size > MEMMAP_PAM_END ? ram->size - MEMMAP_PAM_END : 0;
}

typedef enum { NOTHING, BYTES, DROPPED } place_t;

/* What a byte's address means. at: its index in ram->bytes if BYTES. */
static place_t find(const ram_t *ram, uint64_t paddr, bool write, uint64_t *at) {
  const memmap_t *map = &ram->map;
  paddr = memmap_masked(map, paddr);
  uint16_t from_ram = write ? map->ram_writes : map->ram_reads;
  bool switched = paddr >= MEMMAP_PAM_START && paddr < MEMMAP_PAM_END && !(from_ram >> memmap_region(paddr) & 1);
  if (!switched && paddr < ram->size) {
    *at = paddr;
    return BYTES;
  }
  uint64_t rom_end = switched ? MEMMAP_PAM_END : FOUR_GIB, rom_bytes = map->rom_bytes;
  if (switched && rom_bytes > MEMMAP_SHADOW_MAX) rom_bytes = MEMMAP_SHADOW_MAX;
  if (paddr >= rom_end - rom_bytes && paddr < rom_end) {
    *at = ram->size + map->rom_bytes - (rom_end - paddr);
    return write ? DROPPED : BYTES;
  }
  return switched && write ? DROPPED : NOTHING;
}

/* Reads byte by byte. Returns whether anything answered all of them. */
static bool read_bytes(const ram_t *ram, uint64_t paddr, unsigned size, uint64_t *data) {
  bool answered = true;
  uint64_t at;
  *data = 0;
  for (unsigned i = 0; i < size; i++) {
    bool found = find(ram, paddr + i, false, &at) == BYTES;
    *data |= (uint64_t)(found ? ram->bytes[at] : 0xFF) << (8 * i);
    answered = answered && found;
  }
  return answered;
}

uint64_t ram_peek(const ram_t *ram, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  if (ram_plain(ram, paddr, size))
    memcpy(&data, ram->bytes + paddr, size);
  else
    read_bytes(ram, paddr, size, &data);
  return data;
}

__attribute__((noinline)) uint64_t ram_read_slow(ram_t *ram, uint64_t paddr, unsigned size) {
  uint64_t data;
  if (!read_bytes(ram, paddr, size, &data)) ram->unmapped++;
  return data;
}

__attribute__((noinline)) void ram_write_slow(ram_t *ram, uint64_t paddr, unsigned size, uint64_t data) {
  bool answered = true;
  uint64_t at;
  for (unsigned i = 0; i < size; i++) {
    place_t place = find(ram, paddr + i, true, &at);
    if (place == BYTES) ram->bytes[at] = (uint8_t)(data >> (8 * i));
    answered = answered && place != NOTHING;
  }
  if (!answered) ram->unmapped++;
}

/* Copies what of a load lies in start..start+room-1, whose bytes are at to. */
static void load_part(uint8_t *to, uint64_t start, uint64_t room, uint64_t paddr, const uint8_t *bytes, uint64_t n) {
  uint64_t skip = paddr < start ? start - paddr : 0;
  if (skip >= n || paddr + skip - start >= room) return;
  uint64_t at = paddr + skip - start, part = n - skip < room - at ? n - skip : room - at;
  memcpy(to + at, bytes + skip, part);
}

void ram_load(ram_t *ram, uint64_t paddr, const void *bytes, uint64_t n) {
  uint64_t rom = ram->map.rom_bytes;
  load_part(ram->bytes, 0, ram->size, paddr, bytes, n);
  load_part(ram->bytes + ram->size, FOUR_GIB - rom, rom, paddr, bytes, n);
}
