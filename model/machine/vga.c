#include "vga.h"

#include <string.h>

enum { SEQUENCER, GRAPHICS, CRTC, ATTRIBUTE };
/* Registers, relative to VGA_FIRST_PORT. The CRT controller has two places; misc chooses one, both answer here. */
enum {
  CRTC_MONO = 0x04,
  STATUS_MONO = 0x0A,
  ATTRIBUTE_WRITE = 0x10,
  ATTRIBUTE_READ = 0x11,
  MISC_WRITE = 0x12,
  SEQUENCER_INDEX = 0x14,
  PALETTE_MASK = 0x16,
  MISC_READ = 0x1C,
  GRAPHICS_INDEX = 0x1E,
  CRTC_COLOUR = 0x24,
  STATUS_COLOUR = 0x2A,
};
enum { CRTC_START_HIGH = 0x0C, CRTC_START_LOW = 0x0D };
enum { MISC_COLOUR = 0x67 };
enum { STATUS_BLANK = 0x01, STATUS_RETRACE = 0x08 };

void vga_init(vga_t *vga) {
  static const uint8_t text_80_by_25[] = {0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00,
                                          0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF};
  memset(vga, 0, sizeof *vga);
  memcpy(vga->data[CRTC], text_80_by_25, sizeof text_80_by_25);
  vga->misc = MISC_COLOUR;
  vga->mask = 0xFF;
}

/* The register pair that reg belongs to: an index, then its data. Returns false if it is none. */
static bool pair(unsigned reg, unsigned *set, bool *is_data) {
  switch (reg & ~1u) {
  case SEQUENCER_INDEX:
    *set = SEQUENCER;
    break;
  case GRAPHICS_INDEX:
    *set = GRAPHICS;
    break;
  case CRTC_MONO:
  case CRTC_COLOUR:
    *set = CRTC;
    break;
  default:
    return false;
  }
  *is_data = reg & 1;
  return true;
}

static uint8_t read_status(vga_t *vga, bool retrace) {
  vga->attribute_data = false;
  vga->blank = !vga->blank;
  return (uint8_t)((vga->blank || retrace ? STATUS_BLANK : 0) | (retrace ? STATUS_RETRACE : 0));
}

uint8_t vga_read(vga_t *vga, unsigned reg, bool retrace) {
  unsigned set;
  bool is_data;
  if (pair(reg, &set, &is_data)) return is_data ? vga->data[set][vga->index[set]] : vga->index[set];
  switch (reg) {
  case ATTRIBUTE_WRITE:
    return vga->index[ATTRIBUTE];
  case ATTRIBUTE_READ:
    return vga->data[ATTRIBUTE][vga->index[ATTRIBUTE] & 0x1F];
  case PALETTE_MASK:
    return vga->mask;
  case MISC_READ:
    return vga->misc;
  case STATUS_MONO:
  case STATUS_COLOUR:
    return read_status(vga, retrace);
  default:
    return reg >= ATTRIBUTE_WRITE && reg < CRTC_COLOUR ? 0 : 0xFF;
  }
}

void vga_write(vga_t *vga, unsigned reg, uint8_t data) {
  unsigned set;
  bool is_data;
  if (pair(reg, &set, &is_data)) {
    if (is_data)
      vga->data[set][vga->index[set]] = data;
    else
      vga->index[set] = data;
    return;
  }
  switch (reg) {
  case ATTRIBUTE_WRITE:
    if (vga->attribute_data)
      vga->data[ATTRIBUTE][vga->index[ATTRIBUTE] & 0x1F] = data;
    else
      vga->index[ATTRIBUTE] = data;
    vga->attribute_data = !vga->attribute_data;
    break;
  case MISC_WRITE:
    vga->misc = data;
    break;
  case PALETTE_MASK:
    vga->mask = data;
    break;
  default:
    break;
  }
}

uint32_t vga_text_start(const vga_t *vga) {
  uint32_t start = (uint32_t)(vga->data[CRTC][CRTC_START_HIGH] << 8 | vga->data[CRTC][CRTC_START_LOW]);
  return start * 2 % VGA_TEXT_BYTES;
}
