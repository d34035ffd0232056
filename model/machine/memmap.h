/*
 * The physical memory map as the chipset's registers make it: a small value that both worlds are told, so that each
 * finds the same thing in its own bytes at every address.
 *
 *   0          .. BFFFF      RAM (the VGA window A0000..BFFFF too)
 *   C0000      .. FFFFF      13 regions, each read from ROM or RAM, and written to RAM or not at all
 *   100000     .. end of RAM RAM
 *   4 GiB - n  .. FFFFFFFF   ROM of n bytes; its last 128 KiB at most also end at FFFFF
 *
 * Everything else reads as ones and drops writes, unless a device of the machine answers there (mmio.h).
 * Source: Intel 82441FX (PMC) data sheet, "PAM - Programmable Attribute Map Registers".
 */
#ifndef MMU86_MEMMAP_H
#define MMU86_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

enum {
  MEMMAP_ROM_UNIT = 64 << 10, /* a ROM is a multiple of this */
  MEMMAP_ROM_MAX = 256 << 10,
  MEMMAP_SHADOW_MAX = 128 << 10, /* bytes of the ROM that also lie below 1 MiB */
  MEMMAP_PAM_START = 0xC0000,
  MEMMAP_PAM_END = 0x100000,
  MEMMAP_REGIONS = 13, /* 12 of 16 KiB from C0000, then one of 64 KiB at F0000 */
  MEMMAP_ALL_REGIONS = (1 << MEMMAP_REGIONS) - 1,
  MEMMAP_A20 = 1 << 20, /* the address line that the mask holds low */
};

typedef struct {
  uint32_t rom_bytes; /* 0: there is no ROM */
  uint16_t ram_reads; /* bit i: reads of region i come from RAM */
  uint16_t ram_writes;
  bool a20; /* address line 20 passes; false: every physical address has bit 20 cleared */
} memmap_t;

/* Before any firmware: RAM everywhere, no ROM, A20 passes. */
static inline memmap_t memmap_flat(void) {
  memmap_t map = {0, MEMMAP_ALL_REGIONS, MEMMAP_ALL_REGIONS, true};
  return map;
}

static inline bool memmap_equal(const memmap_t *a, const memmap_t *b) {
  return a->rom_bytes == b->rom_bytes && a->ram_reads == b->ram_reads && a->ram_writes == b->ram_writes &&
         a->a20 == b->a20;
}

/* Whether the fields are possible ones: for maps that come from files. */
static inline bool memmap_valid(const memmap_t *map) {
  return map->rom_bytes <= MEMMAP_ROM_MAX && map->rom_bytes % MEMMAP_ROM_UNIT == 0 &&
         map->ram_reads <= MEMMAP_ALL_REGIONS && map->ram_writes <= MEMMAP_ALL_REGIONS;
}

/* The region of an address in C0000..FFFFF. */
static inline unsigned memmap_region(uint64_t paddr) {
  return paddr < 0xF0000 ? (unsigned)(paddr - MEMMAP_PAM_START) >> 14 : MEMMAP_REGIONS - 1;
}

/* The address that the memory sees. */
static inline uint64_t memmap_masked(const memmap_t *map, uint64_t paddr) {
  return map->a20 ? paddr : paddr & ~(uint64_t)MEMMAP_A20;
}

#endif
