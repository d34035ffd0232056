#include "pci.h"

#include <stdbool.h>
#include <string.h>

enum { ENABLE = 0x80000000u };
enum { COMMAND = 0x04, INTERRUPT_LINE = 0x3C, PAM0 = 0x59, PMBA = 0x40, PMREGMISC = 0x80 };

typedef struct {
  uint8_t at, value;
} preset_t;

/* What is not 0 after RESET. */
static const preset_t host_presets[] = {{0x00, 0x86}, {0x01, 0x80}, {0x02, 0x37}, {0x03, 0x12},
                                        {0x06, 0x80}, {0x07, 0x02}, {0x08, 0x02}, {0x0B, 0x06},
                                        {0x2C, 0xF4}, {0x2D, 0x1A}, {0x2F, 0x11}, {0x72, 0x02}};
static const preset_t isa_presets[] = {
    {0x00, 0x86}, {0x01, 0x80}, {0x03, 0x70}, {0x04, 0x07}, {0x07, 0x02}, {0x0A, 0x01}, {0x0B, 0x06}, {0x0E, 0x80},
    {0x2C, 0xF4}, {0x2D, 0x1A}, {0x2F, 0x11}, {0x4C, 0x4D}, {0x4E, 0x03}, {0x60, 0x80}, {0x61, 0x80}, {0x62, 0x80},
    {0x63, 0x80}, {0x69, 0x02}, {0x70, 0x80}, {0x76, 0x0C}, {0x77, 0x0C}, {0x78, 0x02}, {0xA0, 0x08}, {0xA8, 0x0F}};
/* 5BH: the system-management interrupt is set up already, so that firmware does not look for that mode. */
static const preset_t pm_presets[] = {
    {0x00, 0x86}, {0x01, 0x80}, {0x02, 0x13}, {0x03, 0x71}, {0x06, 0x80}, {0x07, 0x02}, {0x08, 0x03}, {0x0A, 0x80},
    {0x0B, 0x06}, {0x2C, 0xF4}, {0x2D, 0x1A}, {0x2F, 0x11}, {0x3D, 0x01}, {0x40, 0x01}, {0x5B, 0x02}, {0x90, 0x01}};

typedef struct {
  uint8_t device_function;
  const preset_t *presets;
  unsigned n_presets;
} function_t;

#define PRESETS(list) (list), sizeof(list) / sizeof *(list)
static const function_t functions[PCI_FUNCTIONS] = {
    {0x00, PRESETS(host_presets)}, {0x08, PRESETS(isa_presets)}, {0x0B, PRESETS(pm_presets)}};
#undef PRESETS

void pci_init(pci_t *pci) {
  memset(pci, 0, sizeof *pci);
  for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
    for (unsigned i = 0; i < functions[f].n_presets; i++)
      pci->config[f][functions[f].presets[i].at] = functions[f].presets[i].value;
}

/* The function that the address names, or -1. */
static int selected(const pci_t *pci) {
  if (!(pci->address & ENABLE) || pci->address >> 16 & 0xFF) return -1;
  for (int f = 0; f < PCI_FUNCTIONS; f++)
    if (functions[f].device_function == (pci->address >> 8 & 0xFF)) return f;
  return -1;
}

/* Bits of a configuration byte that software may change. Vendor registers above the header are all kept as written. */
static uint8_t writable(int function, unsigned at) {
  switch (at) {
  case COMMAND:
    return function == PCI_ISA ? 0 : 0x07;
  case COMMAND + 1:
    return 0x05;
  case INTERRUPT_LINE:
    return 0xFF;
  default:
    break;
  }
  if (function == PCI_PM && at >= PMBA && at < PMBA + 4) return at == PMBA ? 0xC0 : at == PMBA + 1 ? 0xFF : 0;
  return at >= 0x40 ? 0xFF : 0;
}

uint32_t pci_read(const pci_t *pci, unsigned offset, unsigned size) {
  int f = selected(pci);
  if (f < 0) return UINT32_MAX;
  uint32_t data = 0;
  for (unsigned i = 0; i < size; i++)
    data |= (uint32_t)pci->config[f][(pci->address & 0xFC) + offset + i] << (8 * i);
  return data;
}

void pci_write(pci_t *pci, unsigned offset, unsigned size, uint32_t data) {
  int f = selected(pci);
  if (f < 0) return;
  for (unsigned i = 0; i < size; i++) {
    unsigned at = (pci->address & 0xFC) + offset + i;
    uint8_t mask = writable(f, at);
    pci->config[f][at] = (uint8_t)((pci->config[f][at] & ~mask) | (data >> (8 * i) & mask));
  }
}

/* PAM0's high half is the segment at F0000; the halves of PAM1 to PAM6 are 16 KiB each. Bit 0: reads, bit 1: writes. */
void pci_map(const pci_t *pci, memmap_t *map) {
  const uint8_t *pam = &pci->config[PCI_HOST][PAM0];
  map->ram_reads = map->ram_writes = 0;
  for (unsigned region = 0; region < MEMMAP_REGIONS; region++) {
    unsigned bits = region == MEMMAP_REGIONS - 1 ? pam[0] >> 4 : pam[1 + region / 2] >> (region % 2 * 4);
    map->ram_reads |= (uint16_t)((bits & 1) << region);
    map->ram_writes |= (uint16_t)((bits >> 1 & 1) << region);
  }
}

uint16_t pci_pm_base(const pci_t *pci) {
  const uint8_t *config = pci->config[PCI_PM];
  if (!(config[PMREGMISC] & 1)) return 0;
  return (uint16_t)((config[PMBA] & 0xC0) | config[PMBA + 1] << 8);
}
