/// Formatted output.
#include <arch/io.h>
#include <kernel/kernel.h>
#include <kernel/string.h>
#include <stdarg.h>

static void putc(char c) {
  if (c == '\n') serial_putc('\r');
  serial_putc(c);
}

/// One conversion: flags and width, then the text.
struct spec {
  bool left;
  char pad;
  int width;
};

static void put_padded(const struct spec *spec, const char *text, int length) {
  int gap = spec->width - length;
  if (!spec->left)
    for (; gap > 0; gap--)
      putc(spec->pad);
  for (int i = 0; i < length; i++)
    putc(text[i]);
  for (; gap > 0; gap--)
    putc(' ');
}

static void put_number(const struct spec *spec, unsigned long value, unsigned base, bool negative) {
  char digits[16];
  int at = sizeof(digits);

  do {
    digits[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  if (negative) digits[--at] = '-';
  put_padded(spec, digits + at, (int)sizeof(digits) - at);
}

static void vprintk(const char *format, va_list args) {
  for (; *format; format++) {
    if (*format != '%') {
      putc(*format);
      continue;
    }
    struct spec spec = {.pad = ' '};
    for (format++; *format == '-' || *format == '0'; format++) {
      if (*format == '-')
        spec.left = true;
      else
        spec.pad = '0';
    }
    for (; *format >= '0' && *format <= '9'; format++)
      spec.width = spec.width * 10 + (*format - '0');
    while (*format == 'l')
      format++; // int and long are both 32 bits wide
    switch (*format) {
    case 'c': {
      char c = (char)va_arg(args, int);
      put_padded(&spec, &c, 1);
      break;
    }
    case 's': {
      const char *s = va_arg(args, const char *);
      put_padded(&spec, s, (int)strlen(s));
      break;
    }
    case 'd':
    case 'i': {
      long value = va_arg(args, long);
      put_number(&spec, value < 0 ? 0UL - (unsigned long)value : (unsigned long)value, 10, value < 0);
      break;
    }
    case 'u':
      put_number(&spec, va_arg(args, unsigned long), 10, false);
      break;
    case 'p':
      spec.pad = '0', spec.width = 8; // fall through
    case 'x':
      put_number(&spec, va_arg(args, unsigned long), 16, false);
      break;
    case '\0':
      return;
    default:
      putc(*format);
    }
  }
}

void printk(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vprintk(format, args);
  va_end(args);
}

void panic(const char *format, ...) {
  va_list args;
  va_start(args, format);
  printk("mmu86: FAIL panic: ");
  vprintk(format, args);
  printk("\n");
  va_end(args);
  machine_exit(EXIT_PANIC);
}

void machine_exit(u32 code) {
  enum { EXIT_PORT = 0xf4 }; // QEMU's isa-debug-exit
  outl(code, EXIT_PORT);
  for (;;)
    __asm__ volatile("cli; hlt");
}
