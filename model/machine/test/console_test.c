/* The text screen and its registers; bytes that are sent to the guest; writes to ports. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine_priv.h"

static machine_t *plain(void) {
  return create(4 * MiB, NULL);
}

START_TEST(vga_registers) {
  machine_t *m = plain();
  machine_out(m, 0x3D4, 2, 0x5A0F); /* cursor */
  machine_out(m, 0x3D4, 1, 0x0F);
  ck_assert_uint_eq(machine_in(m, 0x3D5, 1), 0x5A);
  ck_assert_uint_eq(machine_in(m, 0x3D4, 1), 0x0F);
  ck_assert_uint_eq(machine_in(m, 0x3B5, 1), 0x5A);
  machine_in(m, 0x3DA, 1);
  machine_out(m, 0x3C0, 1, 0x05);
  machine_out(m, 0x3C0, 1, 0x77);
  machine_in(m, 0x3DA, 1);
  machine_out(m, 0x3C0, 1, 0x05);
  ck_assert_uint_eq(machine_in(m, 0x3C1, 1), 0x77);
  machine_out(m, 0x3C2, 1, 0x63);
  ck_assert_uint_eq(machine_in(m, 0x3CC, 1), 0x63);
  machine_out(m, 0x3C4, 2, 0x0302);
  ck_assert_uint_eq(machine_in(m, 0x3C5, 1), 0x03);
  machine_out(m, 0x3CE, 2, 0x0E06);
  ck_assert_uint_eq(machine_in(m, 0x3CF, 1), 0x0E);
  machine_destroy(m);
}
END_TEST

/* Software waits for both edges of both retraces. */
START_TEST(retraces_come_and_go) {
  machine_t *m = plain();
  unsigned edges[2] = {0, 0}, last = machine_in(m, 0x3DA, 1);
  for (unsigned i = 0; i < 300; i++) {
    m->idle += MACHINE_HZ / 7000;
    unsigned now = machine_in(m, 0x3DA, 1);
    edges[0] += (now ^ last) & 1;
    edges[1] += (now ^ last) >> 3 & 1;
    last = now;
  }
  ck_assert_uint_ge(edges[0], 100);
  ck_assert_uint_ge(edges[1], 4);
  ck_assert_uint_le(edges[1], 8);
  machine_destroy(m);
}
END_TEST

START_TEST(screen) {
  machine_t *m = plain();
  char text[MACHINE_SCREEN_ROWS][MACHINE_SCREEN_COLUMNS];
  machine_load(m, 0xB8000, "H\x07i\x07\x01\x07", 6);
  machine_load(m, 0xB8000 + 2 * (24 * 80 + 79), "Z\x07", 2);
  machine_screen(m, text);
  ck_assert_mem_eq(text[0], "Hi. ", 4);
  ck_assert_int_eq(text[24][79], 'Z');
  machine_out(m, 0x3D4, 2, 80 << 8 | 0x0D); /* one row up */
  machine_screen(m, text);
  ck_assert_int_eq(text[23][79], 'Z');
  ck_assert_int_eq(text[24][79], ' ');
  machine_out(m, 0x3D4, 2, 0xFF0C); /* from the window's end to its start */
  machine_screen(m, text);
  machine_destroy(m);
}
END_TEST

/* --- serial input --- */

typedef struct {
  const char *text;
  unsigned asked;
} sender_t;

static bool next_byte(void *ctx, uint8_t *byte) {
  sender_t *s = ctx;
  s->asked++;
  *byte = (uint8_t)*s->text;
  return *byte && s->text++;
}

static machine_t *listening(sender_t *sender) {
  machine_config_t config = {
      .ram_bytes = 4 * MiB, .mmu = mmu_default_config(), .serial_input = next_byte, .serial_input_ctx = sender};
  return machine_create(&config, NULL, 0);
}

/* Guest time passes. */
static void wait(machine_t *m, uint64_t time) {
  m->idle += time;
  if (machine_time(m) >= m->input_event) machine_update_input(m);
}

enum { CHARACTER = MACHINE_HZ / 11520 * 12 }; /* at 9600 baud, as after RESET */

START_TEST(a_guest_that_polls_gets_bytes) {
  sender_t s = {"ab", 0};
  machine_t *m = listening(&s);
  wait(m, 10 * CHARACTER);
  machine_in(m, 0x3FD, 1); /* one look, as a transmitter does, asks for nothing */
  machine_out(m, 0x3F8, 1, 'x');
  machine_in(m, 0x3FD, 1);
  ck_assert_uint_eq(m->input_event, MACHINE_NEVER);
  machine_in(m, 0x3FD, 1);
  ck_assert_uint_eq(m->input_event, machine_time(m) + CHARACTER);
  wait(m, CHARACTER - 1);
  ck_assert_uint_eq(s.asked, 0);
  wait(m, 1);
  ck_assert(machine_in(m, 0x3FD, 1) & 1);
  wait(m, 10 * CHARACTER); /* no room: the other one waits */
  ck_assert_uint_eq(s.asked, 1);
  ck_assert_uint_eq(machine_in(m, 0x3F8, 1), 'a');
  for (unsigned i = 0; i < 3; i++)
    machine_in(m, 0x3FD, 1);
  wait(m, CHARACTER);
  ck_assert_uint_eq(machine_in(m, 0x3F8, 1), 'b');
  for (unsigned i = 0; i < 3; i++)
    machine_in(m, 0x3FD, 1);
  wait(m, CHARACTER);
  ck_assert_uint_eq(s.asked, 3); /* the end */
  ck_assert(!(machine_in(m, 0x3FD, 1) & 1));
  wait(m, CHARACTER);
  ck_assert_uint_eq(m->input_event, MACHINE_NEVER);
  ck_assert_uint_eq(s.asked, 3);
  machine_destroy(m);
}
END_TEST

START_TEST(a_guest_with_interrupts_gets_a_full_fifo_and_no_more) {
  sender_t s = {"0123456789abcdefghij", 0};
  machine_t *m = listening(&s);
  machine_out(m, 0x3FA, 1, 0x07);
  ck_assert_uint_eq(m->input_event, MACHINE_NEVER);
  machine_out(m, 0x3F9, 1, 0x01);
  for (unsigned i = 0; i < 30; i++)
    wait(m, CHARACTER);
  ck_assert_uint_eq(s.asked, 16);
  ck_assert(m->pic.chip[0].irr & 0x10);
  for (unsigned i = 0; i < 20; i++) {
    ck_assert_uint_eq(machine_in(m, 0x3F8, 1), (uint8_t) "0123456789abcdefghij"[i]);
    wait(m, CHARACTER);
  }
  ck_assert(!(machine_in(m, 0x3FD, 1) & 0x03)); /* no data, no overrun */
  machine_destroy(m);
}
END_TEST

START_TEST(loopback_hears_only_itself) {
  sender_t s = {"a", 0};
  machine_t *m = listening(&s);
  machine_out(m, 0x3FC, 1, 0x10);
  machine_out(m, 0x3F9, 1, 0x01);
  wait(m, 5 * CHARACTER);
  ck_assert_uint_eq(s.asked, 0);
  machine_out(m, 0x3FC, 1, 0x00);
  wait(m, 5 * CHARACTER);
  ck_assert_uint_eq(s.asked, 1);
  machine_destroy(m);
}
END_TEST

/* --- ports --- */

static void on_out(void *ctx, uint16_t port, unsigned size, uint32_t data) {
  uint32_t *seen = ctx;
  seen[0] = port;
  seen[1] = size;
  seen[2] = data;
}

START_TEST(port_writes_are_told) {
  uint32_t seen[3] = {0};
  machine_t *m = create(4 * MiB, &(machine_hooks_t){.ctx = seen, .out = on_out});
  machine_out(m, 0x190, 2, 0xABCD1234);
  ck_assert(seen[0] == 0x190 && seen[1] == 2 && seen[2] == 0x1234);
  machine_out(m, 0xCF8, 4, 0x80000000);
  ck_assert(seen[0] == 0xCF8 && seen[1] == 4 && seen[2] == 0x80000000);
  machine_destroy(m);
}
END_TEST

START_TEST(both_debug_consoles) {
  output_t out;
  machine_t *m = boot("", 0, &out, NULL);
  machine_out(m, 0xE9, 1, 'a');
  machine_out(m, 0x402, 1, 'b');
  ck_assert_str_eq(out.text, "ab");
  ck_assert_uint_eq(machine_in(m, 0x402, 1), 0xE9);
  machine_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("console");
  TCase *tests = tcase_create("console");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, vga_registers);
  tcase_add_test(tests, retraces_come_and_go);
  tcase_add_test(tests, screen);
  tcase_add_test(tests, a_guest_that_polls_gets_bytes);
  tcase_add_test(tests, a_guest_with_interrupts_gets_a_full_fifo_and_no_more);
  tcase_add_test(tests, loopback_hears_only_itself);
  tcase_add_test(tests, port_writes_are_told);
  tcase_add_test(tests, both_debug_consoles);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
