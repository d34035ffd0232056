/*
 * The oracle of allowed answers: what a sloppy TLB may do is accepted, and each thing that it may not do is found, with
 * the invalidation that it forgot.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "sloppy_dut.h"
#include "stimulus.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN };

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
} bench_t;

static void open_bench(bench_t *b, sloppy_sin_t sin, bool upper_cached, bool stale_faults, bool declared) {
  char error[128];
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM));
  dut_env_t env = {.mem = world_port(&b->dut_world), .cycle_limit = 1000, .seed = 7};
  b->ls.dut = sloppy_dut();
  b->ls.handle = sloppy_dut()->open(&env, error, sizeof error);
  ck_assert_ptr_nonnull(b->ls.handle);
  sloppy_choose(b->ls.handle, sin, upper_cached, stale_faults);
  b->ls.dut_world = &b->dut_world;
  mmu_config_t config = mmu_default_config();
  config.upper_cached = upper_cached && declared;
  config.stale_faults = stale_faults && declared;
  ck_assert(rig_create(&b->rig, &b->ls, &config, RAM));
  b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config);
  ck_assert_ptr_nonnull(b->ls.oracle);
}

static void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  sloppy_dut()->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

/* Random stimulus until something is refused or n requests are done. Returns true if all were legal. */
static bool drive(bench_t *b, uint64_t seed, uint64_t n) {
  stimulus_t stimulus;
  bool legal = stimulus_start(&stimulus, &b->rig, seed);
  while (legal && stimulus.done < n)
    legal = stimulus_step(&stimulus);
  return legal;
}

/* --- random stimulus --- */

START_TEST(what_is_legal_is_accepted) {
  bench_t b;
  uint64_t paddr;
  bool upper = _i & 1, faults = _i & 2;
  open_bench(&b, SLOPPY_LEGAL, upper, faults, true);
  bool legal = drive(&b, 11 + (uint64_t)_i, 150000);
  report_context_t context = {.reproduce = "", .seed = 1};
  if (!legal) report_mismatch(stderr, &b.ls, b.rig.mmu, &context);
  ck_assert_msg(legal, "transaction %llu is accused: %s", (unsigned long long)b.ls.sequence,
                oracle_verdict_name(b.ls.verdict));
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  ck_assert_uint_ge(oracle_count(b.ls.oracle, ORACLE_STALE_LEGAL), 2000);
  ck_assert_uint_eq(oracle_count(b.ls.oracle, ORACLE_STALE_ILLEGAL) + oracle_count(b.ls.oracle, ORACLE_WRONG), 0);
  close_bench(&b);
}
END_TEST

/* The event that each sin ignores, as the oracle has to name it. */
static const history_event_t ignored[SLOPPY_SINS] = {
    [SLOPPY_KEEPS_INVLPG] = HISTORY_INVLPG, [SLOPPY_KEEPS_LARGE] = HISTORY_INVLPG,
    [SLOPPY_KEEPS_LOCAL] = HISTORY_LOCAL,   [SLOPPY_KEEPS_ALL] = HISTORY_ALL,
    [SLOPPY_KEEPS_FAULT] = HISTORY_FAULT,   [SLOPPY_KEEPS_TABLES] = HISTORY_INVLPG,
};

START_TEST(each_sin_is_found) {
  bench_t b;
  open_bench(&b, (sloppy_sin_t)_i, _i == SLOPPY_KEEPS_TABLES, false, true);
  ck_assert(!drive(&b, 3, 400000));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  if (_i == SLOPPY_NEIGHBOUR || _i == SLOPPY_CACHES_UNACCESSED) {
    ck_assert_int_eq(b.ls.verdict, ORACLE_WRONG);
  } else {
    report_context_t context = {.reproduce = "", .seed = 1};
    if (b.ls.verdict != ORACLE_STALE_ILLEGAL) report_mismatch(stderr, &b.ls, b.rig.mmu, &context);
    ck_assert_int_eq(b.ls.verdict, ORACLE_STALE_ILLEGAL);
    oracle_stale_t stale = oracle_stale(b.ls.oracle);
    ck_assert_int_eq(history_event(stale.page.forbidden), ignored[_i]);
    ck_assert_uint_le(history_sequence(stale.page.forbidden), b.ls.sequence);
  }
  close_bench(&b);
}
END_TEST

/* What a device does and does not declare is not accepted. */
START_TEST(choices_must_be_declared) {
  bench_t b;
  open_bench(&b, SLOPPY_LEGAL, _i == 0, _i == 1, false);
  ck_assert(!drive(&b, 5, 400000));
  ck_assert_int_ge(b.ls.verdict, ORACLE_STALE_ILLEGAL);
  close_bench(&b);
}
END_TEST

/* --- by hand: the numbers in the report --- */

enum { DIRECTORY = 0x1000, TABLE = 0x2000, PAGE = 0x5000, OLD = 0x10000, NEW = 0x20000, RWA = 0x63 };

static mmu_rsp_t send(bench_t *b, mmu_req_t req, bool legal) {
  mmu_rsp_t rsp;
  ck_assert_msg(rig_transact(&b->rig, &req, &rsp) == legal, "transaction %llu: %s", (unsigned long long)b->ls.sequence,
                oracle_verdict_name(b->ls.verdict));
  return rsp;
}

static const mmu_req_t read_page = {.op = MMU_OP_SYSTEM, .seg = MMU_SEG_LINEAR, .size = 4, .offset = PAGE};

static void begin_paging(bench_t *b) {
  rig_store(&b->rig, DIRECTORY, 4, TABLE | RWA);
  rig_store(&b->rig, TABLE + 4 * (PAGE >> 12), 4, OLD | RWA);
  send(b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY}, true);
  send(b, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG}, true);
}

/* A stale translation is legal until its page is invalidated; then the report names the transactions. */
START_TEST(the_report_names_the_invalidation) {
  bench_t b;
  open_bench(&b, SLOPPY_KEEPS_INVLPG, false, false, true);
  begin_paging(&b);
  unsigned stale = 0;
  for (unsigned i = 0; i < 20; i++)
    send(&b, read_page, true);
  rig_store(&b.rig, TABLE + 4 * (PAGE >> 12), 4, NEW | RWA); /* in transaction 22 */
  for (unsigned i = 0; i < 20; i++)
    stale += send(&b, read_page, true).paddr[0] == OLD;
  ck_assert_uint_ge(stale, 10);
  ck_assert_uint_eq(oracle_count(b.ls.oracle, ORACLE_STALE_LEGAL), stale);
  send(&b, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = PAGE}, true); /* transaction 42 */
  mmu_rsp_t rsp;
  unsigned more = 0;
  while (rig_transact(&b.rig, &read_page, &rsp))
    ck_assert_uint_lt(more++, 100);
  ck_assert_int_eq(b.ls.verdict, ORACLE_STALE_ILLEGAL);
  ck_assert_uint_eq(rsp.paddr[0], NEW);
  ck_assert_uint_eq(b.ls.dut_rsp.paddr[0], OLD);
  oracle_stale_t s = oracle_stale(b.ls.oracle);
  ck_assert_uint_eq(s.laddr, PAGE);
  ck_assert_uint_eq(history_sequence(s.page.to), 22);
  ck_assert_uint_eq(history_sequence(s.page.forbidden), 42);
  char text[8192] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  report_context_t context = {.reproduce = "mmu86 fuzz", .seed = 1};
  report_mismatch(out, &b.ls, b.rig.mmu, &context);
  fclose(out);
  ck_assert_ptr_nonnull(strstr(text, "verdict  STALE, ILLEGAL"));
  ck_assert_ptr_nonnull(strstr(text, "INVLPG in transaction 42 should have dropped it"));
  close_bench(&b);
}
END_TEST

/* An answer whose reads memory never held. */
static dut_status_t lies(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = sloppy_dut()->transact(dut, req, rsp);
  if (req->op == MMU_OP_SYSTEM && rsp->n_mem > 1) rsp->mem[1].data ^= 0x3000, rsp->paddr[0] ^= 0x3000;
  return status;
}

static dut_status_t babbles(void *dut, const mmu_req_t *req, mmu_rsp_t *rsp) {
  dut_status_t status = sloppy_dut()->transact(dut, req, rsp);
  if (req->op == MMU_OP_SYSTEM) rsp->n_mem = MMU_MEM_MAX + 1;
  return status;
}

START_TEST(references_must_be_true) {
  bench_t b;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  begin_paging(&b);
  dut_ops_t ops = *sloppy_dut();
  ops.transact = _i ? babbles : lies;
  b.ls.dut = &ops;
  send(&b, read_page, false);
  ck_assert_int_eq(b.ls.verdict, ORACLE_WRONG);
  ck_assert_uint_eq(b.ls.differences, DIFF_MEM);
  close_bench(&b);
}
END_TEST

/* An update that was made from what is no longer there. */
START_TEST(updates_undo_nothing) {
  bench_t b;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  const uint32_t paddr = TABLE, entry = NEW | 0x03;
  rig_store(&b.rig, paddr, 4, entry);
  mmu_mem_t update = {.paddr = paddr, .data = OLD | 0x23, .size = 4, .write = true};
  oracle_seen_t seen;
  ck_assert(!oracle_referred(b.ls.oracle, &update, &seen));
  update.data = entry & ~0x02u;
  ck_assert(!oracle_referred(b.ls.oracle, &update, &seen));
  ck_assert_uint_eq(world_read(&b.rig.world, paddr, 4), entry);
  update.data = entry | 0x20;
  ck_assert(oracle_referred(b.ls.oracle, &update, &seen));
  ck_assert_uint_eq(world_read(&b.rig.world, paddr, 4), entry | 0x20);
  close_bench(&b);
}
END_TEST

/* A reference of an answer that is put together by hand, as the oracle is told of it. Returns whether it can be. */
static bool refer(bench_t *b, mmu_rsp_t *answer, oracle_seen_t seen[MMU_MEM_MAX], mmu_mem_t reference) {
  unsigned i = answer->n_mem++;
  answer->mem[i] = reference;
  return oracle_referred(b->ls.oracle, &answer->mem[i], &seen[i]);
}

/*
 * An update is made from what the walk has judged: it is lost if another agent has stored in between, though what it
 * writes undoes nothing, and only then. before: the store, right before the update; after: one right after it.
 */
static const struct {
  bool before, after, lost, legal;
} updates[] = {
    {false, false, false, true}, {false, false, true, false}, {true, false, true, true},
    {true, false, false, false}, {false, true, false, true},  {false, true, true, false},
};

START_TEST(updates_are_of_what_was_judged) {
  bench_t b;
  const uint32_t pte_paddr = TABLE + 4 * (PAGE >> 12), judged = OLD | 0x03, set = judged | X86_PTE_A;
  const mmu_mem_t pde = {.paddr = DIRECTORY, .data = TABLE | RWA, .size = 4};
  const mmu_mem_t update = {.paddr = pte_paddr, .data = set, .size = 4, .write = true, .lost = updates[_i].lost};
  mmu_mem_t pte = {.paddr = pte_paddr, .data = judged, .size = 4};
  oracle_seen_t seen[MMU_MEM_MAX];
  mmu_rsp_t rsp;
  unsigned differences;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  begin_paging(&b);
  mmu_rsp_t answer = send(&b, read_page, true);
  rig_store(&b.rig, pte_paddr, 4, judged);
  send(&b, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = PAGE}, true);
  moment_t accepted = history_now(oracle_history(b.ls.oracle));
  answer.n_mem = 0;
  ck_assert(refer(&b, &answer, seen, pde) && refer(&b, &answer, seen, pte));
  if (updates[_i].before) rig_store(&b.rig, pte_paddr, 4, set);
  ck_assert(refer(&b, &answer, seen, update));
  if (updates[_i].after) rig_store(&b.rig, pte_paddr, 4, set | X86_PTE_D);
  if (updates[_i].lost) {
    pte.data = world_read(&b.rig.world, pte_paddr, 4);
    ck_assert(refer(&b, &answer, seen, pde) && refer(&b, &answer, seen, pte));
    mmu_mem_t again = update;
    again.lost = false;
    if (!(pte.data & X86_PTE_A)) ck_assert(refer(&b, &answer, seen, again));
  }
  oracle_verdict_t verdict =
      oracle_judge(b.ls.oracle, 99, accepted, &read_page, &answer, seen, false, &rsp, &differences);
  ck_assert_int_eq(verdict, updates[_i].legal ? ORACLE_FRESH : ORACLE_WRONG);
  ck_assert_uint_eq(differences, updates[_i].legal ? 0 : DIFF_MEM);
  if (!updates[_i].legal) ck_assert(rsp.mem[2].lost == !updates[_i].lost);
  close_bench(&b);
}
END_TEST

/*
 * A descriptor is read and then marked on the page that the first translation has walked for. The table entry that it
 * read came after the directory entry had gone, so that no moment's memory has what it found: the second translation
 * may hit that, but no frame that never was the page's.
 */
START_TEST(a_request_hits_what_it_has_walked_for) {
  bench_t b;
  enum { OTHER_TABLE = 0x3000, TORN = 0x30000, STRANGER = 0x40000, DESCRIPTOR = TORN + 8 };
  const uint64_t data = 0x00CF92000000FFFF;
  const uint32_t pte_paddr = TABLE + 4 * (PAGE >> 12);
  const mmu_req_t load = {.op = MMU_OP_LOAD_SEG, .seg = MMU_SEG_ES, .reason = MMU_LOAD_DATA, .selector = 8};
  const mmu_mem_t references[] = {
      {.paddr = DIRECTORY, .data = TABLE | RWA, .size = 4},
      {.paddr = pte_paddr, .data = TORN | RWA, .size = 4},
      {.paddr = DESCRIPTOR, .data = data, .size = 8},
      {.paddr = (_i ? STRANGER + 8 : DESCRIPTOR) + 5, .data = 0x93, .size = 1, .write = true},
  };
  oracle_seen_t seen[MMU_MEM_MAX];
  mmu_rsp_t rsp;
  unsigned differences;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  begin_paging(&b);
  send(&b, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = MMU_SEG_GDTR, .offset = PAGE, .data = 0xFF}, true);
  const uint32_t frames[] = {OLD, TORN, STRANGER};
  for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++)
    rig_store(&b.rig, frames[i] + 8, 8, data);
  mmu_rsp_t answer = send(&b, load, true);
  ck_assert(!answer.fault);
  send(&b, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = PAGE}, true);
  moment_t accepted = history_now(oracle_history(b.ls.oracle));
  answer.n_mem = 0;
  for (unsigned i = 0; i < sizeof references / sizeof *references; i++) {
    if (i == 1) rig_store(&b.rig, DIRECTORY, 4, OTHER_TABLE | RWA), rig_store(&b.rig, pte_paddr, 4, TORN | RWA);
    ck_assert(refer(&b, &answer, seen, references[i]));
  }
  oracle_verdict_t verdict = oracle_judge(b.ls.oracle, 99, accepted, &load, &answer, seen, false, &rsp, &differences);
  ck_assert_int_eq(verdict, _i ? ORACLE_WRONG : ORACLE_STALE_LEGAL);
  close_bench(&b);
}
END_TEST

/* What a walk has found may be cached unless an invalidation came after the walk's first reference. */
START_TEST(walks_begin_with_their_first_reference) {
  bench_t b;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  history_t *h = oracle_history(b.ls.oracle);
  const uint32_t laddr = 0x7654000, entry = 0x00123067;
  history_page_t pages[HISTORY_PAGES_MAX];
  moment_t early = history_now(h);
  history_invalidated(h, HISTORY_INVLPG, laddr);
  moment_t begun = history_now(h);
  history_walked(h, laddr, entry, MMU_PAGE_4K, early);
  ck_assert_uint_eq(history_pages(h, laddr, begun, false, pages), 0);
  history_walked(h, laddr, entry, MMU_PAGE_4K, begun);
  ck_assert_uint_eq(history_pages(h, laddr, begun, false, pages), 1);
  ck_assert_uint_eq(pages[0].entry, entry);
  history_invalidated(h, HISTORY_INVLPG, laddr);
  history_walked(h, laddr, entry, MMU_PAGE_4K, begun); /* it is told of late */
  ck_assert_uint_eq(history_pages(h, laddr, history_now(h), false, pages), 0);
  close_bench(&b);
}
END_TEST

/* Which translations of PAGE there are for a request that is accepted now. */
static bool may_use(const bench_t *b, uint32_t frame) {
  history_t *h = oracle_history(b->ls.oracle);
  history_page_t pages[HISTORY_PAGES_MAX];
  unsigned n = history_pages(h, PAGE, history_now(h), false, pages);
  for (unsigned i = 0; i < n; i++)
    if ((pages[i].entry & 0xFFFFF000) == frame) return true;
  return false;
}

/*
 * A read on its way has walked while the directory entry was changed behind it: no moment's memory has what it found.
 * It may be cached by now; after an invalidation it may not, although the oracle hears of it only then.
 */
START_TEST(walks_on_their_way_count_until_an_invalidation) {
  bench_t b;
  enum { OTHER_TABLE = 0x3000 };
  const uint32_t pde = TABLE | RWA, pte = NEW | RWA;
  open_bench(&b, SLOPPY_LEGAL, false, false, true);
  begin_paging(&b);
  history_t *h = oracle_history(b.ls.oracle);
  mmu_rsp_t so_far = {.n_mem = 2};
  so_far.mem[0] = (mmu_mem_t){.paddr = DIRECTORY, .data = pde, .size = 4};
  so_far.mem[1] = (mmu_mem_t){.paddr = TABLE + 4 * (PAGE >> 12), .data = pte, .size = 4};
  moment_t accepted = history_now(h);
  oracle_seen_t seen[2];
  ck_assert(oracle_referred(b.ls.oracle, &so_far.mem[0], &seen[0]));
  rig_store(&b.rig, DIRECTORY, 4, OTHER_TABLE | RWA);
  rig_store(&b.rig, TABLE + 4 * (PAGE >> 12), 4, pte);       /* under a table that the directory no longer names */
  if (_i == 2) history_invalidated(h, HISTORY_INVLPG, PAGE); /* in the middle of the walk */
  ck_assert(oracle_referred(b.ls.oracle, &so_far.mem[1], &seen[1]));
  ck_assert(!may_use(&b, NEW));
  if (_i == 1) history_invalidated(h, HISTORY_INVLPG, PAGE);
  oracle_glimpse(b.ls.oracle, accepted, &read_page, &so_far, seen);
  ck_assert(may_use(&b, NEW) == (_i == 0));
  if (_i == 0) history_invalidated(h, HISTORY_INVLPG, PAGE);
  ck_assert(!may_use(&b, NEW));
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("oracle");
  TCase *tests = tcase_create("oracle");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, what_is_legal_is_accepted, 0, 4);
  tcase_add_loop_test(tests, each_sin_is_found, 1, SLOPPY_SINS);
  tcase_add_loop_test(tests, choices_must_be_declared, 0, 2);
  tcase_add_test(tests, the_report_names_the_invalidation);
  tcase_add_loop_test(tests, references_must_be_true, 0, 2);
  tcase_add_test(tests, updates_undo_nothing);
  tcase_add_loop_test(tests, updates_are_of_what_was_judged, 0, sizeof updates / sizeof *updates);
  tcase_add_loop_test(tests, a_request_hits_what_it_has_walked_for, 0, 2);
  tcase_add_test(tests, walks_begin_with_their_first_reference);
  tcase_add_loop_test(tests, walks_on_their_way_count_until_an_invalidation, 0, 3);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
