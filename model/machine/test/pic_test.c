#include "pic8259.h"

#include <check.h>
#include <stdlib.h>

enum { MASTER, SLAVE };

/* Both chips as a PC's firmware sets them up: vectors from 20H and 28H. icw4: 1, or 3 for automatic EOI. */
static pic_t ready(uint8_t icw4) {
  pic_t pic;
  pic_init(&pic);
  for (unsigned chip = MASTER; chip <= SLAVE; chip++) {
    pic_write(&pic, chip, 0, 0x11);
    pic_write(&pic, chip, 1, chip == MASTER ? 0x20 : 0x28);
    pic_write(&pic, chip, 1, chip == MASTER ? 0x04 : 0x02);
    pic_write(&pic, chip, 1, icw4);
  }
  return pic;
}

static void pulse(pic_t *pic, unsigned irq) {
  pic_set_irq(pic, irq, true);
  pic_set_irq(pic, irq, false);
}

static uint8_t read_irr(pic_t *pic, unsigned chip) {
  pic_write(pic, chip, 0, 0x0A);
  return pic_read(pic, chip, 0);
}

static uint8_t read_isr(pic_t *pic, unsigned chip) {
  pic_write(pic, chip, 0, 0x0B);
  return pic_read(pic, chip, 0);
}

static void eoi(pic_t *pic, unsigned chip) {
  pic_write(pic, chip, 0, 0x20);
}

START_TEST(vectors_come_in_order_of_priority) {
  pic_t pic = ready(1);
  static const unsigned order[] = {0, 1, 8, 9, 15, 3, 7};
  for (unsigned i = 0; i < 7; i++)
    pulse(&pic, order[6 - i]);
  for (unsigned i = 0; i < 7; i++) {
    ck_assert(pic_output(&pic));
    ck_assert_uint_eq(pic_ack(&pic), 0x20 + order[i]);
    if (order[i] >= 8) eoi(&pic, SLAVE);
    eoi(&pic, MASTER);
  }
  ck_assert(!pic_output(&pic));
}
END_TEST

/* The timer's line is high from the start, but firmware that enables interrupts first has given it no vector yet. */
START_TEST(nothing_is_requested_before_initialization) {
  pic_t pic;
  pic_init(&pic);
  pic_set_irq(&pic, 0, true);
  ck_assert(!pic_output(&pic));
  ck_assert_uint_eq(pic_read(&pic, MASTER, 1), 0);
  static const uint8_t words[] = {0x20, 0x04, 0x01};
  pic_write(&pic, MASTER, 0, 0x11);
  for (unsigned i = 0; i < sizeof words; i++) {
    pulse(&pic, 3);
    ck_assert(!pic_output(&pic));
    pic_write(&pic, MASTER, 1, words[i]);
  }
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
}
END_TEST

START_TEST(lower_priority_waits_for_eoi) {
  pic_t pic = ready(1);
  pulse(&pic, 3);
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x08);
  ck_assert_uint_eq(read_irr(&pic, MASTER), 0x00);
  pulse(&pic, 3);
  pulse(&pic, 5);
  ck_assert(!pic_output(&pic));
  pulse(&pic, 1);
  ck_assert(pic_output(&pic));
  ck_assert_uint_eq(pic_ack(&pic), 0x21);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x0A);
  eoi(&pic, MASTER); /* non-specific: the one with the highest priority */
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x08);
  ck_assert(!pic_output(&pic));
  pic_write(&pic, MASTER, 0, 0x63); /* specific, IRQ3 */
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
}
END_TEST

START_TEST(edge_is_remembered_once) {
  pic_t pic = ready(1);
  pic_set_irq(&pic, 4, true);
  pic_set_irq(&pic, 4, true);
  ck_assert_uint_eq(pic_ack(&pic), 0x24);
  eoi(&pic, MASTER);
  ck_assert(!pic_output(&pic)); /* the line is still high: no new edge */
  pic_set_irq(&pic, 4, false);
  pic_set_irq(&pic, 4, true);
  ck_assert(pic_output(&pic));
}
END_TEST

START_TEST(level_input_requests_while_high) {
  pic_t pic = ready(1);
  pic_write_elcr(&pic, SLAVE, 0xFF);
  ck_assert_uint_eq(pic_read_elcr(&pic, SLAVE), 0xDE);
  pic_set_irq(&pic, 10, true);
  ck_assert_uint_eq(pic_ack(&pic), 0x2A);
  eoi(&pic, SLAVE);
  eoi(&pic, MASTER);
  ck_assert_uint_eq(pic_ack(&pic), 0x2A);
  pic_set_irq(&pic, 10, false);
  eoi(&pic, SLAVE);
  eoi(&pic, MASTER);
  ck_assert(!pic_output(&pic));
}
END_TEST

START_TEST(mask_holds_a_request_back) {
  pic_t pic = ready(1);
  pic_write(&pic, MASTER, 1, 0x08);
  ck_assert_uint_eq(pic_read(&pic, MASTER, 1), 0x08);
  pulse(&pic, 3);
  ck_assert(!pic_output(&pic));
  ck_assert_uint_eq(read_irr(&pic, MASTER), 0x08);
  pic_write(&pic, MASTER, 1, 0x00);
  ck_assert(pic_output(&pic));
  pulse(&pic, 12);
  pic_write(&pic, MASTER, 1, 0x0C); /* the cascade as well */
  ck_assert(!pic_output(&pic));
}
END_TEST

START_TEST(spurious_request_is_irq7) {
  pic_t pic = ready(1);
  ck_assert_uint_eq(pic_ack(&pic), 0x27);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x00);
  /* The slave's request vanishes between INT and INTA: IRQ15, and the master has IRQ2 in service. */
  pic_write_elcr(&pic, SLAVE, 0x04);
  pic_set_irq(&pic, 10, true);
  pic_set_irq(&pic, 10, false);
  ck_assert_uint_eq(pic_ack(&pic), 0x2F);
  ck_assert_uint_eq(read_isr(&pic, SLAVE), 0x00);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x04);
}
END_TEST

START_TEST(automatic_eoi) {
  pic_t pic = ready(3);
  pulse(&pic, 2 + 1);
  pulse(&pic, 14);
  ck_assert_uint_eq(pic_ack(&pic), 0x2E);
  ck_assert_uint_eq(read_isr(&pic, SLAVE), 0x00);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x00);
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
}
END_TEST

START_TEST(rotation) {
  pic_t pic = ready(1);
  pulse(&pic, 3);
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
  pic_write(&pic, MASTER, 0, 0xA0); /* rotate on non-specific EOI: IRQ3 becomes the lowest */
  pulse(&pic, 3);
  pulse(&pic, 0);
  pulse(&pic, 4);
  ck_assert_uint_eq(pic_ack(&pic), 0x24);
  pic_write(&pic, MASTER, 0, 0x64);
  pic_write(&pic, MASTER, 0, 0xC2); /* set priority: IRQ2 the lowest, so IRQ3 the highest */
  ck_assert_uint_eq(pic_ack(&pic), 0x23);
  pic_write(&pic, MASTER, 0, 0xE7); /* specific EOI with rotation of IRQ7, which is not in service */
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x08);
  ck_assert_uint_eq(pic_ack(&pic), 0x20);
}
END_TEST

START_TEST(special_mask_lets_lower_ones_in) {
  pic_t pic = ready(1);
  pulse(&pic, 1);
  ck_assert_uint_eq(pic_ack(&pic), 0x21);
  pulse(&pic, 6);
  ck_assert(!pic_output(&pic));
  pic_write(&pic, MASTER, 1, 0x02);
  pic_write(&pic, MASTER, 0, 0x68);
  ck_assert_uint_eq(pic_ack(&pic), 0x26);
  pic_write(&pic, MASTER, 0, 0x48);
  pulse(&pic, 7);
  ck_assert(!pic_output(&pic));
}
END_TEST

START_TEST(special_nesting_lets_the_slave_in_again) {
  pic_t pic = ready(1);
  pulse(&pic, 12);
  ck_assert_uint_eq(pic_ack(&pic), 0x2C);
  pulse(&pic, 9);
  ck_assert(!pic_output(&pic)); /* IRQ2 is in service at the master */
  pic = ready(0x11);
  pulse(&pic, 12);
  ck_assert_uint_eq(pic_ack(&pic), 0x2C);
  pulse(&pic, 9);
  ck_assert_uint_eq(pic_ack(&pic), 0x29);
}
END_TEST

START_TEST(poll_acknowledges) {
  pic_t pic = ready(1);
  pulse(&pic, 5);
  pic_write(&pic, MASTER, 0, 0x0C);
  ck_assert_uint_eq(pic_read(&pic, MASTER, 0), 0x85);
  ck_assert_uint_eq(read_isr(&pic, MASTER), 0x20);
  pic_write(&pic, MASTER, 0, 0x0C);
  ck_assert_uint_eq(pic_read(&pic, MASTER, 0), 0x00);
}
END_TEST

START_TEST(initialization_forgets_requests_and_mask) {
  pic_t pic = ready(1);
  pic_write(&pic, MASTER, 1, 0xFF);
  pulse(&pic, 1);
  pic_write(&pic, MASTER, 0, 0x13); /* single, with ICW4 */
  pic_write(&pic, MASTER, 1, 0x47);
  pic_write(&pic, MASTER, 1, 0x01);
  ck_assert_uint_eq(pic_read(&pic, MASTER, 1), 0x00);
  ck_assert(!pic_output(&pic));
  pulse(&pic, 1);
  ck_assert_uint_eq(pic_ack(&pic), 0x41);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pic8259");
  TCase *tests = tcase_create("pic8259");
  tcase_add_test(tests, vectors_come_in_order_of_priority);
  tcase_add_test(tests, nothing_is_requested_before_initialization);
  tcase_add_test(tests, lower_priority_waits_for_eoi);
  tcase_add_test(tests, edge_is_remembered_once);
  tcase_add_test(tests, level_input_requests_while_high);
  tcase_add_test(tests, mask_holds_a_request_back);
  tcase_add_test(tests, spurious_request_is_irq7);
  tcase_add_test(tests, automatic_eoi);
  tcase_add_test(tests, rotation);
  tcase_add_test(tests, special_mask_lets_lower_ones_in);
  tcase_add_test(tests, special_nesting_lets_the_slave_in_again);
  tcase_add_test(tests, poll_acknowledges);
  tcase_add_test(tests, initialization_forgets_requests_and_mask);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
