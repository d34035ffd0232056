/// Operands across page boundaries.
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

/// A word at each offset around each boundary, read back byte by byte, and the other way round.
static void around_boundaries(u8 *area, u32 n) {
  for (u32 page = 1; page < n; page++) {
    for (int offset = -4; offset <= 0; offset++) {
      u8 *at = area + page * PAGE_SIZE + offset;
      u32 value = random_u32();
      *(volatile u32 *)at = value;
      CHECK((at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24) == value);
      at[0] ^= 0xFF;
      at[3] ^= 0xFF;
      CHECK(*(volatile u32 *)at == (value ^ 0xFF0000FF));
    }
    u16 *half = (u16 *)(area + page * PAGE_SIZE - 1);
    *(volatile u16 *)half = (u16)page;
    CHECK(*(volatile u16 *)half == (u16)page);
  }
}

/// Read-modify-write, exchange and stack operations on an operand in two pages.
static void instructions(u8 *boundary) {
  volatile u32 *word = (volatile u32 *)(boundary - 2);
  u32 value = 0x11223344, old_esp;

  *word = 0x01020304;
  __asm__ volatile("lock; addl %1, %0" : "+m"(*word) : "r"(0x10FFu));
  CHECK(*word == 0x01021403);
  __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*word));
  CHECK(value == 0x01021403 && *word == 0x11223344);
  __asm__ volatile("movl %%esp, %0\n\t"
                   "movl %2, %%esp\n\t"
                   "pushl %3\n\t"
                   "popl %1\n\t"
                   "movl %0, %%esp"
                   : "=&S"(old_esp), "=&r"(value)
                   : "r"(boundary + 2), "i"(0x55667788)
                   : "memory");
  CHECK(value == 0x55667788 && *word == 0x55667788);
}

/// The second page is missing: CR2 is its first byte. The first page is missing: CR2 is the operand's address.
static void with_faults(unsigned long area) {
  unsigned long boundary = area + PAGE_SIZE;
  u32 value;
  pte_t second = unmap_kernel_page(boundary);

  for (int offset = -3; offset < 0; offset++) {
    CHECK(!try_read32(boundary + offset, &value));
    CHECK(last_fixup.vector == TRAP_PF && last_fixup.error_code == 0 && last_fixup.address == boundary);
    CHECK(!try_write32(boundary + offset, 0));
    CHECK(last_fixup.error_code == PF_WRITE && last_fixup.address == boundary);
  }
  CHECK(try_read32(boundary - 4, &value));
  map_kernel_page(boundary, pte_pfn(second), second.pte & ~PAGE_MASK);
  pte_t first = unmap_kernel_page(area);
  CHECK(!try_read32(boundary - 1, &value));
  CHECK(last_fixup.address == boundary - 1);
  CHECK(try_read32(boundary, &value));
  map_kernel_page(area, pte_pfn(first), first.pte & ~PAGE_MASK);

  // A write of which only the second page is read-only leaves the first page's bytes as they were.
  u8 before = *(u8 *)(boundary - 1);
  map_kernel_page(boundary, pte_pfn(second), (second.pte & ~PAGE_MASK) & ~(u32)_PAGE_RW);
  CHECK(!try_write32(boundary - 1, ~(u32)before));
  CHECK(last_fixup.error_code == (PF_WRITE | PF_PROT) && last_fixup.address == boundary);
  CHECK(*(u8 *)(boundary - 1) == before);
  map_kernel_page(boundary, pte_pfn(second), second.pte & ~PAGE_MASK);
}

void workload_straddle(void) {
  u32 n = (u32)pages(128, 4);
  u8 *area = need(vmalloc(n * PAGE_SIZE));

  for (unsigned long i = rounds(16); i; i -= min_ul(i, 8))
    around_boundaries(area, n);
  instructions(area + PAGE_SIZE);
  instructions(area + 3 * PAGE_SIZE);
  with_faults((unsigned long)area);
  vfree(area);
}
