/*
 * Writes of the guest to chosen I/O ports: a line each on standard error, the first ones and the counts in the result.
 */
#ifndef MMU86_PORT_LOG_H
#define MMU86_PORT_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { PORT_LOG_PORTS = 16, PORT_LOG_KEPT = 1000 };

typedef struct {
  uint64_t instruction; /* executed before it */
  uint32_t eip, value;
  uint16_t cs, port;
  uint8_t size;
} port_write_t;

typedef struct {
  uint16_t ports[PORT_LOG_PORTS];
  uint64_t count[PORT_LOG_PORTS]; /* writes of each */
  unsigned n_ports;
  port_write_t kept[PORT_LOG_KEPT];
  unsigned n_kept;
} port_log_t;

/* Adds a port. Returns false if there are PORT_LOG_PORTS already. */
bool port_log_add(port_log_t *log, uint16_t port);

/* Notes a write, if its first port is a chosen one. Returns whether it is. */
bool port_log_note(port_log_t *log, const port_write_t *write);

/* {"counts": {"0x190": n ...}, "writes": [{instruction, cs, eip, port, size, value} ...]} */
json_t *port_log_json(const port_log_t *log);

#endif
