/*
 * The device against itself: while the tables are unchanged, what a request is answered does not depend on what is
 * cached. No reference has a say in it.
 *
 * A batch of ACCESS and SYSTEM requests is made over random tables: cold, that is after writes of CR4 and CR3 that drop
 * everything; warm; after other pages have crowded its TLB sets; after an INVLPG of each of its pages; most of these in
 * another order. The answers to one request must be the same each time: linear and physical addresses, split, page
 * sizes, memory types, fault, vector, error code, CR2. Then entries of its pages change and software invalidates what
 * it has to, by INVLPG, MOV CR3 (where no page is global), CR4.PGE or CR0.PG: what the batch is answered then must be
 * what it is answered cold.
 *
 * Left out: TLB events, and references to memory, since both are what caching is for. Of the references one thing is
 * checked: the first time over the same tables settles the accessed and dirty bits, so that no later answer may come
 * with a write.
 */
#ifndef MMU86_METAMORPHIC_H
#define MMU86_METAMORPHIC_H

#include <stdio.h>

#include "stimulus.h"

enum { METAMORPHIC_BATCH = 24 };

/* One answer, and where it is from. */
typedef struct {
  mmu_rsp_t rsp;
  uint64_t sequence; /* the transaction's number */
  const char *pass;  /* "cold", "warm" ... */
} metamorphic_answer_t;

typedef struct {
  stimulus_t stimulus;
  mmu_req_t req[METAMORPHIC_BATCH];
  metamorphic_answer_t first[METAMORPHIC_BATCH];
  uint64_t batches, compared; /* so far */

  /* The contradiction that has ended it. */
  bool contradicts;
  bool wrote;           /* it is a write, else differences */
  unsigned differences; /* lockstep_diff_t */
  unsigned index;       /* in req and first */
  metamorphic_answer_t other;
} metamorphic_t;

/* Starts as stimulus_start_with does. Requests must not overlap. Returns false if the two sides differ at once. */
bool metamorphic_start(metamorphic_t *m, rig_t *rig, uint64_t seed, const stimulus_knobs_t *knobs);

/* One batch. Returns false once the device contradicts itself (contradicts), or the two sides differ. */
bool metamorphic_batch(metamorphic_t *m);

/* Says what the device has answered when. reproduce: the command line. */
void metamorphic_report(FILE *out, const metamorphic_t *m, const char *reproduce);

#endif
