/*
 * The I/O APIC: 24 inputs, each with a redirection entry that says which message its interrupt becomes. Registers are
 * reached through a selector and a window at IOAPIC_BASE; the window is 32 bits wide, other sizes read 0 and write
 * nothing.
 *
 * Inputs are levels with 1 for asserted, whatever the entry's polarity bit says (as QEMU's devices drive them).
 * Source: Intel 82093AA data sheet.
 */
#ifndef MMU86_IOAPIC_H
#define MMU86_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lapic.h"

#define IOAPIC_BASE 0xFEC00000u
enum { IOAPIC_BYTES = 0x1000, IOAPIC_INPUTS = 24 };

/* Wires to the outside. */
typedef struct {
  void *ctx;
  void (*deliver)(void *ctx, const apic_message_t *message);
} ioapic_wires_t;

typedef struct {
  ioapic_wires_t wires;
  uint64_t entry[IOAPIC_INPUTS];
  uint32_t line; /* the inputs' levels, one bit each */
  uint8_t id, select;
} ioapic_t;

/* State after RESET: everything masked. */
void ioapic_init(ioapic_t *ioapic, const ioapic_wires_t *wires);

/* Drives an input (0..23). An edge is lost while its entry is masked. */
void ioapic_set_input(ioapic_t *ioapic, unsigned input, bool level);

/* Whether an input's interrupt would be an NMI: an unmasked entry with that delivery mode. */
bool ioapic_makes_nmi(const ioapic_t *ioapic);

/* A local APIC has ended the level-triggered interrupt with this vector. */
void ioapic_eoi(ioapic_t *ioapic, uint8_t vector);

/* A guest's access at offset (0..IOAPIC_BYTES - 1), size (1, 2, 4) bytes. */
uint32_t ioapic_read(const ioapic_t *ioapic, uint32_t offset, unsigned size);
void ioapic_write(ioapic_t *ioapic, uint32_t offset, unsigned size, uint32_t data);

#endif
