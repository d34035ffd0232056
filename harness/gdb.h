/*
 * A debugging session: GDB's commands over a machine. It knows no sockets: bytes come in by gdb_input and go out by a
 * function, so that tests and fuzzing need none.
 *
 * Breakpoints are compared with the linear address of each instruction before its fetch becomes a transaction, and
 * watchpoints with the linear address of each data access whose transaction has passed the lockstep. So a session that
 * only looks leaves the stream of transactions as it is without GDB.
 *
 * Source: GDB manual, "Remote Protocol".
 */
#ifndef MMU86_GDB_H
#define MMU86_GDB_H

#include "lockstep.h"
#include "machine.h"

/* What a session works on. */
typedef struct {
  machine_t *machine;
  lockstep_t *ls;
  mmu_config_t mmu;   /* the reference's */
  uint64_t max_insns; /* the run ends there; UINT64_MAX: no limit */
  void *ctx;
  void (*send)(void *ctx, const void *bytes, size_t n);
  void (*differs)(void *ctx);  /* the lockstep has found a difference: report it now */
  bool (*must_end)(void *ctx); /* asked between slices: an output has failed, a signal has come */
} gdb_target_t;

typedef enum {
  GDB_STOPPED,  /* the guest stands; GDB gives commands */
  GDB_RUNNING,  /* gdb_run is to be called */
  GDB_DETACHED, /* GDB has gone, the run goes on without it */
  GDB_KILLED,   /* GDB has ended the run */
  GDB_OVER,     /* the run has ended, GDB knows */
} gdb_state_t;

typedef struct gdb gdb_t;

/* Returns a session that stands at the guest's next instruction, or NULL without memory. */
gdb_t *gdb_create(const gdb_target_t *target);
void gdb_destroy(gdb_t *gdb);

/* Takes bytes from GDB, whatever they are, and answers. */
gdb_state_t gdb_input(gdb_t *gdb, const void *bytes, size_t n);

/* GDB_RUNNING: runs some 100,000 instructions, or to the next stop, which GDB is told. */
gdb_state_t gdb_run(gdb_t *gdb);

/* How the machine's last run ended. final: it cannot go on (exit, shutdown, mismatch, limit). */
machine_stop_t gdb_machine_stop(const gdb_t *gdb, bool *final);

/* True if GDB has written memory or registers: the command line alone does not repeat this run. */
bool gdb_wrote(const gdb_t *gdb);

/* The machine's hook: a transaction with the session's breakpoints before it and watchpoints behind it. */
bool gdb_transact(gdb_t *gdb, mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

#endif
