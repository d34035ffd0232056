/* The clock: its interrupts, its update, its alarm. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

static void set(cmos_t *c, uint8_t reg, uint8_t value, uint64_t tick) {
  cmos_write(c, 0, reg, tick);
  cmos_write(c, 1, value, tick);
}

static uint8_t get(cmos_t *c, uint8_t reg, uint64_t tick) {
  cmos_write(c, 0, reg, tick);
  return cmos_read(c, 1, tick);
}

static cmos_t fresh(void) {
  cmos_t c;
  cmos_init(&c, 4 * MiB);
  cmos_reset(&c, 0);
  return c;
}

START_TEST(periodic) {
  cmos_t c = fresh();
  ck_assert_uint_eq(cmos_next(&c), CMOS_NEVER);
  set(&c, 0x0B, 0x42, 5);
  ck_assert_uint_eq(cmos_next(&c), 32); /* rate 6: 1024 Hz */
  ck_assert(!cmos_irq(&c, 31));
  ck_assert(cmos_irq(&c, 32));
  ck_assert_uint_eq(cmos_next(&c), CMOS_NEVER); /* until C is read */
  ck_assert_uint_eq(get(&c, 0x0C, 40), 0xC0);
  ck_assert(!cmos_irq(&c, 40));
  ck_assert_uint_eq(cmos_next(&c), 64);
  ck_assert_uint_eq(get(&c, 0x0C, 64), 0xC0);
  set(&c, 0x0A, 0x2F, 64); /* 2 Hz */
  ck_assert_uint_eq(cmos_next(&c), 16384);
  set(&c, 0x0A, 0x21, 64); /* rates 1 and 2 are those of 8 and 9 */
  ck_assert_uint_eq(cmos_next(&c), 128);
  set(&c, 0x0A, 0x20, 64);
  ck_assert_uint_eq(cmos_next(&c), CMOS_NEVER);
}
END_TEST

START_TEST(flags_are_there_without_interrupts) {
  cmos_t c = fresh();
  set(&c, 0x01, 0x30, 0); /* an alarm that does not come */
  ck_assert_uint_eq(get(&c, 0x0C, CMOS_HZ - 1), 0x40);
  ck_assert_uint_eq(get(&c, 0x0C, CMOS_HZ - 1), 0x00);
  ck_assert_uint_eq(get(&c, 0x0C, CMOS_HZ), 0x50);
}
END_TEST

START_TEST(update_interrupts_and_shows_itself) {
  cmos_t c = fresh();
  set(&c, 0x0A, 0x20, 0);
  set(&c, 0x0B, 0x12, 0);
  ck_assert_uint_eq(cmos_next(&c), CMOS_HZ);
  ck_assert_uint_eq(get(&c, 0x0A, CMOS_HZ - 9), 0x20);
  ck_assert_uint_eq(get(&c, 0x0A, CMOS_HZ - 8), 0xA0);
  ck_assert_uint_eq(get(&c, 0x0A, CMOS_HZ - 1), 0xA0);
  ck_assert_uint_eq(get(&c, 0x0A, CMOS_HZ), 0x20);
  ck_assert(cmos_irq(&c, CMOS_HZ));
  ck_assert_uint_eq(get(&c, 0x0C, CMOS_HZ) & 0x90, 0x90);
  set(&c, 0x0B, 0x92, CMOS_HZ); /* halted */
  ck_assert_uint_eq(cmos_next(&c), CMOS_NEVER);
  ck_assert(!cmos_irq(&c, 5 * CMOS_HZ));
}
END_TEST

START_TEST(alarm_time) {
  cmos_t c = fresh();
  set(&c, 0x01, 0x05, 0);
  set(&c, 0x03, 0x01, 0);
  set(&c, 0x05, 0xC0, 0); /* any hour */
  set(&c, 0x0B, 0x22, 0);
  uint64_t tick = 0;
  while (!cmos_irq(&c, tick)) {
    ck_assert_uint_ne(cmos_next(&c), CMOS_NEVER);
    tick = cmos_next(&c);
  }
  ck_assert_uint_eq(tick, UINT64_C(65) * CMOS_HZ);
  ck_assert_uint_eq(get(&c, 0x0C, tick) & 0xA0, 0xA0);
  ck_assert(!cmos_irq(&c, tick + 3599 * CMOS_HZ));
  ck_assert(cmos_irq(&c, tick + UINT64_C(3600) * CMOS_HZ));
}
END_TEST

/* sti; hlt in real mode: the clock's interrupt comes after its time and wakes the CPU. */
START_TEST(irq8_wakes_the_cpu) {
  static const uint8_t code[] = {0xFB, 0xF4, 0xB0, 0x5A, 0xE6, 0xF4};
  machine_t *m = create(4 * MiB, NULL);
  const mmu_req_t cs = {.op = MMU_OP_SET_SEG,
                        .seg = MMU_SEG_CS,
                        .reason = MMU_SET_RAW,
                        .data = 0xFFFF | UINT64_C(0x9B) << 32 | UINT64_C(1) << 48};
  const uint64_t gpr[8] = {[CPU_ESP] = 0x8000};
  ck_assert(cpu_send(m->cpu, &cs));
  machine_load(m, 0x1000, code, sizeof code);
  machine_load(m, 0x70 * 4, "\x02\x10\0\0", 4); /* to what follows HLT */
  cpu_set_registers(m->cpu, gpr, 0x1000, 2);
  static const uint8_t writes[][2] = {{0x20, 0x11}, {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01},
                                      {0xA0, 0x11}, {0xA1, 0x70}, {0xA1, 0x02}, {0xA1, 0x01},
                                      {0x21, 0xFB}, {0xA1, 0xFE}, {0x70, 0x0B}, {0x71, 0x12}};
  for (unsigned i = 0; i < sizeof writes / sizeof *writes; i++)
    machine_out(m, writes[i][0], 1, writes[i][1]);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_EXIT);
  ck_assert_uint_ge(machine_time(m), MACHINE_HZ);
  ck_assert_uint_lt(machine_time(m), MACHINE_HZ + 20);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rtc");
  TCase *tests = tcase_create("rtc");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, periodic);
  tcase_add_test(tests, flags_are_there_without_interrupts);
  tcase_add_test(tests, update_interrupts_and_shows_itself);
  tcase_add_test(tests, alarm_time);
  tcase_add_test(tests, irq8_wakes_the_cpu);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
