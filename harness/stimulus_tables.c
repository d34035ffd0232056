#include "stimulus.h"
#include <assert.h>

#include "x86.h"

/* Page tables stand behind the page directories; the first one is the identity map of the first 4 MiB. */
enum { PT_BASE = 0x20000, PT_COUNT = 16 };

/* Page-directory indexes in use, the first and the last page of the address space among them. */
static const uint16_t directory_slots[] = {0, 1, 2, 3, 0x100, 0x300, 0x301, 0x3ff};

enum { SLOTS = sizeof directory_slots / sizeof *directory_slots };

/* A frame: mostly plain RAM above the tables, sometimes a table, sometimes beyond RAM. */
static uint32_t random_frame(stimulus_t *s) {
  uint32_t kind = rng_below(&s->rng, 100);
  if (kind < 2) return PD_BASE + (rng_below(&s->rng, PD_COUNT) << 12);
  if (kind < 4) return PT_BASE + (rng_below(&s->rng, PT_COUNT) << 12);
  if (kind < 6) return (uint32_t)rng_next(&s->rng) & 0xfffff000;
  return 0x100000 + (rng_below(&s->rng, 0x600) << 12);
}

/* Flag bits with the given percentages of P, W, U; the others even. */
static uint32_t random_flags(stimulus_t *s, uint32_t present, uint32_t writable, uint32_t user) {
  uint32_t flags = (uint32_t)rng_next(&s->rng) & (X86_PTE_PWT | X86_PTE_PCD | X86_PTE_A | X86_PTE_D | 0xe00);
  if (rng_chance(&s->rng, present)) flags |= X86_PTE_P;
  if (rng_chance(&s->rng, writable)) flags |= X86_PTE_W;
  if (rng_chance(&s->rng, user)) flags |= X86_PTE_U;
  if (rng_chance(&s->rng, 25)) flags |= X86_PTE_G;
  return flags;
}

static uint32_t random_pte(stimulus_t *s) {
  uint32_t pat = rng_chance(&s->rng, 10) ? X86_PDE_PS : 0; /* bit 7 of a PTE: PAT */
  uint32_t frame = random_frame(s);
  return frame | pat | random_flags(s, 95, 92, 94);
}

static uint32_t random_pde(stimulus_t *s) {
  uint32_t flags = random_flags(s, 97, 97, 97);
  if (rng_chance(&s->rng, 30)) {
    uint32_t frame = rng_chance(&s->rng, 80) ? rng_below(&s->rng, 2) << 22 : (uint32_t)rng_next(&s->rng) & 0xffc00000;
    uint32_t reserved = rng_chance(&s->rng, 8) ? 1u << (13 + rng_below(&s->rng, 9)) : 0;
    uint32_t pat = rng_chance(&s->rng, 10) ? 1u << 12 : 0;
    return frame | reserved | pat | flags | X86_PDE_PS;
  }
  uint32_t table = rng_chance(&s->rng, 4) ? PD_BASE + (rng_below(&s->rng, PD_COUNT) << 12)
                                          : PT_BASE + (rng_below(&s->rng, PT_COUNT - 1) + 1) * 4096;
  return table | flags;
}

static void store32(stimulus_t *s, uint32_t paddr, uint32_t value) {
  rig_store(s->rig, paddr, 4, value);
}

static void write_directory(stimulus_t *s, uint32_t pd) {
  for (unsigned i = 0; i < 1024; i++)
    store32(s, pd + 4 * i, 0);
  for (unsigned i = 1; i < SLOTS; i++)
    store32(s, pd + 4 * directory_slots[i], random_pde(s));
  store32(s, pd, PT_BASE | X86_PTE_P | X86_PTE_W | X86_PTE_U);
}

static uint64_t random_descriptor(stimulus_t *s) {
  uint64_t base = 0, limit = 0xfffff, attr;
  uint32_t kind = rng_below(&s->rng, 100);
  if (kind >= 65)
    base = kind < 85 ? s->hot[rng_below(&s->rng, STIMULUS_HOT)] & 0xfffffff0 : rng_next(&s->rng) & 0xffffffff;
  if (kind >= 75) limit = rng_chance(&s->rng, 50) ? rng_next(&s->rng) & 0xfffff : rng_below(&s->rng, 64);
  attr = rng_next(&s->rng) & (0xfff & ~MMU_ATTR_P & ~MMU_ATTR_S);
  attr |= rng_chance(&s->rng, 85) ? MMU_ATTR_S : 0;
  attr |= rng_chance(&s->rng, 82) ? MMU_ATTR_P : 0;
  if (kind < 75) attr |= MMU_ATTR_G | MMU_ATTR_DB;
  if (kind < 50) attr = (attr & ~(uint64_t)MMU_ATTR_EXPAND_DOWN) | MMU_ATTR_WRITABLE;
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
  for (unsigned i = 0; i < 1024; i++)
    store32(s, PT_BASE + 4 * i, i << 12 | X86_PTE_P | X86_PTE_W | (rng_chance(&s->rng, 70) ? X86_PTE_U : 0));
  for (unsigned t = 1; t < PT_COUNT; t++)
    for (unsigned i = 0; i < 1024; i++)
      store32(s, PT_BASE + 4096 * t + 4 * i, random_pte(s));
  for (unsigned d = 0; d < PD_COUNT; d++)
    write_directory(s, PD_BASE + (d << 12));
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

uint32_t stimulus_change_entry(stimulus_t *s) {
  uint32_t laddr = s->hot[rng_below(&s->rng, STIMULUS_HOT)];
  uint32_t pd = PD_BASE + (rng_below(&s->rng, PD_COUNT) << 12);
  uint32_t pde_at = pd + 4 * (laddr >> 22);
  uint32_t pde = (uint32_t)world_read(&s->rig->world, pde_at, 4);
  bool identity = (pde & 0xfffff000) == PT_BASE;
  if (rng_chance(&s->rng, 15) && laddr >> 22) {
    store32(s, pde_at, random_pde(s));
  } else if (identity) {
    /* Keep the mapping; flip what is not the frame. */
    uint32_t pte_at = PT_BASE + 4 * (laddr >> 12 & 1023);
    store32(s, pte_at, (laddr & 0x3ff000) | random_flags(s, 98, 90, 75));
  } else {
    store32(s, (pde & 0xfffff000) % STIMULUS_RAM_MIN + 4 * (laddr >> 12 & 1023), random_pte(s));
  }
  return laddr;
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
