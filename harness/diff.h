/*
 * What differs between two results of mmu86: two JSON objects, compared by name, value by value.
 *
 * Derived figures (cycles per translation, TLB hit rate, walks and misses per 1000 references) are added wherever an
 * object has what they are made of. The most telling difference comes first.
 */
#ifndef MMU86_DIFF_H
#define MMU86_DIFF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* In the order of telling. */
typedef enum {
  DIFF_FUNCTION,    /* what was translated to what: verdicts, mismatches, faults */
  DIFF_PERFORMANCE, /* how fast, in clock cycles, and what the TLB did */
  DIFF_OTHER,
  DIFF_TIME,    /* wall time and what is made of it: noise */
  DIFF_CONTEXT, /* commands and names of files: no result */
  DIFF_GROUPS
} diff_group_t;

typedef struct {
  char *path; /* names from the root on, separated by slashes */
  diff_group_t group;
  bool by_origin;   /* a share of one origin: told after the whole */
  unsigned rank;    /* within the group; smaller is more telling */
  json_t *a, *b;    /* NULL: not there */
  bool has_percent; /* both are numbers and a is not 0 */
  double percent;   /* change from a to b */
} diff_entry_t;

typedef struct {
  diff_entry_t *entries; /* those that differ, most telling first */
  size_t count, room;
  size_t compared; /* values of all groups but DIFF_CONTEXT, equal ones included */
  size_t differ[DIFF_GROUPS];
} diff_t;

/* Compares two objects. The caller frees with diff_free. Holds references to their values. */
void diff_compare(diff_t *diff, const json_t *a, const json_t *b);

/* True if something differs that is neither time nor context. */
bool diff_matters(const diff_t *diff);

/* Writes the tables: differences, and wall time apart. name_a, name_b: the files' names. */
void diff_print(FILE *out, const diff_t *diff, const char *name_a, const char *name_b);

/* The same for programs: {"a", "b", "same", "compared", "changes": [{"metric", "group", "a", "b", "percent"}]}. */
json_t *diff_to_json(const diff_t *diff, const char *name_a, const char *name_b);

void diff_free(diff_t *diff);

/* In diff_metrics.c: which group and rank a value has, by its path; the rank goes to *rank. */
diff_group_t diff_classify(const char *path, unsigned *rank);

/* In diff_metrics.c: whether a value is compared as one: what is a picture rather than figures. */
bool diff_is_picture(const char *path);

/* In diff_metrics.c: a copy of object with the derived figures added that it has not yet. Only its own level. */
json_t *diff_derive(const json_t *object);

#endif
