#include "trace_codec.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "output.h"

/* Bounds that a good file keeps: a bad one must not make us allocate without end. */
enum { HEADER_MAX = 1 << 16, RAW_MAX = 1 << 21, PACKED_MAX = 1 << 22 };

struct trace_reader {
  FILE *file;
  trace_codec_t codec;
  uint8_t *raw, *packed;
  size_t raw_bytes, at;
  uint32_t records; /* left in this block */
  uint64_t requests;
  unsigned block;
  bool overlapped, ended;
  char error[320];
  char path[256];
};

static trace_status_t corrupt(trace_reader_t *r, const char *why) {
  snprintf(r->error, sizeof r->error, "%s: block %u: %s", r->path, r->block, why);
  return TRACE_CORRUPT;
}

static uint32_t le32(const uint8_t *b) {
  return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool power_of_two(json_int_t v, json_int_t max) {
  return v >= 1 && v <= max && (v & (v - 1)) == 0;
}

static bool parse_header(const char *text, size_t n, trace_header_t *h, char *why, unsigned why_bytes) {
  json_error_t json_error;
  json_t *root = json_loadb(text, n, 0, &json_error);
  if (!root) {
    snprintf(why, why_bytes, "the header is no JSON: %s", json_error.text);
    return false;
  }
  json_int_t ram = 0, sets = 0, ways = 0, large = 0, absent = 0;
  int wraps = 0, accessed = 0, pat = 0, faults = 0, upper = 0, overlapped = 0;
  const char *origin = "";
  bool ok =
      json_unpack_ex(root, &json_error, 0, "{s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:b, s:s, s?I}", "ram_bytes",
                     &ram, "tlb_sets", &sets, "tlb_ways", &ways, "tlb_large", &large, "limit_wraps", &wraps,
                     "accessed_on_fault", &accessed, "pat_reserved", &pat, "stale_faults", &faults, "upper_cached",
                     &upper, "overlapped", &overlapped, "origin", &origin, "cr4_absent", &absent) == 0;
  if (!ok) {
    snprintf(why, why_bytes, "the header lacks a field: %s", json_error.text);
  } else if (ram < 4096 || ram > (json_int_t)3 << 30 || ram % 4096 ||
             (sets != 0 && !power_of_two(sets, MMU_TLB_SETS_MAX)) || !power_of_two(ways, MMU_TLB_WAYS_MAX) ||
             !power_of_two(large, MMU_TLB_LARGE_MAX) || absent < 0 || absent > UINT32_MAX) {
    snprintf(why, why_bytes, "the header's RAM size, TLB geometry or CR4 is impossible");
    ok = false;
  } else {
    *h = (trace_header_t){(uint64_t)ram,
                          {(uint8_t)sets, (uint8_t)ways, (uint8_t)large, wraps != 0, accessed != 0, pat != 0,
                           faults != 0, upper != 0, (uint32_t)absent},
                          overlapped != 0,
                          {0}};
    snprintf(h->origin, sizeof h->origin, "%s", origin);
  }
  json_decref(root);
  return ok;
}

static bool read_header(trace_reader_t *r, trace_header_t *header, char *why, unsigned why_bytes) {
  uint8_t fixed[16];
  if (fread(fixed, 1, sizeof fixed, r->file) != sizeof fixed || memcmp(fixed, "MMU86TRC", 8) != 0) {
    snprintf(why, why_bytes, "not an mmu86 trace");
    return false;
  }
  if (le32(fixed + 8) != TRACE_VERSION) {
    snprintf(why, why_bytes, "trace version %u, this mmu86 reads version %d", le32(fixed + 8), TRACE_VERSION);
    return false;
  }
  uint32_t n = le32(fixed + 12);
  if (n > HEADER_MAX) {
    snprintf(why, why_bytes, "the header claims %u bytes", n);
    return false;
  }
  char *text = malloc((size_t)n + 1);
  bool ok = text && fread(text, 1, n, r->file) == n;
  if (!ok)
    snprintf(why, why_bytes, "the header is cut short");
  else
    ok = parse_header(text, n, header, why, why_bytes);
  free(text);
  return ok;
}

trace_reader_t *trace_open(const char *path, trace_header_t *header, char *error, unsigned error_bytes) {
  char why[256] = "out of memory";
  trace_reader_t *r = calloc(1, sizeof *r);
  if (r) {
    snprintf(r->path, sizeof r->path, "%s", path);
    r->file = fopen(path, "rb");
    if (!r->file) {
      snprintf(why, sizeof why, "%s", strerror(errno));
    } else if (read_header(r, header, why, sizeof why)) {
      r->overlapped = header->overlapped;
      return r;
    }
    trace_close(r);
  }
  output_plain(why); /* jansson's errors quote the file */
  snprintf(error, error_bytes, "%s: cannot read the trace: %s", path, why);
  return NULL;
}

/* Makes room for just n bytes: a step beyond them is then seen by AddressSanitizer. */
static bool resize(uint8_t **bytes, size_t n) {
  free(*bytes);
  *bytes = malloc(n);
  return *bytes;
}

/* Reads the next block. TRACE_OK: there are records now. */
static trace_status_t next_block(trace_reader_t *r) {
  uint8_t head[12];
  r->block++;
  size_t got = fread(head, 1, sizeof head, r->file);
  if (got != sizeof head) return ferror(r->file) ? corrupt(r, strerror(errno)) : TRACE_CUT;
  uint32_t packed = le32(head), raw = le32(head + 4);
  if (packed == 0 && raw == 0) {
    uint8_t high[4];
    if (fread(high, 1, 4, r->file) != 4) return TRACE_CUT;
    if ((le32(head + 8) | (uint64_t)le32(high) << 32) != r->requests)
      return corrupt(r, "the end block's count is wrong");
    if (fgetc(r->file) != EOF) return corrupt(r, "there is something behind the end block");
    r->ended = true;
    return TRACE_END;
  }
  if (packed == 0 || packed > PACKED_MAX || raw == 0 || raw > RAW_MAX) return corrupt(r, "impossible block size");
  if (!resize(&r->packed, packed) || !resize(&r->raw, raw)) return corrupt(r, "out of memory");
  if (fread(r->packed, 1, packed, r->file) != packed) return ferror(r->file) ? corrupt(r, strerror(errno)) : TRACE_CUT;
  size_t n = ZSTD_decompress(r->raw, raw, r->packed, packed);
  if (ZSTD_isError(n)) return corrupt(r, ZSTD_getErrorName(n));
  if (n != raw) return corrupt(r, "the block unpacks to another size than it says");
  r->raw_bytes = n;
  r->at = 0;
  r->records = le32(head + 8);
  memset(&r->codec, 0, sizeof r->codec);
  return TRACE_OK;
}

trace_status_t trace_read(trace_reader_t *r, trace_record_t *record) {
  if (r->ended) return TRACE_END;
  while (r->at == r->raw_bytes) {
    if (r->records) return corrupt(r, "fewer records than it says");
    trace_status_t status = next_block(r);
    if (status != TRACE_OK) return status;
  }
  size_t used = r->records ? trace_decode(&r->codec, r->raw + r->at, r->raw_bytes - r->at, record) : 0;
  if (used == 0) return corrupt(r, "a record cannot be decoded");
  r->at += used;
  r->records--;
  if (record->kind == TRACE_CYCLE && !r->overlapped) return corrupt(r, "a clock cycle where no requests overlap");
  if (record->kind == TRACE_REQUEST) {
    r->requests++;
    if (!trace_request_valid(&record->req)) return corrupt(r, "a request has impossible fields");
  }
  return TRACE_OK;
}

const char *trace_error(const trace_reader_t *r) {
  return r->error;
}

void trace_close(trace_reader_t *r) {
  if (!r) return;
  if (r->file) fclose(r->file);
  free(r->raw);
  free(r->packed);
  free(r);
}
