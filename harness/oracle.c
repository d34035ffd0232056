#include "oracle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"
#include "x86.h"

/* Translations that one transaction may need, and executions that are tried for one answer. */
enum { CHOICES = ORACLE_USED_MAX, ATTEMPTS = 20000 };

/* One page's translation in an execution: which of its options was taken. */
typedef struct {
  uint32_t laddr;
  unsigned taken, options; /* option 0 is a walk */
  history_page_t page;     /* with taken > 0 */
} choice_t;

/* What a walk has found. */
typedef struct {
  uint32_t laddr, entry;
  uint8_t page_size;
  unsigned first; /* index of its first reference */
} found_t;

struct oracle {
  mmu_t *mmu, *saved;
  mmu_mem_port_t port; /* the reference's own */
  const world_t *world;
  history_t *history;
  unsigned ignored; /* lockstep_diff_t */
  bool guess;       /* the first attempt: what is likely, without a look into the history */
  bool illegal;     /* what invalidations forbid is an option, too */
  const mmu_rsp_t *answer;
  const oracle_seen_t *seen; /* of the answer's references */
  moment_t accepted;
  unsigned referred; /* the answer's references that this attempt has made */
  bool beyond;       /* it has made others as well: those of a killed request that never came */
  choice_t choice[CHOICES];
  unsigned n_choices, planned; /* made in this attempt; of them, given beforehand */
  found_t found[CHOICES];
  unsigned n_found; /* by walks of this attempt */
  unsigned begun;   /* index of the next walk's first reference */
  oracle_stale_t stale;
  uint64_t count[ORACLE_VERDICTS];
};

const char *oracle_verdict_name(oracle_verdict_t verdict) {
  static const char *const names[] = {"fresh", "stale but legal", "STALE, ILLEGAL", "WRONG"};
  return names[verdict];
}

/* --- the reference's memory in an attempt: the device's references as long as they are the same, then as it is --- */

static const mmu_mem_t *next_reference(oracle_t *o, bool write, uint64_t paddr, unsigned size) {
  if (o->referred >= o->answer->n_mem) return NULL;
  const mmu_mem_t *mem = &o->answer->mem[o->referred];
  if (mem->write != write || mem->paddr != paddr || mem->size != size) return NULL;
  o->referred++;
  return mem;
}

/* What memory holds without those of the device's updates that this attempt has not made. */
static uint64_t before_the_rest(const oracle_t *o, uint64_t paddr, unsigned size) {
  uint64_t data = world_read(o->world, paddr, size);
  for (unsigned i = o->answer->n_mem; i-- > o->referred;) {
    const mmu_mem_t *mem = &o->answer->mem[i];
    for (unsigned byte = 0; mem->write && !mem->lost && byte < mem->size; byte++) {
      uint64_t at = mem->paddr + byte - paddr;
      if (at >= size) continue;
      data &= ~(UINT64_C(0xFF) << 8 * at);
      data |= (o->seen[i].held >> 8 * byte & 0xFF) << 8 * at;
    }
  }
  return data;
}

static uint64_t attempt_read(void *ctx, uint64_t paddr, unsigned size) {
  oracle_t *o = ctx;
  const mmu_mem_t *mem = next_reference(o, false, paddr, size);
  if (mem) return mem->data;
  o->beyond = true;
  return before_the_rest(o, paddr, size);
}

static bool attempt_update(void *ctx, uint64_t paddr, unsigned size, uint64_t expected, uint64_t data) {
  (void)data; /* is compared with the response, as is whether the device says that it is lost */
  oracle_t *o = ctx;
  const mmu_mem_t *mem = next_reference(o, true, paddr, size);
  if (mem) return o->seen[mem - o->answer->mem].held == expected;
  o->beyond = true;
  return true;
}

/* --- the choice of a page's translation --- */

/* What is likely: memory's translation, unless the device's next reference is a walk's first. */
static mmu_recall_t likely(oracle_t *o, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  if (o->referred < o->answer->n_mem) {
    const mmu_mem_t *mem = &o->answer->mem[o->referred];
    uint32_t pde_paddr = ((uint32_t)mmu_cr(o->mmu, 3) & 0xFFFFF000) + (laddr >> 22) * 4;
    if (!mem->write && mem->size == 4 && mem->paddr == pde_paddr) return MMU_RECALL_NOTHING;
  }
  return history_fresh(o->history, laddr, entry, page_size) ? MMU_RECALL_PAGE : MMU_RECALL_NOTHING;
}

/*
 * What this attempt's walks have found of laddr's page: stores may have come between a walk's references, and then no
 * moment's memory has it. pages has n, room for HISTORY_PAGES_MAX. Returns how many there are then.
 */
static unsigned add_found(const oracle_t *o, uint32_t laddr, history_page_t *pages, unsigned n) {
  for (unsigned i = 0; i < o->n_found && n < HISTORY_PAGES_MAX; i++) {
    const found_t *f = &o->found[i];
    if ((f->laddr ^ laddr) >> (f->page_size == MMU_PAGE_4M ? 22 : 12)) continue;
    unsigned same = 0;
    while (same < n && (pages[same].entry != f->entry || pages[same].page_size != f->page_size))
      same++;
    if (same < n) continue;
    moment_t when = o->seen[f->first].when;
    pages[n++] = (history_page_t){.entry = f->entry, .page_size = f->page_size, .from = when, .to = when};
  }
  return n;
}

static mmu_recall_t recall(void *ctx, uint32_t laddr, uint32_t *entry, uint8_t *page_size) {
  oracle_t *o = ctx;
  o->begun = o->referred;
  if (o->guess) {
    mmu_recall_t guess = likely(o, laddr, entry, page_size);
    history_page_t page = {.entry = *entry, .page_size = *page_size};
    if (o->n_choices < CHOICES) o->choice[o->n_choices++] = (choice_t){laddr, guess != MMU_RECALL_NOTHING, 1, page};
    return guess;
  }
  if (o->n_choices == CHOICES) return MMU_RECALL_NOTHING;
  history_page_t pages[HISTORY_PAGES_MAX];
  choice_t *choice = &o->choice[o->n_choices++];
  if (o->n_choices > o->planned) *choice = (choice_t){.taken = 0};
  choice->laddr = laddr;
  unsigned remembered = history_pages(o->history, laddr, o->accepted, o->illegal, pages);
  choice->options = 1 + add_found(o, laddr, pages, remembered);
  if (choice->taken == 0 || choice->taken >= choice->options) return MMU_RECALL_NOTHING;
  choice->page = pages[choice->taken - 1];
  *entry = choice->page.entry;
  *page_size = choice->page.page_size;
  return choice->page.table ? MMU_RECALL_TABLE : MMU_RECALL_PAGE;
}

static void walked(void *ctx, uint32_t laddr, uint32_t entry, uint8_t page_size) {
  oracle_t *o = ctx;
  if (o->n_found < CHOICES && !o->beyond) o->found[o->n_found++] = (found_t){laddr, entry, page_size, o->begun};
}

static void dropped(void *ctx, mmu_drop_t what, uint32_t laddr) {
  static const history_event_t events[] = {HISTORY_INVLPG, HISTORY_LOCAL, HISTORY_ALL};
  oracle_t *o = ctx;
  history_set_registers(o->history, (uint32_t)mmu_cr(o->mmu, 3), (uint32_t)mmu_cr(o->mmu, 4));
  history_invalidated(o->history, events[what], laddr);
}

/* Goes on to the next combination of options. Returns false after the last one. */
static bool next_plan(oracle_t *o) {
  unsigned n = o->n_choices;
  while (n > 0 && o->choice[n - 1].taken + 1 >= o->choice[n - 1].options)
    n--;
  if (n == 0) return false;
  o->choice[n - 1].taken++;
  o->planned = n;
  return true;
}

/* --- attempts --- */

static unsigned compare(const oracle_t *o, const mmu_rsp_t *rsp, const mmu_rsp_t *answer, bool cut) {
  if (!cut) return lockstep_compare(rsp, answer) & ~(DIFF_TLB | o->ignored);
  mmu_rsp_t begun = *rsp, whole = *rsp;
  if (answer->n_mem > rsp->n_mem) return DIFF_MEM;
  begun.n_mem = whole.n_mem = answer->n_mem;
  memcpy(whole.mem, answer->mem, answer->n_mem * sizeof *whole.mem);
  return lockstep_compare(&begun, &whole);
}

/* Which requests change registers after they have translated something. */
static bool changes_late(const mmu_req_t *req) {
  return req->op == MMU_OP_LOAD_SEG;
}

static unsigned attempt(oracle_t *o, const mmu_req_t *req, const mmu_rsp_t *answer, bool cut, mmu_rsp_t *rsp) {
  o->n_choices = o->n_found = o->referred = 0;
  o->beyond = false;
  mmu_transact(o->mmu, req, rsp);
  return compare(o, rsp, answer, cut);
}

/* Looks for a legal execution; with illegal, for any that what is remembered allows. Returns the differences of none.
 */
static unsigned search(oracle_t *o, const mmu_req_t *req, const mmu_rsp_t *answer, bool cut, bool illegal,
                       mmu_rsp_t *rsp) {
  unsigned best = ~0u;
  mmu_rsp_t nearest = *rsp;
  o->illegal = illegal;
  o->planned = 0;
  for (unsigned i = 0; i < ATTEMPTS; i++) {
    if (changes_late(req)) memcpy(o->mmu, o->saved, mmu_sizeof());
    unsigned differences = attempt(o, req, answer, cut, rsp);
    if (differences == 0) return 0;
    if ((unsigned)__builtin_popcount(differences) < (unsigned)__builtin_popcount(best)) {
      best = differences;
      nearest = *rsp;
    }
    if (!next_plan(o)) break;
  }
  *rsp = nearest;
  return best;
}

/* The execution that was found uses what an invalidation forbids: notes the first such page. */
static void note_stale(oracle_t *o) {
  for (unsigned i = 0; i < o->n_choices; i++) {
    const choice_t *c = &o->choice[i];
    if (c->taken == 0 || c->page.forbidden == 0) continue;
    o->stale = (oracle_stale_t){c->laddr, c->page};
    return;
  }
}

static oracle_verdict_t judge(oracle_t *o, const mmu_req_t *req, const mmu_rsp_t *answer, bool cut, mmu_rsp_t *rsp,
                              unsigned *differences) {
  if (changes_late(req)) memcpy(o->saved, o->mmu, mmu_sizeof());
  o->guess = true;
  *differences = attempt(o, req, answer, cut, rsp);
  o->guess = false;
  if (*differences == 0) return ORACLE_FRESH;
  if (req->op >= MMU_OP_COMMIT_SEG && req->op <= MMU_OP_INVLPG) return ORACLE_WRONG; /* these translate nothing */
  *differences = search(o, req, answer, cut, false, rsp);
  if (*differences == 0) return ORACLE_STALE_LEGAL;
  mmu_rsp_t other = *rsp;
  if (search(o, req, answer, cut, true, &other) != 0) return ORACLE_WRONG;
  note_stale(o);
  return ORACLE_STALE_ILLEGAL;
}

/* A walk that stores overlapped may have found what memory never held as a whole; it may be cached all the same. */
static void note_walks(oracle_t *o) {
  for (unsigned i = 0; i < o->n_found; i++) {
    const found_t *f = &o->found[i];
    uint32_t entry;
    uint8_t page_size;
    bool fresh = history_fresh(o->history, f->laddr, &entry, &page_size);
    if (!fresh || entry != f->entry || page_size != f->page_size)
      history_walked(o->history, f->laddr, f->entry, f->page_size, o->seen[f->first].when);
  }
}

oracle_verdict_t oracle_judge(oracle_t *o, uint64_t sequence, moment_t accepted, const mmu_req_t *req,
                              const mmu_rsp_t *answer, const oracle_seen_t *seen, bool cut, mmu_rsp_t *rsp,
                              unsigned *differences) {
  assert(!cut || !changes_late(req));
  o->accepted = accepted;
  o->answer = answer;
  o->seen = seen;
  history_set_sequence(o->history, sequence);
  oracle_verdict_t verdict = judge(o, req, answer, cut, rsp, differences);
  o->count[verdict]++;
  if (*differences) return verdict;
  note_walks(o); /* the first page of a killed fetch, too */
  if (cut) return verdict;
  if (rsp->fault && rsp->vector == X86_PF) history_invalidated(o->history, HISTORY_FAULT, (uint32_t)rsp->cr2);
  return verdict;
}

void oracle_glimpse(oracle_t *o, moment_t accepted, const mmu_req_t *req, const mmu_rsp_t *so_far,
                    const oracle_seen_t *seen) {
  mmu_rsp_t rsp;
  unsigned differences;
  if (so_far->n_mem == 0) return;
  o->accepted = accepted;
  o->answer = so_far;
  o->seen = seen;
  judge(o, req, so_far, true, &rsp, &differences);
  if (changes_late(req)) memcpy(o->mmu, o->saved, mmu_sizeof());
  if (differences == 0) note_walks(o); /* else its answer will be accused */
}

/* An entry gets A and D, a descriptor's byte 5 its accessed or busy bit; all else stays as others have stored it. */
static bool is_update(const mmu_mem_t *reference, uint64_t before) {
  uint64_t changed = reference->data ^ before;
  if (reference->size == 4) return (changed & ~(uint64_t)(X86_PTE_A | X86_PTE_D)) == 0 && (changed & before) == 0;
  return reference->size == 1 && (changed & ~UINT64_C(3)) == 0;
}

bool oracle_referred(oracle_t *o, const mmu_mem_t *reference, oracle_seen_t *seen) {
  uint64_t before = world_read(o->world, reference->paddr, reference->size);
  *seen = (oracle_seen_t){history_now(o->history), before};
  if (!reference->write) return before == reference->data;
  if (reference->lost) return true;
  if (!is_update(reference, before)) return false;
  o->port.update(o->port.ctx, reference->paddr, reference->size, before, reference->data);
  uint8_t bytes[8];
  for (unsigned i = 0; i < 8; i++)
    bytes[i] = (uint8_t)(before >> 8 * i);
  history_changed(o->history, reference->paddr, reference->size, bytes);
  return true;
}

static void take_over(oracle_t *o) {
  o->port = mmu_memory(o->mmu);
  mmu_memo_t memo = {.ctx = o,
                     .recall = recall,
                     .walked = walked,
                     .dropped = dropped,
                     .mem = {.ctx = o, .read = attempt_read, .update = attempt_update}};
  mmu_set_memo(o->mmu, &memo);
}

oracle_t *oracle_create(mmu_t *mmu, const world_t *world, const mmu_config_t *config) {
  oracle_t *o = calloc(1, sizeof *o);
  if (!o) return NULL;
  o->mmu = mmu;
  o->world = world;
  o->saved = malloc(mmu_sizeof());
  o->history = history_create(world, config);
  if (o->saved && o->history) {
    take_over(o);
    return o;
  }
  oracle_destroy(o);
  return NULL;
}

void oracle_destroy(oracle_t *o) {
  if (!o) return;
  history_destroy(o->history);
  free(o->saved);
  free(o);
}

void oracle_reset(oracle_t *o) {
  take_over(o);
  history_set_registers(o->history, 0, 0);
  history_invalidated(o->history, HISTORY_ALL, 0);
}

void oracle_ignore(oracle_t *o, unsigned differences) {
  o->ignored = differences;
}

history_t *oracle_history(oracle_t *o) {
  return o->history;
}

oracle_stale_t oracle_stale(const oracle_t *o) {
  return o->stale;
}

unsigned oracle_used(const oracle_t *o, oracle_used_t used[ORACLE_USED_MAX]) {
  for (unsigned i = 0; i < o->n_choices; i++)
    used[i] = (oracle_used_t){o->choice[i].laddr, o->choice[i].taken == 0, o->choice[i].page};
  return o->n_choices;
}

uint64_t oracle_count(const oracle_t *o, oracle_verdict_t verdict) {
  return o->count[verdict];
}
