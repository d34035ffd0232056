/*
 * The VGA's text screen as text.
 */
#ifndef MMU86_SCREEN_H
#define MMU86_SCREEN_H

#include <stdio.h>

#include "machine.h"

/* Writes the 25 rows, without the spaces at their ends; what is not ASCII becomes '.'. Returns false if out fails. */
bool screen_write(machine_t *machine, FILE *out);

#endif
