/*
 * Functional coverage: a request hits exactly the bins that it stands for, files add up, what is declared unreachable
 * accuses, every hole is steered at.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coverage_report.h"
#include "stimulus_steer.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN };

typedef struct {
  lockstep_t ls;
  rig_t rig;
  stimulus_t stimulus;
} bench_t;

static void open_bench(bench_t *b, const coverage_group_t *const *groups, unsigned n) {
  mmu_config_t config = mmu_default_config();
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
  b->ls.coverage = coverage_create(groups, n, &config);
  ck_assert_ptr_nonnull(b->ls.coverage);
  coverage_set_world(b->ls.coverage, &b->rig.world);
}

static void open_full(bench_t *b) {
  open_bench(b, coverage_groups, coverage_group_count);
}

static void close_bench(bench_t *b) {
  coverage_destroy(b->ls.coverage);
  rig_destroy(&b->rig);
}

static void send(bench_t *b, mmu_req_t req) {
  mmu_rsp_t rsp;
  ck_assert(rig_transact(&b->rig, &req, &rsp));
}

static uint64_t hits_of(const coverage_t *c, const char *group, const char *name) {
  char buf[COVERAGE_NAME];
  unsigned number = coverage_find(c, group);
  ck_assert_uint_lt(number, coverage_n_groups(c));
  for (unsigned i = 0; i < coverage_bins(c); i++)
    if (coverage_bin(c, i).group == number && strcmp(coverage_bin_name(c, i, buf), name) == 0)
      return coverage_bin(c, i).hits;
  ck_abort_msg("%s has no bin \"%s\"", group, name);
  return 0;
}

static unsigned bins_hit(const coverage_t *c) {
  unsigned n = 0;
  for (unsigned i = 0; i < coverage_bins(c); i++)
    n += coverage_bin(c, i).hits > 0;
  return n;
}

/* A file name that is nobody else's. */
static char *file_name(char *buf, size_t room, const char *what) {
  snprintf(buf, room, "coverage_test.%d.%s.json", (int)getpid(), what);
  return buf;
}

/* --- sampling --- */

START_TEST(a_read_in_real_mode_hits_exactly_its_bins) {
  bench_t b;
  open_full(&b);
  send(&b, (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 2, .offset = 0xFFFE});
  ck_assert_uint_eq(hits_of(b.ls.coverage, "operation", "real, paging off, read, done"), 1);
  ck_assert_uint_eq(hits_of(b.ls.coverage, "segment", "real, DS, read, up: last byte at the limit"), 1);
  ck_assert_uint_eq(bins_hit(b.ls.coverage), 2);
  close_bench(&b);
}
END_TEST

START_TEST(a_fault_hits_exactly_its_bins) {
  bench_t b;
  open_full(&b);
  send(&b, (mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_SS, .size = 2, .offset = 0xFFFF, .ext = true});
  ck_assert_uint_eq(hits_of(b.ls.coverage, "operation", "real, paging off, read, fault"), 1);
  ck_assert_uint_eq(hits_of(b.ls.coverage, "segment", "real, SS, read, up: last byte beyond it"), 1);
  ck_assert_uint_eq(hits_of(b.ls.coverage, "fault", "ACCESS, #SS, EXT 1"), 1);
  ck_assert_uint_eq(bins_hit(b.ls.coverage), 3);
  close_bench(&b);
}
END_TEST

/* Linear address 0 is mapped by a PDE at 1000H and a PTE at 2000H; both are accessed, and U and W. */
static void turn_paging_on(bench_t *b) {
  rig_store(&b->rig, 0x1000, 4, 0x2000 | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A);
  rig_store(&b->rig, 0x2000, 4, 0x3000 | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A);
  send(b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000});
  send(b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG | X86_CR0_ET});
}

START_TEST(a_walk_and_a_hit_are_told_apart) {
  bench_t b;
  open_full(&b);
  turn_paging_on(&b);
  mmu_req_t read = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .cpl = 3, .offset = 0x10};
  send(&b, read);
  const coverage_t *c = b.ls.coverage;
  ck_assert_uint_eq(hits_of(c, "walk", "read, 4 KiB, nothing to set, after a miss"), 1);
  ck_assert_uint_eq(hits_of(c, "rights", "PDE UW PTE UW, read, user, WP 0, SMEP 0, SMAP 0, AC 0, translated"), 1);
  ck_assert_uint_eq(hits_of(c, "accessed_dirty", "4 KiB, PDE A 1, A 1 D 0, read, translated"), 1);
  ck_assert_uint_eq(hits_of(c, "tlb_small", "set 0, way 0, filled while invalid"), 1);
  ck_assert_uint_eq(hits_of(c, "lookup", "none, MISS, read"), 1);
  send(&b, read);
  ck_assert_uint_eq(hits_of(c, "walk", "read, 4 KiB, nothing to set, after a miss"), 1);
  ck_assert_uint_eq(hits_of(c, "lookup", "4 KiB, HIT 4 KiB, read"), 1);
  ck_assert_uint_eq(hits_of(c, "tlb_small", "set 0, way 0, read"), 1);
  read.access = MMU_WRITE;
  send(&b, read);
  ck_assert_uint_eq(hits_of(c, "renew", "4 KiB entry, D = 0 for a write, 4 KiB filled"), 1);
  ck_assert_uint_eq(hits_of(c, "walk", "write, 4 KiB, PTE written, after RENEW"), 1);
  close_bench(&b);
}
END_TEST

START_TEST(without_coverage_the_same_happens) {
  bench_t with, without;
  open_full(&with);
  open_full(&without);
  coverage_destroy(without.ls.coverage);
  without.ls.coverage = NULL;
  bool agree = stimulus_start(&with.stimulus, &with.rig, 7) && stimulus_start(&without.stimulus, &without.rig, 7);
  while (agree && with.stimulus.done < 30000)
    agree = stimulus_step(&with.stimulus) && stimulus_step(&without.stimulus);
  ck_assert(agree);
  uint64_t paddr;
  ck_assert(world_equal(&with.rig.world, &without.rig.world, &paddr));
  ck_assert_uint_eq(with.ls.stats.walks, without.ls.stats.walks);
  close_bench(&with);
  close_bench(&without);
}
END_TEST

/* --- groups of our own --- */

static const char *const sides[] = {"left", "right"};
static const coverage_dim_t planted_dims[] = {{"side", sides, 2, COVERAGE_VALUES, NULL},
                                              {"n", NULL, 3, COVERAGE_VALUES, NULL}};

static const char *planted_unreachable(const unsigned *at) {
  return at[0] == 1 && at[1] == 2 ? "nobody is there" : NULL;
}

/* Sampled from elsewhere, as a group of overlapping traffic is. */
static const coverage_group_t planted = {
    "planted", "a group without transactions", planted_dims, 2, planted_unreachable, NULL};
static const coverage_group_t *const planted_groups[] = {&planted};

START_TEST(a_bin_that_is_not_hit_is_a_hole_by_name) {
  bench_t b;
  open_bench(&b, planted_groups, 1);
  coverage_t *c = b.ls.coverage;
  for (unsigned i = 0; i < 5; i++)
    if (i != 1) coverage_hit(c, coverage_find(c, "planted"), (unsigned[]){i / 3, i % 3});
  coverage_count_t count = coverage_count(c, coverage_n_groups(c));
  ck_assert_uint_eq(count.bins, 5);
  ck_assert_uint_eq(count.hit, 4);
  ck_assert_uint_eq(count.unreachable, 1);
  ck_assert(coverage_is_hole(c, 1));
  char text[1024] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  coverage_print(out, c, true);
  fclose(out);
  ck_assert_ptr_nonnull(strstr(text, "hole: planted: left, n 1\n"));
  ck_assert_ptr_nonnull(strstr(text, "80.00%"));
  close_bench(&b);
}
END_TEST

START_TEST(an_unreachable_bin_that_is_hit_accuses) {
  bench_t b;
  open_bench(&b, planted_groups, 1);
  char text[256] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  ck_assert_uint_eq(coverage_print_violations(out, b.ls.coverage), 0);
  coverage_hit(b.ls.coverage, 0, (unsigned[]){1, 2});
  ck_assert_uint_eq(coverage_print_violations(out, b.ls.coverage), 1);
  fclose(out);
  ck_assert_ptr_nonnull(strstr(text, "planted: right, n 2"));
  ck_assert_ptr_nonnull(strstr(text, "nobody is there"));
  ck_assert_uint_eq(coverage_count(b.ls.coverage, 0).violated, 1);
  close_bench(&b);
}
END_TEST

/* Planted: responses that the real ones never are hit unreachable bins of the real model. */
START_TEST(a_wrong_mmu_hits_unreachable_bins) {
  bench_t b;
  open_full(&b);
  turn_paging_on(&b);
  mmu_req_t read = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .cpl = 3, .offset = 0x10};
  mmu_rsp_t rsp;
  rig_store(&b.rig, 0x2000, 4, 0x3000 | X86_PTE_P | X86_PTE_W | X86_PTE_A); /* the supervisor's */
  coverage_before(b.ls.coverage, b.rig.mmu);
  mmu_transact(b.rig.mmu, &read, &rsp);
  ck_assert(rsp.fault);
  mmu_rsp_t lenient = rsp;
  lenient.fault = false;
  lenient.tlb[lenient.n_tlb++] = (mmu_tlb_event_t){.kind = MMU_TLB_FILL};
  coverage_after(b.ls.coverage, b.rig.mmu, &read, &rsp);
  ck_assert_uint_eq(coverage_count(b.ls.coverage, coverage_n_groups(b.ls.coverage)).violated, 0);
  coverage_after(b.ls.coverage, b.rig.mmu, &read, &lenient);
  ck_assert_uint_eq(
      hits_of(b.ls.coverage, "rights", "PDE UW PTE -W, read, user, WP 0, SMEP 0, SMAP 0, AC 0, translated"), 1);
  ck_assert_uint_ge(coverage_count(b.ls.coverage, coverage_n_groups(b.ls.coverage)).violated, 1);
  close_bench(&b);
}
END_TEST

/* --- files --- */

static char *read_whole(const char *path) {
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  char *text = calloc(1, 1 << 20);
  ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
  fclose(file);
  return text;
}

/* Random requests, then their coverage in a file. */
static void cover(const char *path, uint64_t seed) {
  bench_t b;
  char error[256];
  open_full(&b);
  bool agree = stimulus_start(&b.stimulus, &b.rig, seed);
  while (agree && b.stimulus.done < 20000)
    agree = stimulus_step(&b.stimulus);
  ck_assert_msg(coverage_write_file(b.ls.coverage, path, error, sizeof error), "%s", error);
  close_bench(&b);
}

START_TEST(files_add_up) {
  char one[64], two[64], error[256];
  cover(file_name(one, sizeof one, "one"), 1);
  cover(file_name(two, sizeof two, "two"), 2);
  coverage_t *a = coverage_create_for(one, error, sizeof error), *b = coverage_create_for(one, error, sizeof error);
  coverage_t *both = coverage_create_for(one, error, sizeof error);
  ck_assert(coverage_merge_file(a, one, error, sizeof error) && coverage_merge_file(b, two, error, sizeof error));
  ck_assert(coverage_merge_file(both, one, error, sizeof error) && coverage_merge_file(both, two, error, sizeof error));
  for (unsigned i = 0; i < coverage_bins(both); i++)
    ck_assert_uint_eq(coverage_bin(both, i).hits, coverage_bin(a, i).hits + coverage_bin(b, i).hits);
  ck_assert_uint_eq(coverage_transactions(both), coverage_transactions(a) + coverage_transactions(b));
  ck_assert_uint_gt(bins_hit(both), bins_hit(a));
  coverage_destroy(a), coverage_destroy(b), coverage_destroy(both);
  remove(one), remove(two);
}
END_TEST

START_TEST(the_same_seed_writes_the_same_bytes) {
  char one[64], two[64];
  cover(file_name(one, sizeof one, "one"), 5);
  cover(file_name(two, sizeof two, "two"), 5);
  char *a = read_whole(one), *b = read_whole(two);
  ck_assert_str_eq(a, b);
  free(a), free(b);
  remove(one), remove(two);
}
END_TEST

/* What stands in a bad file, and what the complaint says. Nothing of it is added. */
START_TEST(bad_files_are_refused_whole) {
  static const char head[] = "{\"format\": \"mmu86 functional coverage 1\", \"transactions\": 1, ";
  static const struct {
    const char *tlb, *groups, *complaint;
  } bad[] = {
      {"8", "{\"no such group\": {}}", "no group"},
      {"8", "{\"commit_seg\": {\"CS, usable\": 3, \"XX, usable\": 1}}", "XX, usable"},
      {"8", "{\"commit_seg\": {\"CS, usable\": -3}}", "CS, usable"},
      {"8", "{\"commit_seg\": 4}", "no group"},
      {"4", "{\"commit_seg\": {\"CS, usable\": 3}}", "geometry"},
      {"8", "{\"commit_seg\": {\"CS, usable\": 3}", "not a coverage file"},
  };
  char path[64], error[256];
  mmu_config_t config = mmu_default_config();
  coverage_t *c = coverage_create(coverage_groups, coverage_group_count, &config);
  file_name(path, sizeof path, "bad");
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    FILE *file = fopen(path, "w");
    fprintf(file, "%s\"tlb\": {\"sets\": %s, \"ways\": 4, \"large\": 8}, \"groups\": %s}\n", head, bad[i].tlb,
            bad[i].groups);
    fclose(file);
    ck_assert(!coverage_merge_file(c, path, error, sizeof error));
    ck_assert_msg(strstr(error, bad[i].complaint) != NULL, "%s", error);
    ck_assert_ptr_nonnull(strstr(error, path));
    ck_assert_uint_eq(bins_hit(c), 0);
  }
  remove(path);
  ck_assert(!coverage_merge_file(c, path, error, sizeof error));
  coverage_destroy(c);
}
END_TEST

/* --- steering --- */

START_TEST(every_recipe_reaches_its_bin_and_no_unreachable_one) {
  bench_t b;
  char name[COVERAGE_NAME];
  open_full(&b);
  coverage_t *c = b.ls.coverage;
  ck_assert(stimulus_start(&b.stimulus, &b.rig, 3));
  for (unsigned i = 0; i < coverage_bins(c); i++) {
    coverage_bin_t bin = coverage_bin(c, i);
    if (bin.unreachable || i % 7 != (unsigned)_i) continue;
    if (!coverage_group(c, bin.group)->sample) continue; /* not sampled from transactions */
    ck_assert_msg(stimulus_steer_knows(coverage_group(c, bin.group)->name), "%s has no recipe",
                  coverage_group(c, bin.group)->name);
    ck_assert(stimulus_steer_bin(&b.stimulus, i));
    ck_assert_msg(coverage_bin(c, i).hits > bin.hits, "%s: %s: the recipe misses it",
                  coverage_group(c, bin.group)->name, coverage_bin_name(c, i, name));
  }
  ck_assert_uint_eq(coverage_print_violations(stderr, c), 0);
  close_bench(&b);
}
END_TEST

START_TEST(holes_close_by_feedback) {
  bench_t b;
  unsigned next = 0;
  open_full(&b);
  coverage_t *c = b.ls.coverage;
  ck_assert(stimulus_start(&b.stimulus, &b.rig, 11));
  for (unsigned i = 0; i < 5000; i++)
    ck_assert(stimulus_step(&b.stimulus));
  coverage_count_t before = coverage_count(c, coverage_n_groups(c));
  ck_assert_uint_lt(before.hit, before.bins);
  ck_assert(stimulus_steer(&b.stimulus, &next, before.bins));
  for (unsigned group = 0; group < coverage_n_groups(c); group++) {
    coverage_count_t after = coverage_count(c, group);
    if (coverage_group(c, group)->sample) ck_assert_uint_eq(after.hit, after.bins);
  }
  for (unsigned i = 0; i < 5000; i++) /* and random requests go on */
    ck_assert(stimulus_step(&b.stimulus));
  ck_assert_uint_eq(coverage_print_violations(stderr, c), 0);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coverage");
  TCase *sampling = tcase_create("sampling"), *files = tcase_create("files"), *steering = tcase_create("steering");
  tcase_add_test(sampling, a_read_in_real_mode_hits_exactly_its_bins);
  tcase_add_test(sampling, a_fault_hits_exactly_its_bins);
  tcase_add_test(sampling, a_walk_and_a_hit_are_told_apart);
  tcase_add_test(sampling, without_coverage_the_same_happens);
  tcase_add_test(sampling, a_bin_that_is_not_hit_is_a_hole_by_name);
  tcase_add_test(sampling, an_unreachable_bin_that_is_hit_accuses);
  tcase_add_test(sampling, a_wrong_mmu_hits_unreachable_bins);
  tcase_add_test(files, files_add_up);
  tcase_add_test(files, the_same_seed_writes_the_same_bytes);
  tcase_add_test(files, bad_files_are_refused_whole);
  tcase_add_loop_test(steering, every_recipe_reaches_its_bin_and_no_unreachable_one, 0, 7);
  tcase_add_test(steering, holes_close_by_feedback);
  suite_add_tcase(suite, sampling);
  suite_add_tcase(suite, files);
  suite_add_tcase(suite, steering);
  tcase_set_timeout(files, 120);
  tcase_set_timeout(sampling, 120);
  tcase_set_timeout(steering, 300);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
