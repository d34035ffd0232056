/*
 * What history.c keeps and history_pages.c looks at.
 */
#ifndef MMU86_HISTORY_PRIV_H
#define MMU86_HISTORY_PRIV_H

#include "history.h"
#include "x86.h"

/* Low bits of a moment: what it was, then a count within the transaction, then the transaction. */
enum { EVENT_BITS = 3, COUNT_BITS = 21, SEQUENCE_SHIFT = EVENT_BITS + COUNT_BITS };

enum { PAGES = 1 << 20, REGIONS = 1 << 10, ENTRIES = 1024, SPELLS_FORGOTTEN = 1 << 20, DIRECTORIES = 256, WALKS = 256 };

static const uint32_t FRAME = 0xFFFFF000u;

/* The time in which an entry had one value. */
typedef struct {
  uint32_t value;
  uint32_t next; /* the one before it; 0: none */
  moment_t from, to;
} spell_t;

/* A frame that is, or was, a directory or a table: the latest spell of each entry; 0: memory says. */
typedef struct {
  bool directory;
  uint32_t spell[ENTRIES];
} frame_t;

typedef struct {
  uint32_t cr3; /* frame */
  moment_t first, last;
} directory_t;

typedef struct {
  uint32_t laddr, entry;
  uint8_t page_size;
  moment_t when;
} walk_t;

/* The last invalidation, and the one before it, for requests that were accepted in between. */
typedef struct {
  moment_t last, before;
} last_two_t;

/* An invalidation of directory entries: all of them, or a region's. */
typedef struct {
  moment_t when;
  uint32_t region; /* REGIONS: all */
} drop_t;

struct history {
  const world_t *world;
  mmu_config_t config;
  moment_t now;
  uint32_t cr3, cr4;
  frame_t *frame[PAGES];
  uint32_t *watched; /* the frames that are in it */
  uint32_t n_watched, watched_room;
  spell_t *spell; /* [0] is not used */
  uint32_t n_spells, room;
  directory_t directory[DIRECTORIES]; /* the current one is the last */
  unsigned n_directories;
  walk_t walk[WALKS]; /* the latest ones */
  unsigned n_walks;
  drop_t *upper; /* the invalidations of what is cached of directories, in order */
  uint32_t n_upper, upper_room;
  moment_t all, local;
  last_two_t page[PAGES], region[REGIONS];
};

static inline uint32_t history_entry(const history_t *h, uint32_t paddr) {
  return (uint32_t)world_read(h->world, paddr, 4);
}

/* The place of what is watched at an address. */
static inline frame_t *const *history_frame(const history_t *h, uint32_t paddr) {
  return &h->frame[memmap_masked(&h->world->map, paddr) >> 12];
}

#endif
