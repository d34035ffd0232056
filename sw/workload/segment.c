/// Segments with a base, loads that fault, the accessed bit of descriptors, and, with `limits`, limits.
#include "programs.h"
#include <arch/segment.h>
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/sched.h>
#include <kernel/slab.h>
#include <kernel/string.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

enum { LDT_SIZE = 8, TEST_GDT = GDT_ENTRY_TLS_MIN * 8 };

static struct desc_struct ldt[LDT_SIZE] __attribute__((aligned(8)));

static u16 ldt_selector(u32 index) {
  return (u16)(index * 8 | 4);
}

/// Loads GS. FS is the kernel's own: who loads it must restore it before anything else runs. Returns false if that
/// faulted.
static bool load_gs(u16 selector) {
  u32 ok = 0;
  __asm__ volatile("1: movl %1, %%gs\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok)
                   : "r"((u32)selector)
                   : "memory");
  return ok;
}

static bool load_fs(u16 selector) {
  u32 ok = 0;
  __asm__ volatile("1: movl %1, %%fs\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok)
                   : "r"((u32)selector)
                   : "memory");
  return ok;
}

static u16 store_gs(void) {
  u32 selector;
  __asm__ volatile("movl %%gs, %0" : "=r"(selector));
  return (u16)selector;
}

static bool read_gs(u32 offset, u32 *value) {
  u32 ok = 0, got = 0;
  __asm__ volatile("1: movl %%gs:(%2), %1\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok), "+&r"(got)
                   : "r"(offset)
                   : "memory");
  *value = got;
  return ok;
}

static bool write_gs(u32 offset, u32 value) {
  u32 ok = 0;
  __asm__ volatile("1: movl %2, %%gs:(%1)\n\t"
                   "movl $1, %0\n"
                   "2:\n\t" EX_TABLE("1b", "2b")
                   : "+&r"(ok)
                   : "r"(offset), "r"(value)
                   : "memory");
  return ok;
}

/// The same word through DS, GS and FS, whose bases differ; the sum of base and offset wraps at 4 GiB.
static void bases(u8 *area) {
  for (unsigned long i = rounds(400); i; i--) {
    u32 base = (u32)(unsigned long)area + random_below(3 * PAGE_SIZE), value = random_u32(), got = 0;
    u32 at = (u32)(unsigned long)area + random_below(4 * PAGE_SIZE - 4);
    if (at - base > 0xFFFFFFFC) at = base; // an operand around offset 0: processors differ
    gdt_table[GDT_ENTRY_TLS_MIN] = make_desc(base, 0xFFFFFFFF, DESC_DATA_RW);
    ldt[1] = make_desc(base / 2, 0xFFFFFFFF, DESC_DATA_RW);
    CHECK(load_gs(TEST_GDT) && load_fs(ldt_selector(1)));
    CHECK(write_gs(at - base, value));
    CHECK(*(volatile u32 *)(unsigned long)at == value);
    __asm__ volatile("movl %%fs:(%1), %0" : "=r"(got) : "r"(at - base / 2) : "memory");
    CHECK(got == value);
    // Until it is loaded again, a changed descriptor does not count.
    gdt_table[GDT_ENTRY_TLS_MIN] = make_desc(0x1000, 0xFFFFFFFF, DESC_DATA_RW);
    CHECK(read_gs(at - base, &got) && got == value);
  }
  restore_kernel_fs();
}

/// A string instruction from one segment into another.
static void strings(u8 *area) {
  u8 *source = area + 100, *target = area + 2 * PAGE_SIZE - 300;
  u32 n = 600;

  for (u32 i = 0; i < n; i++)
    source[i] = (u8)(i * 13);
  ldt[2] = make_desc((u32)(unsigned long)source, 0xFFFFFFFF, DESC_DATA_RW);
  CHECK(load_fs(ldt_selector(2)));
  u32 from = 0, count = n;
  u8 *to = target;
  __asm__ volatile("rep movsb %%fs:(%%esi), %%es:(%%edi)" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
  restore_kernel_fs();
  CHECK(from == n && to == target + n && !memcmp(source, target, n));
}

/// A far call into a code segment with a base; the code lies at `area` and returns far.
static void far_calls(u8 *area) {
  struct {
    u32 offset;
    u16 selector;
  } __attribute__((packed)) target;

  for (unsigned long i = rounds(100); i; i--) {
    u8 *code = area + random_below(3 * PAGE_SIZE);
    u32 base = (u32)(unsigned long)area - random_below(100000), value = random_u32(), got;
    code[0] = 0xB8; // MOV EAX, imm32
    for (int byte = 0; byte < 4; byte++)
      code[1 + byte] = (u8)(value >> 8 * byte);
    code[5] = 0x2E; // CS: MOV EDX, [disp32]: a read through the code segment
    code[6] = 0x8B;
    code[7] = 0x15;
    u32 here = (u32)(unsigned long)code - base;
    for (int byte = 0; byte < 4; byte++)
      code[8 + byte] = (u8)(here >> 8 * byte);
    code[12] = 0xCB; // RETF
    ldt[5] = make_desc(base, 0xFFFFFFFF, DESC_CODE_RX);
    target.offset = here;
    target.selector = ldt_selector(5);
    u32 through_cs;
    __asm__ volatile("lcall *%2" : "=a"(got), "=&d"(through_cs) : "m"(target) : "memory");
    CHECK(got == value && through_cs == (0xB8 | value << 8));
    if (boot_params.limits) CHECK(ldt[5].b >> 8 & DESC_ACCESSED); // not on QEMU
  }
}

/// A stack segment with a base: pushes and frames go to base + ESP.
static void stack_segment(u8 *area) {
  for (unsigned long i = rounds(100); i; i--) {
    u32 top = 4 * (64 + random_below(PAGE_SIZE - 64)), value = random_u32(), popped, saved_esp;
    gdt_table[GDT_ENTRY_TLS_MIN + 1] = make_desc((u32)(unsigned long)area, 0xFFFFFFFF, DESC_DATA_RW);
    __asm__ volatile("movl %%esp, %1\n\t"
                     "movl %3, %%ss\n\t"
                     "movl %2, %%esp\n\t"
                     "pushl %4\n\t"
                     "pushl %1\n\t"
                     "movl 4(%%esp), %0\n\t"
                     "movl %5, %%ss\n\t"
                     "movl %1, %%esp"
                     : "=&r"(popped), "=&S"(saved_esp)
                     : "r"(top), "r"(TEST_GDT + 8), "r"(value), "D"(KERNEL_DS)
                     : "memory");
    CHECK(popped == value && *(u32 *)(area + top - 4) == value && *(u32 *)(area + top - 8) == saved_esp);
  }
}

static void refused(struct desc_struct desc, u32 vector) {
  ldt[3] = desc;
  CHECK(load_gs(TEST_GDT));
  last_fixup.vector = ~0U;
  CHECK(!load_gs(ldt_selector(3)));
  CHECK(last_fixup.vector == vector && last_fixup.error_code == ldt_selector(3));
  CHECK(store_gs() == TEST_GDT); // the register is as before
  CHECK(ldt[3].a == desc.a && ldt[3].b == desc.b);
}

/// Loads that have to fault, in the order the manual gives ("Mov": Protected Mode Exceptions).
static void bad_loads(void) {
  u32 base = (u32)(unsigned long)ldt;

  gdt_table[GDT_ENTRY_TLS_MIN] = make_desc(base, 0xFFFFFFFF, DESC_DATA_RW);
  refused(make_desc(base, 0xFFF, DESC_DATA_RW & ~DESC_PRESENT), TRAP_NP);
  refused(make_desc(base, 0xFFF, DESC_CODE_X), TRAP_GP);
  refused(make_desc(base, 0xFFF, DESC_LDT), TRAP_GP);
  refused(make_desc(base, 0xFFF, DESC_TSS), TRAP_GP);
  refused(make_desc(base, 0xFFF, DESC_CODE_X & ~DESC_PRESENT), TRAP_GP); // type before presence
  refused((struct desc_struct){0, 0}, TRAP_GP);
  CHECK(!load_gs(ldt_selector(LDT_SIZE)) && last_fixup.error_code == ldt_selector(LDT_SIZE));
  CHECK(!load_gs(GDT_ENTRIES * 8) && last_fixup.error_code == GDT_ENTRIES * 8);
  load_ldt(ldt, 4); // a shorter table
  CHECK(load_gs(ldt_selector(1)) && !load_gs(ldt_selector(4)));
  load_ldt(ldt, LDT_SIZE);
  CHECK(load_gs(0) && store_gs() == 0 && load_gs(3) && store_gs() == 3);
}

/// Loading a segment sets the accessed bit of its descriptor, wherever the table lies.
static void accessed(void) {
  ldt[4] = make_desc(0, 0xFFFFFFFF, DESC_DATA_RO);
  CHECK(load_gs(ldt_selector(4)));
  CHECK(ldt[4].b >> 8 & DESC_ACCESSED);
  ldt[4] = make_desc(0, 0xFFFFFFFF, DESC_CODE_RX);
  CHECK(load_fs(ldt_selector(4)));
  restore_kernel_fs();
  CHECK(ldt[4].b >> 8 & DESC_ACCESSED);
  CHECK(gdt_table[GDT_ENTRY_TSS].b >> 8 & DESC_TSS_BUSY);

  // A table whose descriptor straddles two pages, in 4 KiB pages that get A and D by the load.
  u8 *area = need(vmalloc(2 * PAGE_SIZE));
  struct desc_struct *entry = (struct desc_struct *)(area + PAGE_SIZE - 4);
  *entry = make_desc(0, 0xFFFFFFFF, DESC_DATA_RW);
  gdt_table[GDT_ENTRY_LDT] = make_desc((u32)(unsigned long)entry - 8, 15, DESC_LDT);
  __asm__ volatile("lldt %w0" : : "r"(GDT_ENTRY_LDT * 8) : "memory");
  pte_t *pte = lookup_kernel_pte((unsigned long)area + PAGE_SIZE);
  set_pte(pte, (pte_t){pte->pte & ~(u32)(_PAGE_ACCESSED | _PAGE_DIRTY)});
  flush_tlb_one((unsigned long)area + PAGE_SIZE);
  CHECK(load_gs(ldt_selector(1)));
  CHECK(entry->b >> 8 & DESC_ACCESSED);
  CHECK(pte_young(read_pte(pte)) && pte_dirty(read_pte(pte)));
  CHECK(load_gs(0));
  load_ldt(ldt, LDT_SIZE);
  vfree(area);
}

void workload_segment(void) {
  u8 *area = need(vmalloc(4 * PAGE_SIZE));

  memset(ldt, 0, sizeof(ldt));
  load_ldt(ldt, LDT_SIZE);
  bases(area);
  strings(area);
  far_calls(area);
  stack_segment(area);
  bad_loads();
  accessed();
  CHECK(load_gs(0));
  vfree(area);
}

/// Whether the 4 bytes at `offset` of GS are inside its limit; if not, the fault has to be #GP(0).
static bool inside(u32 offset) {
  u32 value;
  if (read_gs(offset, &value)) return true;
  CHECK(last_fixup.vector == TRAP_GP && last_fixup.error_code == 0);
  CHECK(!write_gs(offset, 0) && last_fixup.vector == TRAP_GP);
  return false;
}

/// A process whose own segment is 100 bytes long, and a word of four of them: the last that is inside, and the ones
/// that are not.
static void processes(void) {
  expect_program("ldtlimit", 96);
  for (unsigned long offset = 97; offset < 10000; offset *= 3) {
    int status = -1;
    start_program("ldtlimit", offset);
    CHECK(do_wait(-1, &status) > 0 && status == SIGSEGV);
  }
}

/// Limits, which QEMU does not enforce. SDM "Limit Checking".
void workload_limits(void) {
  u8 *area = need(vmalloc(4 * PAGE_SIZE));
  u32 base = (u32)(unsigned long)area;

  memset(ldt, 0, sizeof(ldt));
  load_ldt(ldt, LDT_SIZE);
  for (u32 limit = 3; limit < 2 * PAGE_SIZE; limit += 1 + random_below(200)) {
    ldt[1] = make_desc(base, limit, DESC_DATA_RW);
    CHECK(load_gs(ldt_selector(1)));
    CHECK(inside(limit - 3) && !inside(limit - 2) && !inside(limit + 1) && !inside(~0U - 3));
    ldt[1] = make_desc(base, limit, DESC_DATA_DOWN); // valid are the offsets above the limit
    CHECK(load_gs(ldt_selector(1)));
    CHECK(inside(limit + 1) && !inside(limit) && !inside(limit - 3) && !inside(~0U - 2));
  }
  ldt[1] = make_desc(base, 0xFFFFFF, DESC_DATA_RW); // in units of 4 KiB
  CHECK(load_gs(ldt_selector(1)) && !inside(0x1000000) && !inside(0xFFFFFD));
  ldt[1] = make_desc(base, 0xFFF, DESC_DATA_RO);
  CHECK(load_gs(ldt_selector(1)) && inside(0) && !write_gs(0, 1) && last_fixup.vector == TRAP_GP);
  CHECK(load_gs(0) && !inside(0)); // a null selector gives no access at all
  vfree(area);
  processes();
}
