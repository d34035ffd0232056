/*
 * What people type into the machine and see of it: the serial line's input, and the text screen.
 */
#include "machine_priv.h"

/* --- serial input --- */

/* Guest time of one character at the divisor that is set: ten bits. */
static uint64_t character_time(const machine_t *m) {
  enum { BITS = 10, BAUD_MAX = 115200 };
  uint64_t divisor = m->uart.divisor ? m->uart.divisor : 1;
  return (uint64_t)MACHINE_HZ / (BAUD_MAX / BITS) * divisor;
}

void machine_update_input(machine_t *m) {
  if (!m->serial_input || !uart_wants_input(&m->uart)) {
    m->input_event = MACHINE_NEVER;
    return;
  }
  uint64_t now = machine_time(m);
  if (m->input_event == MACHINE_NEVER) {
    m->input_event = now + character_time(m);
    machine_new_slice(m);
    return;
  }
  if (now < m->input_event) return;
  uint8_t byte;
  m->input_event = MACHINE_NEVER;
  if (m->serial_input(m->serial_input_ctx, &byte)) {
    uart_receive(&m->uart, byte);
    if (uart_wants_input(&m->uart)) m->input_event = now + character_time(m);
  } else {
    m->serial_input = NULL; /* the end of it */
  }
}

/* --- the screen --- */

void machine_screen(const machine_t *m, char text[MACHINE_SCREEN_ROWS][MACHINE_SCREEN_COLUMNS]) {
  uint32_t at = vga_text_start(&m->vga);
  for (unsigned row = 0; row < MACHINE_SCREEN_ROWS; row++)
    for (unsigned column = 0; column < MACHINE_SCREEN_COLUMNS; column++, at = (at + 2) % VGA_TEXT_BYTES) {
      uint8_t c = (uint8_t)ram_peek(&m->ram, VGA_TEXT + at, 1);
      text[row][column] = c == 0 ? ' ' : c >= ' ' && c < 0x7F ? (char)c : '.';
    }
}
