/*
 * Directed stimulus: the coordinates of a coverage bin, turned back into requests that reach it from any state.
 * Coverage closes by feedback: what random requests have not hit is steered at.
 */
#ifndef MMU86_STIMULUS_STEER_H
#define MMU86_STIMULUS_STEER_H

#include "coverage.h"
#include "stimulus.h"

/*
 * Makes the requests for one bin of the program's coverage model, which ls.coverage of the stimulus's rig samples.
 * Tables of its own stand in memory that the random stimulus does not use; registers stay as it leaves them.
 * Returns false once the two sides differ. A bin of a group without a recipe is left alone.
 */
bool stimulus_steer_bin(stimulus_t *stimulus, unsigned bin);

/*
 * Steers at up to `holes` holes, from bin *next on and around, then puts the random stimulus back on its feet. *next
 * moves on. Returns false once the two sides differ.
 */
bool stimulus_steer(stimulus_t *stimulus, unsigned *next, unsigned holes);

/* Has the group of that name a recipe? */
bool stimulus_steer_knows(const char *group);

#endif
