/*
 * walk, seg: somebody else writes memory while the MMU is about to update an entry. What it has judged is no longer
 * there then: nothing is written, and it begins anew.
 */
#include "mmu_paged_rig.h"

/* What the other writer does, once, before the MMU's next update of `at`. */
static struct {
  uint64_t at;
  uint64_t paddr;
  unsigned size; /* 0: nothing */
  uint64_t data;
} other;

static void interfere(rig_t *rig, uint64_t paddr) {
  if (other.size == 0 || paddr != other.at) return;
  rig_poke(rig, other.paddr, other.size, other.data);
  other.size = 0;
}

static void expect_interference(rig_t *rig, uint64_t at, uint64_t paddr, unsigned size, uint64_t data) {
  rig->before_update = interfere;
  other.at = at, other.paddr = paddr, other.size = size, other.data = data;
}

static void check_lost(const mmu_rsp_t *rsp, unsigned i, uint64_t paddr, unsigned size, uint64_t data) {
  rig_check_mem(rsp, i, true, paddr, size, data);
  for (unsigned m = 0; m < rsp->n_mem; m++)
    rig_equal("lost", rsp->mem[m].lost, m == i);
}

/* The page-table entry names another frame, or none, by the time that its A is to be set. */
START_TEST(page_table_entry_changes) {
  const uint32_t pte_paddr = TABLE + 4 * 5;
  for (unsigned present = 0; present < 2; present++) {
    rig_t *rig = paged_rig(RW, RW);
    uint32_t after = present ? FRAME_1 | RW : FRAME_1;
    expect_interference(rig, pte_paddr, pte_paddr, 4, after);
    const mmu_rsp_t *rsp = rig_linear(rig, MMU_READ, PAGE_0, 4);
    check_walk_reads(rsp, 0, PAGE_0, FRAME_0 | RW);
    check_lost(rsp, 2, pte_paddr, 4, FRAME_0 | RW | X86_PTE_A);
    check_walk_reads(rsp, 3, PAGE_0, after);
    if (present) {
      rig_check_ok(rsp);
      rig_equal("paddr", rsp->paddr[0], FRAME_1);
      rig_check_mem(rsp, 5, true, pte_paddr, 4, after | X86_PTE_A);
    } else {
      rig_check_fault(rsp, X86_PF, 0, PAGE_0);
    }
    rig_equal("n_mem", rsp->n_mem, present ? 6 : 5);
    rig_equal("in memory", rig_peek(rig, pte_paddr, 4), present ? after | X86_PTE_A : after);
    rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
    rig_equal("n_tlb", rsp->n_tlb, present ? 2 : 1);
    rig_free(rig);
  }
}
END_TEST

/* The directory's entry goes away while its own A is to be set, or after that: the A that was set then stays. */
START_TEST(directory_entry_changes) {
  for (unsigned late = 0; late < 2; late++) {
    rig_t *rig = paged_rig(RW, RW);
    const uint32_t pde = TABLE | RW | USER, pte_paddr = TABLE + 4 * 5;
    rig_poke(rig, DIRECTORY, 4, pde);
    expect_interference(rig, late ? pte_paddr : DIRECTORY, late ? pte_paddr : DIRECTORY, 4, late ? 0 : pde & ~1u);
    const mmu_rsp_t *rsp = rig_linear(rig, MMU_WRITE, PAGE_0, 4);
    rig_check_fault(rsp, X86_PF, X86_PF_W, PAGE_0);
    check_lost(rsp, late ? 3 : 2, late ? pte_paddr : DIRECTORY, 4,
               late ? FRAME_0 | RW | X86_PTE_A | X86_PTE_D : pde | X86_PTE_A);
    rig_equal("directory entry", rig_peek(rig, DIRECTORY, 4), late ? pde | X86_PTE_A : pde & ~1u);
    rig_free(rig);
  }
}
END_TEST

START_TEST(large_page_changes) {
  rig_t *rig = paged_rig(RW, RW);
  const uint32_t small = PDE, large = 0x00800000 | X86_PDE_PS | RW;
  rig_write_cr(rig, 4, X86_CR4_PSE);
  rig_poke(rig, DIRECTORY, 4, large);
  expect_interference(rig, DIRECTORY, DIRECTORY, 4, small);
  const mmu_rsp_t *rsp = rig_linear(rig, MMU_WRITE, PAGE_0, 4);
  rig_check_ok(rsp);
  check_lost(rsp, 1, DIRECTORY, 4, large | X86_PTE_A | X86_PTE_D);
  rig_equal("paddr", rsp->paddr[0], FRAME_0);
  rig_equal("page size", rsp->page_size[0], MMU_PAGE_4K);
  rig_equal("in memory", rig_peek(rig, DIRECTORY, 4), small);
  rig_free(rig);
}
END_TEST

/* A descriptor that another processor changes before its accessed bit is set: read and judged again, or refused. */
START_TEST(descriptor_changes) {
  for (unsigned byte = 0; byte < 2; byte++) {
    rig_t *rig = protected_rig();
    uint64_t before = rig_descriptor(0x1000, 0xFF, 0x092), after = rig_descriptor(0x2000, 0x1FF, byte ? 0x0F2 : 0x012);
    rig_poke(rig, GDT + 8, 8, before);
    mark(rig, MMU_SEG_ES);
    expect_interference(rig, GDT + 8 + 5, GDT + 8, 8, after);
    const mmu_rsp_t *rsp = load(rig, MMU_LOAD_DATA, MMU_SEG_ES, 0x08, 0);
    check_lost(rsp, 1, GDT + 8 + 5, 1, 0x93);
    rig_check_mem(rsp, 2, false, GDT + 8, 8, after);
    rig_equal("descriptor", rsp->descriptor, after);
    if (byte) {
      rig_check_ok(rsp);
      rig_check_seg(mmu_seg(rig->mmu, MMU_SEG_ES), 0x08, 0x2000, 0x1FF, 0x0F3, true);
      rig_check_mem(rsp, 3, true, GDT + 8 + 5, 1, 0xF3);
    } else {
      rig_check_fault(rsp, X86_NP, 0x08, 0);
      check_marked(rig, MMU_SEG_ES);
      rig_equal("in memory", rig_peek(rig, GDT + 8, 8), after);
    }
    rig_free(rig);
  }
}
END_TEST

/* The busy bit is set in the byte as it is then; its page is not translated again. */
START_TEST(busy_byte_changes) {
  for (unsigned busy = 0; busy < 2; busy++) {
    rig_t *rig = protected_rig();
    rig_poke(rig, GDT + 8 + 5, 1, busy ? 0x89 : 0x8B);
    expect_interference(rig, GDT + 8 + 5, GDT + 8 + 5, 1, busy ? 0xE9 : 0xEB);
    const mmu_rsp_t *rsp = rig_do(rig, (mmu_req_t){.op = MMU_OP_MARK_TASK, .selector = 0x08, .data = busy});
    rig_check_ok(rsp);
    check_lost(rsp, 1, GDT + 8 + 5, 1, busy ? 0x8B : 0x89);
    rig_check_mem(rsp, 2, false, GDT + 8 + 5, 1, busy ? 0xE9 : 0xEB);
    rig_check_mem(rsp, 3, true, GDT + 8 + 5, 1, busy ? 0xEB : 0xE9);
    rig_equal("n_mem", rsp->n_mem, 4);
    rig_equal("in memory", rig_peek(rig, GDT + 8 + 5, 1), busy ? 0xEB : 0xE9);
    rig_free(rig);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      page_table_entry_changes, directory_entry_changes, large_page_changes, descriptor_changes, busy_byte_changes,
  };
  return rig_run(rig_suite("mmu_update", tests, sizeof tests / sizeof tests[0]));
}
