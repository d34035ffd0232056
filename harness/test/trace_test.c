/*
 * Traces: what is written comes back; what is cut off is good as far as it goes; what is damaged is refused.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rng.h"
#include "trace.h"
#include "trace_codec.h"
#include "x86.h"

enum { RECORDS = 60000 };

static char path[64];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-trace-test-%ld", (long)getpid());
}

static void remove_file(void) {
  remove(path);
}

static const trace_header_t header = {.ram_bytes = 16 << 20,
                                      .mmu = {8, 4, 8, false, true, true, .cr4_absent = X86_CR4_PGE},
                                      .overlapped = true,
                                      .origin = "a test"};

/* Any request that the validity check lets pass, with fields of all sizes. */
static mmu_req_t random_request(rng_t *rng) {
  for (;;) {
    mmu_req_t req = {0};
    req.op = (uint8_t)rng_below(rng, 8);
    req.seg = (uint8_t)rng_below(rng, 13);
    req.access = (uint8_t)rng_below(rng, 3);
    req.size = (uint8_t)(1 + rng_below(rng, 16));
    req.cpl = (uint8_t)rng_below(rng, 4);
    req.reason = (uint8_t)rng_below(rng, 10);
    req.cr = (uint8_t)rng_below(rng, 5);
    req.rmw = rng_chance(rng, 20);
    req.implicit = rng_chance(rng, 20);
    req.ac = rng_chance(rng, 20);
    req.vm = rng_chance(rng, 20);
    req.ext = rng_chance(rng, 20);
    req.selector = (uint16_t)rng_next(rng);
    req.offset = rng_next(rng);
    req.offset >>= rng_below(rng, 64);
    req.data = rng_next(rng);
    req.data >>= rng_below(rng, 64);
    if (trace_request_valid(&req)) return req;
  }
}

static uint8_t bulk[100000];

/* Record i of the test stream. */
static trace_record_t record_at(rng_t *rng, unsigned i) {
  trace_record_t r = {.kind = TRACE_REQUEST};
  if (i % 20000 == 7) {
    r = (trace_record_t){.kind = TRACE_LOAD, .paddr = rng_next(rng), .size = 65536, .bytes = bulk};
  } else if (i % 1000 == 3) {
    r.kind = TRACE_RESET;
  } else if (i % 1000 == 5) {
    r.kind = TRACE_ORIGIN;
    r.origin = (uint8_t)rng_below(rng, ORIGIN_COUNT);
  } else if (i % 10 == 6) {
    r.kind = TRACE_CYCLE;
    r.take[0] = rng_chance(rng, 50);
    r.take[1] = rng_chance(rng, 50);
    r.kill = rng_chance(rng, 50);
  } else if (i % 1000 == 4) {
    r.kind = TRACE_MAP;
    r.map.rom_bytes = MEMMAP_ROM_UNIT * rng_below(rng, 5);
    r.map.ram_reads = (uint16_t)rng_below(rng, MEMMAP_ALL_REGIONS + 1);
    r.map.ram_writes = (uint16_t)rng_below(rng, MEMMAP_ALL_REGIONS + 1);
    r.map.a20 = rng_chance(rng, 50);
  } else if (rng_chance(rng, 30)) {
    r = (trace_record_t){.kind = TRACE_STORE, .size = 1 + rng_below(rng, 8)};
    r.paddr = rng_next(rng);
    r.data = rng_next(rng);
  } else {
    r.req = random_request(rng);
  }
  return r;
}

static void put(trace_writer_t *w, const trace_record_t *r) {
  if (r->kind == TRACE_REQUEST)
    trace_request(w, &r->req);
  else if (r->kind == TRACE_RESET)
    trace_reset(w);
  else if (r->kind == TRACE_MAP)
    trace_map(w, &r->map);
  else if (r->kind == TRACE_ORIGIN)
    trace_origin(w, r->origin);
  else if (r->kind == TRACE_CYCLE)
    trace_cycle(w, r->take, r->kill);
  else if (r->kind == TRACE_STORE)
    trace_store(w, r->paddr, r->size, r->data);
  else
    trace_load(w, r->paddr, r->bytes, r->size);
}

static trace_writer_t *start(void) {
  char error[256] = "";
  for (unsigned i = 0; i < sizeof bulk; i++)
    bulk[i] = (uint8_t)(i * 7 + (i >> 8));
  trace_writer_t *w = trace_create(path, &header, error, sizeof error);
  ck_assert_msg(w != NULL, "%s", error);
  return w;
}

static void write_stream(void) {
  char error[256] = "";
  rng_t rng = {1};
  trace_writer_t *w = start();
  for (unsigned i = 0; i < RECORDS; i++) {
    trace_record_t r = record_at(&rng, i);
    put(w, &r);
  }
  ck_assert_msg(trace_finish(w, error, sizeof error), "%s", error);
}

static void same_request(const mmu_req_t *a, const mmu_req_t *b) {
  ck_assert(a->op == b->op && a->seg == b->seg && a->access == b->access && a->size == b->size && a->cpl == b->cpl &&
            a->reason == b->reason && a->cr == b->cr && a->rmw == b->rmw && a->implicit == b->implicit &&
            a->ac == b->ac && a->vm == b->vm && a->ext == b->ext && a->selector == b->selector &&
            a->offset == b->offset && a->data == b->data);
}

/* Reads what there is and compares it with the test stream. Returns the records read. */
static unsigned read_stream(trace_status_t *status) {
  char error[256] = "";
  trace_header_t h;
  trace_reader_t *r = trace_open(path, &h, error, sizeof error);
  ck_assert_msg(r != NULL, "%s", error);
  ck_assert_uint_eq(h.ram_bytes, header.ram_bytes);
  ck_assert_uint_eq(h.mmu.tlb_ways, 4);
  ck_assert(h.mmu.accessed_on_fault && h.mmu.pat_reserved && !h.mmu.limit_wraps);
  ck_assert_uint_eq(h.mmu.cr4_absent, X86_CR4_PGE);
  ck_assert(h.overlapped);
  ck_assert_str_eq(h.origin, header.origin);
  rng_t rng = {1};
  unsigned n = 0;
  trace_record_t got;
  while ((*status = trace_read(r, &got)) == TRACE_OK) {
    trace_record_t want = record_at(&rng, n++);
    ck_assert_int_eq(got.kind, want.kind);
    if (want.kind == TRACE_REQUEST) {
      same_request(&got.req, &want.req);
      continue;
    }
    ck_assert(memmap_equal(&got.map, &want.map));
    ck_assert_uint_eq(got.origin, want.origin);
    ck_assert(got.take[0] == want.take[0] && got.take[1] == want.take[1] && got.kill == want.kill);
    ck_assert_uint_eq(got.paddr, want.paddr);
    ck_assert_uint_eq(got.size, want.size);
    if (want.kind == TRACE_STORE)
      ck_assert_uint_eq(got.data, want.data);
    else if (want.kind == TRACE_LOAD)
      ck_assert_int_eq(memcmp(got.bytes, want.bytes, want.size), 0);
  }
  trace_close(r);
  return n;
}

static uint8_t *slurp(size_t *n) {
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  fseek(f, 0, SEEK_END);
  *n = (size_t)ftell(f);
  rewind(f);
  uint8_t *bytes = malloc(*n);
  ck_assert_uint_eq(fread(bytes, 1, *n, f), *n);
  fclose(f);
  return bytes;
}

static void spit(const uint8_t *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

START_TEST(what_is_written_comes_back) {
  trace_status_t status;
  write_stream();
  ck_assert_uint_eq(read_stream(&status), RECORDS);
  ck_assert_int_eq(status, TRACE_END);
}
END_TEST

START_TEST(same_stream_same_bytes) {
  size_t n, m;
  write_stream();
  uint8_t *a = slurp(&n);
  write_stream();
  uint8_t *b = slurp(&m);
  ck_assert_uint_eq(n, m);
  ck_assert_int_eq(memcmp(a, b, n), 0);
  free(a);
  free(b);
}
END_TEST

/* Cut anywhere, a stream is a prefix of itself, and never looks whole. */
START_TEST(cut_streams_are_read_as_far_as_they_go) {
  size_t n;
  unsigned last = 0;
  trace_status_t status;
  write_stream();
  uint8_t *bytes = slurp(&n);
  for (unsigned i = 1; i <= 20; i++) {
    size_t cut = n * i / 20 - 1;
    spit(bytes, cut < 200 ? 200 : cut);
    unsigned read = read_stream(&status);
    ck_assert_int_eq(status, TRACE_CUT);
    ck_assert_uint_ge(read, last);
    last = read;
  }
  ck_assert_uint_gt(last, RECORDS / 2);
  free(bytes);
}
END_TEST

/* A writer that is killed leaves whole blocks behind. */
START_TEST(blocks_are_on_disk_before_the_end) {
  rng_t rng = {1};
  trace_status_t status;
  char error[256];
  trace_writer_t *w = start();
  for (unsigned i = 0; i < RECORDS; i++) {
    trace_record_t r = record_at(&rng, i);
    put(w, &r);
  }
  unsigned read = read_stream(&status);
  ck_assert_int_eq(status, TRACE_CUT);
  ck_assert_uint_gt(read, RECORDS / 4);
  trace_finish(w, error, sizeof error);
}
END_TEST

/* Damage of every kind: refused in words, or read as something valid, but never a crash. */
START_TEST(damaged_streams_are_refused) {
  size_t n;
  rng_t rng = {77};
  unsigned refused = 0;
  write_stream();
  uint8_t *bytes = slurp(&n);
  for (unsigned i = 0; i < 200; i++) {
    size_t at = i < 40 ? i * 5 : rng_next(&rng) % n;
    uint8_t was = bytes[at];
    bytes[at] ^= (uint8_t)(1 + rng_below(&rng, 255));
    spit(bytes, n);
    bytes[at] = was;
    char error[256] = "";
    trace_header_t h;
    trace_record_t record;
    trace_reader_t *r = trace_open(path, &h, error, sizeof error);
    if (!r) {
      ck_assert_ptr_nonnull(strstr(error, path));
      refused++;
      continue;
    }
    trace_status_t status;
    while ((status = trace_read(r, &record)) == TRACE_OK)
      ck_assert((record.kind != TRACE_REQUEST || trace_request_valid(&record.req)) &&
                (record.kind != TRACE_MAP || memmap_valid(&record.map)) && record.origin < ORIGIN_COUNT);
    if (status == TRACE_CORRUPT) ck_assert_ptr_nonnull(strstr(trace_error(r), path));
    refused += status != TRACE_END;
    trace_close(r);
  }
  ck_assert_uint_ge(refused, 150);
  free(bytes);
}
END_TEST

/* Records as bytes: an origin is one of those that there are. */
START_TEST(impossible_origins_are_refused) {
  trace_codec_t codec = {0};
  trace_record_t record;
  for (unsigned origin = 0; origin < 256; origin++) {
    const uint8_t bytes[] = {TRACE_ORIGIN, (uint8_t)origin};
    ck_assert_uint_eq(trace_decode(&codec, bytes, 2, &record), origin < ORIGIN_COUNT ? 2 : 0);
    ck_assert_uint_eq(trace_decode(&codec, bytes, 1, &record), 0);
  }
  const uint8_t unknown[] = {TRACE_CYCLE + 1, 0};
  ck_assert_uint_eq(trace_decode(&codec, unknown, 2, &record), 0);
}
END_TEST

/* Three things may happen in a cycle, and only where requests overlap. */
START_TEST(impossible_cycles_are_refused) {
  trace_codec_t codec = {0};
  trace_record_t record;
  for (unsigned bits = 0; bits < 256; bits++) {
    const uint8_t bytes[] = {TRACE_CYCLE, (uint8_t)bits};
    ck_assert_uint_eq(trace_decode(&codec, bytes, 2, &record), bits < 8 ? 2 : 0);
    ck_assert_uint_eq(trace_decode(&codec, bytes, 1, &record), 0);
  }
  char error[256] = "";
  trace_header_t h = {.ram_bytes = 16 << 20, .mmu = {8, 4, 8, false, true, true}};
  trace_writer_t *w = trace_create(path, &h, error, sizeof error);
  trace_cycle(w, (bool[]){true, false}, false);
  ck_assert(trace_finish(w, error, sizeof error));
  trace_reader_t *r = trace_open(path, &h, error, sizeof error);
  ck_assert_msg(r && !h.overlapped, "%s", error);
  ck_assert_int_eq(trace_read(r, &record), TRACE_CORRUPT);
  ck_assert_ptr_nonnull(strstr(trace_error(r), "a clock cycle where no requests overlap"));
  trace_close(r);
}
END_TEST

START_TEST(files_that_are_no_traces) {
  static const char *const texts[] = {"",
                                      "MMU86",
                                      "MMU86TRC",
                                      "not a trace at all, but long enough to look",
                                      "MMU86TRC\x05\0\0\0\x02\0\0\0{}",
                                      "MMU86TRC\x04\0\0\0\x02\0\0\0{}",
                                      "MMU86TRC\x01\0\0\0\x02\0\0\0{}",
                                      "MMU86TRC\x05\0\0\0\xff\xff\xff\x7f{}"};
  static const size_t sizes[] = {0, 5, 8, 43, 18, 18, 18, 18};
  char error[256] = "";
  trace_header_t h;
  spit((const uint8_t *)texts[_i], sizes[_i]);
  ck_assert_ptr_null(trace_open(path, &h, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, path));
  ck_assert_ptr_null(strchr(error, '\n'));
  ck_assert((strstr(error, "trace version 4, this mmu86 reads version 5") != NULL) == (_i == 5));
}
END_TEST

/* A header that says its fields right but for one, or is no JSON. */
START_TEST(hostile_headers_are_refused_in_one_line) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"8388608, \"tlb_ways\": 4294967300", "impossible"}, /* 4, if cut to 32 bits */
      {"-4096, \"tlb_ways\": 4", "impossible"},
      {"3221229568, \"tlb_ways\": 4", "impossible"},
      {"8388608, \"tlb_ways\": 4, \"cr4_absent\": -1", "impossible"},
      {"8388608, \"tlb_ways\": 4, \"cr4_absent\": 4294967296", "impossible"},
      {"8388608, \"tlb_ways\": null", "lacks a field"},
      {"8388608, \"\x1b[2J\": 4", "no JSON"}, /* a terminal would obey */
      {"8388608, \x1d", "expected near '?'"},
      {"99999999999999999999", "no JSON"},
  };
  char file[512], error[256] = "";
  trace_header_t h;
  int n = snprintf(file + 16, sizeof file - 16,
                   "{\"tlb_sets\": 8, \"tlb_large\": 8, \"limit_wraps\": false, \"accessed_on_fault\": false, "
                   "\"pat_reserved\": false, \"stale_faults\": false, \"upper_cached\": false, \"overlapped\": false, "
                   "\"origin\": \"\", \"ram_bytes\": %s}",
                   cases[_i].text);
  memcpy(file, "MMU86TRC\x05\0\0\0\0\0\0\0", 16);
  file[12] = (char)(n & 0xFF);
  file[13] = (char)(n >> 8);
  spit((const uint8_t *)file, 16 + (size_t)n);
  ck_assert_ptr_null(trace_open(path, &h, error, sizeof error));
  ck_assert_msg(strstr(error, cases[_i].why), "'%s' lacks '%s'", error, cases[_i].why);
  for (const char *p = error; *p; p++)
    ck_assert_int_ge((unsigned char)*p, ' ');
}
END_TEST

START_TEST(full_disk_is_noticed) {
  char error[256] = "";
  ck_assert_ptr_null(trace_create("/dev/full", &header, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "/dev/full"));
  ck_assert_ptr_null(trace_create("/nonexistent/x", &header, error, sizeof error));
}
END_TEST

int main(void) {
  make_path();
  Suite *suite = suite_create("trace");
  TCase *t = tcase_create("trace");
  tcase_set_timeout(t, 120);
  tcase_add_checked_fixture(t, make_path, remove_file);
  tcase_add_test(t, what_is_written_comes_back);
  tcase_add_test(t, same_stream_same_bytes);
  tcase_add_test(t, cut_streams_are_read_as_far_as_they_go);
  tcase_add_test(t, blocks_are_on_disk_before_the_end);
  tcase_add_test(t, damaged_streams_are_refused);
  tcase_add_test(t, impossible_origins_are_refused);
  tcase_add_test(t, impossible_cycles_are_refused);
  tcase_add_loop_test(t, files_that_are_no_traces, 0, 8);
  tcase_add_loop_test(t, hostile_headers_are_refused_in_one_line, 0, 9);
  tcase_add_test(t, full_disk_is_noticed);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
