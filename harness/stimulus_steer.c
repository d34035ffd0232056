#include "stimulus_steer.h"

#include <string.h>

#include "steer.h"

/* --- requests --- */

void steer_send(steer_t *s, mmu_req_t req) {
  if (s->agree) s->agree = stimulus_send(s->stimulus, &req, &s->rsp);
}

void steer_store(steer_t *s, uint32_t paddr, unsigned size, uint64_t data) {
  if (s->agree) rig_store(s->stimulus->rig, paddr, size, data);
}

void steer_cr(steer_t *s, unsigned cr, uint64_t value) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_WRITE_CR, .cr = (uint8_t)cr, .data = value});
}

void steer_load_table(steer_t *s, unsigned seg, uint32_t base, uint32_t limit) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_LOAD_TABLE, .seg = (uint8_t)seg, .offset = base, .data = limit});
}

void steer_raw(steer_t *s, unsigned seg, uint32_t base, uint32_t limit, unsigned attr, bool usable) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_SET_SEG,
                            .reason = MMU_SET_RAW,
                            .seg = (uint8_t)seg,
                            .selector = 8,
                            .offset = base,
                            .data = limit | (uint64_t)attr << 32 | (uint64_t)usable << 48});
}

void steer_descriptor(steer_t *s, uint32_t at, uint32_t base, uint32_t limit, unsigned attr) {
  uint32_t low = (limit & 0xFFFF) | base << 16;
  uint32_t high =
      (base >> 16 & 0xFF) | (attr & 0xFF) << 8 | (limit & 0xF0000) | (attr >> 8) << 20 | (base & 0xFF000000);
  steer_store(s, at, 8, low | (uint64_t)high << 32);
}

void steer_access(steer_t *s, mmu_access_t access, uint32_t offset, unsigned size, unsigned cpl) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_ACCESS,
                            .access = (uint8_t)access,
                            .seg = access == MMU_EXECUTE ? MMU_SEG_CS : MMU_SEG_DS,
                            .size = (uint8_t)size,
                            .cpl = (uint8_t)cpl,
                            .offset = offset});
}

void steer_linear(steer_t *s, mmu_access_t access, uint32_t laddr, unsigned size) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_SYSTEM,
                            .access = (uint8_t)access,
                            .seg = MMU_SEG_LINEAR,
                            .size = (uint8_t)size,
                            .offset = laddr});
}

void steer_invlpg(steer_t *s, uint32_t laddr) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_INVLPG, .offset = laddr});
}

unsigned steer_target(unsigned reason) {
  static const uint8_t targets[LOAD_REASONS] = {
      MMU_SEG_DS, MMU_SEG_SS,        MMU_SEG_SS,        MMU_SEG_CS,   MMU_SEG_CS, MMU_SEG_CS, MMU_SEG_LDTR, MMU_SEG_TR,
      MMU_SEG_CS, MMU_SEG_STAGED_TR, MMU_SEG_STAGED_TR, MMU_SEG_LDTR, MMU_SEG_CS, MMU_SEG_SS, MMU_SEG_DS};
  return targets[reason];
}

unsigned steer_attr_for(unsigned reason) {
  static const uint8_t types[LOAD_REASONS] = {0x12, 0x12, 0x12, 0x1A, 0x1A, 0x1A, 0x02, 0x09,
                                              0x1A, 0x09, 0x0B, 0x02, 0x1A, 0x12, 0x12};
  return steer_attr(types[reason], 0);
}

void steer_load(steer_t *s, unsigned reason, uint16_t selector, unsigned cpl) {
  steer_send(s, (mmu_req_t){.op = MMU_OP_LOAD_SEG,
                            .reason = (uint8_t)reason,
                            .seg = (uint8_t)steer_target(reason),
                            .selector = selector,
                            .cpl = (uint8_t)cpl});
}

/* --- pages --- */

static uint32_t table_of(uint32_t laddr) {
  switch (laddr >> 22) {
  case STEER_A >> 22:
    return STEER_PT + 0x1000;
  case STEER_B >> 22:
    return STEER_PT + 0x2000;
  case STEER_TOP >> 22:
    return STEER_PT + 0x3000;
  default:
    return STEER_PT;
  }
}

uint32_t steer_frame(uint32_t laddr) {
  return STEER_FRAME + (laddr & 0xFFFF);
}

uint32_t steer_large_frame(uint32_t laddr) {
  return STEER_LARGE_FRAME + (laddr & 0x3FFFFF);
}

void steer_pde(steer_t *s, uint32_t laddr, uint32_t flags) {
  steer_store(s, STEER_PD + 4 * (laddr >> 22), 4, table_of(laddr) | flags);
}

void steer_large(steer_t *s, uint32_t laddr, uint32_t flags) {
  steer_store(s, STEER_PD + 4 * (laddr >> 22), 4, STEER_LARGE_FRAME | X86_PDE_PS | flags);
}

void steer_pte(steer_t *s, uint32_t laddr, uint32_t flags) {
  steer_store(s, table_of(laddr) + 4 * (laddr >> 12 & 0x3FF), 4, (steer_frame(laddr) & 0xFFFFF000) | flags);
}

void steer_page(steer_t *s, uint32_t laddr, uint32_t flags) {
  steer_pde(s, laddr, STEER_OK);
  steer_pte(s, laddr, flags);
}

/* --- states --- */

void steer_fresh(steer_t *s) {
  static const uint32_t regions[] = {STEER_A, STEER_B, STEER_TOP};
  steer_cr(s, 0, X86_CR0_PE | X86_CR0_ET);
  steer_cr(s, 4, 0);
  steer_load_table(s, MMU_SEG_GDTR, STEER_GDT, STEER_TABLE_LIMIT);
  steer_load_table(s, MMU_SEG_IDTR, STEER_IDT, 0x7FF);
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_STAGED_SS; seg++) {
    bool code = seg == MMU_SEG_CS || seg == MMU_SEG_STAGED_CS;
    if (seg == MMU_SEG_LDTR || seg == MMU_SEG_TR) continue;
    steer_raw(s, seg, 0, 0xFFFFFFFF, code ? 0xC9B : 0xC93, true);
  }
  steer_raw(s, MMU_SEG_LDTR, STEER_LDT, STEER_TABLE_LIMIT, 0x082, true);
  steer_raw(s, MMU_SEG_TR, STEER_TSS, 0x1FF, 0x08B, true);
  steer_store(s, STEER_PD, 4, STEER_PT | STEER_SUPERVISOR);
  for (unsigned i = 0; i < 3; i++)
    steer_pde(s, regions[i], STEER_OK);
}

void steer_modes(steer_t *s, uint32_t cr0, uint32_t cr4) {
  steer_cr(s, 4, X86_CR4_PSE | cr4);
  steer_cr(s, 0, X86_CR0_PE | X86_CR0_PG | X86_CR0_ET | cr0);
}

void steer_paging(steer_t *s, uint32_t cr0, uint32_t cr4) {
  steer_fresh(s);
  steer_cr(s, 3, STEER_PD);
  steer_modes(s, cr0, cr4);
}

/* The parts that recipes take for granted: the page tables but for the entries that each writes. */
static void write_tables(steer_t *s) {
  for (unsigned i = 0; i < 1024; i++) {
    steer_store(s, STEER_PD + 4 * i, 4, 0);
    steer_store(s, STEER_PT + 4 * i, 4, i << 12 | STEER_SUPERVISOR | X86_PTE_D);
  }
}

/* --- the recipes --- */

static const steer_recipe_t *const books[] = {steer_segments, steer_tables, steer_walks, steer_tlb, steer_priorities};

static const steer_recipe_t *recipe_for(const coverage_group_t *group) {
  for (unsigned i = 0; i < sizeof books / sizeof *books; i++)
    for (const steer_recipe_t *r = books[i]; r->group; r++)
      if (r->group == group) return r;
  return NULL;
}

bool stimulus_steer_knows(const char *name) {
  for (unsigned i = 0; i < coverage_group_count; i++)
    if (strcmp(coverage_groups[i]->name, name) == 0) return recipe_for(coverage_groups[i]) != NULL;
  return false;
}

static bool steer_bin(stimulus_t *stimulus, unsigned bin) {
  const coverage_t *c = stimulus->rig->ls->coverage;
  coverage_bin_t b = coverage_bin(c, bin);
  const steer_recipe_t *recipe = recipe_for(coverage_group(c, b.group));
  steer_t s = {.stimulus = stimulus, .config = stimulus->rig->config, .agree = true};
  if (recipe && !b.unreachable) recipe->run(&s, b.at);
  return s.agree;
}

bool stimulus_steer_bin(stimulus_t *stimulus, unsigned bin) {
  steer_t s = {.stimulus = stimulus, .config = stimulus->rig->config, .agree = true};
  write_tables(&s);
  return s.agree && steer_bin(stimulus, bin);
}

bool stimulus_steer(stimulus_t *stimulus, unsigned *next, unsigned holes) {
  const coverage_t *c = stimulus->rig->ls->coverage;
  steer_t s = {.stimulus = stimulus, .config = stimulus->rig->config, .agree = true};
  unsigned n = coverage_bins(c);
  write_tables(&s);
  for (unsigned seen = 0; holes > 0 && seen < n; seen++) {
    unsigned bin = *next;
    *next = (bin + 1) % n;
    if (!coverage_is_hole(c, bin) || !recipe_for(coverage_group(c, coverage_bin(c, bin).group))) continue;
    holes--;
    if (!steer_bin(stimulus, bin)) return false;
  }
  return stimulus_renew(stimulus);
}
