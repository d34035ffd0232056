/*
 * The waveform of a failure: the RTL differs late, hangs, breaks; what is repeated ends with the same failure, and the
 * file has it where the set-up's marker is. The RTL's bug is in its memory: an entry that only its world has.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dut_rtl.h"
#include "gtkwave/fstapi.h"
#include "rig.h"
#include "snapshot_wave.h"
#include "x86.h"

enum { RAM = 4 << 20, EVERY = 300, READS = 1000, PAGES = 256, DIRECTORY = 0x1000, TABLE = 0x2000, BAD_PAGE = 200 };

static char path[64], setup[80];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-snapshot-test-%ld", (long)getpid());
  snprintf(setup, sizeof setup, "%s.gtkw", path);
}

static void remove_files(void) {
  remove(path);
  remove(setup);
}

typedef struct {
  lockstep_t ls;
  world_t dut_world;
  rig_t rig;
} side_t;

/*
 * Opens the RTL with snapshots and turns paging on over pages that lie at themselves. cycle_limit: of a transaction.
 * judged: at the architectural check level.
 */
static void open_judged(side_t *t, uint32_t cycle_limit, bool judged) {
  char error[256] = "";
  mmu_rsp_t rsp;
  memset(t, 0, sizeof *t);
  ck_assert(world_create(&t->dut_world, RAM));
  t->ls.snapshots = snapshots_create(dut_rtl(), &t->dut_world, EVERY, false);
  ck_assert_ptr_nonnull(t->ls.snapshots);
  const dut_env_t env = {
      .mem = snapshots_port(t->ls.snapshots), .cycle_limit = cycle_limit, .mem_latency = 7, .seed = 3};
  t->ls.dut = dut_rtl();
  t->ls.handle = t->ls.snapshots->handle = t->ls.dut->open(&env, error, sizeof error);
  ck_assert_msg(t->ls.handle != NULL, "%s", error);
  t->ls.dut_world = &t->dut_world;
  const mmu_config_t config = t->ls.dut->config();
  ck_assert(rig_create(&t->rig, &t->ls, &config, RAM));
  if (judged) ck_assert_ptr_nonnull(t->ls.oracle = oracle_create(t->rig.mmu, &t->rig.world, &config));
  for (unsigned i = 0; i < PAGES; i++)
    rig_store(&t->rig, TABLE + 4 * i, 4, i << 12 | X86_PTE_P | X86_PTE_W);
  rig_store(&t->rig, DIRECTORY, 4, TABLE | X86_PTE_P | X86_PTE_W);
  const mmu_req_t start[] = {{.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE},
                             {.op = MMU_OP_SET_SEG,
                              .reason = MMU_SET_RAW,
                              .seg = MMU_SEG_DS,
                              .data = 0xffffffff | 0xc93ull << 32 | 1ull << 48},
                             {.op = MMU_OP_WRITE_CR, .cr = 3, .data = DIRECTORY},
                             {.op = MMU_OP_WRITE_CR, .cr = 0, .data = X86_CR0_PE | X86_CR0_PG}};
  for (unsigned i = 0; i < sizeof start / sizeof *start; i++)
    ck_assert(rig_transact(&t->rig, &start[i], &rsp));
}

static void open_side(side_t *t, uint32_t cycle_limit) {
  open_judged(t, cycle_limit, false);
}

static void close_side(side_t *t) {
  oracle_destroy(t->ls.oracle);
  rig_destroy(&t->rig);
  t->ls.dut->close(t->ls.handle);
  snapshots_destroy(t->ls.snapshots);
  world_destroy(&t->dut_world);
}

/* Reads and writes pages below BAD_PAGE, with stores to their entries in between; then BAD_PAGE. Returns whether all
 * agree. */
static bool drive(side_t *t) {
  mmu_rsp_t rsp;
  for (unsigned i = 0; i < READS; i++) {
    uint32_t page = i * 37 % BAD_PAGE;
    mmu_req_t req = {
        .op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .access = i % 2, .size = 4, .offset = page << 12 | (i & 0xffc)};
    if (page < 4) continue;
    if (!rig_transact(&t->rig, &req, &rsp)) return false;
    if (i % 5 == 0) rig_store(&t->rig, TABLE + 4 * page, 4, page << 12 | X86_PTE_P | X86_PTE_W);
    if (i % 7 == 0 && !rig_transact(&t->rig, &(mmu_req_t){.op = MMU_OP_INVLPG, .offset = page << 12}, &rsp))
      return false;
  }
  return rig_transact(&t->rig,
                      &(mmu_req_t){.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = BAD_PAGE << 12}, &rsp);
}

/* What the file has of two signals. */
typedef struct {
  fstHandle sequence, mismatch;
  uint64_t first, last, rise, rises;
  bool any;
} seen_t;

static void on_value(void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
  seen_t *seen = ctx;
  if (handle == seen->mismatch && value[0] == '1') {
    seen->rise = time;
    seen->rises++;
  }
  if (handle != seen->sequence) return;
  seen->last = strtoull((const char *)value, NULL, 2);
  if (!seen->any) seen->first = seen->last;
  seen->any = true;
}

static seen_t look(void) {
  seen_t seen = {0};
  void *reader = fstReaderOpen(path);
  ck_assert_ptr_nonnull(reader);
  for (const struct fstHier *h; (h = fstReaderIterateHier(reader));) {
    if (h->htyp != FST_HT_VAR) continue;
    if (strncmp(h->u.var.name, "sequence", 8) == 0) seen.sequence = h->u.var.handle;
    if (strcmp(h->u.var.name, "mismatch") == 0) seen.mismatch = h->u.var.handle;
  }
  ck_assert(seen.sequence && seen.mismatch);
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(reader, on_value, &seen, NULL);
  fstReaderClose(reader);
  return seen;
}

/* The file ends with the failure, and has at least a whole stretch if the run was that long. */
static void check_wave(const side_t *t, const snapshot_wave_t *wave) {
  ck_assert_msg(wave->written && wave->repeated && !wave->error[0], "%s", wave->error);
  seen_t seen = look();
  ck_assert_uint_eq(seen.first, wave->first);
  ck_assert_uint_eq(seen.last, t->ls.sequence);
  ck_assert_uint_eq(seen.rises, 1);
  ck_assert_uint_eq(seen.rise, wave->end);
  ck_assert_uint_le(wave->begin, wave->marker);
  ck_assert_uint_le(wave->marker, wave->end);
  if (t->ls.sequence > EVERY) ck_assert_uint_ge(t->ls.sequence - wave->first, EVERY);
  ck_assert_uint_le(t->ls.sequence - wave->first, 2 * EVERY);
  char line[256], want[64];
  FILE *file = fopen(setup, "r");
  ck_assert_ptr_nonnull(file);
  snprintf(want, sizeof want, "*-5.000000 %" PRIu64 " %" PRIu64 " %" PRIu64 " ", wave->marker, wave->begin, wave->end);
  bool found = false;
  while (fgets(line, sizeof line, file))
    found = found || strncmp(line, want, strlen(want)) == 0;
  fclose(file);
  ck_assert(found);
}

START_TEST(mismatch_is_repeated) {
  side_t t;
  snapshot_wave_t wave;
  open_side(&t, 1000);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x77000 | X86_PTE_P);
  ck_assert(!drive(&t));
  ck_assert_int_eq(t.ls.state, LOCKSTEP_MISMATCH);
  uint64_t cycles = t.ls.dut->cycles(t.ls.handle);
  snapshot_wave_write(&t.ls, path, NULL, &wave);
  ck_assert_uint_eq(t.ls.dut->cycles(t.ls.handle), cycles);
  ck_assert_uint_eq(wave.marker, wave.end);
  check_wave(&t, &wave);
  uint64_t differs =
      0; /* memory is what it was as well: its planted entry, with A set on each side, is all that differs */
  ck_assert(!world_equal(&t.rig.world, &t.dut_world, &differs));
  ck_assert_uint_eq(differs & ~3ull, TABLE + 4 * BAD_PAGE);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, world_read(&t.rig.world, TABLE + 4 * BAD_PAGE, 4));
  ck_assert(world_equal(&t.rig.world, &t.dut_world, &differs));
  close_side(&t);
}
END_TEST

/* The same where an oracle judges: the device goes first, from a TLB that nobody knows. */
START_TEST(judged_mismatch_is_repeated) {
  side_t t;
  snapshot_wave_t wave;
  open_judged(&t, 1000, true);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x77000 | X86_PTE_P);
  ck_assert(!drive(&t));
  ck_assert_int_eq(t.ls.state, LOCKSTEP_MISMATCH);
  ck_assert_uint_gt(oracle_count(t.ls.oracle, ORACLE_FRESH), READS / 2);
  uint64_t cycles = t.ls.dut->cycles(t.ls.handle);
  snapshot_wave_write(&t.ls, path, NULL, &wave);
  ck_assert_uint_eq(t.ls.dut->cycles(t.ls.handle), cycles);
  check_wave(&t, &wave);
  close_side(&t);
}
END_TEST

/* A limit that only a slow walk exceeds. */
START_TEST(hang_is_repeated) {
  side_t t;
  snapshot_wave_t wave;
  open_side(&t, 40);
  for (unsigned round = 0; round < 50 && drive(&t); round++)
    rig_store(&t.rig, DIRECTORY, 4, TABLE | X86_PTE_P | X86_PTE_W);
  ck_assert_int_eq(t.ls.state, LOCKSTEP_HANG);
  snapshot_wave_write(&t.ls, path, NULL, &wave);
  ck_assert_uint_eq(wave.marker, wave.begin);
  ck_assert_uint_eq(wave.end - wave.begin, 2 * 40 - 1);
  check_wave(&t, &wave);
  close_side(&t);
}
END_TEST

/* After a load there is nothing to go back to but what follows it. */
START_TEST(load_begins_anew) {
  side_t t;
  snapshot_wave_t wave;
  mmu_rsp_t rsp;
  const uint8_t byte = 1;
  open_side(&t, 1000);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x77000 | X86_PTE_P);
  rig_load(&t.rig, 0x300000, &byte, 1);
  uint64_t first = t.ls.sequence;
  ck_assert(rig_transact(&t.rig, &(mmu_req_t){.op = MMU_OP_INVLPG}, &rsp));
  mmu_req_t bad = {.op = MMU_OP_ACCESS, .seg = MMU_SEG_DS, .size = 4, .offset = BAD_PAGE << 12};
  ck_assert(!rig_transact(&t.rig, &bad, &rsp));
  snapshot_wave_write(&t.ls, path, NULL, &wave);
  ck_assert_uint_eq(wave.first, first);
  check_wave(&t, &wave);
  close_side(&t);
}
END_TEST

/* A device that does not follow from its inputs, played by memory that changes behind the harness's back: said so. */
START_TEST(another_way_is_noticed) {
  side_t t;
  snapshot_wave_t wave;
  open_side(&t, 1000);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x77000 | X86_PTE_P);
  ck_assert(!drive(&t));
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x78000 | X86_PTE_P); /* the log undoes the A bit's write alone */
  for (snapshot_stretch_t *s = t.ls.snapshots->stretch; s < t.ls.snapshots->stretch + DUT_SNAPSHOTS; s++)
    s->undo = 0;
  snapshot_wave_write(&t.ls, path, NULL, &wave);
  ck_assert(wave.written && !wave.repeated);
  ck_assert_msg(strstr(wave.error, "inputs alone") != NULL, "%s", wave.error);
  close_side(&t);
}
END_TEST

START_TEST(unwritable_place_is_named) {
  side_t t;
  snapshot_wave_t wave;
  open_side(&t, 1000);
  world_write(&t.dut_world, TABLE + 4 * BAD_PAGE, 4, 0x77000 | X86_PTE_P);
  ck_assert(!drive(&t));
  snapshot_wave_write(&t.ls, "/nonexistent/w", NULL, &wave);
  ck_assert(!wave.written && wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "/nonexistent/w"));
  close_side(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("snapshot");
  TCase *t = tcase_create("snapshot");
  tcase_set_timeout(t, 120);
  tcase_add_checked_fixture(t, make_path, remove_files);
  tcase_add_test(t, mismatch_is_repeated);
  tcase_add_test(t, judged_mismatch_is_repeated);
  tcase_add_test(t, hang_is_repeated);
  tcase_add_test(t, load_begins_anew);
  tcase_add_test(t, another_way_is_noticed);
  tcase_add_test(t, unwritable_place_is_named);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
