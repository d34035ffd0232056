/*
 * The RTL with a bug at its data port that only clock cycles show (dut.h: clock): from some clock cycle on, the first
 * answer to an access with paging on goes wrong, and each one after it.
 */
#ifndef MMU86_WRONG_RTL_H
#define MMU86_WRONG_RTL_H

#include "dut.h"

typedef enum {
  WRONG_NOTHING,
  WRONG_ADDRESS,   /* another physical address */
  WRONG_SILENT,    /* no answer, and none ever after */
  WRONG_WITHDRAWN, /* the response goes before it is taken */
  WRONG_UNSTEADY,  /* another physical address, but never twice: a device that does not follow from its inputs */
} wrong_t;

/*
 * The device over the right one: waveforms and snapshots are its. There is one at a time. Its --dut-args may name the
 * bug: +wrong=N (wrong_t) and +from=CYCLE.
 */
const dut_ops_t *wrong_rtl(const dut_ops_t *right);

#endif
