#include "trace_codec.h"

#include <string.h>

/*
 * A request's class chooses the earlier request that it is coded against: the same op, register and access, which is
 * where the offset is near. A request record begins with a byte of op and seg and one of flags.
 */
static mmu_req_t *class_of(trace_codec_t *codec, unsigned op_seg, bool write) {
  return &codec->last[op_seg << 1 | write];
}

/* Flags byte of a request record: which fields follow, and the last part of its class. */
enum {
  HAS_SIZE = 1,
  HAS_BITS = 2,
  HAS_CPL = 4,
  HAS_SELECTOR = 8,
  HAS_OFFSET = 16,
  HAS_DATA = 32,
  HAS_WHY = 64,
  IS_WRITE = 128,
};

static uint8_t *put_varint(uint8_t *out, uint64_t v) {
  for (; v >= 0x80; v >>= 7)
    *out++ = (uint8_t)(v | 0x80);
  *out++ = (uint8_t)v;
  return out;
}

static uint64_t zigzag(uint64_t delta) {
  return delta << 1 ^ (uint64_t)((int64_t)delta >> 63);
}

static uint64_t unzigzag(uint64_t v) {
  return v >> 1 ^ (uint64_t) - (int64_t)(v & 1);
}

static uint8_t request_bits(const mmu_req_t *req) {
  return (uint8_t)(req->rmw | req->implicit << 1 | req->ac << 2 | req->vm << 3 | req->ext << 4 | req->align << 5);
}

static size_t encode_request(trace_codec_t *codec, const mmu_req_t *req, uint8_t *out) {
  uint8_t op_seg = (uint8_t)(req->op << 4 | req->seg);
  bool write = req->access == MMU_WRITE;
  mmu_req_t *last = class_of(codec, op_seg, write);
  uint8_t *p = out + 3;
  unsigned has = write ? IS_WRITE : 0;
  /* access is not in the class when it is EXECUTE: it travels with the size. */
  if (req->size != last->size || req->access != last->access) {
    has |= HAS_SIZE;
    *p++ = (uint8_t)(req->size | req->access << 5);
  }
  if (request_bits(req) != request_bits(last)) {
    has |= HAS_BITS;
    *p++ = request_bits(req);
  }
  if (req->cpl != last->cpl) {
    has |= HAS_CPL;
    *p++ = req->cpl;
  }
  if (req->reason != last->reason || req->cr != last->cr) {
    has |= HAS_WHY;
    *p++ = req->reason;
    *p++ = req->cr;
  }
  if (req->selector != last->selector) {
    has |= HAS_SELECTOR;
    p = put_varint(p, req->selector);
  }
  if (req->offset != last->offset) {
    has |= HAS_OFFSET;
    p = put_varint(p, zigzag(req->offset - last->offset));
  }
  if (req->data != last->data) {
    has |= HAS_DATA;
    p = put_varint(p, zigzag(req->data - last->data));
  }
  out[0] = TRACE_REQUEST;
  out[1] = op_seg;
  out[2] = (uint8_t)has;
  *last = *req;
  return (size_t)(p - out);
}

static uint8_t *put_map(uint8_t *out, const memmap_t *map) {
  out = put_varint(out, map->rom_bytes);
  out = put_varint(out, map->ram_reads);
  out = put_varint(out, map->ram_writes);
  return put_varint(out, map->a20);
}

size_t trace_encode(trace_codec_t *codec, const trace_record_t *record, uint8_t *out) {
  if (record->kind == TRACE_REQUEST) return encode_request(codec, &record->req, out);
  uint8_t *p = out;
  *p++ = (uint8_t)record->kind;
  if (record->kind == TRACE_RESET) return 1;
  if (record->kind == TRACE_ORIGIN) {
    *p++ = record->origin;
    return 2;
  }
  if (record->kind == TRACE_CYCLE) {
    *p++ = (uint8_t)(record->take[0] | record->take[1] << 1 | record->kill << 2);
    return 2;
  }
  if (record->kind == TRACE_MAP) return (size_t)(put_map(p, &record->map) - out);
  p = put_varint(p, record->size);
  p = put_varint(p, zigzag(record->paddr - codec->last_paddr));
  codec->last_paddr = record->paddr;
  if (record->kind == TRACE_STORE) p = put_varint(p, record->data);
  return (size_t)(p - out);
}

/* A reader over n bytes that remembers running past the end. */
typedef struct {
  const uint8_t *at, *end;
  bool bad;
} cursor_t;

static uint8_t get_byte(cursor_t *c) {
  if (c->at < c->end) return *c->at++;
  c->bad = true;
  return 0;
}

static uint64_t get_varint(cursor_t *c) {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = get_byte(c);
    v |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return v;
  }
  c->bad = true;
  return 0;
}

static void decode_request(trace_codec_t *codec, cursor_t *c, mmu_req_t *req) {
  uint8_t op_seg = get_byte(c), has = get_byte(c);
  mmu_req_t *last = class_of(codec, op_seg, has & IS_WRITE);
  *req = *last;
  req->op = op_seg >> 4;
  req->seg = op_seg & 15;
  if (has & HAS_SIZE) {
    uint8_t byte = get_byte(c);
    req->size = byte & 31;
    req->access = byte >> 5;
  }
  if (has & HAS_BITS) {
    uint8_t bits = get_byte(c);
    req->rmw = bits & 1;
    req->implicit = bits >> 1 & 1;
    req->ac = bits >> 2 & 1;
    req->vm = bits >> 3 & 1;
    req->ext = bits >> 4 & 1;
    req->align = bits >> 5;
  }
  if (has & HAS_CPL) req->cpl = get_byte(c);
  if (has & HAS_WHY) {
    req->reason = get_byte(c);
    req->cr = get_byte(c);
  }
  if (has & HAS_SELECTOR) req->selector = (uint16_t)get_varint(c);
  if (has & HAS_OFFSET) req->offset += unzigzag(get_varint(c));
  if (has & HAS_DATA) req->data += unzigzag(get_varint(c));
  *last = *req;
}

static memmap_t get_map(cursor_t *c) {
  uint64_t rom_bytes = get_varint(c), reads = get_varint(c), writes = get_varint(c), a20 = get_varint(c);
  if (rom_bytes > UINT32_MAX || reads > UINT16_MAX || writes > UINT16_MAX || a20 > 1) c->bad = true;
  memmap_t map = {(uint32_t)rom_bytes, (uint16_t)reads, (uint16_t)writes, a20 != 0};
  if (!memmap_valid(&map)) c->bad = true;
  return map;
}

size_t trace_decode(trace_codec_t *codec, const uint8_t *in, size_t n, trace_record_t *record) {
  cursor_t c = {in, in + n, false};
  memset(record, 0, sizeof *record);
  record->kind = (trace_kind_t)get_byte(&c);
  switch (record->kind) {
  case TRACE_REQUEST:
    decode_request(codec, &c, &record->req);
    break;
  case TRACE_STORE:
  case TRACE_LOAD: {
    uint64_t size = get_varint(&c);
    record->paddr = codec->last_paddr += unzigzag(get_varint(&c));
    if (record->kind == TRACE_STORE) {
      record->data = get_varint(&c);
      if (size < 1 || size > 8) return 0;
    } else {
      record->bytes = c.at;
      if (size > (uint64_t)(c.end - c.at)) return 0;
      c.at += size;
    }
    record->size = (uint32_t)size;
    break;
  }
  case TRACE_MAP:
    record->map = get_map(&c);
    break;
  case TRACE_RESET:
    break;
  case TRACE_ORIGIN:
    record->origin = get_byte(&c);
    if (record->origin >= ORIGIN_COUNT) return 0;
    break;
  case TRACE_CYCLE: {
    uint8_t bits = get_byte(&c);
    if (bits > 7) return 0;
    record->take[0] = bits & 1;
    record->take[1] = bits >> 1 & 1;
    record->kill = bits >> 2;
    break;
  }
  default:
    return 0;
  }
  return c.bad ? 0 : (size_t)(c.at - in);
}
