/*
 * Since when things are as a transaction finds them: who last wrote each table entry it is about, loaded its register,
 * entered its page into the TLB, invalidated it.
 *
 * What to look out for is known once the transaction is explained, so the trace is gone through once more, by the
 * reference alone, and everything that happens is shown to explain_since_*.
 */
#ifndef MMU86_EXPLAIN_SINCE_H
#define MMU86_EXPLAIN_SINCE_H

#include "explain.h"
#include "trace.h"

enum { SINCE_PLACES = 24 };

typedef enum {
  SINCE_START = 0, /* nothing has happened to it: it is as at the start of the trace */
  SINCE_TRANSACTION,
  SINCE_STORE, /* of the guest */
  SINCE_LOAD,  /* of a loader */
  SINCE_RESET,
} since_kind_t;

/* What happened last. */
typedef struct {
  uint8_t kind;         /* since_kind_t */
  uint64_t transaction; /* TRANSACTION: its number; else: of the next one */
  mmu_req_t req;        /* TRANSACTION */
  uint64_t paddr, data; /* STORE, LOAD (data: STORE) */
  uint32_t size;
} since_t;

/* Some bytes of physical memory. */
typedef struct {
  uint32_t paddr;
  uint8_t size, kind; /* bytes; mmu_mem_kind_t */
  since_t written;    /* by software: a store, a loader */
  since_t marked;     /* by the MMU: accessed, dirty, busy bits */
} since_place_t;

/* A page. held: as the TLB held it last. */
typedef struct {
  uint32_t laddr;
  bool large, global;
  mmu_tlb_view_t held;
  since_t entered, left, invalidated;
} since_page_t;

typedef struct {
  mmu_config_t config;
  memmap_t map;
  uint32_t cr0, cr4; /* to know which writes invalidate */
  since_t cr[3];     /* CR0, CR3, CR4 */
  since_t gdtr, idtr;
  since_t seg[MMU_SEG_COUNT];
  since_t staged[MMU_SEG_COUNT]; /* of a register that COMMIT_SEG loaded: who loaded the staging register */
  since_place_t place[SINCE_PLACES];
  unsigned n_places;
  since_page_t page[EXPLAIN_PAGES];
  unsigned n_pages;
} explain_since_t;

/* Whether the register's hidden part came from a descriptor that was read. */
bool since_has_descriptor(const explain_since_t *since, unsigned seg);

/* Begins at the start of the trace: what the explained transaction is about. */
void explain_since_begin(explain_since_t *since, const explanation_t *explanation);

/* A record that is no request, before transaction `next`. */
void explain_since_record(explain_since_t *since, uint64_t next, const trace_record_t *record);

/* A transaction has happened. mmu: the reference, after it. */
void explain_since_transaction(explain_since_t *since, uint64_t number, const mmu_req_t *req, const mmu_rsp_t *rsp,
                               const mmu_t *mmu);

#endif
