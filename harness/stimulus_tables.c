#include "stimulus.h"

#include <assert.h>

#include "x86.h"

void stimulus_shape(stimulus_t *s, uint32_t *limit, uint64_t *attr) {
  const stimulus_knobs_t *k = &s->knobs;
  *attr &= ~(uint64_t)(MMU_ATTR_EXPAND_DOWN | MMU_ATTR_DB);
  if (rng_chance(&s->rng, k->shape_expand_down)) {
    *attr &= ~(uint64_t)MMU_ATTR_CODE;
    *attr |= MMU_ATTR_EXPAND_DOWN;
  }
  if (!rng_chance(&s->rng, k->shape_16bit)) *attr |= MMU_ATTR_DB;
  if (rng_chance(&s->rng, k->shape_byte)) *limit = rng_below(&s->rng, 1 << 20);
  if (rng_chance(&s->rng, k->shape_low)) *limit = rng_below(&s->rng, 32);
  if (rng_chance(&s->rng, k->shape_high)) *limit = 0xffffffff - rng_below(&s->rng, 32);
}

static uint64_t random_descriptor(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint64_t base = 0, limit = 0xfffff;
  uint32_t where = rng_below(&s->rng, 100);
  if (where < k->descriptor_any)
    base = rng_next(&s->rng) & 0xffffffff;
  else if (where < k->descriptor_any + k->descriptor_hot)
    base = s->hot[rng_below(&s->rng, k->hot_pages)] & 0xfffffff0;
  uint64_t attr = rng_next(&s->rng) & (0xfff & ~MMU_ATTR_P & ~MMU_ATTR_S);
  attr |= rng_chance(&s->rng, k->descriptor_segment) ? MMU_ATTR_S : 0;
  attr |= rng_chance(&s->rng, k->descriptor_present) ? MMU_ATTR_P : 0;
  if (rng_chance(&s->rng, k->descriptor_limit))
    limit = rng_chance(&s->rng, 50) ? rng_next(&s->rng) & 0xfffff : rng_below(&s->rng, 64);
  else
    attr |= MMU_ATTR_G | MMU_ATTR_DB;
  if (rng_chance(&s->rng, k->descriptor_plain)) attr = (attr & ~(uint64_t)MMU_ATTR_EXPAND_DOWN) | MMU_ATTR_WRITABLE;
  if (rng_chance(&s->rng, k->shape)) {
    uint32_t bytes = 0xffffffff;
    stimulus_shape(s, &bytes, &attr);
    bool pages = bytes > 0xfffff;
    limit = pages ? bytes >> 12 : bytes;
    attr = pages ? attr | MMU_ATTR_G : attr & ~(uint64_t)MMU_ATTR_G;
  }
  return (limit & 0xffff) | (base & 0xffffff) << 16 | (attr & 0xff) << 40 | (limit >> 16) << 48 | (attr >> 8) << 52 |
         (base >> 24) << 56;
}

/* The first descriptors are what a stream needs to get along: flat code and data of each privilege, LDT, TSS. */
static const uint64_t standard[] = {
    0,
    0x00cf9a000000ffff,                                                  /* 08: code32, DPL 0 */
    0x00cf92000000ffff,                                                  /* 10: data, DPL 0 */
    0x00cffa000000ffff,                                                  /* 18: code32, DPL 3 */
    0x00cff2000000ffff,                                                  /* 20: data, DPL 3 */
    0x0000e20000000000 | (uint64_t)LDT_BASE << 16 | (LDT_COUNT * 8 - 1), /* 28: LDT */
    0x0000890098000067,                                                  /* 30: TSS32 at 9800H */
    0x000081009a00002b,                                                  /* 38: TSS16 at 9A00H */
    0x00cf9e000000ffff,                                                  /* 40: conforming code32, DPL 0 */
    0x00cffe000000ffff,                                                  /* 48: conforming code32, DPL 3 */
    0x0000960000000fff,                                                  /* 50: expand-down data16, DPL 0 */
    0x0000f60000000fff,                                                  /* 58: expand-down data16, DPL 3 */
    0x0000ec0000081234,                                                  /* 60: call gate 32, DPL 3 */
    0x0000890000000000 | (uint64_t)TSS_BASE << 16 | TSS_LIMIT,           /* 68: TSS32 with a bitmap */
    0x0000e50000300000,                                                  /* 70: task gate to 30, DPL 3 */
    0x0000e40000081234,                                                  /* 78: call gate 16, DPL 3 */
    0x00008b009c000067,                                                  /* 80: TSS32 at 9C00H, busy */
    0x0000890098000066,                                                  /* 88: TSS32, a byte too short */
    0x000081009a00002a,                                                  /* 90: TSS16, a byte too short */
    0x00008b009c000066,                                                  /* 98: TSS32, busy, a byte too short */
};

/* A TSS where none may be. */
static const uint64_t tss_in_ldt = 0x0000e90098000067;

static_assert(sizeof standard / sizeof *standard == STIMULUS_STANDARD, "stimulus.h counts them");

static void store32(stimulus_t *s, uint32_t paddr, uint32_t value) {
  rig_store(s->rig, paddr, 4, value);
}

static void store_descriptor(stimulus_t *s, uint32_t at, uint64_t descriptor) {
  store32(s, at, (uint32_t)descriptor);
  store32(s, at + 4, (uint32_t)(descriptor >> 32));
}

/* A gate of the IDT: mostly one that it may hold. */
static uint64_t random_gate(stimulus_t *s) {
  static const uint8_t types[] = {0x5, 0x6, 0x7, 0xe, 0xf};
  uint64_t type = rng_chance(&s->rng, 85) ? types[rng_below(&s->rng, sizeof types)] : rng_below(&s->rng, 32);
  uint64_t attr = type | (uint64_t)rng_below(&s->rng, 4) << MMU_ATTR_DPL_SHIFT;
  if (rng_chance(&s->rng, 85)) attr |= MMU_ATTR_P;
  return (rng_next(&s->rng) & 0xffff00e0ffffffff) | attr << 40;
}

static void write_gate(stimulus_t *s, unsigned vector) {
  store_descriptor(s, IDT_BASE + 8 * vector, random_gate(s));
}

/* Where the bitmap of TSS_BASE begins: mostly behind the TSS, sometimes about its limit or far away. */
static void write_bitmap_base(stimulus_t *s) {
  uint32_t kind = rng_below(&s->rng, 10), at = 0x68 + rng_below(&s->rng, 8);
  if (kind == 0) at = TSS_LIMIT - 2 + rng_below(&s->rng, 4);
  if (kind == 1) at = (uint32_t)rng_next(&s->rng) & 0xffff;
  rig_store(s->rig, TSS_BASE + 0x66, 2, at);
}

/* Four bytes of the bitmap, with few bits set. */
static void write_bitmap(stimulus_t *s, uint32_t at) {
  store32(s, at, (uint32_t)rng_sparse(&s->rng));
}

void stimulus_write_tables(stimulus_t *s) {
  stimulus_write_pages(s);
  for (unsigned i = 0; i < GDT_COUNT; i++)
    store_descriptor(s, GDT_BASE + 8 * i, i < STIMULUS_STANDARD ? standard[i] : random_descriptor(s));
  for (unsigned i = 0; i < LDT_COUNT; i++)
    store_descriptor(s, LDT_BASE + 8 * i, i == 1 ? tss_in_ldt : random_descriptor(s));
  for (unsigned i = 0; i < IDT_COUNT; i++)
    write_gate(s, i);
  write_bitmap_base(s);
  for (uint32_t at = TSS_BASE + 0x68; at < TSS_BASE + TSS_LIMIT; at += 4)
    write_bitmap(s, at);
}

void stimulus_change_descriptor(stimulus_t *s) {
  if (rng_chance(&s->rng, 30)) { /* accessed and busy bits are clear again */
    unsigned i = rng_below(&s->rng, STIMULUS_STANDARD);
    store_descriptor(s, GDT_BASE + 8 * i, standard[i]);
    return;
  }
  if (rng_chance(&s->rng, 25)) {
    write_gate(s, rng_below(&s->rng, IDT_COUNT));
    write_bitmap_base(s);
    write_bitmap(s, TSS_BASE + 0x68 + 4 * rng_below(&s->rng, (TSS_LIMIT - 0x68) / 4));
    return;
  }
  uint64_t d = random_descriptor(s);
  uint32_t at = rng_chance(&s->rng, 75)
                    ? GDT_BASE + 8 * (STIMULUS_STANDARD + rng_below(&s->rng, GDT_COUNT - STIMULUS_STANDARD))
                    : LDT_BASE + 8 * rng_below(&s->rng, LDT_COUNT);
  store_descriptor(s, at, d);
}

uint64_t stimulus_table_data(stimulus_t *s, uint64_t paddr) {
  if (paddr - PD_BASE < PD_COUNT * 4096) return stimulus_random_pde(s, (uint32_t)paddr & 0xfffff000);
  if (paddr - PT_BASE < PT_COUNT * 4096) return stimulus_random_pte(s);
  if (paddr - IDT_BASE < IDT_COUNT * 8) return random_gate(s);
  if (paddr - GDT_BASE < GDT_COUNT * 8 || paddr - LDT_BASE < LDT_COUNT * 8) return random_descriptor(s);
  return rng_next(&s->rng);
}
