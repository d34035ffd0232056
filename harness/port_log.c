#include "port_log.h"

#include <inttypes.h>
#include <stdio.h>

bool port_log_add(port_log_t *log, uint16_t port) {
  if (log->n_ports == PORT_LOG_PORTS) return false;
  log->ports[log->n_ports++] = port;
  return true;
}

bool port_log_note(port_log_t *log, const port_write_t *w) {
  unsigned i = 0;
  while (i < log->n_ports && log->ports[i] != w->port)
    i++;
  if (i == log->n_ports) return false;
  log->count[i]++;
  if (log->n_kept < PORT_LOG_KEPT) log->kept[log->n_kept++] = *w;
  fprintf(stderr, "port %03x: %0*" PRIx32 "   (%u byte%s, after %" PRIu64 " instructions, at %04x:%08" PRIx32 ")\n",
          w->port, 2 * w->size, w->value, w->size, w->size == 1 ? "" : "s", w->instruction, w->cs, w->eip);
  return true;
}

json_t *port_log_json(const port_log_t *log) {
  json_t *counts = json_object(), *writes = json_array();
  for (unsigned i = 0; i < log->n_ports; i++) {
    char name[8];
    snprintf(name, sizeof name, "0x%x", log->ports[i]);
    json_object_set_new(counts, name, json_integer((json_int_t)log->count[i]));
  }
  for (unsigned i = 0; i < log->n_kept; i++) {
    const port_write_t *w = &log->kept[i];
    json_array_append_new(writes, json_pack("{s:I, s:i, s:I, s:i, s:i, s:I}", "instruction", (json_int_t)w->instruction,
                                            "cs", w->cs, "eip", (json_int_t)w->eip, "port", w->port, "size", w->size,
                                            "value", (json_int_t)w->value));
  }
  return json_pack("{s:o, s:o}", "counts", counts, "writes", writes);
}
