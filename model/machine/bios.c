/*
 * Loads a BIOS image as the machine's ROM.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "multiboot_priv.h"

/* Checks the size of the open file and loads it. */
static bool load(machine_t *m, const file_t *file, error_t error) {
  if (file->size == 0 || file->size > MEMMAP_ROM_MAX || file->size % MEMMAP_ROM_UNIT != 0)
    return file_fail(file, error, "%" PRIu64 " bytes: not 64, 128, 192 or 256 KiB", file->size);
  uint8_t *bytes = malloc(file->size);
  if (!bytes) return file_fail(file, error, "out of memory");
  bool ok = file_read(file, 0, bytes, file->size, error);
  if (ok) machine_load_rom(m, bytes, (uint32_t)file->size);
  free(bytes);
  return ok;
}

bool machine_load_bios(machine_t *m, const char *path, char *error_text, unsigned error_bytes) {
  const error_t error = {error_text, error_bytes};
  file_t file;
  if (!file_open(&file, "bios", path, error)) return false;
  bool ok = load(m, &file, error);
  file_close(&file);
  if (ok) machine_chipset_changed(m);
  return ok;
}
