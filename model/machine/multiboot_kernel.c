/*
 * What a kernel file says: the Multiboot header and the ELF program headers.
 * Source: "Multiboot Specification version 0.6.96", OS image format; System V ABI, "Program Header".
 */
#include <inttypes.h>
#include <string.h>

#include "multiboot_priv.h"

enum { HEADER_BYTES = 12, ADDRESSES_BYTES = 20, REQUIRED_UNKNOWN = 0xFFF8 };
#define HEADER_MAGIC 0x1BADB002u

enum { ELF_HEADER_BYTES = 52, PROGRAM_HEADER_BYTES = 32 };
enum { CLASS_32 = 1, CLASS_64 = 2, DATA_LITTLE = 1, TYPE_EXEC = 2, MACHINE_386 = 3, VERSION = 1 };
enum { PT_LOAD = 1, PF_X = 1 };

header_state_t header_search(const file_t *file, uint64_t *at) {
  const error_t ignored = {NULL, 0};
  uint8_t bytes[HEADER_SEARCHED];
  uint64_t n = file->size < HEADER_SEARCHED ? file->size : HEADER_SEARCHED;
  header_state_t state = HEADER_NONE;
  if (!file_read(file, 0, bytes, n, ignored)) return HEADER_NONE;
  for (uint64_t i = 0; i + HEADER_BYTES <= n; i += 4) {
    if (load_le32(bytes + i) != HEADER_MAGIC) continue;
    bool good = HEADER_MAGIC + load_le32(bytes + i + 4) + load_le32(bytes + i + 8) == 0;
    if (good || state == HEADER_NONE) *at = i;
    if (good) return HEADER_GOOD;
    state = HEADER_DAMAGED;
  }
  return state;
}

bool header_find(const file_t *file, header_t *header, error_t error) {
  uint8_t bytes[HEADER_BYTES + ADDRESSES_BYTES];
  uint64_t at = 0;
  if (file->size == 0) return file_fail(file, error, "the file is empty");
  switch (header_search(file, &at)) {
  case HEADER_NONE:
    return file_fail(file, error, "no Multiboot header in the first %d bytes", HEADER_SEARCHED);
  case HEADER_DAMAGED:
    return file_fail(file, error, "Multiboot header at offset %" PRIu64 ": bad checksum", at);
  case HEADER_GOOD:
    break;
  }
  if (!file_read(file, at, bytes, HEADER_BYTES, error)) return false;

  memset(header, 0, sizeof *header);
  header->at = at;
  header->flags = load_le32(bytes + 4);
  if (header->flags & REQUIRED_UNKNOWN)
    return file_fail(file, error,
                     "Multiboot header at offset %" PRIu64 ": requires unknown features (flags %08" PRIX32 "H)", at,
                     header->flags);
  if (!(header->flags & HEADER_HAS_ADDRESSES)) return true;
  if (at + sizeof bytes > (file->size < HEADER_SEARCHED ? file->size : HEADER_SEARCHED))
    return file_fail(file, error, "Multiboot header at offset %" PRIu64 ": its addresses are cut off", at);
  if (!file_read(file, at, bytes, sizeof bytes, error)) return false;
  const uint8_t *p = bytes + HEADER_BYTES;
  header->header_addr = load_le32(p);
  header->load_addr = load_le32(p + 4);
  header->load_end_addr = load_le32(p + 8);
  header->bss_end_addr = load_le32(p + 12);
  header->entry_addr = load_le32(p + 16);
  return true;
}

bool kernel_from_header(const file_t *file, const header_t *h, kernel_t *kernel, error_t error) {
  segment_t *s = &kernel->segment[0];
  uint64_t before = (uint64_t)h->header_addr - h->load_addr; /* bytes of the image before the header */
  if (h->load_addr > h->header_addr || before > h->at)
    return file_fail(file, error,
                     "Multiboot header: load address %08" PRIX32 "H does not fit header address %08" PRIX32 "H",
                     h->load_addr, h->header_addr);
  s->offset = h->at - before;
  s->file_bytes = h->load_end_addr ? (uint64_t)h->load_end_addr - h->load_addr : file->size - s->offset;
  if (h->load_end_addr && h->load_end_addr <= h->load_addr)
    return file_fail(file, error, "Multiboot header: load end %08" PRIX32 "H is not above load address %08" PRIX32 "H",
                     h->load_end_addr, h->load_addr);
  if (s->file_bytes > file->size - s->offset)
    return file_fail(file, error, "Multiboot header: load end %08" PRIX32 "H lies beyond the end of the file",
                     h->load_end_addr);
  s->paddr = s->vaddr = h->load_addr;
  s->memory_bytes = h->bss_end_addr ? (uint64_t)h->bss_end_addr - h->load_addr : s->file_bytes;
  if (h->bss_end_addr && (h->bss_end_addr < h->load_addr || s->memory_bytes < s->file_bytes))
    return file_fail(file, error, "Multiboot header: BSS end %08" PRIX32 "H lies below the loaded bytes",
                     h->bss_end_addr);
  s->executable = true;
  kernel->n_segments = 1;
  kernel->entry = h->entry_addr;
  return true;
}

static const uint8_t elf_identity[4] = {0x7F, 'E', 'L', 'F'};

bool elf_magic(const file_t *file) {
  const error_t ignored = {NULL, 0};
  uint8_t magic[sizeof elf_identity];
  return file->size >= sizeof magic && file_read(file, 0, magic, sizeof magic, ignored) &&
         memcmp(magic, elf_identity, sizeof magic) == 0;
}

/* Checks the ELF header's identity. */
static bool check_elf(const file_t *file, const uint8_t *e, error_t error) {
  if (memcmp(e, elf_identity, sizeof elf_identity) != 0) return file_fail(file, error, "not an ELF file");
  if (e[4] == CLASS_64) return file_fail(file, error, "a 64-bit ELF file where a 32-bit one is needed");
  if (e[4] != CLASS_32) return file_fail(file, error, "ELF class %u is unknown", e[4]);
  if (e[5] != DATA_LITTLE) return file_fail(file, error, "not a little-endian ELF file");
  if (e[6] != VERSION) return file_fail(file, error, "ELF version %u is unknown", e[6]);
  if (load_le16(e + 18) != MACHINE_386)
    return file_fail(file, error, "ELF machine %u is not the 80386", load_le16(e + 18));
  if (load_le16(e + 16) != TYPE_EXEC)
    return file_fail(file, error, "ELF type %u is not an executable", load_le16(e + 16));
  return true;
}

/* Takes one PT_LOAD entry. */
static bool add_segment(const file_t *file, const uint8_t *p, unsigned index, kernel_t *kernel, error_t error) {
  segment_t s = {
      .offset = load_le32(p + 4),
      .file_bytes = load_le32(p + 16),
      .paddr = load_le32(p + 12),
      .memory_bytes = load_le32(p + 20),
      .vaddr = load_le32(p + 8),
      .executable = load_le32(p + 24) & PF_X,
  };
  if (s.file_bytes > s.memory_bytes)
    return file_fail(file, error, "program header %u: %" PRIu64 " bytes in the file but only %" PRIu64 " in memory",
                     index, s.file_bytes, s.memory_bytes);
  if (s.offset > file->size || s.file_bytes > file->size - s.offset)
    return file_fail(file, error, "program header %u: its bytes lie beyond the end of the file", index);
  if (s.memory_bytes == 0) return true;
  if (kernel->n_segments == SEGMENTS_MAX)
    return file_fail(file, error, "program header %u: more than %d segments", index, SEGMENTS_MAX);
  kernel->segment[kernel->n_segments++] = s;
  return true;
}

/* An entry inside an executable segment's virtual addresses is taken back to physical ones, as QEMU and GRUB do. */
static uint64_t physical_entry(const kernel_t *kernel, uint32_t entry) {
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    const segment_t *s = &kernel->segment[i];
    if (s->executable && entry >= s->vaddr && entry - s->vaddr < s->file_bytes) return s->paddr + (entry - s->vaddr);
  }
  return entry;
}

bool kernel_from_elf(const file_t *file, kernel_t *kernel, error_t error) {
  uint8_t e[ELF_HEADER_BYTES], p[PROGRAM_HEADER_BYTES];
  if (file->size < ELF_HEADER_BYTES) return file_fail(file, error, "not an ELF file");
  if (!file_read(file, 0, e, sizeof e, error) || !check_elf(file, e, error)) return false;
  uint64_t table = load_le32(e + 28);
  unsigned entry_bytes = load_le16(e + 42), n = load_le16(e + 44);
  if (n == 0) return file_fail(file, error, "no program headers");
  if (entry_bytes != PROGRAM_HEADER_BYTES)
    return file_fail(file, error, "program headers of %u bytes where %d are needed", entry_bytes, PROGRAM_HEADER_BYTES);
  if (table > file->size || (uint64_t)n * PROGRAM_HEADER_BYTES > file->size - table)
    return file_fail(file, error, "program headers lie beyond the end of the file");
  kernel->n_segments = 0;
  for (unsigned i = 0; i < n; i++) {
    if (!file_read(file, table + (uint64_t)i * sizeof p, p, sizeof p, error)) return false;
    if (load_le32(p) == PT_LOAD && !add_segment(file, p, i, kernel, error)) return false;
  }
  if (kernel->n_segments == 0) return file_fail(file, error, "nothing to load");
  kernel->entry = physical_entry(kernel, load_le32(e + 24));
  return true;
}

bool kernel_uses(const kernel_t *kernel, uint64_t start, uint64_t end) {
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    const segment_t *s = &kernel->segment[i];
    if (s->paddr < end && start < s->paddr + s->memory_bytes) return true;
  }
  return false;
}

static bool overlap(const segment_t *a, const segment_t *b) {
  return a->paddr < b->paddr + b->memory_bytes && b->paddr < a->paddr + a->memory_bytes;
}

bool kernel_check(const file_t *file, const kernel_t *kernel, uint64_t ram_bytes, error_t error) {
  bool entry_inside = false;
  for (unsigned i = 0; i < kernel->n_segments; i++) {
    const segment_t *s = &kernel->segment[i];
    uint64_t end = s->paddr + s->memory_bytes;
    bool fits = end <= LOW_RAM_END || (s->paddr >= HIGH_RAM_START && end <= high_ram_end(ram_bytes));
    if (!fits)
      return file_fail(file, error,
                       "segment %08" PRIX64 "H-%08" PRIX64 "H lies outside available RAM (0-%08XH, %08XH-%08" PRIX64
                       "H)",
                       s->paddr, end, (unsigned)LOW_RAM_END, (unsigned)HIGH_RAM_START, high_ram_end(ram_bytes));
    for (unsigned j = 0; j < i; j++)
      if (overlap(s, &kernel->segment[j]))
        return file_fail(file, error, "segments at %08" PRIX64 "H and %08" PRIX64 "H overlap", kernel->segment[j].paddr,
                         s->paddr);
    if (kernel->entry >= s->paddr && kernel->entry < end) entry_inside = true;
  }
  if (!entry_inside)
    return file_fail(file, error, "entry point %08" PRIX64 "H lies outside the segments", kernel->entry);
  return true;
}
