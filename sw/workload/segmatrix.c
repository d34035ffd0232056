/// The segment matrix: descriptors of every type, privilege and presence, loaded in every way from CPL 0 and CPL 3, and
/// then used. Here: what both parts need, and that everything is as before in the end.
#include "segmatrix.h"
#include <kernel/string.h>
#include <kernel/workload.h>

struct desc_struct segmatrix_ldt[LDT_ENTRIES] __attribute__((aligned(8)));

static u32 base_of(struct desc_struct desc) {
  return desc.a >> 16 | (desc.b & 0xFF) << 16 | (desc.b & 0xFF000000);
}

u32 segmatrix_tss_base(void) {
  return base_of(gdt_table[GDT_ENTRY_TSS]);
}

void segmatrix_load_ldt(void) {
  gdt_table[GDT_ENTRY_LDT] = make_desc(linear_of(segmatrix_ldt), sizeof(segmatrix_ldt) - 2, DESC_LDT);
  __asm__ volatile("lldt %w0" : : "r"(GDT_ENTRY_LDT * 8) : "memory");
}

void segmatrix_load_tr(void) {
  gdt_table[GDT_ENTRY_TSS].b &= ~(u32)(DESC_TSS_BUSY << 8); // LTR takes no busy one, and sets the bit
  __asm__ volatile("ltr %w0" : : "r"(GDT_ENTRY_TSS * 8) : "memory");
}

u32 *selector_of(struct pt_regs *regs, enum segment seg) {
  switch (seg) {
  case SEG_ES:
    return &regs->xes;
  case SEG_SS:
    return &regs->xss;
  case SEG_DS:
    return &regs->xds;
  case SEG_FS:
    return &regs->xfs;
  default:
    return &regs->xgs;
  }
}

/// What the matrix must leave as it was.
struct machine_state {
  struct desc_struct gdt[GDT_ENTRIES];
  u16 ldt, tr;
  u32 cr0, cr3, cr4;
};

static void save_state(struct machine_state *state) {
  memcpy(state->gdt, gdt_table, sizeof(state->gdt));
  __asm__ volatile("sldt %0" : "=m"(state->ldt));
  __asm__ volatile("str %0" : "=m"(state->tr));
  state->cr0 = read_cr0();
  state->cr3 = read_cr3();
  state->cr4 = read_cr4_safe();
}

/// Puts the test's own entries back, then compares the rest too. The flat segments may have become accessed.
static void restore_state(const struct machine_state *before) {
  static struct machine_state now;

  for (u32 i = GDT_ENTRY_TLS_MIN; i < GDT_ENTRY_TLS_MIN + 3; i++)
    gdt_table[i] = before->gdt[i];
  gdt_table[GDT_ENTRY_LDT] = before->gdt[GDT_ENTRY_LDT];
  __asm__ volatile("lldt %0" : : "m"(before->ldt) : "memory");

  save_state(&now);
  CHECK(now.ldt == before->ldt && now.tr == before->tr);
  CHECK(now.cr0 == before->cr0 && now.cr3 == before->cr3 && now.cr4 == before->cr4);
  u32 changed = 0;
  for (u32 i = 0; i < GDT_ENTRIES; i++)
    changed |= (now.gdt[i].a ^ before->gdt[i].a) | ((now.gdt[i].b ^ before->gdt[i].b) & ~(u32)(DESC_ACCESSED << 8));
  CHECK(!changed);
}

void workload_segmatrix(void) {
  static struct machine_state before;

  save_state(&before);
  probe_open(segmatrix_code, (u32)(segmatrix_code_end - segmatrix_code));
  memset(segmatrix_ldt, 0, sizeof(segmatrix_ldt));
  for (u32 level = 0; level <= 3; level++)
    segmatrix_ldt[LDT_STACK + level] = make_desc(0, ~0U, DESC_DATA_RW | DESC_DPL(level) | DESC_ACCESSED);
  segmatrix_load_ldt();
  PROBE_DATA->word = SEGMATRIX_TAG;

  segmatrix_loads();
  segmatrix_uses();

  restore_state(&before);
  probe_close();
}
