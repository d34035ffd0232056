/*
 * The port-I/O address space: which device answers where.
 */
#include "machine_priv.h"

enum { IRQ_KEYBOARD = 1, IRQ_SERIAL = 4, IRQ_CLOCK = 8, IRQ_MOUSE = 12, IRQ_FPU = 13 };
enum { CONTROL_A_RESET = 0x01, CONTROL_A_A20 = 0x02 };

typedef struct {
  uint16_t first, last;
  bool whole; /* an access of any size is one write or read; otherwise it is split into bytes */
  uint32_t (*read)(machine_t *m, unsigned reg); /* NULL: it is only written, and read as where nothing is */
  void (*write)(machine_t *m, unsigned reg, uint32_t data);
} device_t;

static uint32_t read_master_pic(machine_t *m, unsigned reg) {
  uint8_t data = pic_read(&m->pic, 0, reg);
  machine_update_intr(m); /* a poll acknowledges */
  return data;
}

static void write_master_pic(machine_t *m, unsigned reg, uint32_t data) {
  pic_write(&m->pic, 0, reg, (uint8_t)data);
  machine_update_intr(m);
}

static uint32_t read_slave_pic(machine_t *m, unsigned reg) {
  uint8_t data = pic_read(&m->pic, 1, reg);
  machine_update_intr(m);
  return data;
}

static void write_slave_pic(machine_t *m, unsigned reg, uint32_t data) {
  pic_write(&m->pic, 1, reg, (uint8_t)data);
  machine_update_intr(m);
}

static uint32_t read_elcr(machine_t *m, unsigned reg) {
  return pic_read_elcr(&m->pic, reg);
}

static void write_elcr(machine_t *m, unsigned reg, uint32_t data) {
  pic_write_elcr(&m->pic, reg, (uint8_t)data);
}

static uint32_t read_pit(machine_t *m, unsigned reg) {
  return pit_read(&m->pit, reg, machine_ticks(m));
}

static void write_pit(machine_t *m, unsigned reg, uint32_t data) {
  if (!pit_write(&m->pit, reg, (uint8_t)data, machine_ticks(m))) return;
  machine_update_timer(m);
  machine_new_slice(m);
}

static void update_keyboard(machine_t *m) {
  machine_set_irq(m, IRQ_KEYBOARD, kbc_irq(&m->kbc));
  machine_set_irq(m, IRQ_MOUSE, kbc_mouse_irq(&m->kbc));
}

static uint32_t read_keyboard(machine_t *m, unsigned reg) {
  (void)reg;
  bool was_mouse = m->kbc.from_mouse;
  uint8_t data = kbc_read_data(&m->kbc);
  machine_set_irq(m, was_mouse ? IRQ_MOUSE : IRQ_KEYBOARD, false); /* an edge for the next byte */
  update_keyboard(m);
  return data;
}

static uint32_t read_keyboard_status(machine_t *m, unsigned reg) {
  (void)reg;
  return kbc_read_status(&m->kbc);
}

static void finish_keyboard_write(machine_t *m, kbc_effect_t effect) {
  update_keyboard(m);
  if (effect & KBC_A20) {
    m->a20 = m->kbc.output_port & CONTROL_A_A20;
    machine_chipset_changed(m);
  }
  if (effect & KBC_RESET) machine_end(m, MACHINE_SHUTDOWN, "machine: keyboard controller: the guest asked for a reset");
}

static void write_keyboard(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  finish_keyboard_write(m, kbc_write_data(&m->kbc, (uint8_t)data));
}

static void write_keyboard_command(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  finish_keyboard_write(m, kbc_write_command(&m->kbc, (uint8_t)data));
}

static uint32_t read_control_b(machine_t *m, unsigned reg) {
  (void)reg;
  m->refresh = !m->refresh;
  return m->system_control_b | (uint32_t)m->refresh << 4 | (uint32_t)pit_out(&m->pit, 2, machine_ticks(m)) << 5;
}

static void write_control_b(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  m->system_control_b = data & 0x03;
  pit_gate(&m->pit, 2, data & 0x01, machine_ticks(m));
}

static uint32_t read_control_a(machine_t *m, unsigned reg) {
  (void)reg;
  return m->system_control_a;
}

static void write_control_a(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  bool reset = (data & CONTROL_A_RESET) && !(m->system_control_a & CONTROL_A_RESET);
  m->system_control_a = (uint8_t)data;
  m->a20 = data & CONTROL_A_A20;
  machine_chipset_changed(m);
  if (reset) machine_end(m, MACHINE_SHUTDOWN, "machine: port 92H: the guest asked for a reset");
}

static uint64_t rtc_ticks(const machine_t *m) {
  return machine_scaled(machine_time(m), CMOS_HZ);
}

void machine_update_rtc(machine_t *m) {
  machine_set_irq(m, IRQ_CLOCK, cmos_irq(&m->cmos, rtc_ticks(m)));
  uint64_t next = cmos_next(&m->cmos);
  m->rtc_event = next == CMOS_NEVER ? MACHINE_NEVER : machine_time_of(next, CMOS_HZ);
}

static uint32_t read_cmos(machine_t *m, unsigned reg) {
  uint32_t data = cmos_read(&m->cmos, reg, rtc_ticks(m));
  machine_update_rtc(m);
  machine_new_slice(m);
  return data;
}

static void write_cmos(machine_t *m, unsigned reg, uint32_t data) {
  cmos_write(&m->cmos, reg, (uint8_t)data, rtc_ticks(m));
  machine_update_rtc(m);
  machine_new_slice(m);
}

static uint32_t read_uart(machine_t *m, unsigned reg) {
  uint8_t data = uart_read(&m->uart, reg);
  machine_update_input(m);
  return data;
}

static void write_uart(machine_t *m, unsigned reg, uint32_t data) {
  uart_write(&m->uart, reg, (uint8_t)data);
  machine_update_input(m);
}

/* The vertical retrace: a twentieth of each of 70 frames a second. */
static uint32_t read_vga(machine_t *m, unsigned reg) {
  enum { FRAME = MACHINE_HZ / 70 };
  return vga_read(&m->vga, reg, machine_time(m) % FRAME < FRAME / 20);
}

static void write_vga(machine_t *m, unsigned reg, uint32_t data) {
  vga_write(&m->vga, reg, (uint8_t)data);
}

static uint32_t read_debugcon(machine_t *m, unsigned reg) {
  (void)m;
  (void)reg;
  return 0xE9; /* so that software sees that somebody listens */
}

static void write_debugcon(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  if (m->debugcon) m->debugcon(m->debugcon_ctx, (uint8_t)data);
}

static void write_origin(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  if (m->hooks.origin) m->hooks.origin(m->hooks.ctx, (uint8_t)data);
}

static uint32_t read_debugexit(machine_t *m, unsigned reg) {
  (void)m;
  (void)reg;
  return 0;
}

static void write_debugexit(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  m->exit_code = data;
  machine_end(m, MACHINE_EXIT, "");
}

/* Clears the x87's interrupt: IRQ13 falls, and IGNNE# lets the handler use the x87. */
static void write_fpu(machine_t *m, unsigned reg, uint32_t data) {
  (void)reg;
  (void)data;
  machine_set_irq(m, IRQ_FPU, false);
  cpu_set_ignne(m->cpu, true);
}

static uint32_t read_fpu(machine_t *m, unsigned reg) {
  (void)m;
  (void)reg;
  return 0xFF;
}

void machine_fpu_error(void *machine) {
  machine_set_irq(machine, IRQ_FPU, true);
}

static const device_t devices[] = {
    {0x3F8, 0x3FF, false, read_uart, write_uart},
    {0x0E9, 0x0E9, false, read_debugcon, write_debugcon},
    {0x0EA, 0x0EA, false, NULL, write_origin},
    {VGA_FIRST_PORT, VGA_FIRST_PORT + VGA_PORTS - 1, false, read_vga, write_vga},
    {0x402, 0x402, false, read_debugcon, write_debugcon},
    {0x020, 0x021, false, read_master_pic, write_master_pic},
    {0x0A0, 0x0A1, false, read_slave_pic, write_slave_pic},
    {0x040, 0x043, false, read_pit, write_pit},
    {0x060, 0x060, false, read_keyboard, write_keyboard},
    {0x061, 0x061, false, read_control_b, write_control_b},
    {0x064, 0x064, false, read_keyboard_status, write_keyboard_command},
    {0x070, 0x071, false, read_cmos, write_cmos},
    {0x092, 0x092, false, read_control_a, write_control_a},
    {0x0F0, 0x0F0, false, read_fpu, write_fpu},
    {0x0F4, 0x0F7, true, read_debugexit, write_debugexit},
    {0x4D0, 0x4D1, false, read_elcr, write_elcr},
};

/* Returns the device at port, or NULL. */
static const device_t *device_at(uint16_t port) {
  for (unsigned i = 0; i < sizeof devices / sizeof devices[0]; i++)
    if (port >= devices[i].first && port <= devices[i].last) return &devices[i];
  return NULL;
}

/* Likewise, if it answers reads. */
static const device_t *readable_at(uint16_t port) {
  const device_t *d = device_at(port);
  return d && d->read ? d : NULL;
}

uint32_t machine_in(void *machine, uint16_t port, unsigned size) {
  const uint32_t mask = UINT32_MAX >> (32 - 8 * size);
  uint32_t chipset;
  if (machine_chipset_in(machine, port, size, &chipset)) return chipset & mask;
  const device_t *d = readable_at(port);
  if (d && (d->whole || size == 1)) return d->read(machine, port - d->first) & mask;
  uint32_t data = 0;
  bool answered = true;
  for (unsigned i = 0; i < size; i++) {
    uint16_t at = (uint16_t)(port + i);
    d = readable_at(at);
    answered = answered && d;
    data |= (d ? d->read(machine, at - d->first) & 0xFF : 0xFF) << (8 * i);
  }
  ((machine_t *)machine)->unmapped_ports += !answered;
  return data;
}

void machine_out(void *machine, uint16_t port, unsigned size, uint32_t data) {
  const uint32_t mask = UINT32_MAX >> (32 - 8 * size);
  machine_t *m = machine;
  if (m->hooks.out) m->hooks.out(m->hooks.ctx, port, size, data & mask);
  if (machine_chipset_out(machine, port, size, data & mask)) return;
  const device_t *d = device_at(port);
  if (d && (d->whole || size == 1)) {
    d->write(machine, port - d->first, data & mask);
    return;
  }
  bool answered = true;
  for (unsigned i = 0; i < size; i++) {
    uint16_t at = (uint16_t)(port + i);
    d = device_at(at);
    answered = answered && d;
    if (d) d->write(machine, at - d->first, data >> (8 * i) & 0xFF);
  }
  m->unmapped_ports += !answered;
}

uint64_t machine_unmapped_ports(const machine_t *machine) {
  return machine->unmapped_ports;
}

static void serial_send(void *ctx, uint8_t byte) {
  machine_t *m = ctx;
  if (m->serial) m->serial(m->serial_ctx, byte);
}

static void serial_irq(void *ctx, bool level) {
  machine_t *m = ctx;
  machine_set_irq(m, IRQ_SERIAL, level);
}

void machine_reset_devices(machine_t *m) {
  const uart_wires_t wires = {m, serial_send, serial_irq};
  pic_init(&m->pic);
  machine_reset_apics(m);
  pit_init(&m->pit, machine_ticks(m));
  uart_init(&m->uart, &wires);
  cmos_reset(&m->cmos, rtc_ticks(m));
  kbc_init(&m->kbc);
  vga_init(&m->vga);
  m->system_control_a = CONTROL_A_A20;
  m->system_control_b = 0;
  m->refresh = false;
  m->a20 = true;
  machine_reset_chipset(m);
  machine_chipset_changed(m);
  machine_update_timer(m);
  machine_update_rtc(m);
}
