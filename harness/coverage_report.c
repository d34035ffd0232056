#include "coverage_report.h"

#include <inttypes.h>

double coverage_percent(coverage_count_t count) {
  return count.bins ? 100.0 * count.hit / count.bins : 100;
}

static void print_line(FILE *out, const char *name, coverage_count_t n) {
  fprintf(out, "%-20s %7u %7u %7.2f%% %11u\n", name, n.bins, n.hit, coverage_percent(n), n.unreachable);
}

void coverage_print(FILE *out, const coverage_t *c, bool holes) {
  unsigned groups = coverage_n_groups(c);
  char name[COVERAGE_NAME];
  fprintf(out, "%-20s %7s %7s %8s %11s\n", "group", "bins", "hit", "percent", "unreachable");
  for (unsigned i = 0; i < groups; i++)
    print_line(out, coverage_group(c, i)->name, coverage_count(c, i));
  print_line(out, "all", coverage_count(c, groups));
  fprintf(out, "%" PRIu64 " transactions\n", coverage_transactions(c));
  for (unsigned i = 0; holes && i < coverage_bins(c); i++)
    if (coverage_is_hole(c, i))
      fprintf(out, "hole: %s: %s\n", coverage_group(c, coverage_bin(c, i).group)->name, coverage_bin_name(c, i, name));
}

unsigned coverage_print_violations(FILE *out, const coverage_t *c) {
  unsigned n = 0;
  char name[COVERAGE_NAME];
  for (unsigned i = 0; i < coverage_bins(c); i++) {
    coverage_bin_t bin = coverage_bin(c, i);
    if (!bin.unreachable || bin.hits == 0) continue;
    fprintf(out, "coverage: %s: %s: was hit %" PRIu64 " times, but is declared unreachable: %s\n",
            coverage_group(c, bin.group)->name, coverage_bin_name(c, i, name), bin.hits, bin.unreachable);
    n++;
  }
  return n;
}

static void append(json_t *object, const char *key, const char *name) {
  json_t *list = json_object_get(object, key);
  if (!list) json_object_set_new(object, key, list = json_array());
  json_array_append_new(list, json_string(name));
}

json_t *coverage_json(const coverage_t *c) {
  json_t *groups = json_array(), *group = NULL, *holes = NULL, *unreachable = NULL, *violated = NULL;
  unsigned current = coverage_n_groups(c);
  char name[COVERAGE_NAME];
  for (unsigned i = 0; i < coverage_bins(c); i++) {
    coverage_bin_t bin = coverage_bin(c, i);
    if (bin.group != current) {
      current = bin.group;
      coverage_count_t n = coverage_count(c, current);
      group = json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:o, s:o, s:o}", "name", coverage_group(c, current)->name,
                        "about", coverage_group(c, current)->about, "bins", n.bins, "hit", n.hit, "unreachable_bins",
                        n.unreachable, "percent", coverage_percent(n), "holes", holes = json_array(), "unreachable",
                        unreachable = json_object(), "violated", violated = json_array());
      json_array_append_new(groups, group);
    }
    if (bin.unreachable) append(unreachable, bin.unreachable, coverage_bin_name(c, i, name));
    if (bin.unreachable && bin.hits)
      json_array_append_new(violated, json_string(coverage_bin_name(c, i, name)));
    else if (!bin.unreachable && bin.hits == 0)
      json_array_append_new(holes, json_string(coverage_bin_name(c, i, name)));
  }
  coverage_count_t all = coverage_count(c, coverage_n_groups(c));
  return json_pack("{s:I, s:i, s:i, s:i, s:f, s:o}", "transactions", (json_int_t)coverage_transactions(c), "bins",
                   all.bins, "hit", all.hit, "unreachable_bins", all.unreachable, "percent", coverage_percent(all),
                   "groups", groups);
}
