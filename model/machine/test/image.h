/*
 * Makes Multiboot images and files for the tests.
 */
#ifndef MMU86_TEST_IMAGE_H
#define MMU86_TEST_IMAGE_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ram.h"

/* File offsets in the good image. */
enum {
  ELF_CLASS = 4,
  ELF_DATA = 5,
  ELF_VERSION = 6,
  ELF_TYPE = 16,
  ELF_MACHINE = 18,
  ELF_ENTRY = 24,
  ELF_PHOFF = 28,
  ELF_PHENTSIZE = 42,
  ELF_PHNUM = 44,
  PH0 = 52,
  PH1 = PH0 + 32,
  PH_TYPE = 0,
  PH_OFFSET = 4,
  PH_VADDR = 8,
  PH_PADDR = 12,
  PH_FILESZ = 16,
  PH_MEMSZ = 20,
  PH_FLAGS = 24,
  TEXT = 0x1000, /* the first segment's bytes: the Multiboot header, then the code */
  TEXT_BYTES = 0x800,
  DATA = TEXT + TEXT_BYTES,
  DATA_BYTES = 0x100,
  IMAGE_BYTES = DATA + DATA_BYTES,
  CODE = TEXT + 48,
  /* Where they go. */
  TEXT_AT = 0x100000,
  DATA_AT = 0x102000,
  DATA_MEMORY = 0x3000,
  CODE_AT = TEXT_AT + 48,
};

typedef struct {
  uint8_t bytes[2 * IMAGE_BYTES];
  uint64_t n;
} image_t;

static inline void image_header(image_t *image, uint32_t offset, uint32_t flags) {
  store_le32(image->bytes + offset, 0x1BADB002);
  store_le32(image->bytes + offset + 4, flags);
  store_le32(image->bytes + offset + 8, -(0x1BADB002 + flags));
}

static inline void image_segment(image_t *image, uint32_t at, uint32_t offset, uint32_t addr, uint32_t filesz,
                                 uint32_t memsz) {
  uint8_t *p = image->bytes + at;
  store_le32(p + PH_TYPE, 1);
  store_le32(p + PH_OFFSET, offset);
  store_le32(p + PH_VADDR, addr);
  store_le32(p + PH_PADDR, addr);
  store_le32(p + PH_FILESZ, filesz);
  store_le32(p + PH_MEMSZ, memsz);
  store_le32(p + PH_FLAGS, 7);
}

/* A correct image: two segments, the second with BSS; code (n bytes) begins at CODE_AT. */
static inline image_t image_good(const void *code, unsigned n) {
  static const uint8_t ident[7] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
  image_t image = {.n = IMAGE_BYTES};
  memcpy(image.bytes, ident, sizeof ident);
  store_le16(image.bytes + ELF_TYPE, 2);
  store_le16(image.bytes + ELF_MACHINE, 3);
  store_le32(image.bytes + 20, 1);
  store_le32(image.bytes + ELF_ENTRY, CODE_AT);
  store_le32(image.bytes + ELF_PHOFF, PH0);
  store_le16(image.bytes + 40, 52);
  store_le16(image.bytes + ELF_PHENTSIZE, 32);
  store_le16(image.bytes + ELF_PHNUM, 2);
  image_segment(&image, PH0, TEXT, TEXT_AT, TEXT_BYTES, TEXT_BYTES);
  image_segment(&image, PH1, DATA, DATA_AT, DATA_BYTES, DATA_MEMORY);
  image_header(&image, TEXT, 3);
  memset(image.bytes + CODE, 0xF4, TEXT_BYTES - 48);
  memset(image.bytes + DATA, 0xDA, DATA_BYTES);
  if (n) memcpy(image.bytes + CODE, code, n);
  return image;
}

/* A temporary file; its name is in path. */
typedef struct {
  char path[64];
} temporary_t;

static inline temporary_t temporary(const void *bytes, uint64_t n) {
  temporary_t file = {.path = "/tmp/mmu86-test-XXXXXX"};
  int fd = mkstemp(file.path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
  close(fd);
  return file;
}

#endif
