/*
 * Physical memory as the machine's parts reach it, changes of its map, and what loaders put there.
 *
 * What is not plain RAM is kept out of line, so that references to RAM need not save registers for it.
 */
#include <assert.h>
#include <string.h>

#include "machine_priv.h"

static bool is_plain(const machine_t *m, uint64_t paddr, unsigned size) {
  return ram_plain(&m->ram, paddr, size);
}

static const mmio_region_t *device_at(const machine_t *m, uint64_t paddr) {
  return mmio_find(&m->mmio, memmap_masked(&m->ram.map, paddr));
}

static __attribute__((noinline)) uint64_t read_elsewhere(machine_t *m, uint64_t paddr, unsigned size) {
  const mmio_region_t *device = device_at(m, paddr);
  if (device) return mmio_read(device, memmap_masked(&m->ram.map, paddr), size);
  return ram_read(&m->ram, paddr, size);
}

uint64_t machine_read(void *machine, uint64_t paddr, unsigned size) {
  machine_t *m = machine;
  return is_plain(m, paddr, size) ? ram_read(&m->ram, paddr, size) : read_elsewhere(m, paddr, size);
}

/* With A20 masked each byte has two addresses, and decoded instructions may be known by the other one. */
static void forget_aliases(machine_t *m, uint64_t paddr, unsigned size) {
  if (m->ram.map.a20) return;
  cpu_memory_changed(m->cpu, paddr & ~(uint64_t)MEMMAP_A20, size);
  cpu_memory_changed(m->cpu, paddr | MEMMAP_A20, size);
}

/* Returns whether it was memory's. */
static __attribute__((noinline)) bool write_elsewhere(machine_t *m, uint64_t paddr, unsigned size, uint64_t data) {
  const mmio_region_t *device = device_at(m, paddr);
  if (device) {
    mmio_write(device, memmap_masked(&m->ram.map, paddr), size, data);
    return false;
  }
  ram_write(&m->ram, paddr, size, data);
  forget_aliases(m, paddr, size);
  return true;
}

void machine_write(void *machine, uint64_t paddr, unsigned size, uint64_t data) {
  machine_t *m = machine;
  if (is_plain(m, paddr, size))
    ram_write(&m->ram, paddr, size, data);
  else if (!write_elsewhere(m, paddr, size, data))
    return;
  if (m->hooks.stored) m->hooks.stored(m->hooks.ctx, paddr, size, data);
}

uint64_t machine_mmu_read(void *machine, uint64_t paddr, unsigned size) {
  machine_t *m = machine;
  return ram_read(&m->ram, paddr, size);
}

/* The reference MMU writes entries and descriptors behind the emulator's back. */
bool machine_mmu_update(void *machine, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  machine_t *m = machine;
  if (ram_peek(&m->ram, paddr, size) != expected) return false;
  ram_write(&m->ram, paddr, size, data);
  cpu_memory_changed(m->cpu, paddr, size);
  forget_aliases(m, paddr, size);
  return true;
}

/* --- the map --- */

/* Forgets the decoded instructions of n bytes. */
static void forget(machine_t *m, uint64_t paddr, uint64_t n) {
  for (uint64_t at = 0, part; at < n; at += part) {
    part = n - at < MMU_PAGE_BYTES ? n - at : MMU_PAGE_BYTES;
    cpu_memory_changed(m->cpu, paddr + at, (unsigned)part);
  }
}

void machine_set_map(machine_t *m, const memmap_t *map) {
  memmap_t old = m->ram.map;
  if (memmap_equal(&old, map)) return;
  ram_set_map(&m->ram, map);
  if (old.rom_bytes != map->rom_bytes) forget(m, (UINT64_C(1) << 32) - MEMMAP_ROM_MAX, MEMMAP_ROM_MAX);
  if (old.rom_bytes != map->rom_bytes || old.ram_reads != map->ram_reads)
    forget(m, MEMMAP_PAM_START, MEMMAP_PAM_END - MEMMAP_PAM_START);
  if (old.a20 != map->a20) { /* every odd MiB becomes another place */
    for (uint64_t at = MEMMAP_A20; at < m->ram.size; at += 2 * MEMMAP_A20)
      forget(m, at, MEMMAP_A20);
    forget(m, (UINT64_C(1) << 32) - MEMMAP_A20, MEMMAP_A20);
  }
  if (m->hooks.mapped) m->hooks.mapped(m->hooks.ctx, map);
}

/* --- loaders --- */

void machine_loaded(machine_t *m, uint64_t paddr, uint64_t n) {
  const uint8_t *bytes = m->ram.bytes + paddr;
  forget(m, paddr, n);
  if (m->hooks.loaded) {
    m->hooks.loaded(m->hooks.ctx, paddr, bytes, n);
  } else if (m->hooks.stored) {
    for (uint64_t at = 0, part; at < n; at += part) {
      part = (paddr + at) % 8 == 0 && n - at >= 8 ? 8 : 1;
      m->hooks.stored(m->hooks.ctx, paddr + at, (unsigned)part, ram_peek(&m->ram, paddr + at, (unsigned)part));
    }
  }
}

void machine_load(machine_t *m, uint64_t paddr, const void *bytes, uint64_t n) {
  memcpy(m->ram.bytes + paddr, bytes, n);
  machine_loaded(m, paddr, n);
}

void machine_load_rom(machine_t *m, const void *bytes, uint32_t n) {
  memmap_t map = {.rom_bytes = n, .a20 = true};
  machine_set_map(m, &map);
  ram_load(&m->ram, (UINT64_C(1) << 32) - n, bytes, n);
  if (m->hooks.loaded) m->hooks.loaded(m->hooks.ctx, (UINT64_C(1) << 32) - n, bytes, n);
}

/* --- for debuggers --- */

bool machine_has_ram(const machine_t *m, uint64_t paddr, unsigned n) {
  const memmap_t *map = &m->ram.map;
  uint64_t at = memmap_masked(map, paddr);
  assert(paddr % MMU_PAGE_BYTES + n <= MMU_PAGE_BYTES);
  if (at >= m->ram.size || device_at(m, paddr)) return false;
  if (at < MEMMAP_PAM_START || at >= MEMMAP_PAM_END) return true;
  return map->ram_reads & map->ram_writes & 1u << memmap_region(at);
}

void machine_poke(machine_t *m, uint64_t paddr, const void *bytes, unsigned n) {
  uint64_t at = memmap_masked(&m->ram.map, paddr);
  assert(machine_has_ram(m, paddr, n));
  machine_load(m, at, bytes, n);
  forget_aliases(m, at, n);
}
