#include "mmio.h"

#include <assert.h>
#include <stddef.h>

mmio_region_t *mmio_add(mmio_t *mmio, const mmio_region_t *region) {
  assert(mmio->n < MMIO_REGIONS && region->read && region->write);
  mmio->region[mmio->n] = *region;
  return &mmio->region[mmio->n++];
}

const mmio_region_t *mmio_find(const mmio_t *mmio, uint64_t paddr) {
  for (unsigned i = 0; i < mmio->n; i++) {
    const mmio_region_t *r = &mmio->region[i];
    if (paddr >= r->base && paddr - r->base < r->size) return r;
  }
  return NULL;
}

/* The next piece of an operand of which size bytes are left. */
static unsigned piece(unsigned size) {
  return size >= 4 ? 4 : size >= 2 ? 2 : 1;
}

uint64_t mmio_read(const mmio_region_t *r, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned done = 0, n; done < size; done += n) {
    n = piece(size - done);
    uint64_t part = r->read(r->ctx, (uint32_t)(paddr - r->base + done), n) & UINT32_MAX >> (32 - 8 * n);
    data |= part << (8 * done);
  }
  return data;
}

void mmio_write(const mmio_region_t *r, uint64_t paddr, unsigned size, uint64_t data) {
  for (unsigned done = 0, n; done < size; done += n) {
    n = piece(size - done);
    r->write(r->ctx, (uint32_t)(paddr - r->base + done), n,
             (uint32_t)(data >> (8 * done)) & UINT32_MAX >> (32 - 8 * n));
  }
}
