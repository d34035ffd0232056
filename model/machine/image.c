/*
 * Finds out what kind of image a file is, and has it loaded.
 */
#include <string.h>

#include "linux_priv.h"

typedef enum { KIND_UNKNOWN, KIND_MULTIBOOT, KIND_LINUX } kind_t;

static kind_t kind_of(const file_t *file) {
  const error_t ignored = {NULL, 0};
  uint8_t magic[4];
  uint64_t at;
  header_state_t multiboot = header_search(file, &at);
  if (multiboot == HEADER_GOOD) return KIND_MULTIBOOT;
  if (file->size >= SETUP_VERSION && file_read(file, SETUP_MAGIC, magic, sizeof magic, ignored) &&
      memcmp(magic, "HdrS", sizeof magic) == 0)
    return KIND_LINUX;
  if (multiboot == HEADER_DAMAGED) return KIND_MULTIBOOT; /* its loader says so */
  return elf_magic(file) ? KIND_LINUX : KIND_UNKNOWN;
}

bool machine_load_image(machine_t *m, const machine_image_t *image, char *error_text, unsigned error_bytes) {
  const error_t error = {error_text, error_bytes};
  file_t file;
  if (!file_open(&file, "image", image->path, error)) return false;
  kind_t kind = kind_of(&file);
  file_close(&file);
  switch (kind) {
  case KIND_MULTIBOOT:
    if (image->initrd) return file_fail(&file, error, "a Multiboot image takes modules, not an initrd");
    return machine_load_multiboot(m, image->path, image->cmdline, image->modules, image->n_modules, error_text,
                                  error_bytes);
  case KIND_LINUX:
    if (image->n_modules) return file_fail(&file, error, "a Linux image takes an initrd, not modules");
    return machine_load_linux(m, image->path, image->cmdline, image->initrd, error_text, error_bytes);
  case KIND_UNKNOWN:
    break;
  }
  if (file.size == 0) return file_fail(&file, error, "the file is empty");
  return file_fail(&file, error, "neither a Multiboot header, nor a Linux setup header, nor an ELF file");
}
