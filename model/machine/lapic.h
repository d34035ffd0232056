/*
 * The local APIC of the one processor: interrupt acceptance and priorities, the local vector table, the timer, the
 * interrupt command register. Its registers are at LAPIC_BASE. Time is given by the caller as ticks of the timer's
 * input clock since power-on.
 *
 * Where the manual leaves room, this follows QEMU: version 14H with six LVT entries; after RESET LINT0 passes the 8259
 * although the APIC is disabled by software; accesses narrower than 32 bits read 0 and write nothing (a wider one
 * comes as several, of which only the first finds a register). INIT, SIPI and SMI go nowhere: there is no second
 * processor and no SMM.
 *
 * Source: SDM, "Advanced Programmable Interrupt Controller (APIC)".
 */
#ifndef MMU86_LAPIC_H
#define MMU86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_BASE 0xFEE00000u
#define LAPIC_NEVER UINT64_MAX
enum { LAPIC_BYTES = 0x1000 };

/* Delivery modes, as in the LVT, in the ICR and in an I/O APIC's redirection entry. */
typedef enum {
  APIC_FIXED = 0,
  APIC_LOWEST = 1,
  APIC_SMI = 2,
  APIC_NMI = 4,
  APIC_INIT = 5,
  APIC_STARTUP = 6, /* not in the LVT */
  APIC_EXTINT = 7,
} apic_delivery_t;

typedef enum { LAPIC_TIMER, LAPIC_THERMAL, LAPIC_PERF, LAPIC_LINT0, LAPIC_LINT1, LAPIC_ERROR, LAPIC_LVTS } lapic_lvt_t;

/* A message on the APIC bus: from an I/O APIC or from the ICR. */
typedef struct {
  uint8_t vector;
  apic_delivery_t delivery;
  uint8_t destination;
  bool logical; /* destination mode */
  bool level;   /* trigger mode */
} apic_message_t;

/* Wires to the outside. */
typedef struct {
  void *ctx;
  void (*nmi)(void *ctx);
  void (*eoi)(void *ctx, uint8_t vector); /* broadcast at the end of a level-triggered interrupt */
} lapic_wires_t;

typedef struct {
  lapic_wires_t wires;
  uint32_t id, ldr, dfr, svr, esr, icr[2], lvt[LAPIC_LVTS];
  uint32_t isr[8], tmr[8], irr[8]; /* 256 bits each */
  uint32_t errors;                 /* since the last write to the ESR */
  uint8_t tpr;
  bool line[2]; /* LINT0, LINT1 as last driven */

  uint32_t initial, divide; /* timer: the registers */
  uint64_t expiry;          /* when the count reaches 0, or LAPIC_NEVER while it does not run */
} lapic_t;

/* State after RESET; LINT0 and LINT1 are low. */
void lapic_init(lapic_t *lapic, const lapic_wires_t *wires);

/* A guest's access to the register at offset (0..LAPIC_BYTES - 1), size (1, 2, 4) bytes, at time. */
uint32_t lapic_read(lapic_t *lapic, uint32_t offset, unsigned size, uint64_t time);
void lapic_write(lapic_t *lapic, uint32_t offset, unsigned size, uint32_t data, uint64_t time);

/* A message on the bus; taken if its destination names this APIC. */
void lapic_deliver(lapic_t *lapic, const apic_message_t *message);

/* Drives LINT0 (the 8259's INT) or LINT1 (NMI). */
void lapic_set_lint(lapic_t *lapic, unsigned lint, bool level);

/* Lets the timer run up to time, and tells when it next wants to be called (LAPIC_NEVER: not by itself). */
void lapic_run_timer(lapic_t *lapic, uint64_t time);
uint64_t lapic_next(const lapic_t *lapic, uint64_t time);

/* Whether the processor's INTR is to be asserted. */
bool lapic_output(const lapic_t *lapic);

/*
 * The processor acknowledges. Returns true with the vector of the interrupt that is now in service, or false if the
 * 8259 is to give it (ExtINT).
 */
bool lapic_ack(lapic_t *lapic, uint8_t *vector);

#endif
