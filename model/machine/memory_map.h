/*
 * What the guest is told of physical memory where no BIOS tells it.
 * Source: QEMU's pc machine, BIOS function 15H E820H.
 */
#ifndef MMU86_MEMORY_MAP_H
#define MMU86_MEMORY_MAP_H

#include <stdint.h>

enum { LOW_RAM_END = 0x9FC00, BIOS_START = 0xF0000, HIGH_RAM_START = 0x100000, TOP_RESERVED = 0x20000 };
enum { MEMORY_REGIONS_MAX = 6 };

/* E820 types. */
typedef enum { MEMORY_AVAILABLE = 1, MEMORY_RESERVED = 2 } memory_type_t;

typedef struct {
  uint64_t start, end;
  memory_type_t type;
} memory_region_t;

/* The end of the available memory that starts at HIGH_RAM_START; HIGH_RAM_START itself if there is none. */
static inline uint64_t high_ram_end(uint64_t ram_bytes) {
  return ram_bytes > HIGH_RAM_START + TOP_RESERVED ? ram_bytes - TOP_RESERVED : HIGH_RAM_START;
}

/* Fills in the regions in ascending order, none of them empty. Returns how many. */
unsigned memory_map(uint64_t ram_bytes, memory_region_t regions[MEMORY_REGIONS_MAX]);

#endif
