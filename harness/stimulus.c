#include "stimulus.h"

#include <assert.h>

#include "x86.h"

/* Requests after which all tables are made anew, so that a stream does not wear out. */
enum { RENEW = 20000 };

bool stimulus_send(stimulus_t *s, const mmu_req_t *req, mmu_rsp_t *rsp) {
  s->done++;
  return rig_transact(s->rig, req, rsp);
}

static uint32_t hot_address(stimulus_t *s) {
  uint32_t page = s->hot[rng_below(&s->rng, STIMULUS_HOT)];
  uint32_t where = rng_below(&s->rng, 10);
  if (where == 0) return page + 4096 - 1 - rng_below(&s->rng, 16); /* straddles, mostly */
  if (where == 1) return page;
  return page + rng_below(&s->rng, 4096);
}

static uint32_t any_address(stimulus_t *s) {
  return rng_chance(&s->rng, 95) ? hot_address(s) : (uint32_t)rng_next(&s->rng);
}

static uint8_t random_size(stimulus_t *s) {
  static const uint8_t common[] = {1, 2, 4, 4, 4, 8};
  return rng_chance(&s->rng, 85) ? common[rng_below(&s->rng, sizeof common)] : (uint8_t)(1 + rng_below(&s->rng, 16));
}

/* An offset that lands on a hot page through the register, or one about its limit. */
static uint32_t random_offset(stimulus_t *s, uint8_t seg) {
  mmu_seg_t hidden = mmu_seg(s->rig->mmu, (mmu_seg_id_t)seg);
  if (rng_chance(&s->rng, 7)) return hidden.limit + 12 - rng_below(&s->rng, 24);
  if (rng_chance(&s->rng, 1)) return 0xffff + 12 - rng_below(&s->rng, 24);
  return any_address(s) - (uint32_t)hidden.base;
}

static bool access_step(stimulus_t *s, mmu_access_t access) {
  static const uint8_t data_segs[] = {MMU_SEG_DS, MMU_SEG_DS, MMU_SEG_SS,        MMU_SEG_ES,       MMU_SEG_FS,
                                      MMU_SEG_GS, MMU_SEG_CS, MMU_SEG_STAGED_SS, MMU_SEG_STAGED_CS};
  mmu_req_t req = {.op = MMU_OP_ACCESS, .access = (uint8_t)access, .seg = MMU_SEG_CS, .size = random_size(s)};
  mmu_rsp_t rsp;
  req.cpl = rng_chance(&s->rng, 50) ? 3 : (uint8_t)rng_below(&s->rng, 3);
  req.vm = rng_chance(&s->rng, s->virtual_8086 ? 95 : 3);
  if (req.vm) req.cpl = 3;
  if (access == MMU_EXECUTE) {
    req.size = (uint8_t)(1 + rng_below(&s->rng, 15));
  } else {
    req.seg = data_segs[rng_below(&s->rng, sizeof data_segs)];
    req.ac = rng_chance(&s->rng, 50);
    req.align = rng_chance(&s->rng, 40) ? (uint8_t)(1 + rng_below(&s->rng, 3)) : 0;
    req.implicit = rng_chance(&s->rng, 10);
    req.rmw = access == MMU_WRITE && rng_chance(&s->rng, 30);
    req.ext = rng_chance(&s->rng, 5);
  }
  req.offset = random_offset(s, req.seg);
  if (!stimulus_send(s, &req, &rsp)) return false;
  if (access == MMU_WRITE && !rsp.fault && rng_chance(&s->rng, 25)) {
    unsigned first = rsp.first > 8 ? 8 : rsp.first;
    if (rsp.paddr[0] >= 0x100000) rig_store(s->rig, rsp.paddr[0], first, rng_next(&s->rng));
  }
  return true;
}

static bool system_step(stimulus_t *s) {
  static const uint8_t tables[] = {MMU_SEG_LINEAR, MMU_SEG_IDTR, MMU_SEG_TR,
                                   MMU_SEG_GDTR,   MMU_SEG_LDTR, MMU_SEG_STAGED_TR};
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .access = rng_chance(&s->rng, 30) ? MMU_WRITE : MMU_READ};
  mmu_rsp_t rsp;
  req.seg = tables[rng_below(&s->rng, sizeof tables)];
  req.size = (uint8_t)(1u << rng_below(&s->rng, 4));
  req.ext = rng_chance(&s->rng, 20);
  req.cpl = (uint8_t)rng_below(&s->rng, 4); /* has no say */
  req.offset = req.seg == MMU_SEG_LINEAR ? any_address(s) : rng_below(&s->rng, rng_chance(&s->rng, 70) ? 0x80 : 0x900);
  return stimulus_send(s, &req, &rsp);
}

static bool write_cr(stimulus_t *s, uint8_t cr, uint64_t value) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = cr, .data = value};
  mmu_rsp_t rsp;
  bool agree = stimulus_send(s, &req, &rsp);
  uint64_t cr0 = mmu_cr(s->rig->mmu, 0);
  s->paging = cr0 & X86_CR0_PG;
  s->protected_mode = cr0 & X86_CR0_PE;
  return agree;
}

static bool cr0_step(stimulus_t *s) {
  uint64_t value = X86_CR0_PG | X86_CR0_PE | X86_CR0_ET;
  if (rng_chance(&s->rng, 60)) value |= X86_CR0_WP;
  if (rng_chance(&s->rng, 60)) value |= X86_CR0_AM;
  uint32_t kind = rng_below(&s->rng, 100);
  if (kind < 9) value &= ~(uint64_t)X86_CR0_PG;
  if (kind < 6) value &= ~(uint64_t)X86_CR0_PE;
  if (kind >= 95) value ^= rng_next(&s->rng);
  if (kind >= 85 && kind < 95) value |= (uint64_t)rng_below(&s->rng, 4) << 29; /* NW, CD */
  return write_cr(s, 0, value);
}

static bool cr4_step(stimulus_t *s) {
  uint64_t value = 0;
  if (rng_chance(&s->rng, 80)) value |= X86_CR4_PSE;
  if (rng_chance(&s->rng, 75)) value |= X86_CR4_PGE;
  if (rng_chance(&s->rng, 12)) value |= X86_CR4_SMEP;
  if (rng_chance(&s->rng, 12)) value |= X86_CR4_SMAP;
  if (rng_chance(&s->rng, 5)) value |= rng_sparse(&s->rng);
  return write_cr(s, 4, value);
}

static bool cr3_step(stimulus_t *s) {
  uint64_t low = rng_chance(&s->rng, 20) ? rng_next(&s->rng) & 0xfff : 0;
  return write_cr(s, 3, (uint64_t)(PD_BASE + (rng_below(&s->rng, PD_COUNT) << 12)) | low);
}

static bool invlpg(stimulus_t *s, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  mmu_rsp_t rsp;
  return stimulus_send(s, &req, &rsp);
}

static bool load_table(stimulus_t *s, uint8_t seg, uint32_t base, uint32_t limit) {
  /* Only 16 bits of the limit count. */
  mmu_req_t req = {.op = MMU_OP_LOAD_TABLE, .seg = seg, .offset = base, .data = limit | rng_next(&s->rng) << 16};
  mmu_rsp_t rsp;
  return stimulus_send(s, &req, &rsp);
}

static bool table_step(stimulus_t *s) {
  bool full = rng_chance(&s->rng, 80);
  if (rng_chance(&s->rng, 50)) {
    uint32_t shift = rng_chance(&s->rng, 15) ? 8 * rng_below(&s->rng, IDT_COUNT / 2) : 0;
    return load_table(s, MMU_SEG_IDTR, IDT_BASE + shift, full ? IDT_COUNT * 8 - 1 : rng_below(&s->rng, 0x800));
  }
  uint32_t base = GDT_BASE;
  if (rng_chance(&s->rng, 15)) base += rng_below(&s->rng, 16) - 4;        /* descriptors straddle pages anywhere */
  if (rng_chance(&s->rng, 3)) base = 0xfffffff0 + rng_below(&s->rng, 16); /* the table wraps at 4 GiB */
  return load_table(s, MMU_SEG_GDTR, base, full ? GDT_COUNT * 8 - 1 : rng_below(&s->rng, GDT_COUNT * 8));
}

/* Software changes an entry; mostly it invalidates afterwards, as it should. */
static bool entry_step(stimulus_t *s) {
  uint32_t laddr = stimulus_change_entry(s);
  return rng_chance(&s->rng, 70) ? invlpg(s, laddr) : true;
}

bool stimulus_renew(stimulus_t *s) {
  stimulus_write_tables(s);
  if (!write_cr(s, 0, X86_CR0_PE | X86_CR0_ET)) return false;
  if (!load_table(s, MMU_SEG_GDTR, GDT_BASE, GDT_COUNT * 8 - 1) ||
      !load_table(s, MMU_SEG_IDTR, IDT_BASE, IDT_COUNT * 8 - 1))
    return false;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    uint64_t attr = seg == MMU_SEG_CS ? 0xc9b : 0xc93;
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = (uint8_t)seg, .selector = 8};
    req.data = 0xffffffff | attr << 32 | 1ull << 48;
    mmu_rsp_t rsp;
    if (!stimulus_send(s, &req, &rsp)) return false;
  }
  return write_cr(s, 4, X86_CR4_PSE | X86_CR4_PGE) && write_cr(s, 3, PD_BASE) &&
         write_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | X86_CR0_WP);
}

/* Hot pages: neighbours, pages that share a TLB set, both ends of the address space, the tables themselves. */
static void choose_hot(stimulus_t *s) {
  static const uint32_t regions[] = {0x00000000, 0x00400000, 0x00800000, 0x00c00000,
                                     0x40000000, 0xc0000000, 0xc0400000};
  for (unsigned i = 0; i < STIMULUS_HOT; i++) {
    uint32_t region = regions[rng_below(&s->rng, sizeof regions / sizeof *regions)];
    bool crowded = rng_chance(&s->rng, 50);
    uint32_t page = rng_below(&s->rng, crowded ? 3 : 1024);
    if (crowded) page += 8 * rng_below(&s->rng, 16);
    s->hot[i] = region + (page << 12);
  }
  s->hot[0] = 0xfffff000;
  s->hot[1] = GDT_BASE & 0xfffff000;
  s->hot[2] = s->hot[3] + 4096;
  s->hot[4] = 0x007ff000; /* before a 4 MiB boundary */
  s->hot[5] = 0x00800000;
  s->hot[6] = (GDT_BASE & 0xfffff000) + 4096;
  s->hot[7] = LDT_BASE & 0xfffff000;
}

/* What RESET leaves behind: segments, tables, real mode, no paging. */
static bool look_at_reset(stimulus_t *s) {
  mmu_rsp_t rsp;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    mmu_req_t write = {.op = MMU_OP_ACCESS, .access = MMU_WRITE, .seg = (uint8_t)seg, .size = 2, .offset = 0xfffe};
    mmu_req_t beyond = {.op = MMU_OP_ACCESS, .access = MMU_READ, .seg = (uint8_t)seg, .size = 2, .offset = 0xffff};
    if (!stimulus_send(s, &write, &rsp) || !stimulus_send(s, &beyond, &rsp)) return false;
  }
  static const uint8_t tables[] = {MMU_SEG_GDTR, MMU_SEG_IDTR, MMU_SEG_LDTR, MMU_SEG_TR, MMU_SEG_STAGED_TR};
  for (unsigned i = 0; i < sizeof tables; i++) {
    mmu_req_t last = {.op = MMU_OP_SYSTEM, .seg = tables[i], .size = 8, .offset = 0xfff8};
    mmu_req_t beyond = {.op = MMU_OP_SYSTEM, .seg = tables[i], .size = 8, .offset = 0xfff9};
    if (!stimulus_send(s, &last, &rsp) || !stimulus_send(s, &beyond, &rsp)) return false;
  }
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_TR; seg++) { /* the answer shows the hidden part that is kept */
    mmu_req_t real = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_REAL, .seg = (uint8_t)seg, .selector = 0x1000};
    if (!stimulus_send(s, &real, &rsp)) return false;
  }
  mmu_req_t fetch = {.op = MMU_OP_ACCESS, .access = MMU_EXECUTE, .seg = MMU_SEG_CS, .size = 5, .offset = 0xfff0};
  mmu_req_t code = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS};
  mmu_req_t stack = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_SS, .reason = MMU_SEG_STAGED_SS};
  mmu_req_t task = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_TR, .reason = MMU_SEG_STAGED_TR};
  return stimulus_send(s, &fetch, &rsp) && stimulus_send(s, &code, &rsp) && stimulus_send(s, &stack, &rsp) &&
         stimulus_send(s, &task, &rsp);
}

bool stimulus_start(stimulus_t *s, rig_t *rig, uint64_t seed) {
  assert(rig->world.size >= STIMULUS_RAM_MIN);
  *s = (stimulus_t){.rig = rig, .rng = {seed}};
  choose_hot(s);
  return look_at_reset(s) && stimulus_renew(s);
}

bool stimulus_step(stimulus_t *s) {
  if (s->done / RENEW != (s->done + 1) / RENEW) {
    choose_hot(s);
    return stimulus_renew(s);
  }
  if (rng_below(&s->rng, 300) == 0) s->virtual_8086 = rng_chance(&s->rng, 20);
  uint32_t kind = rng_below(&s->rng, 1000);
  if (kind < 250) return access_step(s, MMU_READ);
  if (kind < 480) return access_step(s, MMU_WRITE);
  if (kind < 720) return access_step(s, MMU_EXECUTE);
  if (kind < 760) return system_step(s);
  if (kind < 870) return stimulus_segments(s);
  if (kind < 907) return stimulus_set_segment(s);
  if (kind < 909) return cr0_step(s);
  if (kind < 912) return cr4_step(s);
  if (kind < 918) return cr3_step(s);
  if (kind < 923) return table_step(s);
  if (kind < 948) return invlpg(s, any_address(s));
  if (kind < 985) return entry_step(s);
  stimulus_change_descriptor(s);
  return true;
}
