/*
 * What a run records for pictures: points over time, clock cycles by class, runs of mapped pages.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_dut.h"
#include "mapping.h"
#include "recorder.h"
#include "stimulus.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN };

/* --- time --- */

/* Points at every distance: the sums that are kept are those of their moment, whatever has been dropped. */
START_TEST(points_stay_few_and_true) {
  timeline_t t;
  timeline_start(&t);
  for (uint64_t done = 1; done <= 300000; done++) {
    if (done < t.next) continue;
    const timeline_point_t point = {.tlb_hits = 7 * done, .cycles = done * done};
    timeline_add(&t, &point);
    ck_assert_uint_lt(t.n, TIMELINE_POINTS);
    ck_assert_uint_eq(t.next, (t.n + 1) * t.every);
    if (done >= TIMELINE_POINTS) ck_assert_uint_ge(t.n, TIMELINE_POINTS / 2);
  }
  ck_assert_uint_eq(t.every, 1024);
  ck_assert_uint_eq(t.n, 292);
  for (unsigned i = 0; i < t.n; i++) {
    uint64_t done = (i + 1) * t.every;
    ck_assert_uint_eq(t.point[i].tlb_hits, 7 * done);
    ck_assert_uint_eq(t.point[i].cycles, done * done);
  }
}
END_TEST

/* --- clock cycles --- */

START_TEST(every_number_of_cycles_is_in_its_bin) {
  for (uint64_t cycles = 0; cycles < 1 << 20; cycles += 1 + cycles / 4096) {
    unsigned bin = cycles_bin(cycles);
    ck_assert_uint_lt(bin, CYCLES_BINS);
    ck_assert_uint_le(cycles_first(bin), cycles);
    ck_assert_uint_ge(cycles_last(bin), cycles);
  }
  for (unsigned bin = 1; bin < CYCLES_BINS; bin++)
    ck_assert_uint_eq(cycles_first(bin), cycles_last(bin - 1) + 1);
  ck_assert_uint_eq(cycles_bin(UINT64_MAX), CYCLES_BINS - 1);
  ck_assert_uint_eq(cycles_bin(71), cycles_bin(64));
  ck_assert_uint_ne(cycles_bin(72), cycles_bin(64));
}
END_TEST

static cycles_class_t class_of(mmu_op_t op, const char *events, unsigned references) {
  const mmu_req_t req = {.op = (uint8_t)op};
  mmu_rsp_t rsp = {.n_mem = (uint8_t)references};
  for (; *events; events++)
    rsp.tlb[rsp.n_tlb++].kind = *events == 'h'   ? MMU_TLB_HIT
                                : *events == 'm' ? MMU_TLB_MISS
                                : *events == 'r' ? MMU_TLB_RENEW
                                                 : MMU_TLB_FILL;
  return cycles_class(&req, &rsp);
}

START_TEST(classes_are_told_by_what_the_mmu_did) {
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "h", 0), CYCLES_HIT);
  ck_assert_int_eq(class_of(MMU_OP_SYSTEM, "hh", 0), CYCLES_HIT);
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "mf", 1), CYCLES_WALK_1);
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "m", 2), CYCLES_WALK_2);
  ck_assert_int_eq(class_of(MMU_OP_SYSTEM, "rf", 3), CYCLES_WALK_3);
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "hmf", 4), CYCLES_WALK_4);
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "mfmf", 8), CYCLES_WALK_MORE);
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "", 0), CYCLES_UNTRANSLATED);
  /* A device that tells no events: its references do. */
  ck_assert_int_eq(class_of(MMU_OP_ACCESS, "", 2), CYCLES_WALK_2);
  ck_assert_int_eq(class_of(MMU_OP_SYSTEM, "", 9), CYCLES_WALK_MORE);
  ck_assert_str_eq(cycles_class_name(CYCLES_UNTRANSLATED, true), "untranslated");
  ck_assert_str_eq(cycles_class_name(CYCLES_UNTRANSLATED, false), "no_walk");
  ck_assert_str_eq(cycles_class_name(CYCLES_WALK_2, false), "walk_2");
  ck_assert_int_eq(class_of(MMU_OP_LOAD_SEG, "mf", 4), CYCLES_TABLE);
  ck_assert_int_eq(class_of(MMU_OP_INVLPG, "", 0), CYCLES_CONTROL);
}
END_TEST

/* --- in lockstep --- */

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  recorder_t recorder;
  stimulus_t stimulus;
} bench_t;

/* A device that takes as many cycles as transactions have gone before it. */
static uint64_t growing_cycles(void *dut) {
  const fake_dut_t *fake = dut;
  return fake->transactions * (fake->transactions - 1) / 2;
}

static void open_bench(bench_t *b, dut_ops_t *ops) {
  char error[128];
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM));
  dut_env_t env = {.mem = world_port(&b->dut_world), .cycle_limit = 1000};
  fake_dut_t *fake = fake_dut()->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(fake);
  fake->strike_at = UINT64_MAX;
  *ops = *fake_dut();
  ops->cycles = growing_cycles;
  b->ls.dut = ops;
  b->ls.handle = fake;
  b->ls.dut_world = &b->dut_world;
  mmu_config_t config = mmu_default_config();
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
  recorder_start(&b->recorder, &b->ls, &config, false);
  b->ls.recorder = &b->recorder;
}

static void close_bench(bench_t *b) {
  rig_destroy(&b->rig);
  b->ls.dut->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

START_TEST(a_run_is_recorded_whole) {
  bench_t b;
  dut_ops_t ops;
  open_bench(&b, &ops);
  ck_assert(stimulus_start(&b.stimulus, &b.rig, 3));
  while (b.stimulus.done < 20000)
    ck_assert(stimulus_step(&b.stimulus));
  uint64_t transactions = 0, cycles = 0;
  for (unsigned class = 0; class < CYCLES_CLASSES; class ++) {
    const cycles_share_t *share = &b.recorder.counts.share[class];
    uint64_t binned = 0;
    for (unsigned bin = 0; bin < CYCLES_BINS; bin++)
      binned += share->bin[bin];
    ck_assert_uint_eq(binned, share->transactions);
    transactions += share->transactions;
    cycles += share->cycles;
  }
  ck_assert_uint_eq(transactions, b.ls.sequence);
  ck_assert_uint_eq(cycles, growing_cycles(b.ls.handle));
  ck_assert_uint_ge(b.recorder.counts.share[CYCLES_HIT].transactions, 1000);
  ck_assert_uint_ge(b.recorder.counts.share[CYCLES_WALK_2].transactions, 100);
  const timeline_t *t = &b.recorder.timeline;
  ck_assert_uint_eq(t->every, 64);
  ck_assert_uint_eq(t->n, b.ls.sequence / 64);
  const timeline_point_t now = recorder_now(&b.recorder, &b.ls, b.rig.mmu);
  ck_assert_uint_eq(now.tlb_hits, b.ls.stats.tlb_hits);
  unsigned most_4k = 0, most_4m = 0;
  for (unsigned i = 0; i < t->n; i++) {
    uint64_t done = (i + 1) * t->every;
    ck_assert_uint_eq(t->point[i].cycles, done * (done - 1) / 2);
    if (i) ck_assert_uint_ge(t->point[i].tlb_misses, t->point[i - 1].tlb_misses);
    if (t->point[i].entries_4k > most_4k) most_4k = t->point[i].entries_4k;
    if (t->point[i].entries_4m > most_4m) most_4m = t->point[i].entries_4m;
  }
  ck_assert_uint_ge(most_4k, 10);
  ck_assert_uint_le(most_4k, 32);
  ck_assert_uint_ge(most_4m, 2);
  ck_assert_uint_le(most_4m, 8);
  close_bench(&b);
}
END_TEST

/* --- page tables --- */

enum { DIRECTORY = 0x1000, TABLE = 0x2000, OTHER = 0x3000 };
enum { P = X86_PTE_P, W = X86_PTE_W, U = X86_PTE_U, G = X86_PTE_G, PS = X86_PDE_PS };

static mapping_t mapping;

/* Puts entries into memory, sets the control registers, and reads. */
static void map(const uint32_t (*entries)[2], unsigned n, uint32_t cr0, uint32_t cr4) {
  lockstep_t ls;
  rig_t rig;
  mmu_rsp_t rsp;
  mmu_config_t config = mmu_default_config();
  lockstep_init(&ls);
  ck_assert(rig_create(&rig, &ls, &config, RAM));
  for (unsigned i = 0; i < n; i++)
    rig_store(&rig, entries[i][0], 4, entries[i][1]);
  const uint32_t values[][2] = {{3, DIRECTORY}, {4, cr4}, {0, cr0}};
  for (unsigned i = 0; i < 3; i++) {
    const mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = (uint8_t)values[i][0], .data = values[i][1]};
    ck_assert(rig_transact(&rig, &req, &rsp));
  }
  mapping_read(&mapping, rig.mmu, &rig.world);
  rig_destroy(&rig);
}

static void is_run(unsigned i, mapping_run_t want) {
  const mapping_run_t *got = &mapping.run[i];
  ck_assert_uint_lt(i, mapping.n);
  ck_assert_uint_eq(got->laddr, want.laddr);
  ck_assert_uint_eq(got->paddr, want.paddr);
  ck_assert_uint_eq(got->table, want.table);
  ck_assert_uint_eq(got->pages, want.pages);
  ck_assert_uint_eq(got->pieces, want.pieces);
  ck_assert_int_eq(got->large, want.large);
  ck_assert_int_eq(got->user, want.user);
  ck_assert_int_eq(got->writable, want.writable);
  ck_assert_int_eq(got->global, want.global);
}

static const uint32_t PAGING = X86_CR0_PE | X86_CR0_PG;

START_TEST(pages_are_runs) {
  static const uint32_t entries[][2] = {
      {DIRECTORY + 4 * 0, TABLE | P | W | U},
      {DIRECTORY + 4 * 1, OTHER | P | U}, /* read-only for all of its pages */
      {DIRECTORY + 4 * 768, 0x00400000 | P | W | PS | G},
      {DIRECTORY + 4 * 769, 0x00800000 | P | W | PS | G},
      {DIRECTORY + 4 * 770, 0x00000000 | P | W | PS | G},
      {TABLE + 4 * 5, 0x00010000 | P | W | U},
      {TABLE + 4 * 6, 0x00011000 | P | W | U},
      {TABLE + 4 * 7, 0x00044000 | P | W | U}, /* the frame is elsewhere */
      {TABLE + 4 * 8, 0x00045000 | P | U},
      {TABLE + 4 * 10, 0x00046000 | P | U}, /* a hole before it */
      {TABLE + 4 * 11, 0x00047000 | U},     /* not present */
      {TABLE + 4 * 1023, 0x00050000 | P | W | G},
      {OTHER + 4 * 0, 0x00051000 | P | W | G}, /* side by side, in another table */
  };
  map(entries, sizeof entries / sizeof *entries, PAGING, X86_CR4_PSE | X86_CR4_PGE);
  ck_assert(mapping.paging);
  ck_assert_uint_eq(mapping.directory, DIRECTORY);
  ck_assert_uint_eq(mapping.tables, 2);
  ck_assert_uint_eq(mapping.pages_4k, 7);
  ck_assert_uint_eq(mapping.pages_4m, 3);
  ck_assert_uint_eq(mapping.n, 6);
  is_run(0, (mapping_run_t){0x5000, 0x10000, TABLE, 3, 2, false, true, true, false});
  is_run(1, (mapping_run_t){0x8000, 0x45000, TABLE, 1, 1, false, true, false, false});
  is_run(2, (mapping_run_t){0xA000, 0x46000, TABLE, 1, 1, false, true, false, false});
  is_run(3, (mapping_run_t){0x3FF000, 0x50000, TABLE, 1, 1, false, false, true, true});
  is_run(4, (mapping_run_t){0x400000, 0x51000, OTHER, 1, 1, false, false, false, true});
  is_run(5, (mapping_run_t){0xC0000000, 0x400000, 0, 3, 2, true, false, true, true});
}
END_TEST

/* Without CR4.PSE a directory entry's PS does not count, without CR4.PGE no page is global. */
START_TEST(control_registers_decide) {
  static const uint32_t entries[][2] = {{DIRECTORY, TABLE | P | W | PS}, {TABLE, 0x7000 | P | W | G}};
  map(entries, 2, PAGING, 0);
  ck_assert_uint_eq(mapping.n, 1);
  is_run(0, (mapping_run_t){0, 0x7000, TABLE, 1, 1, false, false, true, false});
  map(entries, 2, X86_CR0_PE, X86_CR4_PSE);
  ck_assert(!mapping.paging);
  ck_assert_uint_eq(mapping.n, 0);
}
END_TEST

/* Every second page of five tables: there are more runs than room. */
START_TEST(what_has_no_room_is_counted) {
  static uint32_t entries[1024][2];
  for (unsigned i = 0; i < 512; i++) {
    entries[i][0] = TABLE + 8 * i;
    entries[i][1] = 0x10000 | P;
    entries[512 + i][0] = DIRECTORY + 4 * i;
    entries[512 + i][1] = i < 5 ? TABLE | P : 0;
  }
  map((const uint32_t(*)[2])entries, 1024, PAGING, 0);
  ck_assert_uint_eq(mapping.n, MAPPING_RUNS);
  ck_assert_uint_eq(mapping.left_out, 5 * 512 - MAPPING_RUNS);
  ck_assert_uint_eq(mapping.pages_4k, 5 * 512);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("recorder");
  TCase *tcase = tcase_create("recorder");
  tcase_add_test(tcase, points_stay_few_and_true);
  tcase_add_test(tcase, every_number_of_cycles_is_in_its_bin);
  tcase_add_test(tcase, classes_are_told_by_what_the_mmu_did);
  tcase_add_test(tcase, a_run_is_recorded_whole);
  tcase_add_test(tcase, pages_are_runs);
  tcase_add_test(tcase, control_registers_decide);
  tcase_add_test(tcase, what_has_no_room_is_counted);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
