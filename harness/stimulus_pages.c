#include "stimulus.h"

#include "x86.h"

const uint16_t stimulus_slots[STIMULUS_SLOTS] = {0, 1, 2, 3, 0x3ff, 0x100, 0x300, 0x301};

static bool chance(stimulus_t *s, uint32_t percent) {
  return rng_chance(&s->rng, percent);
}

/* A page directory or page table. */
static uint32_t any_table(stimulus_t *s) {
  bool directory = chance(s, 50);
  uint32_t n = rng_below(&s->rng, directory ? PD_COUNT : PT_COUNT);
  return (directory ? PD_BASE : PT_BASE) + (n << 12);
}

/* A frame: mostly plain RAM above the tables, sometimes a table, sometimes beyond RAM. */
static uint32_t random_frame(stimulus_t *s) {
  if (chance(s, s->knobs.frame_table)) return any_table(s);
  if (chance(s, s->knobs.frame_beyond)) return (uint32_t)rng_next(&s->rng) & 0xfffff000;
  uint32_t n = chance(s, s->knobs.alias) ? s->knobs.alias_frames : 0x600;
  return 0x100000 + (rng_below(&s->rng, n) << 12);
}

/* Flag bits with the given percentages of P, W, U. */
static uint32_t random_flags(stimulus_t *s, uint32_t present, uint32_t writable, uint32_t user) {
  const stimulus_knobs_t *k = &s->knobs;
  const struct {
    uint32_t bit, percent;
  } bits[] = {{X86_PTE_P, present},  {X86_PTE_W, writable},  {X86_PTE_U, user},       {X86_PTE_A, k->accessed},
              {X86_PTE_D, k->dirty}, {X86_PTE_G, k->global}, {X86_PTE_PWT, k->cache}, {X86_PTE_PCD, k->cache}};
  uint32_t flags = (uint32_t)rng_next(&s->rng) & 0xe00; /* software's own */
  for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
    if (chance(s, bits[i].percent)) flags |= bits[i].bit;
  return flags;
}

uint32_t stimulus_random_pte(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  if (chance(s, k->sparse)) return 0;
  uint32_t pat = chance(s, k->pat) ? X86_PTE_PAT : 0;
  uint32_t frame = random_frame(s);
  return frame | pat | random_flags(s, k->pte_present, k->pte_writable, k->pte_user);
}

/* What of a directory entry is not its low flags. */
static uint32_t large_frame(stimulus_t *s) {
  const stimulus_knobs_t *k = &s->knobs;
  uint32_t frame = chance(s, k->large_near) ? rng_below(&s->rng, 2) << 22 : (uint32_t)rng_next(&s->rng) & 0xffc00000;
  if (chance(s, k->pde_reserved)) frame |= 1u << (13 + rng_below(&s->rng, 9));
  if (chance(s, k->pat)) frame |= X86_PDE_PAT;
  return frame | X86_PDE_PS;
}

static uint32_t table_frame(stimulus_t *s, uint32_t pd) {
  if (chance(s, s->knobs.pde_self)) return pd;
  if (chance(s, s->knobs.pde_directory)) return PD_BASE + (rng_below(&s->rng, s->knobs.directories) << 12);
  return PT_BASE + (1 + rng_below(&s->rng, s->knobs.page_tables)) * 4096;
}

static uint32_t pde_of(stimulus_t *s, uint32_t pd, bool large) {
  const stimulus_knobs_t *k = &s->knobs;
  uint32_t flags = random_flags(s, k->pde_present, k->pde_writable, k->pde_user);
  return flags | (large ? large_frame(s) : table_frame(s, pd));
}

uint32_t stimulus_random_pde(stimulus_t *s, uint32_t pd) {
  return pde_of(s, pd, chance(s, s->knobs.pde_large));
}

static void store32(stimulus_t *s, uint32_t paddr, uint32_t value) {
  rig_store(s->rig, paddr, 4, value);
}

static void write_directory(stimulus_t *s, uint32_t pd) {
  for (unsigned i = 0; i < 1024; i++)
    store32(s, pd + 4 * i, 0);
  for (unsigned i = 1; i <= s->knobs.directory_entries; i++)
    store32(s, pd + 4 * stimulus_slots[i], stimulus_random_pde(s, pd));
  store32(s, pd, PT_BASE | X86_PTE_P | X86_PTE_W | X86_PTE_U);
}

void stimulus_write_pages(stimulus_t *s) {
  for (unsigned i = 0; i < 1024; i++)
    store32(s, PT_BASE + 4 * i, i << 12 | X86_PTE_P | X86_PTE_W | (chance(s, 70) ? X86_PTE_U : 0));
  for (unsigned t = 1; t < PT_COUNT; t++)
    for (unsigned i = 0; i < 1024; i++)
      store32(s, PT_BASE + 4096 * t + 4 * i, stimulus_random_pte(s));
  for (unsigned d = 0; d < PD_COUNT; d++)
    write_directory(s, PD_BASE + (d << 12));
}

void stimulus_change_entry_of(stimulus_t *s, uint32_t pd, uint32_t laddr) {
  const stimulus_knobs_t *k = &s->knobs;
  uint32_t pde_at = pd + 4 * (laddr >> 22);
  uint32_t pde = (uint32_t)world_read(&s->rig->world, pde_at, 4);
  bool identity = (pde & 0xfffff000) == PT_BASE;
  if (chance(s, k->change_pde) && laddr >> 22) {
    bool turn = chance(s, k->change_size);
    store32(s, pde_at, turn ? pde_of(s, pd, !(pde & X86_PDE_PS)) : stimulus_random_pde(s, pd));
  } else if (identity) {
    /* Keep the mapping; flip what is not the frame. */
    uint32_t pte_at = PT_BASE + 4 * (laddr >> 12 & 1023);
    store32(s, pte_at, (laddr & 0x3ff000) | random_flags(s, 98, k->identity_writable, k->identity_user));
  } else {
    store32(s, (pde & 0xfffff000) % STIMULUS_RAM_MIN + 4 * (laddr >> 12 & 1023), stimulus_random_pte(s));
  }
}

uint32_t stimulus_change_entry(stimulus_t *s) {
  uint32_t laddr = s->hot[rng_below(&s->rng, s->knobs.hot_pages)];
  uint32_t pd = PD_BASE + (rng_below(&s->rng, s->knobs.directories) << 12);
  stimulus_change_entry_of(s, pd, laddr);
  return laddr;
}
