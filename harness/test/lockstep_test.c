/*
 * The lockstep against a fake DUT: what agrees passes, and each kind of difference is caught where it happens.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_dut.h"
#include "report.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN };

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  fake_dut_t *fake;
  stimulus_t stimulus;
} bench_t;

static void open_bench(bench_t *b) {
  char error[128];
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM));
  dut_env_t env = {.mem = world_port(&b->dut_world), .cycle_limit = 1000};
  b->fake = fake_dut()->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(b->fake);
  b->fake->strike_at = UINT64_MAX;
  b->ls.dut = fake_dut();
  b->ls.handle = b->fake;
  b->ls.dut_world = &b->dut_world;
  mmu_config_t config = mmu_default_config();
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
}

static void close_bench(bench_t *b) {
  rig_destroy(&b->rig);
  fake_dut()->close(b->fake);
  world_destroy(&b->dut_world);
}

/* Steps until something differs or n requests are done. Returns true if all agreed. */
static bool drive(bench_t *b, uint64_t seed, uint64_t n) {
  bool agree = stimulus_start(&b->stimulus, &b->rig, seed);
  while (agree && b->stimulus.done < n)
    agree = stimulus_step(&b->stimulus);
  return agree;
}

START_TEST(equal_sides_agree) {
  bench_t b;
  uint64_t paddr;
  open_bench(&b);
  ck_assert(drive(&b, 5, 60000));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_AGREE);
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_ge(b.ls.stats.tlb_hits, 1000);
  close_bench(&b);
}
END_TEST

static void wrong_laddr(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->laddr ^= 1;
}
static void wrong_paddr(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->paddr[0] ^= 0x1000;
}
static void wrong_paddr1(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->paddr[1] ^= 0x1000;
}
static void wrong_fault(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->fault = !r->fault;
}
static void wrong_vector(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->vector ^= 1;
}
static void wrong_error(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->error_code ^= 4;
}
static void wrong_cr2(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->cr2 ^= 8;
}
static void wrong_split(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->split = !r->split;
}
static void wrong_first(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->first ^= 1;
}
static void wrong_size(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->page_size[0] ^= 3;
}
static void wrong_pcd(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->pcd[0] = !r->pcd[0];
}
static void wrong_pwt(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->pwt[1] = !r->pwt[1];
}
static void wrong_descriptor(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->descriptor ^= 1;
}
static void wrong_seg(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->seg.limit ^= 1;
}
static void wrong_usable(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->seg.usable = !r->seg.usable;
}
static void wrong_system(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q, r->system = !r->system;
}

static void wrong_events(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q;
  r->tlb[r->n_tlb++] = (mmu_tlb_event_t){.kind = MMU_TLB_MISS};
}

static void extra_reference(const mmu_req_t *q, mmu_rsp_t *r) {
  (void)q;
  r->mem[r->n_mem++] = (mmu_mem_t){.paddr = 0x1000, .size = 4};
}

static const struct {
  void (*strike)(const mmu_req_t *req, mmu_rsp_t *rsp);
  unsigned difference;
} strikes[] = {
    {wrong_laddr, DIFF_LADDR},
    {wrong_paddr, DIFF_PADDR},
    {wrong_paddr1, DIFF_PADDR},
    {wrong_fault, DIFF_FAULT},
    {wrong_vector, DIFF_VECTOR},
    {wrong_error, DIFF_ERROR_CODE},
    {wrong_cr2, DIFF_CR2},
    {wrong_split, DIFF_SPLIT},
    {wrong_first, DIFF_SPLIT},
    {wrong_size, DIFF_PAGE_SIZE},
    {wrong_pcd, DIFF_MEMORY_TYPE},
    {wrong_pwt, DIFF_MEMORY_TYPE},
    {wrong_descriptor, DIFF_DESCRIPTOR},
    {wrong_seg, DIFF_SEG},
    {wrong_usable, DIFF_SEG},
    {wrong_system, DIFF_SYSTEM},
    {wrong_events, DIFF_TLB},
    {extra_reference, DIFF_MEM},
};

START_TEST(each_difference_is_caught_at_once) {
  bench_t b;
  open_bench(&b);
  b.fake->strike_at = 700;
  b.fake->strike = strikes[_i].strike;
  ck_assert(!drive(&b, 9, 2000));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  ck_assert_uint_eq(b.ls.differences, strikes[_i].difference);
  ck_assert_uint_eq(b.ls.sequence, 700);
  close_bench(&b);
}
END_TEST

START_TEST(hang_and_protocol_are_told_apart) {
  static const dut_status_t statuses[] = {DUT_HANG, DUT_PROTOCOL};
  static const lockstep_state_t states[] = {LOCKSTEP_HANG, LOCKSTEP_PROTOCOL};
  bench_t b;
  open_bench(&b);
  b.fake->strike_at = 50;
  b.fake->status = statuses[_i];
  ck_assert(!drive(&b, 1, 2000));
  ck_assert_int_eq(b.ls.state, states[_i]);
  ck_assert_uint_eq(b.ls.sequence, 50);
  close_bench(&b);
}
END_TEST

/* A device that reports its A/D writes but does not do them: its own later reads, or the images, tell. */
START_TEST(lost_writes_are_caught) {
  bench_t b;
  uint64_t paddr;
  open_bench(&b);
  b.fake->drop_writes = true;
  bool agree = drive(&b, 3, 5000);
  ck_assert(!agree || !world_equal(&b.rig.world, &b.dut_world, &paddr));
  close_bench(&b);
}
END_TEST

/* A store that reaches only one world. */
START_TEST(images_are_compared) {
  bench_t b;
  uint64_t paddr = 0;
  open_bench(&b);
  ck_assert(drive(&b, 3, 1000));
  world_write(&b.dut_world, 0x654321, 1, world_read(&b.rig.world, 0x654321, 1) ^ 0x80);
  ck_assert(!world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_eq(paddr, 0x654321);
  close_bench(&b);
}
END_TEST

/* Both sides walk tables that lie where the map says, each in its own bytes; then RESET takes them back. */
START_TEST(map_and_reset_reach_both_sides) {
  static uint8_t rom[64 << 10];
  bench_t b;
  mmu_rsp_t rsp;
  uint64_t paddr;
  open_bench(&b);
  memmap_t map = {.rom_bytes = sizeof rom, .ram_writes = 1 << 12, .a20 = true};
  rom[0] = 0x03; /* a directory in ROM, its table at 1000H */
  rom[1] = 0x10;
  rig_map(&b.rig, &map);
  rig_load(&b.rig, 0xFFFF0000, rom, sizeof rom);
  rig_store(&b.rig, 0x1000, 4, 0x5003);
  rig_store(&b.rig, 0xF0000, 4, 0xBAD);
  ck_assert(rig_transact(&b.rig, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0xF0000}, &rsp));
  ck_assert(rig_transact(&b.rig, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = 0x80000001}, &rsp));
  mmu_req_t read = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 4, .offset = 0x10};
  ck_assert(rig_transact(&b.rig, &read, &rsp));
  ck_assert_uint_eq(rsp.paddr[0], 0x5010);
  ck_assert_uint_eq(world_read(&b.dut_world, 0xF0000, 4), 0x1003); /* A went to the RAM behind the ROM */
  ck_assert_uint_eq(b.dut_world.bytes[0xF0000], 0x23);
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  b.dut_world.bytes[b.dut_world.size + 0x1234] ^= 1;
  ck_assert(!world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_eq(paddr, 0xFFFF1234);
  rig_reset(&b.rig);
  ck_assert(rig_transact(&b.rig, &read, &rsp));
  ck_assert_uint_eq(rsp.paddr[0], 0x10);
  close_bench(&b);
}
END_TEST

/* Steps n times more. */
static void step(bench_t *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    ck_assert(stimulus_step(&b->stimulus));
}

/* What the guest writes to the origin port holds for what follows, until it writes again or is reset. */
START_TEST(references_are_counted_by_origin) {
  bench_t b;
  const stats_t *s = &b.ls.stats;
  open_bench(&b);
  ck_assert(stimulus_start(&b.stimulus, &b.rig, 4));
  step(&b, 1000);
  ck_assert(!s->tagged);
  ck_assert_uint_eq(stats_share(s, ORIGIN_OTHER).references, s->references);
  const uint64_t other = s->references;
  lockstep_origin(&b.ls, ORIGIN_SLAB);
  ck_assert(s->tagged);
  step(&b, 1000);
  const uint64_t slab = s->references - other;
  lockstep_origin(&b.ls, ORIGIN_SLAB);
  lockstep_origin(&b.ls, 32); /* no origin at all */
  ck_assert_uint_eq(s->origin, ORIGIN_OTHER);
  step(&b, 1000);
  ck_assert_uint_ge(slab, 100);
  ck_assert_uint_eq(stats_share(s, ORIGIN_SLAB).references, slab);
  ck_assert_uint_eq(stats_share(s, ORIGIN_OTHER).references, s->references - slab);
  ck_assert_uint_eq(stats_share(s, ORIGIN_OTHER).faults + stats_share(s, ORIGIN_SLAB).faults, stats_faults(s));
  lockstep_origin(&b.ls, ORIGIN_USER);
  rig_reset(&b.rig);
  ck_assert_uint_eq(s->origin, ORIGIN_OTHER);
  ck_assert(s->tagged);
  close_bench(&b);
}
END_TEST

static char *report_of(bench_t *b, const report_context_t *context) {
  char *text = NULL;
  size_t n = 0;
  FILE *out = open_memstream(&text, &n);
  report_mismatch(out, &b->ls, b->rig.mmu, context);
  report_waveform(out, &b->ls, context);
  fclose(out);
  return text;
}

/* The report names the origin, if the guest ever did. */
START_TEST(report_names_the_origin) {
  const report_context_t context = {.reproduce = "mmu86 fuzz --seed 9", .seed = 9};
  for (unsigned i = 0; i < 2; i++) {
    bench_t b;
    open_bench(&b);
    b.fake->strike_at = 700;
    b.fake->strike = wrong_paddr;
    if (i) lockstep_origin(&b.ls, ORIGIN_KMALLOC);
    ck_assert(!drive(&b, 9, 2000));
    char *text = report_of(&b, &context);
    ck_assert_msg((strstr(text, "\n  origin   kmalloc\n") != NULL) == (i == 1), "%s", text);
    ck_assert_msg((strstr(text, "origin") != NULL) == (i == 1), "%s", text);
    free(text);
    close_bench(&b);
  }
}
END_TEST

static bool no_wave(void *dut, const char *path, char *error, unsigned error_bytes) {
  (void)dut, (void)path, (void)error, (void)error_bytes;
  return false;
}

START_TEST(report_says_what_where_and_how_to_repeat) {
  bench_t b;
  open_bench(&b);
  b.fake->strike_at = 700;
  b.fake->strike = wrong_paddr;
  ck_assert(!drive(&b, 9, 2000));
  const report_context_t context = {
      .reproduce = "mmu86 fuzz --seed 9", .seed = 9, .instruction = "mov eax, [ebx]", .instructions = 1234};
  char *text = report_of(&b, &context);
  ck_assert_msg(strstr(text, "waveform") == NULL, "a waveform that the device cannot write is offered:\n%s", text);
  free(text);
  dut_ops_t with_waves = *b.ls.dut;
  with_waves.wave_open = no_wave;
  b.ls.dut = &with_waves;
  text = report_of(&b, &context);
  static const char *const parts[] = {"MISMATCH at transaction 700",
                                      "physical address differs",
                                      "mmu86 fuzz --seed 9",
                                      "mov eax, [ebx]",
                                      "1234 instructions",
                                      "MODEL",
                                      "DUT",
                                      ">>",
                                      "699",
                                      "685",
                                      "--wave-window 650:60",
                                      "CR0 "};
  for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
    ck_assert_msg(strstr(text, parts[i]) != NULL, "the report lacks \"%s\":\n%s", parts[i], text);
  free(text);
  close_bench(&b);
}
END_TEST

/* The stimulus is only worth something if it reaches what it claims to. */
START_TEST(stimulus_reaches_everything) {
  bench_t b;
  open_bench(&b);
  ck_assert(drive(&b, 2, 200000));
  const stats_t *s = &b.ls.stats;
  ck_assert_uint_ge(s->fetches, 20000);
  ck_assert_uint_ge(s->reads, 20000);
  ck_assert_uint_ge(s->writes, 20000);
  ck_assert_uint_ge(s->system, 5000);
  ck_assert_uint_ge(s->descriptor_loads, 5000);
  ck_assert_uint_ge(s->control, 5000);
  ck_assert_uint_ge(s->tlb_hits, 20000);
  ck_assert_uint_ge(s->tlb_evictions, 2000);
  ck_assert_uint_ge(s->faults[10], 50);    /* #TS */
  ck_assert_uint_ge(s->faults[11], 50);    /* #NP */
  ck_assert_uint_ge(s->faults[12], 50);    /* #SS */
  ck_assert_uint_ge(s->faults[13], 1000);  /* #GP */
  ck_assert_uint_ge(s->faults[14], 10000); /* #PF */
  ck_assert_uint_ge(s->faults[17], 500);   /* #AC */
  close_bench(&b);
}
END_TEST

START_TEST(stimulus_follows_from_its_seed) {
  stats_t stats[3];
  for (unsigned i = 0; i < 3; i++) {
    bench_t b;
    open_bench(&b);
    ck_assert(drive(&b, i == 2 ? 8 : 7, 20000));
    stats[i] = b.ls.stats;
    close_bench(&b);
  }
  ck_assert_int_eq(memcmp(&stats[0], &stats[1], sizeof stats[0]), 0);
  ck_assert_int_ne(memcmp(&stats[0], &stats[2], sizeof stats[0]), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lockstep");
  TCase *t = tcase_create("lockstep");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, equal_sides_agree);
  tcase_add_loop_test(t, each_difference_is_caught_at_once, 0, sizeof strikes / sizeof *strikes);
  tcase_add_loop_test(t, hang_and_protocol_are_told_apart, 0, 2);
  tcase_add_test(t, lost_writes_are_caught);
  tcase_add_test(t, images_are_compared);
  tcase_add_test(t, map_and_reset_reach_both_sides);
  tcase_add_test(t, references_are_counted_by_origin);
  tcase_add_test(t, report_names_the_origin);
  tcase_add_test(t, report_says_what_where_and_how_to_repeat);
  tcase_add_test(t, stimulus_reaches_everything);
  tcase_add_test(t, stimulus_follows_from_its_seed);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
