/*
 * Changes traces as traces: behind zstd and its checksum no changed bit would be looked at. A file is taken apart into
 * its header's text and its records, one of them is changed, and all is packed again, so that each input is a file that
 * mmu86 replay takes. Some inputs are changed as plain bytes, packed and unpacked.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "fuzz.h"
#include "ram.h"
#include "rng.h"
#include "trace_codec.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { FIXED = 16, BLOCK_HEAD = 12, TEXT_MAX = 1 << 12, RAW_MAX = 1 << 16, RECORDS_MAX = 1 << 10 };

typedef struct {
  uint8_t text[TEXT_MAX]; /* of the header */
  size_t text_bytes;
  uint8_t raw[RAW_MAX]; /* the blocks' bytes, unpacked, one behind the other */
  size_t raw_bytes;
  trace_record_t record[RECORDS_MAX]; /* what they say, as far as they say anything */
  unsigned n;
} stream_t;

/* Each block begins with a codec of its own, as the reader has it. */
static void decode_block(stream_t *s, const uint8_t *raw, size_t n) {
  static trace_codec_t codec;
  memset(&codec, 0, sizeof codec);
  for (size_t used = 1; n > 0 && s->n < RECORDS_MAX && used > 0; raw += used, n -= used) {
    used = trace_decode(&codec, raw, n, &s->record[s->n]);
    s->n += used > 0;
  }
}

static void take_apart(stream_t *s, const uint8_t *file, size_t n) {
  s->text_bytes = s->raw_bytes = s->n = 0;
  if (n < FIXED) return;
  s->text_bytes = load_le32(file + 12);
  if (s->text_bytes > TEXT_MAX || s->text_bytes > n - FIXED) s->text_bytes = 0;
  memcpy(s->text, file + FIXED, s->text_bytes);
  for (size_t at = FIXED + s->text_bytes; n - at > BLOCK_HEAD;) {
    size_t packed = load_le32(file + at);
    at += BLOCK_HEAD;
    if (packed == 0 || packed > n - at) return;
    size_t raw = ZSTD_decompress(s->raw + s->raw_bytes, RAW_MAX - s->raw_bytes, file + at, packed);
    if (ZSTD_isError(raw)) return;
    decode_block(s, s->raw + s->raw_bytes, raw);
    s->raw_bytes += raw;
    at += packed;
  }
}

/* --- one record --- */

static uint64_t number(rng_t *rng) {
  static const uint64_t edges[] = {0,          1,          8,           0x1000,     0xFFF,      0xFFFF,
                                   0xFFFFFFFF, 0xFFFFFFF8, 0x80000001,  0x80010011, 0x11,       0x9000,
                                   0xFFFC0000, 0xC0000,    0x100000000, UINT64_MAX, 0x00CF9B00, 0x00CF93000000FFFF};
  uint32_t choice = rng_below(rng, 4);
  if (choice == 0) return edges[rng_below(rng, sizeof edges / sizeof *edges)];
  if (choice == 1) return rng_below(rng, 0x4000); /* where tables may stand */
  return rng_next(rng) >> rng_below(rng, 64);
}

static void change_request(rng_t *rng, mmu_req_t *r) {
  switch (rng_below(rng, 13)) {
  case 0:
    r->op = (uint8_t)rng_below(rng, 13);
    break;
  case 1:
    r->seg = (uint8_t)rng_below(rng, 16);
    break;
  case 2:
    r->access = (uint8_t)rng_below(rng, 4);
    break;
  case 3:
    r->size = (uint8_t)rng_below(rng, 18);
    break;
  case 4:
    r->cpl = (uint8_t)rng_below(rng, 5);
    break;
  case 5:
    r->reason = (uint8_t)rng_below(rng, 18);
    break;
  case 6:
    r->cr = (uint8_t)rng_below(rng, 5);
    break;
  case 7:
    r->align = (uint8_t)rng_below(rng, 5);
    break;
  case 8:
    r->rmw = rng_chance(rng, 50);
    r->implicit = rng_chance(rng, 50);
    r->ac = rng_chance(rng, 50);
    break;
  case 9:
    r->vm = rng_chance(rng, 50);
    r->ext = rng_chance(rng, 50);
    break;
  case 10:
    r->selector = (uint16_t)number(rng);
    break;
  case 11:
    r->offset = rng_chance(rng, 50) ? number(rng) : r->offset + rng_below(rng, 33) - 16;
    break;
  default:
    r->data = rng_chance(rng, 50) ? number(rng) : r->data ^ UINT64_C(1) << rng_below(rng, 64);
  }
}

static void change_record(rng_t *rng, trace_record_t *r) {
  switch (r->kind) {
  case TRACE_REQUEST:
    for (unsigned n = 1 + rng_below(rng, 4); n > 0; n--)
      change_request(rng, &r->req);
    break;
  case TRACE_STORE:
  case TRACE_LOAD:
    if (rng_chance(rng, 50)) r->paddr = number(rng);
    if (rng_chance(rng, 50)) r->data = number(rng);
    if (r->kind == TRACE_STORE && rng_chance(rng, 50)) r->size = rng_below(rng, 10);
    break;
  case TRACE_MAP:
    r->map = (memmap_t){MEMMAP_ROM_UNIT * rng_below(rng, 6), (uint16_t)number(rng), (uint16_t)number(rng),
                        rng_chance(rng, 50)};
    break;
  case TRACE_ORIGIN:
    r->origin = (uint8_t)rng_below(rng, 40);
    break;
  case TRACE_CYCLE:
    r->take[0] = rng_chance(rng, 80);
    r->take[1] = rng_chance(rng, 80);
    r->kill = rng_chance(rng, 10);
    break;
  default:
    break;
  }
}

static trace_record_t new_record(rng_t *rng) {
  trace_record_t r = {.kind = rng_chance(rng, 60) ? TRACE_REQUEST : (trace_kind_t)(1 + rng_below(rng, 8))};
  if (r.kind == TRACE_LOAD) r.kind = TRACE_STORE;
  r.req.size = r.size = 4;
  for (unsigned i = 0; i < 4; i++)
    change_record(rng, &r);
  return r;
}

static void change_records(rng_t *rng, stream_t *s) {
  uint32_t choice = rng_below(rng, 8), at = s->n ? rng_below(rng, s->n) : 0, other = s->n ? rng_below(rng, s->n) : 0;
  if (s->n == 0) choice = 0;
  if (choice <= 1 && s->n < RECORDS_MAX) { /* one more, new or a copy */
    trace_record_t r = choice == 0 ? new_record(rng) : s->record[other];
    memmove(s->record + at + 1, s->record + at, (s->n++ - at) * sizeof r);
    s->record[at] = r;
  } else if (choice == 2) {
    memmove(s->record + at, s->record + at + 1, (--s->n - at) * sizeof *s->record);
  } else if (choice == 3) {
    trace_record_t r = s->record[at];
    s->record[at] = s->record[other];
    s->record[other] = r;
  } else {
    change_record(rng, &s->record[at]);
  }
}

/* --- and back --- */

/* Encodes the records; the bytes of a LOAD lie in from, not in to. Returns how many of them had room. */
static unsigned encode(stream_t *s, uint8_t *to, size_t *bytes) {
  static trace_codec_t codec;
  unsigned i;
  memset(&codec, 0, sizeof codec);
  *bytes = 0;
  for (i = 0; i < s->n; i++) {
    const trace_record_t *r = &s->record[i];
    size_t more = r->kind == TRACE_LOAD ? r->size : 0;
    if (*bytes + TRACE_RECORD_MAX + more > RAW_MAX) break;
    *bytes += trace_encode(&codec, r, to + *bytes);
    if (more) memcpy(to + *bytes, r->bytes, more);
    *bytes += more;
  }
  return i;
}

/* One block of n bytes and the end. Returns the file's size, or 0 if there is no room. */
static size_t put_together(const stream_t *s, const uint8_t *raw, size_t n, unsigned records, unsigned requests,
                           uint8_t *file, size_t room) {
  size_t at = FIXED + s->text_bytes;
  if (room < at + 2 * BLOCK_HEAD + 4) return 0;
  memcpy(file, "MMU86TRC", 8);
  store_le32(file + 8, TRACE_VERSION);
  store_le32(file + 12, (uint32_t)s->text_bytes);
  memcpy(file + FIXED, s->text, s->text_bytes);
  if (n > 0) {
    size_t packed = ZSTD_compress(file + at + BLOCK_HEAD, room - at - BLOCK_HEAD, raw, n, 1);
    if (ZSTD_isError(packed)) return 0;
    store_le32(file + at, (uint32_t)packed);
    store_le32(file + at + 4, (uint32_t)n);
    store_le32(file + at + 8, records);
    at += BLOCK_HEAD + packed;
  }
  if (room < at + BLOCK_HEAD + 4) return at; /* cut off */
  memset(file + at, 0, BLOCK_HEAD + 4);
  store_le32(file + at + 8, requests);
  return at + BLOCK_HEAD + 4;
}

static unsigned requests_in(const stream_t *s) {
  unsigned n = 0;
  for (unsigned i = 0; i < s->n; i++)
    n += s->record[i].kind == TRACE_REQUEST;
  return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  static stream_t s;
  static uint8_t raw[RAW_MAX];
  rng_t rng = {seed};
  size_t n = 0;
  uint32_t way = rng_below(&rng, 16);
  if (way == 0) return LLVMFuzzerMutate(data, size, max_size);
  take_apart(&s, data, size);
  unsigned records = s.n;
  if (way == 1 && s.text_bytes) {
    s.text_bytes = LLVMFuzzerMutate(s.text, s.text_bytes, TEXT_MAX);
  } else if (way <= 5 && s.raw_bytes) { /* the unpacked bytes: what libFuzzer knows of comparisons helps here */
    s.raw_bytes = LLVMFuzzerMutate(s.raw, s.raw_bytes, s.raw_bytes < RAW_MAX / 2 ? 2 * s.raw_bytes : RAW_MAX);
    s.n = 0;
    decode_block(&s, s.raw, s.raw_bytes);
    records = s.n + (way == 5); /* the rest is no record; it is counted or not */
    n = s.raw_bytes;
    memcpy(raw, s.raw, n);
  } else {
    for (unsigned changes = 1 + rng_below(&rng, 3); changes > 0; changes--)
      change_records(&rng, &s);
  }
  if (n == 0) records = encode(&s, raw, &n);
  size_t bytes = put_together(&s, raw, n, records, requests_in(&s) + (rng_below(&rng, 64) == 0), data, max_size);
  return bytes ? bytes : LLVMFuzzerMutate(data, size, max_size);
}
