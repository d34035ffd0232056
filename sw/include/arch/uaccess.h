/// Memory accesses that may fault: to user memory, and of tests. The faulting instruction is in the exception table.
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H

#include <arch/page.h>
#include <kernel/types.h>

/// One entry of the exception table: a fault of the instruction at `from` continues at `to`.
#define EX_TABLE(from, to) ".section __ex_table, \"a\"\n\t.long " from ", " to "\n\t.previous\n\t"

/// Whether [address, address + n) lies in the user's part.
static inline bool access_ok(unsigned long address, unsigned long n) {
  return address + n >= address && address + n <= TASK_SIZE;
}

/// Copies and returns how many bytes were not copied, 0 if all were.
unsigned long copy_from_user(void *to, unsigned long from, unsigned long n);
unsigned long copy_to_user(unsigned long to, const void *from, unsigned long n);

/// Zeroes and returns how many bytes were not.
unsigned long clear_user(unsigned long to, unsigned long n);

/// Access 1 or 4 bytes. Return false if the access faulted; last_fixup then tells how.
bool try_read32(unsigned long address, u32 *value);
bool try_write32(unsigned long address, u32 value);
bool try_read8(unsigned long address, u8 *value);
bool try_write8(unsigned long address, u8 value);

#endif
