/* The C side alone, under the sanitizers as well: records as bit vectors, memory, and that no request gets past it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dpi_memory.h"
#include "dpi_records.h"
#include "mmu86_dpi.h"

enum {
  REQ_WORDS = (DPI_REQ_BITS + 31) / 32,
  RSP_WORDS = (DPI_RSP_BITS + 31) / 32,
  SEG_WORDS = (DPI_SEG_BITS + 31) / 32
};

static uint64_t state = 88172645463325252u;

static uint64_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* size bits of the vector from bit at. */
static uint64_t bits_at(const svBitVecVal *bits, unsigned at, unsigned size) {
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++)
    value |= (uint64_t)(bits[(at + i) / 32] >> (at + i) % 32 & 1) << i;
  return value;
}

static void set_bits(svBitVecVal *bits, unsigned at, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; i++) {
    svBitVecVal mask = UINT32_C(1) << (at + i) % 32;
    bits[(at + i) / 32] = value >> i & 1 ? bits[(at + i) / 32] | mask : bits[(at + i) / 32] & ~mask;
  }
}

static void *open_reference(uint64_t sets) {
  svBitVecVal config[2] = {0};
  set_bits(config, 35, 8, 8);
  set_bits(config, 43, 8, 4);
  set_bits(config, 51, 8, sets);
  void *handle;
  const char *why = mmu86_dpi_open(MMU86_DPI_VERSION, MMU_ABI_VERSION, DPI_CONFIG_BITS, DPI_REQ_BITS, DPI_RSP_BITS,
                                   config, 1 << 20, &handle);
  if (sets == 8) ck_assert_str_eq(why, "");
  return handle;
}

/* A request in the places of mmu86_dpi.svh. */
static void put_req(svBitVecVal *bits, const mmu_req_t *req) {
  memset(bits, 0, REQ_WORDS * sizeof *bits);
  set_bits(bits, 0, 64, req->data);
  set_bits(bits, 64, 64, req->offset);
  set_bits(bits, 128, 16, req->selector);
  set_bits(bits, 149, 4, req->cr);
  set_bits(bits, 153, 4, req->reason);
  set_bits(bits, 157, 2, req->cpl);
  set_bits(bits, 161, 5, req->size);
  set_bits(bits, 166, 2, req->access);
  set_bits(bits, 168, 4, req->seg);
  set_bits(bits, 172, 4, req->op);
}

START_TEST(responses_pass_as_vectors) {
  for (int n = 0; n < 2000; n++) {
    svBitVecVal bits[RSP_WORDS], again[RSP_WORDS];
    for (unsigned i = 0; i < RSP_WORDS; i++)
      bits[i] = (svBitVecVal)draw();
    unsigned n_mem = draw() % (MMU_MEM_MAX + 1), n_tlb = draw() % (MMU_TLB_MAX + 1);
    unsigned logs = MMU_MEM_MAX * DPI_MEM_BITS + MMU_TLB_MAX * DPI_TLB_BITS;
    set_bits(bits, logs, 6, n_tlb);
    set_bits(bits, logs + 6, 7, n_mem);
    for (unsigned i = n_mem * DPI_MEM_BITS; i < MMU_MEM_MAX * DPI_MEM_BITS; i++)
      set_bits(bits, i, 1, 0);
    for (unsigned i = n_tlb * DPI_TLB_BITS; i < MMU_TLB_MAX * DPI_TLB_BITS; i++)
      set_bits(bits, MMU_MEM_MAX * DPI_MEM_BITS + i, 1, 0);
    set_bits(bits, DPI_RSP_BITS, RSP_WORDS * 32 - DPI_RSP_BITS, 0);
    mmu_rsp_t rsp;
    dpi_rsp_get(&rsp, bits);
    dpi_rsp_put(&rsp, again);
    ck_assert_mem_eq(bits, again, sizeof bits);
    /* First field of all, last one of the first reference. */
    ck_assert_uint_eq(rsp.laddr, bits_at(bits, DPI_RSP_BITS - 64, 64));
    if (n_mem) ck_assert_uint_eq(rsp.mem[0].kind, bits_at(bits, 0, 2));
    if (n_mem) ck_assert_uint_eq(rsp.mem[0].paddr, bits_at(bits, 72, 64));
  }
}
END_TEST

/* A log that is longer than any: what a bench may hand in by mistake. */
START_TEST(long_logs_are_cut) {
  svBitVecVal bits[RSP_WORDS];
  memset(bits, 0xFF, sizeof bits);
  ck_assert_uint_lt(strlen(mmu86_dpi_rsp_string(bits)), 16384);
}
END_TEST

START_TEST(memory_is_sparse_and_ends) {
  dpi_memory_t *memory = dpi_memory_new(UINT64_C(1) << 32);
  ck_assert(memory);
  ck_assert(dpi_memory_write(memory, 0x1FFE, 8, 0x8877665544332211));
  ck_assert_uint_eq(dpi_memory_read(memory, 0x1FFE, 8), 0x8877665544332211);
  ck_assert_uint_eq(dpi_memory_read(memory, 0x2000, 4), 0x66554433);
  ck_assert_uint_eq(dpi_memory_read(memory, 0x80000000, 8), 0);
  ck_assert(dpi_memory_write(memory, 0xFFFFFFFC, 8, 0x0123456789ABCDEF));
  ck_assert_uint_eq(dpi_memory_read(memory, 0xFFFFFFFC, 8), 0xFFFFFFFF89ABCDEF);
  ck_assert_uint_eq(dpi_memory_read(memory, UINT64_MAX - 2, 1), 0xFF);
  dpi_memory_free(memory);
}
END_TEST

START_TEST(reset_vector) {
  void *handle = open_reference(8);
  mmu_req_t req = {.seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 4, .offset = 0xFFF0};
  svBitVecVal bits[REQ_WORDS], answer[RSP_WORDS], hidden[SEG_WORDS];
  put_req(bits, &req);
  ck_assert_str_eq(mmu86_dpi_transact(handle, bits, answer), "");
  ck_assert_uint_eq(bits_at(answer, DPI_RSP_BITS - 64, 64), 0xFFFFFFF0);
  ck_assert_str_eq(mmu86_dpi_rsp_string(answer), "no fault, linear fffffff0, physical fffffff0, page none");
  ck_assert_str_eq(mmu86_dpi_req_string(bits), "ACCESS execute CS:0000fff0 4 bytes, CPL 0");
  ck_assert_str_eq(mmu86_dpi_seg(handle, MMU_SEG_CS, hidden), "");
  ck_assert_uint_eq(bits_at(hidden, 61, 64), 0xFFFF0000);
  unsigned long long cr0;
  ck_assert_str_eq(mmu86_dpi_cr(handle, 0, &cr0), "");
  ck_assert_uint_eq(cr0, 0x60000010);
  put_req(bits, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x12345018});
  ck_assert_str_eq(mmu86_dpi_transact(handle, bits, answer), "");
  ck_assert_str_eq(mmu86_dpi_cr(handle, 3, &cr0), "");
  ck_assert_uint_eq(cr0, 0x12345018);
  ck_assert_str_eq(mmu86_dpi_close(handle), "");
  ck_assert_str_ne(mmu86_dpi_close(handle), "");
}
END_TEST

START_TEST(closed_handles_are_told_from_open_ones) {
  void *first = open_reference(8), *second = open_reference(8);
  unsigned long long data;
  ck_assert_str_eq(mmu86_dpi_write(second, 0x10, 4, 0x12345678), "");
  ck_assert_str_eq(mmu86_dpi_read(first, 0x10, 4, &data), "");
  ck_assert_uint_eq(data, 0);
  ck_assert_str_eq(mmu86_dpi_close(first), "");
  ck_assert_str_ne(mmu86_dpi_read(first, 0x10, 4, &data), "");
  ck_assert_str_ne(mmu86_dpi_reset(&data), "");
  ck_assert_str_eq(mmu86_dpi_read(second, 0x10, 4, &data), "");
  ck_assert_uint_eq(data, 0x12345678);
  ck_assert_str_eq(mmu86_dpi_close(second), "");
}
END_TEST

START_TEST(no_handle_for_a_bad_geometry) {
  ck_assert_ptr_null(open_reference(3));
  ck_assert_ptr_null(open_reference(128));
}
END_TEST

/* Whatever a bench asks for is done or refused; the reference's asserts are never reached. */
START_TEST(any_request_is_done_or_refused) {
  void *handle = open_reference(8);
  svBitVecVal bits[REQ_WORDS], answer[RSP_WORDS];
  unsigned done = 0, refused = 0;
  for (int n = 0; n < 200000; n++) {
    for (unsigned i = 0; i < REQ_WORDS; i++)
      bits[i] = (svBitVecVal)draw();
    set_bits(bits, 96, 32, n % 4 ? 0 : draw() % 2); /* the offset's upper half */
    if (n % 2) set_bits(bits, 72, 24, 0);
    if (n % 3) set_bits(bits, 1, 63, draw() & 1); /* CR0.PE, busy bits */
    mmu86_dpi_transact(handle, bits, answer)[0] ? refused++ : done++;
    ck_assert_uint_gt(strlen(mmu86_dpi_req_string(bits)), 0);
  }
  ck_assert_uint_gt(done, 20000);
  ck_assert_uint_gt(refused, 20000);
  ck_assert_str_eq(mmu86_dpi_close(handle), "");
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("dpi");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, responses_pass_as_vectors);
  tcase_add_test(tcase, long_logs_are_cut);
  tcase_add_test(tcase, memory_is_sparse_and_ends);
  tcase_add_test(tcase, reset_vector);
  tcase_add_test(tcase, closed_handles_are_told_from_open_ones);
  tcase_add_test(tcase, no_handle_for_a_bad_geometry);
  tcase_add_test(tcase, any_request_is_done_or_refused);
  Suite *suite = suite_create("dpi");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
