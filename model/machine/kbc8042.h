/*
 * As much of the 8042 keyboard controller as software finds when nobody types: self test, A20, reset.
 */
#ifndef MMU86_KBC8042_H
#define MMU86_KBC8042_H

#include <stdbool.h>
#include <stdint.h>

enum { KBC_QUEUE = 16 };

typedef struct {
  uint8_t command_byte;
  uint8_t output_port;                  /* bit 1: A20 */
  uint8_t pending;                      /* the command whose data byte is next on port 60H, or 0 */
  uint8_t last;                         /* what port 60H shows when the queue is empty */
  uint8_t queue[KBC_QUEUE], head, held; /* bytes for port 60H */
} kbc_t;

void kbc_init(kbc_t *kbc);

/* A guest's read of port 60H (data) or 64H (status). */
uint8_t kbc_read_data(kbc_t *kbc);
uint8_t kbc_read_status(const kbc_t *kbc);

/* A guest's write. Returns false if it pulls the machine's reset line. */
bool kbc_write_data(kbc_t *kbc, uint8_t data);
bool kbc_write_command(kbc_t *kbc, uint8_t data);

/* The level of IRQ1. */
bool kbc_irq(const kbc_t *kbc);

#endif
