/*
 * A clocked DUT for the shrinker's tests: the reference behind memory that is slow as a bench's is, one request at a
 * time.
 *
 * A fetch that is killed in the very cycle in which it would have been done, with all of its delays as long as they can
 * be, makes the next data access forget to look into memory.
 */
#ifndef MMU86_SLOW_DUT_H
#define MMU86_SLOW_DUT_H

#include "dut.h"

/* Clock cycles of a request, beside two delays of 0..mem_latency cycles if it is an access. */
enum { SLOW_DUT_CYCLES = 4 };

dut_ops_t slow_dut(void);

#endif
