/*
 * Windows of waveforms: what is read of the option, and what each begins with.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "wave_window.h"
#include "x86.h"

static char error[256];

static bool parse(const char *text, wave_window_t *w) {
  *w = (wave_window_t){.count = UINT64_MAX};
  error[0] = '\0';
  return wave_window_parse(text, w, error, sizeof error);
}

START_TEST(numbers) {
  wave_window_t w;
  ck_assert(parse("1000:200", &w) && w.kind == WINDOW_NUMBER && w.first == 1000 && w.count == 200);
  ck_assert(parse("0:18446744073709551615", &w) && w.first == 0 && w.count == UINT64_MAX);
}
END_TEST

static const char *const refused[] = {"",
                                      "1000",
                                      ":",
                                      "5:",
                                      "5:0",
                                      "-1:5",
                                      "5:-1",
                                      "0x10:5",
                                      "5:5:5",
                                      "at=",
                                      "at=xyz",
                                      "at=2000-1000",
                                      "at=-5",
                                      "at=100000000",
                                      "at=0-100000000",
                                      "at=10-",
                                      "at= 10",
                                      "origin=",
                                      "origin=slob",
                                      "origin=SLAB",
                                      "event=",
                                      "event=#XX",
                                      "event=eviction/",
                                      "event=eviction/64",
                                      "event=eviction/-1",
                                      "event=PF",
                                      "when=5:5",
                                      "event=#PF:x"};

START_TEST(what_is_no_window) {
  wave_window_t w;
  ck_assert_msg(!parse(refused[_i], &w), "%s", refused[_i]);
  ck_assert_uint_gt(strlen(error), 10);
  ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

/* A transaction, and which of the windows begin with it. */
static const mmu_req_t read_ds = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = 0x10};
static const mmu_req_t invlpg = {.op = MMU_OP_INVLPG, .offset = 0xC0101234};
static const mmu_req_t cr3 = {.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000};

static const struct {
  const char *window;
  const mmu_req_t *req;
  mmu_rsp_t rsp;
  uint8_t origin;
  bool begins;
} cases[] = {
    {"at=1000-1fff", &read_ds, {.laddr = 0xFFC, .first = 4}, 0, false},
    {"at=1000-1fff", &read_ds, {.laddr = 0xFFD, .first = 3, .split = true}, 0, true}, /* its last byte */
    {"at=1000-1fff", &read_ds, {.laddr = 0x1FFF, .first = 1, .split = true}, 0, true},
    {"at=1000-1fff", &read_ds, {.laddr = 0x2000, .first = 4}, 0, false},
    {"at=0", &read_ds, {.laddr = 0, .first = 4}, 0, true},
    {"at=0", &read_ds, {.laddr = 0, .fault = true, .vector = X86_GP}, 0, false}, /* it has no linear address */
    {"at=c0101000-c0101fff", &invlpg, {0}, 0, true},
    {"at=0", &cr3, {0}, 0, false},
    {"origin=slab:9", &read_ds, {0}, ORIGIN_SLAB, true},
    {"origin=slab:9", &read_ds, {0}, ORIGIN_BUDDY, false},
    {"event=#PF", &read_ds, {.fault = true, .vector = X86_PF}, 0, true},
    {"event=#PF", &read_ds, {.fault = true, .vector = X86_GP}, 0, false},
    {"event=#PF", &read_ds, {.vector = X86_PF}, 0, false},
    {"event=miss", &read_ds, {.n_tlb = 2, .tlb = {{.kind = MMU_TLB_HIT}, {.kind = MMU_TLB_MISS}}}, 0, true},
    {"event=miss", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_HIT}, {.kind = MMU_TLB_MISS}}}, 0, false},
    {"event=renew", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_RENEW}}}, 0, true},
    {"event=fill", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL}}}, 0, true},
    {"event=eviction", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .set = 5}}}, 0, false},
    {"event=eviction", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .evicted = true, .set = 5}}}, 0, true},
    {"event=eviction/3", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .evicted = true, .set = 5}}}, 0, false},
    {"event=eviction/5", &read_ds, {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .evicted = true, .set = 5}}}, 0, true},
    {"event=eviction/0",
     &read_ds,
     {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .evicted = true, .large = true}}},
     0,
     false},
    {"event=large-eviction",
     &read_ds,
     {.n_tlb = 1, .tlb = {{.kind = MMU_TLB_FILL, .evicted = true, .large = true}}},
     0,
     true},
    {"event=invlpg", &invlpg, {0}, 0, true},
    {"event=invlpg", &cr3, {0}, 0, false},
    {"event=cr3", &cr3, {0}, 0, true},
    {"event=cr0", &cr3, {0}, 0, false},
    {"event=cr4", &read_ds, {0}, 0, false},
};

START_TEST(what_begins) {
  wave_window_t w;
  ck_assert_msg(parse(cases[_i].window, &w), "%s: %s", cases[_i].window, error);
  ck_assert_uint_eq(w.count, strchr(cases[_i].window, ':') ? 9 : UINT64_MAX);
  ck_assert_int_eq(wave_window_begins(&w, cases[_i].req, &cases[_i].rsp, cases[_i].origin), cases[_i].begins);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("wave_window");
  TCase *tcase = tcase_create("wave_window");
  tcase_add_test(tcase, numbers);
  tcase_add_loop_test(tcase, what_is_no_window, 0, sizeof refused / sizeof *refused);
  tcase_add_loop_test(tcase, what_begins, 0, sizeof cases / sizeof *cases);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
