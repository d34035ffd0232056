/*
 * What the files of the Multiboot loader share. Everything in an image is untrusted: each step checks what it takes
 * from the file, and nothing is allocated by a size that the file states.
 *
 * Layout in guest memory, as QEMU's -kernel option leaves it: the information structure at 9500H and the memory map at
 * 9000H; above the kernel, from the next page, the module list and all strings; then each module on pages of its own.
 */
#ifndef MMU86_MULTIBOOT_PRIV_H
#define MMU86_MULTIBOOT_PRIV_H

#include "machine_priv.h"
#include "memory_map.h"

/* An open regular file. */
typedef struct {
  const char *what; /* "image" or "module": how errors name it */
  const char *path;
  int fd;
  uint64_t size;
} file_t;

/* One piece of a kernel: file_bytes from offset go to paddr; the rest up to memory_bytes is cleared. */
typedef struct {
  uint64_t offset, file_bytes;
  uint64_t paddr, memory_bytes;
  uint64_t vaddr; /* ELF: where the kernel believes to be; equal to paddr otherwise */
  bool executable;
} segment_t;

enum { SEGMENTS_MAX = 64 };

typedef struct {
  segment_t segment[SEGMENTS_MAX];
  unsigned n_segments;
  uint64_t entry; /* EIP to begin at: physical */
} kernel_t;

/* Where an error goes. */
typedef struct {
  char *text;
  unsigned bytes;
} error_t;

/* The Multiboot header. */
typedef struct {
  uint64_t at; /* offset in the file */
  uint32_t flags, header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} header_t;

enum { HEADER_HAS_ADDRESSES = 1 << 16, HEADER_SEARCHED = 8192 };

/* --- multiboot_file.c --- */

/* Opens a regular file. what: see file_t. Returns false and an error line if that fails. */
bool file_open(file_t *file, const char *what, const char *path, error_t error);
void file_close(file_t *file);
/* Reads exactly n bytes at offset. Returns false and an error line if there are fewer. */
bool file_read(const file_t *file, uint64_t offset, void *bytes, uint64_t n, error_t error);
/* Writes "what: path: ..." as the error line. Returns false. */
bool file_fail(const file_t *file, error_t error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- multiboot_kernel.c --- */

/* Whether the file has a header; DAMAGED: one with a wrong checksum. at: its offset in the file, unless NONE. */
typedef enum { HEADER_NONE, HEADER_DAMAGED, HEADER_GOOD } header_state_t;
header_state_t header_search(const file_t *file, uint64_t *at);
/* Finds and checks the header. */
bool header_find(const file_t *file, header_t *header, error_t error);
/* Takes the segments and the entry from the header's addresses, or from the ELF program headers. */
bool kernel_from_header(const file_t *file, const header_t *header, kernel_t *kernel, error_t error);
bool elf_magic(const file_t *file);
bool kernel_from_elf(const file_t *file, kernel_t *kernel, error_t error);
/* Checks that segments lie in available RAM and apart from each other, and that the entry lies in one. */
bool kernel_check(const file_t *file, const kernel_t *kernel, uint64_t ram_bytes, error_t error);
/* Whether the kernel needs some byte of [start, end). */
bool kernel_uses(const kernel_t *kernel, uint64_t start, uint64_t end);

/* --- multiboot_info.c --- */

typedef struct {
  const char *path; /* of the kernel, as the command line's first word */
  const char *cmdline;
  const char *const *modules;
  unsigned n_modules;
} boot_t;

/*
 * Loads the modules and builds the information structure, after the kernel has been loaded.
 * info: its physical address, for EBX.
 */
bool info_build(machine_t *machine, const kernel_t *kernel, const boot_t *boot, uint32_t *info, error_t error);

/* Reads n bytes of the file at offset into RAM at paddr. (multiboot.c) */
bool load_from_file(machine_t *machine, const file_t *file, uint64_t offset, uint64_t paddr, uint64_t n, error_t error);
/* Loads a checked kernel's segments. (multiboot.c) */
bool kernel_load(machine_t *machine, const file_t *file, const kernel_t *kernel, error_t error);

#endif
