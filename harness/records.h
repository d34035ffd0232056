/*
 * Records of a trace in memory. Bytes of a LOAD belong to a pool that outlives every list: lists are copied freely.
 */
#ifndef MMU86_RECORDS_H
#define MMU86_RECORDS_H

#include "trace.h"

typedef struct {
  trace_record_t *at;
  size_t n, room;
} records_t;

/* Blocks of bytes that LOADs point to. Starts zeroed. */
typedef struct records_block records_block_t;
typedef struct {
  records_block_t *blocks;
} records_pool_t;

/* All of these end the program with one line if there is no memory. */
void records_add(records_t *list, const trace_record_t *record);
void records_append(records_t *list, const records_t *other, size_t first, size_t n);
void records_copy(records_t *to, const records_t *from);
void records_free(records_t *list);

/* Copies n bytes into the pool. */
const uint8_t *records_keep(records_pool_t *pool, const uint8_t *bytes, size_t n);
void records_release(records_pool_t *pool);

/* How many there are of each kind. */
typedef struct {
  uint64_t requests, stores, loads, others;
} records_count_t;

void records_count(records_count_t *count, const trace_record_t *record);

/* Appends every record of the list to an open trace. */
void records_write(trace_writer_t *writer, const records_t *list);

#endif
