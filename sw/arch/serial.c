/// The console: a 16550 UART at COM1, polled.
#include <arch/io.h>

enum {
  COM1 = 0x3f8,
  UART_TX = COM1 + 0,  // also the low divisor byte while DLAB is set
  UART_IER = COM1 + 1, // also the high divisor byte
  UART_FCR = COM1 + 2,
  UART_LCR = COM1 + 3,
  UART_MCR = COM1 + 4,
  UART_LSR = COM1 + 5,
  LCR_8N1 = 0x03,
  LCR_DLAB = 0x80,
  LSR_THRE = 0x20, // the transmitter takes a byte
};

void serial_init(void) {
  outb(0x00, UART_IER);
  outb(LCR_DLAB | LCR_8N1, UART_LCR);
  outb(1, UART_TX); // 115200 baud
  outb(0, UART_IER);
  outb(LCR_8N1, UART_LCR);
  outb(0x07, UART_FCR); // FIFOs on and empty
  outb(0x03, UART_MCR); // DTR, RTS
}

void serial_putc(char c) {
  for (int i = 0; i < 100000 && !(inb(UART_LSR) & LSR_THRE); i++)
    ;
  outb((u8)c, UART_TX);
}
