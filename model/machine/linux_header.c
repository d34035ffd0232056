/*
 * What a Linux image says of itself: the setup header of a bzImage, or the ELF program headers of a vmlinux.
 * Source: "The Linux/x86 Boot Protocol", "The Real-Mode Kernel Header", "32-bit Boot Protocol".
 */
#include <inttypes.h>
#include <string.h>

#include "linux_priv.h"

enum { BOOT_FLAG = 0xAA55, LOADED_HIGH = 0x01, SECTOR = 512, PARAGRAPH = 16 };
enum { ZIMAGE_AT = 0x10000, BZIMAGE_AT = 0x100000 };
enum { OLD_CMDLINE_MAX = 255, ELF_CMDLINE_MAX = 2047, ELF_PROTOCOL = 0x20C };
#define OLD_INITRD_END UINT64_C(0x38000000)

/* A field of size bytes (1, 4, 8), or otherwise what it means not to have it: version tells since when it exists. */
static uint64_t field(const linux_t *l, unsigned at, unsigned size, unsigned version, uint64_t otherwise) {
  if (l->version < version || at + size > l->header_end) return otherwise;
  const uint8_t *p = l->header + at;
  return size == 1 ? *p : size == 4 ? load_le32(p) : load_le64(p);
}

static bool read_header(const file_t *file, linux_t *l, error_t error) {
  if (file->size < SETUP_VERSION + 2) return file_fail(file, error, "the setup header is cut off");
  if (!file_read(file, 0, l->header, SETUP_VERSION + 2, error)) return false;
  if (load_le16(l->header + SETUP_BOOT_FLAG) != BOOT_FLAG)
    return file_fail(file, error, "setup header: boot flag %04XH instead of AA55H",
                     load_le16(l->header + SETUP_BOOT_FLAG));
  if (memcmp(l->header + SETUP_MAGIC, "HdrS", 4) != 0) return file_fail(file, error, "setup header: no HdrS");
  l->version = load_le16(l->header + SETUP_VERSION);
  if (l->version < 0x200)
    return file_fail(file, error, "setup header: boot protocol %u.%02u; 2.00 or later is needed", l->version >> 8,
                     l->version & 0xFF);
  l->header_end = SETUP_MAGIC + l->header[SETUP_JUMP + 1];
  if (l->header_end < SETUP_RAMDISK_SIZE + 4 || l->header_end > LINUX_HEADER_MAX)
    return file_fail(file, error, "setup header: ends at offset %03XH; %03XH to %03XH is possible", l->header_end,
                     SETUP_RAMDISK_SIZE + 4, LINUX_HEADER_MAX);
  if (file->size < l->header_end) return file_fail(file, error, "the setup header is cut off");
  return file_read(file, 0, l->header, l->header_end, error);
}

static uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

/* Chooses where the protected-mode code goes: s has its offset and bytes. */
static bool place(const file_t *file, uint64_t ram_bytes, const linux_t *l, segment_t *s, error_t error) {
  uint64_t end = high_ram_end(ram_bytes);
  s->memory_bytes = field(l, SETUP_INIT_SIZE, 4, 0x20A, s->file_bytes);
  if (s->memory_bytes < s->file_bytes) s->memory_bytes = s->file_bytes;
  s->paddr = BZIMAGE_AT;
  if (!(l->header[SETUP_LOADFLAGS] & LOADED_HIGH)) {
    s->paddr = ZIMAGE_AT;
    end = LINUX_PARAMS;
  } else if (field(l, SETUP_RELOCATABLE, 1, 0x205, 0)) {
    uint64_t alignment = field(l, SETUP_KERNEL_ALIGNMENT, 4, 0x205, 1), preferred;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0)
      return file_fail(file, error, "setup header: kernel alignment %08" PRIX64 "H is not a power of two", alignment);
    preferred = field(l, SETUP_PREF_ADDRESS, 8, 0x20A, BZIMAGE_AT);
    bool fits = preferred >= BZIMAGE_AT && preferred <= end && s->memory_bytes <= end - preferred;
    s->paddr = fits ? preferred : align_up(BZIMAGE_AT, alignment);
  }
  if (s->paddr > end || s->memory_bytes > end - s->paddr)
    return file_fail(file, error, "%" PRIu64 " bytes from %08" PRIX64 "H on do not fit below %08" PRIX64 "H",
                     s->memory_bytes, s->paddr, end);
  return true;
}

bool linux_from_setup(const file_t *file, uint64_t ram_bytes, linux_t *l, error_t error) {
  if (!read_header(file, l, error)) return false;
  unsigned sectors = l->header[SETUP_SECTS] ? l->header[SETUP_SECTS] : 4;
  segment_t s = {.offset = (uint64_t)(sectors + 1) * SECTOR, .executable = true};
  if (s.offset >= file->size)
    return file_fail(file, error, "setup header: %u setup sectors, but the file ends before them", sectors);
  s.file_bytes = file->size - s.offset;
  uint64_t stated = field(l, SETUP_SYSSIZE, 4, 0x204, 0) * PARAGRAPH;
  if (stated >= s.file_bytes + PARAGRAPH)
    return file_fail(file, error, "setup header: %" PRIu64 " bytes of protected-mode code, the file has %" PRIu64,
                     stated, s.file_bytes);
  if (!place(file, ram_bytes, l, &s, error)) return false;
  s.vaddr = s.paddr;
  l->kernel = (kernel_t){.segment = {s}, .n_segments = 1, .entry = s.paddr};
  l->initrd_end = field(l, SETUP_INITRD_ADDR_MAX, 4, 0x203, OLD_INITRD_END - 1) + 1;
  l->cmdline_max = (uint32_t)field(l, SETUP_CMDLINE_SIZE, 4, 0x206, OLD_CMDLINE_MAX);
  store_le32(l->header + SETUP_CODE32_START, (uint32_t)s.paddr);
  return true;
}

bool linux_from_elf(const file_t *file, uint64_t ram_bytes, linux_t *l, error_t error) {
  if (!kernel_from_elf(file, &l->kernel, error) || !kernel_check(file, &l->kernel, ram_bytes, error)) return false;
  if (kernel_uses(&l->kernel, LINUX_PARAMS, LINUX_END))
    return file_fail(file, error, "a segment lies at %05XH-%05XH, where the boot parameters go", (unsigned)LINUX_PARAMS,
                     (unsigned)LINUX_END);
  l->version = ELF_PROTOCOL;
  l->header_end = SETUP_INIT_SIZE + 4;
  l->initrd_end = OLD_INITRD_END;
  l->cmdline_max = ELF_CMDLINE_MAX;
  store_le16(l->header + SETUP_BOOT_FLAG, BOOT_FLAG);
  memcpy(l->header + SETUP_MAGIC, "HdrS", 4);
  store_le16(l->header + SETUP_VERSION, ELF_PROTOCOL);
  l->header[SETUP_LOADFLAGS] = LOADED_HIGH;
  store_le32(l->header + SETUP_CODE32_START, (uint32_t)l->kernel.entry);
  store_le32(l->header + SETUP_INITRD_ADDR_MAX, (uint32_t)(l->initrd_end - 1));
  store_le32(l->header + SETUP_CMDLINE_SIZE, l->cmdline_max);
  return true;
}
