/*
 * tlb: the remembered translations, in two arrays: 4 KiB pages by set and way, and large pages, fully associative.
 *
 * An entry holds what a successful walk found. It serves an access only if the rights of now allow that and, for a
 * write, its page is dirty already; else all that matched is dropped and memory decides. So a fault never depends on
 * what was cached; a translation does, until it is invalidated.
 *
 * Both arrays are replaced by tree pseudo-LRU. Nodes 1..ways-1 of a set's tree are in heap order, one bit each, which
 * points to the half that was used less recently: 0 the lower ways, 1 the upper ones.
 *
 * Twin: rtl/mmu_tlb.sv.
 * Source: "Translation Lookaside Buffers (TLBs)", "Invalidation of TLBs and Paging-Structure Caches"; the replacement
 * is that of the Intel486 processor's TLB.
 */
#include <assert.h>
#include <string.h>

#include "mmu_priv.h"

/* One set of one array. */
typedef struct {
  mmu_tlb_entry_t *entry; /* [ways] */
  unsigned ways;
  unsigned tree; /* of pseudo-LRU bits */
  uint8_t index;
} set_t;

static set_t select_set(mmu_tlb_t *tlb, const mmu_tlb_array_t *array, uint32_t laddr) {
  unsigned index = laddr >> 12 & array->set_mask;
  unsigned tree = array->page_size == MMU_PAGE_4M ? MMU_TLB_LARGE_TREE : index;
  return (set_t){&tlb->entry[array->first_entry + index * array->ways], array->ways, tree, (uint8_t)index};
}

/* The way that holds laddr's page; `ways` if there is none. No two ways of a set hold the same page. */
static unsigned match(const set_t *set, const mmu_tlb_array_t *array, uint32_t laddr) {
  uint32_t tag = (laddr & array->page_mask) | MMU_TLB_TAG_VALID;
  unsigned way = 0;
  while (way < set->ways && set->entry[way].tag != tag)
    way++;
  return way;
}

/* What has each node on the path to `way` point away from it. */
static mmu_plru_touch_t touch_of(unsigned way, unsigned ways) {
  mmu_plru_touch_t touch = {0, 0};
  unsigned node = 1;
  for (unsigned half = ways / 2; half > 0; half /= 2) {
    unsigned upper = (way & half) != 0;
    touch.path |= 1u << node;
    if (!upper) touch.away |= 1u << node;
    node = 2 * node + upper;
  }
  return touch;
}

/* The way to fill: the lowest invalid one, else the one that the tree points to. */
static unsigned victim(const mmu_tlb_t *tlb, const set_t *set) {
  for (unsigned way = 0; way < set->ways; way++)
    if (set->entry[way].tag == 0) return way;
  unsigned node = 1;
  while (node < set->ways)
    node = 2 * node + (tlb->plru[set->tree] >> node & 1);
  return node - set->ways;
}

/* Serves the access from an entry that holds its page; drops all that do so if it cannot. */
static bool serve(mmu_t *mmu, const mmu_tlb_array_t *array, const set_t *set, unsigned way, const mmu_rights_t *rights,
                  uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp) {
  bool large = array->page_size == MMU_PAGE_4M;
  uint32_t pte = set->entry[way].pte;
  if (!mmu_tlb_serves(rights, pte)) {
    mmu_tlb_log(rsp, MMU_TLB_RENEW, large, set->index, way, false);
    mmu_tlb_drop_page(mmu, laddr);
    return false;
  }
  mmu->tlb.last[set->tree][rights->access] = (uint8_t)way;
  mmu_tlb_hit(&mmu->tlb, large, set->index, way, laddr, pte, page, rsp);
  return true;
}

static bool lookup_large(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp) {
  const mmu_tlb_array_t *large = &mmu->tlb.large;
  set_t set = select_set(&mmu->tlb, large, laddr);
  unsigned way = match(&set, large, laddr);
  if (way < set.ways) return serve(mmu, large, &set, way, rights, laddr, page, rsp);
  mmu_tlb_log(rsp, MMU_TLB_MISS, false, 0, 0, false);
  return false;
}

/* The same where somebody else remembers. */
static mmu_lookup_t recall(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp) {
  switch (mmu->memo.recall(mmu->memo.ctx, laddr, &page->pte, &page->page_size)) {
  case MMU_RECALL_NOTHING:
    return MMU_LOOKUP_WALK;
  case MMU_RECALL_TABLE:
    return MMU_LOOKUP_TABLE;
  default:
    break;
  }
  uint32_t frame = page->page_size == MMU_PAGE_4M ? MMU_FRAME_4M : MMU_FRAME_4K;
  page->paddr = (page->pte & frame) | (laddr & ~frame);
  if (mmu_tlb_serves(rights, page->pte)) return MMU_LOOKUP_SERVED;
  if (!mmu->config.stale_faults || mmu_permits(rights, page->pte)) return MMU_LOOKUP_WALK;
  mmu_page_fault(rsp, rights, laddr, X86_PF_P);
  return MMU_LOOKUP_FAULT;
}

mmu_lookup_t mmu_tlb_lookup(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp) {
  if (mmu->memo.recall) return recall(mmu, rights, laddr, page, rsp);
  const mmu_tlb_array_t *small = &mmu->tlb.small;
  set_t set = select_set(&mmu->tlb, small, laddr);
  unsigned way = match(&set, small, laddr);
  bool served = way < set.ways ? serve(mmu, small, &set, way, rights, laddr, page, rsp)
                               : lookup_large(mmu, rights, laddr, page, rsp);
  return served ? MMU_LOOKUP_SERVED : MMU_LOOKUP_WALK;
}

/* Is there a small page in the large one to be entered? (The reverse is not met: the lookup would have found that.) */
static bool covers_small(const mmu_tlb_t *tlb, uint32_t laddr) {
  for (unsigned i = 0; i < tlb->large.first_entry; i++)
    if (tlb->entry[i].tag != 0 && ((tlb->entry[i].tag ^ laddr) & MMU_FRAME_4M) == 0) return true;
  return false;
}

void mmu_tlb_fill(mmu_t *mmu, uint32_t laddr, const mmu_page_t *page, mmu_rsp_t *rsp) {
  if (mmu->memo.walked) mmu->memo.walked(mmu->memo.ctx, laddr, page->pte, page->page_size);
  if (mmu->memo.recall || mmu->config.tlb_sets == 0) return;
  bool large = page->page_size == MMU_PAGE_4M;
  const mmu_tlb_array_t *array = large ? &mmu->tlb.large : &mmu->tlb.small;
  set_t set = select_set(&mmu->tlb, array, laddr);
  unsigned way = victim(&mmu->tlb, &set);
  mmu_tlb_entry_t *entry = &set.entry[way];

  if (large && covers_small(&mmu->tlb, laddr)) mmu->tlb.overlap = true;
  mmu_tlb_log(rsp, MMU_TLB_FILL, large, set.index, way, entry->tag != 0);
  entry->tag = (laddr & array->page_mask) | MMU_TLB_TAG_VALID;
  entry->pte = mmu->cr4 & X86_CR4_PGE ? page->pte : page->pte & ~(uint32_t)X86_PTE_G;
  mmu_tlb_use(&mmu->tlb, array, set.tree, way);
}

static void tell(mmu_t *mmu, mmu_drop_t what, uint32_t laddr) {
  if (mmu->memo.dropped) mmu->memo.dropped(mmu->memo.ctx, what, laddr);
}

void mmu_tlb_drop_page(mmu_t *mmu, uint32_t laddr) {
  tell(mmu, MMU_DROP_PAGE, laddr);
  const mmu_tlb_array_t *arrays[] = {&mmu->tlb.small, &mmu->tlb.large};
  for (unsigned i = 0; i < 2; i++) {
    set_t set = select_set(&mmu->tlb, arrays[i], laddr);
    unsigned way = match(&set, arrays[i], laddr);
    if (way < set.ways) set.entry[way].tag = 0;
  }
}

void mmu_tlb_drop_local(mmu_t *mmu) {
  tell(mmu, MMU_DROP_LOCAL, 0);
  for (unsigned i = 0; i < mmu->tlb.entries; i++)
    if (!(mmu->tlb.entry[i].pte & X86_PTE_G)) mmu->tlb.entry[i].tag = 0;
}

void mmu_tlb_drop_all(mmu_t *mmu) {
  tell(mmu, MMU_DROP_ALL, 0);
  for (unsigned i = 0; i < mmu->tlb.entries; i++)
    mmu->tlb.entry[i].tag = 0;
  mmu->tlb.overlap = false;
}

static mmu_tlb_array_t array_of(mmu_page_size_t page_size, unsigned sets, unsigned ways) {
  mmu_tlb_array_t array = {
      .page_mask = page_size == MMU_PAGE_4M ? MMU_FRAME_4M : MMU_FRAME_4K,
      .set_mask = sets - 1,
      .ways = ways,
      .page_size = (uint8_t)page_size,
  };
  for (unsigned way = 0; way < ways; way++)
    array.touch[way] = touch_of(way, ways);
  return array;
}

void mmu_tlb_reset(mmu_t *mmu) {
  const mmu_config_t *config = &mmu->config;
  mmu_tlb_t *tlb = &mmu->tlb;
  memset(tlb, 0, sizeof *tlb);
  tlb->small =
      array_of(MMU_PAGE_4K, config->tlb_sets ? config->tlb_sets : 1, config->tlb_ways); /* without one: empty */
  tlb->large = array_of(MMU_PAGE_4M, 1, config->tlb_large);
  tlb->large.first_entry = tlb->small.ways * (tlb->small.set_mask + 1);
  tlb->entries = tlb->large.first_entry + config->tlb_large;
}

mmu_tlb_view_t mmu_tlb_entry(const mmu_t *mmu, bool large, unsigned set, unsigned way) {
  const mmu_tlb_array_t *array = large ? &mmu->tlb.large : &mmu->tlb.small;
  assert(set <= array->set_mask && way < array->ways);
  const mmu_tlb_entry_t *entry = &mmu->tlb.entry[array->first_entry + set * array->ways + way];
  if (entry->tag == 0) return (mmu_tlb_view_t){.large = large};
  return (mmu_tlb_view_t){
      .valid = true,
      .large = large,
      .global = entry->pte & X86_PTE_G,
      .user = entry->pte & X86_PTE_U,
      .writable = entry->pte & X86_PTE_W,
      .dirty = entry->pte & X86_PTE_D,
      .pcd = entry->pte & X86_PTE_PCD,
      .pwt = entry->pte & X86_PTE_PWT,
      .laddr = entry->tag & array->page_mask,
      .paddr = entry->pte & array->page_mask,
  };
}
