#include "kbc8042.h"

#include <string.h>

enum {
  STATUS_OUTPUT_FULL = 0x01,
  STATUS_SELF_TEST = 0x04,
  STATUS_COMMAND = 0x08,
  STATUS_UNLOCKED = 0x10,
  STATUS_MOUSE = 0x20
};
enum {
  BYTE_KEYBOARD_IRQ = 0x01,
  BYTE_MOUSE_IRQ = 0x02,
  BYTE_KEYBOARD_OFF = 0x10,
  BYTE_MOUSE_OFF = 0x20,
  BYTE_TRANSLATE = 0x40
};
enum {
  READ_COMMAND_BYTE = 0x20,
  WRITE_COMMAND_BYTE = 0x60,
  MOUSE_OFF = 0xA7,
  MOUSE_ON = 0xA8,
  TEST_MOUSE = 0xA9,
  SELF_TEST = 0xAA,
  TEST_KEYBOARD = 0xAB,
  KEYBOARD_OFF = 0xAD,
  KEYBOARD_ON = 0xAE,
  READ_INPUT_PORT = 0xC0,
  READ_OUTPUT_PORT = 0xD0,
  WRITE_OUTPUT_PORT = 0xD1,
  WRITE_TO_OUTPUT = 0xD2,
  WRITE_AS_MOUSE = 0xD3,
  WRITE_TO_MOUSE = 0xD4,
  DISABLE_A20 = 0xDD,
  ENABLE_A20 = 0xDF,
  PULSE = 0xF0
};
enum { INPUT_UNLOCKED = 0x80 };
enum { OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02, OUTPUT_KEYBOARD = 0x10, OUTPUT_MOUSE = 0x20, OUTPUT_ONES = 0xCC };

/* What keyboard and mouse say and are told. */
enum { ACK = 0xFA, RESEND = 0xFE, PASSED = 0xAA };
enum {
  SET_LEDS = 0xED,
  ECHO = 0xEE,
  SET_SCAN_CODES = 0xF0,
  IDENTIFY = 0xF2,
  SET_RATE = 0xF3,
  ENABLE = 0xF4,
  DISABLE = 0xF5,
  DEFAULTS = 0xF6,
  KEY_TYPES = 0xF7, /* to FDH: make and break of single keys */
  AGAIN = 0xFE,
  RESET = 0xFF
};
enum {
  SCALE_1 = 0xE6,
  SCALE_2 = 0xE7,
  SET_RESOLUTION = 0xE8,
  GET_STATUS = 0xE9,
  STREAM_MODE = 0xEA,
  READ_PACKET = 0xEB,
  WRAP_OFF = 0xEC,
  REMOTE_MODE = 0xF0
};

/* --- bytes to the guest --- */

static void put(kbc_queue_t *q, uint8_t byte) {
  if (q->held < KBC_QUEUE) q->byte[(q->head + q->held++) % KBC_QUEUE] = byte;
}

static uint8_t take(kbc_queue_t *q) {
  uint8_t byte = q->byte[q->head];
  q->head = (uint8_t)((q->head + 1) % KBC_QUEUE);
  q->held--;
  return byte;
}

/* Fills the output buffer: the controller's own answers first, then the keyboard's, then the mouse's. */
static void refill(kbc_t *kbc) {
  kbc_queue_t *from = NULL;
  if (kbc->full) return;
  if (kbc->own.held)
    from = &kbc->own;
  else if (kbc->keyboard.out.held && !(kbc->command_byte & BYTE_KEYBOARD_OFF))
    from = &kbc->keyboard.out;
  else if (kbc->mouse.out.held && !(kbc->command_byte & BYTE_MOUSE_OFF))
    from = &kbc->mouse.out;
  if (!from) return;
  kbc->last = take(from);
  kbc->full = true;
  kbc->from_mouse = from == &kbc->mouse.out;
}

uint8_t kbc_read_data(kbc_t *kbc) {
  uint8_t data = kbc->last;
  kbc->full = false;
  refill(kbc);
  return data;
}

uint8_t kbc_read_status(const kbc_t *kbc) {
  return STATUS_UNLOCKED | STATUS_COMMAND | (kbc->tested ? STATUS_SELF_TEST : 0) |
         (kbc->full ? STATUS_OUTPUT_FULL : 0) | (kbc->full && kbc->from_mouse ? STATUS_MOUSE : 0);
}

bool kbc_irq(const kbc_t *kbc) {
  return kbc->full && !kbc->from_mouse && (kbc->command_byte & BYTE_KEYBOARD_IRQ);
}

bool kbc_mouse_irq(const kbc_t *kbc) {
  return kbc->full && kbc->from_mouse && (kbc->command_byte & BYTE_MOUSE_IRQ);
}

/* --- the keyboard --- */

static void keyboard_defaults(kbc_device_t *k) {
  k->set = 2;
  k->leds = 0;
  k->rate = 0x2B;
}

/* The data byte of a keyboard command. */
static void keyboard_data(kbc_t *kbc, uint8_t command, uint8_t data) {
  static const uint8_t translated[3] = {0x43, 0x41, 0x3F};
  kbc_device_t *k = &kbc->keyboard;
  bool good = command != SET_SCAN_CODES || data <= 3;
  put(&k->out, good ? ACK : RESEND);
  if (!good) return;
  if (command == SET_LEDS) k->leds = data & 7;
  if (command == SET_RATE) k->rate = data & 0x7F;
  if (command != SET_SCAN_CODES) return;
  if (data == 0)
    put(&k->out, kbc->command_byte & BYTE_TRANSLATE ? translated[k->set - 1] : k->set);
  else
    k->set = data;
}

static void keyboard_command(kbc_t *kbc, uint8_t data) {
  kbc_device_t *k = &kbc->keyboard;
  if (data < SET_LEDS && data != 0) {
    put(&k->out, RESEND);
    return;
  }
  put(&k->out, data == ECHO ? ECHO : data == AGAIN ? RESEND : ACK);
  switch (data) {
  case SET_LEDS:
  case SET_SCAN_CODES:
  case SET_RATE:
    k->pending = data;
    break;
  case IDENTIFY:
    put(&k->out, 0xAB);
    put(&k->out, kbc->command_byte & BYTE_TRANSLATE ? 0x41 : 0x83);
    break;
  case ENABLE:
  case DISABLE:
    k->enabled = data == ENABLE;
    break;
  case DEFAULTS:
    keyboard_defaults(k);
    break;
  case RESET:
    keyboard_defaults(k);
    k->enabled = true;
    put(&k->out, PASSED);
    break;
  default:
    break;
  }
}

static void write_keyboard(kbc_t *kbc, uint8_t data) {
  uint8_t command = kbc->keyboard.pending;
  kbc->keyboard.pending = 0;
  kbc->command_byte &= (uint8_t)~BYTE_KEYBOARD_OFF; /* whatever is sent switches the line on again */
  if (command && data < SET_LEDS)
    keyboard_data(kbc, command, data);
  else
    keyboard_command(kbc, data);
}

/* --- the mouse --- */

static void mouse_defaults(kbc_device_t *m) {
  m->enabled = m->scale2 = false;
  m->resolution = 2;
  m->rate = 100;
}

static void put3(kbc_queue_t *q, uint8_t a, uint8_t b, uint8_t c) {
  put(q, a);
  put(q, b);
  put(q, c);
}

static void mouse_command(kbc_device_t *m, uint8_t data) {
  put(&m->out, data < SCALE_1 || data == AGAIN ? RESEND : ACK);
  switch (data) {
  case SCALE_1:
  case SCALE_2:
    m->scale2 = data == SCALE_2;
    break;
  case SET_RESOLUTION:
  case SET_RATE:
    m->pending = data;
    break;
  case GET_STATUS:
    put3(&m->out, (uint8_t)(m->enabled << 5 | m->scale2 << 4), m->resolution, m->rate);
    break;
  case READ_PACKET:
    put3(&m->out, 0x08, 0, 0);
    break;
  case IDENTIFY:
    put(&m->out, 0x00);
    break;
  case ENABLE:
  case DISABLE:
    m->enabled = data == ENABLE;
    break;
  case DEFAULTS:
    mouse_defaults(m);
    break;
  case RESET:
    mouse_defaults(m);
    put(&m->out, PASSED);
    put(&m->out, 0x00);
    break;
  default:
    break;
  }
}

static void write_mouse(kbc_device_t *m, uint8_t data) {
  uint8_t command = m->pending;
  m->pending = 0;
  if (!command) {
    mouse_command(m, data);
    return;
  }
  put(&m->out, ACK);
  if (command == SET_RATE)
    m->rate = data;
  else
    m->resolution = data;
}

/* --- the controller --- */

void kbc_init(kbc_t *kbc) {
  memset(kbc, 0, sizeof *kbc);
  kbc->command_byte = BYTE_KEYBOARD_IRQ | BYTE_MOUSE_IRQ;
  kbc->output_port = OUTPUT_NO_RESET | OUTPUT_A20 | OUTPUT_ONES;
  keyboard_defaults(&kbc->keyboard);
  kbc->keyboard.enabled = true;
  mouse_defaults(&kbc->mouse);
}

static kbc_effect_t write_output_port(kbc_t *kbc, uint8_t data) {
  kbc->output_port = data;
  return KBC_A20 | (data & OUTPUT_NO_RESET ? 0 : KBC_RESET);
}

static kbc_effect_t take_data(kbc_t *kbc, uint8_t data) {
  uint8_t command = kbc->pending;
  kbc->pending = 0;
  switch (command) {
  case WRITE_COMMAND_BYTE:
    kbc->command_byte = data;
    break;
  case WRITE_OUTPUT_PORT:
    return write_output_port(kbc, data);
  case WRITE_TO_OUTPUT:
    put(&kbc->own, data);
    break;
  case WRITE_AS_MOUSE:
    put(&kbc->mouse.out, data);
    break;
  case WRITE_TO_MOUSE:
    write_mouse(&kbc->mouse, data);
    break;
  default:
    write_keyboard(kbc, data);
    break;
  }
  return KBC_NOTHING;
}

kbc_effect_t kbc_write_data(kbc_t *kbc, uint8_t data) {
  kbc_effect_t effect = take_data(kbc, data);
  refill(kbc);
  return effect;
}

/* A command that the controller answers or obeys by itself. Returns false if it is none of these. */
static bool simple_command(kbc_t *kbc, uint8_t data) {
  switch (data) {
  case READ_COMMAND_BYTE:
    put(&kbc->own, kbc->command_byte);
    return true;
  case MOUSE_OFF:
    kbc->command_byte |= BYTE_MOUSE_OFF;
    return true;
  case MOUSE_ON:
    kbc->command_byte &= (uint8_t)~BYTE_MOUSE_OFF;
    return true;
  case KEYBOARD_OFF:
    kbc->command_byte |= BYTE_KEYBOARD_OFF;
    return true;
  case KEYBOARD_ON:
    kbc->command_byte &= (uint8_t)~BYTE_KEYBOARD_OFF;
    return true;
  case SELF_TEST:
    kbc->tested = true;
    put(&kbc->own, 0x55);
    return true;
  case TEST_MOUSE:
  case TEST_KEYBOARD:
    put(&kbc->own, 0x00);
    return true;
  case READ_INPUT_PORT:
    put(&kbc->own, INPUT_UNLOCKED);
    return true;
  case READ_OUTPUT_PORT:
    put(&kbc->own, kbc->output_port | (kbc_irq(kbc) ? OUTPUT_KEYBOARD : 0) | (kbc_mouse_irq(kbc) ? OUTPUT_MOUSE : 0));
    return true;
  case WRITE_COMMAND_BYTE:
  case WRITE_OUTPUT_PORT:
  case WRITE_TO_OUTPUT:
  case WRITE_AS_MOUSE:
  case WRITE_TO_MOUSE:
    kbc->pending = data;
    return true;
  default:
    return false;
  }
}

kbc_effect_t kbc_write_command(kbc_t *kbc, uint8_t data) {
  kbc_effect_t effect = KBC_NOTHING;
  kbc->pending = 0;
  if (!simple_command(kbc, data)) {
    if (data == DISABLE_A20)
      effect = write_output_port(kbc, kbc->output_port & (uint8_t)~OUTPUT_A20);
    else if (data == ENABLE_A20)
      effect = write_output_port(kbc, kbc->output_port | OUTPUT_A20);
    else if (data >= PULSE && !(data & OUTPUT_NO_RESET)) /* the bits that are 0 are pulsed */
      effect = KBC_RESET;
  }
  refill(kbc);
  return effect;
}
