/// Segments: flat ones as Linux has them, one task-state segment for the kernel's stack.
#include <arch/segment.h>

struct desc_struct gdt_table[GDT_ENTRIES] __attribute__((aligned(8)));

/// SDM "Task-State Segment (TSS)". Only ss0 and esp0 are used.
static struct tss_struct {
  u32 link;
  u32 esp0, ss0;
  u32 esp1, ss1, esp2, ss2;
  u32 cr3, eip, eflags;
  u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
  u32 es, cs, ss, ds, fs, gs;
  u32 ldt;
  u16 trace, io_bitmap_base;
} init_tss;

struct table_register {
  u16 limit;
  u32 base;
} __attribute__((packed));

void load_esp0(unsigned long esp0) {
  init_tss.esp0 = esp0;
}

void gdt_init(void) {
  gdt_table[GDT_ENTRY_KERNEL_CS] = make_desc(0, 0xFFFFFFFF, DESC_CODE_RX);
  gdt_table[GDT_ENTRY_KERNEL_DS] = make_desc(0, 0xFFFFFFFF, DESC_DATA_RW);
  gdt_table[GDT_ENTRY_USER_CS] = make_desc(0, 0xFFFFFFFF, DESC_CODE_RX | DESC_DPL(3));
  gdt_table[GDT_ENTRY_USER_DS] = make_desc(0, 0xFFFFFFFF, DESC_DATA_RW | DESC_DPL(3));
  gdt_table[GDT_ENTRY_TSS] = make_desc((u32)(unsigned long)&init_tss, sizeof(init_tss) - 1, DESC_TSS);
  init_tss.ss0 = KERNEL_DS;
  init_tss.io_bitmap_base = sizeof(init_tss); // no port is open to ring 3

  struct table_register gdtr = {.limit = sizeof(gdt_table) - 1, .base = (u32)(unsigned long)gdt_table};
  __asm__ volatile("lgdt %0\n\t"
                   "ljmp %1, $1f\n"
                   "1:\n\t"
                   "movl %2, %%ds\n\t"
                   "movl %2, %%es\n\t"
                   "movl %2, %%ss\n\t"
                   "movl %3, %%fs\n\t"
                   "movl %3, %%gs\n\t"
                   "lldt %w3\n\t"
                   "ltr %w4"
                   :
                   : "m"(gdtr), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(GDT_ENTRY_TSS * 8)
                   : "memory");
}
