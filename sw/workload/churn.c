/// Page-table churn: map, touch, unmap, map another frame.
#include <arch/traps.h>
#include <arch/uaccess.h>
#include <kernel/slab.h>
#include <kernel/vmalloc.h>
#include <kernel/workload.h>

enum { FRAMES = 192, SLOTS = 320 };

static struct page *frames[FRAMES];
static int slot_frame[SLOTS]; // -1: not mapped

static u32 *frame_word(int frame) {
  return page_address(frames[frame]);
}

/// Each frame holds its number in its first word; every mapping of it has to show that.
static void one_step(unsigned long base) {
  u32 slot = random_below(SLOTS);
  unsigned long address = base + slot * PAGE_SIZE;
  u32 value;

  if (slot_frame[slot] >= 0) {
    CHECK(*(volatile u32 *)address == (u32)slot_frame[slot]);
    *(volatile u32 *)(address + 8) = slot;
    CHECK(frame_word(slot_frame[slot])[2] == slot);
  } else if (random_below(4) == 0) {
    CHECK(!try_read32(address, &value) && last_fixup.address == address);
  }
  if (random_below(8) == 0) {
    if (slot_frame[slot] >= 0) CHECK(pte_pfn(unmap_kernel_page(address)) == page_to_pfn(frames[slot_frame[slot]]));
    slot_frame[slot] = -1;
  } else { // over whatever was there
    slot_frame[slot] = (int)random_below(FRAMES);
    CHECK(map_kernel_page(address, page_to_pfn(frames[slot_frame[slot]]), _PAGE_KERNEL));
  }
}

/// Exchanges two frames under translations that are in use. With `reload`, CR3 is loaded instead of INVLPG.
static void exchange(unsigned long base, bool reload) {
  unsigned long a = base, b = base + PAGE_SIZE;
  pte_t *pte_a = lookup_kernel_pte(a), *pte_b = lookup_kernel_pte(b), saved = *pte_a;
  u32 at_a = *(volatile u32 *)a, at_b = *(volatile u32 *)b;

  set_pte(pte_a, *pte_b);
  set_pte(pte_b, saved);
  if (reload) {
    flush_tlb();
  } else {
    flush_tlb_one(a);
    flush_tlb_one(b);
  }
  CHECK(*(volatile u32 *)a == at_b && *(volatile u32 *)b == at_a);
}

/// Makes the frame a function that returns `value`, its first instruction at `offset`.
static void write_code(int frame, u32 offset, u32 value) {
  u8 *code = (u8 *)frame_word(frame) + offset;
  code[0] = 0xB8; // MOV EAX, imm32
  for (int i = 0; i < 4; i++)
    code[1 + i] = (u8)(value >> 8 * i);
  code[5] = 0xC3; // RET
}

/// Code under a changing mapping: what is executed must follow the page tables, and stores to the code.
static void remap_code(unsigned long address) {
  u32 offset = random_below(PAGE_SIZE - 6);
  u32 (*code)(void) = (u32(*)(void))(address + offset);

  for (int frame = 0; frame < 3; frame++) {
    write_code(frame, offset, (u32)frame + 100);
    map_kernel_page(address, page_to_pfn(frames[frame]), _PAGE_KERNEL);
    CHECK(code() == (u32)frame + 100);
    write_code(frame, offset, (u32)frame + 200); // through another mapping
    CHECK(code() == (u32)frame + 200);
  }
  // An instruction in two pages that are not neighbours.
  code = (u32(*)(void))(address + PAGE_SIZE - 2);
  write_code(3, PAGE_SIZE - 6, 0);
  *((u8 *)frame_word(3) + PAGE_SIZE - 2) = 0xB8;
  *((u8 *)frame_word(3) + PAGE_SIZE - 1) = 0x11;
  frame_word(5)[0] = 0xC3443322;
  map_kernel_page(address, page_to_pfn(frames[3]), _PAGE_KERNEL);
  map_kernel_page(address + PAGE_SIZE, page_to_pfn(frames[5]), _PAGE_KERNEL);
  CHECK(code() == 0x44332211);
  frame_word(6)[0] = 0xC3556622;
  map_kernel_page(address + PAGE_SIZE, page_to_pfn(frames[6]), _PAGE_KERNEL);
  CHECK(code() == 0x55662211);
}

void workload_churn(void) {
  struct vm_struct *area = need(get_vm_area(SLOTS * PAGE_SIZE, VM_RANGE));

  for (int i = 0; i < FRAMES; i++) {
    frames[i] = need(alloc_pages(GFP_KERNEL, 0));
    *frame_word(i) = (u32)i;
  }
  for (int i = 0; i < SLOTS; i++)
    slot_frame[i] = -1;
  for (unsigned long i = rounds(12000); i; i--)
    one_step(area->addr);

  map_kernel_page(area->addr, page_to_pfn(frames[0]), _PAGE_KERNEL);
  map_kernel_page(area->addr + PAGE_SIZE, page_to_pfn(frames[1]), _PAGE_KERNEL);
  for (unsigned long i = rounds(600); i; i--)
    exchange(area->addr, i & 1);
  CHECK(*(volatile u32 *)area->addr < 2);

  for (unsigned long i = rounds(100); i; i--)
    remap_code(area->addr);
  for (u32 i = 0; i < SLOTS; i++)
    unmap_kernel_page(area->addr + i * PAGE_SIZE);
  for (int i = 0; i < FRAMES; i++)
    __free_pages(frames[i], 0);
  kfree(remove_vm_area((void *)area->addr));
}
