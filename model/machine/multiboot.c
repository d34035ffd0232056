/*
 * Loads a Multiboot kernel and puts the machine into the state it is promised.
 * Source: "Multiboot Specification version 0.6.96", Machine state.
 */
#include <string.h>

#include "firmware.h"
#include "multiboot_priv.h"

#define BOOT_MAGIC 0x2BADB002u

enum { CODE_SELECTOR = 0x08, DATA_SELECTOR = 0x10 };
enum { GDT_AT = 0xCB2B8, STACK_AT = 0x6F08 }; /* where the specification promises nothing, QEMU's firmware has these */

bool load_from_file(machine_t *m, const file_t *file, uint64_t offset, uint64_t paddr, uint64_t n, error_t error) {
  if (n == 0) return true;
  bool ok = file_read(file, offset, m->ram.bytes + paddr, n, error);
  machine_loaded(m, paddr, n);
  return ok;
}

/* Clears RAM, page by page where it is not zero already: a large BSS of fresh memory costs nothing. */
static void clear(machine_t *m, uint64_t paddr, uint64_t n) {
  static const uint8_t zeroes[MMU_PAGE_BYTES];
  while (n > 0) {
    uint64_t part = MMU_PAGE_BYTES - paddr % MMU_PAGE_BYTES;
    if (part > n) part = n;
    if (memcmp(m->ram.bytes + paddr, zeroes, part) != 0) machine_load(m, paddr, zeroes, part);
    paddr += part;
    n -= part;
  }
}

bool kernel_load(machine_t *m, const file_t *file, const kernel_t *kernel, error_t error) {
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    const segment_t *s = &kernel->segment[i];
    if (!load_from_file(m, file, s->offset, s->paddr, s->file_bytes, error)) return false;
    clear(m, s->paddr + s->file_bytes, s->memory_bytes - s->file_bytes);
  }
  return true;
}

static bool read_kernel(machine_t *m, const file_t *file, kernel_t *kernel, error_t error) {
  header_t header;
  if (!header_find(file, &header, error)) return false;
  bool ok = header.flags & HEADER_HAS_ADDRESSES ? kernel_from_header(file, &header, kernel, error)
                                                : kernel_from_elf(file, kernel, error);
  return ok && kernel_check(file, kernel, m->ram.size, error) && kernel_load(m, file, kernel, error);
}

bool machine_load_multiboot(machine_t *m, const char *path, const char *cmdline, const char *const *modules,
                            unsigned n_modules, char *error_text, unsigned error_bytes) {
  const error_t error = {error_text, error_bytes};
  const boot_t boot = {path, cmdline, modules, n_modules};
  kernel_t kernel = {.n_segments = 0};
  file_t file;
  uint32_t info = 0;
  if (!file_open(&file, "image", path, error)) return false;
  firmware_tables(m);
  bool ok = read_kernel(m, &file, &kernel, error);
  file_close(&file);
  if (!ok || !info_build(m, &kernel, &boot, &info, error)) return false;
  firmware_devices(m);
  const protected_entry_t entry = {
      .gdt_at = GDT_AT,
      .code_selector = CODE_SELECTOR,
      .data_selector = DATA_SELECTOR,
      .gpr = {[CPU_EAX] = BOOT_MAGIC, [CPU_ECX] = kernel.entry, [CPU_EBX] = info, [CPU_ESP] = STACK_AT},
      .entry = (uint32_t)kernel.entry,
  };
  if (!firmware_enter(m, &entry))
    return machine_fail(error_text, error_bytes, "image: %s: a hook stopped the loader", path);
  return true;
}
