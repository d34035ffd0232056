#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_codec.h"

struct records_block {
  records_block_t *next;
  uint8_t bytes[];
};

static void *need(void *memory) {
  if (memory) return memory;
  fprintf(stderr, "mmu86: no memory for the records of the trace\n");
  exit(2);
}

/* Makes room for n more. */
static void reserve(records_t *list, size_t n) {
  if (list->room - list->n >= n) return;
  size_t room = list->room ? list->room : 64;
  while (room - list->n < n)
    room *= 2;
  list->at = need(realloc(list->at, room * sizeof *list->at));
  list->room = room;
}

void records_add(records_t *list, const trace_record_t *record) {
  trace_record_t copy = *record; /* it may lie in the list */
  reserve(list, 1);
  list->at[list->n++] = copy;
}

void records_append(records_t *list, const records_t *other, size_t first, size_t n) {
  if (n == 0) return;
  reserve(list, n);
  memcpy(list->at + list->n, other->at + first, n * sizeof *list->at);
  list->n += n;
}

void records_copy(records_t *to, const records_t *from) {
  to->n = 0;
  records_append(to, from, 0, from->n);
}

void records_free(records_t *list) {
  free(list->at);
  *list = (records_t){0};
}

const uint8_t *records_keep(records_pool_t *pool, const uint8_t *bytes, size_t n) {
  records_block_t *block = need(malloc(sizeof *block + n));
  block->next = pool->blocks;
  pool->blocks = block;
  if (n) memcpy(block->bytes, bytes, n);
  return block->bytes;
}

void records_release(records_pool_t *pool) {
  while (pool->blocks) {
    records_block_t *next = pool->blocks->next;
    free(pool->blocks);
    pool->blocks = next;
  }
}

void records_count(records_count_t *count, const trace_record_t *record) {
  uint64_t *kind = record->kind == TRACE_REQUEST ? &count->requests
                   : record->kind == TRACE_STORE ? &count->stores
                   : record->kind == TRACE_LOAD  ? &count->loads
                                                 : &count->others;
  ++*kind;
}

void records_write(trace_writer_t *writer, const records_t *list) {
  for (size_t i = 0; i < list->n; i++)
    trace_append(writer, &list->at[i]);
}
