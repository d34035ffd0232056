/*
 * Records of a trace as bytes: what differs from the last record of the same kind, in variable-length numbers.
 */
#ifndef MMU86_TRACE_CODEC_H
#define MMU86_TRACE_CODEC_H

#include "trace.h"

/* Most bytes that one encoded record takes, but for a LOAD's own bytes. */
enum { TRACE_RECORD_MAX = 64 };

/* What both ends remember. Starts zeroed, and again at each block. */
typedef struct {
  mmu_req_t last[512]; /* by class: see class_of */
  uint64_t last_paddr;
} trace_codec_t;

/* Appends a record at out (TRACE_RECORD_MAX bytes of room). Returns the bytes used. A LOAD's bytes follow, by the
 * caller. */
size_t trace_encode(trace_codec_t *codec, const trace_record_t *record, uint8_t *out);

/*
 * Decodes one record from in (n bytes). Returns the bytes used, or 0 if they are no record. A LOAD's bytes pointer
 * points into in.
 */
size_t trace_decode(trace_codec_t *codec, const uint8_t *in, size_t n, trace_record_t *record);

/* True if the request is one that mmu_transact may be given: the reader's guard against bad files. */
bool trace_request_valid(const mmu_req_t *req);

#endif
