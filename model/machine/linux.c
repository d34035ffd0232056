/*
 * Loads a Linux kernel through its 32-bit boot protocol: the kernel, the initrd, the command line and boot_params, the
 * "zero page".
 * Source: "The Linux/x86 Boot Protocol", "32-bit Boot Protocol"; "Zero Page".
 */
#include <inttypes.h>
#include <string.h>

#include "firmware.h"
#include "linux_priv.h"

enum { CODE_SELECTOR = 0x10, DATA_SELECTOR = 0x18, PARAMS_BYTES = 4096 };
enum { LOADER_UNDEFINED = 0xFF, VIDEO_NORMAL = 0xFFFF, OLD_CMDLINE_MAGIC = 0xA33F, UNPACKED_FACTOR = 3 };

/* Offsets in boot_params, beside the setup header. */
enum {
  PARAMS_EXT_MEM_K = 0x002,
  PARAMS_VIDEO_MODE = 0x006,
  PARAMS_VIDEO_COLUMNS = 0x007,
  PARAMS_VIDEO_LINES = 0x00E,
  PARAMS_VIDEO_IS_VGA = 0x00F,
  PARAMS_VIDEO_POINTS = 0x010,
  PARAMS_CL_MAGIC = 0x020,
  PARAMS_CL_OFFSET = 0x022,
  PARAMS_ALT_MEM_K = 0x1E0,
  PARAMS_E820_ENTRIES = 0x1E8,
  PARAMS_E820_TABLE = 0x2D0,
  E820_ENTRY_BYTES = 20,
};

typedef struct {
  uint32_t start, bytes;
} initrd_t;

/* Where the kernel's own memory ends; one that does not say it is granted several times its packed size. */
static uint64_t kernel_end(const linux_t *l) {
  uint64_t end = HIGH_RAM_START;
  for (unsigned i = 0; i < l->kernel.n_segments; i++) {
    const segment_t *s = &l->kernel.segment[i];
    uint64_t bytes = l->version < 0x20A ? s->memory_bytes * UNPACKED_FACTOR : s->memory_bytes;
    if (s->paddr + bytes > end) end = s->paddr + bytes;
  }
  return (end + MMU_PAGE_BYTES - 1) & ~(uint64_t)(MMU_PAGE_BYTES - 1);
}

/* Loads the initrd as high as kernel and RAM allow. */
static bool load_initrd(machine_t *m, const linux_t *l, const char *path, initrd_t *initrd, error_t error) {
  uint64_t lowest = kernel_end(l), end = high_ram_end(m->ram.size), start;
  file_t file;
  if (l->initrd_end < end) end = l->initrd_end;
  if (!file_open(&file, "initrd", path, error)) return false;
  bool ok = end >= lowest && file.size <= end - lowest;
  if (!ok)
    file_fail(&file, error, "%" PRIu64 " bytes do not fit between %08" PRIX64 "H and %08" PRIX64 "H", file.size, lowest,
              end);
  if (ok) {
    start = (end - file.size) & ~(uint64_t)(MMU_PAGE_BYTES - 1);
    *initrd = (initrd_t){(uint32_t)start, (uint32_t)file.size};
    ok = load_from_file(m, &file, 0, start, file.size, error);
  }
  file_close(&file);
  return ok;
}

/* Loads the command line with its terminator. */
static bool load_cmdline(machine_t *m, const linux_t *l, const char *path, const char *cmdline, error_t error) {
  size_t n = strlen(cmdline),
         max = l->cmdline_max < LINUX_END - LINUX_CMDLINE - 1 ? l->cmdline_max : LINUX_END - LINUX_CMDLINE - 1;
  if (n > max)
    return machine_fail(error.text, error.bytes, "image: %s: a command line of %zu bytes; this kernel takes %zu", path,
                        n, max);
  machine_load(m, LINUX_CMDLINE, cmdline, n + 1);
  return true;
}

static void put_params(machine_t *m, const linux_t *l, const initrd_t *initrd) {
  uint8_t params[PARAMS_BYTES] = {0};
  memory_region_t region[MEMORY_REGIONS_MAX];
  unsigned n = memory_map(m->ram.size, region);
  uint64_t extended_k = (high_ram_end(m->ram.size) - HIGH_RAM_START) >> 10;

  memcpy(params + LINUX_HEADER, l->header + LINUX_HEADER, l->header_end - LINUX_HEADER);
  store_le16(params + PARAMS_EXT_MEM_K, extended_k < 0xFFFF ? (uint16_t)extended_k : 0xFFFF);
  store_le32(params + PARAMS_ALT_MEM_K, (uint32_t)extended_k);
  params[PARAMS_VIDEO_MODE] = 3;
  params[PARAMS_VIDEO_COLUMNS] = 80;
  params[PARAMS_VIDEO_LINES] = 25;
  params[PARAMS_VIDEO_IS_VGA] = 1;
  params[PARAMS_VIDEO_POINTS] = 16;
  params[PARAMS_E820_ENTRIES] = (uint8_t)n;
  for (unsigned i = 0; i < n; i++) {
    uint8_t *entry = params + PARAMS_E820_TABLE + E820_ENTRY_BYTES * i;
    store_le64(entry, region[i].start);
    store_le64(entry + 8, region[i].end - region[i].start);
    store_le32(entry + 16, region[i].type);
  }
  store_le16(params + SETUP_VID_MODE, VIDEO_NORMAL);
  params[SETUP_TYPE_OF_LOADER] = LOADER_UNDEFINED;
  store_le32(params + SETUP_RAMDISK_IMAGE, initrd->start);
  store_le32(params + SETUP_RAMDISK_SIZE, initrd->bytes);
  if (l->version >= 0x202) {
    store_le32(params + SETUP_CMD_LINE_PTR, LINUX_CMDLINE);
  } else {
    store_le16(params + PARAMS_CL_MAGIC, OLD_CMDLINE_MAGIC);
    store_le16(params + PARAMS_CL_OFFSET, LINUX_CMDLINE - LINUX_PARAMS);
  }
  machine_load(m, LINUX_PARAMS, params, sizeof params);
}

static bool read_kernel(machine_t *m, const file_t *file, linux_t *l, error_t error) {
  bool ok =
      elf_magic(file) ? linux_from_elf(file, m->ram.size, l, error) : linux_from_setup(file, m->ram.size, l, error);
  return ok && kernel_load(m, file, &l->kernel, error);
}

bool machine_load_linux(machine_t *m, const char *path, const char *cmdline, const char *initrd_path, char *error_text,
                        unsigned error_bytes) {
  const error_t error = {error_text, error_bytes};
  linux_t image = {.version = 0};
  initrd_t initrd = {0, 0};
  file_t file;
  if (!file_open(&file, "image", path, error)) return false;
  firmware_tables(m);
  bool ok = read_kernel(m, &file, &image, error);
  file_close(&file);
  if (!ok || !load_cmdline(m, &image, path, cmdline, error)) return false;
  if (initrd_path && !load_initrd(m, &image, initrd_path, &initrd, error)) return false;
  put_params(m, &image, &initrd);
  firmware_devices(m);
  const protected_entry_t entry = {
      .gdt_at = LINUX_GDT,
      .code_selector = CODE_SELECTOR,
      .data_selector = DATA_SELECTOR,
      .gpr = {[CPU_ESI] = LINUX_PARAMS, [CPU_ESP] = LINUX_PARAMS},
      .entry = (uint32_t)image.kernel.entry,
  };
  if (!firmware_enter(m, &entry))
    return machine_fail(error_text, error_bytes, "image: %s: a hook stopped the loader", path);
  return true;
}
