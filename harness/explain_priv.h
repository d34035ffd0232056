/*
 * The explainer at work; private to explain_*.c.
 *
 * Each operation is written as the list of its checks, straight down: after the first check that fails the rest is
 * noted as not reached, and what is read, written or installed is left undone.
 */
#ifndef MMU86_EXPLAIN_PRIV_H
#define MMU86_EXPLAIN_PRIV_H

#include <stddef.h>

#include "explain.h"
#include "x86.h"

typedef struct {
  explanation_t *out;
  explain_state_t *state; /* out->after, as it becomes */
  const world_t *memory;  /* before the transaction; what it has written is in out->rsp.mem */
  const mmu_req_t *req;
  mmu_rsp_t *rsp;
  int8_t page;       /* whose steps are being made; -1: none */
  bool over;         /* a check has failed */
  unsigned recalled; /* translations so far, with a TLB that is not known */
} explain_t;

/* What a check asks, and what follows if it fails. */
typedef struct {
  explain_check_t check;
  uint8_t vector;
  uint16_t error_code;
  const char *rule, *section;
  const char *otherwise; /* no fault, but this; NULL: the fault */
} explain_rule_t;

/* Makes a step of a check. values: printed only if it is reached. Returns true if it was reached and passes. */
__attribute__((format(printf, 4, 5))) bool explain_check(explain_t *x, explain_rule_t rule, bool passes,
                                                         const char *values, ...);

/* Makes a step of something that happens; none if it is not reached. Returns true if it was reached. */
__attribute__((format(printf, 3, 4))) bool explain_done(explain_t *x, const char *what, const char *values, ...);

/*
 * Memory as it is now, without a reference; and references, size 1..8 within a page. None if not reached.
 * An update writes data only if memory still holds what it was made from; returns false if it is lost.
 */
uint64_t explain_peek(const explain_t *x, uint32_t paddr, unsigned size);
uint64_t explain_read(explain_t *x, mmu_mem_kind_t kind, uint32_t paddr, unsigned size);
bool explain_update(explain_t *x, mmu_mem_kind_t kind, uint32_t paddr, unsigned size, uint64_t expected, uint64_t data);

/* --- paging (explain_paging.c) --- */

/* What of an access is translated. */
typedef struct {
  const char *what; /* see explain_page_t */
  uint8_t part, access, who;
  uint32_t laddr;
} explain_asked_t;

/* Translates one page, through the TLB. Returns the page's record; its `done` tells if there is a translation. */
const explain_page_t *explain_translate(explain_t *x, explain_asked_t asked);

/* A supervisor read of size 2 or 8 bytes: all pages are translated before any byte is read. 0 if not reached. */
uint64_t explain_system_read(explain_t *x, const char *what, mmu_mem_kind_t kind, uint32_t laddr, unsigned size);

/* What memory's tables say now of laddr's page, without effects. Returns false if it is not mapped. */
bool explain_peek_page(const explain_t *x, uint32_t laddr, uint32_t *paddr);

/* --- attributes --- */

static inline bool attr_is_system(unsigned attr) {
  return !(attr & MMU_ATTR_S);
}
static inline bool attr_is_code(unsigned attr) {
  return attr & MMU_ATTR_S && attr & MMU_ATTR_CODE;
}
static inline bool attr_is_data(unsigned attr) {
  return attr & MMU_ATTR_S && !(attr & MMU_ATTR_CODE);
}
static inline bool attr_is_conforming(unsigned attr) {
  return attr_is_code(attr) && attr & MMU_ATTR_CONFORMING;
}
static inline bool attr_reads(unsigned attr) {
  return attr_is_data(attr) || (attr_is_code(attr) && attr & MMU_ATTR_READABLE);
}
static inline bool attr_writes(unsigned attr) {
  return attr_is_data(attr) && attr & MMU_ATTR_WRITABLE;
}
static inline unsigned attr_dpl(unsigned attr) {
  return attr >> MMU_ATTR_DPL_SHIFT & 3;
}

/* A system descriptor of one of these types? types: bit n for type n. */
static inline bool attr_is_type(unsigned attr, unsigned types) {
  return attr_is_system(attr) && types >> (attr & MMU_ATTR_TYPE) & 1;
}

/* --- descriptors (explain_place.c) --- */

/* The hidden part that a descriptor stands for. */
mmu_seg_t explain_unpack(uint64_t descriptor, uint16_t selector);

/* Where the descriptor of a selector is. */
explain_place_t explain_find(const explain_t *x, uint16_t selector);

/* Reads the descriptor or gate at a place: translations, reference, the response's field. 0 if not reached. */
uint64_t explain_read_place(explain_t *x, explain_place_t *place, const char *what);

/* ACCESS: where the descriptor of the register's selector stands, as memory holds it now. */
void explain_peek_place(explain_t *x, uint16_t selector);

/* --- the operations --- */

void explain_access(explain_t *x);
void explain_system(explain_t *x);
void explain_load(explain_t *x);
void explain_verify(explain_t *x);
void explain_gate(explain_t *x);
void explain_io(explain_t *x);
void explain_mark(explain_t *x);
void explain_set(explain_t *x);
void explain_commit(explain_t *x);
void explain_write_cr(explain_t *x);
void explain_load_table(explain_t *x);
void explain_invlpg(explain_t *x);

#endif
