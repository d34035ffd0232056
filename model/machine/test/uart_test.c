#include "uart16550.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

/* The world around the UART: what was sent, INTR and its rising edges. */
typedef struct {
  char sent[64];
  unsigned n_sent, edges;
  bool irq;
} world_t;

static void send(void *ctx, uint8_t byte) {
  world_t *w = ctx;
  w->sent[w->n_sent++] = (char)byte;
}

static void irq(void *ctx, bool level) {
  world_t *w = ctx;
  w->edges += level && !w->irq;
  w->irq = level;
}

static world_t world;

static uart_t fresh(void) {
  uart_t uart;
  memset(&world, 0, sizeof world);
  uart_init(&uart, &(uart_wires_t){&world, send, irq});
  return uart;
}

START_TEST(reset_values) {
  static const uint8_t expected[8] = {0x00, 0x00, 0x01, 0x00, 0x08, 0x60, 0xB0, 0x00};
  uart_t u = fresh();
  for (unsigned reg = 0; reg < 8; reg++)
    ck_assert_uint_eq(uart_read(&u, reg), expected[reg]);
}
END_TEST

START_TEST(transmitter_is_always_empty) {
  uart_t u = fresh();
  for (const char *p = "hello"; *p; p++) {
    ck_assert_uint_eq(uart_read(&u, LSR), 0x60);
    uart_write(&u, DATA, (uint8_t)*p);
  }
  ck_assert_str_eq(world.sent, "hello");
  ck_assert_uint_eq(world.edges, 0);
}
END_TEST

START_TEST(divisor_hides_behind_dlab) {
  uart_t u = fresh();
  uart_write(&u, LCR, 0x83);
  ck_assert_uint_eq(uart_read(&u, DATA), 12);
  uart_write(&u, DATA, 0x34);
  uart_write(&u, IER, 0x12);
  ck_assert_uint_eq(uart_read(&u, DATA), 0x34);
  ck_assert_uint_eq(uart_read(&u, IER), 0x12);
  uart_write(&u, LCR, 0x03);
  ck_assert_uint_eq(uart_read(&u, LCR), 0x03);
  ck_assert_uint_eq(uart_read(&u, IER), 0x00);
  ck_assert_uint_eq(world.n_sent, 0);
}
END_TEST

START_TEST(registers_keep_their_bits) {
  uart_t u = fresh();
  uart_write(&u, SCR, 0xA5);
  uart_write(&u, MCR, 0xEF);
  uart_write(&u, LSR, 0xFF);
  ck_assert_uint_eq(uart_read(&u, SCR), 0xA5);
  ck_assert_uint_eq(uart_read(&u, MCR), 0x0F);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x60);
}
END_TEST

START_TEST(transmit_interrupt) {
  uart_t u = fresh();
  uart_write(&u, IER, 0x02);
  ck_assert(world.irq);
  ck_assert_uint_eq(uart_read(&u, IIR), 0x02); /* reading it acknowledges */
  ck_assert(!world.irq);
  ck_assert_uint_eq(uart_read(&u, IIR), 0x01);
  uart_write(&u, DATA, 'x');
  ck_assert(world.irq);
  uart_write(&u, DATA, 'y'); /* each byte gives the interrupt controller its edge */
  ck_assert_uint_eq(world.edges, 3);
  uart_write(&u, IER, 0x00);
  ck_assert(!world.irq);
  uart_write(&u, IER, 0x02);
  ck_assert(world.irq);
}
END_TEST

START_TEST(receive_without_fifo) {
  uart_t u = fresh();
  uart_write(&u, IER, 0x05);
  uart_receive(&u, 'a');
  ck_assert_uint_eq(uart_read(&u, IIR), 0x04);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x61);
  uart_receive(&u, 'b');
  ck_assert_uint_eq(uart_read(&u, IIR), 0x06);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x63); /* overrun, once */
  ck_assert_uint_eq(uart_read(&u, LSR), 0x61);
  ck_assert_uint_eq(uart_read(&u, DATA), 'b');
  ck_assert_uint_eq(uart_read(&u, LSR), 0x60);
  ck_assert(!world.irq);
}
END_TEST

START_TEST(receive_fifo) {
  uart_t u = fresh();
  uart_write(&u, FCR, 0x87); /* trigger level 8 */
  uart_write(&u, IER, 0x01);
  ck_assert_uint_eq(uart_read(&u, IIR), 0xC1);
  for (unsigned i = 0; i < 8; i++) {
    uart_receive(&u, (uint8_t)i);
    ck_assert_uint_eq(uart_read(&u, IIR), i < 7 ? 0xCC : 0xC4);
  }
  for (unsigned i = 8; i < 17; i++)
    uart_receive(&u, (uint8_t)i);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x63);
  for (unsigned i = 0; i < 16; i++)
    ck_assert_uint_eq(uart_read(&u, DATA), i);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x60);
  uart_receive(&u, 1);
  uart_write(&u, FCR, 0x83); /* clears the receiver */
  ck_assert_uint_eq(uart_read(&u, LSR), 0x60);
  ck_assert(!world.irq);
}
END_TEST

START_TEST(loopback) {
  uart_t u = fresh();
  uart_write(&u, MCR, 0x1E);
  ck_assert_uint_eq(uart_read(&u, MSR), 0xD0);
  uart_write(&u, MCR, 0x11);
  ck_assert_uint_eq(uart_read(&u, MSR), 0x20);
  uart_write(&u, DATA, 0xAE);
  ck_assert_uint_eq(uart_read(&u, LSR), 0x61);
  ck_assert_uint_eq(uart_read(&u, DATA), 0xAE);
  ck_assert_uint_eq(world.n_sent, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("uart16550");
  TCase *tests = tcase_create("uart16550");
  tcase_add_test(tests, reset_values);
  tcase_add_test(tests, transmitter_is_always_empty);
  tcase_add_test(tests, divisor_hides_behind_dlab);
  tcase_add_test(tests, registers_keep_their_bits);
  tcase_add_test(tests, transmit_interrupt);
  tcase_add_test(tests, receive_without_fifo);
  tcase_add_test(tests, receive_fifo);
  tcase_add_test(tests, loopback);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
