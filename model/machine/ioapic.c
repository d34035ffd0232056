#include "ioapic.h"

#include <string.h>

enum { SELECT = 0x00, WINDOW = 0x10 };
enum { REG_ID = 0x00, REG_VERSION = 0x01, REG_ARBITRATION = 0x02, REG_ENTRIES = 0x10 };
enum { VERSION = 0x11 | (IOAPIC_INPUTS - 1) << 16 };
enum { ENTRY_LOGICAL = 1 << 11, ENTRY_REMOTE_IRR = 1 << 14, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16 };
#define ENTRY_WRITABLE UINT64_C(0xFF0000000001AFFF)

static uint32_t bit(unsigned input) {
  return UINT32_C(1) << input;
}

static void send(ioapic_t *io, unsigned input) {
  uint64_t entry = io->entry[input];
  const apic_message_t message = {.vector = (uint8_t)entry,
                                  .delivery = (apic_delivery_t)(entry >> 8 & 7),
                                  .destination = (uint8_t)(entry >> 56),
                                  .logical = entry & ENTRY_LOGICAL,
                                  .level = entry & ENTRY_LEVEL};
  io->wires.deliver(io->wires.ctx, &message);
}

/* Sends a level-triggered input's interrupt if it is asserted and not being served. */
static void look_at_level(ioapic_t *io, unsigned input) {
  uint64_t entry = io->entry[input];
  if (!(entry & ENTRY_LEVEL) || (entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !(io->line & bit(input))) return;
  io->entry[input] |= ENTRY_REMOTE_IRR;
  send(io, input);
}

void ioapic_set_input(ioapic_t *io, unsigned input, bool level) {
  bool rises = level && !(io->line & bit(input));
  io->line = level ? io->line | bit(input) : io->line & ~bit(input);
  if (rises && !(io->entry[input] & (ENTRY_LEVEL | ENTRY_MASKED))) send(io, input);
  look_at_level(io, input);
}

bool ioapic_makes_nmi(const ioapic_t *io) {
  for (unsigned input = 0; input < IOAPIC_INPUTS; input++)
    if (!(io->entry[input] & ENTRY_MASKED) && (io->entry[input] >> 8 & 7) == APIC_NMI) return true;
  return false;
}

void ioapic_eoi(ioapic_t *io, uint8_t vector) {
  for (unsigned input = 0; input < IOAPIC_INPUTS; input++) {
    uint64_t *entry = &io->entry[input];
    if ((uint8_t)*entry != vector || !(*entry & ENTRY_REMOTE_IRR)) continue;
    *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
    look_at_level(io, input);
  }
}

static uint32_t read_window(const ioapic_t *io) {
  unsigned reg = io->select;
  if (reg >= REG_ENTRIES && reg < REG_ENTRIES + 2 * IOAPIC_INPUTS)
    return (uint32_t)(io->entry[(reg - REG_ENTRIES) / 2] >> (reg % 2 ? 32 : 0));
  switch (reg) {
  case REG_ID:
  case REG_ARBITRATION:
    return (uint32_t)io->id << 24;
  case REG_VERSION:
    return VERSION;
  default:
    return 0;
  }
}

/* An entry that becomes an edge's forgets what a level had begun. */
static void write_entry(ioapic_t *io, unsigned input, uint64_t value) {
  uint64_t kept = value & ENTRY_LEVEL ? ENTRY_REMOTE_IRR : 0;
  io->entry[input] = (value & ENTRY_WRITABLE) | (io->entry[input] & kept);
  look_at_level(io, input);
}

static void write_window(ioapic_t *io, uint32_t data) {
  unsigned reg = io->select;
  if (reg == REG_ID) io->id = data >> 24 & 0xF;
  if (reg < REG_ENTRIES || reg >= REG_ENTRIES + 2 * IOAPIC_INPUTS) return;
  unsigned input = (reg - REG_ENTRIES) / 2;
  uint64_t old = io->entry[input];
  write_entry(io, input, reg % 2 ? (old & UINT32_MAX) | (uint64_t)data << 32 : (old & ~(uint64_t)UINT32_MAX) | data);
}

uint32_t ioapic_read(const ioapic_t *io, uint32_t offset, unsigned size) {
  if (offset == SELECT) return io->select;
  return offset == WINDOW && size == 4 ? read_window(io) : 0;
}

void ioapic_write(ioapic_t *io, uint32_t offset, unsigned size, uint32_t data) {
  if (offset == SELECT)
    io->select = (uint8_t)data;
  else if (offset == WINDOW && size == 4)
    write_window(io, data);
}

void ioapic_init(ioapic_t *io, const ioapic_wires_t *wires) {
  memset(io, 0, sizeof *io);
  io->wires = *wires;
  for (unsigned input = 0; input < IOAPIC_INPUTS; input++)
    io->entry[input] = ENTRY_MASKED;
}
