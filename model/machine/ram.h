/*
 * One side's physical memory: its own bytes of RAM and ROM, found through the memory map. The model has one and the
 * device under test has another.
 */
#ifndef MMU86_RAM_H
#define MMU86_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "memmap.h"

typedef struct {
  uint8_t *bytes; /* RAM, then MEMMAP_ROM_MAX bytes of which the first map.rom_bytes are the ROM's */
  uint64_t size;  /* of RAM, a multiple of 4096 */
  memmap_t map;
  /* Where address is index, whatever the map says elsewhere: 0..low_end-1 and 1 MiB..1 MiB+high_bytes-1. */
  uint64_t low_end, high_bytes;
  uint64_t unmapped; /* references that nothing answered */
} ram_t;

/*
 * Reserves size bytes of zeroes behind memmap_flat(); a page costs host memory once it is written. Returns false
 * without memory.
 */
bool ram_create(ram_t *ram, uint64_t size);
void ram_destroy(ram_t *ram);

/* Changes the map. map: memmap_valid. */
void ram_set_map(ram_t *ram, const memmap_t *map);

/*
 * Copies n bytes in as a loader does, whatever the map says of writes: to RAM from address 0, to the ROM where it ends
 * at 4 GiB; what lies in neither is dropped.
 */
void ram_load(ram_t *ram, uint64_t paddr, const void *bytes, uint64_t n);

/* Whether the size bytes at paddr are RAM under any map. */
static inline bool ram_plain(const ram_t *ram, uint64_t paddr, uint64_t size) {
  if (paddr < ram->low_end) return size <= ram->low_end - paddr;
  uint64_t high = paddr - MEMMAP_PAM_END;
  return high < ram->high_bytes && size <= ram->high_bytes - high;
}

/* Reads without being counted: for reports and tests. size 1..8. */
uint64_t ram_peek(const ram_t *ram, uint64_t paddr, unsigned size);

static inline uint16_t load_le16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t load_le32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t load_le64(const uint8_t *p) {
  return load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}

static inline void store_le16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}

static inline void store_le32(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
  p[2] = (uint8_t)(v >> 16);
  p[3] = (uint8_t)(v >> 24);
}

static inline void store_le64(uint8_t *p, uint64_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
  p[2] = (uint8_t)(v >> 16);
  p[3] = (uint8_t)(v >> 24);
  p[4] = (uint8_t)(v >> 32);
  p[5] = (uint8_t)(v >> 40);
  p[6] = (uint8_t)(v >> 48);
  p[7] = (uint8_t)(v >> 56);
}

/* The odd sizes, and references that are not plain RAM. */
uint64_t ram_read_slow(ram_t *ram, uint64_t paddr, unsigned size);
void ram_write_slow(ram_t *ram, uint64_t paddr, unsigned size, uint64_t data);

/*
 * Reads or writes size bytes (1..8) at paddr, little-endian, at any alignment. What nothing answers reads as ones and
 * drops writes.
 */
static inline uint64_t ram_read(ram_t *ram, uint64_t paddr, unsigned size) {
  if (ram_plain(ram, paddr, size)) {
    const uint8_t *p = ram->bytes + paddr;
    switch (size) {
    case 1:
      return *p;
    case 2:
      return load_le16(p);
    case 4:
      return load_le32(p);
    case 8:
      return load_le64(p);
    default:
      break;
    }
  }
  return ram_read_slow(ram, paddr, size);
}

static inline void ram_write(ram_t *ram, uint64_t paddr, unsigned size, uint64_t data) {
  if (ram_plain(ram, paddr, size)) {
    uint8_t *p = ram->bytes + paddr;
    switch (size) {
    case 1:
      *p = (uint8_t)data;
      return;
    case 2:
      store_le16(p, (uint16_t)data);
      return;
    case 4:
      store_le32(p, (uint32_t)data);
      return;
    case 8:
      store_le64(p, data);
      return;
    default:
      break;
    }
  }
  ram_write_slow(ram, paddr, size, data);
}

#endif
