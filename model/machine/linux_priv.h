/*
 * What the files of the Linux loader share. Everything in an image is untrusted; see multiboot_priv.h, whose files,
 * segments and errors are used here.
 *
 * Layout in guest memory: boot_params at LINUX_PARAMS, a GDT and the command line behind it; a bzImage's protected-mode
 * code where its header prefers it, else at 1 MiB (a zImage's at 64 KiB); the initrd as high as it may lie.
 * Source: "The Linux/x86 Boot Protocol".
 */
#ifndef MMU86_LINUX_PRIV_H
#define MMU86_LINUX_PRIV_H

#include "multiboot_priv.h"

enum {
  LINUX_PARAMS = 0x90000,
  LINUX_GDT = LINUX_PARAMS + 0x1000,
  LINUX_CMDLINE = LINUX_PARAMS + 0x2000,
  LINUX_END = LOW_RAM_END, /* of what the loader uses there */
  LINUX_HEADER = 0x1F1,    /* offset of the setup header in the file and in boot_params */
  LINUX_HEADER_MAX = 0x281,
};

/* Offsets in the setup header. */
enum {
  SETUP_SECTS = 0x1F1,
  SETUP_SYSSIZE = 0x1F4,
  SETUP_VID_MODE = 0x1FA,
  SETUP_BOOT_FLAG = 0x1FE,
  SETUP_JUMP = 0x200,
  SETUP_MAGIC = 0x202,
  SETUP_VERSION = 0x206,
  SETUP_TYPE_OF_LOADER = 0x210,
  SETUP_LOADFLAGS = 0x211,
  SETUP_CODE32_START = 0x214,
  SETUP_RAMDISK_IMAGE = 0x218,
  SETUP_RAMDISK_SIZE = 0x21C,
  SETUP_CMD_LINE_PTR = 0x228,
  SETUP_INITRD_ADDR_MAX = 0x22C,
  SETUP_KERNEL_ALIGNMENT = 0x230,
  SETUP_RELOCATABLE = 0x234,
  SETUP_CMDLINE_SIZE = 0x238,
  SETUP_PREF_ADDRESS = 0x258,
  SETUP_INIT_SIZE = 0x260,
};

/* A kernel as far as the loader has to know it. */
typedef struct {
  uint8_t header[LINUX_HEADER_MAX]; /* the file's first bytes up to header_end */
  unsigned header_end;
  unsigned version;     /* of the boot protocol, 020CH for 2.12 */
  uint64_t initrd_end;  /* the initrd must lie below */
  uint32_t cmdline_max; /* bytes, without the terminator */
  kernel_t kernel;
} linux_t;

/* Takes a bzImage's or zImage's setup header and decides where it goes. (linux_header.c) */
bool linux_from_setup(const file_t *file, uint64_t ram_bytes, linux_t *image, error_t error);
/* Takes an ELF file and makes a setup header for it. (linux_header.c) */
bool linux_from_elf(const file_t *file, uint64_t ram_bytes, linux_t *image, error_t error);

#endif
