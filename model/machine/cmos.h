/*
 * The real-time clock with its battery-backed RAM (MC146818), ports 70H and 71H. Time is given by the caller as CMOS_HZ
 * ticks since power-on. The clock starts at 2024-01-01 00:00 and follows guest time: writes to its time registers are
 * dropped. It interrupts periodically, when a second has passed and at the alarm time.
 * Source: Motorola MC146818 data sheet.
 */
#ifndef MMU86_CMOS_H
#define MMU86_CMOS_H

#include <stdbool.h>
#include <stdint.h>

enum { CMOS_HZ = 32768 };
#define CMOS_NEVER UINT64_MAX

typedef struct {
  uint8_t ram[128];
  uint8_t index;
  uint64_t seen; /* the tick up to which the flags of register C are right */
} cmos_t;

/* Fills in what firmware looks for: memory sizes, equipment. */
void cmos_init(cmos_t *cmos, uint64_t ram_bytes);

/* RESET: interrupts are off; the rest is on battery. */
void cmos_reset(cmos_t *cmos, uint64_t tick);

/* A guest's access to port 70H + reg (0, 1) at tick. */
uint8_t cmos_read(cmos_t *cmos, unsigned reg, uint64_t tick);
void cmos_write(cmos_t *cmos, unsigned reg, uint8_t data, uint64_t tick);

/* The level of IRQ8 at tick, and the first tick after that one at which it may rise by itself, or CMOS_NEVER. */
bool cmos_irq(cmos_t *cmos, uint64_t tick);
uint64_t cmos_next(const cmos_t *cmos);

#endif
