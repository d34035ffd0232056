#include "debug.h"

#include "gdb_server.h"
#include "interrupt.h"

bool debug_listen(debug_t *debug, const options_t *options, char *error, unsigned error_bytes) {
  uint16_t port = options->gdb_port;
  *debug = (debug_t){.listener = gdb_listen(&port, error, error_bytes), .connection = -1};
  if (debug->listener < 0) return false;
  fprintf(stderr, "mmu86: waiting for GDB at 127.0.0.1:%u; there: target remote :%u\n", port, port);
  return true;
}

static machine_stop_t judge(debug_t *debug, gdb_state_t state) {
  bool final;
  machine_stop_t stop = gdb_machine_stop(debug->gdb, &final);
  if (final) return stop;
  if (!interrupt_pending()) debug->cut = state == GDB_KILLED ? "killed by GDB" : "the connection to GDB is lost";
  return MACHINE_LIMIT;
}

bool debug_run(debug_t *debug, const gdb_target_t *target, machine_stop_t *stop) {
  *stop = MACHINE_LIMIT;
  debug->connection = gdb_accept(debug->listener);
  debug->listener = -1;
  if (debug->connection < 0) {
    if (!interrupt_pending()) debug->cut = "the connection to GDB is lost";
    return false;
  }
  debug->gdb = gdb_create(target);
  if (!debug->gdb) {
    debug->cut = "no memory for a session with GDB";
    return false;
  }
  gdb_state_t state = gdb_serve(debug->gdb, debug->connection);
  bool final;
  gdb_machine_stop(debug->gdb, &final);
  bool goes_on = state == GDB_DETACHED && !final;
  if (!goes_on) *stop = judge(debug, state);
  debug->wrote = gdb_wrote(debug->gdb);
  gdb_destroy(debug->gdb);
  debug->gdb = NULL;
  return goes_on;
}
