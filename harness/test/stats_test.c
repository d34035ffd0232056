/*
 * What a run counts, as a whole and for each origin.
 */
#include <check.h>
#include <string.h>

#include "origin.h"
#include "rng.h"
#include "stats.h"

static const mmu_req_t reading = {.op = MMU_OP_ACCESS, .access = MMU_READ, .size = 4};
static const mmu_req_t invalidation = {.op = MMU_OP_INVLPG};

/* A reference with one TLB event, and the FILL of a walk that came to its end. */
static void count(stats_t *stats, mmu_tlb_kind_t event, bool fault) {
  mmu_rsp_t rsp = {.n_tlb = 1, .fault = fault, .vector = fault ? 14 : 0};
  rsp.tlb[0].kind = (uint8_t)event;
  if (event != MMU_TLB_HIT && !fault) rsp.tlb[rsp.n_tlb++].kind = MMU_TLB_FILL;
  stats_count(stats, &reading, &rsp);
}

static void same_share(stats_share_t got, stats_share_t want) {
  ck_assert_uint_eq(got.references, want.references);
  ck_assert_uint_eq(got.tlb_hits, want.tlb_hits);
  ck_assert_uint_eq(got.tlb_misses, want.tlb_misses);
  ck_assert_uint_eq(got.walks, want.walks);
  ck_assert_uint_eq(got.faults, want.faults);
}

static stats_share_t totals(const stats_t *s) {
  return (stats_share_t){s->references, s->tlb_hits, s->tlb_misses, s->walks, stats_faults(s)};
}

START_TEST(what_comes_after_a_change_is_the_new_origins) {
  stats_t s = {0};
  count(&s, MMU_TLB_MISS, false);
  ck_assert(!s.tagged);
  same_share(stats_share(&s, ORIGIN_OTHER), (stats_share_t){1, 0, 1, 1, 0});
  stats_set_origin(&s, ORIGIN_SLAB);
  ck_assert(s.tagged);
  count(&s, MMU_TLB_HIT, false);
  count(&s, MMU_TLB_RENEW, false);
  count(&s, MMU_TLB_MISS, true);
  stats_count(&s, &invalidation, &(mmu_rsp_t){0}); /* a control operation is no reference */
  same_share(stats_share(&s, ORIGIN_SLAB), (stats_share_t){3, 1, 2, 2, 1});
  stats_set_origin(&s, ORIGIN_USER);
  count(&s, MMU_TLB_HIT, false);
  stats_set_origin(&s, ORIGIN_SLAB);
  count(&s, MMU_TLB_HIT, true);
  same_share(stats_share(&s, ORIGIN_OTHER), (stats_share_t){1, 0, 1, 1, 0});
  same_share(stats_share(&s, ORIGIN_SLAB), (stats_share_t){4, 2, 2, 2, 2});
  same_share(stats_share(&s, ORIGIN_USER), (stats_share_t){1, 1, 0, 0, 0});
  same_share(stats_share(&s, ORIGIN_TEST), (stats_share_t){0, 0, 0, 0, 0});
}
END_TEST

/* Against a count of each response by itself. */
START_TEST(shares_are_right_and_add_up) {
  static const mmu_tlb_kind_t events[] = {MMU_TLB_HIT, MMU_TLB_MISS, MMU_TLB_RENEW};
  stats_t s = {0};
  stats_share_t want[ORIGIN_COUNT] = {{0}}, sum = {0};
  unsigned origin = 0;
  rng_t rng = {6};
  for (unsigned i = 0; i < 20000; i++) {
    if (rng_chance(&rng, 10)) stats_set_origin(&s, (uint8_t)(origin = rng_below(&rng, ORIGIN_COUNT)));
    mmu_tlb_kind_t event = events[rng_below(&rng, 3)];
    bool fault = rng_chance(&rng, 15);
    count(&s, event, fault);
    want[origin].references++;
    want[origin].tlb_hits += event == MMU_TLB_HIT;
    want[origin].tlb_misses += event != MMU_TLB_HIT;
    want[origin].walks += event != MMU_TLB_HIT;
    want[origin].faults += fault;
  }
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    stats_share_t got = stats_share(&s, i);
    same_share(got, want[i]);
    sum = (stats_share_t){sum.references + got.references, sum.tlb_hits + got.tlb_hits, sum.tlb_misses + got.tlb_misses,
                          sum.walks + got.walks, sum.faults + got.faults};
  }
  same_share(sum, totals(&s));
}
END_TEST

START_TEST(origins_have_names_of_their_own) {
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    ck_assert_uint_ge(strlen(origin_name(i)), 3);
    for (unsigned j = 0; j < i; j++)
      ck_assert_str_ne(origin_name(i), origin_name(j));
  }
  ck_assert_str_eq(origin_name(ORIGIN_SLAB), "slab");
  ck_assert_str_eq(origin_name(22), "origin 22");
}
END_TEST

START_TEST(bytes_that_are_no_origin_are_other) {
  for (unsigned byte = 0; byte < 256; byte++)
    ck_assert_uint_eq(origin_of((uint8_t)byte), byte < 32 ? byte : ORIGIN_OTHER);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stats");
  TCase *t = tcase_create("stats");
  tcase_add_test(t, what_comes_after_a_change_is_the_new_origins);
  tcase_add_test(t, shares_are_right_and_add_up);
  tcase_add_test(t, origins_have_names_of_their_own);
  tcase_add_test(t, bytes_that_are_no_origin_are_other);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
