/*
 * The 8042 keyboard controller with a PS/2 keyboard and a PS/2 mouse that nobody touches. Both answer all their
 * commands, at once.
 * Sources: IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller",
 * "Keyboard (101-key)", "Mouse".
 */
#ifndef MMU86_KBC8042_H
#define MMU86_KBC8042_H

#include <stdbool.h>
#include <stdint.h>

enum { KBC_QUEUE = 16 };

/* Bytes on their way to port 60H. */
typedef struct {
  uint8_t byte[KBC_QUEUE], head, held;
} kbc_queue_t;

/* One of the two devices. */
typedef struct {
  kbc_queue_t out;
  uint8_t pending; /* the command whose data byte comes next, or 0 */
  uint8_t set;     /* keyboard: the scan code set, 1..3 */
  uint8_t leds, resolution, rate;
  bool enabled, scale2;
} kbc_device_t;

typedef struct {
  uint8_t command_byte;
  uint8_t output_port; /* bit 1: A20 */
  uint8_t pending;     /* the controller's command whose data byte is next on port 60H, or 0 */
  bool tested;         /* the self test has been run */
  bool full, from_mouse;
  uint8_t last; /* what port 60H shows, new if full */
  kbc_queue_t own;
  kbc_device_t keyboard, mouse;
} kbc_t;

/* What a guest's write did beyond the controller itself. */
typedef enum {
  KBC_NOTHING = 0,
  KBC_RESET = 1, /* the machine's reset line was pulled */
  KBC_A20 = 2,   /* the gate of A20 was written: bit 1 of output_port */
} kbc_effect_t;

/* State after RESET. */
void kbc_init(kbc_t *kbc);

/* A guest's read of port 60H (data) or 64H (status). */
uint8_t kbc_read_data(kbc_t *kbc);
uint8_t kbc_read_status(const kbc_t *kbc);

/* A guest's write of port 60H or 64H. */
kbc_effect_t kbc_write_data(kbc_t *kbc, uint8_t data);
kbc_effect_t kbc_write_command(kbc_t *kbc, uint8_t data);

/* The levels of IRQ1 and IRQ12. */
bool kbc_irq(const kbc_t *kbc);
bool kbc_mouse_irq(const kbc_t *kbc);

#endif
