/*
 * Devices that answer at physical addresses. Only the CPU's own data accesses reach them: the MMU's references to such
 * an address find nothing there.
 */
#ifndef MMU86_MMIO_H
#define MMU86_MMIO_H

#include <stdbool.h>
#include <stdint.h>

enum { MMIO_REGIONS = 16 };

/*
 * base, size: multiples of 4096, outside RAM and ROM (which hide it). read and write get an offset into the region, a
 * size of 1, 2 or 4 bytes; a larger operand comes in such pieces, in ascending order.
 */
typedef struct {
  uint64_t base, size;
  void *ctx;
  uint32_t (*read)(void *ctx, uint32_t offset, unsigned size);
  void (*write)(void *ctx, uint32_t offset, unsigned size, uint32_t data);
} mmio_region_t;

typedef struct {
  mmio_region_t region[MMIO_REGIONS];
  unsigned n;
} mmio_t;

/* Adds a region; it may be moved later through the pointer that is returned. Asserts that there is room. */
mmio_region_t *mmio_add(mmio_t *mmio, const mmio_region_t *region);

/* The region that holds paddr, or NULL. */
const mmio_region_t *mmio_find(const mmio_t *mmio, uint64_t paddr);

/* An access of 1..8 bytes that starts in region. */
uint64_t mmio_read(const mmio_region_t *region, uint64_t paddr, unsigned size);
void mmio_write(const mmio_region_t *region, uint64_t paddr, unsigned size, uint64_t data);

#endif
