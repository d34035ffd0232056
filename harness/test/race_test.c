/*
 * Races that fuzz --overlap found and mmu86 shrink reduced, on the RTL: the oracle had accused what is legal.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dut_rtl.h"
#include "overlap.h"
#include "report.h"
#include "rig.h"

#define RAM_BYTES UINT64_C(16777216)
#define CYCLE_LIMIT 100000
#define MEM_LATENCY 0
#define SEED UINT64_C(1)

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  overlap_t overlap;
} bench_t;

static void open_bench(bench_t *b) {
  char error[256] = "no memory";
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert_msg(world_create(&b->dut_world, RAM_BYTES), "%s", error);
  dut_env_t env = {.mem = world_port(&b->dut_world),
                   .cycle_limit = CYCLE_LIMIT,
                   .mem_latency = MEM_LATENCY,
                   .seed = SEED,
                   .arguments = ""};
  b->ls.dut = dut_rtl();
  b->ls.handle = b->ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(b->ls.handle != NULL, "%s", error);
  b->ls.dut_world = &b->dut_world;
  mmu_config_t config = b->ls.dut->config();
  ck_assert_msg(rig_create(&b->rig, &b->ls, &config, RAM_BYTES), "no memory");
  b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config);
  ck_assert_msg(b->ls.oracle != NULL, "no memory");
  overlap_init(&b->overlap, &b->ls, SEED);
  b->ls.overlap = &b->overlap;
}

static void close_bench(bench_t *b) {
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  b->ls.dut->close(b->ls.handle);
  world_destroy(&b->dut_world);
}

static void differs(bench_t *b) {
  report_context_t context = {.reproduce = "this test"};
  report_mismatch(stderr, &b->ls, b->rig.mmu, &context);
  ck_abort_msg("transaction %llu differs", (unsigned long long)b->ls.sequence);
}

/* Offers a request; what is legal is answered. */
static void send(bench_t *b, const mmu_req_t *req) {
  if (!overlap_make_room(&b->overlap, req)) differs(b);
  overlap_offer(&b->overlap, req);
}

/* A clock cycle in which responses are taken, and fetches killed. */
static void cycle(bench_t *b, bool take_data, bool take_fetch, bool kill) {
  const bool take[DUT_PORTS] = {take_data, take_fetch};
  if (!overlap_cycle(&b->overlap, take, kill)) differs(b);
}

/*
 * A split fetch walks its first page; a store changes the directory entry between the walk's read of it and its update
 * of the table entry. The second page's walk goes on. Data of the first page hits what the fetch has filled: no
 * moment's memory had it as a whole, and the fetch is not answered yet.
 */
START_TEST(the_first_page_serves_others) {
  static bench_t b;
  uint64_t paddr;
  open_bench(&b);
  /* store 4 bytes at 00000000: 00008001 | read by no MMU */
  rig_store(&b.rig, 0x00000000, 4, 0x00008001);
  /* store 4 bytes at 00001004: 00000021 | read by no MMU */
  rig_store(&b.rig, 0x00001004, 4, 0x00000021);
  /* SET_SEG CS <- 0000 raw base 00000000 limit ffffffff attr c9b */
  send(&b, &(mmu_req_t){.op = MMU_OP_SET_SEG, .seg = MMU_SEG_CS, .reason = MMU_SET_RAW, .data = 0x10c9bffffffff});
  /* SET_SEG DS <- 0000 raw base 00000000 limit ffffffff attr c93 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_SET_SEG, .seg = MMU_SEG_DS, .reason = MMU_SET_RAW, .data = 0x10c93ffffffff});
  /* WRITE_CR CR3 <- 00001000 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000});
  /* WRITE_CR CR0 <- 80000001 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = 0x80000001});
  /* ACCESS read DS:00000000 4 bytes, CPL 0 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_READ, .size = 4});
  /* ACCESS read DS:00400000 4 bytes, CPL 0 */
  send(&b, &(mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_READ, .size = 4, .offset = 0x400000});
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* ACCESS execute CS:00400ffa 8 bytes, CPL 0 */
  send(&b, &(mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_CS, .access = MMU_EXECUTE, .size = 8, .offset = 0x400ffa});
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch | data #PF(0000:) CR2=00000000 */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* store 4 bytes at 00001004: 00000000 | read by no MMU */
  rig_store(&b.rig, 0x00001004, 4, 0x00000000);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  if (!overlap_drain(&b.overlap)) differs(&b);
  ck_assert_msg(world_equal(&b.rig.world, &b.dut_world, &paddr), "the memory images differ");
  close_bench(&b);
}
END_TEST

/*
 * A port's bit is looked up: the TSS's page is walked for once and referred to twice. A store takes the directory entry
 * away after the walk has read it; the second translation hits what the first one has filled.
 */
START_TEST(a_request_hits_what_it_has_walked_for) {
  static bench_t b;
  uint64_t paddr;
  open_bench(&b);
  /* store 4 bytes at 00001000: 00002021 | read by no MMU */
  rig_store(&b.rig, 0x00001000, 4, 0x00002021);
  /* store 4 bytes at 00002024: 00000001 | read by no MMU */
  rig_store(&b.rig, 0x00002024, 4, 0x00000001);
  /* SET_SEG TR <- 0000 raw base 00009000 limit 00000067 attr 009 */
  send(&b,
       &(mmu_req_t){
           .op = MMU_OP_SET_SEG, .seg = MMU_SEG_TR, .reason = MMU_SET_RAW, .offset = 0x9000, .data = 0x1000900000067});
  /* WRITE_CR CR3 <- 00001000 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 3, .data = 0x1000});
  /* WRITE_CR CR0 <- 80000001 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = 0, .data = 0x80000001});
  /* CHECK_IO 1 port from 0000 | data 00000000 -> 00000000 */
  send(&b, &(mmu_req_t){.op = MMU_OP_CHECK_IO, .size = 1});
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  /* store 4 bytes at 00001000: 00000000 | read by no MMU */
  rig_store(&b.rig, 0x00001000, 4, 0x00000000);
  /* clock cycle: takes data fetch */
  cycle(&b, 1, 1, 0);
  if (!overlap_drain(&b.overlap)) differs(&b);
  ck_assert_msg(world_equal(&b.rig.world, &b.dut_world, &paddr), "the memory images differ");
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("race");
  TCase *tcase = tcase_create("race");
  tcase_add_test(tcase, the_first_page_serves_others);
  tcase_add_test(tcase, a_request_hits_what_it_has_walked_for);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
