/*
 * The BIOS data area and the MP tables: one processor, a PCI and an ISA bus, one I/O APIC whose input 2 is IRQ0.
 * Source: Intel MultiProcessor Specification 1.4, "MP Configuration Table".
 */
#include <string.h>

#include "firmware.h"
#include "ioapic.h"

enum { EBDA_KB = 1, VIDEO_COLUMNS = 80, VIDEO_ROWS = 25 };
enum { FLOATING_BYTES = 16, HEADER_BYTES = 44, CPU_BYTES = 20, ENTRY_BYTES = 8 };
enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_INTERRUPT, ENTRY_LOCAL };
enum { INTERRUPT_INT = 0, INTERRUPT_NMI = 1, INTERRUPT_EXTINT = 3 };
enum { BUS_PCI, BUS_ISA };
enum { CPU_ID = 0, CPU_ENABLED_BOOT = 3, ALL_LOCAL = 0xFF, LOCAL_VERSION = 0x14, IOAPIC_VERSION = 0x11 };
enum { SIGNATURE = 0x600, FEATURES = 1 << 0 /* FPU */ | 1 << 9 /* APIC */ };

/* The table grows entry by entry. */
typedef struct {
  uint8_t bytes[512];
  unsigned n, entries;
} table_t;

static uint8_t *add(table_t *table, unsigned type, unsigned bytes) {
  uint8_t *entry = table->bytes + table->n;
  table->n += bytes;
  table->entries++;
  entry[0] = (uint8_t)type;
  return entry;
}

static void add_bus(table_t *table, uint8_t id, const char name[6]) {
  uint8_t *entry = add(table, ENTRY_BUS, ENTRY_BYTES);
  entry[1] = id;
  memcpy(entry + 2, name, 6);
}

/* An interrupt source and where it goes: an input of an I/O APIC or of the local APICs. */
static void add_interrupt(table_t *table, unsigned entry_type, uint8_t type, uint8_t irq, uint8_t apic, uint8_t input) {
  uint8_t *entry = add(table, entry_type, ENTRY_BYTES);
  entry[1] = type;
  entry[4] = BUS_ISA;
  entry[5] = irq;
  entry[6] = apic;
  entry[7] = input;
}

/* Makes the bytes' sum 0. */
static void checksum(uint8_t *bytes, unsigned n, unsigned at) {
  uint8_t sum = 0;
  for (unsigned i = 0; i < n; i++)
    sum = (uint8_t)(sum + bytes[i]);
  bytes[at] = (uint8_t)(bytes[at] - sum);
}

static void build_configuration(table_t *table) {
  *table = (table_t){.n = HEADER_BYTES};
  uint8_t *cpu = add(table, ENTRY_CPU, CPU_BYTES);
  cpu[1] = CPU_ID;
  cpu[2] = LOCAL_VERSION;
  cpu[3] = CPU_ENABLED_BOOT;
  store_le32(cpu + 4, SIGNATURE);
  store_le32(cpu + 8, FEATURES);
  add_bus(table, BUS_PCI, "PCI   ");
  add_bus(table, BUS_ISA, "ISA   ");
  uint8_t *io = add(table, ENTRY_IOAPIC, ENTRY_BYTES);
  io[1] = FIRMWARE_IOAPIC_ID;
  io[2] = IOAPIC_VERSION;
  io[3] = 1; /* usable */
  store_le32(io + 4, IOAPIC_BASE);
  for (uint8_t irq = 0; irq < 16; irq++)
    if (irq != 2) /* the cascade */
      add_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_INT, irq, FIRMWARE_IOAPIC_ID, irq == 0 ? 2 : irq);
  add_interrupt(table, ENTRY_LOCAL, INTERRUPT_EXTINT, 0, CPU_ID, 0);
  add_interrupt(table, ENTRY_LOCAL, INTERRUPT_NMI, 0, ALL_LOCAL, 1);

  uint8_t *header = table->bytes;
  memcpy(header, "PCMP", 4);
  store_le16(header + 4, (uint16_t)table->n);
  header[6] = 4; /* revision 1.4 */
  memcpy(header + 8, "MMU86   PC          ", 20);
  store_le16(header + 34, (uint16_t)table->entries);
  store_le32(header + 36, LAPIC_BASE);
  checksum(header, table->n, 7);
}

static void put_mp_tables(machine_t *m) {
  uint8_t floating[FLOATING_BYTES] = "_MP_";
  table_t table;
  build_configuration(&table);
  store_le32(floating + 4, MP_AT + FLOATING_BYTES);
  floating[8] = 1; /* of 16 bytes */
  floating[9] = 4; /* revision 1.4 */
  checksum(floating, sizeof floating, 10);
  machine_load(m, MP_AT, floating, sizeof floating);
  machine_load(m, MP_AT + FLOATING_BYTES, table.bytes, table.n);
}

static void put_bios_data(machine_t *m) {
  uint8_t bda[256] = {0};
  store_le16(bda + 0x00, 0x3F8);        /* COM1 */
  store_le16(bda + 0x0E, EBDA_AT >> 4); /* segment of the extended area */
  store_le16(bda + 0x10, 0x0226);       /* equipment: one serial port, 80 columns, PS/2 mouse port, coprocessor */
  store_le16(bda + 0x13, EBDA_AT >> 10);
  store_le16(bda + 0x1A, 0x1E); /* the keyboard's buffer: empty */
  store_le16(bda + 0x1C, 0x1E);
  store_le16(bda + 0x80, 0x1E);
  store_le16(bda + 0x82, 0x3E);
  bda[0x49] = 3; /* video mode */
  store_le16(bda + 0x4A, VIDEO_COLUMNS);
  store_le16(bda + 0x4C, 0x1000);
  store_le16(bda + 0x63, 0x3D4);
  bda[0x84] = VIDEO_ROWS - 1;
  store_le16(bda + 0x85, 16); /* scan lines of a character */
  machine_load(m, BDA_AT, bda, sizeof bda);
}

void firmware_tables(machine_t *m) {
  static const uint8_t ebda[EBDA_KB << 10] = {EBDA_KB};
  put_bios_data(m);
  machine_load(m, EBDA_AT, ebda, sizeof ebda);
  put_mp_tables(m);
}
