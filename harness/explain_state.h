/*
 * The state of an MMU as the explainer sees it: registers, and the TLB entry by entry.
 *
 * Most of it can be read back from the reference; GDTR, IDTR and the replacement bits cannot. Those are followed from
 * requests and responses (explain_follow_t).
 *
 * Source: DESIGN.md 3.4 (RESET), 3.6 (the TLB).
 */
#ifndef MMU86_EXPLAIN_STATE_H
#define MMU86_EXPLAIN_STATE_H

#include "mmu.h"

typedef struct {
  uint32_t base;
  uint16_t limit;
} explain_table_t;

/* An entry's place in the TLB. */
typedef struct {
  bool large;
  uint8_t set, way; /* set is 0 in the large-page array */
} explain_slot_t;

/* Tree pseudo-LRU: bit n is node n. */
typedef struct {
  uint32_t small[MMU_TLB_SETS_MAX], large;
} explain_plru_t;

/* What a device that may cache as it likes translates one page by. */
typedef struct {
  uint8_t kind; /* mmu_recall_t */
  uint8_t page_size;
  uint32_t entry; /* as mmu_memo_t.recall gives it */
} explain_recall_t;

enum { EXPLAIN_RECALLS = 24 };

/* The architectural check level: the TLB is not known, only this of it. */
typedef struct {
  bool unknown; /* else there is the TLB of DESIGN.md 3.6 */
  unsigned n;   /* the next translations, in their order; those that follow are walks */
  explain_recall_t recall[EXPLAIN_RECALLS];
} explain_cache_t;

typedef struct {
  mmu_config_t config;
  explain_cache_t cache;
  uint32_t cr0, cr3, cr4;
  explain_table_t gdtr, idtr;
  mmu_seg_t seg[MMU_SEG_COUNT];
  mmu_tlb_view_t small[MMU_TLB_SETS_MAX][MMU_TLB_WAYS_MAX], large[MMU_TLB_LARGE_MAX];
  explain_plru_t plru;
} explain_state_t;

/* What the reference does not show. */
typedef struct {
  mmu_config_t config;
  explain_table_t gdtr, idtr;
  explain_plru_t plru;
} explain_follow_t;

/* The state after RESET. */
void explain_state_reset(explain_state_t *state, const mmu_config_t *config);
void explain_follow_reset(explain_follow_t *follow, const mmu_config_t *config);

/* A transaction has happened. */
void explain_follow(explain_follow_t *follow, const mmu_req_t *req, const mmu_rsp_t *rsp);

/* Reads the state of the reference. */
void explain_state_read(explain_state_t *state, const mmu_t *mmu, const explain_follow_t *follow);

/* --- the TLB --- */

/* The entry in a slot. */
mmu_tlb_view_t *explain_tlb_at(explain_state_t *state, explain_slot_t slot);

/* The slot that a lookup of laddr matches, the 4 KiB array first. Returns false if there is none. */
bool explain_tlb_find(explain_state_t *state, uint32_t laddr, explain_slot_t *slot);

/* The slot that is filled next with laddr's page: the lowest invalid way, else where the tree points. */
explain_slot_t explain_tlb_victim(explain_state_t *state, uint32_t laddr, bool large);

/* A slot is used: the tree points away from it. */
void explain_plru_touch(explain_plru_t *plru, const mmu_config_t *config, explain_slot_t slot);

/* What is dropped: the entries whose page holds laddr; those that are not global; all. */
void explain_tlb_drop_page(explain_state_t *state, uint32_t laddr);
void explain_tlb_drop_local(explain_state_t *state);
void explain_tlb_drop_all(explain_state_t *state);

#endif
