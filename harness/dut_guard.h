/*
 * Between the harness and code that nobody here wrote: a device that crashes, does not return or answers what no
 * response can hold has broken its protocol, and is not called any more. The run ends with its report and its outputs.
 *
 * What it does at its memory in a blocking transaction is held against what it says of that (dut_port.h).
 *
 * A crash is a signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) while the device runs, or exit; what memory it has
 * spoiled before that nobody knows. It has DUT_GUARD_SECONDS of processor time for one call, or what dut_guard_patience
 * says.
 */
#ifndef MMU86_DUT_GUARD_H
#define MMU86_DUT_GUARD_H

#include "dut.h"

enum { DUT_GUARD_SECONDS = 10 };

/* The table of a device whose functions are there and whose config says this, behind the guard. One in a process. */
const dut_ops_t *dut_guard(const dut_ops_t *ops, mmu_config_t config);

/* Has the device's code do something. what: for the complaint. Returns false if it did not come back, now or before. */
bool dut_guard_call(const char *what, void (*call)(void *), void *ctx);

/* How many seconds of processor time a call has from now on; at least 1. */
void dut_guard_patience(int seconds);

/* Whether there has been such a call, or an answer that cannot be. */
bool dut_guard_lost(void);

/* One line about what it did, after a call that returned false. */
const char *dut_guard_complaint(void);

#endif
