/*
 * The group "lockstep" of a waveform, as a viewer reads it: what the guest's origin is, by number and by name; what
 * differs where an oracle judges.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dut_rtl.h"
#include "gtkwave/fstapi.h"
#include "origin.h"
#include "rig.h"
#include "x86.h"

enum { RAM = 1 << 20 };

/* The byte written to the origin port before each transaction, and what is shown with it. */
static const struct {
  uint8_t byte, shown;
} steps[] = {{0, 0}, {3, 3}, {3, 3}, {21, 21}, {31, 31}, {32, 0}, {8, 8}, {255, 0}};

enum { STEPS = sizeof steps / sizeof *steps };

static char path[64];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-wave-test-%ld", (long)getpid());
}

static void remove_file(void) {
  remove(path);
}

/* Writes a waveform of one read for each step; after a reset comes one more. */
static void write_wave(void) {
  char error[256] = "";
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  mmu_rsp_t rsp;
  const mmu_req_t read = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_READ, .size = 4, .offset = 0x1000};
  lockstep_init(&ls);
  ck_assert(world_create(&dut_world, RAM));
  const dut_env_t env = {.mem = world_port(&dut_world), .cycle_limit = 1000, .waves = true, .arguments = ""};
  ls.dut = dut_rtl();
  ls.handle = ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(ls.handle != NULL, "%s", error);
  ls.dut_world = &dut_world;
  ls.wave_path = path;
  ls.wave_count = UINT64_MAX;
  const mmu_config_t config = ls.dut->config();
  ck_assert(rig_create(&rig, &ls, &config, RAM));
  for (unsigned i = 0; i < STEPS; i++) {
    lockstep_origin(&ls, steps[i].byte);
    ck_assert(rig_transact(&rig, &read, &rsp));
  }
  lockstep_origin(&ls, ORIGIN_USER);
  rig_reset(&rig);
  ck_assert(rig_transact(&rig, &read, &rsp));
  lockstep_finish(&ls);
  ck_assert_msg(!ls.wave_failed, "%s", ls.wave_error);
  rig_destroy(&rig);
  ls.dut->close(ls.handle);
  world_destroy(&dut_world);
}

/* What is read: the two signals, whether the second has its enumeration, their values at the latest time. */
typedef struct {
  fstHandle sequence, origin;
  bool enumerated;
  uint64_t time, number, value;
  uint64_t shown[STEPS + 1]; /* by transaction */
} seen_t;

static void check_names(const char *text) {
  struct fstETab *table = fstUtilityExtractEnumTableFromString(text);
  ck_assert_uint_eq(table->elem_count, ORIGIN_COUNT);
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    ck_assert_str_eq(table->literal_arr[i], origin_name(i));
    ck_assert_uint_eq(strtoul(table->val_arr[i], NULL, 2), i);
  }
  fstUtilityFreeEnumTable(table);
}

static void find_signals(void *reader, seen_t *seen) {
  uint64_t table = 0, used = 0; /* handles of the enumeration "origin" and of the one that the next signal has */
  const struct fstHier *h;
  while ((h = fstReaderIterateHier(reader))) {
    if (h->htyp == FST_HT_ATTRBEGIN && h->u.attr.typ == FST_AT_MISC && h->u.attr.subtype == FST_MT_ENUMTABLE) {
      used = h->u.attr.arg;
      if (strncmp(h->u.attr.name, "origin ", 7) != 0) continue;
      table = used;
      check_names(h->u.attr.name);
    } else if (h->htyp == FST_HT_VAR) {
      if (strncmp(h->u.var.name, "sequence", 8) == 0) seen->sequence = h->u.var.handle;
      if (strncmp(h->u.var.name, "origin", 6) == 0) {
        ck_assert_uint_eq(h->u.var.length, 5);
        seen->origin = h->u.var.handle;
        seen->enumerated = table && used == table;
      }
      used = 0;
    }
  }
}

/* The values of one time are all there. */
static void keep(seen_t *seen) {
  ck_assert_uint_le(seen->number, STEPS);
  seen->shown[seen->number] = seen->value;
}

static void on_value(void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
  seen_t *seen = ctx;
  if (time != seen->time) keep(seen);
  seen->time = time;
  if (handle == seen->sequence) seen->number = strtoull((const char *)value, NULL, 2);
  if (handle == seen->origin) seen->value = strtoull((const char *)value, NULL, 2);
}

START_TEST(origin_is_shown_by_number_and_name) {
  seen_t seen = {0};
  write_wave();
  void *reader = fstReaderOpen(path);
  ck_assert_ptr_nonnull(reader);
  find_signals(reader, &seen);
  ck_assert(seen.sequence && seen.origin && seen.enumerated);
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(reader, on_value, &seen, NULL);
  keep(&seen);
  fstReaderClose(reader);
  ck_assert_uint_eq(seen.number, STEPS);
  for (unsigned i = 0; i < STEPS; i++)
    ck_assert_msg(seen.shown[i] == steps[i].shown, "transaction %u: origin %" PRIu64, i, seen.shown[i]);
  ck_assert_uint_eq(seen.shown[STEPS], ORIGIN_OTHER);
}
END_TEST

/* --- where an oracle judges: the device goes first --- */

enum { READS = 20, DIRECTORY = 0x1000, LARGE = 1 << 22 };

/* Reads through a 4 MiB page, of which the device's world may have another frame. Returns whether all are legal. */
static bool write_judged_wave(bool wrong) {
  char error[256] = "";
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
  mmu_rsp_t rsp;
  lockstep_init(&ls);
  ck_assert(world_create(&dut_world, RAM));
  const dut_env_t env = {.mem = world_port(&dut_world), .cycle_limit = 1000, .waves = true, .arguments = ""};
  ls.dut = dut_rtl();
  ls.handle = ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(ls.handle != NULL, "%s", error);
  ls.dut_world = &dut_world;
  ls.wave_path = path;
  ls.wave_count = UINT64_MAX;
  const mmu_config_t config = ls.dut->config();
  ck_assert(rig_create(&rig, &ls, &config, RAM));
  ck_assert_ptr_nonnull(ls.oracle = oracle_create(rig.mmu, &rig.world, &config));
  rig_store(&rig, DIRECTORY, 4, X86_PTE_P | X86_PTE_W | X86_PTE_A | X86_PDE_PS);
  rig_store(&rig, DIRECTORY + 4, 4, LARGE | X86_PTE_P | X86_PTE_W | X86_PTE_A | X86_PDE_PS);
  if (wrong) world_write(&dut_world, DIRECTORY + 4, 4, X86_PTE_P | X86_PTE_W | X86_PTE_A | X86_PDE_PS);
  const uint64_t attr = 0xC93;
  const mmu_req_t flat = {.op = MMU_OP_SET_SEG,
                          .seg = MMU_SEG_DS,
                          .reason = MMU_SET_RAW,
                          .data = UINT32_MAX | attr << 32 | UINT64_C(1) << 48};
  bool agree = rig_transact(&rig, &flat, &rsp);
  const uint64_t registers[][2] = {{4, X86_CR4_PSE}, {3, DIRECTORY}, {0, X86_CR0_PE | X86_CR0_PG}};
  for (unsigned i = 0; i < 3; i++)
    agree =
        agree &&
        rig_transact(&rig, &(mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = (uint8_t)registers[i][0], .data = registers[i][1]},
                     &rsp);
  for (unsigned i = 0; i < READS; i++) {
    mmu_req_t read = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = MMU_READ, .size = 4, .offset = 0x1000 * i};
    if (i == READS - 1) read.offset += LARGE;
    agree = agree && rig_transact(&rig, &read, &rsp);
  }
  lockstep_finish(&ls);
  ck_assert_msg(!ls.wave_failed, "%s", ls.wave_error);
  oracle_destroy(ls.oracle);
  rig_destroy(&rig);
  ls.dut->close(ls.handle);
  world_destroy(&dut_world);
  return agree;
}

typedef struct {
  fstHandle mismatch, answered;
  unsigned rises, answers;
  uint64_t mismatch_at, answered_at;
} judged_t;

static void on_judged(void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
  judged_t *j = ctx;
  if (value[0] != '1') return;
  if (handle == j->mismatch) j->rises++, j->mismatch_at = time;
  if (handle == j->answered) j->answers++, j->answered_at = time;
}

static judged_t read_judged(void) {
  judged_t j = {0};
  void *reader = fstReaderOpen(path);
  ck_assert_ptr_nonnull(reader);
  for (const struct fstHier *h; (h = fstReaderIterateHier(reader));) {
    if (h->htyp != FST_HT_VAR) continue;
    if (strcmp(h->u.var.name, "mismatch") == 0) j.mismatch = h->u.var.handle;
    if (strcmp(h->u.var.name, "answered") == 0) j.answered = h->u.var.handle;
  }
  ck_assert(j.mismatch && j.answered);
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(reader, on_judged, &j, NULL);
  fstReaderClose(reader);
  return j;
}

/* A legal answer is no mismatch; one that is illegal is one in the cycle that brings it. */
START_TEST(judged_answers_are_shown) {
  ck_assert(write_judged_wave(false));
  judged_t j = read_judged();
  ck_assert_uint_ge(j.answers, READS);
  ck_assert_uint_eq(j.rises, 0);
  ck_assert(!write_judged_wave(true));
  j = read_judged();
  ck_assert_uint_eq(j.rises, 1);
  ck_assert_uint_eq(j.mismatch_at, j.answered_at);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("wave");
  TCase *t = tcase_create("wave");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, make_path, remove_file);
  tcase_add_test(t, origin_is_shown_by_number_and_name);
  tcase_add_test(t, judged_answers_are_shown);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
