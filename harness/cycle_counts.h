/*
 * How many clock cycles transactions take, by what the MMU had to do for them.
 */
#ifndef MMU86_CYCLE_COUNTS_H
#define MMU86_CYCLE_COUNTS_H

#include "mmu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ACCESS and SYSTEM by the TLB's events, if there are any, and by the references of their walks, both pages of an
 * operand together. */
typedef enum {
  CYCLES_HIT = 0,
  CYCLES_WALK_1, /* a walk of one reference to memory, ... */
  CYCLES_WALK_2,
  CYCLES_WALK_3,
  CYCLES_WALK_4,
  CYCLES_WALK_MORE,
  CYCLES_UNTRANSLATED, /* paging is off, or the segment check has failed; a hit too, of a device that tells no events */
  CYCLES_TABLE,        /* descriptors, gates, I/O bitmap */
  CYCLES_CONTROL,
  CYCLES_CLASSES
} cycles_class_t;

/* Cycles below CYCLES_EXACT have a bin each; above, each octave has CYCLES_PARTS, up to the last. */
enum {
  CYCLES_EXACT = 64,
  CYCLES_PARTS = 8,
  CYCLES_OCTAVES = 14,
  CYCLES_BINS = CYCLES_EXACT + CYCLES_PARTS * CYCLES_OCTAVES
};

typedef struct {
  uint64_t transactions, cycles; /* sums */
  uint64_t bin[CYCLES_BINS];
} cycles_share_t;

/* Zeroed: empty. */
typedef struct {
  cycles_share_t share[CYCLES_CLASSES];
} cycle_counts_t;

/* The bin of a number of cycles, and the numbers that a bin has. */
unsigned cycles_bin(uint64_t cycles);
uint64_t cycles_first(unsigned bin);
uint64_t cycles_last(unsigned bin); /* the last bin has all that is more, too */

cycles_class_t cycles_class(const mmu_req_t *req, const mmu_rsp_t *rsp);

/* "hit", "walk_2": as in a result. class: less than CYCLES_CLASSES. told: the device tells TLB events. */
const char *cycles_class_name(unsigned class, bool told);

void cycle_counts_add(cycle_counts_t *counts, cycles_class_t class, uint64_t cycles);

#ifdef __cplusplus
}
#endif

#endif
