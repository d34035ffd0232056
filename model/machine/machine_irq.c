/*
 * The ways of an interrupt: a device's line goes to the 8259s and to the I/O APIC; the 8259s' INT goes to the local
 * APIC's LINT0, as the I/O APIC's messages go to the local APIC, which drives the CPU.
 */
#include "machine_priv.h"

enum { IRQ_TIMER = 0, IRQ_CASCADE = 2, INPUT_TIMER = 2 };

void machine_update_intr(machine_t *m) {
  lapic_set_lint(&m->lapic, 0, pic_output(&m->pic));
  cpu_set_intr(m->cpu, lapic_output(&m->lapic));
}

/* IRQ0 is input 2 of the I/O APIC, where IRQ2 would be, which is the 8259s' cascade. */
void machine_set_irq(machine_t *m, unsigned irq, bool level) {
  pic_set_irq(&m->pic, irq, level);
  if (irq != IRQ_CASCADE) ioapic_set_input(&m->ioapic, irq == IRQ_TIMER ? INPUT_TIMER : irq, level);
  machine_update_intr(m);
}

uint8_t machine_interrupt_ack(void *machine) {
  machine_t *m = machine;
  uint8_t vector;
  if (!lapic_ack(&m->lapic, &vector)) vector = pic_ack(&m->pic);
  machine_update_intr(m);
  return vector;
}

/* --- the APICs' wires and registers --- */

/* A slice that was made for an old event of the timer must end. */
static void update_after_access(machine_t *m, uint64_t old_event) {
  machine_update_intr(m);
  if (lapic_next(&m->lapic, machine_time(m)) < old_event) cpu_request_stop(m->cpu);
}

static uint32_t read_lapic(void *machine, uint32_t offset, unsigned size) {
  machine_t *m = machine;
  uint32_t data = lapic_read(&m->lapic, offset, size, machine_time(m));
  machine_update_intr(m);
  return data;
}

static void write_lapic(void *machine, uint32_t offset, unsigned size, uint32_t data) {
  machine_t *m = machine;
  uint64_t now = machine_time(m), old_event = lapic_next(&m->lapic, now);
  lapic_write(&m->lapic, offset, size, data, now);
  update_after_access(m, old_event);
}

static uint32_t read_ioapic(void *machine, uint32_t offset, unsigned size) {
  machine_t *m = machine;
  return ioapic_read(&m->ioapic, offset, size);
}

static void write_ioapic(void *machine, uint32_t offset, unsigned size, uint32_t data) {
  machine_t *m = machine;
  ioapic_write(&m->ioapic, offset, size, data);
  machine_update_intr(m);
}

static void lapic_nmi(void *machine) {
  machine_t *m = machine;
  m->nmi = true;
  cpu_set_nmi(m->cpu);
}

static void lapic_ended(void *machine, uint8_t vector) {
  machine_t *m = machine;
  ioapic_eoi(&m->ioapic, vector);
}

static void ioapic_sends(void *machine, const apic_message_t *message) {
  machine_t *m = machine;
  lapic_deliver(&m->lapic, message);
}

void machine_add_apics(machine_t *m) {
  mmio_add(&m->mmio, &(mmio_region_t){LAPIC_BASE, LAPIC_BYTES, m, read_lapic, write_lapic});
  mmio_add(&m->mmio, &(mmio_region_t){IOAPIC_BASE, IOAPIC_BYTES, m, read_ioapic, write_ioapic});
}

void machine_reset_apics(machine_t *m) {
  const lapic_wires_t local = {m, lapic_nmi, lapic_ended};
  const ioapic_wires_t io = {m, ioapic_sends};
  lapic_init(&m->lapic, &local);
  ioapic_init(&m->ioapic, &io);
  m->nmi = false;
}
