/* The keyboard controller, its keyboard and its mouse. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

static kbc_t fresh(void) {
  kbc_t k;
  kbc_init(&k);
  return k;
}

/* Everything that is to be read, as text of two hexadecimal digits each; M marks the mouse's. */
static const char *drain(kbc_t *k) {
  static char text[128];
  text[0] = 0;
  for (unsigned n = 0; kbc_read_status(k) & 0x01; n++) {
    bool mouse = kbc_read_status(k) & 0x20;
    ck_assert_uint_lt(n, 20);
    sprintf(text + strlen(text), "%s%s%02X", n ? " " : "", mouse ? "M" : "", kbc_read_data(k));
  }
  return text;
}

static void send(kbc_t *k, const uint8_t *bytes, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    kbc_write_data(k, bytes[i]);
}

static void send_mouse(kbc_t *k, const uint8_t *bytes, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    kbc_write_command(k, 0xD4);
    kbc_write_data(k, bytes[i]);
  }
}

START_TEST(controller) {
  static const struct {
    uint8_t command;
    const char *answer;
  } cases[] = {{0xAA, "55"}, {0xAB, "00"}, {0xA9, "00"}, {0x20, "03"}, {0xC0, "80"}, {0xD0, "CF"}, {0xFF, ""}};
  kbc_t k = fresh();
  ck_assert_uint_eq(kbc_read_status(&k), 0x18);
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_assert_int_eq(kbc_write_command(&k, cases[i].command), KBC_NOTHING);
    ck_assert_str_eq(drain(&k), cases[i].answer);
  }
  ck_assert_uint_eq(kbc_read_status(&k), 0x1C); /* tested */
  kbc_write_command(&k, 0x60);
  kbc_write_data(&k, 0x47);
  kbc_write_command(&k, 0xA7);
  kbc_write_command(&k, 0xAD);
  kbc_write_command(&k, 0x20);
  ck_assert_str_eq(drain(&k), "77");
  kbc_write_command(&k, 0xA8);
  kbc_write_command(&k, 0xAE);
  kbc_write_command(&k, 0x20);
  ck_assert_str_eq(drain(&k), "47");
  kbc_write_command(&k, 0xD2);
  kbc_write_data(&k, 0x12);
  ck_assert_str_eq(drain(&k), "12");
  kbc_write_command(&k, 0xD3);
  kbc_write_data(&k, 0x34);
  ck_assert_str_eq(drain(&k), "M34");
}
END_TEST

START_TEST(gates) {
  kbc_t k = fresh();
  ck_assert_int_eq(kbc_write_command(&k, 0xDD), KBC_A20);
  ck_assert(!(k.output_port & 2));
  ck_assert_int_eq(kbc_write_command(&k, 0xDF), KBC_A20);
  ck_assert(k.output_port & 2);
  kbc_write_command(&k, 0xD1);
  ck_assert_int_eq(kbc_write_data(&k, 0xDD), KBC_A20);
  kbc_write_command(&k, 0xD1);
  ck_assert_int_eq(kbc_write_data(&k, 0xDE), KBC_A20 | KBC_RESET);
  ck_assert_int_eq(kbc_write_command(&k, 0xFE), KBC_RESET);
  ck_assert_int_eq(kbc_write_command(&k, 0xFD), KBC_NOTHING);
}
END_TEST

START_TEST(keyboard) {
  static const struct {
    uint8_t bytes[2];
    unsigned n;
    const char *answer;
  } cases[] = {{{0xFF}, 1, "FA AA"},       {{0xF2}, 1, "FA AB 83"}, {{0xEE}, 1, "EE"},          {{0xED, 7}, 2, "FA FA"},
               {{0xF0, 0}, 2, "FA FA 02"}, {{0xF0, 1}, 2, "FA FA"}, {{0xF0, 0}, 2, "FA FA 01"}, {{0xF0, 9}, 2, "FA FE"},
               {{0xF3, 0}, 2, "FA FA"},    {{0xF4}, 1, "FA"},       {{0xF5}, 1, "FA"},          {{0xF6}, 1, "FA"},
               {{0xF0, 0}, 2, "FA FA 02"}, {{0x05}, 1, "FE"},       {{0xED, 0xF4}, 2, "FA FA"}};
  kbc_t k = fresh();
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    send(&k, cases[i].bytes, cases[i].n);
    ck_assert_str_eq(drain(&k), cases[i].answer);
  }
  kbc_write_command(&k, 0x60);
  kbc_write_data(&k, 0x41); /* translated */
  send(&k, (const uint8_t[]){0xF2}, 1);
  ck_assert_str_eq(drain(&k), "FA AB 41");
  send(&k, (const uint8_t[]){0xF0, 0}, 2);
  ck_assert_str_eq(drain(&k), "FA FA 41");
}
END_TEST

START_TEST(mouse) {
  static const struct {
    uint8_t bytes[2];
    unsigned n;
    const char *answer;
  } cases[] = {{{0xFF}, 1, "MFA MAA M00"},
               {{0xF2}, 1, "MFA M00"},
               {{0xE8, 3}, 2, "MFA MFA"},
               {{0xF3, 40}, 2, "MFA MFA"},
               {{0xF4}, 1, "MFA"},
               {{0xE9}, 1, "MFA M20 M03 M28"},
               {{0xEB}, 1, "MFA M08 M00 M00"},
               {{0xE7}, 1, "MFA"},
               {{0xE9}, 1, "MFA M30 M03 M28"},
               {{0xF6}, 1, "MFA"},
               {{0xE9}, 1, "MFA M00 M02 M64"}};
  kbc_t k = fresh();
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    send_mouse(&k, cases[i].bytes, cases[i].n);
    ck_assert_str_eq(drain(&k), cases[i].answer);
  }
}
END_TEST

START_TEST(interrupts_and_disabled_lines) {
  kbc_t k = fresh();
  send_mouse(&k, (const uint8_t[]){0xF2}, 1);
  ck_assert(kbc_mouse_irq(&k) && !kbc_irq(&k));
  send(&k, (const uint8_t[]){0xEE}, 1);
  ck_assert(kbc_mouse_irq(&k) && !kbc_irq(&k)); /* the buffer is the mouse's until it is read */
  ck_assert_uint_eq(kbc_read_data(&k), 0xFA);
  ck_assert(!kbc_mouse_irq(&k) && kbc_irq(&k));
  ck_assert_str_eq(drain(&k), "EE M00");
  kbc_write_command(&k, 0xA7);
  send_mouse(&k, (const uint8_t[]){0xF2}, 1);
  ck_assert_str_eq(drain(&k), "");
  kbc_write_command(&k, 0xA8);
  ck_assert_str_eq(drain(&k), "MFA M00");
  kbc_write_command(&k, 0x60);
  kbc_write_data(&k, 0x00);
  kbc_write_command(&k, 0xAA);
  ck_assert(!kbc_irq(&k));
  ck_assert_str_eq(drain(&k), "55");
  /* A queue that nobody reads overflows and harms nothing. */
  for (unsigned i = 0; i < 100; i++)
    kbc_write_data(&k, 0xEE);
  ck_assert_uint_eq(strlen(drain(&k)), 17 * 3 - 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kbc");
  TCase *tests = tcase_create("kbc");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, controller);
  tcase_add_test(tests, gates);
  tcase_add_test(tests, keyboard);
  tcase_add_test(tests, mouse);
  tcase_add_test(tests, interrupts_and_disabled_lines);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
