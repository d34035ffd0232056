/*
 * Functional coverage: which situations of DESIGN.md, section 3, a run has met.
 *
 * A coverage model is declared: groups, each a cross product of dimensions. A bin is one point of it, named by the
 * values of its coordinates. What no stimulus can reach is declared unreachable with a justification; meeting such a
 * bin is an error, of the coverage model or of the MMU. Everything is sampled from outside the reference: the request,
 * the response, and the reference as it was before the transaction.
 *
 * A group's bins need not come from transactions: one without a sample function is hit through coverage_hit by whoever
 * knows better (coverage_find gives its number).
 */
#ifndef MMU86_COVERAGE_H
#define MMU86_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmu.h"
#include "world.h"

enum { COVERAGE_DIMS_MAX = 10, COVERAGE_NAME = 256 };

typedef struct coverage coverage_t;
typedef struct coverage_view coverage_view_t; /* coverage_view.h */

/* How many values a dimension has: a number of its own, or as many as the TLB's geometry says. */
typedef enum {
  COVERAGE_VALUES = 0,
  COVERAGE_SETS,
  COVERAGE_WAYS,
  COVERAGE_LARGE,
  COVERAGE_TREES,       /* states of the pseudo-LRU tree of a set */
  COVERAGE_LARGE_TREES, /* likewise of the large-page array */
} coverage_extent_t;

typedef struct {
  const char *name;
  const char *const *values; /* names without ", "; NULL: numbers from 0 */
  unsigned n;                /* of values, if extent is COVERAGE_VALUES */
  coverage_extent_t extent;
  const char *(*value)(unsigned i); /* names value i, if values is NULL; may be NULL */
} coverage_dim_t;

typedef struct {
  const char *name, *about;
  const coverage_dim_t *dims;
  unsigned n_dims;
  /* Why nothing reaches the bin at these coordinates; NULL if something does. The function may be NULL. */
  const char *(*unreachable)(const unsigned *at);
  /* Hits the bins that a transaction stands for, in group number `group`. NULL: sampled from elsewhere. */
  void (*sample)(coverage_t *coverage, unsigned group, const coverage_view_t *view);
} coverage_group_t;

/* The coverage model of this program: coverage_groups.c. */
extern const coverage_group_t *const coverage_groups[];
extern const unsigned coverage_group_count;

/* One bin, as coverage_bin tells it. */
typedef struct {
  unsigned group;
  unsigned at[COVERAGE_DIMS_MAX];
  uint64_t hits;
  const char *unreachable; /* the justification; NULL: reachable */
} coverage_bin_t;

/* What a group amounts to. */
typedef struct {
  unsigned bins;        /* that are reachable */
  unsigned hit;         /* of bins */
  unsigned unreachable; /* besides */
  unsigned violated;    /* unreachable ones that were hit */
} coverage_count_t;

/*
 * No bin is hit yet. groups: n of them, whose tables outlive the coverage. config: geometry and choices of the MMU.
 * Returns NULL without memory. One per MMU: it follows GDTR, IDTR and replacement bits from RESET on.
 */
coverage_t *coverage_create(const coverage_group_t *const *groups, unsigned n, const mmu_config_t *config);
void coverage_destroy(coverage_t *coverage);

/* The reference's memory, for looking at tables that a transaction did not come to read; never changed. */
void coverage_set_world(coverage_t *coverage, const world_t *world);

/* Around a transaction of the reference: keeps its state of before, then samples all groups. */
void coverage_before(coverage_t *coverage, const mmu_t *mmu);
void coverage_after(coverage_t *coverage, const mmu_t *mmu, const mmu_req_t *req, const mmu_rsp_t *rsp);

/* RESET of the reference has happened. */
void coverage_reset(coverage_t *coverage);

/* Counts one bin of a group; at: a value of each of its dimensions. */
void coverage_hit(coverage_t *coverage, unsigned group, const unsigned *at);

/* Adds hits to a bin, by number, and transactions, as of another run. */
void coverage_add(coverage_t *coverage, unsigned bin, uint64_t hits);
void coverage_add_transactions(coverage_t *coverage, uint64_t transactions);

/* --- looking at it --- */

uint64_t coverage_transactions(const coverage_t *coverage);
unsigned coverage_bins(const coverage_t *coverage); /* of all groups, unreachable ones too */
unsigned coverage_n_groups(const coverage_t *coverage);
const coverage_group_t *coverage_group(const coverage_t *coverage, unsigned group);
mmu_config_t coverage_config(const coverage_t *coverage);

/* Values of a dimension in this geometry. */
unsigned coverage_extent(const coverage_t *coverage, unsigned group, unsigned dim);

/* The number of the group of that name; coverage_n_groups if there is none. */
unsigned coverage_find(const coverage_t *coverage, const char *name);

/* Bin number 0 .. coverage_bins - 1; those of a group follow each other, the last dimension running fastest. */
coverage_bin_t coverage_bin(const coverage_t *coverage, unsigned bin);
bool coverage_is_hole(const coverage_t *coverage, unsigned bin);

/* "write, ss, limit + 1". Returns buf. */
char *coverage_bin_name(const coverage_t *coverage, unsigned bin, char buf[COVERAGE_NAME]);

/* Of one group; of all for group = coverage_n_groups. */
coverage_count_t coverage_count(const coverage_t *coverage, unsigned group);

/* --- files (coverage_file.c): JSON, bins by name --- */

/* Adds the hits of a file to a coverage of the same model. Returns false and one line in error; nothing is added then.
 */
bool coverage_merge_file(coverage_t *coverage, const char *path, char *error, unsigned error_bytes);

/* Makes an empty coverage of the geometry that a file was sampled with. Returns NULL and one line in error. */
coverage_t *coverage_create_for(const char *path, char *error, unsigned error_bytes);

/* Writes it, whole or not at all. Returns false and one line in error. */
bool coverage_write_file(const coverage_t *coverage, const char *path, char *error, unsigned error_bytes);

#endif
