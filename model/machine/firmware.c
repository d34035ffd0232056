#include "firmware.h"

#include <assert.h>

#include "x86.h"

/* Virtual wire mode: LINT0 passes the 8259, LINT1 is NMI. */
static void set_up_apics(machine_t *m) {
  enum { SPURIOUS = 0xF0, LINT0 = 0x350, LINT1 = 0x360, ENABLED = 0x1FF, LEVEL = 1 << 15, SELECT = 0, WINDOW = 0x10 };
  machine_write(m, LAPIC_BASE + SPURIOUS, 4, ENABLED);
  machine_write(m, LAPIC_BASE + LINT0, 4, LEVEL | APIC_EXTINT << 8);
  machine_write(m, LAPIC_BASE + LINT1, 4, LEVEL | APIC_NMI << 8);
  machine_write(m, IOAPIC_BASE + SELECT, 4, 0);
  machine_write(m, IOAPIC_BASE + WINDOW, 4, FIRMWARE_IOAPIC_ID << 24);
}

void firmware_devices(machine_t *m) {
  static const struct {
    uint16_t port;
    uint8_t data;
  } writes[] = {
      {0x64, 0x60},  {0x60, 0x61},                               /* keyboard controller: command byte */
      {0x20, 0x11},  {0x21, 0x08},  {0x21, 0x04},  {0x21, 0x01}, /* master 8259: vectors from 08H */
      {0xA0, 0x11},  {0xA1, 0x70},  {0xA1, 0x02},  {0xA1, 0x01}, /* slave: from 70H */
      {0x21, 0xB8},  {0xA1, 0x8E},  {0x4D1, 0x0C},               /* masks; IRQ10 and 11 by level */
      {0x43, 0x34},  {0x40, 0x00},  {0x40, 0x00},                /* counter 0: mode 2, 65536 */
      {0x3F9, 0x02}, {0x3F9, 0x00},                              /* the UART's probe leaves IRQ4 requested */
  };
  machine_reset_devices(m);
  machine_out(m, 0x64, 1, 0xAA); /* the self test */
  machine_in(m, 0x60, 1);
  machine_out(m, 0x60, 1, 0xF4); /* the keyboard has acknowledged that it is enabled */
  machine_in(m, 0x60, 1);
  for (unsigned i = 0; i < sizeof writes / sizeof writes[0]; i++)
    machine_out(m, writes[i].port, 1, writes[i].data);
  set_up_apics(m);
}

/* --- the processor --- */

enum { GDT_ENTRIES = 6 };

/* The descriptors behind the selectors: no specification promises all, but kernels that reload too early exist. */
static bool load_gdt(machine_t *m, const protected_entry_t *e) {
  static const uint64_t flat[] = {0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00009F000000FFFF, 0x000093000000FFFF};
  enum { FLAT = sizeof flat / sizeof flat[0] };
  uint8_t gdt[8 * GDT_ENTRIES] = {0};
  unsigned first = e->code_selector / 8;
  assert(first + FLAT <= GDT_ENTRIES);
  for (unsigned i = 0; i < FLAT; i++)
    store_le64(gdt + 8 * (first + i), flat[i]);
  unsigned bytes = 8 * (first + FLAT);
  machine_load(m, e->gdt_at, gdt, bytes);
  const mmu_req_t lgdt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = e->gdt_at, .data = bytes - 1};
  const mmu_req_t lidt = {.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_IDTR, .offset = 0, .data = 0x3FF};
  return cpu_send(m->cpu, &lgdt) && cpu_send(m->cpu, &lidt);
}

/* A flat segment of 4 GiB, with descriptor type 1011B (code) or 0011B (data). */
static bool set_flat(machine_t *m, unsigned seg, uint16_t selector, unsigned type) {
  const uint64_t attr = MMU_ATTR_G | MMU_ATTR_DB | MMU_ATTR_P | MMU_ATTR_S | type;
  const mmu_req_t req = {.op = MMU_OP_SET_SEG,
                         .seg = (uint8_t)seg,
                         .reason = MMU_SET_RAW,
                         .selector = selector,
                         .data = UINT32_MAX | attr << 32 | UINT64_C(1) << 48};
  return cpu_send(m->cpu, &req);
}

bool firmware_enter(machine_t *m, const protected_entry_t *e) {
  const mmu_req_t cr0 = {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_ET};
  bool ok = load_gdt(m, e) && cpu_send(m->cpu, &cr0) &&
            set_flat(m, MMU_SEG_CS, e->code_selector, MMU_ATTR_CODE | MMU_ATTR_READABLE | MMU_ATTR_ACCESSED);
  for (unsigned seg = MMU_SEG_ES; ok && seg <= MMU_SEG_GS; seg++)
    if (seg != MMU_SEG_CS) ok = set_flat(m, seg, e->data_selector, MMU_ATTR_WRITABLE | MMU_ATTR_ACCESSED);
  cpu_set_registers(m->cpu, e->gpr, e->entry, 0x2);
  return ok;
}
