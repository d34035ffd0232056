/*
 * The records that the silicon oracle exchanges: cases in, results out, one result for each case, in order.
 *
 * cpu_native.c runs them in a 32-bit process on the host's processor, cpu_oracle_test.c on the emulator. Both map the
 * same pages: code at ORACLE_CODE, filled with INT3 around the instruction, and data at ORACLE_DATA.
 */
#ifndef MMU86_ORACLE_H
#define MMU86_ORACLE_H

#include <stdint.h>

enum {
  ORACLE_CODE = 0x20000,
  ORACLE_DATA = 0x40000,
  ORACLE_PAGE = 4096,
  ORACLE_START = ORACLE_CODE + 0x800, /* of the instruction: branches in either direction find INT3 */
  ORACLE_LOW = 512,                   /* bytes of the data page that are compared: its first ... */
  ORACLE_HIGH = 128,                  /* ... and its last ones */
  ORACLE_FLAGS = 0xCD5,               /* CF PF AF ZF SF DF OF */
};

typedef struct {
  uint32_t gpr[8]; /* as x86 numbers them */
  uint32_t eflags; /* within ORACLE_FLAGS */
  uint32_t seed;   /* of the data page's content */
  uint32_t top;    /* stored at ESP */
  uint8_t code[16];
  uint8_t length;
  uint8_t prefix_66;
  uint16_t undefined; /* flags that are not compared */
} oracle_case_t;

typedef struct {
  uint32_t gpr[8];
  uint32_t eip, eflags;
  uint32_t vector; /* 3 for the INT3 behind the instruction, else a fault's */
  uint32_t error_code, cr2;
  uint8_t low[ORACLE_LOW], high[ORACLE_HIGH];
} oracle_result_t;

/* Fills the data page from a seed. */
static inline void oracle_fill(uint8_t *page, uint32_t seed) {
  for (unsigned i = 0; i < ORACLE_PAGE; i++) {
    seed = seed * 1664525u + 1013904223u;
    page[i] = (uint8_t)(seed >> 24);
  }
}

#endif
