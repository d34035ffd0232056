/*
 * GDB's remote serial protocol, the lowest layer: packets in a stream of bytes.
 *
 * Whatever the bytes are, the parser only ever changes its own state.
 * Source: GDB manual, "Remote Protocol: Overview".
 */
#ifndef MMU86_GDB_PACKET_H
#define MMU86_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  GDB_PAYLOAD_MAX = 16384,                /* bytes of a packet between $ and #, escapes undone */
  GDB_FRAME_MAX = 2 * GDB_PAYLOAD_MAX + 4 /* a framed packet whose every byte had to be escaped */
};

/* What a byte has completed. */
typedef enum {
  GDB_NOTHING,
  GDB_PACKET,    /* payload[0..n-1], and a 0 behind it */
  GDB_DAMAGED,   /* a packet with a wrong checksum */
  GDB_TOO_LONG,  /* a whole packet of more than GDB_PAYLOAD_MAX bytes; the payload is not kept */
  GDB_INTERRUPT, /* the byte 03H between packets: Ctrl-C */
  GDB_ACK,       /* + */
  GDB_NAK,       /* - */
} gdb_event_t;

/* All zeroes is the state between packets. */
typedef struct {
  uint8_t state, sum, check;
  bool escaped;
  unsigned n; /* bytes of the payload; GDB_PAYLOAD_MAX + 1 for too many */
  char payload[GDB_PAYLOAD_MAX + 1];
} gdb_parser_t;

gdb_event_t gdb_parse(gdb_parser_t *parser, uint8_t byte);

/*
 * Makes a packet of n payload bytes (at most GDB_PAYLOAD_MAX), with escapes and checksum.
 * frame: GDB_FRAME_MAX bytes. Returns how many are used.
 */
unsigned gdb_frame(const char *payload, unsigned n, char *frame);

/* The value of a hexadecimal digit, or -1. */
int gdb_hex_digit(char c);

/* Reads hexadecimal digits of *text, moving it behind them. Returns false if there is none or the value has no room. */
bool gdb_hex_number(const char **text, uint64_t *value);

/* Pairs of hexadecimal digits and bytes. gdb_unhex returns false unless text is exactly n pairs; gdb_hex ends with 0.
 */
bool gdb_unhex(const char *text, uint8_t *bytes, size_t n);
void gdb_hex(const uint8_t *bytes, size_t n, char *text);

#endif
