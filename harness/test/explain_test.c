/*
 * The explainer in lockstep with the reference, as if it were a device: everything that it says comes out must come
 * out. It carries its own state from RESET on and never looks at the reference's; so a rule that it has wrong, and one
 * that the reference has wrong, both stop the stream.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "explainer_dut.h"
#include "report.h"
#include "stimulus.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN, REASONS = MMU_LOAD_SWITCH_DATA + 1 };

/* What has been seen of a stream. */
typedef struct {
  uint64_t passed[CHECK_COUNT], failed[CHECK_COUNT], unreached;
  uint64_t loads[REASONS][2]; /* LOAD_SEG: by reason, without and with a fault */
} seen_t;

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  explainer_t *explainer;
  explain_follow_t follow;
  stimulus_t stimulus;
  seen_t seen;
} bench_t;

static bench_t *bench; /* the one that is open */

static void count_steps(seen_t *seen, const explanation_t *e) {
  for (unsigned i = 0; i < e->n_steps; i++) {
    const explain_step_t *step = &e->step[i];
    if (step->result == STEP_PASSES) seen->passed[step->check]++;
    if (step->result == STEP_FAILS) seen->failed[step->check]++;
    if (step->result == STEP_NOT_REACHED) seen->unreached++;
  }
  if (e->req.op == MMU_OP_LOAD_SEG) seen->loads[e->req.reason][e->rsp.fault]++;
}

static dut_status_t transact(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = explainer_dut()->transact(dut, req, rsp);
  count_steps(&bench->seen, &bench->explainer->explanation);
  return status;
}

static void open_bench(bench_t *b, const mmu_config_t *config) {
  static dut_ops_t ops;
  char error[128];
  memset(b, 0, sizeof *b);
  bench = b;
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM));
  dut_env_t env = {.mem = world_port(&b->dut_world)};
  ops = *explainer_dut();
  ops.transact = transact;
  b->explainer = ops.open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(b->explainer);
  b->explainer->config = *config;
  ops.reset(b->explainer);
  b->ls.dut = &ops;
  b->ls.handle = b->explainer;
  b->ls.dut_world = &b->dut_world;
  ck_assert(rig_create(&b->rig, &b->ls, config, RAM));
  explain_follow_reset(&b->follow, config);
}

static void close_bench(bench_t *b) {
  explainer_dut()->close(b->explainer);
  rig_destroy(&b->rig);
  world_destroy(&b->dut_world);
}

static bool drive(bench_t *b, uint64_t seed, uint64_t n) {
  bool agree = stimulus_start(&b->stimulus, &b->rig, seed);
  while (agree && b->stimulus.done < n)
    agree = stimulus_step(&b->stimulus);
  return agree;
}

static void must_agree(bench_t *b, uint64_t seed, uint64_t n) {
  uint64_t paddr;
  if (!drive(b, seed, n)) {
    const report_context_t context = {.reproduce = "explain_test", .seed = seed};
    report_mismatch(stderr, &b->ls, b->rig.mmu, &context);
    ck_abort_msg("the explainer and the reference differ");
  }
  ck_assert(world_equal(&b->rig.world, &b->dut_world, &paddr));
}

/* 600,000 transactions of several seeds; each check is seen to pass and to fail. */
START_TEST(the_explainer_agrees_with_the_reference) {
  mmu_config_t config = mmu_default_config();
  bench_t b;
  uint64_t passed[CHECK_COUNT] = {0}, failed[CHECK_COUNT] = {0}, loads[REASONS][2] = {{0}};
  for (uint64_t seed = 1; seed <= 6; seed++) {
    open_bench(&b, &config);
    must_agree(&b, seed, 100000);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
      passed[i] += b.seen.passed[i];
      failed[i] += b.seen.failed[i];
    }
    for (unsigned i = 0; i < REASONS; i++)
      for (unsigned fault = 0; fault < 2; fault++)
        loads[i][fault] += b.seen.loads[i][fault];
    ck_assert_uint_gt(b.seen.unreached, 1000);
    close_bench(&b);
  }
  for (unsigned i = CHECK_NONE + 1; i < CHECK_COUNT; i++) {
    if (i == CHECK_PTE_RESERVED) continue; /* with pat_reserved only */
    ck_assert_msg(passed[i] > 0 && failed[i] > 0, "check %u: passed %llu times, failed %llu", i,
                  (unsigned long long)passed[i], (unsigned long long)failed[i]);
  }
  for (unsigned i = 0; i < REASONS; i++)
    ck_assert_msg(loads[i][0] && loads[i][1], "LOAD_SEG reason %u: %llu without fault, %llu with one", i,
                  (unsigned long long)loads[i][0], (unsigned long long)loads[i][1]);
}
END_TEST

/* Every "may" choice, and other geometries of the TLB. */
static const mmu_config_t configs[] = {
    {.tlb_sets = 2, .tlb_ways = 2, .tlb_large = 1},
    {.tlb_sets = 1, .tlb_ways = 1, .tlb_large = 1, .limit_wraps = true},
    {.tlb_sets = 8, .tlb_ways = 4, .tlb_large = 8, .accessed_on_fault = true},
    {.tlb_sets = 8, .tlb_ways = 4, .tlb_large = 8, .pat_reserved = true},
    {.tlb_sets = 64,
     .tlb_ways = 8,
     .tlb_large = 32,
     .limit_wraps = true,
     .accessed_on_fault = true,
     .pat_reserved = true},
    {.tlb_sets = 0, .tlb_ways = 1, .tlb_large = 1},
    {.tlb_sets = 8, .tlb_ways = 4, .tlb_large = 8, .cr4_absent = X86_CR4_PSE | X86_CR4_SMEP},
    {.tlb_sets = 0, .tlb_ways = 8, .tlb_large = 32, .accessed_on_fault = true},
};

START_TEST(choices_and_geometries) {
  bench_t b;
  open_bench(&b, &configs[_i]);
  must_agree(&b, 20 + (uint64_t)_i, 60000);
  if (configs[_i].pat_reserved) {
    ck_assert_uint_gt(b.seen.passed[CHECK_PTE_RESERVED], 0);
    ck_assert_uint_gt(b.seen.failed[CHECK_PTE_RESERVED], 0);
  }
  close_bench(&b);
}
END_TEST

/* Directories that map themselves, and descriptors that are their entries: updates are lost. */
enum { TABLES = 0x10000, N_TABLES = 3, ENTRIES = 8 };

static void random_tables(bench_t *b, rng_t *rng) {
  for (unsigned table = 0; table < N_TABLES; table++)
    for (unsigned i = 0; i < ENTRIES; i++) {
      uint32_t frame = TABLES + MMU_PAGE_BYTES * rng_below(rng, N_TABLES + 1);
      uint32_t flags = (uint32_t)rng_next(rng) & (X86_PTE_W | X86_PTE_U | X86_PTE_PWT | X86_PTE_PCD | X86_PTE_G);
      if (rng_chance(rng, 50)) flags &= X86_PTE_PWT; /* byte 5 of a TSS descriptor, if bit 7 is set */
      if (rng_chance(rng, 50)) flags |= X86_PTE_PAT;
      if (rng_chance(rng, 97)) flags |= X86_PTE_P;
      rig_store(&b->rig, TABLES + MMU_PAGE_BYTES * table + 4 * i, 4, frame | flags);
    }
}

static bool send(bench_t *b, mmu_req_t req, uint64_t lost[4]) {
  mmu_rsp_t rsp;
  bool agree = rig_transact(&b->rig, &req, &rsp);
  for (unsigned i = 0; i < rsp.n_mem; i++)
    lost[rsp.mem[i].kind] += rsp.mem[i].lost;
  return agree;
}

static bool send_in_tables(bench_t *b, rng_t *rng, uint64_t lost[4]) {
  uint32_t i = rng_below(rng, ENTRIES), j = rng_chance(rng, 50) ? i : rng_below(rng, ENTRIES);
  uint32_t entry = i << 22 | j << 12 | 4 * (rng_chance(rng, 50) ? i : rng_below(rng, ENTRIES));
  bool agree = true;
  switch (rng_below(rng, 4)) {
  case 0: /* of which the selector 8 names byte 5 */
    agree =
        send(b, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = entry - 5u - 8u, .data = 15}, lost);
    return agree &&
           send(b,
                rng_chance(rng, 50)
                    ? (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_TR, .reason = MMU_LOAD_TASK, .selector = 8}
                    : (mmu_req_t){.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_DS, .selector = 8},
                lost);
  case 1:
    return send(b, (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = 8, .data = rng_below(rng, 2)}, lost);
  case 2:
    return send(b, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = entry}, lost);
  default:
    return send(b,
                (mmu_req_t){.op = MMU_OP_SYSTEM,
                            .seg = MMU_SEG_LINEAR,
                            .access = rng_chance(rng, 50) ? MMU_WRITE : MMU_READ,
                            .size = (uint8_t)(1 + rng_below(rng, 8)),
                            .offset = entry},
                lost);
  }
}

START_TEST(lost_updates) {
  bench_t b;
  mmu_config_t config = configs[_i];
  rng_t rng = {40 + (uint64_t)_i};
  uint64_t lost[4] = {0}, paddr;
  open_bench(&b, &config);
  bool agree = true;
  for (unsigned round = 0; agree && round < 4000; round++) {
    uint32_t cr0 = X86_CR0_PE | X86_CR0_PG | (rng_chance(&rng, 30) ? X86_CR0_WP : 0);
    random_tables(&b, &rng);
    agree =
        send(&b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 4, .data = rng_chance(&rng, 20) ? X86_CR4_PSE : 0}, lost) &&
        send(&b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = TABLES}, lost) &&
        send(&b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = cr0}, lost);
    for (unsigned i = 0; agree && i < 10; i++)
      agree = send_in_tables(&b, &rng, lost);
  }
  if (!agree) {
    const report_context_t context = {.reproduce = "explain_test", .seed = 40};
    report_mismatch(stderr, &b.ls, b.rig.mmu, &context);
    ck_abort_msg("the explainer and the reference differ");
  }
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  if (!config.accessed_on_fault) ck_assert_uint_gt(lost[MMU_MEM_PTE], 100); /* else A is set before it is read */
  ck_assert_uint_gt(lost[MMU_MEM_DESCRIPTOR], 10);
  close_bench(&b);
}
END_TEST

/* Where memory is not plain: masked addresses, ROM, regions that drop writes. */
static const memmap_t maps[] = {
    {0, MEMMAP_ALL_REGIONS, MEMMAP_ALL_REGIONS, false},
    {MEMMAP_ROM_MAX, 0x0155, 0x0f0f, true},
    {MEMMAP_ROM_UNIT, 0, 0, false},
};

START_TEST(memory_maps) {
  mmu_config_t config = mmu_default_config();
  bench_t b;
  open_bench(&b, &config);
  must_agree(&b, 40, 2000);
  /* Each page of the regions is a directory and a table that maps itself everywhere, with nothing accessed yet. */
  for (uint32_t at = 0xc0000; at < 0x100000; at += 4)
    rig_store(&b.rig, at, 4, (at & 0xff000) | 0x07);
  rig_map(&b.rig, &maps[_i]);
  mmu_req_t directory = {.op = MMU_OP_WRITE_CR, .cr = 3}, req = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 8};
  mmu_rsp_t rsp;
  for (unsigned i = 0; i < 3000; i++) {
    directory.data = 0xc0000 + (rng_below(&b.stimulus.rng, 64) << 12);
    if (rng_chance(&b.stimulus.rng, 50)) directory.data |= MEMMAP_A20;
    ck_assert(stimulus_send(&b.stimulus, &directory, &rsp));
    req.access = rng_chance(&b.stimulus.rng, 50) ? MMU_WRITE : MMU_READ;
    req.offset = (uint32_t)rng_next(&b.stimulus.rng);
    if (rng_chance(&b.stimulus.rng, 50)) req.offset |= 0xffc;
    if (rng_chance(&b.stimulus.rng, 30)) /* one entry is both levels', perhaps by two addresses */
      req.offset = (req.offset & 0xffc00fff) | (req.offset >> 22) << 12;
    ck_assert_msg(stimulus_send(&b.stimulus, &req, &rsp), "request %u", i);
  }
  uint64_t paddr;
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_gt(b.ls.stats.walks, 1000);
  close_bench(&b);
}
END_TEST

/* What cannot be read back from the reference is followed rightly, and the rest is read rightly. */
static bool same_entry(const mmu_tlb_view_t *a, const mmu_tlb_view_t *b) {
  return a->valid == b->valid && a->large == b->large && a->global == b->global && a->user == b->user &&
         a->writable == b->writable && a->dirty == b->dirty && a->pcd == b->pcd && a->pwt == b->pwt &&
         a->laddr == b->laddr && a->paddr == b->paddr;
}

static bool same_state(const explain_state_t *a, const explain_state_t *b) {
  bool same = a->cr0 == b->cr0 && a->cr3 == b->cr3 && a->cr4 == b->cr4 && a->gdtr.base == b->gdtr.base &&
              a->gdtr.limit == b->gdtr.limit && a->idtr.base == b->idtr.base && a->idtr.limit == b->idtr.limit &&
              memcmp(&a->plru, &b->plru, sizeof a->plru) == 0;
  for (unsigned i = 0; i < MMU_SEG_COUNT; i++) {
    const mmu_seg_t *s = &a->seg[i], *t = &b->seg[i];
    same = same && s->base == t->base && s->limit == t->limit && s->selector == t->selector && s->attr == t->attr &&
           s->usable == t->usable;
  }
  for (unsigned set = 0; set < a->config.tlb_sets; set++)
    for (unsigned way = 0; way < a->config.tlb_ways; way++)
      same = same && same_entry(&a->small[set][way], &b->small[set][way]);
  for (unsigned way = 0; way < a->config.tlb_large; way++)
    same = same && same_entry(&a->large[way], &b->large[way]);
  return same;
}

static dut_status_t transact_and_follow(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = transact(dut, req, rsp);
  explain_state_t state;
  explain_follow(&bench->follow, req, rsp);
  explain_state_read(&state, bench->rig.mmu, &bench->follow); /* the reference has gone first */
  ck_assert_msg(same_state(&state, &bench->explainer->state), "after transaction %llu",
                (unsigned long long)bench->ls.sequence);
  return status;
}

START_TEST(the_state_is_followed) {
  static dut_ops_t following;
  mmu_config_t config = mmu_default_config();
  bench_t b;
  open_bench(&b, &config);
  following = *b.ls.dut;
  following.transact = transact_and_follow;
  b.ls.dut = &following;
  must_agree(&b, 31, 40000);
  rig_reset(&b.rig);
  explain_follow_reset(&b.follow, &config);
  must_agree(&b, 32, 5000);
  close_bench(&b);
}
END_TEST

/* --- planted: an explainer that goes wrong is caught --- */

static void lose_wp(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->cr0 ^= X86_CR0_WP;
}
static void shift_gdt(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->gdtr.base += 8;
}
static void short_idt(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->idtr.limit = 0x17;
}
static void wrong_limit(explain_state_t *s, const mmu_req_t *q) {
  if (q->op == MMU_OP_ACCESS) s->seg[q->seg].limit = 0xFFF;
}
static void wrong_base(explain_state_t *s, const mmu_req_t *q) {
  if (q->op == MMU_OP_ACCESS) s->seg[q->seg].base ^= 4;
}
static void wrong_type(explain_state_t *s, const mmu_req_t *q) {
  if (q->op == MMU_OP_ACCESS) s->seg[q->seg].attr ^= MMU_ATTR_WRITABLE;
}
static void keep_tlb(explain_state_t *s, const mmu_req_t *q) {
  (void)q;
  for (unsigned way = 0; way < s->config.tlb_ways; way++)
    s->small[1][way].dirty = true;
}
static void lose_tlb(explain_state_t *s, const mmu_req_t *q) {
  (void)q, explain_tlb_drop_all(s);
}
static void turn_replacement(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->plru.small[2] ^= 2;
}
static void other_directory(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->cr3 ^= 0x1000;
}
static void no_large_pages(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->cr4 &= ~(uint32_t)X86_CR4_PSE;
}
static void other_tss(explain_state_t *s, const mmu_req_t *q) {
  (void)q, s->seg[MMU_SEG_TR].limit = 0x66;
}

static void (*const strikes[])(explain_state_t *state, const mmu_req_t *req) = {
    lose_wp,  shift_gdt, short_idt,        wrong_limit,     wrong_base,     wrong_type,
    keep_tlb, lose_tlb,  turn_replacement, other_directory, no_large_pages, other_tss,
};

START_TEST(a_wrong_explainer_is_caught) {
  mmu_config_t config = mmu_default_config();
  bench_t b;
  open_bench(&b, &config);
  b.explainer->strike = strikes[_i];
  b.explainer->strike_at = 3000;
  ck_assert_msg(!drive(&b, 9, 30000), "strike %d is not seen", _i);
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  ck_assert_uint_ge(b.ls.sequence, 3000);
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("explain");
  TCase *tcase = tcase_create("explain");
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, the_explainer_agrees_with_the_reference);
  tcase_add_loop_test(tcase, choices_and_geometries, 0, sizeof configs / sizeof *configs);
  tcase_add_loop_test(tcase, lost_updates, 0, sizeof configs / sizeof *configs);
  tcase_add_loop_test(tcase, memory_maps, 0, sizeof maps / sizeof *maps);
  tcase_add_test(tcase, the_state_is_followed);
  tcase_add_loop_test(tcase, a_wrong_explainer_is_caught, 0, sizeof strikes / sizeof *strikes);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
