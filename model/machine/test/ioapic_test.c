#include "ioapic.h"

#include <check.h>
#include <stdlib.h>

enum { LEVEL = 0x8000, REMOTE_IRR = 0x4000, LOGICAL = 0x800, MASKED = 0x10000 };

/* The messages that were sent. */
typedef struct {
  unsigned n;
  apic_message_t last;
} seen_t;

static void deliver(void *ctx, const apic_message_t *message) {
  seen_t *seen = ctx;
  seen->n++;
  seen->last = *message;
}

static ioapic_t after_reset(seen_t *seen) {
  const ioapic_wires_t wires = {seen, deliver};
  ioapic_t io;
  *seen = (seen_t){0};
  ioapic_init(&io, &wires);
  return io;
}

static uint32_t get(ioapic_t *io, uint8_t reg) {
  ioapic_write(io, 0, 4, reg);
  return ioapic_read(io, 0x10, 4);
}

static void set(ioapic_t *io, uint8_t reg, uint32_t data) {
  ioapic_write(io, 0, 4, reg);
  ioapic_write(io, 0x10, 4, data);
}

static uint8_t low(unsigned input) {
  return (uint8_t)(0x10 + 2 * input);
}

START_TEST(registers) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  ck_assert_uint_eq(get(&io, 1), 0x170011);
  for (unsigned input = 0; input < 24; input++) {
    ck_assert_uint_eq(get(&io, low(input)), MASKED);
    ck_assert_uint_eq(get(&io, (uint8_t)(low(input) + 1)), 0);
  }
  set(&io, 0, 0xFFFFFFFF);
  ck_assert_uint_eq(get(&io, 0), 0x0F000000);
  ck_assert_uint_eq(get(&io, 2), 0x0F000000);
  set(&io, 1, 0);
  ck_assert_uint_eq(get(&io, 1), 0x170011);
  set(&io, 0x3E, 0xFFFFFFFF);
  set(&io, 0x3F, 0xFFFFFFFF);
  ck_assert_uint_eq(get(&io, 0x3E), 0x1AFFF);
  ck_assert_uint_eq(get(&io, 0x3F), 0xFF000000);
  ck_assert_uint_eq(get(&io, 0x40), 0);
  ck_assert_uint_eq(get(&io, 0xFF), 0);
  set(&io, 0xFF, 1);
  ck_assert_uint_eq(ioapic_read(&io, 0, 4), 0xFF);
  ck_assert_uint_eq(ioapic_read(&io, 0x40, 4), 0);
  ck_assert_uint_eq(ioapic_read(&io, 0x14, 4), 0);
}
END_TEST

START_TEST(window_is_32_bits_wide) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  ioapic_write(&io, 0, 1, 0x10); /* the selector may be written with any size */
  ck_assert_uint_eq(ioapic_read(&io, 0x10, 4), MASKED);
  ck_assert_uint_eq(ioapic_read(&io, 0x10, 1), 0);
  ioapic_write(&io, 0x10, 2, 0);
  ck_assert_uint_eq(ioapic_read(&io, 0x10, 4), MASKED);
}
END_TEST

START_TEST(edge) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  set(&io, (uint8_t)(low(4) + 1), 0x03000000);
  set(&io, low(4), LOGICAL | 0x134);
  ioapic_set_input(&io, 4, true);
  ck_assert_uint_eq(seen.n, 1);
  ck_assert_uint_eq(seen.last.vector, 0x34);
  ck_assert_uint_eq(seen.last.delivery, APIC_LOWEST);
  ck_assert_uint_eq(seen.last.destination, 3);
  ck_assert(seen.last.logical && !seen.last.level);
  ioapic_set_input(&io, 4, true);
  ioapic_set_input(&io, 4, false);
  ck_assert_uint_eq(seen.n, 1);
  ioapic_set_input(&io, 4, true);
  ck_assert_uint_eq(seen.n, 2);
  ck_assert_uint_eq(get(&io, low(4)), LOGICAL | 0x134);
}
END_TEST

START_TEST(masked_edge_is_lost) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  set(&io, low(4), 0x34 | MASKED);
  ioapic_set_input(&io, 4, true);
  set(&io, low(4), 0x34);
  ck_assert_uint_eq(seen.n, 0);
  ioapic_set_input(&io, 4, false);
  ioapic_set_input(&io, 4, true);
  ck_assert_uint_eq(seen.n, 1);
}
END_TEST

START_TEST(level_is_sent_again_until_it_falls) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  set(&io, low(20), 0x61 | LEVEL);
  ioapic_set_input(&io, 20, true);
  ck_assert_uint_eq(seen.n, 1);
  ck_assert(seen.last.level);
  ck_assert_uint_eq(get(&io, low(20)), 0x61 | LEVEL | REMOTE_IRR);
  ioapic_set_input(&io, 20, false);
  ioapic_set_input(&io, 20, true);
  ck_assert_uint_eq(seen.n, 1); /* it is being served */
  ioapic_eoi(&io, 0x62);
  ck_assert_uint_eq(seen.n, 1);
  ioapic_eoi(&io, 0x61);
  ck_assert_uint_eq(seen.n, 2);
  ioapic_set_input(&io, 20, false);
  ioapic_eoi(&io, 0x61);
  ck_assert_uint_eq(seen.n, 2);
  ck_assert_uint_eq(get(&io, low(20)), 0x61 | LEVEL);
}
END_TEST

START_TEST(masked_level_waits) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  set(&io, low(20), 0x61 | LEVEL | MASKED);
  ioapic_set_input(&io, 20, true);
  ck_assert_uint_eq(seen.n, 0);
  set(&io, low(20), 0x61 | LEVEL);
  ck_assert_uint_eq(seen.n, 1);
  set(&io, low(20), 0x61 | LEVEL | MASKED); /* keeps the remote IRR */
  ck_assert_uint_eq(get(&io, low(20)), 0x61 | LEVEL | MASKED | REMOTE_IRR);
  set(&io, low(20), 0x61 | MASKED); /* an edge's entry has none */
  ck_assert_uint_eq(get(&io, low(20)), 0x61 | MASKED);
  set(&io, low(20), 0x61 | LEVEL);
  ck_assert_uint_eq(seen.n, 2);
}
END_TEST

START_TEST(one_vector_for_two_inputs) {
  seen_t seen;
  ioapic_t io = after_reset(&seen);
  set(&io, low(20), 0x61 | LEVEL);
  set(&io, low(21), 0x61 | LEVEL);
  ioapic_set_input(&io, 20, true);
  ioapic_set_input(&io, 21, true);
  ck_assert_uint_eq(seen.n, 2);
  ioapic_set_input(&io, 20, false);
  ioapic_eoi(&io, 0x61);
  ck_assert_uint_eq(seen.n, 3);
  ck_assert_uint_eq(get(&io, low(20)), 0x61 | LEVEL);
  ck_assert_uint_eq(get(&io, low(21)), 0x61 | LEVEL | REMOTE_IRR);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ioapic");
  TCase *tests = tcase_create("ioapic");
  tcase_add_test(tests, registers);
  tcase_add_test(tests, window_is_32_bits_wide);
  tcase_add_test(tests, edge);
  tcase_add_test(tests, masked_edge_is_lost);
  tcase_add_test(tests, level_is_sent_again_until_it_falls);
  tcase_add_test(tests, masked_level_waits);
  tcase_add_test(tests, one_vector_for_two_inputs);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
