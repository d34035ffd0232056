/*
 * GDB's connection: a TCP socket on 127.0.0.1, and the loop that carries bytes between it and a session.
 */
#ifndef MMU86_GDB_SERVER_H
#define MMU86_GDB_SERVER_H

#include "gdb.h"

/*
 * Listens on port (0: one that is free, which *port becomes).
 * Returns a socket, or -1 with one line in error.
 */
int gdb_listen(uint16_t *port, char *error, unsigned error_bytes);

/* Waits for GDB and closes the listening socket. Returns the connection, or -1 if a signal came first. */
int gdb_accept(int listener);

/* Sends all n bytes. Returns false once the connection is lost. */
bool gdb_transmit(int connection, const void *bytes, size_t n);

/*
 * Serves GDB until the session ends, and closes the connection.
 * Returns how it ended: GDB_DETACHED, GDB_KILLED or GDB_OVER; GDB_STOPPED or GDB_RUNNING if the connection is lost or a
 * signal has come meanwhile.
 */
gdb_state_t gdb_serve(gdb_t *gdb, int connection);

#endif
