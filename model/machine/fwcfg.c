#include "fwcfg.h"

#include <assert.h>
#include <string.h>

#include "ram.h"

enum {
  KEY_SIGNATURE = 0x00,
  KEY_ID = 0x01,
  KEY_RAM_SIZE = 0x03,
  KEY_NO_GRAPHIC = 0x04,
  KEY_CPUS = 0x05,
  KEY_MAX_CPUS = 0x0F,
  KEY_FILE_DIR = 0x19,
  KEY_FIRST_FILE = 0x20,
  KEY_IRQ0_OVERRIDE = 0x8002,
};
enum { E820_RAM = 1, E820_ENTRY = 20, FILE_ENTRY = 64, FILE_NAME_AT = 8 };

static void add(fwcfg_t *fw, uint16_t key, const void *bytes, unsigned n) {
  assert(fw->n_items < FWCFG_ITEMS && fw->n_bytes + n <= FWCFG_BYTES);
  fw->item[fw->n_items].key = key;
  fw->item[fw->n_items].at = (uint16_t)fw->n_bytes;
  fw->item[fw->n_items++].n = (uint16_t)n;
  memcpy(fw->bytes + fw->n_bytes, bytes, n);
  fw->n_bytes += n;
}

static void add_number(fwcfg_t *fw, uint16_t key, uint64_t value, unsigned n) {
  uint8_t bytes[8];
  store_le64(bytes, value);
  add(fw, key, bytes, n);
}

/* The directory has one file. Its numbers are big-endian. */
static void add_file(fwcfg_t *fw, const char *name, const void *bytes, unsigned n) {
  uint8_t directory[4 + FILE_ENTRY] = {0, 0, 0, 1};
  uint8_t *entry = directory + 4;
  entry[2] = (uint8_t)(n >> 8);
  entry[3] = (uint8_t)n;
  entry[4] = KEY_FIRST_FILE >> 8;
  entry[5] = KEY_FIRST_FILE & 0xFF;
  strcpy((char *)entry + FILE_NAME_AT, name);
  add(fw, KEY_FILE_DIR, directory, sizeof directory);
  add(fw, KEY_FIRST_FILE, bytes, n);
}

void fwcfg_init(fwcfg_t *fw, uint64_t ram_bytes) {
  uint8_t e820[E820_ENTRY] = {0};
  memset(fw, 0, sizeof *fw);
  add(fw, KEY_SIGNATURE, "QEMU", 4);
  add_number(fw, KEY_ID, 1, 4);
  add_number(fw, KEY_RAM_SIZE, ram_bytes, 8);
  add_number(fw, KEY_NO_GRAPHIC, 1, 2);
  add_number(fw, KEY_CPUS, 1, 2);
  add_number(fw, KEY_MAX_CPUS, 1, 2);
  add_number(fw, KEY_IRQ0_OVERRIDE, 1, 4);
  store_le64(e820 + 8, ram_bytes);
  store_le32(e820 + 16, E820_RAM);
  add_file(fw, "etc/e820", e820, sizeof e820);
}

void fwcfg_select(fwcfg_t *fw, uint16_t key) {
  fw->selected = key;
  fw->offset = 0;
}

uint8_t fwcfg_read(fwcfg_t *fw) {
  for (unsigned i = 0; i < fw->n_items; i++) {
    if (fw->item[i].key != fw->selected || fw->offset >= fw->item[i].n) continue;
    return fw->bytes[fw->item[i].at + fw->offset++];
  }
  return 0;
}
