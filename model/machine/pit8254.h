/*
 * The PC's 8254 programmable interval timer. Time is given by the caller as PIT_HZ ticks since power-on.
 *
 * Where QEMU departs from the data sheet, this follows QEMU: a control word lets the old count run on until a new one
 * is loaded; in mode 2 OUT is high for the one tick of the reload and low otherwise; GATE only restarts; the BCD bit
 * is kept but counting is binary.
 * Source: Intel 8254 data sheet.
 */
#ifndef MMU86_PIT8254_H
#define MMU86_PIT8254_H

#include <stdbool.h>
#include <stdint.h>

enum { PIT_HZ = 1193182 };
#define PIT_NEVER UINT64_MAX

/* Which byte of the count a port access moves next; as the RW field of the control word, and the second of two. */
typedef enum { PIT_LOW = 1, PIT_HIGH = 2, PIT_BOTH = 3, PIT_BOTH_HIGH = 4 } pit_byte_t;

typedef struct {
  uint64_t start;            /* tick at which the count was loaded or GATE restarted it */
  uint32_t count;            /* 1..65536 */
  uint8_t mode;              /* 0..5; 6 and 7 act as 2 and 3 */
  uint8_t rw;                /* of the control word */
  uint8_t read_at, write_at; /* pit_byte_t; 0 acts as PIT_LOW */
  uint8_t low;               /* first byte of two, written */
  uint8_t latch_left;        /* what of the latched count is still to be read: pit_byte_t, or 0 */
  uint16_t latch;
  uint8_t status; /* latched by the read-back command */
  bool status_latched, bcd, gate;
} pit_counter_t;

typedef struct {
  pit_counter_t counter[3];
} pit_t;

/* Power-on: all counters in mode 3 with count 65536; the gates of 0 and 1 are high. */
void pit_init(pit_t *pit, uint64_t tick);

/* A guest's access to port 40H + reg (0..3) at tick. pit_write returns true if counter 0 was loaded. */
uint8_t pit_read(pit_t *pit, unsigned reg, uint64_t tick);
bool pit_write(pit_t *pit, unsigned reg, uint8_t data, uint64_t tick);

/* Drives the GATE input. */
void pit_gate(pit_t *pit, unsigned counter, bool level, uint64_t tick);

/* The OUT pin at tick. */
bool pit_out(const pit_t *pit, unsigned counter, uint64_t tick);

/* The first tick after this one at which OUT may change, or PIT_NEVER. */
uint64_t pit_next(const pit_t *pit, unsigned counter, uint64_t tick);

#endif
