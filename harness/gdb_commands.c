/*
 * GDB's commands about registers, memory, points, and its questions about the target.
 *
 * Errors: E14 an address that is not mapped or not RAM; E22 a malformed packet; E28 no room for another point;
 * E01 a register that cannot be written so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb_monitor.h"
#include "gdb_priv.h"
#include "gdb_registers.h"
#include "page_tables.h"

static void malformed(gdb_t *gdb) {
  gdb_reply(gdb, "E22");
}

/* Appends hexadecimal bytes to the reply, as far as there is room. */
static void add_hex(gdb_t *gdb, const uint8_t *bytes, unsigned n) {
  if (gdb->n_reply + 2 * n > GDB_PAYLOAD_MAX) return;
  gdb_hex(bytes, n, gdb->reply + gdb->n_reply);
  gdb->n_reply += 2 * n;
}

/* --- registers --- */

static void read_all(gdb_t *gdb) {
  uint8_t bytes[GDB_REGISTER_MAX];
  for (unsigned i = 0; i < gdb_registers(); i++) {
    gdb_register_read(machine_cpu(gdb->target.machine), i, bytes);
    add_hex(gdb, bytes, gdb_register_size(i));
  }
}

/* Nothing is written any more once the run cannot go on: it may take a transaction. */
static bool write_register(gdb_t *gdb, unsigned number, const uint8_t *bytes) {
  if (gdb->final || gdb->target.ls->state != LOCKSTEP_AGREE || !gdb_register_write(gdb->target.machine, number, bytes))
    return false;
  gdb->wrote = true;
  return true;
}

static void write_all(gdb_t *gdb, const char *text) {
  enum { ROOM = 1024 };
  uint8_t bytes[ROOM];
  unsigned total = gdb_registers_bytes();
  if (total > ROOM || !gdb_unhex(text, bytes, total)) {
    malformed(gdb);
    return;
  }
  bool all = true;
  for (unsigned i = 0, at = 0; i < gdb_registers(); at += gdb_register_size(i++))
    all = write_register(gdb, i, bytes + at) && all;
  gdb_reply(gdb, all ? "OK" : "E01");
}

static void read_one(gdb_t *gdb, const char *text) {
  uint64_t number;
  uint8_t bytes[GDB_REGISTER_MAX];
  if (!gdb_hex_number(&text, &number) || *text || number >= gdb_registers()) {
    malformed(gdb);
    return;
  }
  gdb_register_read(machine_cpu(gdb->target.machine), (unsigned)number, bytes);
  add_hex(gdb, bytes, gdb_register_size((unsigned)number));
}

static void write_one(gdb_t *gdb, const char *text) {
  uint64_t number;
  uint8_t bytes[GDB_REGISTER_MAX];
  if (!gdb_hex_number(&text, &number) || *text++ != '=' || number >= gdb_registers() ||
      !gdb_unhex(text, bytes, gdb_register_size((unsigned)number)))
    malformed(gdb);
  else
    gdb_reply(gdb, write_register(gdb, (unsigned)number, bytes) ? "OK" : "E01");
}

/* --- memory --- */

/* Reads "ADDR,LENGTH" and moves *text behind it. */
static bool range(const char **text, uint32_t *laddr, uint32_t *length) {
  uint64_t a, n;
  if (!gdb_hex_number(text, &a) || *(*text)++ != ',' || !gdb_hex_number(text, &n)) return false;
  *laddr = (uint32_t)a;
  *length = (uint32_t)n;
  return a <= UINT32_MAX && n <= UINT32_MAX;
}

static void read_memory(gdb_t *gdb, const char *text) {
  enum { READ_MAX = GDB_PAYLOAD_MAX / 2 };
  uint32_t laddr, length;
  uint8_t bytes[READ_MAX];
  if (!range(&text, &laddr, &length) || *text) {
    malformed(gdb);
    return;
  }
  unsigned n = page_read(gdb->target.machine, laddr, bytes, length < READ_MAX ? length : READ_MAX);
  if (n == 0 && length > 0)
    gdb_reply(gdb, "E14");
  else
    add_hex(gdb, bytes, n); /* less than asked for is allowed */
}

static void write_memory(gdb_t *gdb, uint32_t laddr, const uint8_t *bytes, uint32_t n) {
  bool ok = n == 0 || page_write(gdb->target.machine, laddr, bytes, n);
  gdb->wrote = gdb->wrote || (ok && n > 0);
  gdb_reply(gdb, ok ? "OK" : "E14");
}

/* M: hexadecimal. X: the bytes themselves. end: of the packet. */
static void write_memory_packet(gdb_t *gdb, const char *text, const char *end, bool binary) {
  uint32_t laddr, length;
  uint8_t bytes[PAGE_WRITE_MAX];
  bool ok = range(&text, &laddr, &length) && *text++ == ':' && length <= sizeof bytes;
  if (ok && binary) {
    ok = length == (size_t)(end - text);
    if (ok) memcpy(bytes, text, length);
  } else if (ok) {
    ok = gdb_unhex(text, bytes, length);
  }
  if (ok)
    write_memory(gdb, laddr, bytes, length);
  else
    malformed(gdb);
}

/* --- breakpoints and watchpoints --- */

/* Zk,ADDR,SIZE and zk,ADDR,SIZE; conditions and commands behind it are GDB's own business. */
static void change_point(gdb_t *gdb, const char *packet) {
  bool add = packet[0] == 'Z';
  unsigned kind = (unsigned)(packet[1] - '0');
  uint32_t laddr, size;
  if (kind > GDB_WATCH_ACCESS) return; /* an empty reply: no such kind */
  const char *text = packet + 3;
  if (packet[2] != ',' || !range(&text, &laddr, &size) || (*text && *text != ';') ||
      (kind >= GDB_WATCH_WRITE && size == 0)) {
    malformed(gdb);
    return;
  }
  gdb_point_t point = {(uint8_t)kind, laddr, size};
  if (!add)
    gdb_points_remove(&gdb->points, point);
  else if (!gdb_points_add(&gdb->points, point)) {
    gdb_reply(gdb, "E28");
    return;
  }
  gdb_reply(gdb, "OK");
}

/* --- questions --- */

/* target.xml:OFFSET,LENGTH */
static void target_description(gdb_t *gdb, const char *text) {
  static const char name[] = "target.xml:";
  uint32_t offset, length;
  if (strncmp(text, name, sizeof name - 1) != 0) {
    gdb_reply(gdb, "E00");
    return;
  }
  text += sizeof name - 1;
  if (!range(&text, &offset, &length) || *text) {
    malformed(gdb);
    return;
  }
  size_t whole = strlen(gdb->xml);
  if (offset > whole) offset = (uint32_t)whole;
  size_t n = whole - offset;
  if (n > length) n = length;
  if (n > GDB_PAYLOAD_MAX - 1) n = GDB_PAYLOAD_MAX - 1;
  gdb_reply(gdb, "%c%.*s", offset + n < whole ? 'm' : 'l', (int)n, gdb->xml + offset);
}

static void monitor(gdb_t *gdb, const char *text) {
  char line[256], *said = NULL;
  size_t n = strlen(text) / 2, size = 0;
  if (n >= sizeof line || !gdb_unhex(text, (uint8_t *)line, n)) {
    malformed(gdb);
    return;
  }
  line[n] = 0;
  FILE *out = open_memstream(&said, &size);
  if (!out) return;
  gdb_monitor_t what = {gdb->target.machine, gdb->target.ls, gdb->target.mmu};
  gdb_monitor(&what, line, out);
  if (fclose(out) == 0) gdb_console(gdb, said, size);
  free(said);
  gdb_reply(gdb, "OK");
}

/* What follows prefix in packet, or NULL if that is no prefix. */
static const char *behind(const char *packet, const char *prefix) {
  size_t n = strlen(prefix);
  return strncmp(packet, prefix, n) == 0 ? packet + n : NULL;
}

static void question(gdb_t *gdb, const char *packet) {
  const char *rest;
  if (behind(packet, "qSupported"))
    gdb_reply(gdb, "PacketSize=%x;qXfer:features:read+;swbreak+;hwbreak+;QStartNoAckMode+;vContSupported+",
              GDB_PAYLOAD_MAX);
  else if ((rest = behind(packet, "qXfer:features:read:")))
    target_description(gdb, rest);
  else if ((rest = behind(packet, "qRcmd,")))
    monitor(gdb, rest);
  else if (behind(packet, "qAttached"))
    gdb_reply(gdb, "1"); /* so that quit detaches */
  else if (strcmp(packet, "qC") == 0)
    gdb_reply(gdb, "QC1");
  else if (strcmp(packet, "qfThreadInfo") == 0)
    gdb_reply(gdb, "m1");
  else if (strcmp(packet, "qsThreadInfo") == 0)
    gdb_reply(gdb, "l");
}

bool gdb_command(gdb_t *gdb, const char *packet, unsigned n) {
  switch (packet[0]) {
  case '?':
    gdb_reply(gdb, "%s", gdb->last_stop);
    return true;
  case 'g':
    read_all(gdb);
    return true;
  case 'G':
    write_all(gdb, packet + 1);
    return true;
  case 'p':
    read_one(gdb, packet + 1);
    return true;
  case 'P':
    write_one(gdb, packet + 1);
    return true;
  case 'm':
    read_memory(gdb, packet + 1);
    return true;
  case 'M':
  case 'X':
    write_memory_packet(gdb, packet + 1, packet + n, packet[0] == 'X');
    return true;
  case 'Z':
  case 'z':
    change_point(gdb, packet);
    return true;
  case 'H': /* there is one thread */
  case 'T':
    gdb_reply(gdb, "OK");
    return true;
  case 'q':
    question(gdb, packet);
    return true;
  case 'v':
    if (strcmp(packet, "vCont?") != 0) return false;
    gdb_reply(gdb, "vCont;c;C;s;S;r");
    return true;
  default:
    return false;
  }
}
