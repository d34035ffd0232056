/*
 * As much of a VGA as text-mode software touches: registers that keep what is written to them, a cursor and a start
 * address, and an input status that shows retraces as guest time goes by. The window A0000..BFFFF is plain RAM.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference, "Video Subsystem".
 */
#ifndef MMU86_VGA_H
#define MMU86_VGA_H

#include <stdbool.h>
#include <stdint.h>

enum { VGA_FIRST_PORT = 0x3B0, VGA_PORTS = 0x30 };
enum { VGA_TEXT = 0xB8000, VGA_TEXT_BYTES = 0x8000, VGA_COLUMNS = 80, VGA_ROWS = 25 };

typedef struct {
  uint8_t index[4], data[4][256]; /* sequencer, graphics controller, CRT controller, attribute controller */
  uint8_t misc, mask;
  bool attribute_data; /* the next write of 3C0H is data */
  bool blank;          /* display enable, as the last read of the status showed it */
} vga_t;

/* Colour text mode, 80 by 25. */
void vga_init(vga_t *vga);

/* A guest's access to port VGA_FIRST_PORT + reg. retrace: the vertical one is going on. */
uint8_t vga_read(vga_t *vga, unsigned reg, bool retrace);
void vga_write(vga_t *vga, unsigned reg, uint8_t data);

/* Where in the VGA_TEXT_BYTES at VGA_TEXT the character at column 0 of row 0 lies. */
uint32_t vga_text_start(const vga_t *vga);

#endif
