#include <arch/uaccess.h>

/// REP MOVSB: when it faults, ECX says what is left.
static unsigned long copy(void *to, const void *from, unsigned long n) {
  __asm__ volatile("1: rep movsb\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+D"(to), "+S"(from), "+c"(n)
                   :
                   : "memory");
  return n;
}

unsigned long copy_from_user(void *to, unsigned long from, unsigned long n) {
  return access_ok(from, n) ? copy(to, (const void *)from, n) : n;
}

unsigned long copy_to_user(unsigned long to, const void *from, unsigned long n) {
  return access_ok(to, n) ? copy((void *)to, from, n) : n;
}

unsigned long clear_user(unsigned long to, unsigned long n) {
  if (!access_ok(to, n)) return n;
  __asm__ volatile("1: rep stosb\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+D"(to), "+c"(n)
                   : "a"(0)
                   : "memory");
  return n;
}

bool try_read32(unsigned long address, u32 *value) {
  u32 ok = 0, got = 0;
  __asm__ volatile("1: movl (%2), %1\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok), "+&r"(got)
                   : "r"(address)
                   : "memory");
  *value = got;
  return ok;
}

bool try_write32(unsigned long address, u32 value) {
  u32 ok = 0;
  __asm__ volatile("1: movl %2, (%1)\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok)
                   : "r"(address), "r"(value)
                   : "memory");
  return ok;
}

bool try_read8(unsigned long address, u8 *value) {
  u32 ok = 0, got = 0;
  __asm__ volatile("1: movzbl (%2), %1\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok), "+&r"(got)
                   : "r"(address)
                   : "memory");
  *value = (u8)got;
  return ok;
}

bool try_write8(unsigned long address, u8 value) {
  u32 ok = 0;
  __asm__ volatile("1: movb %b2, (%1)\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok)
                   : "r"(address), "q"(value)
                   : "memory");
  return ok;
}
