/// Port I/O.
#ifndef ARCH_IO_H
#define ARCH_IO_H

#include <kernel/types.h>

static inline void outb(u8 value, u16 port) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void outl(u32 value, u16 port) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/// The first serial port, polled. Nothing here enables an interrupt.
void serial_init(void);

/// Writes one byte. Gives up waiting after a while, so that a machine without a UART still runs.
void serial_putc(char c);

#endif
