/// Segments: flat ones as Linux has them, one for per-CPU data, task-state segments for the kernel's stack and for
/// double faults.
#include <arch/segment.h>

struct desc_struct gdt_table[GDT_ENTRIES] __attribute__((aligned(8)));

/// With the I/O bitmap behind it: ring 3 may write the origin port, and no other.
enum { ORIGIN_PORT = 0xEA, IO_BITMAP_BYTES = ORIGIN_PORT / 8 + 2 };
static struct {
  struct tss_struct tss;
  u8 io_bitmap[IO_BITMAP_BYTES];
} kernel_tss __attribute__((aligned(256)));

extern struct tss_struct init_tss __attribute__((alias("kernel_tss")));

struct table_register {
  u16 limit;
  u32 base;
} __attribute__((packed));

void load_esp0(unsigned long esp0) {
  init_tss.esp0 = esp0;
}

void load_percpu_segment(unsigned long offset) {
  gdt_table[GDT_ENTRY_PERCPU] = make_desc((u32)offset, 0xFFFFFFFF, DESC_DATA_RW);
  restore_kernel_fs();
}

void load_ldt(const struct desc_struct *table, unsigned entries) {
  u32 selector = 0;

  if (entries) {
    gdt_table[GDT_ENTRY_LDT] = make_desc((u32)(unsigned long)table, entries * 8 - 1, DESC_LDT);
    selector = GDT_ENTRY_LDT * 8;
  }
  __asm__ volatile("lldt %w0" : : "r"(selector) : "memory");
}

void gdt_init(void) {
  gdt_table[GDT_ENTRY_KERNEL_CS] = make_desc(0, 0xFFFFFFFF, DESC_CODE_RX);
  gdt_table[GDT_ENTRY_KERNEL_DS] = make_desc(0, 0xFFFFFFFF, DESC_DATA_RW);
  gdt_table[GDT_ENTRY_USER_CS] = make_desc(0, 0xFFFFFFFF, DESC_CODE_RX | DESC_DPL(3));
  gdt_table[GDT_ENTRY_USER_DS] = make_desc(0, 0xFFFFFFFF, DESC_DATA_RW | DESC_DPL(3));
  gdt_table[GDT_ENTRY_TSS] = make_desc((u32)(unsigned long)&kernel_tss, sizeof(kernel_tss) - 1, DESC_TSS);
  gdt_table[GDT_ENTRY_DOUBLEFAULT_TSS] =
      make_desc((u32)(unsigned long)&doublefault_tss, sizeof(doublefault_tss) - 1, DESC_TSS);
  kernel_tss.tss.ss0 = KERNEL_DS;
  kernel_tss.tss.io_bitmap_base = sizeof(struct tss_struct);
  for (unsigned i = 0; i < IO_BITMAP_BYTES; i++)
    kernel_tss.io_bitmap[i] = 0xFF;
  kernel_tss.io_bitmap[ORIGIN_PORT / 8] &= (u8) ~(1 << ORIGIN_PORT % 8);

  struct table_register gdtr = {.limit = sizeof(gdt_table) - 1, .base = (u32)(unsigned long)gdt_table};
  __asm__ volatile("lgdt %0\n\t"
                   "ljmp %1, $1f\n"
                   "1:\n\t"
                   "movl %2, %%ds\n\t"
                   "movl %2, %%es\n\t"
                   "movl %2, %%ss\n\t"
                   "movl %3, %%gs\n\t"
                   "lldt %w3\n\t"
                   "ltr %w4"
                   :
                   : "m"(gdtr), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(GDT_ENTRY_TSS * 8)
                   : "memory");
  load_percpu_segment(0); // until setup_per_cpu_areas: the section itself
}
