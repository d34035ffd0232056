/*
 * A transaction as the coverage groups look at it: the state before it and what it did, page by page. Private to
 * coverage*.c.
 */
#ifndef MMU86_COVERAGE_VIEW_H
#define MMU86_COVERAGE_VIEW_H

#include "coverage.h"
#include "x86.h"

enum { COVERAGE_PARTS_MAX = 6, COVERAGE_TREES_MAX = MMU_TLB_SETS_MAX + 1 };

/* What a page of memory is referred to for. */
typedef enum {
  BY_FETCH = 0,
  BY_READ,
  BY_WRITE,
  BY_SYSTEM_READ,
  BY_SYSTEM_WRITE,
  BY_DESCRIPTOR, /* LOAD_SEG */
  BY_ACCESSED,   /* its write of the accessed bit */
  BY_BUSY,       /* likewise of the busy bit */
  BY_MARK,       /* MARK_TASK */
  BY_VERIFY,
  BY_GATE,
  BY_IO_FIELD,
  BY_IO_MAP,
  BY_COUNT,
} coverage_by_t;

typedef enum { PRIVILEGE_USER = 0, PRIVILEGE_SUPERVISOR, PRIVILEGE_IMPLICIT } coverage_privilege_t;

/* An access as paging sees it. */
typedef struct {
  uint8_t access;    /* mmu_access_t */
  uint8_t privilege; /* coverage_privilege_t */
  bool ac;
} coverage_access_t;

/* The part of an operand that lies on one page, and what became of its translation. */
typedef struct {
  coverage_by_t by;
  unsigned part; /* 0, or 1 for what straddles into the second page */
  uint32_t laddr;
  coverage_access_t access;
  const mmu_tlb_event_t *lookup; /* HIT, MISS or RENEW */
  const mmu_tlb_event_t *fill;   /* NULL: no walk, or it faulted */
  bool walked, fault;
  uint32_t pde, pte; /* as the walk read them; pte 0 if it did not */
  bool has_pte;
  bool large;    /* the PDE maps a 4 MiB page */
  bool reserved; /* and has a reserved bit set */
  bool wrote_pde, wrote_pte;
} coverage_part_t;

/* GDTR or IDTR. */
typedef struct {
  uint32_t base;
  uint16_t limit;
} coverage_table_t;

struct coverage_view {
  const mmu_t *before, *after;
  const mmu_req_t *req;
  const mmu_rsp_t *rsp;
  const world_t *world; /* NULL: memory is not looked at */
  mmu_config_t config;
  uint32_t cr0, cr3, cr4; /* before */
  bool real, v86, paging; /* v86: of an operation whose request says so */
  mmu_seg_t seg;          /* register req->seg before; zeroes if it is none */
  mmu_seg_t ldtr, tr;
  coverage_table_t gdtr, idtr;              /* before */
  uint32_t tree[COVERAGE_TREES_MAX];        /* replacement bits before, by set; then the large-page array's */
  bool reads_descriptor, straddles;         /* of LOAD_SEG and VERIFY: it comes to that; over two pages */
  uint32_t descriptor_at;                   /* its linear address */
  coverage_part_t part[COVERAGE_PARTS_MAX]; /* with paging: in the order in which they were translated */
  unsigned n_parts;
};

/* Fills a view's parts and addresses; the fields from before to idtr are there. */
void coverage_view_parts(coverage_view_t *view);

/* Is a descriptor where a selector says, within its table? *laddr: its linear address. */
bool coverage_descriptor(const coverage_view_t *view, uint16_t selector, uint32_t *laddr);

/* DESIGN 3.5: may the access use a page whose levels combined have these bits? */
bool coverage_permits(const coverage_view_t *view, const coverage_access_t *access, bool user, bool writable);

/* What the tables in memory say of a page now. */
typedef enum { PEEK_OK, PEEK_PDE_ABSENT, PEEK_RESERVED, PEEK_PTE_ABSENT, PEEK_RIGHTS } coverage_peek_t;
typedef struct {
  coverage_peek_t what;
  bool large;      /* the PDE is there and maps 4 MiB */
  bool pde_rights; /* the PDE alone forbids the access */
} coverage_page_t;
coverage_page_t coverage_peek(const coverage_view_t *view, uint32_t laddr, const coverage_access_t *access);

/* The entry of an array that holds laddr's page before the transaction. */
bool coverage_tlb_holds(const coverage_view_t *view, bool large, uint32_t laddr, mmu_tlb_view_t *entry);

/* Attributes of a descriptor as read; its type in 0..31: S and the four type bits. */
static inline uint16_t coverage_attr(uint64_t descriptor) {
  return (uint16_t)((descriptor >> 40 & 0xFF) | (descriptor >> 44 & 0xF00));
}
static inline unsigned coverage_type(uint16_t attr) {
  return attr & 0x1F;
}
static inline unsigned coverage_dpl(uint16_t attr) {
  return attr >> MMU_ATTR_DPL_SHIFT & 3;
}

/* Names of the 32 types, in two tables of dimensions that several groups share. */
extern const char *const coverage_type_names[32];
extern const char *const coverage_reason_names[15];

#endif
