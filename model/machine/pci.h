/*
 * The chipset's PCI configuration space: a 440FX host bridge (00:00.0), a PIIX3 ISA bridge (00:01.0) and the power
 * management function of a PIIX4 (00:01.3), with the registers of QEMU's "pc" machine. No other function answers.
 * Sources: PCI Local Bus Specification 2.1 (Configuration Mechanism #1); Intel 82441FX, 82371SB and 82371AB data
 * sheets.
 */
#ifndef MMU86_PCI_H
#define MMU86_PCI_H

#include <stdint.h>

#include "memmap.h"

enum { PCI_HOST, PCI_ISA, PCI_PM, PCI_FUNCTIONS };

typedef struct {
  uint32_t address; /* CF8H */
  uint8_t config[PCI_FUNCTIONS][256];
} pci_t;

/* State after RESET. */
void pci_init(pci_t *pci);

/* A guest's access to the window CFCH..CFFH: offset 0..3, size 1, 2 or 4 bytes, inside the window. */
uint32_t pci_read(const pci_t *pci, unsigned offset, unsigned size);
void pci_write(pci_t *pci, unsigned offset, unsigned size, uint32_t data);

/* What the registers PAM0 to PAM6 make of C0000..FFFFF: fills in ram_reads and ram_writes. */
void pci_map(const pci_t *pci, memmap_t *map);

/* First port of the power management registers; 0 while they are switched off. */
uint16_t pci_pm_base(const pci_t *pci);

#endif
