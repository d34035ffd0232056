#include "gdb_packet.h"

#include <string.h>

enum { BETWEEN, BODY, CHECK_HIGH, CHECK_LOW };
enum { ESCAPE = 0x7D, ESCAPE_XOR = 0x20, CTRL_C = 0x03 };

int gdb_hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool gdb_hex_number(const char **text, uint64_t *value) {
  const char *p = *text;
  *value = 0;
  for (; gdb_hex_digit(*p) >= 0; p++) {
    if (*value >> 60) return false;
    *value = *value << 4 | (unsigned)gdb_hex_digit(*p);
  }
  bool any = p != *text;
  *text = p;
  return any;
}

bool gdb_unhex(const char *text, uint8_t *bytes, size_t n) {
  if (strlen(text) != 2 * n) return false;
  for (size_t i = 0; i < n; i++) {
    int high = gdb_hex_digit(text[2 * i]), low = gdb_hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

void gdb_hex(const uint8_t *bytes, size_t n, char *text) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    *text++ = digits[bytes[i] >> 4];
    *text++ = digits[bytes[i] & 15];
  }
  *text = 0;
}

static gdb_event_t between(gdb_parser_t *p, uint8_t byte) {
  switch (byte) {
  case '$':
    p->state = BODY;
    p->sum = 0;
    p->n = 0;
    p->escaped = false;
    return GDB_NOTHING;
  case CTRL_C:
    return GDB_INTERRUPT;
  case '+':
    return GDB_ACK;
  case '-':
    return GDB_NAK;
  default:
    return GDB_NOTHING;
  }
}

static void body(gdb_parser_t *p, uint8_t byte) {
  if (byte == '#') {
    p->state = CHECK_HIGH;
    return;
  }
  p->sum = (uint8_t)(p->sum + byte);
  if (byte == ESCAPE && !p->escaped) {
    p->escaped = true;
    return;
  }
  if (p->escaped) byte ^= ESCAPE_XOR;
  p->escaped = false;
  if (p->n < GDB_PAYLOAD_MAX)
    p->payload[p->n++] = (char)byte;
  else
    p->n = GDB_PAYLOAD_MAX + 1;
}

static gdb_event_t finish(gdb_parser_t *p, int low) {
  p->state = BETWEEN;
  if (low < 0 || p->check != p->sum) return GDB_DAMAGED;
  if (p->n > GDB_PAYLOAD_MAX) return GDB_TOO_LONG;
  p->payload[p->n] = 0;
  return GDB_PACKET;
}

gdb_event_t gdb_parse(gdb_parser_t *p, uint8_t byte) {
  int digit = gdb_hex_digit((char)byte);
  /* Payloads have no bare $: the tail of an earlier packet was lost. */
  if (byte == '$' && p->state != BETWEEN && !p->escaped) return between(p, byte);
  switch (p->state) {
  case BODY:
    body(p, byte);
    return GDB_NOTHING;
  case CHECK_HIGH:
    if (digit < 0) {
      p->state = BETWEEN;
      return GDB_DAMAGED;
    }
    p->check = (uint8_t)(digit << 4);
    p->state = CHECK_LOW;
    return GDB_NOTHING;
  case CHECK_LOW:
    p->check |= (uint8_t)(digit & 15);
    return finish(p, digit);
  default:
    return between(p, byte);
  }
}

unsigned gdb_frame(const char *payload, unsigned n, char *frame) {
  char *out = frame;
  uint8_t sum = 0;
  *out++ = '$';
  for (unsigned i = 0; i < n; i++) {
    uint8_t byte = (uint8_t)payload[i];
    if (byte == '$' || byte == '#' || byte == '*' || byte == ESCAPE) {
      *out++ = ESCAPE;
      sum += ESCAPE;
      byte ^= ESCAPE_XOR;
    }
    *out++ = (char)byte;
    sum += byte;
  }
  char check[3];
  gdb_hex(&sum, 1, check);
  *out++ = '#';
  *out++ = check[0];
  *out++ = check[1];
  return (unsigned)(out - frame);
}
