#include "cmos.h"

#include <string.h>

enum {
  SECOND = 0x00,
  SECOND_ALARM = 0x01,
  MINUTE = 0x02,
  MINUTE_ALARM = 0x03,
  HOUR = 0x04,
  HOUR_ALARM = 0x05,
  WEEKDAY = 0x06,
  DAY = 0x07,
  MONTH = 0x08,
  YEAR = 0x09,
  STATUS_A = 0x0A,
  STATUS_B = 0x0B,
  STATUS_C = 0x0C,
  STATUS_D = 0x0D,
  CENTURY = 0x32
};
enum { A_UPDATING = 0x80, A_RATE = 0x0F };
enum { B_24_HOURS = 0x02, B_BINARY = 0x04, B_HALTED = 0x80 };
enum { UPDATED = 0x10, ALARM = 0x20, PERIODIC = 0x40, ALL_EVENTS = 0x70 }; /* in B enabled, in C pending */
enum { C_IRQ = 0x80 };
enum { ANY = 0xC0 };       /* an alarm register from here on matches everything */
enum { UPDATE_TICKS = 8 }; /* for so long before a second's end the clock says that it is being updated */

static void set16(cmos_t *cmos, unsigned reg, uint64_t value) {
  if (value > 0xFFFF) value = 0xFFFF;
  cmos->ram[reg] = (uint8_t)value;
  cmos->ram[reg + 1] = (uint8_t)(value >> 8);
}

void cmos_init(cmos_t *cmos, uint64_t ram_bytes) {
  const uint64_t MiB = 1 << 20;
  uint64_t above_1m = ram_bytes > MiB ? ram_bytes - MiB : 0;
  uint64_t above_16m = ram_bytes > 16 * MiB ? ram_bytes - 16 * MiB : 0;
  memset(cmos, 0, sizeof *cmos);
  cmos->ram[STATUS_A] = 0x26;
  cmos->ram[STATUS_B] = B_24_HOURS;
  cmos->ram[STATUS_D] = 0x80;        /* the battery is good */
  cmos->ram[0x14] = 0x06;            /* equipment: FPU, mouse */
  set16(cmos, 0x15, 640);            /* KiB of base memory */
  set16(cmos, 0x17, above_1m >> 10); /* KiB above 1 MiB */
  set16(cmos, 0x30, above_1m >> 10);
  set16(cmos, 0x34, above_16m >> 16); /* 64 KiB units above 16 MiB */
  cmos->ram[0x38] = 0x30;             /* boot from the disk, then floppy, then CD-ROM; as QEMU says it */
  cmos->ram[0x3D] = 0x12;
}

void cmos_reset(cmos_t *cmos, uint64_t tick) {
  cmos->ram[STATUS_B] &= (uint8_t)~ALL_EVENTS;
  cmos->ram[STATUS_C] = 0;
  cmos->seen = tick;
}

static uint8_t days_in(unsigned month, unsigned year) {
  static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return (uint8_t)(days[month] + (month == 1 && leap));
}

/* Returns the register's value in binary; hours in 24-hour form. */
static unsigned clock_value(unsigned reg, uint64_t seconds) {
  uint64_t days = seconds / 86400;
  unsigned year = 2024, month = 0;
  switch (reg) {
  case SECOND:
    return seconds % 60;
  case MINUTE:
    return seconds / 60 % 60;
  case HOUR:
    return seconds / 3600 % 24;
  case WEEKDAY:
    return (days + 1) % 7 + 1; /* 1 is Sunday; the first day was a Monday */
  default:
    break;
  }
  days %= 146097 * 10; /* Gregorian cycles of 400 years: bounds the loop */
  while (days >= days_in(month, year)) {
    days -= days_in(month, year);
    if (++month == 12) {
      month = 0;
      year++;
    }
  }
  switch (reg) {
  case DAY:
    return (unsigned)days + 1;
  case MONTH:
    return month + 1;
  case YEAR:
    return year % 100;
  default:
    return year / 100 % 100;
  }
}

static bool is_clock(unsigned reg) {
  return reg == SECOND || reg == MINUTE || reg == HOUR || (reg >= WEEKDAY && reg <= YEAR) || reg == CENTURY;
}

static uint8_t read_clock(const cmos_t *cmos, unsigned reg, uint64_t seconds) {
  unsigned value = clock_value(reg, seconds);
  bool afternoon = false;
  if (reg == HOUR && !(cmos->ram[STATUS_B] & B_24_HOURS)) {
    afternoon = value >= 12;
    value = value % 12 ? value % 12 : 12;
  }
  if (!(cmos->ram[STATUS_B] & B_BINARY)) value = value / 10 << 4 | value % 10;
  return (uint8_t)(value | (afternoon ? 0x80 : 0));
}

/* Ticks from one periodic event to the next, or 0 for none. */
static uint64_t period(const cmos_t *cmos) {
  unsigned rate = cmos->ram[STATUS_A] & A_RATE;
  if (rate == 0) return 0;
  return UINT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1);
}

static bool alarm_matches(const cmos_t *cmos, uint64_t seconds) {
  static const uint8_t registers[3][2] = {{SECOND_ALARM, SECOND}, {MINUTE_ALARM, MINUTE}, {HOUR_ALARM, HOUR}};
  for (unsigned i = 0; i < 3; i++) {
    uint8_t alarm = cmos->ram[registers[i][0]];
    if (alarm < ANY && alarm != read_clock(cmos, registers[i][1], seconds)) return false;
  }
  return true;
}

/* Whether the alarm time lies in the seconds after from, up to the one that is to. */
static bool alarm_passed(const cmos_t *cmos, uint64_t from, uint64_t to) {
  if (to - from > 86400) from = to - 86400;
  for (uint64_t second = from + 1; second <= to; second++)
    if (alarm_matches(cmos, second)) return true;
  return false;
}

/* Sets the flags of what happened up to tick. */
static void update(cmos_t *cmos, uint64_t tick) {
  uint64_t step = period(cmos), from = cmos->seen;
  uint8_t flags = cmos->ram[STATUS_C];
  cmos->seen = tick;
  if (step && tick / step != from / step) flags |= PERIODIC;
  if (tick / CMOS_HZ != from / CMOS_HZ && !(cmos->ram[STATUS_B] & B_HALTED)) {
    flags |= UPDATED;
    if (!(flags & ALARM) && alarm_passed(cmos, from / CMOS_HZ, tick / CMOS_HZ)) flags |= ALARM;
  }
  bool irq = flags & cmos->ram[STATUS_B] & ALL_EVENTS;
  cmos->ram[STATUS_C] = (uint8_t)((flags & ~C_IRQ) | (irq ? C_IRQ : 0));
}

bool cmos_irq(cmos_t *cmos, uint64_t tick) {
  update(cmos, tick);
  return cmos->ram[STATUS_C] & C_IRQ;
}

uint64_t cmos_next(const cmos_t *cmos) {
  uint8_t enabled = cmos->ram[STATUS_B];
  uint64_t step = enabled & PERIODIC ? period(cmos) : 0;
  if (cmos->ram[STATUS_C] & C_IRQ) return CMOS_NEVER; /* it must be read first */
  if (!step && (enabled & (UPDATED | ALARM)) && !(enabled & B_HALTED)) step = CMOS_HZ;
  return step ? (cmos->seen / step + 1) * step : CMOS_NEVER;
}

static uint8_t read_c(cmos_t *cmos, uint64_t tick) {
  update(cmos, tick);
  uint8_t data = cmos->ram[STATUS_C];
  cmos->ram[STATUS_C] = 0;
  return data;
}

uint8_t cmos_read(cmos_t *cmos, unsigned reg, uint64_t tick) {
  if (reg == 0) return 0xFF; /* the index is write-only */
  if (is_clock(cmos->index)) return read_clock(cmos, cmos->index, tick / CMOS_HZ);
  if (cmos->index == STATUS_C) return read_c(cmos, tick);
  bool updating =
      cmos->index == STATUS_A && !(cmos->ram[STATUS_B] & B_HALTED) && tick % CMOS_HZ >= CMOS_HZ - UPDATE_TICKS;
  return cmos->ram[cmos->index] | (updating ? A_UPDATING : 0);
}

void cmos_write(cmos_t *cmos, unsigned reg, uint8_t data, uint64_t tick) {
  unsigned at = cmos->index;
  if (reg == 0) {
    cmos->index = data & 0x7F;
  } else if (!is_clock(at) && at != STATUS_C && at != STATUS_D) {
    update(cmos, tick);
    cmos->ram[at] = at == STATUS_A ? data & 0x7F : data;
    update(cmos, tick);
  }
}
