/*
 * The records that the silicon oracle exchanges: cases in, results out, one result for each case, in order.
 *
 * cpu_native.c runs them in a 32-bit process on the host's processor, cpu_oracle_test.c on the emulator. Both map the
 * same pages: code at ORACLE_CODE, filled with INT3 around the instruction, and data at ORACLE_DATA.
 */
#ifndef MMU86_ORACLE_H
#define MMU86_ORACLE_H

#include <stdint.h>
#include <string.h>

enum {
  ORACLE_CODE = 0x20000,
  ORACLE_DATA = 0x40000,
  ORACLE_PAGE = 4096,
  ORACLE_START = ORACLE_CODE + 0x800,   /* of the instruction: branches in either direction find INT3 */
  ORACLE_LOW = 512,                     /* bytes of the data page that are compared: its first ... */
  ORACLE_HIGH = 128,                    /* ... and its last ones */
  ORACLE_FLAGS = 0xCD5,                 /* CF PF AF ZF SF DF OF */
  ORACLE_OPERAND = ORACLE_DATA + 0x180, /* x87: the memory operand, 16 bytes */
  ORACLE_FPU_IN = ORACLE_DATA + 0x800,  /* x87: what FRSTOR loads before the instruction ... */
  ORACLE_FPU_OUT = ORACLE_DATA + 0x900, /* ... and where FNSAVE stores behind it */
  ORACLE_FPU = 108,
  ORACLE_FXSAVE = ORACLE_DATA + 0xA00, /* x87: an area for FXSAVE */
};

/* FS, and ES with es_segmented: a segment with the data page at its offset 0, for 16-bit addresses. */
enum { ORACLE_SEGMENT_BASE = ORACLE_DATA, ORACLE_SEGMENT_LIMIT = ORACLE_PAGE - 1 };

/* The image that FRSTOR and FNSAVE use with a 32-bit operand size. */
typedef struct {
  uint32_t control, status, tags, ip, cs_opcode, dp, ds;
  uint8_t st[8][10];
} oracle_fpu_t;

typedef struct {
  uint32_t gpr[8]; /* as x86 numbers them */
  uint32_t eflags; /* within ORACLE_FLAGS */
  uint32_t seed;   /* of the data page's content */
  uint32_t top;    /* stored at ESP */
  uint8_t code[44];
  uint8_t length;
  uint8_t prefix_66, prefix_67;
  uint8_t es_segmented;
  uint16_t undefined; /* flags that are not compared */
  /* x87 cases, else x87 = 0: */
  uint8_t x87;
  uint8_t ulps; /* how far results may be apart */
  uint16_t undefined_status;
  uint16_t undefined_stopped_flags;
  uint16_t undefined_stopped; /* the same, if an unmasked exception came up */
  uint8_t operand[16];
  oracle_fpu_t fpu;
} oracle_case_t;

typedef struct {
  uint32_t gpr[8];
  uint32_t eip, eflags;
  uint32_t vector; /* 3 for the INT3 behind the instruction, else a fault's */
  uint32_t error_code, cr2;
  uint8_t low[ORACLE_LOW], high[ORACLE_HIGH];
  oracle_fpu_t fpu;
} oracle_result_t;

/* Fills the data page from a seed. */
static inline void oracle_fill(uint8_t *page, uint32_t seed) {
  for (unsigned i = 0; i < ORACLE_PAGE; i++) {
    seed = seed * 1664525u + 1013904223u;
    page[i] = (uint8_t)(seed >> 24);
  }
}

/* Makes the data page of a case. */
static inline void oracle_data(const oracle_case_t *c, uint8_t *page) {
  oracle_fill(page, c->seed);
  memcpy(page + (c->gpr[4] - ORACLE_DATA), &c->top, sizeof c->top);
  if (!c->x87) return;
  memcpy(page + (ORACLE_OPERAND - ORACLE_DATA), c->operand, sizeof c->operand);
  memcpy(page + (ORACLE_FPU_IN - ORACLE_DATA), &c->fpu, sizeof c->fpu);
}

#endif
