/*
 * The ports whose accesses are not single bytes: PCI configuration, firmware configuration, power management. And what
 * the chipset's registers do to the machine.
 */
#include "machine_priv.h"

enum { CF9_RESET_CPU = 0x04, CF9_HARD = 0x02 };
enum {
  PORT_APM_COMMAND = 0xB2,
  PORT_APM_DATA = 0xB3,
  PORT_FWCFG_SELECT = 0x510,
  PORT_FWCFG_DATA = 0x511,
  PORT_PCI_ADDRESS = 0xCF8,
  PORT_RESET = 0xCF9,
  PORT_PCI_DATA = 0xCFC,
};

static uint64_t pm_ticks(const machine_t *m) {
  return machine_scaled(machine_time(m), PM_HZ);
}

void machine_update_pm(machine_t *m) {
  machine_set_irq(m, PM_IRQ, pm_irq(&m->pm, pm_ticks(m)));
  uint64_t next = pm_next(&m->pm);
  m->pm_event = next == PM_NEVER ? MACHINE_NEVER : machine_time_of(next, PM_HZ);
}

void machine_reset_chipset(machine_t *m) {
  pci_init(&m->pci);
  fwcfg_init(&m->fwcfg, m->ram.size);
  pm_init(&m->pm, pm_ticks(m));
  m->reset_control = 0;
  machine_update_pm(m);
}

/* Without a ROM there is nothing to hide RAM behind: a kernel that was loaded directly has it everywhere. */
void machine_chipset_changed(machine_t *m) {
  memmap_t map = m->ram.map;
  if (map.rom_bytes) pci_map(&m->pci, &map);
  map.a20 = m->a20;
  machine_set_map(m, &map);
}

static void write_reset_control(machine_t *m, uint8_t data) {
  bool reset = (data & CF9_RESET_CPU) && !(m->reset_control & CF9_RESET_CPU);
  m->reset_control = data & CF9_HARD;
  if (reset) machine_end(m, MACHINE_SHUTDOWN, "machine: port CF9H: the guest asked for a reset");
}

/* Whether the access lies in the power management registers; *reg is then the first. */
static bool is_pm(const machine_t *m, uint16_t port, unsigned *reg) {
  uint16_t base = pci_pm_base(&m->pci);
  *reg = (unsigned)port - base;
  return base && port >= base && *reg < PM_PORTS;
}

bool machine_chipset_in(machine_t *m, uint16_t port, unsigned size, uint32_t *data) {
  unsigned reg;
  if (port == PORT_PCI_ADDRESS && size == 4) {
    *data = m->pci.address;
  } else if (port >= PORT_PCI_DATA && port + size <= PORT_PCI_DATA + 4u) {
    *data = pci_read(&m->pci, port - PORT_PCI_DATA, size);
  } else if (port == PORT_RESET && size == 1) {
    *data = m->reset_control;
  } else if (port == PORT_FWCFG_DATA && size == 1) {
    *data = fwcfg_read(&m->fwcfg);
  } else if ((port == PORT_APM_COMMAND || port == PORT_APM_DATA) && size == 1) {
    *data = port == PORT_APM_COMMAND ? m->pm.command : m->pm.data;
  } else if (is_pm(m, port, &reg)) {
    *data = pm_read(&m->pm, reg, size, pm_ticks(m));
  } else {
    return false;
  }
  return true;
}

bool machine_chipset_out(machine_t *m, uint16_t port, unsigned size, uint32_t data) {
  unsigned reg;
  if (port == PORT_PCI_ADDRESS && size == 4) {
    m->pci.address = data;
  } else if (port >= PORT_PCI_DATA && port + size <= PORT_PCI_DATA + 4u) {
    pci_write(&m->pci, port - PORT_PCI_DATA, size, data);
    machine_chipset_changed(m);
  } else if (port == PORT_RESET && size == 1) {
    write_reset_control(m, (uint8_t)data);
  } else if (port == PORT_FWCFG_SELECT && size == 2) {
    fwcfg_select(&m->fwcfg, (uint16_t)data);
  } else if (port == PORT_APM_COMMAND && size == 1) {
    pm_command(&m->pm, (uint8_t)data);
    machine_update_pm(m);
    machine_new_slice(m);
  } else if (port == PORT_APM_DATA && size == 1) {
    m->pm.data = (uint8_t)data;
  } else if (is_pm(m, port, &reg)) {
    if (pm_write(&m->pm, reg, size, data, pm_ticks(m))) machine_end(m, MACHINE_POWEROFF, "");
    machine_update_pm(m);
    machine_new_slice(m);
  } else {
    return false;
  }
  return true;
}
