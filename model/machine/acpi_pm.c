#include "acpi_pm.h"

#include <string.h>

enum { REG_STATUS = 0, REG_ENABLE = 2, REG_CONTROL = 4, REG_TIMER = 8 };
enum { TIMER_EVENT = 0x0001 };
enum { SCI_ENABLE = 0x0001, SLEEP_TYPE_SHIFT = 10, SLEEP_ENABLE = 0x2000 };
enum { SLEEP_TYPE_OFF = 0 };
enum { COMMAND_ENABLE = 0xF1, COMMAND_DISABLE = 0xF0 };
enum { TIMER_MASK = 0xFFFFFF, HALF_TURN = 0x800000 };

void pm_init(pm_t *pm, uint64_t tick) {
  memset(pm, 0, sizeof *pm);
  pm->overflow = (tick / HALF_TURN + 1) * HALF_TURN;
}

static void update(pm_t *pm, uint64_t tick) {
  if (tick < pm->overflow) return;
  pm->status |= TIMER_EVENT;
  pm->overflow = (tick / HALF_TURN + 1) * HALF_TURN;
}

static uint32_t register_at(const pm_t *pm, unsigned reg, uint64_t tick) {
  switch (reg & ~3u) {
  case REG_STATUS:
    return pm->status | (uint32_t)pm->enable << 16;
  case REG_CONTROL:
    return pm->control;
  case REG_TIMER:
    return tick & TIMER_MASK;
  default:
    return 0;
  }
}

uint32_t pm_read(pm_t *pm, unsigned reg, unsigned size, uint64_t tick) {
  update(pm, tick);
  uint32_t data = register_at(pm, reg, tick) >> (reg % 4 * 8);
  return data & UINT32_MAX >> (32 - 8 * size);
}

bool pm_write(pm_t *pm, unsigned reg, unsigned size, uint32_t data, uint64_t tick) {
  update(pm, tick);
  if (reg == REG_STATUS) {
    pm->status &= (uint16_t)~data;
    if (size == 4) pm->enable = (uint16_t)(data >> 16);
  } else if (reg == REG_ENABLE) {
    pm->enable = (uint16_t)data;
  } else if (reg == REG_CONTROL) {
    pm->control = (uint16_t)(data & ~(uint32_t)SLEEP_ENABLE);
    return (data & SLEEP_ENABLE) && (data >> SLEEP_TYPE_SHIFT & 7) == SLEEP_TYPE_OFF;
  }
  return false;
}

void pm_command(pm_t *pm, uint8_t data) {
  pm->command = data;
  if (data == COMMAND_ENABLE) pm->control |= SCI_ENABLE;
  if (data == COMMAND_DISABLE) pm->control &= (uint16_t)~SCI_ENABLE;
}

bool pm_irq(pm_t *pm, uint64_t tick) {
  update(pm, tick);
  return (pm->control & SCI_ENABLE) && (pm->status & pm->enable & TIMER_EVENT);
}

uint64_t pm_next(const pm_t *pm) {
  return (pm->control & SCI_ENABLE) && (pm->enable & TIMER_EVENT) ? pm->overflow : PM_NEVER;
}
