/*
 * The state of an MMU and the interfaces between its stations; private to model/mmu.
 *
 * Every address passes seg → tlb → walk → mem:
 *   mmu_seg.c   selector, hidden part, segment check: offset to linear address
 *               mmu_desc.c, mmu_verify.c, mmu_gate.c, mmu_io.c, mmu_task.c: the descriptors and the TSS in memory
 *   mmu_tlb.c   the translations that are remembered
 *   mmu_walk.c  the translations that are in memory; rights, accessed and dirty bits
 *   mmu.c       composes them, and holds the port to memory
 *
 * A station that returns bool returns false when the transaction has ended with the fault that rsp now holds.
 */
#ifndef MMU86_MMU_PRIV_H
#define MMU86_MMU_PRIV_H

#include "mmu.h"
#include "x86.h"

/* Bits of a linear address, or of a paging-structure entry, that name a page or its frame. */
enum { MMU_OFFSET_4K = 0x00000FFF, MMU_OFFSET_4M = 0x003FFFFF };
static const uint32_t MMU_FRAME_4K = 0xFFFFF000u;
static const uint32_t MMU_FRAME_4M = 0xFFC00000u;

/* GDTR or IDTR. */
typedef struct {
  uint32_t base;
  uint16_t limit;
} mmu_table_t;

/* On whose behalf an access is made, as far as paging cares. */
typedef enum {
  MMU_BY_SUPERVISOR = 0,         /* also the hardware's own, implicit accesses at CPL 3 */
  MMU_BY_SUPERVISOR_WITH_AC = 1, /* an explicit access with EFLAGS.AC = 1, which SMAP lets pass */
  MMU_BY_USER = 2,
} mmu_privilege_t;

/*
 * What an access asks of the paging-structure entries on its way, U and W being those of all levels combined, to be
 * served from a TLB entry: of the bits of `mask` exactly those of `need` are 1. A write needs D as well, which a walk
 * sets.
 */
typedef struct {
  uint32_t mask;       /* X86_PTE_U, X86_PTE_W, X86_PTE_D */
  uint32_t need;       /* a part of mask */
  uint16_t error_code; /* of a page fault, but for P and RSVD */
  bool write;
  uint8_t access; /* mmu_access_t */
} mmu_rights_t;

/*
 * The offsets that a segment register lets an access reach, from first to last: its type and limits in the form in
 * which they are asked for at each access. There are none if the register is unusable or of the wrong type.
 */
typedef struct {
  uint64_t first, last;
} mmu_window_t;

/* Beside those of mmu_access_t: any access in virtual-8086 mode, where types do not count. */
enum { MMU_WINDOW_V86 = 3, MMU_WINDOWS = 4 };

/* A translation. */
typedef struct {
  uint32_t paddr;    /* of the byte that was asked for */
  uint32_t pte;      /* the last level's entry, with U and W of all levels combined, and A and D as in memory now */
  uint8_t page_size; /* mmu_page_size_t */
} mmu_page_t;

/* A remembered translation. */
typedef struct {
  uint32_t tag; /* linear address of the page, with bit 0 set; 0 if the entry is invalid */
  uint32_t pte; /* as in mmu_page_t, but G is 0 if CR4.PGE was 0 at the fill */
} mmu_tlb_entry_t;

/* What the use of a way does to its set's pseudo-LRU tree. */
typedef struct {
  uint32_t path; /* the nodes on the way's path */
  uint32_t away; /* those of them that point to the upper half then */
} mmu_plru_touch_t;

/* The shape of one of the two arrays. The large-page array is a single set. */
typedef struct {
  uint32_t page_mask; /* bits of a linear address that name the page */
  uint32_t set_mask;  /* sets - 1 */
  uint32_t ways;
  uint32_t first_entry;                      /* in mmu_tlb_t.entry: its entries follow set by set */
  uint8_t page_size;                         /* mmu_page_size_t */
  mmu_plru_touch_t touch[MMU_TLB_LARGE_MAX]; /* by way */
} mmu_tlb_array_t;

enum {
  MMU_TLB_ENTRIES_MAX = MMU_TLB_SETS_MAX * MMU_TLB_WAYS_MAX + MMU_TLB_LARGE_MAX,
  MMU_TLB_TAG_VALID = 1,
  MMU_TLB_LARGE_TREE = MMU_TLB_SETS_MAX,
  MMU_TLB_TREES,
};

typedef struct {
  mmu_tlb_array_t small, large;
  bool overlap;                   /* since all entries were dropped, a large page was entered that holds one of 4 KiB */
  unsigned entries;               /* of both arrays */
  uint32_t plru[MMU_TLB_TREES];   /* by set, then the large-page array's: bit n is node n of the tree */
  uint8_t last[MMU_TLB_TREES][4]; /* by tree and access: the way used last, where the next use is likely to be */
  mmu_tlb_entry_t entry[MMU_TLB_ENTRIES_MAX];
} mmu_tlb_t;

struct mmu {
  mmu_config_t config;
  mmu_mem_port_t mem;
  mmu_memo_t memo;   /* recall is NULL: none */
  mmu_pager_t pager; /* translate is NULL: none */
  uint32_t cr0, cr3, cr4;
  mmu_rights_t rights[3][3]; /* [mmu_privilege_t][mmu_access_t]: what CR0 and CR4 make of each access */
  mmu_table_t gdtr, idtr;
  mmu_seg_t seg[MMU_SEG_COUNT];
  mmu_window_t window[MMU_SEG_COUNT][MMU_WINDOWS]; /* what seg and CR0.PE make of each access */
  mmu_tlb_t tlb;
};

/* Ends the transaction with a fault. Effects: what a response does not have with a fault becomes 0. Returns false. */
bool mmu_fault(mmu_rsp_t *rsp, uint8_t vector, uint16_t error_code);

/* mem: one logged reference to physical memory of 1..8 bytes within one page. */
uint64_t mmu_mem_read(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, mmu_rsp_t *rsp);
/* Writes what was made from expected. Returns false if memory no longer holds that; nothing is written then. */
bool mmu_mem_update(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, uint64_t expected, uint64_t data,
                    mmu_rsp_t *rsp);

/* A read of the MMU's own, size 1..8: all its pages are translated before any byte is read. *data: zero-extended. */
bool mmu_system_read(mmu_t *mmu, mmu_mem_kind_t kind, uint32_t laddr, unsigned size, uint64_t *data, mmu_rsp_t *rsp);

/* seg: registers after RESET; the operations on registers. */
void mmu_seg_reset(mmu_t *mmu);
void mmu_seg_load(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
void mmu_seg_commit(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
void mmu_seg_set(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

/* seg: derives a register's windows; to be called whenever it or CR0.PE changes. The second: those of all registers. */
void mmu_derive_windows(mmu_t *mmu, unsigned seg);
void mmu_derive_all_windows(mmu_t *mmu);

/* seg: is an operand less aligned than the request asks, where that is a fault? Source: "Control Registers" (AM). */
static inline bool mmu_is_misaligned(const mmu_t *mmu, const mmu_req_t *req, uint32_t laddr) {
  if ((laddr & ((1u << req->align) - 1)) == 0) return false;
  return mmu->cr0 & X86_CR0_AM && mmu->cr0 & X86_CR0_PE && req->ac && req->cpl == 3 && !req->implicit;
}

/* seg: does an ACCESS pass all checks of its segment? *laddr: its linear address, if it does. */
static inline bool mmu_seg_allows(const mmu_t *mmu, const mmu_req_t *req, uint32_t *laddr) {
  const mmu_window_t *window = &mmu->window[req->seg][req->vm ? MMU_WINDOW_V86 : req->access];
  uint64_t first = (uint32_t)req->offset, last = first + req->size - 1;
  *laddr = (uint32_t)(mmu->seg[req->seg].base + first);
  return first >= window->first && last <= window->last && !mmu_is_misaligned(mmu, req, *laddr);
}

/* seg: the fault of an ACCESS that is not allowed. Returns false. */
bool mmu_seg_fault(const mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

/* seg: VERIFY, LOAD_GATE, CHECK_IO, MARK_TASK: what descriptors, gates and the TSS say; no register changes. */
void mmu_verify(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
void mmu_gate_load(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
void mmu_io_check(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);
void mmu_task_mark(mmu_t *mmu, const mmu_req_t *req, mmu_rsp_t *rsp);

/* tlb → walk: the translation of size bytes within a page, remembered or walked for; paging may be off. */
bool mmu_translate(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, unsigned size, mmu_page_t *page,
                   mmu_rsp_t *rsp);

/* tlb: an empty TLB of the configured geometry. */
void mmu_tlb_reset(mmu_t *mmu);

/* How a lookup of the remembered translations ends. */
typedef enum {
  MMU_LOOKUP_SERVED, /* an entry serves the access; it is in *page */
  MMU_LOOKUP_WALK,   /* a walk has to follow; what matched is dropped */
  MMU_LOOKUP_TABLE,  /* a walk has to follow from the directory entry in page->pte */
  MMU_LOOKUP_FAULT,  /* the transaction has ended with a page fault */
} mmu_lookup_t;

mmu_lookup_t mmu_tlb_lookup(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page, mmu_rsp_t *rsp);

static inline void mmu_tlb_log(mmu_rsp_t *rsp, mmu_tlb_kind_t kind, bool large, unsigned set, unsigned way,
                               bool evicted) {
  rsp->tlb[rsp->n_tlb++] = (mmu_tlb_event_t){(uint8_t)kind, large, evicted, (uint8_t)set, (uint8_t)way};
}

/* tlb: enters what a walk has found. */
void mmu_tlb_fill(mmu_t *mmu, uint32_t laddr, const mmu_page_t *page, mmu_rsp_t *rsp);

/* tlb: drops the entries whose page holds laddr; those that are not global; all. */
void mmu_tlb_drop_page(mmu_t *mmu, uint32_t laddr);
void mmu_tlb_drop_local(mmu_t *mmu);
void mmu_tlb_drop_all(mmu_t *mmu);

/* walk: derives mmu->rights from CR0 and CR4; to be called whenever those change. */
void mmu_derive_rights(mmu_t *mmu);

/* tlb: may an entry serve an access with these rights? */
static inline bool mmu_tlb_serves(const mmu_rights_t *rights, uint32_t pte) {
  return (pte & rights->mask) == rights->need;
}

/* walk: may an access with these rights use a page whose combined entry is pte, whatever its D is? */
static inline bool mmu_permits(const mmu_rights_t *rights, uint32_t pte) {
  return mmu_tlb_serves(rights, pte | X86_PTE_D);
}

/* tlb: a way is used: its set's pseudo-LRU tree points away from it. */
static inline void mmu_tlb_use(mmu_tlb_t *tlb, const mmu_tlb_array_t *array, unsigned tree, unsigned way) {
  tlb->plru[tree] = (tlb->plru[tree] & ~array->touch[way].path) | array->touch[way].away;
}

/* tlb: an entry that holds laddr's page serves the access. */
static inline void mmu_tlb_hit(mmu_tlb_t *tlb, bool large, unsigned set, unsigned way, uint32_t laddr, uint32_t pte,
                               mmu_page_t *page, mmu_rsp_t *rsp) {
  uint32_t frame = large ? MMU_FRAME_4M : MMU_FRAME_4K;
  mmu_tlb_log(rsp, MMU_TLB_HIT, large, set, way, false);
  mmu_tlb_use(tlb, large ? &tlb->large : &tlb->small, large ? MMU_TLB_LARGE_TREE : set, way);
  *page = (mmu_page_t){(pte & frame) | (laddr & ~frame), pte, large ? MMU_PAGE_4M : MMU_PAGE_4K};
}

/*
 * tlb: mmu_tlb_lookup where an entry that served this kind of access last does so again. No other entry holds the page,
 * so that it does not matter in what order they are looked at: no two ways of an array do, and while tlb->overlap is
 * not set no page of 4 KiB lies in a large one. false: nothing has happened, mmu_tlb_lookup has to be asked.
 */
static inline bool mmu_tlb_lookup_last(mmu_tlb_t *tlb, const mmu_rights_t *rights, uint32_t laddr, mmu_page_t *page,
                                       mmu_rsp_t *rsp) {
  unsigned set = laddr >> 12 & tlb->small.set_mask, way = tlb->last[set][rights->access];
  const mmu_tlb_entry_t *entry = &tlb->entry[set * tlb->small.ways + way];
  if (entry->tag == ((laddr & MMU_FRAME_4K) | MMU_TLB_TAG_VALID) && mmu_tlb_serves(rights, entry->pte)) {
    mmu_tlb_hit(tlb, false, set, way, laddr, entry->pte, page, rsp);
    return true;
  }
  way = tlb->last[MMU_TLB_LARGE_TREE][rights->access];
  entry = &tlb->entry[tlb->large.first_entry + way];
  if (entry->tag != ((laddr & MMU_FRAME_4M) | MMU_TLB_TAG_VALID) || tlb->overlap) return false;
  if (!mmu_tlb_serves(rights, entry->pte)) return false;
  mmu_tlb_hit(tlb, true, 0, way, laddr, entry->pte, page, rsp);
  return true;
}

/*
 * walk: translates from the paging structures in memory and sets their accessed and dirty bits.
 * pde: a directory entry to go on from, or NULL.
 */
bool mmu_walk(mmu_t *mmu, const mmu_rights_t *rights, uint32_t laddr, const uint32_t *pde, mmu_page_t *page,
              mmu_rsp_t *rsp);

/* walk: ends the transaction with a page fault; why: P, RSVD. Returns false. */
bool mmu_page_fault(mmu_rsp_t *rsp, const mmu_rights_t *rights, uint32_t laddr, uint16_t why);

#endif
