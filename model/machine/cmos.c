#include "cmos.h"

#include <stdbool.h>
#include <string.h>

enum {
  SECOND = 0x00,
  MINUTE = 0x02,
  HOUR = 0x04,
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
enum { B_24_HOURS = 0x02, B_BINARY = 0x04 };

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

uint8_t cmos_read(const cmos_t *cmos, unsigned reg, uint64_t seconds) {
  if (reg == 0) return 0xFF; /* the index is write-only */
  if (is_clock(cmos->index)) return read_clock(cmos, cmos->index, seconds);
  return cmos->ram[cmos->index];
}

void cmos_write(cmos_t *cmos, unsigned reg, uint8_t data) {
  unsigned at = cmos->index;
  if (reg == 0)
    cmos->index = data & 0x7F;
  else if (!is_clock(at) && at != STATUS_C && at != STATUS_D)
    cmos->ram[at] = at == STATUS_A ? data & 0x7F : data;
}
