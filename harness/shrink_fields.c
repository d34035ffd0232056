/*
 * Simplifies records one by one, field by field. Each step leads to a lower value by a fixed order (zero lowest, flat
 * segments, DS, reads, 4 bytes), so that the steps come to an end.
 */
#include <stddef.h>

#include "ram.h"
#include "shrink_priv.h"
#include "trace_codec.h"

/* A 32-bit data segment that covers everything, as SET_SEG RAW has it; for CS, code. */
static const uint64_t flat_data = 0xffffffff | UINT64_C(0xc93) << 32 | UINT64_C(1) << 48;
static const uint64_t flat_code = 0xffffffff | UINT64_C(0xc9b) << 32 | UINT64_C(1) << 48;

static bool is_code(unsigned seg) {
  return seg == MMU_SEG_CS || seg == MMU_SEG_STAGED_CS;
}

static bool try_request(shrink_t *s, size_t i, const mmu_req_t *req) {
  return shrink_try_record(s, i, &(trace_record_t){.kind = TRACE_REQUEST, .req = *req});
}

/* A field of a record as a number. */
static uint64_t get(const trace_record_t *record, size_t at, unsigned bytes) {
  const void *p = (const uint8_t *)record + at;
  return bytes == 1 ? *(const uint8_t *)p : bytes == 2 ? *(const uint16_t *)p : *(const uint64_t *)p;
}

static void put(trace_record_t *record, size_t at, unsigned bytes, uint64_t value) {
  void *p = (uint8_t *)record + at;
  if (bytes == 1)
    *(uint8_t *)p = (uint8_t)value;
  else if (bytes == 2)
    *(uint16_t *)p = (uint16_t)value;
  else
    *(uint64_t *)p = value;
}

/* Clears what bits can be cleared: all, halves, quarters ... single ones. */
static void clear_bits(shrink_t *s, size_t i, size_t at, unsigned bytes) {
  unsigned width = 8 * bytes;
  for (unsigned chunk = width; chunk >= 1; chunk /= 2)
    for (unsigned low = 0; low < width && !s->stopped; low += chunk) {
      if (i >= s->best.n) return;
      uint64_t mask = (chunk == 64 ? ~UINT64_C(0) : (UINT64_C(1) << chunk) - 1) << low;
      trace_record_t record = s->best.at[i];
      uint64_t value = get(&record, at, bytes);
      if (!(value & mask)) continue;
      put(&record, at, bytes, value & ~mask);
      shrink_try_record(s, i, &record);
    }
}

/* --- requests --- */

static const size_t flags[] = {offsetof(mmu_req_t, vm),  offsetof(mmu_req_t, ext),      offsetof(mmu_req_t, ac),
                               offsetof(mmu_req_t, rmw), offsetof(mmu_req_t, implicit), offsetof(mmu_req_t, align),
                               offsetof(mmu_req_t, cpl)};

/* The usual operand first; an operation without one has size 0. */
static void simplify_size(shrink_t *s, size_t i) {
  static const uint8_t operand[] = {4, 1, 2, 8}, ports[] = {1, 2, 4};
  unsigned op = s->best.at[i].req.op;
  bool sized = op == MMU_OP_ACCESS || op == MMU_OP_SYSTEM || op == MMU_OP_CHECK_IO;
  const uint8_t *order = op == MMU_OP_CHECK_IO ? ports : operand;
  unsigned n = op == MMU_OP_CHECK_IO ? sizeof ports : sizeof operand;
  if (!sized) {
    clear_bits(s, i, offsetof(trace_record_t, req.size), 1);
    return;
  }
  for (unsigned k = 0; k < n && s->best.at[i].req.size != order[k]; k++) {
    mmu_req_t req = s->best.at[i].req;
    req.size = order[k];
    if (req.size == 8 && s->best.at[i].req.size < 8) break;
    if (try_request(s, i, &req)) break;
  }
}

/* What is reached through which register, and how. */
static void simplify_reference(shrink_t *s, size_t i) {
  mmu_req_t req = s->best.at[i].req;
  if (req.op == MMU_OP_ACCESS && (req.access != MMU_READ || req.seg != MMU_SEG_DS)) {
    mmu_req_t plain = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = req.offset};
    if (try_request(s, i, &plain)) return;
    plain = req;
    plain.seg = MMU_SEG_DS;
    if (req.access != MMU_EXECUTE && req.seg != MMU_SEG_DS && try_request(s, i, &plain)) return;
    plain = req;
    plain.access = MMU_READ;
    plain.rmw = false;
    if (req.access != MMU_READ) try_request(s, i, &plain);
    return;
  }
  if (req.op == MMU_OP_SYSTEM && (req.access != MMU_READ || req.seg != MMU_SEG_LINEAR)) {
    mmu_req_t plain = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 4, .offset = req.offset};
    if (try_request(s, i, &plain)) return;
    plain = req;
    plain.access = MMU_READ;
    if (req.access != MMU_READ) try_request(s, i, &plain);
  } else if (req.op == MMU_OP_LOAD_SEG && req.reason == MMU_LOAD_DATA && req.seg != MMU_SEG_DS) {
    req.seg = MMU_SEG_DS;
    try_request(s, i, &req);
  }
}

/* Opens a reference that has done the first n records. Returns false, with nothing open, if it cannot. */
static bool open_after(const shrink_t *s, size_t n, subject_t *reference, mmu_rsp_t *rsp) {
  failure_t failure;
  char error[256];
  bench_env_t alone = s->env;
  mmu_config_t config = s->env.dut->config();
  alone.dut = NULL;
  if (!subject_open(reference, &alone, &config, error, sizeof error)) return false;
  bool ok = true;
  for (size_t k = 0; k < n && ok; k++)
    ok = subject_step(reference, &s->best.at[k], rsp, &failure);
  if (!ok) subject_close(reference);
  return ok;
}

/* The hidden part that record i installs, by the reference. Returns false if it installs none. */
static bool installed_by(const shrink_t *s, size_t i, mmu_seg_t *hidden) {
  subject_t reference;
  mmu_rsp_t rsp;
  if (!open_after(s, i + 1, &reference, &rsp)) return false;
  subject_close(&reference);
  if (rsp.fault || rsp.system) return false;
  *hidden = rsp.seg;
  return true;
}

/* A load without the descriptor: what it installs. */
static void simplify_load(shrink_t *s, size_t i) {
  mmu_req_t req = s->best.at[i].req;
  mmu_seg_t hidden;
  bool loads = req.op == MMU_OP_LOAD_SEG || req.op == MMU_OP_COMMIT_SEG ||
               (req.op == MMU_OP_SET_SEG && req.reason != MMU_SET_RAW);
  if (!loads || i + 1 == s->best.n || !installed_by(s, i, &hidden)) return;
  mmu_req_t raw = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = req.seg, .selector = hidden.selector};
  raw.offset = hidden.base;
  raw.data = hidden.limit | (uint64_t)hidden.attr << 32 | (uint64_t)hidden.usable << 48;
  try_request(s, i, &raw);
}

/* What a request that looks something up in a table reads first, as a request. Returns false if it is none of these. */
static bool first_read(const mmu_req_t *req, mmu_req_t *read) {
  *read = (mmu_req_t){.op = MMU_OP_SYSTEM, .size = 4};
  switch (req->op) {
  case MMU_OP_LOAD_SEG:
  case MMU_OP_VERIFY:
  case MMU_OP_MARK_TASK:
    read->seg = req->selector & 4 ? MMU_SEG_LDTR : MMU_SEG_GDTR;
    read->offset = req->selector & 0xfff8;
    return true;
  case MMU_OP_LOAD_GATE:
    read->seg = MMU_SEG_IDTR;
    read->offset = 8 * req->offset;
    return true;
  case MMU_OP_CHECK_IO:
    read->seg = MMU_SEG_TR;
    read->offset = 0x66; /* where the I/O permission bitmap begins */
    return true;
  case MMU_OP_SYSTEM:
    *read = *req;
    return true;
  default:
    return false;
  }
}

/* All that matters of a look-up may be that the table's page is in the TLB, or an A bit set: a read of data there. */
static void simplify_lookup(shrink_t *s, size_t i) {
  trace_record_t read = {.kind = TRACE_REQUEST};
  subject_t reference;
  mmu_rsp_t rsp = {0};
  failure_t failure;
  if (i + 1 == s->best.n || !first_read(&s->best.at[i].req, &read.req)) return;
  if (!open_after(s, i, &reference, &rsp)) return;
  uint64_t base = mmu_seg(reference.rig.mmu, MMU_SEG_DS).base;
  bool ok = trace_request_valid(&read.req) && subject_step(&reference, &read, &rsp, &failure);
  subject_close(&reference);
  mmu_req_t plain = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = (rsp.laddr - base) & UINT32_MAX};
  if (ok) try_request(s, i, &plain);
}

/* Returns whether the hidden part is as plain as can be. */
static bool flatten(shrink_t *s, size_t i) {
  mmu_req_t req = s->best.at[i].req;
  bool segment = req.seg != MMU_SEG_LDTR && req.seg != MMU_SEG_TR && req.seg != MMU_SEG_STAGED_TR;
  if (req.op != MMU_OP_SET_SEG || req.reason != MMU_SET_RAW || !segment) return false;
  uint64_t flat = is_code(req.seg) ? flat_code : flat_data;
  if (req.data == flat) return true;
  req.data = flat;
  return try_request(s, i, &req);
}

static void simplify_request(shrink_t *s, size_t i) {
  static void (*const steps[])(shrink_t *, size_t) = {simplify_load, simplify_lookup, simplify_reference,
                                                      simplify_size};
  for (unsigned k = 0; k < sizeof flags / sizeof *flags; k++)
    clear_bits(s, i, offsetof(trace_record_t, req) + flags[k], 1);
  for (unsigned k = 0; k < sizeof steps / sizeof *steps; k++)
    if (i < s->best.n) steps[k](s, i); /* else what became best fails earlier */
  clear_bits(s, i, offsetof(trace_record_t, req.selector), 2);
  clear_bits(s, i, offsetof(trace_record_t, req.offset), 8);
  if (i < s->best.n && !flatten(s, i)) clear_bits(s, i, offsetof(trace_record_t, req.data), 8);
}

/* --- memory --- */

static void simplify_store(shrink_t *s, size_t i) {
  trace_record_t record = s->best.at[i];
  if (record.size == 8) {
    record.size = 4;
    record.data &= UINT32_MAX;
    if (!shrink_try_record(s, i, &record)) {
      record = s->best.at[i];
      record.size = 4;
      record.paddr += 4;
      record.data >>= 32;
      shrink_try_record(s, i, &record);
    }
  }
  clear_bits(s, i, offsetof(trace_record_t, data), 8);
}

/* A short LOAD is a store, where the map lets one pass; else only some of its bytes may count. */
static void simplify_bytes(shrink_t *s, size_t i) {
  trace_record_t record = s->best.at[i];
  if (record.size == 0 || record.size > 8) return;
  trace_record_t store = {.kind = TRACE_STORE, .paddr = record.paddr, .size = record.size};
  for (unsigned k = 0; k < record.size; k++)
    store.data |= (uint64_t)record.bytes[k] << 8 * k;
  if (shrink_try_record(s, i, &store)) {
    simplify_store(s, i);
    return;
  }
  for (unsigned k = 0; k < s->best.at[i].size && record.size > 1; k++) {
    trace_record_t byte = s->best.at[i];
    byte.paddr += k;
    byte.bytes += k;
    byte.size = 1;
    if (shrink_try_record(s, i, &byte)) return;
  }
}

static void simplify_map(shrink_t *s, size_t i) {
  trace_record_t record = s->best.at[i];
  record.map = memmap_flat();
  record.map.rom_bytes = s->best.at[i].map.rom_bytes;
  if (!memmap_equal(&record.map, &s->best.at[i].map)) shrink_try_record(s, i, &record);
}

/* Everything is taken at once and nothing killed. */
static void simplify_cycle(shrink_t *s, size_t i) {
  const trace_record_t plain = {.kind = TRACE_CYCLE, .take = {true, true}};
  trace_record_t record = s->best.at[i];
  if (shrink_try_record(s, i, &plain)) return;
  record.take[DUT_DATA] = record.take[DUT_FETCH] = true;
  shrink_try_record(s, i, &record);
}

/* A kind that is not listed stays as it is: it can be removed, but has no simpler form. */
void shrink_fields(shrink_t *s) {
  for (size_t i = s->best.n; i-- > 0 && !s->stopped;) {
    if (i >= s->best.n) continue; /* what became best fails earlier */
    switch (s->best.at[i].kind) {
    case TRACE_REQUEST:
      simplify_request(s, i);
      break;
    case TRACE_STORE:
      simplify_store(s, i);
      break;
    case TRACE_LOAD:
      simplify_bytes(s, i);
      break;
    case TRACE_MAP:
      simplify_map(s, i);
      break;
    case TRACE_CYCLE:
      simplify_cycle(s, i);
      break;
    default:
      break;
    }
  }
}
