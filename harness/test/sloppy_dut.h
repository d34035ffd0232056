/*
 * A DUT that caches as no real one does, within what the architecture allows, and, if it is told to, beyond.
 *
 * It is the reference with a TLB of its own: any number of translations, several of one page, older and newer ones; it
 * drops some at random, recalls any of them, fills some that nobody asked for, and may remember directory entries.
 */
#ifndef MMU86_SLOPPY_DUT_H
#define MMU86_SLOPPY_DUT_H

#include "dut.h"

/* What it forgets to do; 0: it is legal. */
typedef enum {
  SLOPPY_LEGAL = 0,
  SLOPPY_KEEPS_INVLPG = 1,      /* an invalidated page */
  SLOPPY_KEEPS_LARGE = 2,       /* an invalidated large page, unless its first 4 KiB are named */
  SLOPPY_KEEPS_LOCAL = 3,       /* pages that are not global at MOV CR3 */
  SLOPPY_KEEPS_ALL = 4,         /* at MOV CR0, MOV CR4 */
  SLOPPY_KEEPS_FAULT = 5,       /* a page that has faulted */
  SLOPPY_NEIGHBOUR = 6,         /* looks up the page beside, now and then */
  SLOPPY_KEEPS_TABLES = 7,      /* directory entries, at INVLPG of another page */
  SLOPPY_CACHES_UNACCESSED = 8, /* fills what nobody asked for without setting A */
} sloppy_sin_t;

enum { SLOPPY_SINS = 9 };

/* The table; its open gives a device without sins and without a memory of directory entries. */
const dut_ops_t *sloppy_dut(void);

/* What the next devices opened are like. */
void sloppy_choose(void *dut, sloppy_sin_t sin, bool upper_cached, bool stale_faults);

#endif
