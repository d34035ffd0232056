/*
 * What is known of a transaction at the architectural check level: nobody knows what the device has cached, but its
 * answer tells which translations it used, and the history which it might have.
 */
#ifndef MMU86_EXPLAIN_LEGAL_H
#define MMU86_EXPLAIN_LEGAL_H

#include "explain.h"
#include "oracle.h"

/* Translations of a page that are remembered, the rest being left out. */
enum { EXPLAIN_LEGAL_PAGES = 12 };

/* A page of the transaction. */
typedef struct {
  uint32_t laddr;
  unsigned n, more; /* in page; left out */
  history_page_t page[EXPLAIN_LEGAL_PAGES];
} explain_choices_t;

typedef struct {
  bool known; /* the answer was judged; else the device did not give any */
  oracle_verdict_t verdict;
  unsigned n_used; /* known and not ORACLE_WRONG */
  oracle_used_t used[ORACLE_USED_MAX];
  unsigned n_choices;
  explain_choices_t choices[EXPLAIN_PAGES]; /* just before the transaction */
} explain_legal_t;

/* After a transaction: the verdict and what was used. */
void explain_legal_judged(explain_legal_t *legal, const oracle_t *oracle, oracle_verdict_t verdict);

/* Whether the answer was judged and is legal. */
bool explain_legal_is(const explain_legal_t *legal);

/*
 * Before the transaction: the TLB's state for explain. What was used is taken from legal if it was legal; else all is
 * walked, as memory has it.
 */
void explain_legal_recall(const explain_legal_t *legal, explain_cache_t *cache);

/* Before the transaction, once it is explained: since when which translations of its pages have been legal. */
void explain_legal_choices(explain_legal_t *legal, const history_t *history, const explanation_t *explanation);

/* Whether a translation is one that the device has used for a page. */
bool explain_legal_was_used(const explain_legal_t *legal, uint32_t laddr, const history_page_t *page);

/* As explain_differs: TLB events are not compared, and what is not legal has nothing to be compared with. */
unsigned explain_legal_differs(const explain_legal_t *legal, const explanation_t *explanation, const mmu_rsp_t *model);

#endif
