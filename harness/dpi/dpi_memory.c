#include "dpi_memory.h"

#include <stdlib.h>

/* Two levels of tables, as in a page directory: 1024 tables of 1024 pages of 4 KiB. */
enum { PAGE_SHIFT = 12, TABLE_SHIFT = 22, FANOUT = 1024, PAGE_BYTES = 1 << PAGE_SHIFT };

struct dpi_memory {
  uint64_t bytes;
  uint8_t **table[FANOUT];
};

dpi_memory_t *dpi_memory_new(uint64_t bytes) {
  dpi_memory_t *memory = calloc(1, sizeof *memory);
  if (memory) memory->bytes = bytes;
  return memory;
}

void dpi_memory_free(dpi_memory_t *memory) {
  if (!memory) return;
  for (unsigned i = 0; i < FANOUT; i++) {
    for (unsigned k = 0; memory->table[i] && k < FANOUT; k++)
      free(memory->table[i][k]);
    free(memory->table[i]);
  }
  free(memory);
}

/* The byte at paddr, inside the memory; NULL if its page was never written. */
static uint8_t *find(const dpi_memory_t *memory, uint64_t paddr) {
  uint8_t **table = memory->table[paddr >> TABLE_SHIFT];
  uint8_t *page = table ? table[paddr >> PAGE_SHIFT & (FANOUT - 1)] : NULL;
  return page ? page + paddr % PAGE_BYTES : NULL;
}

/* Likewise; the page is made. NULL: no memory. */
static uint8_t *make(dpi_memory_t *memory, uint64_t paddr) {
  uint8_t ***table = &memory->table[paddr >> TABLE_SHIFT];
  if (!*table) *table = calloc(FANOUT, sizeof **table);
  if (!*table) return NULL;
  uint8_t **page = &(*table)[paddr >> PAGE_SHIFT & (FANOUT - 1)];
  if (!*page) *page = calloc(1, PAGE_BYTES);
  return *page ? *page + paddr % PAGE_BYTES : NULL;
}

uint64_t dpi_memory_read(const dpi_memory_t *memory, uint64_t paddr, unsigned size) {
  uint64_t data = 0;
  for (unsigned i = 0; i < size; i++) {
    uint64_t value = 0xFF;
    if (paddr + i < memory->bytes) {
      const uint8_t *byte = find(memory, paddr + i);
      value = byte ? *byte : 0;
    }
    data |= value << 8 * i;
  }
  return data;
}

bool dpi_memory_write(dpi_memory_t *memory, uint64_t paddr, unsigned size, uint64_t data) {
  for (unsigned i = 0; i < size; i++) {
    if (paddr + i >= memory->bytes) continue;
    uint8_t *byte = make(memory, paddr + i);
    if (!byte) return false;
    *byte = (uint8_t)(data >> 8 * i);
  }
  return true;
}
