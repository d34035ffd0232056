/// What the exhaustive workloads share: memory that every privilege level can use, raw page-table entries, and how a
/// matrix is thinned.
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include <arch/pgtable.h>
#include <arch/ring3.h>
#include <kernel/workload.h>

/// The probes' 4 MiB of the window for tests: a page of stack and data, then their code. The rest of the window is
/// free.
#define PROBE_WINDOW ((u32)(FIXMAP_START + PGDIR_SIZE))
#define PROBE_STACK PROBE_WINDOW
#define PROBE_STACK_TOP (PROBE_STACK + (u32)PAGE_SIZE)
#define PROBE_CODE PROBE_STACK_TOP

/// Maps the stack and `bytes` of the kernel's code at `code`, both open to ring 3. Ends the machine without memory.
void probe_open(const void *code, u32 bytes);
void probe_close(void);

/// Where ring 3 finds a piece of the code given to probe_open.
u32 probe_address(const void *code);

/// A start with the flat segments of privilege level `cpl`, 0 or 3, interrupts off, an empty stack, everything else 0.
void probe_start(struct pt_regs *start, u32 cpl);

/// The directory's entry of a kernel address, as the processor sees it: a 32-bit word.
static inline volatile u32 *directory_entry(u32 address) {
  return (volatile u32 *)swapper_pg_dir + (address >> PGDIR_SHIFT);
}

/// A matrix's combinations are numbered; those that are tried are first, first + step, ... It is a sample of one in
/// `stride` of them; in the tour one in 5 * `stride`, with `quick` one in `stride` * `quick`, others with another seed.
/// Strides without a factor that a matrix's dimensions have see every value of every dimension.
struct sample {
  u32 first, step;
};
static inline struct sample sample_of(u32 stride, u32 quick) {
  u32 step = stride * (form() == FORM_QUICK ? quick : form() == FORM_TOUR ? 5 : 1);
  return (struct sample){(u32)boot_params.seed % step, step};
}

/// The next digit of a combination's number: divides *number by `radix` and returns the remainder.
static inline u32 take(u32 *number, u32 radix) {
  u32 digit = *number % radix;
  *number /= radix;
  return digit;
}

/// A number that goes with combination `n` and with none of its digits: for what is chosen by turns.
static inline u32 turn_of(u32 n) {
  return n * 2654435761U >> 16;
}

#endif
