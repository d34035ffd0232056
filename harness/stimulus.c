#include "stimulus.h"

#include <assert.h>

#include "x86.h"

bool stimulus_send(stimulus_t *s, const mmu_req_t *req, mmu_rsp_t *rsp) {
  s->done++;
  return rig_transact(s->rig, req, rsp);
}

/* Puts both MMUs where most requests make sense, from any state. */
static bool prepare(stimulus_t *s) {
  stimulus_write_tables(s);
  if (!stimulus_write_cr(s, 0, X86_CR0_PE | X86_CR0_ET)) return false;
  if (!stimulus_load_table(s, MMU_SEG_GDTR, GDT_BASE, GDT_COUNT * 8 - 1) ||
      !stimulus_load_table(s, MMU_SEG_IDTR, IDT_BASE, IDT_COUNT * 8 - 1))
    return false;
  for (unsigned seg = MMU_SEG_ES; seg <= MMU_SEG_GS; seg++) {
    uint64_t attr = seg == MMU_SEG_CS ? 0xc9b : 0xc93;
    mmu_req_t req = {.op = MMU_OP_SET_SEG, .reason = MMU_SET_RAW, .seg = (uint8_t)seg, .selector = 8};
    req.data = 0xffffffff | attr << 32 | 1ull << 48;
    mmu_rsp_t rsp;
    if (!stimulus_send(s, &req, &rsp)) return false;
  }
  return stimulus_write_cr(s, 4, rig_cr4(s->rig, X86_CR4_PSE | X86_CR4_PGE)) && stimulus_write_cr(s, 3, PD_BASE) &&
         stimulus_write_cr(s, 0, X86_CR0_PG | X86_CR0_PE | X86_CR0_ET | X86_CR0_WP);
}

/* A hot page: among neighbours, where it shares a TLB set with others, or in the tables. */
static uint32_t hot_page(stimulus_t *s) {
  static const uint32_t regions[] = {0x00000000, 0x00400000, 0x00800000, 0x00c00000,
                                     0x40000000, 0xc0000000, 0xc0400000};
  const stimulus_knobs_t *k = &s->knobs;
  if (rng_chance(&s->rng, k->hot_tables)) {
    uint32_t page = rng_below(&s->rng, PD_COUNT + PT_COUNT);
    return page < PD_COUNT ? PD_BASE + (page << 12) : PT_BASE + ((page - PD_COUNT) << 12);
  }
  if (rng_chance(&s->rng, k->hot_recursive)) {
    uint32_t directory = stimulus_slots[1 + rng_below(&s->rng, STIMULUS_SLOTS - 1)];
    return directory << 22 | (uint32_t)stimulus_slots[rng_below(&s->rng, STIMULUS_SLOTS)] << 12;
  }
  uint32_t region = regions[rng_below(&s->rng, sizeof regions / sizeof *regions)];
  bool crowded = rng_chance(&s->rng, k->hot_crowded);
  uint32_t page = rng_below(&s->rng, crowded ? k->hot_sets : 1024);
  if (crowded) page += 8 * rng_below(&s->rng, 16);
  return region + (page << 12);
}

/* Some of them are always: both ends of the address space, neighbours, descriptor tables. */
static void choose_hot(stimulus_t *s) {
  for (unsigned i = 0; i < STIMULUS_HOT; i++)
    s->hot[i] = hot_page(s);
  s->hot[0] = 0xfffff000;
  s->hot[1] = GDT_BASE & 0xfffff000;
  s->hot[2] = s->hot[3] + 4096;
  s->hot[4] = 0x007ff000; /* before a 4 MiB boundary */
  s->hot[5] = 0x00800000;
  s->hot[6] = (GDT_BASE & 0xfffff000) + 4096;
  s->hot[7] = LDT_BASE & 0xfffff000;
}

bool stimulus_renew(stimulus_t *s) {
  choose_hot(s);
  return prepare(s);
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

bool stimulus_start_with(stimulus_t *s, rig_t *rig, uint64_t seed, const stimulus_knobs_t *knobs) {
  assert(rig->world.size >= STIMULUS_RAM_MIN);
  *s = (stimulus_t){.rig = rig, .rng = {seed}, .knobs = *knobs};
  return look_at_reset(s) && stimulus_renew(s);
}

bool stimulus_start(stimulus_t *s, rig_t *rig, uint64_t seed) {
  stimulus_knobs_t knobs = stimulus_default_knobs();
  return stimulus_start_with(s, rig, seed, &knobs);
}

bool stimulus_step(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  if (s->done / k->renew_every != (s->done + 1) / k->renew_every) return stimulus_renew(s);
  if (rng_below(&s->rng, k->v86_every) == 0) s->virtual_8086 = rng_chance(&s->rng, k->v86);
  mmu_req_t req;
  mmu_rsp_t rsp;
  enum { READ, WRITE, EXECUTE, SYSTEM, DESCRIPTOR, SET, CR0, CR3, CR4, TABLE, INVALIDATE, ENTRY, CHANGE, KINDS };
  const uint32_t weights[KINDS] = {k->read_weight,
                                   k->write_weight,
                                   k->execute_weight,
                                   k->system_weight,
                                   k->descriptor_weight,
                                   k->set_segment_weight,
                                   k->cr0_weight,
                                   k->cr3_weight,
                                   k->cr4_weight,
                                   k->load_table_weight,
                                   k->invlpg_weight,
                                   k->change_entry_weight,
                                   k->change_descriptor_weight};
  switch (rng_weighted(&s->rng, weights, KINDS)) {
  case READ:
    return stimulus_do_access(s, MMU_READ);
  case WRITE:
    return stimulus_do_access(s, MMU_WRITE);
  case EXECUTE:
    return stimulus_do_access(s, MMU_EXECUTE);
  case SYSTEM:
    req = stimulus_system(s);
    return stimulus_send(s, &req, &rsp);
  case DESCRIPTOR:
    return stimulus_segments(s);
  case SET:
    return stimulus_set_segment(s);
  case CR0:
    return stimulus_control(s, 0);
  case CR3:
    return stimulus_control(s, 3);
  case CR4:
    return stimulus_control(s, 4);
  case TABLE:
    return stimulus_table_register(s);
  case INVALIDATE:
    return stimulus_invalidate(s);
  case ENTRY:
    return stimulus_entry(s);
  default:
    stimulus_change_descriptor(s);
    return true;
  }
}
