/*
 * A run under GDB: waits for the connection, serves it, and says how the run goes on.
 */
#ifndef MMU86_DEBUG_H
#define MMU86_DEBUG_H

#include "gdb.h"
#include "options.h"

typedef struct {
  int listener, connection; /* sockets; -1: none */
  gdb_t *gdb;               /* the session while it lasts */
  bool wrote;               /* GDB has written memory or registers */
  const char *cut;          /* why the run was ended before its end; NULL: it was not */
} debug_t;

/* Opens the port that the options name and says so on stderr. Returns false and one line in error if it cannot. */
bool debug_listen(debug_t *debug, const options_t *options, char *error, unsigned error_bytes);

/*
 * Runs the target for GDB until the session ends.
 * Returns true if GDB has detached and the run goes on without it; else *stop tells how it has ended (MACHINE_LIMIT
 * with debug->cut, or after a signal).
 */
bool debug_run(debug_t *debug, const gdb_target_t *target, machine_stop_t *stop);

#endif
