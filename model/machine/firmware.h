/*
 * What a PC's BIOS leaves behind, for kernels that are loaded without one: devices set up, a BIOS data area, tables of
 * the Intel MultiProcessor Specification; and the processor in protected mode.
 */
#ifndef MMU86_FIRMWARE_H
#define MMU86_FIRMWARE_H

#include "machine_priv.h"

enum { FIRMWARE_IOAPIC_ID = 1 };
enum { BDA_AT = 0x400, EBDA_AT = 0x9FC00, MP_AT = EBDA_AT + 0x10 };

/* Writes the BIOS data area, the extended one, and in it the MP tables. To be called before a kernel is loaded. */
void firmware_tables(machine_t *machine);

/* Resets the devices and does to them what QEMU's BIOS has done when it starts a kernel. */
void firmware_devices(machine_t *machine);

/* Descriptors and registers of a kernel that is entered in 32-bit protected mode. */
typedef struct {
  uint64_t gdt_at; /* the code descriptor is at code_selector; null, flat code, flat data ... */
  uint16_t code_selector, data_selector;
  uint64_t gpr[8];
  uint32_t entry;
} protected_entry_t;

/*
 * Puts the processor into 32-bit protected mode with flat segments of 4 GiB, paging and interrupts off, a GDT behind
 * the selectors, and an empty real-mode IDT. Returns false if a hook refused.
 */
bool firmware_enter(machine_t *machine, const protected_entry_t *entry);

#endif
