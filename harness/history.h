/*
 * Which translations have been legal since when: the paging structures' entries over time, and the invalidations.
 *
 * A device may use a translation that memory held at some moment since the last invalidation that covered it. For that,
 * each change of an entry that belongs to a page directory or page table in use is kept with the time of its coming and
 * going. Entries that never changed cost nothing: they are what memory holds.
 *
 * Time is a count of events with the number of the transaction in its upper bits, so that each moment can be named.
 *
 * Where it allows more than the architecture does: a directory that CR3 has left and come back to counts as in use in
 * between, for global pages; so does a value that an entry had twice.
 *
 * Source: "Caching Translation Information": "Information in the TLBs", "Paging-Structure Caches", "Operations that
 * Invalidate TLBs and Paging-Structure Caches", "Global Pages".
 */
#ifndef MMU86_HISTORY_H
#define MMU86_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu.h"
#include "world.h"

/* What an event was: the low bits of a moment. */
typedef enum {
  HISTORY_CHANGE = 0, /* of memory */
  HISTORY_INVLPG = 1,
  HISTORY_FAULT = 2, /* a page fault, which drops what is cached of its page */
  HISTORY_LOCAL = 3, /* all but global pages: MOV to CR3 */
  HISTORY_ALL = 4,   /* MOV to CR0 or CR4, RESET */
} history_event_t;

typedef uint64_t moment_t;
static const moment_t HISTORY_NEVER = UINT64_MAX; /* an end that has not come */

/* The transaction in which a moment was, and what was then. */
uint64_t history_sequence(moment_t moment);
history_event_t history_event(moment_t moment);
const char *history_event_name(history_event_t event);

typedef struct history history_t;

/*
 * world: the reference's memory, read only. config: the device's: upper_cached, pat_reserved count. Returns NULL
 * without memory.
 */
history_t *history_create(const world_t *world, const mmu_config_t *config);
void history_destroy(history_t *history);

/* The last moment so far. */
moment_t history_now(const history_t *history);

/* The number of the transaction that the next events belong to. */
void history_set_sequence(history_t *history, uint64_t sequence);

/* Whether memory at paddr, in a 4 KiB page, is of a page directory or page table. */
bool history_watches(const history_t *history, uint64_t paddr);

/* The n bytes from paddr have just changed, in one 4 KiB page. before: what was there until now. */
void history_changed(history_t *history, uint64_t paddr, unsigned n, const uint8_t *before);

/* The memory map has just changed; before: what it was. */
void history_remapped(history_t *history, const memmap_t *before);

/* CR3 and CR4 are now these. To be called before the invalidation that comes with that. */
void history_set_registers(history_t *history, uint32_t cr3, uint32_t cr4);

/* An invalidation: of laddr's page (INVLPG, a page fault), or of more. */
void history_invalidated(history_t *history, history_event_t event, uint32_t laddr);

/*
 * A walk that other stores overlapped has found this, which may be in no moment's memory as a whole. begun: the moment
 * of its first reference (history_now): an invalidation since then forbids to cache it.
 */
void history_walked(history_t *history, uint32_t laddr, uint32_t entry, uint8_t page_size, moment_t begun);

/* A translation of a page, or (HISTORY_TABLE) a directory entry that names its page table. */
typedef struct {
  uint32_t entry;    /* as mmu_memo_t.recall gives it */
  uint8_t page_size; /* mmu_page_size_t */
  bool table;
  moment_t from, to;  /* memory held it then; to: HISTORY_NEVER if it still does */
  moment_t forbidden; /* the invalidation since which it is illegal; 0: it is legal */
} history_page_t;

enum { HISTORY_PAGES_MAX = 64 };

/*
 * The translations of laddr's page that a request may use which was accepted at a moment: what was invalidated since
 * then need not be. Those of now first, without equal ones. illegal: those that an invalidation
 * forbids as well, as far as they are remembered. Returns their number, at most HISTORY_PAGES_MAX; more are left out.
 */
unsigned history_pages(const history_t *history, uint32_t laddr, moment_t accepted, bool illegal,
                       history_page_t pages[HISTORY_PAGES_MAX]);

/* The translation that memory holds now and that may be cached: all its A are set. false: there is none. */
bool history_fresh(const history_t *history, uint32_t laddr, uint32_t *entry, uint8_t *page_size);

#endif
