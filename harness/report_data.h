/*
 * A result of `run`, `replay`, `fuzz` or `sweep` (--json) as `mmu86 report` needs it. The file may be anybody's: what
 * is here has been checked, numbers are counts, lists are no longer than they say.
 */
#ifndef MMU86_REPORT_DATA_H
#define MMU86_REPORT_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  REPORT_DIFFERENCES = 32,
  REPORT_SKIPPED = 64,  /* what was not compared */
  REPORT_SHARES = 64,   /* origins, fault vectors */
  REPORT_POINTS = 1024, /* of the timeline */
  REPORT_CLASSES = 16,  /* of transactions */
  REPORT_BINS = 256,    /* of a class's histogram */
  REPORT_RUNS = 4096,   /* of pages */
  REPORT_GROUPS = 128,  /* of coverage */
  REPORT_ERROR = 512
};

/* A count that may be missing, or untold: null. */
typedef struct {
  bool there, untold;
  uint64_t n;
} report_count_t;

typedef struct {
  const char *name;
  uint64_t references, faults;
  report_count_t tlb_misses, walks;
} report_origin_t;

typedef struct {
  const char *name;
  uint64_t n;
} report_share_t;

/* Something that was not compared. */
typedef struct {
  const char *name, *reason;
} report_gap_t;

/* What happened up to the end of a point, since the one before it. */
typedef struct {
  uint64_t last; /* transactions done at its end */
  uint64_t hits, misses, walks, faults, cycles;
  uint32_t entries_4k, entries_4m;
} report_point_t;

typedef struct {
  bool there, has_misses, has_walks, has_cycles, has_entries;
  uint64_t every;
  unsigned n;
  report_point_t point[REPORT_POINTS];
} report_timeline_t;

typedef struct {
  uint32_t first, last; /* clock cycles */
  uint64_t n;
} report_bin_t;

typedef struct {
  const char *name;
  uint64_t transactions, cycles;
  unsigned n;
  report_bin_t bin[REPORT_BINS]; /* ascending */
} report_class_t;

typedef struct {
  uint32_t laddr, paddr, table, pages, pieces;
  bool large, user, writable, global;
} report_run_t;

typedef struct {
  bool there, paging;
  uint32_t directory;
  uint64_t tables, pages_4k, pages_4m, left_out;
  unsigned n;
  report_run_t run[REPORT_RUNS];
} report_mapping_t;

typedef struct {
  const char *name;
  uint64_t bins, hit, unreachable;
} report_group_t;

typedef struct {
  bool there;
  unsigned n, n_code;
  report_group_t group[REPORT_GROUPS]; /* functional coverage */
  report_group_t code[4];              /* of the RTL's and the model's code */
} report_coverage_t;

/* Text is the file's: it lives as long as its JSON, and is NULL if it is not there. */
typedef struct {
  const char *command, *verdict, *stop, *dut, *image, *check;
  const char *wave, *trace; /* of the failure, or of the run; recorded */
  const char *difference[REPORT_DIFFERENCES];
  unsigned n_differences;
  const char *report, *request, *answer_model, *answer_dut, *judgement; /* of a mismatch */
  report_gap_t skipped[REPORT_SKIPPED];
  unsigned n_skipped;
  report_count_t instructions, transactions, references, tlb_hits, tlb_misses, walks, faults, mismatches, dut_cycles;
  report_count_t dut_translations;
  report_count_t tlb_sets, tlb_ways, tlb_large;
  bool own_caching; /* then the TLB's geometry is what stimulus is made for */
  unsigned n_origins, n_vectors, n_classes;
  bool has_origins;
  report_origin_t origin[REPORT_SHARES];
  report_share_t vector[REPORT_SHARES];
  bool has_classes;
  report_class_t class[REPORT_CLASSES];
  report_timeline_t timeline;
  report_mapping_t mapping;
  report_coverage_t coverage;
} report_data_t;

/*
 * Reads a result. Returns NULL and one line in error, which may quote the file, without its name, if it is none. The
 * caller frees with free, before it drops root.
 */
report_data_t *report_data_read(const json_t *root, char error[REPORT_ERROR]);

/*
 * Reads coverage: a result's own, what `mmu86 coverage report --json` or `make coverage` writes. Returns false as
 * above.
 */
bool report_coverage_read(report_coverage_t *coverage, const json_t *root, char error[REPORT_ERROR]);

/* Of report_data_read's parts, in report_record.c: the keys timeline, cycle_histogram and page_tables. */
bool report_record_read(report_data_t *data, const json_t *root, char error[REPORT_ERROR]);

/*
 * Values by key, checked. What is missing or null is false, zero or NULL; the functions return false and a line in
 * error for what is there and of another kind.
 */
bool report_count(const json_t *object, const char *key, report_count_t *count, char error[REPORT_ERROR]);
bool report_text(const json_t *object, const char *key, const char **text, char error[REPORT_ERROR]);
bool report_number(const json_t *object, const char *key, uint64_t max, uint64_t *number, char error[REPORT_ERROR]);
bool report_flag(const json_t *object, const char *key, bool *flag, char error[REPORT_ERROR]);

/* A member that has to be an object or array (of at most max elements) if it is there; *value is NULL if not. */
bool report_part(const json_t *object, const char *key, json_type type, size_t max, json_t **value,
                 char error[REPORT_ERROR]);

/* Says what is wrong with a key. Returns false. */
bool report_refuse(char error[REPORT_ERROR], const char *key, const char *why);

#endif
