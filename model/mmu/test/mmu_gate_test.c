/*
 * seg: LOAD_GATE. Every gate by every event and privilege, the edges of the IDT, the pages it lies in.
 */
#include "mmu_paged_rig.h"

enum { IDT = 0x2000 };

/* Types of S = 0 that the IDT may hold: the task gate, and interrupt and trap gates of either size. Source: "IDT
 * Descriptors", "System Descriptor Types". */
static const char GATES[] = ".....+++......++";

static const uint8_t VECTORS[] = {0, 1, 13, 32, 127, 128, 254, 255};
enum { N_VECTORS = sizeof VECTORS };

static mmu_req_t request(uint8_t reason, uint8_t vector, uint8_t cpl) {
  return (mmu_req_t){.op = MMU_OP_LOAD_GATE, .reason = reason, .offset = vector, .cpl = cpl};
}

static rig_t *idt_rig(uint16_t limit) {
  rig_t *rig = protected_rig();
  rig_load_table(rig, MMU_SEG_IDTR, IDT, limit);
  return rig;
}

/* A gate's middle 16 bits are the selector, the others the entry point; they are of no concern here. */
static uint64_t gate(unsigned attr8) {
  return 0xFEDC00E512345678u | (uint64_t)attr8 << 40;
}

/* Source: "INT n/INTO/INT3/INT1" (Operation, PROTECTED-MODE), and its exceptions. */
START_TEST(every_gate_event_and_privilege) {
  rig_t *rig = idt_rig(0x7FF);
  for (unsigned v = 0; v < N_VECTORS; v++)
    for (unsigned attr8 = 0; attr8 < 256; attr8++)
      for (uint8_t cpl = 0; cpl < 4; cpl++)
        for (unsigned variant = 0; variant < 8; variant++) {
          bool software = variant & 1, ext = variant & 2, vm = variant & 4;
          unsigned type = attr8 & 0x0F, dpl = attr8 >> 5 & 3, vector = 0;
          if (attr8 & 0x10 || GATES[type] != '+' || (software && dpl < cpl))
            vector = X86_GP;
          else if (!(attr8 & 0x80))
            vector = X86_NP;
          uint32_t paddr = IDT + 8u * VECTORS[v];
          rig_poke(rig, paddr, 8, gate(attr8));
          mmu_req_t req = request(software ? MMU_EVENT_SOFTWARE : MMU_EVENT_PROCESSOR, VECTORS[v], cpl);
          req.ext = ext, req.vm = vm;
          const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
          if (vector)
            rig_check_fault(rsp, vector, 8u * VECTORS[v] + 2 + ext, 0);
          else
            rig_check_ok(rsp);
          rig_check_no_operand(rsp);
          rig_check_seg(rsp->seg, 0, 0, 0, 0, false);
          rig_equal("verified, system", rsp->verified | rsp->system, 0);
          rig_equal("descriptor", rsp->descriptor, gate(attr8));
          rig_check_mem(rsp, 0, false, paddr, 8, gate(attr8));
          rig_equal("n_mem", rsp->n_mem, 1);
          rig_equal("n_tlb", rsp->n_tlb, 0);
          rig_equal("the gate in memory", rig_peek(rig, paddr, 8), gate(attr8));
        }
  rig_free(rig);
}
END_TEST

/* The table's last byte has to hold the gate's last byte. */
START_TEST(limit_of_the_idt) {
  for (unsigned v = 0; v < N_VECTORS; v++)
    for (int edge = -9; edge <= 9; edge++) {
      int limit = 8 * VECTORS[v] + 7 + edge;
      if (limit < 0) continue;
      rig_t *rig = idt_rig((uint16_t)limit);
      rig_poke(rig, IDT + 8u * VECTORS[v], 8, gate(0xEF));
      for (unsigned ext = 0; ext < 2; ext++) {
        mmu_req_t req = request(MMU_EVENT_PROCESSOR, VECTORS[v], 0);
        req.ext = ext;
        const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
        if (edge >= 0) {
          rig_check_ok(rsp);
          rig_equal("descriptor", rsp->descriptor, gate(0xEF));
        } else {
          rig_check_fault(rsp, X86_GP, 8u * VECTORS[v] + 2 + ext, 0);
          rig_equal("descriptor", rsp->descriptor, 0);
          rig_equal("n_mem", rsp->n_mem, 0);
        }
      }
      rig_free(rig);
    }
}
END_TEST

START_TEST(base_of_the_idt) {
  rig_t *rig = protected_rig();
  rig_load_table(rig, MMU_SEG_IDTR, 0xFFFFFFF4, 0xFFFF);
  rig_poke(rig, 0x4, 8, gate(0x8E));
  rig_check_ok(rig_do(rig, request(MMU_EVENT_PROCESSOR, 2, 3)));
  rig_check_mem(&rig->rsp, 0, false, 0x4, 8, gate(0x8E));
  /* This one straddles the end of the address space. */
  rig_poke(rig, 0x0, 4, gate(0x8E) >> 32);
  rig_do(rig, request(MMU_EVENT_PROCESSOR, 1, 3));
  rig_check_mem(&rig->rsp, 0, false, 0xFFFFFFFC, 4, 0xFFFFFFFF);
  rig_check_mem(&rig->rsp, 1, false, 0x0, 4, gate(0x8E) >> 32);
  rig_free(rig);
}
END_TEST

/* The gate in each place around the page's end; either page may be absent. */
START_TEST(gate_straddles_a_page) {
  for (uint32_t laddr = PAGE_1 - 12; laddr <= PAGE_1 + 4; laddr++) {
    rig_t *rig = paged_rig(RW, RW);
    rig_load_table(rig, MMU_SEG_IDTR, laddr - 8 * 14, 0xFFFF);
    poke_laddr(rig, laddr, 8, gate(0x8E));
    const mmu_rsp_t *rsp = rig_do(rig, request(MMU_EVENT_PROCESSOR, 14, 3));
    rig_check_ok(rsp);
    rig_equal("descriptor", rsp->descriptor, gate(0x8E));
    check_only_read(rsp, laddr, 8, gate(0x8E));

    for (unsigned absent = 0; absent < 2; absent++) {
      rig_write_cr(rig, 3, DIRECTORY);
      set_pte(rig, PAGE_0, absent == 0 ? 0 : FRAME_0 | RW | X86_PTE_A);
      set_pte(rig, PAGE_1, absent == 1 ? 0 : FRAME_1 | RW | X86_PTE_A);
      mmu_req_t req = request(MMU_EVENT_PROCESSOR, 14, 3);
      req.ext = true; /* the error code is the page fault's own */
      rsp = rig_do(rig, req);
      if (!(absent ? laddr + 7 >= PAGE_1 : laddr < PAGE_1)) {
        rig_check_ok(rsp);
        continue;
      }
      rig_check_fault(rsp, X86_PF, 0, absent && laddr < PAGE_1 ? PAGE_1 : laddr);
      rig_check_no_operand(rsp);
      rig_equal("descriptor", rsp->descriptor, 0);
      rig_equal("n_mem", rsp->n_mem, absent && laddr < PAGE_1 ? 4 : 2);
    }
    rig_free(rig);
  }
}
END_TEST

/* A supervisor's implicit read, whatever cpl and ac say; the gate is never written. */
START_TEST(read_is_implicit) {
  for (unsigned smap = 0; smap < 2; smap++)
    for (unsigned user = 0; user < 2; user++) {
      rig_t *rig = paged_rig(X86_PTE_P | (user ? USER : 0), RW);
      rig_load_table(rig, MMU_SEG_IDTR, PAGE_0, 0x7FF);
      poke_laddr(rig, PAGE_0 + 0x80 * 8, 8, gate(0xEE));
      rig_write_cr(rig, 4, smap ? X86_CR4_SMAP : 0);
      mmu_req_t req = request(MMU_EVENT_SOFTWARE, 0x80, 3);
      req.ac = true;
      const mmu_rsp_t *rsp = rig_do(rig, req);
      if (smap && user)
        rig_check_fault(rsp, X86_PF, X86_PF_P, PAGE_0 + 0x400);
      else
        rig_check_ok(rsp);
      rig_free(rig);
    }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_gate_event_and_privilege, limit_of_the_idt, base_of_the_idt, gate_straddles_a_page, read_is_implicit,
  };
  return rig_run(rig_suite("mmu_gate", tests, sizeof tests / sizeof tests[0]));
}
