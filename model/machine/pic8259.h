/*
 * The PC's two cascaded 8259A interrupt controllers: IRQ 0-7 on the master, 8-15 on the slave at its IRQ2.
 * Source: Intel 8259A data sheet; the edge/level registers (4D0H, 4D1H) are the PIIX's.
 */
#ifndef MMU86_PIC8259_H
#define MMU86_PIC8259_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint8_t irr, imr, isr;
  uint8_t line;      /* input levels as last seen */
  uint8_t level;     /* inputs that are level-triggered */
  uint8_t base;      /* vector of IRQ0: ICW2 */
  uint8_t top;       /* the input with the highest priority now */
  uint8_t icw_next;  /* 0, or the initialization word (2..4) that the next write to A0 = 1 is */
  bool ready;        /* the initialization words have been written */
  bool single, icw4; /* ICW1: no ICW3, ICW4 follows */
  bool auto_eoi, rotate_on_auto_eoi, special_mask, special_nested;
  bool read_isr, poll; /* OCW3 */
} pic_chip_t;

typedef struct {
  pic_chip_t chip[2]; /* master, slave */
} pic_t;

/*
 * Puts both chips into their state at power-on: all requests forgotten, nothing masked. A chip requests nothing before
 * it is initialized ("must be brought to a starting point"): it has no vectors yet.
 */
void pic_init(pic_t *pic);

/* Drives input irq (0..15, not 2). An edge is remembered until it is acknowledged. */
void pic_set_irq(pic_t *pic, unsigned irq, bool level);

/* The master's INT output. */
bool pic_output(const pic_t *pic);

/* INTA: returns the vector; IRQ7 (or 15) of the chip that has no request any more. */
uint8_t pic_ack(pic_t *pic);

/* A guest's port access. chip: 0 master, 1 slave; a0: 0 for 20H and A0H, 1 for 21H and A1H. */
uint8_t pic_read(pic_t *pic, unsigned chip, unsigned a0);
void pic_write(pic_t *pic, unsigned chip, unsigned a0, uint8_t data);

/* Edge/level registers 4D0H (chip 0) and 4D1H; IRQ 0, 1, 2, 8 and 13 are always edges. */
uint8_t pic_read_elcr(const pic_t *pic, unsigned chip);
void pic_write_elcr(pic_t *pic, unsigned chip, uint8_t data);

#endif
