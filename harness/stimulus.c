#include "stimulus.h"

#include <assert.h>

#include "x86.h"

/* Requests after which all tables are made anew, so that a stream does not wear out. */
enum { RENEW = 20000 };

static bool send(stimulus_t *s, const mmu_req_t *req, mmu_rsp_t *rsp) {
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
  req.vm = rng_chance(&s->rng, 3);
  if (req.vm) req.cpl = 3;
  if (access == MMU_EXECUTE) {
    req.size = (uint8_t)(1 + rng_below(&s->rng, 15));
  } else {
    req.seg = data_segs[rng_below(&s->rng, sizeof data_segs)];
    req.ac = rng_chance(&s->rng, 50);
    req.implicit = rng_chance(&s->rng, 10);
    req.rmw = access == MMU_WRITE && rng_chance(&s->rng, 30);
    req.ext = rng_chance(&s->rng, 5);
  }
  req.offset = random_offset(s, req.seg);
  if (!send(s, &req, &rsp)) return false;
  if (access == MMU_WRITE && !rsp.fault && rng_chance(&s->rng, 25)) {
    unsigned first = rsp.first > 8 ? 8 : rsp.first;
    if (rsp.paddr[0] >= 0x100000) rig_store(s->rig, rsp.paddr[0], first, rng_next(&s->rng));
  }
  return true;
}

static bool system_step(stimulus_t *s) {
  static const uint8_t tables[] = {MMU_SEG_LINEAR, MMU_SEG_IDTR, MMU_SEG_TR, MMU_SEG_GDTR, MMU_SEG_LDTR};
  mmu_req_t req = {.op = MMU_OP_SYSTEM, .access = rng_chance(&s->rng, 30) ? MMU_WRITE : MMU_READ};
  mmu_rsp_t rsp;
  req.seg = tables[rng_below(&s->rng, sizeof tables)];
  req.size = (uint8_t)(1u << rng_below(&s->rng, 4));
  req.ext = rng_chance(&s->rng, 20);
  req.cpl = (uint8_t)rng_below(&s->rng, 4); /* has no say */
  req.offset = req.seg == MMU_SEG_LINEAR ? any_address(s) : rng_below(&s->rng, rng_chance(&s->rng, 70) ? 0x80 : 0x900);
  return send(s, &req, &rsp);
}

static uint16_t random_selector(stimulus_t *s) {
  uint32_t index = rng_chance(&s->rng, 60) ? rng_below(&s->rng, STIMULUS_STANDARD) : rng_below(&s->rng, GDT_COUNT + 2);
  uint16_t table = rng_chance(&s->rng, 20) ? 4 : 0;
  if (table) index %= LDT_COUNT + 1;
  return (uint16_t)(index << 3 | table | (rng_chance(&s->rng, 50) ? 3 : rng_below(&s->rng, 3)));
}

static bool load_step(stimulus_t *s) {
  static const uint8_t data_segs[] = {MMU_SEG_DS, MMU_SEG_ES, MMU_SEG_FS, MMU_SEG_GS};
  static const uint8_t reasons[] = {MMU_LOAD_DATA,        MMU_LOAD_DATA,        MMU_LOAD_DATA,      MMU_LOAD_STACK,
                                    MMU_LOAD_STACK,       MMU_LOAD_STACK_INNER, MMU_LOAD_CODE_JUMP, MMU_LOAD_CODE_JUMP,
                                    MMU_LOAD_CODE_RETURN, MMU_LOAD_CODE_RETURN, MMU_LOAD_CODE_GATE, MMU_LOAD_LDT,
                                    MMU_LOAD_TASK};
  mmu_req_t req = {.op = MMU_OP_LOAD_SEG, .selector = random_selector(s)};
  mmu_rsp_t rsp;
  bool staged = rng_chance(&s->rng, 40);
  req.reason = reasons[rng_below(&s->rng, sizeof reasons)];
  req.cpl = rng_chance(&s->rng, 60) ? req.selector & 3 : (uint8_t)rng_below(&s->rng, 4);
  req.ext = rng_chance(&s->rng, 15);
  switch (req.reason) {
  case MMU_LOAD_DATA:
    req.seg = data_segs[rng_below(&s->rng, sizeof data_segs)];
    break;
  case MMU_LOAD_STACK:
  case MMU_LOAD_STACK_INNER:
    req.seg = staged ? MMU_SEG_STAGED_SS : MMU_SEG_SS;
    break;
  case MMU_LOAD_LDT:
    req.seg = MMU_SEG_LDTR;
    if (rng_chance(&s->rng, 80)) req.selector = 0x28;
    break;
  case MMU_LOAD_TASK:
    req.seg = MMU_SEG_TR;
    break;
  default:
    req.seg = staged ? MMU_SEG_STAGED_CS : MMU_SEG_CS;
  }
  return send(s, &req, &rsp);
}

static bool commit_step(stimulus_t *s) {
  bool code = rng_chance(&s->rng, 50);
  mmu_rsp_t rsp;
  mmu_req_t req = {.op = MMU_OP_COMMIT_SEG,
                   .seg = code ? MMU_SEG_CS : MMU_SEG_SS,
                   .reason = code ? MMU_SEG_STAGED_CS : MMU_SEG_STAGED_SS};
  return send(s, &req, &rsp);
}

/* A raw hidden part: mostly flat and harmless, so that streams recover from useless segments. */
static bool set_step(stimulus_t *s) {
  mmu_req_t req = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW};
  mmu_rsp_t rsp;
  req.seg = (uint8_t)rng_below(&s->rng, rng_chance(&s->rng, 85) ? MMU_SEG_LDTR : MMU_SEG_COUNT);
  req.selector = (uint16_t)rng_next(&s->rng);
  uint32_t kind = rng_below(&s->rng, 100);
  uint64_t attr = req.seg == MMU_SEG_CS ? 0xc9b : 0xc93, limit = 0xffffffff;
  if (kind < 8) {
    req.reason = MMU_SET_REAL;
  } else if (kind < 12) {
    req.reason = MMU_SET_V86;
  } else {
    if (kind < 20) req.offset = rng_next(&s->rng) & 0xffffffff;
    if (kind < 22) limit = rng_next(&s->rng) >> (32 + rng_below(&s->rng, 32));
    if (kind < 18) attr = (rng_next(&s->rng) & 0xfff) | MMU_ATTR_S | MMU_ATTR_P;
    req.data = limit | attr << 32 | (uint64_t)!rng_chance(&s->rng, 3) << 48;
  }
  return send(s, &req, &rsp);
}

static bool write_cr(stimulus_t *s, uint8_t cr, uint64_t value) {
  mmu_req_t req = {.op = MMU_OP_WRITE_CR, .cr = cr, .data = value};
  mmu_rsp_t rsp;
  bool agree = send(s, &req, &rsp);
  uint64_t cr0 = mmu_cr(s->rig->mmu, 0);
  s->paging = cr0 & X86_CR0_PG;
  s->protected_mode = cr0 & X86_CR0_PE;
  return agree;
}

static bool cr0_step(stimulus_t *s) {
  uint64_t value = X86_CR0_PG | X86_CR0_PE | X86_CR0_ET;
  if (rng_chance(&s->rng, 60)) value |= X86_CR0_WP;
  uint32_t kind = rng_below(&s->rng, 100);
  if (kind < 6) value &= ~(uint64_t)X86_CR0_PG;
  if (kind < 3) value &= ~(uint64_t)X86_CR0_PE;
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
  if (rng_chance(&s->rng, 5)) value |= rng_next(&s->rng) & rng_next(&s->rng) & rng_next(&s->rng);
  return write_cr(s, 4, value);
}

static bool cr3_step(stimulus_t *s) {
  uint64_t low = rng_chance(&s->rng, 20) ? rng_next(&s->rng) & 0xfff : 0;
  return write_cr(s, 3, (uint64_t)(PD_BASE + (rng_below(&s->rng, PD_COUNT) << 12)) | low);
}

static bool invlpg(stimulus_t *s, uint32_t laddr) {
  mmu_req_t req = {.op = MMU_OP_INVLPG, .offset = laddr};
  mmu_rsp_t rsp;
  return send(s, &req, &rsp);
}

static bool load_table(stimulus_t *s, uint8_t seg, uint32_t base, uint32_t limit) {
  /* Only 16 bits of the limit count. */
  mmu_req_t req = {.op = MMU_OP_LOAD_TABLE, .seg = seg, .offset = base, .data = limit | rng_next(&s->rng) << 16};
  mmu_rsp_t rsp;
  return send(s, &req, &rsp);
}

static bool table_step(stimulus_t *s) {
  bool full = rng_chance(&s->rng, 80);
  if (rng_chance(&s->rng, 50)) return load_table(s, MMU_SEG_IDTR, IDT_BASE, full ? 0x7ff : rng_below(&s->rng, 0x800));
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

/* Puts both MMUs where most requests make sense, from any state. */
static bool renew(stimulus_t *s) {
  stimulus_write_tables(s);
  if (!write_cr(s, 0, X86_CR0_PE | X86_CR0_ET)) return false;
  if (!load_table(s, MMU_SEG_GDTR, GDT_BASE, GDT_COUNT * 8 - 1) || !load_table(s, MMU_SEG_IDTR, IDT_BASE, 0x7ff))
    return false;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    uint64_t attr = seg == MMU_SEG_CS ? 0xc9b : 0xc93;
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = (uint8_t)seg, .selector = 8};
    req.data = 0xffffffff | attr << 32 | 1ull << 48;
    mmu_rsp_t rsp;
    if (!send(s, &req, &rsp)) return false;
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
    uint32_t page =
        rng_chance(&s->rng, 50) ? rng_below(&s->rng, 3) + 8 * rng_below(&s->rng, 16) : rng_below(&s->rng, 1024);
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
    if (!send(s, &write, &rsp) || !send(s, &beyond, &rsp)) return false;
  }
  static const uint8_t tables[] = {MMU_SEG_GDTR, MMU_SEG_IDTR, MMU_SEG_LDTR, MMU_SEG_TR};
  for (unsigned i = 0; i < sizeof tables; i++) {
    mmu_req_t last = {.op = MMU_OP_SYSTEM, .seg = tables[i], .size = 8, .offset = 0xfff8};
    mmu_req_t beyond = {.op = MMU_OP_SYSTEM, .seg = tables[i], .size = 8, .offset = 0xfff9};
    if (!send(s, &last, &rsp) || !send(s, &beyond, &rsp)) return false;
  }
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_TR; seg++) { /* the answer shows the hidden part that is kept */
    mmu_req_t real = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_REAL, .seg = (uint8_t)seg, .selector = 0x1000};
    if (!send(s, &real, &rsp)) return false;
  }
  mmu_req_t fetch = {.op = MMU_OP_ACCESS, .access = MMU_EXECUTE, .seg = MMU_SEG_CS, .size = 5, .offset = 0xfff0};
  mmu_req_t code = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_CS, .reason = MMU_SEG_STAGED_CS};
  mmu_req_t stack = {.op = MMU_OP_COMMIT_SEG, .seg = MMU_SEG_SS, .reason = MMU_SEG_STAGED_SS};
  return send(s, &fetch, &rsp) && send(s, &code, &rsp) && send(s, &stack, &rsp);
}

bool stimulus_start(stimulus_t *s, rig_t *rig, uint64_t seed) {
  assert(rig->world.size >= STIMULUS_RAM_MIN);
  *s = (stimulus_t){.rig = rig, .rng = {seed}};
  choose_hot(s);
  return look_at_reset(s) && renew(s);
}

bool stimulus_step(stimulus_t *s) {
  if (s->done / RENEW != (s->done + 1) / RENEW) {
    choose_hot(s);
    return renew(s);
  }
  uint32_t kind = rng_below(&s->rng, 1000);
  if (kind < 260) return access_step(s, MMU_READ);
  if (kind < 500) return access_step(s, MMU_WRITE);
  if (kind < 760) return access_step(s, MMU_EXECUTE);
  if (kind < 810) return system_step(s);
  if (kind < 860) return s->protected_mode ? load_step(s) : set_step(s);
  if (kind < 870) return commit_step(s);
  if (kind < 907) return set_step(s);
  if (kind < 909) return cr0_step(s);
  if (kind < 912) return cr4_step(s);
  if (kind < 918) return cr3_step(s);
  if (kind < 923) return table_step(s);
  if (kind < 948) return invlpg(s, any_address(s));
  if (kind < 985) return entry_step(s);
  stimulus_change_descriptor(s);
  return true;
}
