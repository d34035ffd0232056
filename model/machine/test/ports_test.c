/*
 * What the guest finds in the port-I/O address space, and memory.
 */
#include "boot.h"
#include "machine_priv.h"

START_TEST(ports) {
  output_t out;
  machine_t *m = boot("", 0, &out, NULL);
  ck_assert_uint_eq(machine_in(m, 0x2F8, 1), 0xFF);
  ck_assert_uint_eq(machine_in(m, 0xCFC, 4), 0xFFFFFFFF);
  ck_assert_uint_eq(machine_in(m, 0x1F0, 2), 0xFFFF);
  ck_assert_uint_eq(machine_in(m, 0xFFFF, 4) | 0xFF, 0xFFFFFFFF); /* the port number wraps */
  machine_out(m, 0x80, 1, 0x55);
  machine_out(m, 0xE9, 1, '!');
  machine_out(m, 0xE9, 4, 0x2D2D2D3F);
  ck_assert_str_eq(out.text, "!?");
  ck_assert_uint_eq(machine_in(m, 0xE9, 1), 0xE9);
  ck_assert_uint_eq(machine_in(m, 0xE9, 2), 0xFFE9);
  machine_out(m, 0x3FF, 1, 0x5A);
  ck_assert_uint_eq(machine_in(m, 0x3FE, 2), 0x5AB0);
  ck_assert_uint_eq(machine_in(m, 0x92, 1), 0x02);
  uint32_t first = machine_in(m, 0x61, 1); /* the refresh bit toggles */
  ck_assert_uint_eq(first ^ machine_in(m, 0x61, 1), 0x10);
  ck_assert_uint_eq(machine_in(m, 0x64, 1), 0x1C);
  ck_assert_uint_eq(machine_in(m, 0x60, 1), 0xFA);
  machine_destroy(m);
}
END_TEST

START_TEST(ports_of_nobody_are_counted) {
  machine_t *m = boot("", 0, NULL, NULL);
  ck_assert_uint_eq(machine_unmapped_ports(m), 0);
  machine_in(m, 0x21, 1);
  machine_out(m, 0x61, 1, 0);
  machine_in(m, 0xCFC, 4);
  ck_assert_uint_eq(machine_unmapped_ports(m), 0);
  machine_in(m, 0x1F0, 2);
  machine_out(m, 0x1F7, 1, 0);
  machine_in(m, 0xE9, 2); /* half of it */
  ck_assert_uint_eq(machine_unmapped_ports(m), 3);
  machine_destroy(m);
}
END_TEST

typedef struct {
  uint8_t bytes[8];
  unsigned n;
} origins_t;

static void on_origin(void *ctx, uint8_t byte) {
  origins_t *seen = ctx;
  ck_assert_uint_lt(seen->n, sizeof seen->bytes);
  seen->bytes[seen->n++] = byte;
}

/* The origin port tells the hook what is written to it; who reads it finds nobody. */
START_TEST(origin_port) {
  static const uint8_t code[] = {0xB0, 0x15, 0xE6, 0xEA,  /* mov $21, %al; out %al, $0xEA */
                                 0x30, 0xC0, 0xE6, 0xF4}; /* xor %al, %al; out %al, $0xF4 */
  origins_t seen = {.n = 0};
  const machine_hooks_t hooks = {.ctx = &seen, .origin = on_origin};
  machine_t *m = boot(code, sizeof code, NULL, &hooks);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_EXIT);
  machine_out(m, 0xEA, 1, 0xFF);
  machine_out(m, 0xE9, 2, 0x0321); /* the byte for the debug console, and the next */
  machine_out(m, 0xE9, 1, 0x21);
  ck_assert_uint_eq(machine_unmapped_ports(m), 0);
  ck_assert_uint_eq(seen.n, 3);
  ck_assert_uint_eq(seen.bytes[0], 21);
  ck_assert_uint_eq(seen.bytes[1], 0xFF);
  ck_assert_uint_eq(seen.bytes[2], 3);
  ck_assert_uint_eq(machine_in(m, 0xEA, 1), 0xFF);
  ck_assert_uint_eq(machine_in(m, 0xEA, 4), 0xFFFFFFFF);
  ck_assert_uint_eq(machine_unmapped_ports(m), 2);
  machine_destroy(m);
}
END_TEST

/* Nobody has to care. */
START_TEST(origin_port_without_a_hook) {
  machine_t *m = boot("", 0, NULL, NULL);
  machine_out(m, 0xEA, 1, 3);
  ck_assert_uint_eq(machine_unmapped_ports(m), 0);
  machine_destroy(m);
}
END_TEST

START_TEST(devices_are_as_firmware_leaves_them) {
  machine_t *m = boot("", 0, NULL, NULL);
  ck_assert_uint_eq(machine_in(m, 0x21, 1), 0xB8);
  ck_assert_uint_eq(machine_in(m, 0xA1, 1), 0x8E);
  ck_assert_uint_eq(machine_in(m, 0x20, 1), 0x10); /* IRR */
  machine_out(m, 0x43, 1, 0xE2);
  ck_assert_uint_eq(machine_in(m, 0x40, 1), 0x34);
  ck_assert_uint_eq(machine_in(m, 0x4D0, 2), 0x0C00);
  machine_destroy(m);
}
END_TEST

START_TEST(cmos) {
  static const uint8_t expected[][2] = {{0x0A, 0x26}, {0x0B, 0x02}, {0x0D, 0x80}, {0x15, 0x80}, {0x16, 0x02},
                                        {0x17, 0x00}, {0x18, 0x0C}, {0x35, 0x00}, {0x00, 0x00}, {0x06, 0x02},
                                        {0x07, 0x01}, {0x08, 0x01}, {0x09, 0x24}, {0x32, 0x20}};
  machine_t *m = boot("", 0, NULL, NULL);
  for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    machine_out(m, 0x70, 1, 0x80 | expected[i][0]);
    ck_assert_uint_eq(machine_in(m, 0x71, 1), expected[i][1]);
  }
  machine_out(m, 0x70, 1, 0x40);
  machine_out(m, 0x71, 1, 0x77);
  ck_assert_uint_eq(machine_in(m, 0x71, 1), 0x77);
  ck_assert_uint_eq(machine_in(m, 0x70, 1), 0xFF);

  cmos_t clock;
  static const struct {
    uint8_t reg, value;
  } at_end[] = {{0x00, 0x59}, {0x02, 0x59}, {0x04, 0x23}, {0x06, 0x05}, {0x07, 0x29}, {0x08, 0x02}, {0x09, 0x24}};
  cmos_init(&clock, MiB);
  for (unsigned i = 0; i < sizeof at_end / sizeof at_end[0]; i++) { /* 2024-02-29 23:59:59, a Thursday */
    cmos_write(&clock, 0, at_end[i].reg, 0);
    ck_assert_uint_eq(cmos_read(&clock, 1, (UINT64_C(60) * 86400 - 1) * CMOS_HZ), at_end[i].value);
  }
  cmos_write(&clock, 0, 0x0B, 0);
  cmos_write(&clock, 1, 0x00, 0); /* 12 hours, BCD */
  cmos_write(&clock, 0, 0x04, 0);
  ck_assert_uint_eq(cmos_read(&clock, 1, UINT64_C(13) * 3600 * CMOS_HZ), 0x81);
  ck_assert_uint_eq(cmos_read(&clock, 1, 0), 0x12);
  machine_destroy(m);
}
END_TEST

START_TEST(keyboard_controller) {
  machine_t *m = boot("", 0, NULL, NULL);
  machine_out(m, 0x64, 1, 0xAA);
  ck_assert_uint_eq(machine_in(m, 0x64, 1) & 0x09, 0x09);
  ck_assert_uint_eq(machine_in(m, 0x60, 1), 0x55);
  ck_assert_uint_eq(machine_in(m, 0x64, 1) & 0x01, 0x00);
  machine_out(m, 0x60, 1, 0xFF);
  ck_assert_uint_eq(machine_in(m, 0x60, 1), 0xFA);
  ck_assert_uint_eq(machine_in(m, 0x60, 1), 0xAA);
  machine_out(m, 0x64, 1, 0xD0);
  ck_assert_uint_eq(machine_in(m, 0x60, 1) & 0x03, 0x03);
  machine_out(m, 0x64, 1, 0xFE);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(machine_diagnostic(m), "reset"));
  machine_destroy(m);
}
END_TEST

START_TEST(port_92_resets) {
  machine_t *m = boot("", 0, NULL, NULL);
  machine_out(m, 0x92, 1, 0x03);
  ck_assert_int_eq(machine_run(m, 10), MACHINE_SHUTDOWN);
  ck_assert_ptr_nonnull(strstr(machine_diagnostic(m), "reset"));
  machine_destroy(m);
}
END_TEST

START_TEST(exit_by_any_size) {
  static const uint8_t code[][7] = {
      {0xB8, 0x81, 0x72, 0x63, 0x54, 0xE6, 0xF4},  /* mov $0x54637281,%eax; out %al,$0xf4 */
      {0xB8, 0x81, 0x72, 0x63, 0x54, 0xE7, 0xF4}}; /* out %eax,$0xf4 */
  static const uint32_t codes[] = {0x81, 0x54637281};
  for (unsigned i = 0; i < 2; i++) {
    machine_t *m = boot(code[i], sizeof code[i], NULL, NULL);
    ck_assert_int_eq(machine_run(m, 10), MACHINE_EXIT);
    ck_assert_uint_eq(machine_exit_code(m), codes[i]);
    machine_destroy(m);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ports");
  TCase *tests = tcase_create("ports");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, ports);
  tcase_add_test(tests, ports_of_nobody_are_counted);
  tcase_add_test(tests, origin_port);
  tcase_add_test(tests, origin_port_without_a_hook);
  tcase_add_test(tests, devices_are_as_firmware_leaves_them);
  tcase_add_test(tests, cmos);
  tcase_add_test(tests, keyboard_controller);
  tcase_add_test(tests, port_92_resets);
  tcase_add_test(tests, exit_by_any_size);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
