/*
 * The power management registers of a PIIX4: the ACPI timer, the event and control registers, and the command port
 * (B2H) through which an operating system takes them over. Time is given by the caller as PM_HZ ticks since power-on.
 * Sources: ACPI Specification, "ACPI Hardware Specification"; Intel 82371AB data sheet.
 */
#ifndef MMU86_ACPI_PM_H
#define MMU86_ACPI_PM_H

#include <stdbool.h>
#include <stdint.h>

enum { PM_HZ = 3579545, PM_PORTS = 64, PM_IRQ = 9 };
#define PM_NEVER UINT64_MAX

typedef struct {
  uint16_t status, enable, control; /* PM1 */
  uint64_t overflow;                /* tick at which bit 23 of the timer changes next */
  uint8_t command, data;            /* ports B2H, B3H */
} pm_t;

void pm_init(pm_t *pm, uint64_t tick);

/* A guest's access of size bytes to register reg (0..63). pm_write returns true if the guest switches the power off. */
uint32_t pm_read(pm_t *pm, unsigned reg, unsigned size, uint64_t tick);
bool pm_write(pm_t *pm, unsigned reg, unsigned size, uint32_t data, uint64_t tick);

/* A guest's write of the command port. */
void pm_command(pm_t *pm, uint8_t data);

/* The level of IRQ9 at tick, and the first tick after it at which it may change by itself, or PM_NEVER. */
bool pm_irq(pm_t *pm, uint64_t tick);
uint64_t pm_next(const pm_t *pm);

#endif
