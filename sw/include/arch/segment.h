/// The descriptor table, laid out as Linux 2.6 on i386 has it, and descriptors. SDM "Segment Descriptors".
#ifndef ARCH_SEGMENT_H
#define ARCH_SEGMENT_H

/* Also read by assembly. Entries of the GDT: */
#define GDT_ENTRY_TLS_MIN 6 /* three entries for a task's thread-local segments */
#define GDT_ENTRY_KERNEL_CS 12
#define GDT_ENTRY_KERNEL_DS 13
#define GDT_ENTRY_USER_CS 14
#define GDT_ENTRY_USER_DS 15
#define GDT_ENTRY_TSS 16
#define GDT_ENTRY_LDT 17
#define GDT_ENTRY_PERCPU 27
#define GDT_ENTRY_DOUBLEFAULT_TSS 31
#define GDT_ENTRIES 32

#define KERNEL_CS 0x60
#define KERNEL_DS 0x68
#define KERNEL_PERCPU 0xD8 /* in %fs while the kernel runs: its base leads to this processor's data */
#define USER_CS 0x73
#define USER_DS 0x7B

#ifndef __ASSEMBLER__

#include <kernel/types.h>

/// A descriptor as memory has it: `a` the low, `b` the high half.
struct desc_struct {
  u32 a, b;
};

/// The access byte (bits 15:8 of the high half) of the descriptors we use; OR in DESC_DPL(n).
enum {
  DESC_DATA_RO = 0x90,   ///< present, data
  DESC_DATA_RW = 0x92,   ///< present, writable data
  DESC_DATA_DOWN = 0x96, ///< present, writable data, expand-down
  DESC_CODE_X = 0x98,    ///< present, execute-only code
  DESC_CODE_RX = 0x9A,   ///< present, readable code
  DESC_LDT = 0x82,
  DESC_TSS = 0x89,
  DESC_ACCESSED = 0x01,
  DESC_TSS_BUSY = 0x02,
  DESC_PRESENT = 0x80,
};

#define DESC_DPL(n) ((n) << 5)

/// A descriptor. `limit` is in bytes; one of 1 MiB or more must end in FFFH and gets G = 1. `access` is the access
/// byte. D/B is 1 for segments of code and data.
static inline struct desc_struct make_desc(u32 base, u32 limit, u32 access) {
  u32 flags = access & 0x10 ? 0x00400000 : 0; // D/B
  if (limit > 0xFFFFF) {
    flags |= 0x00800000; // G
    limit >>= 12;
  }
  return (struct desc_struct){.a = base << 16 | (limit & 0xFFFF),
                              .b = (base & 0xFF000000) | flags | (limit & 0xF0000) | access << 8 | (base >> 16 & 0xFF)};
}

extern struct desc_struct gdt_table[GDT_ENTRIES];

/// SDM "Task-State Segment (TSS)". In the kernel's only ss0, esp0 and the I/O bitmap are used: tasks are switched by
/// software. The double fault has one of its own, and the hardware switches to it.
struct tss_struct {
  u32 link;
  u32 esp0, ss0;
  u32 esp1, ss1, esp2, ss2;
  u32 cr3, eip, eflags;
  u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
  u32 es, cs, ss, ds, fs, gs;
  u32 ldt;
  u16 trace, io_bitmap_base;
};
extern struct tss_struct init_tss, doublefault_tss;

/// Loads GDT and TSS; reloads every segment register.
void gdt_init(void);

/// Makes `esp0` the stack that an interrupt from ring 3 starts with.
void load_esp0(unsigned long esp0);

/// Makes the data at `offset` from the section `percpu` this processor's: base of the segment in FS.
void load_percpu_segment(unsigned long offset);

/// Makes `entries` descriptors at `table` the LDT; 0: none.
void load_ldt(const struct desc_struct *table, unsigned entries);

/// A null FS, and the kernel's again: for who gives FS to a test.
static inline void restore_kernel_fs(void) {
  __asm__ volatile("movl %0, %%fs" : : "r"(KERNEL_PERCPU) : "memory");
}

#endif
#endif
