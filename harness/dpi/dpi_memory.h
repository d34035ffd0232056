/*
 * The reference's physical memory: sparse, zero until it is written. Beyond its end nothing answers: reads are ones,
 * writes are dropped (DESIGN.md, section 3.7).
 */
#ifndef MMU86_DPI_MEMORY_H
#define MMU86_DPI_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dpi_memory dpi_memory_t;

/* bytes: 1 to 4 GiB. NULL: the host has no memory left. */
dpi_memory_t *dpi_memory_new(uint64_t bytes);
void dpi_memory_free(dpi_memory_t *memory);

/* size: 1..8 bytes, of any alignment. */
uint64_t dpi_memory_read(const dpi_memory_t *memory, uint64_t paddr, unsigned size);

/* false: the host has no memory left. */
bool dpi_memory_write(dpi_memory_t *memory, uint64_t paddr, unsigned size, uint64_t data);

#endif
