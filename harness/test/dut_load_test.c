/*
 * Devices in shared libraries (foreign_dut.c): what is wrong with a library is said when it is loaded, and what a
 * device does wrong ends the run and not the program.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dut_guard.h"
#include "dut_load.h"
#include "foreign_dut.h"
#include "lockstep.h"
#include "rig.h"
#include "stimulus.h"

enum { RAM = STIMULUS_RAM_MIN, AFTER = 3000 };

static char error[512];

static const dut_ops_t *load(const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", FOREIGN, name);
  error[0] = '\0';
  return dut_load(path, error, sizeof error);
}

START_TEST(what_names_a_file) {
  ck_assert(dut_load_is_file("./rtl") && dut_load_is_file("/a/b") && dut_load_is_file("my.so"));
  ck_assert(!dut_load_is_file("rtl") && !dut_load_is_file("none") && !dut_load_is_file(".so"));
}
END_TEST

static const struct {
  const char *file, *complaint;
} unfit[] = {
    {"missing.so", "No such file"},
    {"../CTestTestfile.cmake", "ELF header"},
    {"libforeign_other_version.so", "built for interface version"},
    {"libforeign_half_a_table.so", "its table has no transact"},
    {"libforeign_no_table.so", "mmu86_dut returns no table"},
    {"libforeign_odd_tlb.so", "a TLB of 3 sets, 4 ways and 8 large entries"},
    {"libforeign_bomb.so", "crashes in being loaded: Aborted"},
    {"libforeign_nameless.so", "exports no function mmu86_dut"},
};

START_TEST(unfit_libraries) {
  ck_assert_ptr_null(load(unfit[_i].file));
  ck_assert_ptr_eq(strstr(error, "--dut "), error);
  ck_assert_ptr_nonnull(strstr(error, unfit[_i].file));
  ck_assert_msg(strstr(error, unfit[_i].complaint) != NULL, "%s", error);
  ck_assert_ptr_null(strchr(error, '\n'));
}
END_TEST

/* Random stimulus against the device. Returns the lockstep's end. */
static lockstep_state_t drive(foreign_sin_t sin, char *complaint, size_t complaint_bytes, uint64_t *sequence) {
  static lockstep_t ls;
  static world_t dut_world;
  static rig_t rig;
  static stimulus_t stimulus;
  char arguments[64];
  const dut_ops_t *dut = load("libforeign_sound.so");
  ck_assert_msg(dut != NULL, "%s", error);
  const mmu_config_t config = dut->config();
  lockstep_init(&ls);
  ck_assert(world_create(&dut_world, RAM) && rig_create(&rig, &ls, &config, RAM));
  snprintf(arguments, sizeof arguments, "+sin=%d +after=%d", sin, AFTER);
  const dut_env_t env = {.mem = world_port(&dut_world), .cycle_limit = 1000, .arguments = arguments};
  ls.dut = dut;
  ls.handle = dut->open(&env, error, sizeof error);
  if (!ls.handle) return LOCKSTEP_PROTOCOL;
  ls.dut_world = &dut_world;
  bool agree = stimulus_start(&stimulus, &rig, 3);
  while (agree && stimulus.done < 2 * AFTER)
    agree = stimulus_step(&stimulus);
  *sequence = ls.sequence;
  snprintf(complaint, complaint_bytes, "%s", ls.dut_error);
  dut->close(ls.handle);
  rig_destroy(&rig);
  world_destroy(&dut_world);
  return ls.state;
}

static const struct {
  foreign_sin_t sin;
  lockstep_state_t end;
  const char *complaint;
} sins[] = {
    {RIGHT, LOCKSTEP_AGREE, ""},
    {WRONG_ADDRESS, LOCKSTEP_MISMATCH, ""},
    {SEGFAULTS, LOCKSTEP_PROTOCOL, "crashes in transact: Segmentation fault"},
    {ABORTS, LOCKSTEP_PROTOCOL, "crashes in transact: Aborted"},
    {EXHAUSTS_STACK, LOCKSTEP_PROTOCOL, "crashes in transact: Segmentation fault"},
    {HANGS, LOCKSTEP_PROTOCOL, "does not return from transact within 1 s of processor time"},
    {CRASHES_IN_CLOSE, LOCKSTEP_AGREE, ""},
    {MANY_REFERENCES, LOCKSTEP_PROTOCOL, "answers what cannot be: references to memory: 65"},
    {MANY_EVENTS, LOCKSTEP_PROTOCOL, "answers what cannot be: TLB events: 33"},
    {WILD_VECTOR, LOCKSTEP_PROTOCOL, "answers what cannot be: vector 200"},
    {WILD_PAGE_SIZE, LOCKSTEP_PROTOCOL, "answers what cannot be: a page size 7"},
    {WILD_BOOL, LOCKSTEP_PROTOCOL, "answers what cannot be: a bool that is none: 2"},
    {WILD_EVENT, LOCKSTEP_PROTOCOL, "answers what cannot be: a TLB event of kind 9"},
    {WILD_REFERENCE, LOCKSTEP_PROTOCOL, "answers what cannot be: a reference to memory of size 99"},
    {WILD_STATUS, LOCKSTEP_PROTOCOL, "answers what cannot be: a status of 77"},
    {EXITS, LOCKSTEP_PROTOCOL, "ends the process in transact ($finish, exit)"},
    {SLEEPS, LOCKSTEP_PROTOCOL, "does not return from transact, and has done nothing for 2 s"},
    {READS_IN_SECRET, LOCKSTEP_PROTOCOL, "reads memory at 00005000, which its log does not say"},
    {READS_OVER_A_PAGE, LOCKSTEP_PROTOCOL, "refers to memory over the end of a page: at 00005FFE"},
    {WRITES_IN_SECRET, LOCKSTEP_PROTOCOL, "updates memory at 00005000 in vain, which its log does not say"},
    {INVENTS_A_READ, LOCKSTEP_PROTOCOL, "says that it reads memory at 00005000, and has not"},
    {INVENTS_A_LOSS, LOCKSTEP_PROTOCOL, "updates memory at "},
};

START_TEST(what_a_device_does) {
  char complaint[256];
  uint64_t sequence;
  ck_assert_int_eq(drive(sins[_i].sin, complaint, sizeof complaint, &sequence), sins[_i].end);
  if (sins[_i].sin != INVENTS_A_LOSS) ck_assert_str_eq(complaint, sins[_i].complaint);
  ck_assert_ptr_nonnull(strstr(complaint, sins[_i].complaint));
  if (sins[_i].end == LOCKSTEP_AGREE)
    ck_assert_uint_ge(sequence, 2 * AFTER);
  else
    ck_assert(sins[_i].sin == INVENTS_A_LOSS ? sequence > AFTER : sequence == AFTER);
}
END_TEST

START_TEST(a_crash_in_open) {
  char complaint[256];
  uint64_t sequence;
  ck_assert_int_eq(drive(CRASHES_IN_OPEN, complaint, sizeof complaint, &sequence), LOCKSTEP_PROTOCOL);
  ck_assert_str_eq(error, "foreign crashes in open: Aborted");
}
END_TEST

int main(void) {
  dut_guard_patience(1);
  Suite *suite = suite_create("dut_load");
  TCase *tests = tcase_create("dut_load");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, what_names_a_file);
  tcase_add_loop_test(tests, unfit_libraries, 0, sizeof unfit / sizeof *unfit);
  tcase_add_loop_test(tests, what_a_device_does, 0, sizeof sins / sizeof *sins);
  tcase_add_test(tests, a_crash_in_open);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
