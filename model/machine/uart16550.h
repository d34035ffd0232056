/*
 * A 16550A UART. What the guest sends is gone at once, so the transmitter is always empty again when the guest looks;
 * a received byte below the FIFO's trigger level raises the character timeout at once.
 * Source: National Semiconductor PC16550D data sheet.
 */
#ifndef MMU86_UART16550_H
#define MMU86_UART16550_H

#include <stdbool.h>
#include <stdint.h>

/* Wires to the outside; irq is called with the level of INTR whenever it may have changed. */
typedef struct {
  void *ctx;
  void (*send)(void *ctx, uint8_t byte);
  void (*irq)(void *ctx, bool level);
} uart_wires_t;

enum { UART_FIFO = 16 };

typedef struct {
  uart_wires_t wires;
  uint16_t divisor;
  uint8_t ier, iir, fcr, lcr, mcr, lsr, msr, scr;
  uint8_t rbr;                         /* receiver buffer, without the FIFO */
  uint8_t fifo[UART_FIFO], head, held; /* receiver FIFO */
  uint8_t trigger;                     /* bytes held that raise the data interrupt */
  bool thre_pending, timeout_pending;
  uint8_t looks; /* reads of LSR in a row that found no data: a guest that waits for it */
} uart_t;

/* State after master reset. */
void uart_init(uart_t *uart, const uart_wires_t *wires);

/* A guest's access to register reg (0..7). */
uint8_t uart_read(uart_t *uart, unsigned reg);
void uart_write(uart_t *uart, unsigned reg, uint8_t data);

/*
 * Whether a byte that came in now would find a reader: the receiver has room, and either its interrupt is enabled or
 * the guest has looked for data twice in a row. (One that flushes the receiver before it listens loses nothing.)
 */
bool uart_wants_input(const uart_t *uart);

/* A byte comes in on the serial line. */
void uart_receive(uart_t *uart, uint8_t byte);

#endif
