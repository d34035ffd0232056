#include "lapic.h"

#include <string.h>

enum {
  REG_ID = 0x02,
  REG_VERSION = 0x03,
  REG_TPR = 0x08,
  REG_APR = 0x09,
  REG_PPR = 0x0A,
  REG_EOI = 0x0B,
  REG_RRD = 0x0C,
  REG_LDR = 0x0D,
  REG_DFR = 0x0E,
  REG_SVR = 0x0F,
  REG_ISR = 0x10,
  REG_TMR = 0x18,
  REG_IRR = 0x20,
  REG_ESR = 0x28,
  REG_ICR = 0x30,
  REG_ICR_HIGH = 0x31,
  REG_LVT = 0x32,
  REG_INITIAL = 0x38,
  REG_CURRENT = 0x39,
  REG_DIVIDE = 0x3E,
};

enum { VERSION = 0x14 | (LAPIC_LVTS - 1) << 16 };
enum { SVR_ENABLE = 1 << 8, SVR_WRITABLE = 0x1FF };
enum { LVT_VECTOR = 0xFF, LVT_REMOTE_IRR = 1 << 14, LVT_LEVEL = 1 << 15, LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17 };
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVE_ILLEGAL = 1 << 6, ESR_ILLEGAL_REGISTER = 1 << 7 };
enum { ICR_LOGICAL = 1 << 11, ICR_WRITABLE = 0xCCFFF };
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };
enum { LEGAL_VECTORS = 16, NO_VECTOR = -1 };

/* What software can write of each LVT entry: vector, mask and what the entry has beside them. */
static const uint32_t lvt_writable[LAPIC_LVTS] = {0x300FF, 0x107FF, 0x107FF, 0x1A7FF, 0x1A7FF, 0x100FF};

/* --- 256-bit registers --- */

static bool bit_get(const uint32_t *bits, unsigned n) {
  return bits[n / 32] >> n % 32 & 1;
}

static void bit_put(uint32_t *bits, unsigned n, bool value) {
  uint32_t mask = UINT32_C(1) << n % 32;
  bits[n / 32] = value ? bits[n / 32] | mask : bits[n / 32] & ~mask;
}

/* Returns the highest vector, or NO_VECTOR. */
static int highest(const uint32_t *bits) {
  for (int word = 7; word >= 0; word--)
    for (int n = 31; bits[word] && n >= 0; n--)
      if (bits[word] >> n & 1) return word * 32 + n;
  return NO_VECTOR;
}

/* --- interrupts --- */

static bool enabled(const lapic_t *l) {
  return l->svr & SVR_ENABLE;
}

static unsigned delivery_of(uint32_t lvt) {
  return lvt >> 8 & 7;
}

static uint8_t processor_priority(const lapic_t *l) {
  int served = highest(l->isr);
  uint8_t class = served == NO_VECTOR ? 0 : served & 0xF0;
  return (l->tpr & 0xF0) >= class ? l->tpr : class;
}

/* The vector that the processor may be interrupted with now, or NO_VECTOR. */
static int pending(const lapic_t *l) {
  if (!enabled(l)) return NO_VECTOR;
  int vector = highest(l->irr);
  return vector != NO_VECTOR && (vector & 0xF0) > (processor_priority(l) & 0xF0) ? vector : NO_VECTOR;
}

static void accept(lapic_t *l, uint8_t vector, bool level);

/* Notes an error; the interrupt comes for each kind once between two writes to the ESR. */
static void note_error(lapic_t *l, uint32_t error) {
  if (l->errors & error) return;
  l->errors |= error;
  uint32_t lvt = l->lvt[LAPIC_ERROR];
  if (!(lvt & LVT_MASKED) && (lvt & LVT_VECTOR) >= LEGAL_VECTORS) accept(l, (uint8_t)lvt, false);
}

static void accept(lapic_t *l, uint8_t vector, bool level) {
  if (vector < LEGAL_VECTORS) {
    note_error(l, ESR_RECEIVE_ILLEGAL);
    return;
  }
  bit_put(l->irr, vector, true);
  bit_put(l->tmr, vector, level);
}

static bool addressed(const lapic_t *l, const apic_message_t *message) {
  uint8_t destination = message->destination, id = (uint8_t)(l->id >> 24), logical = (uint8_t)(l->ldr >> 24);
  if (destination == 0xFF) return true;
  if (!message->logical) return destination == id;
  if (l->dfr >> 28 == 0xF) return destination & logical; /* flat */
  return destination >> 4 == logical >> 4 && (destination & logical & 0xF);
}

/* A message whose destination is this APIC. */
static void take(lapic_t *l, apic_delivery_t delivery, uint8_t vector, bool level) {
  if (delivery == APIC_NMI)
    l->wires.nmi(l->wires.ctx);
  else if ((delivery == APIC_FIXED || delivery == APIC_LOWEST) && enabled(l))
    accept(l, vector, level);
}

void lapic_deliver(lapic_t *l, const apic_message_t *message) {
  if (addressed(l, message)) take(l, message->delivery, message->vector, message->level);
}

/* The entry's source raises its interrupt. */
static void raise_local(lapic_t *l, unsigned entry) {
  uint32_t lvt = l->lvt[entry];
  if (lvt & LVT_MASKED) return;
  bool level = entry == LAPIC_LINT0 && (lvt & LVT_LEVEL); /* LINT1 is always an edge */
  if (level && delivery_of(lvt) == APIC_FIXED) {
    if (lvt & LVT_REMOTE_IRR) return;
    l->lvt[entry] |= LVT_REMOTE_IRR;
  }
  take(l, (apic_delivery_t)delivery_of(lvt), (uint8_t)lvt, level);
}

void lapic_set_lint(lapic_t *l, unsigned lint, bool level) {
  bool rises = level && !l->line[lint];
  l->line[lint] = level;
  unsigned entry = LAPIC_LINT0 + lint;
  if (rises && delivery_of(l->lvt[entry]) != APIC_EXTINT) raise_local(l, entry);
}

static void end_of_interrupt(lapic_t *l) {
  int vector = highest(l->isr);
  if (vector == NO_VECTOR) return;
  bit_put(l->isr, (unsigned)vector, false);
  if (!bit_get(l->tmr, (unsigned)vector)) return;
  uint32_t *lint0 = &l->lvt[LAPIC_LINT0];
  if ((*lint0 & LVT_REMOTE_IRR) && (*lint0 & LVT_VECTOR) == (uint32_t)vector) {
    *lint0 &= ~(uint32_t)LVT_REMOTE_IRR;
    if (l->line[0]) raise_local(l, LAPIC_LINT0);
  }
  l->wires.eoi(l->wires.ctx, (uint8_t)vector);
}

/* Whether LINT0 passes the 8259's request on: virtual wire mode. */
static bool extint(const lapic_t *l) {
  uint32_t lvt = l->lvt[LAPIC_LINT0];
  return l->line[0] && !(lvt & LVT_MASKED) && delivery_of(lvt) == APIC_EXTINT;
}

bool lapic_output(const lapic_t *l) {
  return pending(l) != NO_VECTOR || extint(l);
}

bool lapic_ack(lapic_t *l, uint8_t *vector) {
  int found = pending(l);
  if (found != NO_VECTOR) {
    bit_put(l->irr, (unsigned)found, false);
    bit_put(l->isr, (unsigned)found, true);
    *vector = (uint8_t)found;
    return true;
  }
  *vector = (uint8_t)l->svr; /* spurious: the request has gone meanwhile */
  return !extint(l);
}

static void send_command(lapic_t *l) {
  uint32_t icr = l->icr[0];
  apic_message_t message = {.vector = (uint8_t)icr,
                            .delivery = (apic_delivery_t)delivery_of(icr),
                            .destination = (uint8_t)(l->icr[1] >> 24),
                            .logical = icr & ICR_LOGICAL};
  bool fixed = message.delivery == APIC_FIXED || message.delivery == APIC_LOWEST;
  if (fixed && message.vector < LEGAL_VECTORS) {
    note_error(l, ESR_SEND_ILLEGAL);
    return;
  }
  switch (icr >> 18 & 3) {
  case TO_DESTINATION:
    lapic_deliver(l, &message);
    break;
  case TO_SELF:
    if (message.delivery == APIC_FIXED) take(l, APIC_FIXED, message.vector, false);
    break;
  case TO_ALL:
    take(l, message.delivery, message.vector, false);
    break;
  case TO_OTHERS:
    break;
  }
}

/* --- the timer --- */

static uint32_t divisor(const lapic_t *l) {
  unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);
  return code == 7 ? 1 : 2u << code;
}

static uint32_t current_count(const lapic_t *l, uint64_t time) {
  if (l->expiry == LAPIC_NEVER) return 0;
  uint64_t left = l->expiry > time ? l->expiry - time : 0;
  return (uint32_t)((left + divisor(l) - 1) / divisor(l));
}

/* Lets the timer go on from count. */
static void start_timer(lapic_t *l, uint32_t count, uint64_t time) {
  l->expiry = count ? time + (uint64_t)count * divisor(l) : LAPIC_NEVER;
}

void lapic_run_timer(lapic_t *l, uint64_t time) {
  if (time < l->expiry) return;
  uint64_t period = (uint64_t)l->initial * divisor(l);
  raise_local(l, LAPIC_TIMER);
  if ((l->lvt[LAPIC_TIMER] & LVT_PERIODIC) && period)
    l->expiry += ((time - l->expiry) / period + 1) * period;
  else
    l->expiry = LAPIC_NEVER;
}

uint64_t lapic_next(const lapic_t *l, uint64_t time) {
  if (l->expiry == LAPIC_NEVER || (l->lvt[LAPIC_TIMER] & LVT_MASKED)) return LAPIC_NEVER;
  return l->expiry > time ? l->expiry : time;
}

/* --- registers --- */

static void write_svr(lapic_t *l, uint32_t data) {
  l->svr = data & SVR_WRITABLE;
  if (enabled(l)) return;
  for (unsigned i = 0; i < LAPIC_LVTS; i++)
    l->lvt[i] |= LVT_MASKED;
}

/* A masked entry that becomes ready while its line is high: a level is seen then, an edge is over. */
static void write_lvt(lapic_t *l, unsigned entry, uint32_t data) {
  l->lvt[entry] = (data & lvt_writable[entry]) | (l->lvt[entry] & LVT_REMOTE_IRR);
  if (!enabled(l)) l->lvt[entry] |= LVT_MASKED;
  if (entry != LAPIC_LINT0) return;
  if (!(data & LVT_LEVEL) || delivery_of(data) != APIC_FIXED) l->lvt[entry] &= ~(uint32_t)LVT_REMOTE_IRR;
  if ((data & LVT_LEVEL) && delivery_of(data) == APIC_FIXED && l->line[0]) raise_local(l, entry);
}

static uint32_t read_register(lapic_t *l, unsigned reg, uint64_t time) {
  if (reg >= REG_ISR && reg < REG_ISR + 8) return l->isr[reg - REG_ISR];
  if (reg >= REG_TMR && reg < REG_TMR + 8) return l->tmr[reg - REG_TMR];
  if (reg >= REG_IRR && reg < REG_IRR + 8) return l->irr[reg - REG_IRR];
  if (reg >= REG_LVT && reg < REG_LVT + LAPIC_LVTS) return l->lvt[reg - REG_LVT];
  switch (reg) {
  case REG_ID:
    return l->id;
  case REG_VERSION:
    return VERSION;
  case REG_TPR:
    return l->tpr;
  case REG_PPR:
    return processor_priority(l);
  case REG_LDR:
    return l->ldr;
  case REG_DFR:
    return l->dfr;
  case REG_SVR:
    return l->svr;
  case REG_ESR:
    return l->esr;
  case REG_ICR:
  case REG_ICR_HIGH:
    return l->icr[reg - REG_ICR];
  case REG_INITIAL:
    return l->initial;
  case REG_CURRENT:
    return current_count(l, time);
  case REG_DIVIDE:
    return l->divide;
  case REG_APR: /* arbitration and remote reads: there is nobody else */
  case REG_RRD:
  case REG_EOI:
    return 0;
  default:
    note_error(l, ESR_ILLEGAL_REGISTER);
    return 0;
  }
}

static void write_register(lapic_t *l, unsigned reg, uint32_t data, uint64_t time) {
  uint32_t count;
  if (reg >= REG_LVT && reg < REG_LVT + LAPIC_LVTS) {
    write_lvt(l, reg - REG_LVT, data);
    return;
  }
  switch (reg) {
  case REG_ID:
    l->id = data & 0xFF000000;
    break;
  case REG_TPR:
    l->tpr = (uint8_t)data;
    break;
  case REG_EOI:
    end_of_interrupt(l);
    break;
  case REG_LDR:
    l->ldr = data & 0xFF000000;
    break;
  case REG_DFR:
    l->dfr = data | 0x0FFFFFFF;
    break;
  case REG_SVR:
    write_svr(l, data);
    break;
  case REG_ESR:
    l->esr = l->errors;
    l->errors = 0;
    break;
  case REG_ICR:
    l->icr[0] = data & ICR_WRITABLE;
    send_command(l);
    break;
  case REG_ICR_HIGH:
    l->icr[1] = data & 0xFF000000;
    break;
  case REG_INITIAL:
    l->initial = data;
    start_timer(l, data, time);
    break;
  case REG_DIVIDE:
    count = current_count(l, time);
    l->divide = data & 0xB;
    if (l->expiry != LAPIC_NEVER) start_timer(l, count, time);
    break;
  case REG_VERSION: /* read-only */
  case REG_APR:
  case REG_PPR:
  case REG_RRD:
  case REG_CURRENT:
    break;
  default:
    if (reg < REG_ISR || reg >= REG_IRR + 8) note_error(l, ESR_ILLEGAL_REGISTER);
    break;
  }
}

uint32_t lapic_read(lapic_t *l, uint32_t offset, unsigned size, uint64_t time) {
  lapic_run_timer(l, time);
  if (size < 4 || offset % 16 != 0) return 0;
  return read_register(l, offset / 16, time);
}

void lapic_write(lapic_t *l, uint32_t offset, unsigned size, uint32_t data, uint64_t time) {
  lapic_run_timer(l, time);
  if (size < 4 || offset % 16 != 0) return;
  write_register(l, offset / 16, data, time);
}

void lapic_init(lapic_t *l, const lapic_wires_t *wires) {
  memset(l, 0, sizeof *l);
  l->wires = *wires;
  l->dfr = UINT32_MAX;
  l->svr = 0xFF;
  l->expiry = LAPIC_NEVER;
  for (unsigned i = 0; i < LAPIC_LVTS; i++)
    l->lvt[i] = LVT_MASKED;
  l->lvt[LAPIC_LINT0] = APIC_EXTINT << 8;
}
