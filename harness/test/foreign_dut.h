/* What foreign_dut.c does wrong: of its arguments, and of the way that it was compiled (KIND). */
#ifndef MMU86_FOREIGN_DUT_H
#define MMU86_FOREIGN_DUT_H

#include "dut.h"

typedef enum {
  RIGHT,
  SEGFAULTS,
  ABORTS,
  EXHAUSTS_STACK,
  HANGS,
  CRASHES_IN_OPEN,
  CRASHES_IN_CLOSE,
  WRONG_ADDRESS,
  MANY_REFERENCES,
  MANY_EVENTS,
  WILD_VECTOR,
  WILD_PAGE_SIZE,
  WILD_BOOL,
  WILD_EVENT,
  WILD_REFERENCE,
  FAILS_IN_COVERAGE, /* and says why */
  FORGETS_COVERAGE,  /* and says that it is written */
  CRASHES_IN_COVERAGE,
  EXITS,
  SLEEPS,
  WILD_STATUS,
  READS_IN_SECRET,
  READS_OVER_A_PAGE,
  WRITES_IN_SECRET,
  INVENTS_A_READ,
  INVENTS_A_LOSS, /* of an update that it has made */
} foreign_sin_t;

typedef enum { SOUND, OTHER_VERSION, HALF_A_TABLE, NO_TABLE, ODD_TLB, BOMB, UNCOUNTED, NO_TLB } foreign_kind_t;

#endif
