/*
 * Modules and the Multiboot information structure.
 * Source: "Multiboot Specification version 0.6.96", Boot information format.
 */
#include <inttypes.h>
#include <string.h>

#include "multiboot_priv.h"

enum { MAP_AT = 0x9000, INFO_AT = 0x9500, INFO_BYTES = 88, MODULE_BYTES = 16, MAP_ENTRY_BYTES = 24 };
enum { TABLES_BYTES = INFO_AT - MAP_AT + INFO_BYTES };
enum { INFO_MEMORY = 1 << 0, INFO_DEVICE = 1 << 1, INFO_CMDLINE = 1 << 2, INFO_MODULES = 1 << 3, INFO_MAP = 1 << 6 };
enum { INFO_LOADER_NAME = 1 << 9 };
#define BOOT_DEVICE 0x8000FFFFu /* as QEMU says it */

static const char loader_name[] = "qemu"; /* guests print it; they shall not see a difference */

typedef struct {
  machine_t *machine;
  uint64_t next; /* first address that is still free */
} space_t;

static uint64_t page_up(uint64_t paddr) {
  return (paddr + MMU_PAGE_BYTES - 1) & ~(uint64_t)(MMU_PAGE_BYTES - 1);
}

/* Takes n bytes from the next free page on, in one available region. Returns false if there is no room. */
static bool place(space_t *space, uint64_t n, uint64_t *paddr) {
  uint64_t at = page_up(space->next);
  if (at < MAP_AT + TABLES_BYTES && at + n > MAP_AT) at = page_up(MAP_AT + TABLES_BYTES);
  if (at < HIGH_RAM_START && at + n > LOW_RAM_END) at = HIGH_RAM_START;
  if (at >= HIGH_RAM_START && at + n > high_ram_end(space->machine->ram.size)) return false;
  *paddr = at;
  space->next = at + n;
  return true;
}

static void put32(machine_t *m, uint64_t paddr, uint32_t value) {
  uint8_t bytes[4];
  store_le32(bytes, value);
  machine_load(m, paddr, bytes, sizeof bytes);
}

/* Writes a string with its terminator; *paddr moves behind it. Returns where it is. */
static uint32_t put_string(machine_t *m, uint64_t *paddr, const char *string) {
  uint64_t at = *paddr, n = strlen(string) + 1;
  machine_load(m, at, string, n);
  *paddr += n;
  return (uint32_t)at;
}

/* Returns the length of the map in bytes. */
static uint32_t put_map(machine_t *m, uint64_t paddr) {
  memory_region_t region[MEMORY_REGIONS_MAX];
  unsigned n = memory_map(m->ram.size, region);
  for (unsigned i = 0; i < n; i++) {
    uint8_t entry[MAP_ENTRY_BYTES];
    store_le32(entry, MAP_ENTRY_BYTES - 4); /* the size does not count itself */
    store_le64(entry + 4, region[i].start);
    store_le64(entry + 12, region[i].end - region[i].start);
    store_le32(entry + 20, region[i].type);
    machine_load(m, paddr + i * MAP_ENTRY_BYTES, entry, sizeof entry);
  }
  return n * MAP_ENTRY_BYTES;
}

/* Loads one module onto pages of its own. A module's string is its path and, after a space, what the guest may read. */
static bool load_module(space_t *space, const char *string, uint64_t *start, uint64_t *end, error_t error) {
  char path[4096];
  size_t n = strcspn(string, " ");
  file_t file;
  if (n >= sizeof path) return machine_fail(error.text, error.bytes, "module: %.40s...: the path is too long", string);
  memcpy(path, string, n);
  path[n] = '\0';
  if (!file_open(&file, "module", path, error)) return false;
  bool ok = place(space, file.size, start)
                ? load_from_file(space->machine, &file, 0, *start, file.size, error)
                : file_fail(&file, error, "%" PRIu64 " bytes do not fit into RAM above %08" PRIX64 "H", file.size,
                            space->next);
  *end = *start + file.size;
  file_close(&file);
  return ok;
}

/* Returns how many bytes the module list and all strings take. */
static uint64_t strings_bytes(const boot_t *boot) {
  uint64_t n = strlen(boot->path) + 1 + strlen(boot->cmdline) + 1 + sizeof loader_name;
  for (unsigned i = 0; i < boot->n_modules; i++)
    n += MODULE_BYTES + strlen(boot->modules[i]) + 1;
  return n;
}

bool info_build(machine_t *m, const kernel_t *kernel, const boot_t *boot, uint32_t *info, error_t error) {
  space_t space = {m, 0};
  uint64_t tables = MAP_AT, list;
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    uint64_t end = kernel->segment[i].paddr + kernel->segment[i].memory_bytes;
    if (end > space.next) space.next = end;
  }
  bool moved = kernel_uses(kernel, MAP_AT, MAP_AT + TABLES_BYTES);
  if (!place(&space, strings_bytes(boot), &list) || (moved && !place(&space, TABLES_BYTES, &tables)))
    return machine_fail(error.text, error.bytes,
                        "image: %s: RAM of %" PRIu64 " bytes has no room for the boot information", boot->path,
                        m->ram.size);

  uint64_t string = list + (uint64_t)boot->n_modules * MODULE_BYTES;
  for (unsigned i = 0; i < boot->n_modules; i++) {
    uint64_t start, end, entry = list + (uint64_t)i * MODULE_BYTES;
    if (!load_module(&space, boot->modules[i], &start, &end, error)) return false;
    put32(m, entry, (uint32_t)start);
    put32(m, entry + 4, (uint32_t)end);
    put32(m, entry + 8, put_string(m, &string, boot->modules[i]));
    put32(m, entry + 12, 0);
  }

  uint64_t at = tables + (INFO_AT - MAP_AT);
  static const uint8_t zeroes[INFO_BYTES];
  machine_load(m, at, zeroes, sizeof zeroes);
  put32(m, at + 0, INFO_MEMORY | INFO_DEVICE | INFO_CMDLINE | INFO_MODULES | INFO_MAP | INFO_LOADER_NAME);
  put32(m, at + 4, LOW_RAM_END >> 10);
  put32(m, at + 8, (uint32_t)((high_ram_end(m->ram.size) - HIGH_RAM_START) >> 10));
  put32(m, at + 12, BOOT_DEVICE);
  put32(m, at + 16, (uint32_t)string);
  machine_load(m, string, boot->path, strlen(boot->path)); /* "path cmdline", the space even if cmdline is empty */
  string += strlen(boot->path);
  machine_load(m, string++, " ", 1);
  put_string(m, &string, boot->cmdline);
  put32(m, at + 20, boot->n_modules);
  put32(m, at + 24, (uint32_t)list);
  put32(m, at + 44, put_map(m, tables));
  put32(m, at + 48, (uint32_t)tables);
  put32(m, at + 64, put_string(m, &string, loader_name));
  *info = (uint32_t)at;
  return true;
}
