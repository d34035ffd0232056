/*
 * What a device may have cached, and what of it it used: at the architectural check level.
 */
#include <inttypes.h>
#include <stdio.h>

#include "explain_show.h"
#include "explain_words.h"
#include "x86.h"

static void show_verdict(const explain_page_out_t *to, const explain_legal_t *legal) {
  static const char *const meanings[] = {"what memory holds", "what memory held since the last invalidation",
                                         "what an invalidation should have dropped",
                                         "what no translation ever was, as far as is remembered"};
  if (!legal->known) {
    to->pen->row(to->out, MARK_BAD, "verdict", "none: the device has not answered");
    return;
  }
  bool bad = legal->verdict == ORACLE_STALE_ILLEGAL || legal->verdict == ORACLE_WRONG;
  show_row(to, bad ? MARK_BAD : MARK_GOOD, "verdict", "%s: %s", oracle_verdict_name(legal->verdict),
           meanings[legal->verdict]);
}

static void show_used(const explain_page_out_t *to, const explain_legal_t *legal) {
  char line[WORDS_LINE];
  for (unsigned i = 0; i < legal->n_used; i++) {
    const oracle_used_t *used = &legal->used[i];
    const history_page_t *page = &used->page;
    bool forbidden = !used->walked && page->forbidden;
    bool table = page->table, large = page->page_size == MMU_PAGE_4M;
    show_row(to, forbidden ? MARK_BAD : MARK_NONE, i ? "" : "the DUT used", "page %08" PRIx32 ": %s%s",
             used->laddr & 0xFFFFF000,
             used->walked ? "what memory holds: it walked"
             : table      ? "a cached page-directory entry, "
                          : "a cached translation, ",
             used->walked ? "" : words_entry(page->entry, table || large, large, line));
  }
  if (legal->n_used == 0) to->pen->row(to->out, MARK_DIM, "the DUT used", "not known");
}

static void show_choice(const explain_page_out_t *to, const explain_legal_t *legal, uint32_t laddr,
                        const history_page_t *page) {
  bool used = explain_legal_was_used(legal, laddr, page), large = page->page_size == MMU_PAGE_4M;
  char line[WORDS_LINE], until[40] = "on", why[80] = "";
  if (page->to != HISTORY_NEVER) snprintf(until, sizeof until, "to %" PRIu64, history_sequence(page->to));
  if (page->forbidden)
    snprintf(why, sizeof why, "; %s in transaction %" PRIu64 " should have dropped it",
             history_event_name(history_event(page->forbidden)), history_sequence(page->forbidden));
  show_row(to, page->forbidden ? used ? MARK_BAD : MARK_DIM : MARK_NONE, page->forbidden ? "  ILLEGAL" : "  legal",
           "%s%08" PRIx32 " %s; in memory from transaction %" PRIu64 " %s%s%s", page->table ? "directory entry " : "",
           page->entry, words_entry(page->entry, page->table || large, large, line), history_sequence(page->from),
           until, why, used ? "; THE DUT USED THIS" : "");
}

void show_legal(const explain_page_out_t *to) {
  const explain_legal_t *legal = to->report->legal;
  if (!legal) return;
  to->pen->section(to->out, "What the DUT may have cached");
  show_verdict(to, legal);
  show_used(to, legal);
  for (unsigned i = 0; i < legal->n_choices; i++) {
    const explain_choices_t *choices = &legal->choices[i];
    show_row(to, MARK_NONE, "translations of", "page %08" PRIx32 "%s", choices->laddr & 0xFFFFF000,
             choices->n ? "" : ": none is remembered; only a walk is legal");
    for (unsigned k = 0; k < choices->n; k++)
      show_choice(to, legal, choices->laddr, &choices->page[k]);
    if (choices->more) show_row(to, MARK_DIM, "", "and %u more", choices->more);
  }
  to->pen->row(to->out, MARK_DIM, "note", "which of them it really holds is not known at this check level");
  to->pen->end_section(to->out);
}
