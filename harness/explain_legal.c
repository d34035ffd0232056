#include "explain_legal.h"

#include "lockstep.h"

bool explain_legal_is(const explain_legal_t *legal) {
  return legal->known && (legal->verdict == ORACLE_FRESH || legal->verdict == ORACLE_STALE_LEGAL);
}

void explain_legal_judged(explain_legal_t *legal, const oracle_t *oracle, oracle_verdict_t verdict) {
  *legal = (explain_legal_t){.known = true, .verdict = verdict};
  if (verdict != ORACLE_WRONG) legal->n_used = oracle_used(oracle, legal->used);
}

void explain_legal_recall(const explain_legal_t *legal, explain_cache_t *cache) {
  *cache = (explain_cache_t){.unknown = true};
  if (!explain_legal_is(legal)) return;
  for (; cache->n < legal->n_used && cache->n < EXPLAIN_RECALLS; cache->n++) {
    const oracle_used_t *used = &legal->used[cache->n];
    mmu_recall_t kind = used->walked ? MMU_RECALL_NOTHING : used->page.table ? MMU_RECALL_TABLE : MMU_RECALL_PAGE;
    cache->recall[cache->n] = (explain_recall_t){(uint8_t)kind, used->page.page_size, used->page.entry};
  }
}

static void add_page(explain_legal_t *legal, const history_t *history, uint32_t laddr) {
  history_page_t pages[HISTORY_PAGES_MAX];
  for (unsigned i = 0; i < legal->n_choices; i++)
    if ((legal->choices[i].laddr ^ laddr) >> 12 == 0) return;
  if (legal->n_choices == EXPLAIN_PAGES) return;
  explain_choices_t *choices = &legal->choices[legal->n_choices++];
  unsigned n = history_pages(history, laddr, history_now(history), true, pages);
  *choices = (explain_choices_t){.laddr = laddr};
  for (unsigned i = 0; i < n; i++) {
    /* What was used is shown even if it is the last one. */
    bool room = choices->n < EXPLAIN_LEGAL_PAGES - 1;
    if (room || (choices->n < EXPLAIN_LEGAL_PAGES && explain_legal_was_used(legal, laddr, &pages[i])))
      choices->page[choices->n++] = pages[i];
    else
      choices->more++;
  }
}

void explain_legal_choices(explain_legal_t *legal, const history_t *history, const explanation_t *explanation) {
  legal->n_choices = 0;
  for (unsigned i = 0; i < explanation->n_pages; i++) {
    const explain_page_t *page = &explanation->page[i];
    if (page->reached && page->paging) add_page(legal, history, page->laddr);
  }
}

bool explain_legal_was_used(const explain_legal_t *legal, uint32_t laddr, const history_page_t *page) {
  for (unsigned i = 0; i < legal->n_used; i++) {
    const oracle_used_t *used = &legal->used[i];
    if (!used->walked && (used->laddr ^ laddr) >> 12 == 0 && used->page.table == page->table &&
        used->page.entry == page->entry && used->page.page_size == page->page_size)
      return true;
  }
  return false;
}

unsigned explain_legal_differs(const explain_legal_t *legal, const explanation_t *explanation, const mmu_rsp_t *model) {
  return explain_legal_is(legal) ? explain_differs(explanation, model) & ~(unsigned)DIFF_TLB : 0;
}
