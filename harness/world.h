/*
 * One side's physical memory. The model's is the machine's RAM; the DUT's is made here.
 */
#ifndef MMU86_WORLD_H
#define MMU86_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu.h"

typedef struct {
  uint8_t *ram;
  uint64_t bytes;
} world_t;

/* Makes a zeroed memory; untouched pages cost nothing. Returns false without memory. */
bool world_create(world_t *world, uint64_t bytes);
void world_destroy(world_t *world);

/* size 1..8 bytes; beyond RAM reads are ones and writes are dropped. */
uint64_t world_read(const world_t *world, uint64_t paddr, unsigned size);
void world_write(world_t *world, uint64_t paddr, unsigned size, uint64_t data);

/* The same as the MMU's port; ctx is the world. */
mmu_mem_port_t world_port(world_t *world);

/* Copies bytes in; what lies beyond RAM is dropped. */
void world_load(world_t *world, uint64_t paddr, const void *bytes, uint64_t n);

/* Compares two memories of one size. Returns true if equal; else *paddr is the first difference. */
bool world_equal(const world_t *a, const world_t *b, uint64_t *paddr);

#endif
