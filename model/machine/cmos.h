/*
 * The real-time clock with its battery-backed RAM (MC146818), ports 70H and 71H. The clock starts at 2024-01-01 00:00
 * and follows guest time; writes to its time registers are dropped, and it raises no interrupt.
 */
#ifndef MMU86_CMOS_H
#define MMU86_CMOS_H

#include <stdint.h>

typedef struct {
  uint8_t ram[128];
  uint8_t index;
} cmos_t;

/* Fills in what firmware looks for: memory sizes, equipment. */
void cmos_init(cmos_t *cmos, uint64_t ram_bytes);

/* A guest's access to port 70H + reg (0, 1). seconds: guest time. */
uint8_t cmos_read(const cmos_t *cmos, unsigned reg, uint64_t seconds);
void cmos_write(cmos_t *cmos, unsigned reg, uint8_t data);

#endif
