#include "pit8254.h"

#include <string.h>

static unsigned mode_of(const pit_counter_t *c) {
  return c->mode > 5 ? c->mode - 4u : c->mode;
}

static uint16_t current(const pit_counter_t *c, uint64_t tick) {
  uint64_t d = tick - c->start;
  switch (mode_of(c)) {
  case 2:
    return (uint16_t)(c->count - d % c->count);
  case 3:
    return (uint16_t)(c->count - 2 * d % c->count); /* counts by two */
  default:
    return (uint16_t)(c->count - d);
  }
}

bool pit_out(const pit_t *pit, unsigned counter, uint64_t tick) {
  const pit_counter_t *c = &pit->counter[counter];
  uint64_t d = tick - c->start;
  switch (mode_of(c)) {
  case 0:
    return d >= c->count;
  case 1:
    return d < c->count;
  case 2:
    return d != 0 && d % c->count == 0;
  case 3:
    return d % c->count < (c->count + 1) / 2;
  default:
    return d == c->count;
  }
}

uint64_t pit_next(const pit_t *pit, unsigned counter, uint64_t tick) {
  const pit_counter_t *c = &pit->counter[counter];
  uint64_t d = tick - c->start, phase = d % c->count, period = d - phase, half = (c->count + 1) / 2;
  switch (mode_of(c)) {
  case 0:
  case 1:
    return d < c->count ? c->start + c->count : PIT_NEVER;
  case 2:
    return phase == 0 && d != 0 ? tick + 1 : c->start + period + c->count;
  case 3:
    return c->start + period + (phase < half ? half : c->count);
  default:
    return d < c->count ? c->start + c->count : d == c->count ? tick + 1 : PIT_NEVER;
  }
}

void pit_init(pit_t *pit, uint64_t tick) {
  memset(pit, 0, sizeof *pit);
  for (unsigned i = 0; i < 3; i++) {
    pit_counter_t *c = &pit->counter[i];
    c->mode = 3;
    c->count = 0x10000;
    c->start = tick;
    c->gate = i != 2;
  }
}

void pit_gate(pit_t *pit, unsigned counter, bool level, uint64_t tick) {
  pit_counter_t *c = &pit->counter[counter];
  unsigned mode = mode_of(c);
  if (level && !c->gate && mode != 0 && mode != 4) c->start = tick;
  c->gate = level;
}

/* A count that is still latched stays. */
static void latch_count(pit_counter_t *c, uint64_t tick) {
  if (c->latch_left) return;
  c->latch = current(c, tick);
  c->latch_left = c->rw;
}

static void read_back(pit_t *pit, uint8_t data, uint64_t tick) {
  for (unsigned i = 0; i < 3; i++) {
    pit_counter_t *c = &pit->counter[i];
    if (!(data & (2u << i))) continue;
    if (!(data & 0x20)) latch_count(c, tick);
    if (!(data & 0x10) && !c->status_latched) {
      c->status = (uint8_t)(pit_out(pit, i, tick) << 7 | c->rw << 4 | c->mode << 1 | c->bcd);
      c->status_latched = true;
    }
  }
}

static void write_control(pit_t *pit, uint8_t data, uint64_t tick) {
  if (data >> 6 == 3) {
    read_back(pit, data, tick);
    return;
  }
  pit_counter_t *c = &pit->counter[data >> 6];
  uint8_t rw = data >> 4 & 3;
  if (rw == 0) {
    latch_count(c, tick);
    return;
  }
  c->rw = c->read_at = c->write_at = rw;
  c->mode = data >> 1 & 7;
  c->bcd = data & 1;
}

bool pit_write(pit_t *pit, unsigned reg, uint8_t data, uint64_t tick) {
  if (reg == 3) {
    write_control(pit, data, tick);
    return false;
  }
  pit_counter_t *c = &pit->counter[reg];
  uint32_t count = data;
  switch (c->write_at) {
  case PIT_BOTH:
    c->low = data;
    c->write_at = PIT_BOTH_HIGH;
    return false;
  case PIT_BOTH_HIGH:
    count = (uint32_t)(c->low | data << 8);
    c->write_at = PIT_BOTH;
    break;
  case PIT_HIGH:
    count = (uint32_t)data << 8;
    break;
  default:
    break;
  }
  c->count = count ? count : 0x10000;
  c->start = tick;
  return reg == 0;
}

uint8_t pit_read(pit_t *pit, unsigned reg, uint64_t tick) {
  if (reg == 3) return 0;
  pit_counter_t *c = &pit->counter[reg];
  if (c->status_latched) {
    c->status_latched = false;
    return c->status;
  }
  if (c->latch_left) {
    bool high = c->latch_left == PIT_HIGH;
    c->latch_left = c->latch_left == PIT_BOTH ? PIT_HIGH : 0;
    return (uint8_t)(high ? c->latch >> 8 : c->latch);
  }
  bool high = c->read_at == PIT_HIGH || c->read_at == PIT_BOTH_HIGH;
  if (c->read_at == PIT_BOTH)
    c->read_at = PIT_BOTH_HIGH;
  else if (c->read_at == PIT_BOTH_HIGH)
    c->read_at = PIT_BOTH;
  uint16_t count = current(c, tick);
  return (uint8_t)(high ? count >> 8 : count);
}
