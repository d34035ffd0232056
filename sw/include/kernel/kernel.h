/// What every file needs: output, the end of the world, small arithmetic.
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <kernel/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/// `ptr` points to the field `member` of a `type`: the address of that `type`.
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/// `x` rounded up to a multiple of `align`, a power of two.
static inline unsigned long align_up(unsigned long x, unsigned long align) {
  return (x + align - 1) & ~(align - 1);
}

static inline unsigned long min_ul(unsigned long a, unsigned long b) {
  return a < b ? a : b;
}
static inline unsigned long max_ul(unsigned long a, unsigned long b) {
  return a > b ? a : b;
}

/// Formatted output to the console. Conversions: c s d i u x p %, flags `-` and `0`, a width, the modifier `l`.
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Prints "mmu86: FAIL " and the message, then ends the machine with EXIT_PANIC.
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Exit codes of the kernel, written to the exit port.
enum {
  EXIT_PASS = 0,      ///< every self-check passed
  EXIT_FAIL = 1,      ///< a self-check failed
  EXIT_PANIC = 2,     ///< the kernel could not go on
  EXIT_EXCEPTION = 3, ///< an exception that nothing expected
};

/// Ends the machine with `code`. Where the exit port does not exist: halts for ever.
_Noreturn void machine_exit(u32 code);

#define BUG_ON(condition)                                                                                              \
  do {                                                                                                                 \
    if (condition) panic("BUG at %s:%d: %s", __FILE__, __LINE__, #condition);                                          \
  } while (0)

#endif
