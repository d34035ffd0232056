#include "kbc8042.h"

#include <string.h>

enum { STATUS_OUTPUT_FULL = 0x01, STATUS_SELF_TEST = 0x04, STATUS_COMMAND = 0x08, STATUS_UNLOCKED = 0x10 };
enum {
  READ_COMMAND_BYTE = 0x20,
  WRITE_COMMAND_BYTE = 0x60,
  TEST_AUX = 0xA9,
  SELF_TEST = 0xAA,
  TEST_KEYBOARD = 0xAB,
  READ_OUTPUT_PORT = 0xD0,
  WRITE_OUTPUT_PORT = 0xD1,
  WRITE_TO_OUTPUT = 0xD2,
  WRITE_TO_MOUSE = 0xD4,
  DISABLE_A20 = 0xDD,
  ENABLE_A20 = 0xDF,
  PULSE = 0xF0
};
enum { OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02, OUTPUT_ONES = 0xCC };
enum {
  KEYBOARD_ACK = 0xFA,
  KEYBOARD_PASSED = 0xAA,
  KEYBOARD_ECHO = 0xEE,
  KEYBOARD_IDENTIFY = 0xF2,
  KEYBOARD_RESET = 0xFF
};

void kbc_init(kbc_t *kbc) {
  memset(kbc, 0, sizeof *kbc);
  kbc->command_byte = 0x03;
  kbc->output_port = OUTPUT_NO_RESET | OUTPUT_A20 | OUTPUT_ONES;
}

static void put(kbc_t *kbc, uint8_t byte) {
  if (kbc->held < KBC_QUEUE) kbc->queue[(kbc->head + kbc->held++) % KBC_QUEUE] = byte;
}

uint8_t kbc_read_data(kbc_t *kbc) {
  if (kbc->held) {
    kbc->last = kbc->queue[kbc->head];
    kbc->head = (kbc->head + 1) % KBC_QUEUE;
    kbc->held--;
  }
  return kbc->last;
}

uint8_t kbc_read_status(const kbc_t *kbc) {
  return STATUS_UNLOCKED | STATUS_COMMAND | STATUS_SELF_TEST | (kbc->held ? STATUS_OUTPUT_FULL : 0);
}

bool kbc_irq(const kbc_t *kbc) {
  return kbc->held && (kbc->command_byte & 0x01);
}

/* A byte for the keyboard itself: it acknowledges everything. */
static void write_keyboard(kbc_t *kbc, uint8_t data) {
  put(kbc, data == KEYBOARD_ECHO ? KEYBOARD_ECHO : KEYBOARD_ACK);
  if (data == KEYBOARD_RESET) put(kbc, KEYBOARD_PASSED);
  if (data == KEYBOARD_IDENTIFY) {
    put(kbc, 0xAB);
    put(kbc, 0x83);
  }
}

bool kbc_write_data(kbc_t *kbc, uint8_t data) {
  uint8_t command = kbc->pending;
  kbc->pending = 0;
  switch (command) {
  case WRITE_COMMAND_BYTE:
    kbc->command_byte = data;
    break;
  case WRITE_OUTPUT_PORT:
    kbc->output_port = data;
    return data & OUTPUT_NO_RESET;
  case WRITE_TO_OUTPUT:
    put(kbc, data);
    break;
  case WRITE_TO_MOUSE:
    put(kbc, KEYBOARD_ACK);
    break;
  default:
    write_keyboard(kbc, data);
    break;
  }
  return true;
}

bool kbc_write_command(kbc_t *kbc, uint8_t data) {
  kbc->pending = 0;
  switch (data) {
  case READ_COMMAND_BYTE:
    put(kbc, kbc->command_byte);
    break;
  case SELF_TEST:
    put(kbc, 0x55);
    break;
  case TEST_AUX:
  case TEST_KEYBOARD:
    put(kbc, 0x00);
    break;
  case READ_OUTPUT_PORT:
    put(kbc, kbc->output_port);
    break;
  case DISABLE_A20:
    kbc->output_port &= (uint8_t)~OUTPUT_A20;
    break;
  case ENABLE_A20:
    kbc->output_port |= OUTPUT_A20;
    break;
  case WRITE_COMMAND_BYTE:
  case WRITE_OUTPUT_PORT:
  case WRITE_TO_OUTPUT:
  case WRITE_TO_MOUSE:
    kbc->pending = data;
    break;
  default:
    return data < PULSE || (data & OUTPUT_NO_RESET); /* pulse: the bits that are 0 */
  }
  return true;
}
