/*
 * QEMU's firmware configuration device (ports 510H, 511H): what firmware asks its machine about. Read only.
 * Source: QEMU, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#ifndef MMU86_FWCFG_H
#define MMU86_FWCFG_H

#include <stdint.h>

enum { FWCFG_ITEMS = 16, FWCFG_BYTES = 1024 };

typedef struct {
  struct {
    uint16_t key, at, n; /* bytes[at..at+n-1] */
  } item[FWCFG_ITEMS];
  unsigned n_items;
  uint8_t bytes[FWCFG_BYTES];
  unsigned n_bytes;
  uint16_t selected;
  uint32_t offset; /* of the next byte of the selected item */
} fwcfg_t;

/* Fills in the items of a machine with that RAM and one processor. */
void fwcfg_init(fwcfg_t *fw, uint64_t ram_bytes);

/* A guest selects an item; reads its next byte (0 behind the end, and if there is no such item). */
void fwcfg_select(fwcfg_t *fw, uint16_t key);
uint8_t fwcfg_read(fwcfg_t *fw);

#endif
