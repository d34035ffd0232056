/*
 * A local APIC on the bench: its registers' offsets, wires that note what comes out, and states to begin with.
 */
#ifndef MMU86_TEST_LAPIC_RIG_H
#define MMU86_TEST_LAPIC_RIG_H

#include <check.h>
#include <stdlib.h>

#include "lapic.h"

enum {
  ID = 0x20,
  VERSION = 0x30,
  TPR = 0x80,
  PPR = 0xA0,
  EOI = 0xB0,
  LDR = 0xD0,
  DFR = 0xE0,
  SVR = 0xF0,
  ISR = 0x100,
  TMR = 0x180,
  IRR = 0x200,
  ESR = 0x280,
  ICR = 0x300,
  ICR_HIGH = 0x310,
  LVT = 0x320,
  TIMER = LVT,
  LINT0 = 0x350,
  LINT1 = 0x360,
  ERROR = 0x370,
  INITIAL = 0x380,
  CURRENT = 0x390,
  DIVIDE = 0x3E0,
  BY_1 = 0xB,
  BY_2 = 0x0,
  BY_128 = 0xA,
  MASKED = 0x10000,
  PERIODIC = 0x20000,
  LEVEL = 0x8000,
};

/* What came out of the wires. */
typedef struct {
  unsigned nmis, eois;
  uint8_t eoi;
} seen_t;

static inline void nmi(void *ctx) {
  seen_t *seen = ctx;
  seen->nmis++;
}

static inline void eoi(void *ctx, uint8_t vector) {
  seen_t *seen = ctx;
  seen->eois++;
  seen->eoi = vector;
}

static inline uint32_t get(lapic_t *l, uint32_t offset) {
  return lapic_read(l, offset, 4, 0);
}

static inline void set(lapic_t *l, uint32_t offset, uint32_t data) {
  lapic_write(l, offset, 4, data, 0);
}

static inline lapic_t after_reset(seen_t *seen) {
  const lapic_wires_t wires = {seen, nmi, eoi};
  lapic_t l;
  *seen = (seen_t){0};
  lapic_init(&l, &wires);
  return l;
}

/* Enabled by software, LINT0 masked. */
static inline lapic_t ready(seen_t *seen) {
  lapic_t l = after_reset(seen);
  set(&l, SVR, 0x1EF);
  set(&l, LINT0, MASKED);
  return l;
}

static inline void fixed(lapic_t *l, uint8_t vector, bool level) {
  const apic_message_t message = {.vector = vector, .delivery = APIC_FIXED, .level = level};
  lapic_deliver(l, &message);
}

static inline uint8_t ack(lapic_t *l) {
  uint8_t vector = 0;
  ck_assert(lapic_output(l));
  ck_assert(lapic_ack(l, &vector));
  return vector;
}

#endif
