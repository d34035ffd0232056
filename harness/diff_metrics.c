/*
 * What the names in a result mean: how telling each is, and which figures follow from others.
 */
#include <string.h>

#include "diff.h"

/* Patterns over the names of a path, the most telling first. */
typedef struct {
  const char *name; /* the last name, or with a slash behind it any name above it; *NAME: how the last one ends */
  diff_group_t group;
} metric_t;

static const metric_t metrics[] = {
    {"verdict", DIFF_FUNCTION},
    {"mismatches", DIFF_FUNCTION},
    {"differences/", DIFF_FUNCTION},
    {"mismatch/", DIFF_FUNCTION},
    {"skipped/", DIFF_FUNCTION},
    {"images_identical", DIFF_FUNCTION},
    {"faults_by_vector/", DIFF_FUNCTION},
    {"faults", DIFF_FUNCTION},
    {"stale_illegal", DIFF_FUNCTION},
    {"wrong", DIFF_FUNCTION},
    {"stop", DIFF_FUNCTION},
    {"why", DIFF_FUNCTION},
    {"failed", DIFF_FUNCTION},
    {"guest_exit_code", DIFF_FUNCTION},
    {"resets", DIFF_FUNCTION},
    {"port_log/", DIFF_FUNCTION},
    {"instructions", DIFF_FUNCTION},
    {"unmapped_references", DIFF_FUNCTION},
    {"unmapped_ports", DIFF_FUNCTION},
    {"page_tables", DIFF_FUNCTION},
    {"cycles_per_translation", DIFF_PERFORMANCE},
    {"tlb_hit_rate_percent", DIFF_PERFORMANCE},
    {"walks_per_1000_references", DIFF_PERFORMANCE},
    {"misses_per_1000_references", DIFF_PERFORMANCE},
    {"walks", DIFF_PERFORMANCE},
    {"tlb_misses", DIFF_PERFORMANCE},
    {"tlb_evictions", DIFF_PERFORMANCE},
    {"dut_cycles", DIFF_PERFORMANCE},
    {"tlb_hits", DIFF_PERFORMANCE},
    {"verdicts/", DIFF_PERFORMANCE},
    {"timeline", DIFF_PERFORMANCE},
    {"cycle_histogram/", DIFF_PERFORMANCE},
    {"*_percent", DIFF_OTHER},
    {"seconds", DIFF_TIME},
    {"time", DIFF_TIME},
    {"*_seconds", DIFF_TIME},
    {"*_per_second", DIFF_TIME},
    {"*_per_s", DIFF_TIME},
    {"*_mips", DIFF_TIME},
    {"*_ratio", DIFF_TIME},
    {"command", DIFF_CONTEXT},
    {"image", DIFF_CONTEXT},
    {"wave", DIFF_CONTEXT},
    {"trace", DIFF_CONTEXT},
    {"log", DIFF_CONTEXT},
};

enum { METRICS = sizeof metrics / sizeof *metrics };

/* Whether a path has name/ in it, at the start of a name. */
static bool is_under(const char *path, const char *name) {
  for (const char *at = path; (at = strstr(at, name)); at++)
    if (at == path || at[-1] == '/') return true;
  return false;
}

static bool matches(const char *path, const char *last, const char *pattern) {
  size_t length = strlen(pattern), own = strlen(last);
  if (pattern[0] == '*') return own >= length && strcmp(last + own - (length - 1), pattern + 1) == 0;
  return pattern[length - 1] == '/' ? is_under(path, pattern) : strcmp(last, pattern) == 0;
}

diff_group_t diff_classify(const char *path, unsigned *rank) {
  const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
  for (*rank = 0; *rank < METRICS; ++*rank)
    if (matches(path, last, metrics[*rank].name)) return metrics[*rank].group;
  return DIFF_OTHER;
}

bool diff_is_picture(const char *path) {
  const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
  if (strcmp(last, "counts") == 0) return is_under(path, "cycle_histogram/");
  return strcmp(last, "timeline") == 0 || strcmp(last, "page_tables") == 0;
}

/* A count of an object; false if it has no such number. */
static bool count(const json_t *object, const char *key, double *value) {
  const json_t *number = json_object_get(object, key);
  *value = json_number_value(number);
  return json_is_number(number);
}

static void add(json_t *object, const char *key, double scale, double part, double whole) {
  if (whole > 0 && !json_object_get(object, key)) json_object_set_new(object, key, json_real(scale * part / whole));
}

json_t *diff_derive(const json_t *object) {
  json_t *all = json_object();
  json_object_update(all, (json_t *)object);
  double cycles, transactions, hits, misses, walks, references;
  if (count(all, "dut_cycles", &cycles) &&
      (count(all, "dut_translations", &transactions) || count(all, "transactions", &transactions)))
    add(all, "cycles_per_translation", 1, cycles, transactions);
  bool missed = count(all, "tlb_misses", &misses), refers = count(all, "references", &references);
  if (missed && count(all, "tlb_hits", &hits)) add(all, "tlb_hit_rate_percent", 100, hits, hits + misses);
  if (refers && count(all, "walks", &walks)) add(all, "walks_per_1000_references", 1000, walks, references);
  if (refers && missed) add(all, "misses_per_1000_references", 1000, misses, references);
  return all;
}
