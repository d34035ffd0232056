#include "stimulus.h"

#include "x86.h"

/* --- accesses --- */

static uint32_t hot_address(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint32_t page = s->hot[rng_below(&s->rng, k->hot_pages)];
  if (rng_chance(&s->rng, k->straddle_4g)) return 0xffffffff - rng_below(&s->rng, 16);
  if (rng_chance(&s->rng, k->straddle)) return page + 4096 - 1 - rng_below(&s->rng, 16);
  if (rng_chance(&s->rng, k->page_start)) return page;
  return page + rng_below(&s->rng, 4096);
}

static uint32_t any_address(stimulus_t *s) {
  return rng_chance(&s->rng, s->knobs.hot) ? hot_address(s) : (uint32_t)rng_next(&s->rng);
}

static uint8_t random_size(stimulus_t *s) {
  static const uint8_t common[] = {1, 2, 4, 4, 4, 8};
  if (rng_chance(&s->rng, s->knobs.odd_size)) return (uint8_t)(1 + rng_below(&s->rng, 16));
  return common[rng_below(&s->rng, sizeof common)];
}

/* An offset that lands on a hot page through the register, or one about its limit. */
static uint32_t random_offset(stimulus_t *s, uint8_t seg) {
  mmu_seg_t hidden = mmu_seg(s->rig->mmu, (mmu_seg_id_t)seg);
  if (rng_chance(&s->rng, s->knobs.limit_offset)) return hidden.limit + 12 - rng_below(&s->rng, 24);
  if (rng_chance(&s->rng, s->knobs.limit_64k_offset)) return 0xffff + 12 - rng_below(&s->rng, 24);
  return any_address(s) - (uint32_t)hidden.base;
}

mmu_req_t stimulus_access(stimulus_t *s, mmu_access_t access) {
  static const uint8_t data_segs[] = {MMU_SEG_DS, MMU_SEG_DS, MMU_SEG_SS,        MMU_SEG_ES,       MMU_SEG_FS,
                                      MMU_SEG_GS, MMU_SEG_CS, MMU_SEG_STAGED_SS, MMU_SEG_STAGED_CS};
  const stimulus_knobs_t *k = &s->knobs;
  mmu_req_t req = {.op = MMU_OP_ACCESS, .access = (uint8_t)access, .seg = MMU_SEG_CS, .size = random_size(s)};
  req.cpl = rng_chance(&s->rng, k->user) ? 3 : (uint8_t)rng_below(&s->rng, 3);
  req.vm = rng_chance(&s->rng, s->virtual_8086 ? k->vm_in_v86 : k->vm_else);
  if (req.vm) req.cpl = 3;
  if (access == MMU_EXECUTE) {
    req.size = (uint8_t)(1 + rng_below(&s->rng, 15));
  } else {
    req.seg = data_segs[rng_below(&s->rng, sizeof data_segs)];
    req.ac = rng_chance(&s->rng, k->access_ac);
    req.align = rng_chance(&s->rng, k->align) ? (uint8_t)(1 + rng_below(&s->rng, 3)) : 0;
    req.implicit = rng_chance(&s->rng, k->implicit);
    req.rmw = access == MMU_WRITE && rng_chance(&s->rng, k->rmw);
    req.ext = rng_chance(&s->rng, k->ext);
  }
  req.offset = random_offset(s, req.seg);
  return req;
}

bool stimulus_do_access(stimulus_t *s, mmu_access_t access) {
  enum { BEHIND_TABLES = 0x100000 };
  mmu_req_t req = stimulus_access(s, access);
  mmu_rsp_t rsp;
  if (!stimulus_send(s, &req, &rsp)) return false;
  if (access != MMU_WRITE || rsp.fault || rsp.first == 0 || !rng_chance(&s->rng, s->knobs.store)) return true;
  if (rsp.paddr[0] < BEHIND_TABLES && !rng_chance(&s->rng, s->knobs.store_to_tables)) return true;
  rig_store(s->rig, rsp.paddr[0], rsp.first > 8 ? 8 : rsp.first, stimulus_table_data(s, rsp.paddr[0]));
  return true;
}

mmu_req_t stimulus_system(stimulus_t *s) {
  static const uint8_t tables[] = {MMU_SEG_LINEAR, MMU_SEG_IDTR, MMU_SEG_TR,
                                   MMU_SEG_GDTR,   MMU_SEG_LDTR, MMU_SEG_STAGED_TR};
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .access = rng_chance(&s->rng, 30) ? MMU_WRITE : MMU_READ};
  req.seg = tables[rng_below(&s->rng, sizeof tables)];
  req.size = (uint8_t)(1u << rng_below(&s->rng, 4));
  req.ext = rng_chance(&s->rng, 20);
  req.cpl = (uint8_t)rng_below(&s->rng, 4); /* has no say */
  req.offset = req.seg == MMU_SEG_LINEAR ? any_address(s) : rng_below(&s->rng, rng_chance(&s->rng, 70) ? 0x80 : 0x900);
  return req;
}

/* --- control registers --- */

bool stimulus_write_cr(stimulus_t *s, uint8_t cr, uint64_t value) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = cr, .data = value};
  mmu_rsp_t rsp;
  bool agree = stimulus_send(s, &req, &rsp);
  uint64_t cr0 = mmu_cr(s->rig->mmu, 0);
  s->paging = cr0 & X86_CR0_PG;
  s->protected_mode = cr0 & X86_CR0_PE;
  return agree;
}

static uint64_t random_cr0(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint64_t value = X86_CR0_PG | X86_CR0_PE | X86_CR0_ET;
  if (rng_chance(&s->rng, k->cr0_wp)) value |= X86_CR0_WP;
  if (rng_chance(&s->rng, k->cr0_am)) value |= X86_CR0_AM;
  if (rng_chance(&s->rng, k->cr0_no_paging)) {
    value &= ~(uint64_t)X86_CR0_PG;
    if (rng_chance(&s->rng, k->cr0_real)) value &= ~(uint64_t)X86_CR0_PE;
  }
  if (rng_chance(&s->rng, k->cr0_cache)) value |= (uint64_t)rng_below(&s->rng, 4) << 29; /* NW, CD */
  if (rng_chance(&s->rng, k->cr0_any)) value ^= rng_next(&s->rng);
  return value;
}

static uint64_t random_cr3(stimulus_t *s) {
  uint64_t low = rng_chance(&s->rng, s->knobs.cr3_flags) ? rng_next(&s->rng) & 0xfff : 0;
  return (PD_BASE + (rng_below(&s->rng, s->knobs.directories) << 12)) | low;
}

static uint64_t random_cr4(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint64_t value = 0;
  if (rng_chance(&s->rng, k->cr4_pse)) value |= X86_CR4_PSE;
  if (rng_chance(&s->rng, k->cr4_pge)) value |= X86_CR4_PGE;
  if (rng_chance(&s->rng, k->cr4_smep)) value |= X86_CR4_SMEP;
  if (rng_chance(&s->rng, k->cr4_smap)) value |= X86_CR4_SMAP;
  value = rig_cr4(s->rig, value);
  if (rng_chance(&s->rng, k->cr4_any)) value |= rng_sparse(&s->rng);
  return value;
}

bool stimulus_control(stimulus_t *s, uint8_t cr) {
  return stimulus_write_cr(s, cr, cr == 0 ? random_cr0(s) : cr == 3 ? random_cr3(s) : random_cr4(s));
}

/* --- GDTR and IDTR --- */

bool stimulus_load_table(stimulus_t *s, uint8_t seg, uint32_t base, uint32_t limit) {
  /* Only 16 bits of the limit count. */
  mmu_req_t req = {.op = MMU_OP_LOAD_TABLE, .seg = seg, .offset = base, .data = limit | rng_next(&s->rng) << 16};
  mmu_rsp_t rsp;
  return stimulus_send(s, &req, &rsp);
}

bool stimulus_table_register(stimulus_t *s) {
  bool full = rng_chance(&s->rng, 80);
  if (rng_chance(&s->rng, 50)) {
    uint32_t shift = rng_chance(&s->rng, 15) ? 8 * rng_below(&s->rng, IDT_COUNT / 2) : 0;
    return stimulus_load_table(s, MMU_SEG_IDTR, IDT_BASE + shift, full ? IDT_COUNT * 8 - 1 : rng_below(&s->rng, 0x800));
  }
  uint32_t base = GDT_BASE;
  if (rng_chance(&s->rng, 15)) base += rng_below(&s->rng, 16) - 4;        /* descriptors straddle pages anywhere */
  if (rng_chance(&s->rng, 3)) base = 0xfffffff0 + rng_below(&s->rng, 16); /* the table wraps at 4 GiB */
  return stimulus_load_table(s, MMU_SEG_GDTR, base, full ? GDT_COUNT * 8 - 1 : rng_below(&s->rng, GDT_COUNT * 8));
}

/* --- invalidations --- */

static bool invlpg(stimulus_t *s, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  mmu_rsp_t rsp;
  return stimulus_send(s, &req, &rsp);
}

bool stimulus_invalidate(stimulus_t *s) {
  return invlpg(s, any_address(s));
}

bool stimulus_entry(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint32_t laddr = stimulus_change_entry(s);
  if (!rng_chance(&s->rng, k->invalidate)) return true;
  if (rng_chance(&s->rng, k->invalidate_by_cr3)) return stimulus_write_cr(s, 3, mmu_cr(s->rig->mmu, 3));
  return invlpg(s, rng_chance(&s->rng, k->invlpg_beside) ? laddr ^ 0x1000 : laddr);
}
