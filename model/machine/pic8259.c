#include "pic8259.h"

#include <string.h>

enum { CASCADE = 2, SPURIOUS = 7, NONE = 8 };

static uint8_t bit(unsigned n) {
  return (uint8_t)(1u << (n & 7));
}

/* Returns the position after top of the first input in mask (0 = highest priority), or NONE. */
static unsigned priority(const pic_chip_t *chip, uint8_t mask) {
  for (unsigned p = 0; p < 8; p++)
    if (mask & bit(chip->top + p)) return p;
  return NONE;
}

/* Returns the input that the chip requests service for, or NONE. */
static unsigned request(const pic_chip_t *chip, bool master) {
  if (!chip->ready) return NONE;
  unsigned wanted = priority(chip, chip->irr & (uint8_t)~chip->imr);
  if (wanted == NONE) return NONE;
  uint8_t in_service = chip->isr;
  if (chip->special_mask) in_service &= (uint8_t)~chip->imr;
  if (chip->special_nested && master) in_service &= (uint8_t)~bit(CASCADE);
  return wanted < priority(chip, in_service) ? (chip->top + wanted) & 7 : NONE;
}

static void set_line(pic_chip_t *chip, unsigned input, bool level) {
  uint8_t mask = bit(input);
  if (level && ((chip->level & mask) || !(chip->line & mask))) chip->irr |= mask;
  if (!level && (chip->level & mask)) chip->irr &= (uint8_t)~mask;
  chip->line = (uint8_t)(level ? chip->line | mask : chip->line & ~mask);
}

/* The slave's INT output is the master's IRQ2. */
static void cascade(pic_t *pic) {
  set_line(&pic->chip[0], CASCADE, request(&pic->chip[1], false) != NONE);
}

void pic_init(pic_t *pic) {
  memset(pic, 0, sizeof *pic);
}

void pic_set_irq(pic_t *pic, unsigned irq, bool level) {
  set_line(&pic->chip[irq >> 3], irq & 7, level);
  if (irq >= 8) cascade(pic);
}

bool pic_output(const pic_t *pic) {
  return request(&pic->chip[0], true) != NONE;
}

static void acknowledge(pic_chip_t *chip, unsigned input) {
  if (!chip->auto_eoi)
    chip->isr |= bit(input);
  else if (chip->rotate_on_auto_eoi)
    chip->top = (input + 1) & 7;
  if (!(chip->level & bit(input))) chip->irr &= (uint8_t)~bit(input);
}

uint8_t pic_ack(pic_t *pic) {
  pic_chip_t *master = &pic->chip[0], *slave = &pic->chip[1];
  unsigned input = request(master, true);
  if (input == NONE) return master->base + SPURIOUS;
  if (input != CASCADE) {
    acknowledge(master, input);
    return (uint8_t)(master->base + input);
  }
  unsigned inner = request(slave, false);
  if (inner != NONE) acknowledge(slave, inner);
  cascade(pic);
  acknowledge(master, CASCADE);
  return (uint8_t)(slave->base + (inner == NONE ? (unsigned)SPURIOUS : inner));
}

/* ICW1: forgets all but the level-triggered requests, the base and ELCR. */
static void initialize(pic_chip_t *chip, uint8_t icw1) {
  pic_chip_t fresh = {.level = chip->level, .irr = chip->irr & chip->level};
  *chip = fresh;
  chip->icw4 = icw1 & 0x01;
  chip->single = icw1 & 0x02;
  chip->icw_next = 2;
}

static void write_ocw2(pic_chip_t *chip, uint8_t data) {
  bool rotate = data & 0x80, specific = data & 0x40, eoi = data & 0x20;
  unsigned input = data & 7;
  if (!eoi && !specific) {
    chip->rotate_on_auto_eoi = rotate;
    return;
  }
  if (!eoi && !rotate) return;
  if (eoi && !specific) {
    unsigned p = priority(chip, chip->isr);
    if (p == NONE) return;
    input = (chip->top + p) & 7;
  }
  if (eoi) chip->isr &= (uint8_t)~bit(input);
  if (rotate) chip->top = (input + 1) & 7;
}

static void write_ocw3(pic_chip_t *chip, uint8_t data) {
  if (data & 0x04) chip->poll = true;
  if (data & 0x02) chip->read_isr = data & 0x01;
  if (data & 0x40) chip->special_mask = data & 0x20;
}

/* ICW2 to ICW4, or OCW1. */
static void write_a1(pic_chip_t *chip, uint8_t data) {
  switch (chip->icw_next) {
  case 2:
    chip->base = data & 0xF8;
    chip->icw_next = !chip->single ? 3 : chip->icw4 ? 4 : 0;
    break;
  case 3:
    chip->icw_next = chip->icw4 ? 4 : 0;
    break;
  case 4:
    chip->special_nested = data & 0x10;
    chip->auto_eoi = data & 0x02;
    chip->icw_next = 0;
    break;
  default:
    chip->imr = data;
    return;
  }
  chip->ready = chip->icw_next == 0;
}

void pic_write(pic_t *pic, unsigned chip, unsigned a0, uint8_t data) {
  pic_chip_t *c = &pic->chip[chip];
  if (a0)
    write_a1(c, data);
  else if (data & 0x10)
    initialize(c, data);
  else if (data & 0x08)
    write_ocw3(c, data);
  else
    write_ocw2(c, data);
  cascade(pic);
}

uint8_t pic_read(pic_t *pic, unsigned chip, unsigned a0) {
  pic_chip_t *c = &pic->chip[chip];
  if (c->poll) {
    unsigned input = request(c, chip == 0);
    c->poll = false;
    if (input == NONE) return 0;
    acknowledge(c, input);
    cascade(pic);
    return (uint8_t)(0x80 | input);
  }
  return a0 ? c->imr : c->read_isr ? c->isr : c->irr;
}

uint8_t pic_read_elcr(const pic_t *pic, unsigned chip) {
  return pic->chip[chip].level;
}

void pic_write_elcr(pic_t *pic, unsigned chip, uint8_t data) {
  pic->chip[chip].level = data & (chip == 0 ? 0xF8 : 0xDE);
}
