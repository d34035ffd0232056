#include "memory_map.h"

unsigned memory_map(uint64_t ram_bytes, memory_region_t regions[MEMORY_REGIONS_MAX]) {
  const uint64_t high_end = high_ram_end(ram_bytes);
  const memory_region_t all[MEMORY_REGIONS_MAX] = {
      {0, LOW_RAM_END, MEMORY_AVAILABLE},
      {LOW_RAM_END, 0xA0000, MEMORY_RESERVED},
      {BIOS_START, HIGH_RAM_START, MEMORY_RESERVED},
      {HIGH_RAM_START, high_end, MEMORY_AVAILABLE},
      {high_end, ram_bytes, MEMORY_RESERVED},
      {0xFFFC0000, UINT64_C(1) << 32, MEMORY_RESERVED},
  };
  unsigned n = 0;
  for (unsigned i = 0; i < MEMORY_REGIONS_MAX; i++)
    if (all[i].start < all[i].end) regions[n++] = all[i];
  return n;
}
