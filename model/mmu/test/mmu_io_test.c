/*
 * seg: CHECK_IO. The I/O permission bitmap against a plain reading of it, its edges, and the pages it lies in.
 */
#include "mmu_paged_rig.h"

enum { TSS = 0x80000, ATTR = 0x08B };

static mmu_req_t request(uint32_t port, uint8_t size) {
  return (mmu_req_t){.op = MMU_OP_CHECK_IO, .size = size, .offset = port, .cpl = 3};
}

static rig_t *tss_rig(uint16_t map, uint32_t limit) {
  rig_t *rig = protected_rig();
  rig_set_raw(rig, MMU_SEG_TR, 0x30, TSS, limit, ATTR, true);
  rig_poke(rig, TSS + 0x66, 2, map);
  return rig;
}

/*
 * One check against the oracle: bit by bit, each port's own. Source: "I/O Permission Bit Map": two bytes are read for
 * every access, and both have to be within the limit.
 */
static void check_io(rig_t *rig, uint32_t port, uint8_t size, uint32_t limit) {
  uint32_t map = (uint32_t)rig_peek(rig, TSS + 0x66, 2), at = map + port / 8;
  bool inside = at < limit, allowed = inside;
  for (unsigned i = 0; i < size; i++)
    if (rig_peek(rig, TSS + map + (port + i) / 8, 1) >> (port + i) % 8 & 1) allowed = false;
  mmu_req_t req = request(port, size);
  req.vm = port & 1, req.ext = port & 2, req.ac = port & 4, req.cpl = port >> 3 & 3; /* of no concern here */
  const mmu_rsp_t *rsp = rig_do_without_effect(rig, req);
  if (allowed)
    rig_check_ok(rsp);
  else
    rig_check_fault(rsp, X86_GP, 0, 0);
  rig_check_no_operand(rsp);
  rig_check_seg(rsp->seg, 0, 0, 0, 0, false);
  rig_equal("descriptor", rsp->descriptor, 0);
  rig_check_mem(rsp, 0, false, TSS + 0x66, 2, map);
  if (inside) {
    /* With paging off too a reference stays in one page. */
    uint32_t paddr = TSS + at;
    bool straddles = (paddr & 0xFFF) == 0xFFF;
    rig_check_mem(rsp, 1, false, paddr, straddles ? 1 : 2, rig_peek(rig, paddr, straddles ? 1 : 2));
    if (straddles) rig_check_mem(rsp, 2, false, paddr + 1, 1, rig_peek(rig, paddr + 1, 1));
    rig_equal("n_mem", rsp->n_mem, straddles ? 3 : 2);
  } else {
    rig_equal("n_mem", rsp->n_mem, 1);
  }
  rig_equal("n_tlb", rsp->n_tlb, 0);
}

/* A map of few ones, all ports, all sizes. */
START_TEST(every_port_and_size) {
  enum { MAP = 0x68, LIMIT = MAP + 0x2000 };
  rig_t *rig = tss_rig(MAP, LIMIT);
  uint32_t random = 1;
  for (uint32_t i = 0; i < 0x2000; i++) {
    random = random * 1664525 + 1013904223;
    rig_poke(rig, TSS + MAP + i, 1, random >> 28 ? 0 : random >> 16 & 0xFF);
  }
  rig_poke(rig, TSS + LIMIT, 1, 0xFF);
  for (uint32_t port = 0; port < 0x10000; port++)
    for (uint8_t size = 1; size <= 4; size *= 2)
      check_io(rig, port, size, LIMIT);
  rig_free(rig);
}
END_TEST

/* A single forbidden port among allowed ones, and a single allowed one among forbidden ones, at every distance. */
START_TEST(single_ports) {
  rig_t *rig = tss_rig(0x100, 0x3000);
  for (unsigned ones = 0; ones < 2; ones++) {
    memset(rig->ram + TSS + 0x100, ones ? 0xFF : 0, 0x2001);
    for (uint32_t odd = 0x3F0; odd < 0x400; odd++) {
      uint32_t byte = TSS + 0x100 + odd / 8;
      rig_poke(rig, byte, 1, rig_peek(rig, byte, 1) ^ 1u << odd % 8);
      for (uint32_t port = 0x3E8; port < 0x408; port++)
        for (uint8_t size = 1; size <= 4; size *= 2)
          check_io(rig, port, size, 0x3000);
      rig_poke(rig, byte, 1, rig_peek(rig, byte, 1) ^ 1u << odd % 8);
    }
  }
  rig_free(rig);
}
END_TEST

/* Both bytes within the limit, though one would do; a map that begins beyond the TSS is no map. */
START_TEST(limit_of_the_tss) {
  static const uint16_t MAPS[] = {0x00, 0x66, 0x67, 0x68, 0x88, 0x1000, 0xDFFF, 0xFFFE, 0xFFFF};
  static const uint32_t PORTS[] = {0, 7, 8, 0x60, 0x3F8, 0xFFF8, 0xFFFC, 0xFFFF};
  rig_t *rig = tss_rig(0, 0);
  for (unsigned m = 0; m < sizeof MAPS / sizeof MAPS[0]; m++)
    for (unsigned p = 0; p < sizeof PORTS / sizeof PORTS[0]; p++)
      for (int edge = -3; edge <= 3; edge++)
        for (uint8_t size = 1; size <= 4; size *= 2) {
          int limit = MAPS[m] + (int)PORTS[p] / 8 + edge;
          if (limit < 0x67) continue;
          memset(rig->ram + TSS, 0, 0x20000);
          rig_poke(rig, TSS + 0x66, 2, MAPS[m]);
          rig_set_raw(rig, MMU_SEG_TR, 0x30, TSS, (uint32_t)limit, ATTR, true);
          check_io(rig, PORTS[p], size, (uint32_t)limit);
        }
  rig_free(rig);
}
END_TEST

/* Only a 32-bit TSS has a map, and only if it holds the field that says where. */
START_TEST(which_tasks_have_a_map) {
  rig_t *rig = tss_rig(0x68, 0xFFF);
  for (unsigned attr = 0; attr < 0x1000; attr++)
    for (unsigned usable = 0; usable < 2; usable++) {
      bool has = usable && ((attr & 0x1F) == 0x09 || (attr & 0x1F) == 0x0B);
      rig_set_raw(rig, MMU_SEG_TR, 0x30, TSS, 0xFFF, (uint16_t)attr, usable);
      const mmu_rsp_t *rsp = rig_do_without_effect(rig, request(0x60, 4));
      rig_equal("n_mem", rsp->n_mem, has ? 2 : 0);
      if (has)
        rig_check_ok(rsp);
      else
        rig_check_fault(rsp, X86_GP, 0, 0);
    }
  for (uint32_t limit = 0; limit < 0x100; limit++) {
    rig_poke(rig, TSS + 0x66, 2, 0);
    rig_set_raw(rig, MMU_SEG_TR, 0x30, TSS, limit, ATTR, true);
    const mmu_rsp_t *rsp = rig_do_without_effect(rig, request(0, 1));
    rig_equal("n_mem", rsp->n_mem, limit >= 0x67 ? 2 : 0);
    rig_equal("fault", rsp->fault, limit < 0x67);
  }
  rig_free(rig);
}
END_TEST

START_TEST(base_of_the_tss_wraps) {
  rig_t *rig = protected_rig();
  rig_set_raw(rig, MMU_SEG_TR, 0x30, 0xFFFFFFA0, 0xFFFF, ATTR, true);
  rig_poke(rig, 0x6, 2, 0x1060);
  rig_poke(rig, 0x1000 + 0x60 / 8, 2, 0xFF0E);
  rig_check_ok(rig_do(rig, request(0x60, 1)));
  rig_check_mem(&rig->rsp, 0, false, 0x6, 2, 0x1060);
  rig_check_mem(&rig->rsp, 1, false, 0x100C, 2, 0xFF0E);
  rig_check_fault(rig_do(rig, request(0x60, 2)), X86_GP, 0, 0);
  /* The field straddles the end of the address space; what lies beyond RAM reads as ones. */
  rig_set_raw(rig, MMU_SEG_TR, 0x30, 0xFFFFFF99, 0xFFFF, ATTR, true);
  rig_poke(rig, 0x0, 1, 0x20);
  rig_check_ok(rig_do(rig, request(0, 4)));
  rig_check_mem(&rig->rsp, 0, false, 0xFFFFFFFF, 1, 0xFF);
  rig_check_mem(&rig->rsp, 1, false, 0x0, 1, 0x20);
  rig_check_mem(&rig->rsp, 2, false, 0x2098, 2, 0);
  rig_free(rig);
}
END_TEST

/* A TSS in two pages; the field at `field`, the map's two bytes for port 0 at `map`. */
static rig_t *paged_tss_rig(uint32_t field, uint32_t map, uint32_t flags_0, uint32_t flags_1) {
  rig_t *rig = paged_rig(flags_0, flags_1);
  rig_set_raw(rig, MMU_SEG_TR, 0x30, field - 0x66, 0xFFFF, ATTR, true);
  poke_laddr(rig, field, 2, map - (field - 0x66));
  poke_laddr(rig, map, 2, 0xFFF0);
  return rig;
}

START_TEST(field_straddles_a_page) {
  const uint32_t field = PAGE_1 - 1, map = PAGE_1 + 0x200;
  rig_t *rig = paged_tss_rig(field, map, RW, RW);
  const mmu_rsp_t *rsp = rig_do(rig, request(0, 4));
  rig_check_ok(rsp);
  rig_check_no_operand(rsp);
  check_walk_reads(rsp, 0, PAGE_0, FRAME_0 | RW);
  rig_check_mem(rsp, 2, true, TABLE + 4 * 5, 4, FRAME_0 | RW | X86_PTE_A);
  check_walk_reads(rsp, 3, PAGE_1, FRAME_1 | RW);
  rig_check_mem(rsp, 5, true, TABLE + 4 * 6, 4, FRAME_1 | RW | X86_PTE_A);
  rig_check_mem(rsp, 6, false, FRAME_0 + 0xFFF, 1, (map - field + 0x66) & 0xFF);
  rig_check_mem(rsp, 7, false, FRAME_1, 1, (map - field + 0x66) >> 8);
  rig_check_mem(rsp, 8, false, FRAME_1 + 0x200, 2, 0xFFF0);
  rig_equal("n_mem", rsp->n_mem, 9);
  rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, false, 5, 0, false);
  rig_check_event(rsp, 2, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(rsp, 3, MMU_TLB_FILL, false, 6, 0, false);
  rig_check_event(rsp, 4, MMU_TLB_HIT, false, 6, 0, false);
  rig_equal("n_tlb", rsp->n_tlb, 5);
  rig_check_fault(rig_do(rig, request(1, 4)), X86_GP, 0, 0);
  rig_equal("n_tlb", rig->rsp.n_tlb, 3);
  rig_free(rig);
}
END_TEST

START_TEST(map_straddles_a_page) {
  const uint32_t field = PAGE_0 + 0x266, map = PAGE_1 - 1;
  rig_t *rig = paged_tss_rig(field, map, RW, RW);
  const mmu_rsp_t *rsp = rig_do(rig, request(0, 4));
  rig_check_ok(rsp);
  check_walk_reads(rsp, 0, PAGE_0, FRAME_0 | RW);
  rig_check_mem(rsp, 2, true, TABLE + 4 * 5, 4, FRAME_0 | RW | X86_PTE_A);
  rig_check_mem(rsp, 3, false, FRAME_0 + 0x266, 2, map - field + 0x66);
  check_walk_reads(rsp, 4, PAGE_1, FRAME_1 | RW);
  rig_check_mem(rsp, 6, true, TABLE + 4 * 6, 4, FRAME_1 | RW | X86_PTE_A);
  rig_check_mem(rsp, 7, false, FRAME_0 + 0xFFF, 1, 0xF0);
  rig_check_mem(rsp, 8, false, FRAME_1, 1, 0xFF);
  rig_equal("n_mem", rsp->n_mem, 9);
  rig_check_event(rsp, 0, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(rsp, 1, MMU_TLB_FILL, false, 5, 0, false);
  rig_check_event(rsp, 2, MMU_TLB_HIT, false, 5, 0, false);
  rig_check_event(rsp, 3, MMU_TLB_MISS, false, 0, 0, false);
  rig_check_event(rsp, 4, MMU_TLB_FILL, false, 6, 0, false);
  rig_equal("n_tlb", rsp->n_tlb, 5);
  rig_check_fault(rig_do(rig, request(7, 2)), X86_GP, 0, 0);
  rig_free(rig);
}
END_TEST

/* Each of the pages absent. Nothing of the field or of the map's bytes is read before both of its pages are there. */
START_TEST(page_faults) {
  static const struct {
    uint32_t field, map, flags_0, flags_1, cr2;
    unsigned n_mem; /* two of each walk, three with the accessed bit; one or two of each read */
  } CASES[] = {
      {PAGE_0 + 0x266, PAGE_1 + 0x200, 0, RW, PAGE_0 + 0x266, 2},
      {PAGE_1 - 1, PAGE_1 + 0x200, 0, RW, PAGE_1 - 1, 2},
      {PAGE_1 - 1, PAGE_1 + 0x200, RW, 0, PAGE_1, 3 + 2},
      {PAGE_0 + 0x266, PAGE_1 + 0x200, RW, 0, PAGE_1 + 0x200, 3 + 1 + 2},
      {PAGE_0 + 0x266, PAGE_1 - 1, RW, 0, PAGE_1, 3 + 1 + 2},
  };
  for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    rig_t *rig = paged_tss_rig(CASES[i].field, CASES[i].map, CASES[i].flags_0, CASES[i].flags_1);
    mmu_req_t req = request(0, 1);
    req.ext = true;
    rig_check_fault(rig_do(rig, req), X86_PF, 0, CASES[i].cr2);
    rig_check_no_operand(&rig->rsp);
    rig_equal("n_mem", rig->rsp.n_mem, CASES[i].n_mem);
    rig_free(rig);
  }
}
END_TEST

START_TEST(reads_are_implicit) {
  for (unsigned smap = 0; smap < 2; smap++)
    for (unsigned user = 0; user < 4; user++) { /* which of the two pages is the user's */
      uint32_t flags_0 = X86_PTE_P | (user & 1 ? USER : 0), flags_1 = X86_PTE_P | (user & 2 ? USER : 0);
      rig_t *rig = paged_tss_rig(PAGE_0 + 0x266, PAGE_1 + 0x200, flags_0, flags_1);
      rig_write_cr(rig, 4, smap ? X86_CR4_SMAP : 0);
      mmu_req_t req = request(0, 1);
      req.ac = true;
      const mmu_rsp_t *rsp = rig_do(rig, req);
      if (smap && user)
        rig_check_fault(rsp, X86_PF, X86_PF_P, user & 1 ? PAGE_0 + 0x266 : PAGE_1 + 0x200);
      else
        rig_check_ok(rsp);
      rig_free(rig);
    }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_port_and_size,    single_ports,         limit_of_the_tss, which_tasks_have_a_map, base_of_the_tss_wraps,
      field_straddles_a_page, map_straddles_a_page, page_faults,      reads_are_implicit,
  };
  return rig_run(rig_suite("mmu_io", tests, sizeof tests / sizeof tests[0]));
}
