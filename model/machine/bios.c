/*
 * Loads a BIOS image as the machine's ROM.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine_priv.h"

/* Reads the whole file. Returns NULL and a line in error. */
static uint8_t *slurp(FILE *file, const char *path, uint32_t *n, char *error, unsigned error_bytes) {
  struct stat st;
  if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
    machine_fail(error, error_bytes, "bios: %s: not a regular file", path);
    return NULL;
  }
  if (st.st_size == 0 || st.st_size > MEMMAP_ROM_MAX || st.st_size % MEMMAP_ROM_UNIT != 0) {
    machine_fail(error, error_bytes, "bios: %s: %lld bytes: not 64, 128, 192 or 256 KiB", path, (long long)st.st_size);
    return NULL;
  }
  *n = (uint32_t)st.st_size;
  uint8_t *bytes = malloc(*n);
  if (bytes && fread(bytes, 1, *n, file) == *n) return bytes;
  machine_fail(error, error_bytes, "bios: %s: cannot read: %s", path,
               bytes ? "it has become shorter" : "out of memory");
  free(bytes);
  return NULL;
}

bool machine_load_bios(machine_t *m, const char *path, char *error, unsigned error_bytes) {
  FILE *file = fopen(path, "rb");
  if (!file) return machine_fail(error, error_bytes, "bios: %s: cannot read: %s", path, strerror(errno));
  uint32_t n = 0;
  uint8_t *bytes = slurp(file, path, &n, error, error_bytes);
  fclose(file);
  if (!bytes) return false;
  machine_load_rom(m, bytes, n);
  free(bytes);
  machine_chipset_changed(m);
  return true;
}
