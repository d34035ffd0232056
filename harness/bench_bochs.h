/*
 * The loop of sw/bench/loop.S on Bochs, where it is installed: a yardstick that we did not write.
 */
#ifndef MMU86_BENCH_BOCHS_H
#define MMU86_BENCH_BOCHS_H

#include <stdbool.h>

/* True if Bochs and script(1), which gives it the terminal it wants, can be run. */
bool bench_bochs_there(void);

/*
 * Runs the ROM on Bochs, once as it is and once with no rounds, whose time is taken off.
 * mips: million instructions of the loop a second.
 * Returns false and one line in error if that fails.
 */
bool bench_bochs(const char *rom, double *mips, char *error, unsigned error_bytes);

#endif
