/*
 * Makes Linux images for the tests.
 */
#ifndef MMU86_TEST_BZIMAGE_H
#define MMU86_TEST_BZIMAGE_H

#include "image.h"

/* File offsets in the good bzImage, and where it goes. */
enum {
  SETUP_HEADER = 0x1F1,
  SETUP_SYSSIZE = 0x1F4,
  SETUP_FLAG = 0x1FE,
  SETUP_LENGTH = 0x201,
  SETUP_HDRS = 0x202,
  SETUP_VERSION = 0x206,
  SETUP_LOADER = 0x210,
  SETUP_LOADFLAGS = 0x211,
  SETUP_CODE32 = 0x214,
  SETUP_RAMDISK = 0x218,
  SETUP_RAMDISK_BYTES = 0x21C,
  SETUP_CMD_LINE = 0x228,
  SETUP_INITRD_MAX = 0x22C,
  SETUP_ALIGNMENT = 0x230,
  SETUP_RELOCATABLE = 0x234,
  SETUP_CMDLINE_SIZE = 0x238,
  SETUP_PREFERRED = 0x258,
  SETUP_INIT_SIZE = 0x260,
  SETUP_END = 0x264,
  BZ_SECTORS = 2,
  BZ_CODE = (BZ_SECTORS + 1) * 512,
  BZ_CODE_BYTES = 0x1000,
  BZ_BYTES = BZ_CODE + BZ_CODE_BYTES,
  BZ_PARAMS = 0x90000,
};

/* A correct bzImage of protocol 2.12 that wants 64 KiB at 1 MiB; code (n bytes) is its entry. */
static inline image_t bzimage_good(const void *code, unsigned n) {
  image_t image = {.n = BZ_BYTES};
  uint8_t *b = image.bytes;
  b[SETUP_HEADER] = BZ_SECTORS;
  store_le32(b + SETUP_SYSSIZE, BZ_CODE_BYTES / 16);
  store_le16(b + SETUP_FLAG, 0xAA55);
  b[SETUP_LENGTH - 1] = 0xEB;
  b[SETUP_LENGTH] = SETUP_END - SETUP_HDRS;
  memcpy(b + SETUP_HDRS, "HdrS", 4);
  store_le16(b + SETUP_VERSION, 0x20C);
  b[SETUP_LOADFLAGS] = 1;
  store_le32(b + SETUP_CODE32, 0x100000);
  store_le32(b + SETUP_INITRD_MAX, 0x7FFFFFFF);
  store_le32(b + SETUP_ALIGNMENT, 0x1000);
  store_le32(b + SETUP_CMDLINE_SIZE, 255);
  store_le32(b + SETUP_PREFERRED, 0x100000);
  store_le32(b + SETUP_INIT_SIZE, 0x10000);
  memset(b + BZ_CODE, 0xF4, BZ_CODE_BYTES);
  if (n) memcpy(b + BZ_CODE, code, n);
  return image;
}

#endif
