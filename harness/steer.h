/*
 * What the recipes of directed stimulus are made of. Private to stimulus_steer.c and steer_*.c.
 *
 * A recipe begins with steer_fresh or steer_paging, so that it does not depend on what was before. Linear addresses:
 * the first 4 MiB are mapped to themselves for the supervisor and hold the tables; regions A and B, which follow each
 * other, and the last 4 MiB have page tables whose entries a recipe writes as it likes.
 */
#ifndef MMU86_STEER_H
#define MMU86_STEER_H

#include "coverage_groups.h"
#include "stimulus.h"

/* Physical addresses, in memory that the random stimulus does not write. FRAME: a page for each low bits of an address.
 */
enum {
  STEER_PD = 0x80000,
  STEER_PT = 0x81000,
  STEER_GDT = 0x90000,
  STEER_LDT = 0x92000,
  STEER_IDT = 0x94000,
  STEER_TSS = 0x96000,
  STEER_FRAME = 0xA0000,
  STEER_LARGE_FRAME = 0x400000,
  STEER_TABLE_LIMIT = 0x1FF,
  STEER_SELECTOR = 0x40, /* of the descriptor that recipes write */
};

#define STEER_A 0x40000000u
#define STEER_B 0x40400000u
#define STEER_TOP 0xFFC00000u
#define STEER_MANY 0x80000000u /* regions without tables, for large pages */

enum {
  STEER_OK = X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A,
  STEER_SUPERVISOR = X86_PTE_P | X86_PTE_W | X86_PTE_A,
};

typedef struct {
  stimulus_t *stimulus;
  mmu_config_t config;
  bool agree;
  mmu_rsp_t rsp; /* of the last request */
} steer_t;

/* One request; nothing once the sides differ. */
void steer_send(steer_t *s, mmu_req_t req);
void steer_store(steer_t *s, uint32_t paddr, unsigned size, uint64_t data);
void steer_cr(steer_t *s, unsigned cr, uint64_t value);
void steer_load_table(steer_t *s, unsigned seg, uint32_t base, uint32_t limit);
void steer_raw(steer_t *s, unsigned seg, uint32_t base, uint32_t limit, unsigned attr, bool usable);
/* A descriptor at physical address `at`; limit: its 20-bit field. */
void steer_descriptor(steer_t *s, uint32_t at, uint32_t base, uint32_t limit, unsigned attr);

/* Protected mode without paging and with an empty TLB; all tables and registers harmless. */
void steer_fresh(steer_t *s);
/* The same, then paging with these bits of CR0 and CR4 besides. */
void steer_paging(steer_t *s, uint32_t cr0, uint32_t cr4);
/* CR0 and CR4 with these bits besides, paging stays on. */
void steer_modes(steer_t *s, uint32_t cr0, uint32_t cr4);

/* Entries of a region with a page table. The page's frame: STEER_FRAME or STEER_LARGE_FRAME and the address's bits. */
void steer_pde(steer_t *s, uint32_t laddr, uint32_t flags);   /* names the region's page table */
void steer_large(steer_t *s, uint32_t laddr, uint32_t flags); /* maps 4 MiB */
void steer_pte(steer_t *s, uint32_t laddr, uint32_t flags);
void steer_page(steer_t *s, uint32_t laddr, uint32_t flags); /* a harmless PDE, and the PTE */

/* Where a byte of a region stands in memory: behind a small page, behind a large one. */
uint32_t steer_frame(uint32_t laddr);
uint32_t steer_large_frame(uint32_t laddr);

/* An access through DS (SS, CS: `seg`), which is flat after steer_fresh. cpl 3: the user. */
void steer_access(steer_t *s, mmu_access_t access, uint32_t offset, unsigned size, unsigned cpl);
void steer_linear(steer_t *s, mmu_access_t access, uint32_t laddr, unsigned size);
void steer_invlpg(steer_t *s, uint32_t laddr);

/* LOAD_SEG into a register that the reason may load. */
void steer_load(steer_t *s, unsigned reason, uint16_t selector, unsigned cpl);
unsigned steer_target(unsigned reason);

/* Attributes: one of the 32 types, present. */
static inline unsigned steer_attr(unsigned type, unsigned dpl) {
  return type | dpl << MMU_ATTR_DPL_SHIFT | MMU_ATTR_P;
}

/* Attributes that the reason loads at level 0. */
unsigned steer_attr_for(unsigned reason);

/* A recipe: requests for the bin at these coordinates. */
typedef struct {
  const coverage_group_t *group;
  void (*run)(steer_t *s, const unsigned *at);
} steer_recipe_t;

/* steer_segments.c, steer_tables.c, steer_paging.c, steer_tlb.c, steer_priority.c; each ends with a NULL group. */
extern const steer_recipe_t steer_segments[], steer_tables[], steer_walks[], steer_tlb[], steer_priorities[];

#endif
