/*
 * SIGINT and SIGTERM as a flag: a long run ends in an orderly way, with its results.
 */
#ifndef MMU86_INTERRUPT_H
#define MMU86_INTERRUPT_H

#include <stdbool.h>

/* From now on both signals set the flag; a second one ends the program. */
void interrupt_catch(void);

/* True once a signal has come. */
bool interrupt_pending(void);

#endif
