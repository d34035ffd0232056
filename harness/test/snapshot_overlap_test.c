/*
 * The waveform that a failure leaves where requests overlap, made after it by repeating clock cycles: it ends with the
 * same failure, where the set-up's marker is, and is what --wave would have written.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "overlap_seen.h"
#include "snapshot_wave.h"
#include "sweep.h"

enum { EVERY = 150 };

static char path[64], setup[80];

static void make_path(void) {
  snprintf(path, sizeof path, "/tmp/mmu86-snapshot-overlap-test-%ld", (long)getpid());
  snprintf(setup, sizeof setup, "%s.gtkw", path);
}

static void remove_files(void) {
  remove(path);
  remove(setup);
}

static void check_setup(const snapshot_wave_t *wave) {
  char line[256], want[64];
  FILE *file = fopen(setup, "r");
  ck_assert_ptr_nonnull(file);
  snprintf(want, sizeof want, "*-5.000000 %" PRIu64 " %" PRIu64 " %" PRIu64 " ", wave->marker, wave->begin, wave->end);
  bool found = false, ports = false;
  while (fgets(line, sizeof line, file)) {
    found = found || strncmp(line, want, strlen(want)) == 0;
    ports = ports || strncmp(line, "lockstep.f_phase", 16) == 0;
  }
  fclose(file);
  ck_assert(found && ports);
}

/* The file ends with the failing cycle, which has the request; device and memory are as they were. */
static void check_repeated(bench_t *b, seen_t *seen, snapshot_wave_t *wave) {
  uint64_t cycles = b->ls.dut->cycles(b->ls.handle);
  uint8_t *memory = malloc(OVERLAP_RAM);
  ck_assert_ptr_nonnull(memory);
  memcpy(memory, b->dut_world.bytes, OVERLAP_RAM);
  snapshot_wave_write(&b->ls, path, NULL, wave);
  ck_assert_msg(wave->written && wave->repeated && !wave->error[0], "%s", wave->error);
  ck_assert_uint_eq(b->ls.dut->cycles(b->ls.handle), cycles);
  ck_assert_int_eq(memcmp(memory, b->dut_world.bytes, OVERLAP_RAM), 0);
  free(memory);
  read_wave(path, seen);
  ck_assert_uint_eq(seen->first, wave->first);
  ck_assert_uint_eq(seen->value[SEQUENCE], b->ls.sequence);
  ck_assert_uint_eq(seen->rises, 1);
  ck_assert_uint_eq(seen->rise, wave->end);
  ck_assert_uint_eq(wave->end, 2 * cycles - 1);
  ck_assert_uint_lt(wave->begin, wave->end);
  check_setup(wave);
}

static void check_request(const bench_t *b, const seen_t *seen, dut_phase_t phase) {
  dut_port_t port = overlap_port(&b->ls.bad_req);
  ck_assert_uint_eq(at(seen, port, PHASE), phase);
  ck_assert_uint_eq(at(seen, port, OFFSET), b->ls.bad_req.offset & UINT32_MAX);
  ck_assert_uint_eq(at(seen, port, SIZE), b->ls.bad_req.size);
}

static void check_length(const bench_t *b, const snapshot_wave_t *wave) {
  ck_assert_uint_ge(b->ls.sequence - wave->first, EVERY);
  ck_assert_uint_le(b->ls.sequence - wave->first, 2 * EVERY + 2);
}

START_TEST(a_mismatch_is_repeated) {
  static bench_t b;
  static seen_t seen;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  check_repeated(&b, &seen, &wave);
  check_length(&b, &wave);
  check_request(&b, &seen, DUT_ANSWERED);
  ck_assert_uint_eq(wave.marker, wave.end);
  ck_assert_uint_eq(at(&seen, DUT_DATA, DUT_PADDR), b.ls.dut_rsp.paddr[0]);
  ck_assert_uint_eq(at(&seen, DUT_DATA, MODEL_PADDR), b.ls.model_rsp.paddr[0]);
  ck_assert_uint_ne(b.ls.dut_rsp.paddr[0], b.ls.model_rsp.paddr[0]);
  ck_assert_uint_gt(seen.answered, EVERY);
  ck_assert_uint_gt(seen.translated, EVERY / 4);
  close_bench(&b);
}
END_TEST

/* The waveform that --wave writes of the same cycles has the same ones: same time, same values. */
START_TEST(the_repetition_is_the_run) {
  static bench_t b;
  static seen_t live, again;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=1 +from=6000", 0, true);
  b.ls.wave_path = path;
  b.ls.wave_count = UINT64_MAX;
  ck_assert(!drive(&b));
  lockstep_finish(&b.ls);
  read_wave(path, &live);
  close_bench(&b);
  open_bench(&b, "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  check_repeated(&b, &again, &wave);
  ck_assert_uint_eq(again.time, live.time);
  ck_assert_int_eq(memcmp(again.value, live.value, sizeof live.value), 0);
  for (uint64_t i = wave.first; i <= b.ls.sequence; i++)
    ck_assert_uint_eq(again.numbers[i], live.numbers[i]);
  close_bench(&b);
}
END_TEST

START_TEST(a_broken_rule_is_repeated) {
  static bench_t b;
  static seen_t seen;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=3 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_PROTOCOL);
  ck_assert_str_eq(b.ls.dut_error, "withdraws a response");
  check_repeated(&b, &seen, &wave);
  check_length(&b, &wave);
  close_bench(&b);
}
END_TEST

/* The marker is where the request was accepted that is never answered. */
START_TEST(a_silence_is_repeated) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=2 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  ck_assert_str_eq(b.ls.dut_error, "does not answer");
  uint64_t since = 2 * b.ls.dut->cycles(b.ls.handle) - 2 - 2 * (uint64_t)OVERLAP_PATIENCE;
  snapshot_wave_write(&b.ls, path, NULL, &wave);
  ck_assert_msg(wave.written && wave.repeated, "%s", wave.error);
  ck_assert_uint_eq(wave.begin, since);
  ck_assert_uint_eq(wave.marker, wave.begin);
  close_bench(&b);
}
END_TEST

/* The wrong thing is what a walk reads: entries that only the device's world has. */
START_TEST(a_wrong_reference_is_repeated) {
  static bench_t b;
  static seen_t seen;
  snapshot_wave_t wave;
  open_bench(&b, "", EVERY, false);
  ck_assert(drive(&b));
  uint64_t directory = mmu_cr(b.rig.mmu, 3) & ~UINT64_C(0xFFF);
  for (unsigned i = 0; i < 1024; i++)
    world_write(&b.dut_world, directory + 4 * i, 4, world_read(&b.dut_world, directory + 4 * i, 4) ^ 0x800);
  snapshots_forget(b.ls.snapshots); /* of before that nothing can be repeated */
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  check_repeated(&b, &seen, &wave);
  check_request(&b, &seen, DUT_UNDER_WAY);
  ck_assert_uint_gt(at(&seen, overlap_port(&b.ls.bad_req), REFERENCES), 0);
  close_bench(&b);
}
END_TEST

/* A sweep resets the device between its scenes. */
START_TEST(a_scene_is_repeated) {
  static bench_t b;
  static seen_t seen;
  snapshot_wave_t wave;
  unsigned span;
  open_bench(&b, "+wrong=1 +from=9000", EVERY, false);
  sweep_scene_t scene = {.walk = SWEEP_SMALL_NEW, .port = DUT_DATA, .event = SWEEP_MOVES_INVLPG};
  while (sweep_run(&b.rig, &b.overlap, &scene, &span))
    scene.cycle = (scene.cycle + 1) % 20;
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  check_repeated(&b, &seen, &wave);
  check_length(&b, &wave);
  check_request(&b, &seen, DUT_ANSWERED);
  close_bench(&b);
}
END_TEST

START_TEST(another_way_is_noticed) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=4 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  ck_assert_int_eq(b.ls.state, LOCKSTEP_MISMATCH);
  snapshot_wave_write(&b.ls, path, NULL, &wave);
  ck_assert(wave.written && !wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "inputs alone"));
  close_bench(&b);
}
END_TEST

/* What does not begin as it did goes another way long before the failure. */
START_TEST(another_memory_is_noticed) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  for (snapshot_stretch_t *s = b.ls.snapshots->stretch; s < b.ls.snapshots->stretch + DUT_SNAPSHOTS; s++)
    s->undo = 0;
  snapshot_wave_write(&b.ls, path, NULL, &wave);
  ck_assert(wave.written && !wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "goes another way"));
  close_bench(&b);
}
END_TEST

/* The same cycles, but not the failure that the lockstep had: another answer, another rule. */
START_TEST(another_failure_is_noticed) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, _i ? "+wrong=3 +from=6000" : "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  if (_i)
    strcpy(b.ls.dut_error, "does not answer");
  else
    b.ls.dut_rsp.pcd[0] = !b.ls.dut_rsp.pcd[0];
  snapshot_wave_write(&b.ls, path, NULL, &wave);
  ck_assert(wave.written && !wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "does not fail"));
  close_bench(&b);
}
END_TEST

static bool at_once(void) {
  return true;
}

START_TEST(it_can_be_interrupted) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  snapshot_wave_write(&b.ls, path, at_once, &wave);
  ck_assert(!wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "interrupted"));
  close_bench(&b);
}
END_TEST

START_TEST(unwritable_place_is_named) {
  static bench_t b;
  snapshot_wave_t wave;
  open_bench(&b, "+wrong=1 +from=6000", EVERY, false);
  ck_assert(!drive(&b));
  snapshot_wave_write(&b.ls, "/nonexistent/w", NULL, &wave);
  ck_assert(!wave.written && wave.repeated);
  ck_assert_ptr_nonnull(strstr(wave.error, "/nonexistent/w"));
  close_bench(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("snapshot_overlap");
  TCase *t = tcase_create("snapshot_overlap");
  tcase_set_timeout(t, 300);
  tcase_add_checked_fixture(t, make_path, remove_files);
  tcase_add_test(t, a_mismatch_is_repeated);
  tcase_add_test(t, the_repetition_is_the_run);
  tcase_add_test(t, a_broken_rule_is_repeated);
  tcase_add_test(t, a_silence_is_repeated);
  tcase_add_test(t, a_wrong_reference_is_repeated);
  tcase_add_test(t, a_scene_is_repeated);
  tcase_add_test(t, another_way_is_noticed);
  tcase_add_test(t, another_memory_is_noticed);
  tcase_add_loop_test(t, another_failure_is_noticed, 0, 2);
  tcase_add_test(t, it_can_be_interrupted);
  tcase_add_test(t, unwritable_place_is_named);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
