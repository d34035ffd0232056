/*
 * The transaction stream as a file: what went to the MMU, and what changed memory, its map or the origin in between.
 *
 * File: the magic "MMU86TRC", a 32-bit version, a 32-bit length and that many bytes of JSON (ram_bytes, geometry,
 * choices, where the stream comes from), then blocks, then an end block. A block is three 32-bit numbers (bytes on
 * disk, bytes unpacked, records) and one zstd frame with a checksum; the end block has 0, 0 and, as a 64-bit number,
 * the count of all requests. All numbers are little-endian. Each block can be read when the ones before it are there,
 * so a stream that was cut off is good up to its last complete block.
 *
 * A record is a tag byte and its fields, as far as they differ from the last record of its kind; see trace_codec.c.
 */
#ifndef MMU86_TRACE_H
#define MMU86_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memmap.h"
#include "mmu.h"
#include "origin.h"

enum { TRACE_VERSION = 5 };

/* What the header's JSON says. */
typedef struct {
  uint64_t ram_bytes;
  mmu_config_t mmu;
  bool overlapped;   /* a REQUEST is an offer, and CYCLEs follow; else one is done after another */
  char origin[4096]; /* the command that made it */
} trace_header_t;

typedef enum {
  TRACE_REQUEST = 1,
  TRACE_STORE = 2,
  TRACE_LOAD = 3,
  TRACE_MAP = 4,
  TRACE_RESET = 5,
  TRACE_ORIGIN = 6,
  TRACE_CYCLE = 7, /* in an overlapped stream only */
} trace_kind_t;

typedef struct {
  trace_kind_t kind;
  mmu_req_t req;        /* REQUEST */
  uint64_t paddr;       /* STORE, LOAD */
  uint64_t data;        /* STORE */
  uint32_t size;        /* STORE: 1..8 bytes; LOAD: bytes at bytes */
  const uint8_t *bytes; /* LOAD; valid until the next trace_read */
  memmap_t map;         /* MAP: memmap_valid */
  uint8_t origin;       /* ORIGIN: of the guest's references that follow, less than ORIGIN_COUNT */
  bool take[2];         /* CYCLE: by dut_port_t, a response that is valid is taken */
  bool kill;            /* CYCLE: fetches are killed */
} trace_record_t;

typedef struct trace_writer trace_writer_t;
typedef struct trace_reader trace_reader_t;

/* Creates the file. Returns NULL and one line in error if it cannot be written. */
trace_writer_t *trace_create(const char *path, const trace_header_t *header, char *error, unsigned error_bytes);

/* Append. Errors of the file are kept and reported by trace_finish. */
void trace_request(trace_writer_t *writer, const mmu_req_t *req);
void trace_store(trace_writer_t *writer, uint64_t paddr, unsigned size, uint64_t data);
void trace_load(trace_writer_t *writer, uint64_t paddr, const void *bytes, uint64_t n);
void trace_map(trace_writer_t *writer, const memmap_t *map);
void trace_reset(trace_writer_t *writer);
void trace_origin(trace_writer_t *writer, uint8_t origin);
void trace_cycle(trace_writer_t *writer, const bool take[2], bool kill);

/* Appends a record as trace_read gives it; a LOAD of at most 64 KiB. */
void trace_append(trace_writer_t *writer, const trace_record_t *record);

/* True if a write has failed: there is no use in going on. */
bool trace_failed(const trace_writer_t *writer);

/*
 * Writes the end block, closes and frees. Returns false and one line in error if the file is not whole; a file
 * without an end block remains, readable as far as it goes.
 */
bool trace_finish(trace_writer_t *writer, char *error, unsigned error_bytes);

/* Opens a file. Returns NULL and one line in error if it is no trace of this version. */
trace_reader_t *trace_open(const char *path, trace_header_t *header, char *error, unsigned error_bytes);

typedef enum {
  TRACE_OK = 0,  /* *record is the next one */
  TRACE_END,     /* the end block was reached: the stream is whole */
  TRACE_CUT,     /* the file ends without an end block: its writer was stopped */
  TRACE_CORRUPT, /* trace_error says what and where */
} trace_status_t;

trace_status_t trace_read(trace_reader_t *reader, trace_record_t *record);
const char *trace_error(const trace_reader_t *reader);
void trace_close(trace_reader_t *reader);

#endif
