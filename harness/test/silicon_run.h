/*
 * Two ways of running a case of the silicon oracle on a side: its steps as transactions, one by one, and its machine
 * code in the emulator. Both fill a result as the native program does.
 */
#ifndef MMU86_SILICON_RUN_H
#define MMU86_SILICON_RUN_H

#include "cpu.h"
#include "silicon_side.h"

/* Which parts of a result count. */
enum {
  SILICON_EVENT = 1u << 0, /* vector, error code, CR2, EIP */
  SILICON_SEGMENTS = 1u << 1,
  SILICON_MEMORY = 1u << 2,
  SILICON_EAX = 1u << 3,
  SILICON_EDX = 1u << 4,
  SILICON_GPR = 1u << 5,
  SILICON_FLAGS = 1u << 6, /* arithmetic flags */
  SILICON_ZF = 1u << 7,
  SILICON_ST0 = 1u << 8,
  SILICON_RAW = 1u << 9,
};

/* What st0 counts for, in bytes: 8 of MM0, 10 of ST0. */
typedef struct {
  unsigned parts; /* SILICON_EVENT | ...; 0: the case was not run */
  unsigned st0_bytes;
} silicon_ran_t;

/*
 * Where processors differ and the manual leaves it open: what a host may do otherwise than section 3 of DESIGN.md has
 * it. DESIGN.md lists them.
 */
typedef enum {
  SILICON_STRICT = 0,
  SILICON_IN_PIECES, /* ten bytes are 8 and 2, a far pointer its two parts; the offset of the second wraps by itself */
  SILICON_PUSHES_FIRST, /* CALL stores as it pushes, and sees only then that the new EIP is beyond the limit */
  SILICON_PAGE_FIRST,   /* a page fault comes before #AC */
  SILICON_PIECES_AND_PAGE_FIRST,
  SILICON_LIMIT_WRAPS,      /* mmu_config_t.limit_wraps */
  SILICON_STORES_IN_PIECES, /* as in pieces, and the first one is stored before the second is looked at */
  SILICON_CHOICES,
} silicon_choice_t;

const char *silicon_choice_name(unsigned choice);

/*
 * Runs the steps as transactions. result: what counts is filled.
 * Returns parts = 0 if model and RTL differ (side->ls says how).
 */
silicon_ran_t silicon_run_steps(silicon_side_t *side, const silicon_case_t *c, silicon_choice_t choice,
                                silicon_result_t *result);

/* An emulator over a side. */
typedef struct {
  silicon_side_t *side;
  cpu_t *cpu;
  bool differs; /* model and RTL do */
} silicon_emulator_t;

/* Returns false without memory. */
bool silicon_emulator_open(silicon_emulator_t *emulator, silicon_side_t *side);
void silicon_emulator_close(silicon_emulator_t *emulator);

/* Runs the machine code. Returns parts = 0 if the emulator has not the instruction (why: one line), or stopped. */
silicon_ran_t silicon_run_code(silicon_emulator_t *emulator, const silicon_case_t *c, silicon_result_t *result,
                               const char **why);

#endif
