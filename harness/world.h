/*
 * One side's physical memory, as the harness handles it. The model's is the machine's (ram.h); the DUT's is made here.
 */
#ifndef MMU86_WORLD_H
#define MMU86_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu.h"
#include "ram.h"

typedef ram_t world_t;

/* Makes a zeroed memory, flat RAM; untouched pages cost nothing. Returns false without memory. */
bool world_create(world_t *world, uint64_t bytes);
void world_destroy(world_t *world);

/* size 1..8 bytes, through the map; where nothing answers reads are ones and writes are dropped. */
uint64_t world_read(const world_t *world, uint64_t paddr, unsigned size);
void world_write(world_t *world, uint64_t paddr, unsigned size, uint64_t data);

/* The same as the MMU's port; ctx is the world. */
mmu_mem_port_t world_port(world_t *world);

/* Copies bytes in as a loader does: RAM and ROM whatever the map says of writes; what lies in neither is dropped. */
void world_load(world_t *world, uint64_t paddr, const void *bytes, uint64_t n);

/* The chipset has changed the memory map. */
void world_map(world_t *world, const memmap_t *map);

/* Compares two memories of one size, RAM and ROM. Returns true if equal; else *paddr is the first difference. */
bool world_equal(const world_t *a, const world_t *b, uint64_t *paddr);

#endif
