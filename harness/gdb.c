#include "gdb_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb_registers.h"

gdb_t *gdb_create(const gdb_target_t *target) {
  gdb_t *gdb = calloc(1, sizeof *gdb);
  if (!gdb) return NULL;
  gdb->target = *target;
  gdb->xml = gdb_registers_xml();
  snprintf(gdb->last_stop, sizeof gdb->last_stop, "T%02xthread:1;", GDB_SIGTRAP);
  if (gdb->xml) return gdb;
  gdb_destroy(gdb);
  return NULL;
}

void gdb_destroy(gdb_t *gdb) {
  if (gdb) free(gdb->xml);
  free(gdb);
}

machine_stop_t gdb_machine_stop(const gdb_t *gdb, bool *final) {
  *final = gdb->final;
  return gdb->stop;
}

bool gdb_wrote(const gdb_t *gdb) {
  return gdb->wrote;
}

void gdb_reply(gdb_t *gdb, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(gdb->reply, sizeof gdb->reply, format, args);
  va_end(args);
  gdb->n_reply = n < 0 ? 0 : (unsigned)n < sizeof gdb->reply ? (unsigned)n : (unsigned)sizeof gdb->reply - 1;
}

void gdb_send(gdb_t *gdb, const char *payload, unsigned n) {
  gdb->n_frame = gdb_frame(payload, n, gdb->frame);
  gdb->target.send(gdb->target.ctx, gdb->frame, gdb->n_frame);
}

void gdb_console(gdb_t *gdb, const char *text, size_t n) {
  enum { CHUNK = 1000 };
  char payload[2 * CHUNK + 2] = "O";
  for (size_t at = 0, part; at < n; at += part) {
    part = n - at < CHUNK ? n - at : CHUNK;
    gdb_hex((const uint8_t *)text + at, part, payload + 1);
    gdb_send(gdb, payload, (unsigned)(2 * part + 1));
  }
}

/* Commands that change the session itself. Returns false if it is none. */
static bool session_command(gdb_t *gdb, const char *packet) {
  if (strcmp(packet, "QStartNoAckMode") == 0) {
    gdb_reply(gdb, "OK");
    gdb_send(gdb, gdb->reply, gdb->n_reply);
    gdb->no_ack = true;
    return true;
  }
  if (packet[0] == 'D') {
    gdb_points_clear(&gdb->points);
    gdb->state = GDB_DETACHED;
    gdb_reply(gdb, "OK");
    gdb_send(gdb, gdb->reply, gdb->n_reply);
    return true;
  }
  if (packet[0] == 'k' && packet[1] == 0) {
    gdb->state = GDB_KILLED;
    return true;
  }
  return false;
}

static bool is_resumption(const char *packet) {
  return strchr("cCsS", packet[0]) || strncmp(packet, "vCont;", 6) == 0;
}

static void on_packet(gdb_t *gdb, const char *packet, unsigned n) {
  gdb->n_reply = 0;
  if (n == 0) {
    gdb_send(gdb, "", 0);
    return;
  }
  if (session_command(gdb, packet)) return;
  if (is_resumption(packet)) {
    gdb_resume_command(gdb, packet);
    if (gdb->n_reply == 0) return; /* the answer is the next stop */
  } else if (!gdb_command(gdb, packet, n)) {
    gdb->n_reply = 0;
  }
  gdb_send(gdb, gdb->reply, gdb->n_reply);
}

static void acknowledge(gdb_t *gdb, char sign) {
  if (!gdb->no_ack) gdb->target.send(gdb->target.ctx, &sign, 1);
}

static void on_event(gdb_t *gdb, gdb_event_t event) {
  switch (event) {
  case GDB_PACKET:
    acknowledge(gdb, '+');
    /* In all-stop mode GDB sends no packets to a running target; what comes all the same is not answered. */
    if (gdb->state == GDB_STOPPED) on_packet(gdb, gdb->parser.payload, gdb->parser.n);
    break;
  case GDB_TOO_LONG:
    acknowledge(gdb, '+');
    if (gdb->state == GDB_STOPPED) gdb_send(gdb, "E16", 3);
    break;
  case GDB_DAMAGED:
    acknowledge(gdb, '-');
    break;
  case GDB_INTERRUPT:
    if (gdb->state == GDB_RUNNING) gdb->interrupted = true;
    break;
  case GDB_NAK:
    if (!gdb->no_ack && gdb->n_frame) gdb->target.send(gdb->target.ctx, gdb->frame, gdb->n_frame);
    break;
  default:
    break;
  }
}

gdb_state_t gdb_input(gdb_t *gdb, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  for (size_t i = 0; i < n && (gdb->state == GDB_STOPPED || gdb->state == GDB_RUNNING); i++)
    on_event(gdb, gdb_parse(&gdb->parser, p[i]));
  return gdb->state;
}
