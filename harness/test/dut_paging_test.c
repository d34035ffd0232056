/*
 * Devices of paging alone: in their different forms they pass for whole ones, and what they do wrong is found.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dut_load.h"
#include "dut_paging.h"
#include "paged_dut.h"
#include "rig.h"
#include "stimulus.h"
#include "suite.h"
#include "x86.h"

enum { RAM = STIMULUS_RAM_MIN, COUNT = 30000, AFTER = 2000 };

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
} bench_t;

static void open_with(bench_t *b, const dut_ops_t *device, const char *arguments) {
  char error[256] = "";
  const dut_ops_t *dut = dut_paging(device);
  const mmu_config_t config = dut->config();
  memset(b, 0, sizeof *b);
  lockstep_init(&b->ls);
  ck_assert(world_create(&b->dut_world, RAM) && rig_create(&b->rig, &b->ls, &config, RAM));
  const dut_env_t env = {.mem = world_port(&b->dut_world), .cycle_limit = 1000, .arguments = arguments};
  b->ls.dut = dut;
  b->ls.dut_world = &b->dut_world;
  b->ls.handle = dut->open(&env, error, sizeof error);
  ck_assert_msg(b->ls.handle != NULL, "%s", error);
  b->ls.ignored = lockstep_untold(&dut->traits);
  if (!dut->traits.own_caching) return;
  ck_assert_ptr_nonnull(b->ls.oracle = oracle_create(b->rig.mmu, &b->rig.world, &config));
  oracle_ignore(b->ls.oracle, b->ls.ignored);
}

static void open_bench(bench_t *b, const dut_ops_t *device) {
  open_with(b, device, "");
}

static void close_bench(bench_t *b) {
  b->ls.dut->close(b->ls.handle);
  oracle_destroy(b->ls.oracle);
  rig_destroy(&b->rig);
  world_destroy(&b->dut_world);
}

/* Random stimulus. recursive: directories map themselves. Returns how it ended. */
static lockstep_state_t drive(bench_t *b, bool recursive) {
  static stimulus_t stimulus;
  stimulus_knobs_t knobs = stimulus_default_knobs();
  if (recursive) {
    knobs.pde_self = knobs.hot_recursive = 45;
    knobs.accessed = knobs.dirty = 15;
  }
  bool agree = stimulus_start_with(&stimulus, &b->rig, 11, &knobs);
  while (agree && stimulus.done < COUNT)
    agree = stimulus_step(&stimulus);
  return b->ls.state;
}

enum { ALL_CR4 = X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP };

static const struct {
  dut_traits_t traits;
  bool two_tlbs;
  uint32_t cr4_absent;
} forms[] = {
    {{.paging_only = true}, false, 0}, /* check level exact: hits, victims and all */
    {{.paging_only = true, .performs = true}, false, 0},
    {{.paging_only = true, .performs = true, .data_block = 4, .fetch_block = 16}, false, X86_CR4_SMAP},
    {{.paging_only = true, .performs = true, .data_block = 64, .own_caching = true}, true, 0},
    {{.paging_only = true, .own_caching = true}, true, 0},
    {{.paging_only = true, .own_caching = true, .flushes = true}, false, X86_CR4_PGE},
    {{.paging_only = true, .no_page_size = true, .no_memory_type = true}, false, 0},
    {{.paging_only = true,
      .performs = true,
      .fetch_block = 16,
      .flushes = true,
      .own_caching = true,
      .no_page_size = true,
      .no_memory_type = true},
     true,
     ALL_CR4},
};

START_TEST(forms_pass) {
  static bench_t b;
  uint64_t paddr;
  const unsigned form = (unsigned)_i / 2;
  const mmu_config_t config = {.cr4_absent = forms[form].cr4_absent};
  const dut_ops_t *device = paged_dut(forms[form].traits, forms[form].two_tlbs, forms[form].cr4_absent, PAGED_RIGHT, 0);
  ck_assert_ptr_null(dut_load_contradiction(device, &config));
  open_bench(&b, device);
  lockstep_state_t end = drive(&b, _i % 2);
  ck_assert_msg(end == LOCKSTEP_AGREE, "%d after %llu: %s %x", end, (unsigned long long)b.ls.sequence, b.ls.dut_error,
                b.ls.differences);
  ck_assert_uint_gt(dut_paging_pieces(b.ls.handle), COUNT / 2);
  ck_assert(world_equal(&b.rig.world, &b.dut_world, &paddr));
  /* Its references tell of as many walks as its events. */
  ck_assert(lockstep_tells_tlb(&b.ls) && lockstep_tells_walks(&b.ls));
  ck_assert_uint_gt(b.ls.stats.tlb_misses, 1000);
  ck_assert_uint_eq(dut_paging_walks(b.ls.handle), b.ls.stats.tlb_misses);
  ck_assert_uint_eq(b.ls.stats.walks, b.ls.stats.tlb_misses);
  ck_assert_uint_eq(mmu_cr(b.rig.mmu, 4) & forms[form].cr4_absent, 0);
  close_bench(&b);
}
END_TEST

/* A trait that is not declared is a mismatch, so each of them is looked at. */
static const struct {
  dut_traits_t has, declared;
  bool two_tlbs;
  unsigned differences;
} undeclared[] = {
    {{.paging_only = true, .no_page_size = true}, {.paging_only = true}, false, DIFF_PAGE_SIZE},
    {{.paging_only = true, .no_memory_type = true}, {.paging_only = true}, false, DIFF_MEMORY_TYPE},
    {{.paging_only = true, .performs = true}, {.paging_only = true}, false, DIFF_PADDR | DIFF_MEM},
    {{.paging_only = true}, {.paging_only = true}, true, DIFF_TLB},
};

START_TEST(what_is_not_declared) {
  static bench_t b;
  dut_ops_t device = *paged_dut(undeclared[_i].has, undeclared[_i].two_tlbs, 0, PAGED_RIGHT, 0);
  device.traits = undeclared[_i].declared;
  open_bench(&b, &device);
  ck_assert_int_eq(drive(&b, false), LOCKSTEP_MISMATCH);
  ck_assert_uint_ne(b.ls.differences & undeclared[_i].differences, 0);
  close_bench(&b);
}
END_TEST

static const struct {
  paged_sin_t sin;
  bool performs;
  lockstep_state_t end;
  unsigned differences;
  const char *complaint;
} sins[] = {
    {PAGED_WRONG_FRAME, false, LOCKSTEP_MISMATCH, DIFF_PADDR, ""},
    {PAGED_WRONG_BLOCK, true, LOCKSTEP_MISMATCH, DIFF_PADDR, ""},
    {PAGED_ACCESS_OF_FAULT, true, LOCKSTEP_MISMATCH, DIFF_MEM, ""},
    {PAGED_NO_ACCESS, true, LOCKSTEP_PROTOCOL, 0, "answers an access that its bus has not seen"},
    {PAGED_READ_FOR_WRITE, true, LOCKSTEP_PROTOCOL, 0, "answers a write without writing"},
    {PAGED_WRITE_FOR_READ, true, LOCKSTEP_PROTOCOL, 0, "answers a read by writing"},
    {PAGED_HIGH_ADDRESS, false, LOCKSTEP_PROTOCOL, 0, "answers an address beyond 4 GiB"},
    {PAGED_MANY_REFERENCES, false, LOCKSTEP_PROTOCOL, 0, "refers to memory too often for one transaction"},
    {PAGED_REFUSES_CR, false, LOCKSTEP_PROTOCOL, 0, "refuses a control operation that is legal"},
    {PAGED_KEEPS, false, LOCKSTEP_MISMATCH, 0, ""},
    {PAGED_USER_IS_KING, false, LOCKSTEP_MISMATCH, DIFF_FAULT | DIFF_ERROR_CODE, ""},
    {PAGED_FAULT_SPARES, false, LOCKSTEP_MISMATCH, 0, ""},
    {PAGED_REREADS, false, LOCKSTEP_MISMATCH, DIFF_MEM, ""},
    {PAGED_LOSES, false, LOCKSTEP_MISMATCH, DIFF_MEM, ""},
    {PAGED_HANGS, false, LOCKSTEP_HANG, 0, "stands still"},
};

START_TEST(sins_are_found) {
  static bench_t b;
  const dut_traits_t traits = {
      .paging_only = true, .performs = sins[_i].performs, .data_block = sins[_i].performs ? 8 : 0, .own_caching = true};
  open_bench(&b, paged_dut(traits, sins[_i].sin == PAGED_FAULT_SPARES, 0, sins[_i].sin, AFTER));
  ck_assert_int_eq(drive(&b, sins[_i].sin == PAGED_REREADS), sins[_i].end);
  ck_assert_str_eq(b.ls.dut_error, sins[_i].complaint);
  if (sins[_i].differences) ck_assert_uint_ne(b.ls.differences & sins[_i].differences, 0);
  ck_assert_uint_ge(dut_paging_pieces(b.ls.handle), AFTER);
  close_bench(&b);
}
END_TEST

/* The segmentation goes back with the device. */
START_TEST(snapshots) {
  static bench_t b;
  mmu_rsp_t rsp;
  char error[64];
  mmu_req_t set = {.op = MMU_OP_SET_SEG, .seg = MMU_SEG_ES, .reason = MMU_SET_REAL, .selector = 0x100};
  const mmu_req_t look = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_ES, .size = 1, .offset = 5};
  open_bench(&b, paged_dut((dut_traits_t){.paging_only = true}, false, 0, PAGED_RIGHT, 0));
  const dut_ops_t *dut = b.ls.dut;
  ck_assert_int_eq(dut->transact(b.ls.handle, &set, &rsp), DUT_OK);
  ck_assert(dut->snapshot(b.ls.handle, 1));
  set.selector = 0x200;
  dut->transact(b.ls.handle, &set, &rsp);
  dut->transact(b.ls.handle, &look, &rsp);
  ck_assert_uint_eq(rsp.paddr[0], 0x2005);
  ck_assert(dut->rewind(b.ls.handle, 1, error, sizeof error));
  dut->transact(b.ls.handle, &look, &rsp);
  ck_assert_uint_eq(rsp.paddr[0], 0x1005);
  dut->reset(b.ls.handle);
  dut->transact(b.ls.handle, &look, &rsp);
  ck_assert_uint_eq(rsp.paddr[0], 5);
  close_bench(&b);
}
END_TEST

/* A device that tells no TLB events: its walks are known, and nothing else of its TLB. */
START_TEST(silence_is_not_zero) {
  static bench_t b;
  const dut_traits_t traits = {.paging_only = true, .own_caching = true};
  open_bench(&b, paged_dut(traits, false, 0, PAGED_RIGHT, 0));
  ck_assert_int_eq(drive(&b, false), LOCKSTEP_AGREE);
  const uint64_t walks = b.ls.stats.walks;
  close_bench(&b);
  open_with(&b, paged_dut(traits, false, 0, PAGED_RIGHT, 0), "+silent");
  ck_assert_int_eq(drive(&b, false), LOCKSTEP_AGREE);
  ck_assert(!lockstep_tells_tlb(&b.ls) && lockstep_tells_walks(&b.ls));
  ck_assert_uint_eq(b.ls.stats.walks, walks);
  /* Nobody can say it of a device that is judged otherwise, or is no paging unit. */
  lockstep_t other = b.ls;
  other.oracle = NULL;
  ck_assert(!lockstep_tells_tlb(&other) && !lockstep_tells_walks(&other));
  dut_ops_t whole = *b.ls.dut;
  whole.traits.paging_only = false;
  other = b.ls;
  other.dut = &whole;
  ck_assert(!lockstep_tells_walks(&other));
  whole.traits.own_caching = false;
  ck_assert(lockstep_tells_tlb(&other) && lockstep_tells_walks(&other));
  close_bench(&b);
}
END_TEST

/* Suites leave out what the device has not, and say so; those about segments do not apply. */
START_TEST(suites) {
  static bench_t b;
  const dut_traits_t traits = {.paging_only = true, .no_page_size = true};
  const struct {
    uint32_t cr4_absent;
    bool lacks;
  } of[] = {{0, false}, {X86_CR4_PSE, true}, {X86_CR4_SMEP | X86_CR4_SMAP, true}};
  ck_assert(!suite_applies("limits", &traits) && !suite_applies("descriptors", &traits));
  ck_assert(suite_applies("flags", &traits) && suite_applies("all", &traits));
  ck_assert_str_eq(suite_left_out("all", &traits, 0), "limits");
  ck_assert_str_eq(suite_left_out("all", &traits, 1), "descriptors");
  ck_assert_ptr_null(suite_left_out("all", &traits, 2));
  ck_assert_ptr_null(suite_left_out("flags", &traits, 0));
  ck_assert_ptr_null(suite_left_out("all", &(dut_traits_t){0}, 0));
  uint64_t flags[3] = {0}; /* run or left out */
  for (unsigned i = 0; i < 3; i++) {
    uint64_t combinations = 0;
    for (unsigned suite = 0; suite < 3; suite++) {
      const char *const names[] = {"flags", "tlb", "straddle"};
      open_bench(&b, paged_dut(traits, false, of[i].cr4_absent, PAGED_RIGHT, 0));
      suite_t s = {.rig = &b.rig, .seed = 1, .every = suite == 1 ? 1 : 211};
      ck_assert_msg(suite_run(&s, names[suite]), "%s: %s", names[suite], s.complaint);
      ck_assert_int_eq(s.lacks.left_out > 0, suite == 0 && of[i].lacks);
      ck_assert_int_eq(s.lacks.without, suite == 1 ? i > 0 : suite == 2 && i == 1);
      if (suite == 0) flags[i] = s.combinations + s.lacks.left_out;
      combinations += s.combinations;
      close_bench(&b);
    }
    ck_assert_uint_gt(combinations, 1000);
    ck_assert_uint_le(flags[i] - flags[0] + 1, 2); /* each is one of the two, but for how a sample is cut */
  }
}
END_TEST

/* Declarations that make no sense. */
START_TEST(contradictions) {
  static const struct {
    dut_traits_t traits;
    const char *why;
  } odd[] = {
      {{.performs = true}, "performs"},
      {{.flushes = true}, "flushes"},
      {{.paging_only = true, .data_block = 4}, "blocks of its bus, but"},
      {{.paging_only = true, .performs = true, .data_block = 3}, "powers of two"},
      {{.paging_only = true, .performs = true, .fetch_block = 128}, "powers of two"},
      {{.paging_only = true, .flushes = true}, "CR4.PGE"},
  };
  mmu_config_t config = mmu_default_config();
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
    const dut_ops_t ops = {.traits = odd[i].traits};
    const char *why = dut_load_contradiction(&ops, &config);
    ck_assert_msg(why && strstr(why, odd[i].why), "%u: %s", i, why ? why : "none");
  }
  dut_ops_t ops = {.traits.paging_only = true, .clock = (dut_status_t(*)(void *, const dut_drive_t *, dut_cycle_t *))1};
  ck_assert_str_eq(dut_load_contradiction(&ops, &config), "that it is paging only, and has a clock");
  config.cr4_absent = X86_CR4_TSD;
  ops.clock = NULL;
  ck_assert_ptr_nonnull(strstr(dut_load_contradiction(&ops, &config), "bits of CR4 absent that are not"));
  const unsigned char two = 2;
  ops = (dut_ops_t){0};
  memcpy(&ops.traits.no_page_size, &two, 1);
  ck_assert_str_eq(dut_load_contradiction(&ops, &config), "a trait that is neither true nor false");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dut_paging");
  TCase *tcase = tcase_create("dut_paging");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, forms_pass, 0, 2 * sizeof forms / sizeof *forms);
  tcase_add_loop_test(tcase, what_is_not_declared, 0, sizeof undeclared / sizeof *undeclared);
  tcase_add_loop_test(tcase, sins_are_found, 0, sizeof sins / sizeof *sins);
  tcase_add_test(tcase, snapshots);
  tcase_add_test(tcase, silence_is_not_zero);
  tcase_add_test(tcase, suites);
  tcase_add_test(tcase, contradictions);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
