/*
 * Random stimulus at the MMU's port: page tables, segments, accesses, register writes and invalidations, without a CPU.
 *
 * Everything lives in the first 4 MiB of physical memory, which each page directory maps to itself by a page table that
 * is rarely harmed, so that descriptor loads mostly succeed. Data pages are drawn from a small hot set that crowds a
 * few TLB sets. Tables are rewritten under live entries, with and without the invalidation that software owes.
 */
#ifndef MMU86_STIMULUS_H
#define MMU86_STIMULUS_H

#include "rig.h"
#include "rng.h"

enum { STIMULUS_HOT = 28, STIMULUS_STANDARD = 13, STIMULUS_RAM_MIN = 8 << 20 };

typedef struct {
  rig_t *rig; /* not owned; at least STIMULUS_RAM_MIN bytes of memory */
  rng_t rng;
  uint64_t done;               /* requests made */
  uint32_t hot[STIMULUS_HOT];  /* linear addresses of the pages that most accesses go to */
  bool paging, protected_mode; /* what CR0 was last set to */
} stimulus_t;

/* Starts a stream. Makes the first requests. Returns false if the two sides differ at once. */
bool stimulus_start(stimulus_t *stimulus, rig_t *rig, uint64_t seed);

/* Makes one request, or a store and a request. Returns false once the two sides differ. */
bool stimulus_step(stimulus_t *stimulus);

/* Parts of the stimulus, for stimulus.c: tables (stimulus_tables.c). */

/* Physical and linear address of the GDT and LDT (they straddle pages), of the first page directory. */
enum {
  GDT_BASE = 0x4f04,
  GDT_COUNT = 64,
  LDT_BASE = 0x6ff4,
  LDT_COUNT = 16,
  IDT_BASE = 0x8000,
  PD_BASE = 0x10000,
  PD_COUNT = 4
};

/* Writes all page directories, page tables, descriptors anew. */
void stimulus_write_tables(stimulus_t *stimulus);

/* Rewrites one paging-structure entry that a hot page uses. Returns a linear address it maps. */
uint32_t stimulus_change_entry(stimulus_t *stimulus);

/* Rewrites one descriptor of the GDT or LDT. */
void stimulus_change_descriptor(stimulus_t *stimulus);

#endif
