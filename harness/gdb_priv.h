/*
 * The session's state, shared by gdb.c (packets to commands), gdb_commands.c (registers, memory, points, queries) and
 * gdb_execute.c (running and stopping).
 */
#ifndef MMU86_GDB_PRIV_H
#define MMU86_GDB_PRIV_H

#include "gdb.h"
#include "gdb_packet.h"
#include "gdb_points.h"

/* What a resumption does until it stops. */
typedef enum { RESUME_CONTINUE, RESUME_STEP, RESUME_RANGE } resume_t;

/* Numbers of signals in the protocol. */
enum { GDB_SIGINT = 2, GDB_SIGTRAP = 5, GDB_SIGABRT = 6, GDB_SIGSEGV = 11, GDB_SIGXCPU = 24 };

struct gdb {
  gdb_target_t target;
  gdb_state_t state;
  gdb_parser_t parser;
  bool no_ack;
  char *xml;

  /* Running. */
  resume_t resume;
  uint32_t range_first, range_end; /* RESUME_RANGE: while EIP is in first..end - 1 */
  uint64_t resumed_at;             /* instructions executed when the run was resumed, and where: */
  uint32_t resumed_laddr;          /* no breakpoint stops it there a second time */
  bool interrupted;                /* Ctrl-C has come */
  gdb_points_t points;
  const gdb_point_t *hit; /* the point that stopped the run, or NULL */

  /* Stopped. */
  machine_stop_t stop;
  bool final; /* the run cannot go on: the next resumption tells GDB that the guest is gone */
  uint8_t final_signal;
  bool wrote;
  char last_stop[64]; /* the reply to ? */

  char reply[GDB_PAYLOAD_MAX + 1]; /* being made */
  unsigned n_reply;
  char frame[GDB_FRAME_MAX]; /* the last one sent, for NAK */
  unsigned n_frame;
};

/* Makes the reply text, or sends n bytes as a packet at once. (gdb.c) */
void gdb_reply(gdb_t *gdb, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gdb_send(gdb_t *gdb, const char *payload, unsigned n);

/* Sends text to GDB's console. (gdb.c) */
void gdb_console(gdb_t *gdb, const char *text, size_t n);

/* Commands that are not about running; they make the reply. Returns false if there is no such command. (gdb_commands.c)
 */
bool gdb_command(gdb_t *gdb, const char *packet, unsigned n);

/* c, C, s, S, vCont: starts running; malformed ones make a reply. (gdb_execute.c) */
void gdb_resume_command(gdb_t *gdb, const char *packet);

#endif
