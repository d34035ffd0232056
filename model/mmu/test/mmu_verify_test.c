/*
 * seg: VERIFY. Every descriptor by every privilege against what LAR, LSL, VERR and VERW say of it.
 */
#include "mmu_paged_rig.h"

/*
 * The oracle, for each instruction by type 0..F:
 *   -  not for this instruction    p  RPL <= DPL and CPL <= DPL    *  whatever the privilege
 * Source: "LAR" (table "Segment and Gate Types"), "LSL" (the same), "VERR/VERW".
 */
typedef struct {
  uint8_t reason;
  const char *system, *segment; /* S = 0, S = 1 */
} rule_t;

static const rule_t RULES[] = {
    {MMU_VERIFY_LAR, "-ppppp---p-pp---", "pppppppppppp****"},
    {MMU_VERIFY_LSL, "-ppp-----p-p----", "pppppppppppp****"},
    {MMU_VERIFY_READ, "----------------", "pppppppp--pp--**"},
    {MMU_VERIFY_WRITE, "----------------", "--pp--pp--------"},
};

static mmu_req_t request(uint8_t reason, uint16_t selector, uint8_t cpl) {
  return (mmu_req_t){.op = MMU_OP_VERIFY, .reason = reason, .selector = selector, .cpl = cpl};
}

/* limit: what LSL gives if yes. */
static void check_answer(const mmu_rsp_t *rsp, bool yes, uint32_t limit, uint64_t descriptor) {
  rig_check_ok(rsp);
  rig_check_no_operand(rsp);
  rig_equal("verified", rsp->verified, yes);
  rig_equal("system", rsp->system, false);
  rig_equal("descriptor", rsp->descriptor, descriptor);
  rig_check_seg(rsp->seg, 0, 0, limit, 0, false);
}

START_TEST(every_descriptor_and_privilege) {
  rig_t *rig = protected_rig();
  for (unsigned r = 0; r < 4; r++)
    for (unsigned attr8 = 0; attr8 < 256; attr8++)
      for (unsigned rpl = 0; rpl < 4; rpl++)
        for (uint8_t cpl = 0; cpl < 4; cpl++)
          for (unsigned variant = 0; variant < 4; variant++) {
            bool local = variant & 1, granular = variant & 2;
            uint32_t paddr = (local ? LDT : GDT) + 0x58;
            uint64_t descriptor = rig_descriptor(0x89ABCDEF, 0x54321, (uint16_t)(attr8 | (granular ? 0xF00 : 0)));
            char need = (attr8 & 0x10 ? RULES[r].segment : RULES[r].system)[attr8 & 0xF];
            unsigned dpl = attr8 >> 5 & 3;
            bool yes = need == '*' || (need == 'p' && rpl <= dpl && cpl <= dpl);
            uint32_t limit = granular ? 0x54321FFF : 0x54321;
            rig_poke(rig, paddr, 8, descriptor);
            mmu_req_t req = request(RULES[r].reason, (uint16_t)(0x58 | (local ? 4 : 0) | rpl), cpl);
            const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
            check_answer(rsp, yes, yes && r == 1 ? limit : 0, descriptor);
            rig_check_mem(rsp, 0, false, paddr, 8, descriptor);
            rig_equal("n_mem", rsp->n_mem, 1);
            rig_equal("n_tlb", rsp->n_tlb, 0);
            rig_equal("the descriptor in memory", rig_peek(rig, paddr, 8), descriptor);
          }
  rig_free(rig);
}
END_TEST

/* A null selector and one beyond its table are answered without a look at memory. */
START_TEST(selectors_of_nothing) {
  rig_t *rig = protected_rig();
  for (uint8_t reason = MMU_VERIFY_LAR; reason <= MMU_VERIFY_WRITE; reason++) {
    rig_poke(rig, GDT, 8, rig_descriptor(0, 0xFF, 0x0F3));
    rig_poke(rig, LDT, 8, rig_descriptor(0, 0xFF, 0x0F3));
    rig_load_table(rig, MMU_SEG_GDTR, GDT, 0xFFFF);
    rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFF, 0x082, true);
    for (uint16_t rpl = 0; rpl < 4; rpl++) {
      check_answer(rig_do_without_effect(rig, request(reason, rpl, 0)), false, 0, 0);
      rig_equal("n_mem", rig->rsp.n_mem, 0);
      /* The LDT's first entry is like any other. */
      rig_true("verified", rig_do_without_effect(rig, request(reason, 4 | rpl, 0))->verified);
    }
    for (unsigned local = 0; local < 2; local++)
      for (unsigned limit = 0x50; limit <= 0x70; limit++) {
        rig_load_table(rig, MMU_SEG_GDTR, GDT, local ? 0xFFFF : (uint16_t)limit);
        rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, local ? limit : 0xFFFF, 0x082, true);
        rig_poke(rig, GDT + 0x60, 8, rig_descriptor(0, 0xFF, 0x0F3));
        rig_poke(rig, LDT + 0x60, 8, rig_descriptor(0, 0xFF, 0x0F3));
        const mmu_rsp_t *rsp = rig_do_without_effect(rig, request(reason, (uint16_t)(0x60 | local << 2), 0));
        rig_equal("verified", rsp->verified, limit >= 0x67);
        rig_equal("n_mem", rsp->n_mem, limit >= 0x67);
      }
    rig_set_raw(rig, MMU_SEG_LDTR, 0x28, LDT, 0xFFFF, 0x082, false);
    check_answer(rig_do_without_effect(rig, request(reason, 0x64, 0)), false, 0, 0);
    rig_equal("n_mem", rig->rsp.n_mem, 0);
  }
  rig_free(rig);
}
END_TEST

/* The descriptor in each place around the page's end, in pages that may only be read. */
START_TEST(descriptor_straddles_a_page) {
  for (uint32_t laddr = PAGE_1 - 12; laddr <= PAGE_1 + 4; laddr++) {
    uint64_t descriptor = rig_descriptor(0x12345678, 0x9ABCD, 0x8F2);
    rig_t *rig = paged_rig(RW, RW);
    rig_load_table(rig, MMU_SEG_GDTR, laddr - 0x60, 0xFFFF);
    poke_laddr(rig, laddr, 8, descriptor);
    const mmu_rsp_t *rsp = rig_do(rig, request(MMU_VERIFY_LSL, 0x63, 3));
    check_answer(rsp, true, 0x9ABCDFFF, descriptor);
    check_only_read(rsp, laddr, 8, descriptor);

    /* Either page may be absent; then nothing was read, and nothing is known. */
    for (unsigned absent = 0; absent < 2; absent++) {
      rig_write_cr(rig, 3, DIRECTORY);
      set_pte(rig, PAGE_0, absent == 0 ? 0 : FRAME_0 | RW | X86_PTE_A);
      set_pte(rig, PAGE_1, absent == 1 ? 0 : FRAME_1 | RW | X86_PTE_A);
      rsp = rig_do(rig, request(MMU_VERIFY_LSL, 0x63, 3));
      bool touched = absent ? laddr + 7 >= PAGE_1 : laddr < PAGE_1;
      if (!touched) {
        check_answer(rsp, true, 0x9ABCDFFF, descriptor);
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

/* A supervisor's implicit read, whatever cpl and ac say. */
START_TEST(read_is_implicit) {
  for (unsigned smap = 0; smap < 2; smap++)
    for (unsigned user = 0; user < 2; user++) {
      rig_t *rig = paged_rig(X86_PTE_P | (user ? USER : 0), RW);
      rig_load_table(rig, MMU_SEG_GDTR, PAGE_0, 0xFFFF);
      poke_laddr(rig, PAGE_0 + 8, 8, rig_descriptor(0, 0xFF, 0x4F2));
      rig_write_cr(rig, 4, smap ? X86_CR4_SMAP : 0);
      mmu_req_t req = request(MMU_VERIFY_READ, 0x0B, 3);
      req.ac = true;
      const mmu_rsp_t *rsp = rig_do(rig, req);
      if (smap && user)
        rig_check_fault(rsp, X86_PF, X86_PF_P, PAGE_0 + 8);
      else
        rig_true("verified", rsp->verified && !rsp->fault);
      rig_free(rig);
    }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_descriptor_and_privilege,
      selectors_of_nothing,
      descriptor_straddles_a_page,
      read_is_implicit,
  };
  return rig_run(rig_suite("mmu_verify", tests, sizeof tests / sizeof tests[0]));
}
