#include "trace_codec.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* Unpacked bytes after which a block is closed; a LOAD is cut into pieces of at most LOAD_MAX. */
enum { BLOCK_BYTES = 1 << 20, LOAD_MAX = 1 << 16, LEVEL = 1 };

struct trace_writer {
  FILE *file;
  char path[1024];
  int error; /* errno of the first failure */
  ZSTD_CCtx *zstd;
  trace_codec_t codec;
  uint8_t *raw, *packed;
  size_t raw_bytes, packed_room;
  uint32_t records;
  uint64_t requests;
};

static void put(trace_writer_t *w, const void *bytes, size_t n) {
  if (w->error) return;
  errno = 0;
  if (fwrite(bytes, 1, n, w->file) != n) w->error = errno ? errno : EIO;
}

static void put32(trace_writer_t *w, uint32_t v) {
  uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
  put(w, bytes, sizeof bytes);
}

/* Writes what is gathered as one block, whole on disk when this returns. */
static void flush_block(trace_writer_t *w) {
  if (w->raw_bytes == 0) return;
  size_t packed = ZSTD_compress2(w->zstd, w->packed, w->packed_room, w->raw, w->raw_bytes);
  if (ZSTD_isError(packed)) {
    w->error = EIO;
    return;
  }
  put32(w, (uint32_t)packed);
  put32(w, (uint32_t)w->raw_bytes);
  put32(w, w->records);
  put(w, w->packed, packed);
  errno = 0;
  if (!w->error && fflush(w->file) != 0) w->error = errno ? errno : EIO;
  w->raw_bytes = 0;
  w->records = 0;
  memset(&w->codec, 0, sizeof w->codec);
}

void trace_append(trace_writer_t *w, const trace_record_t *record) {
  if (w->raw_bytes + TRACE_RECORD_MAX + record->size > BLOCK_BYTES) flush_block(w);
  w->raw_bytes += trace_encode(&w->codec, record, w->raw + w->raw_bytes);
  if (record->kind == TRACE_LOAD) {
    memcpy(w->raw + w->raw_bytes, record->bytes, record->size);
    w->raw_bytes += record->size;
  }
  w->records++;
  if (record->kind == TRACE_REQUEST) w->requests++;
}

static char *header_json(const trace_header_t *h) {
  json_t *root = json_pack(
      "{s:I, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:s}", "ram_bytes", (json_int_t)h->ram_bytes, "tlb_sets",
      h->mmu.tlb_sets, "tlb_ways", h->mmu.tlb_ways, "tlb_large", h->mmu.tlb_large, "limit_wraps", h->mmu.limit_wraps,
      "accessed_on_fault", h->mmu.accessed_on_fault, "pat_reserved", h->mmu.pat_reserved, "stale_faults",
      h->mmu.stale_faults, "upper_cached", h->mmu.upper_cached, "overlapped", h->overlapped, "origin", h->origin);
  if (root && h->mmu.cr4_absent) json_object_set_new(root, "cr4_absent", json_integer(h->mmu.cr4_absent));
  char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
  json_decref(root);
  return text;
}

static void release(trace_writer_t *w) {
  if (w->file) fclose(w->file);
  ZSTD_freeCCtx(w->zstd);
  free(w->raw);
  free(w->packed);
  free(w);
}

trace_writer_t *trace_create(const char *path, const trace_header_t *header, char *error, unsigned error_bytes) {
  trace_writer_t *w = calloc(1, sizeof *w);
  if (!w) {
    snprintf(error, error_bytes, "%s: out of memory", path);
    return NULL;
  }
  snprintf(w->path, sizeof w->path, "%s", path);
  w->packed_room = ZSTD_compressBound(BLOCK_BYTES);
  w->raw = malloc(BLOCK_BYTES);
  w->packed = malloc(w->packed_room);
  w->zstd = ZSTD_createCCtx();
  char *json = header_json(header);
  if (!w->raw || !w->packed || !w->zstd || !json) {
    snprintf(error, error_bytes, "%s: out of memory, or the origin is not UTF-8", path);
    free(json);
    release(w);
    return NULL;
  }
  ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
  ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
  w->file = fopen(path, "wb");
  if (w->file) {
    put(w, "MMU86TRC", 8);
    put32(w, TRACE_VERSION);
    put32(w, (uint32_t)strlen(json));
    put(w, json, strlen(json));
    if (!w->error && fflush(w->file) != 0) w->error = errno;
  } else {
    w->error = errno;
  }
  free(json);
  if (!w->error) return w;
  snprintf(error, error_bytes, "%s: cannot write the trace: %s", path, strerror(w->error));
  release(w);
  return NULL;
}

void trace_request(trace_writer_t *w, const mmu_req_t *req) {
  trace_append(w, &(trace_record_t){.kind = TRACE_REQUEST, .req = *req});
}

void trace_store(trace_writer_t *w, uint64_t paddr, unsigned size, uint64_t data) {
  trace_append(w, &(trace_record_t){.kind = TRACE_STORE, .paddr = paddr, .size = size, .data = data});
}

void trace_load(trace_writer_t *w, uint64_t paddr, const void *bytes, uint64_t n) {
  for (uint64_t at = 0; at < n; at += LOAD_MAX) {
    uint32_t size = (uint32_t)(n - at < LOAD_MAX ? n - at : LOAD_MAX);
    trace_append(w, &(trace_record_t){
                        .kind = TRACE_LOAD, .paddr = paddr + at, .size = size, .bytes = (const uint8_t *)bytes + at});
  }
}

void trace_map(trace_writer_t *w, const memmap_t *map) {
  trace_append(w, &(trace_record_t){.kind = TRACE_MAP, .map = *map});
}

void trace_reset(trace_writer_t *w) {
  trace_append(w, &(trace_record_t){.kind = TRACE_RESET});
}

void trace_origin(trace_writer_t *w, uint8_t origin) {
  trace_append(w, &(trace_record_t){.kind = TRACE_ORIGIN, .origin = origin});
}

void trace_cycle(trace_writer_t *w, const bool take[2], bool kill) {
  trace_append(w, &(trace_record_t){.kind = TRACE_CYCLE, .take = {take[0], take[1]}, .kill = kill});
}

bool trace_failed(const trace_writer_t *w) {
  return w->error != 0;
}

bool trace_finish(trace_writer_t *w, char *error, unsigned error_bytes) {
  flush_block(w);
  put32(w, 0);
  put32(w, 0);
  put32(w, (uint32_t)w->requests);
  put32(w, (uint32_t)(w->requests >> 32));
  errno = 0;
  int closed = fclose(w->file);
  w->file = NULL;
  if (!w->error && closed != 0) w->error = errno ? errno : EIO;
  bool ok = w->error == 0;
  if (!ok) snprintf(error, error_bytes, "%s: the trace is cut short: %s", w->path, strerror(w->error));
  release(w);
  return ok;
}
