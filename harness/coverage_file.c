/*
 * Coverage files. Bins stand by name, so that a file outlives an order of groups and values but not their names.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "json_file.h"
#include "output.h"

static const char format[] = "mmu86 functional coverage 1";

static json_t *geometry_of(const mmu_config_t *config) {
  return json_pack("{s:i, s:i, s:i}", "sets", config->tlb_sets, "ways", config->tlb_ways, "large", config->tlb_large);
}

bool coverage_write_file(const coverage_t *c, const char *path, char *error, unsigned error_bytes) {
  mmu_config_t config = coverage_config(c);
  json_t *groups = json_object();
  for (unsigned i = 0; i < coverage_n_groups(c); i++)
    json_object_set_new(groups, coverage_group(c, i)->name, json_object());
  for (unsigned i = 0; i < coverage_bins(c); i++) {
    coverage_bin_t bin = coverage_bin(c, i);
    char name[COVERAGE_NAME];
    if (bin.hits == 0) continue;
    json_t *group = json_object_get(groups, coverage_group(c, bin.group)->name);
    json_object_set_new(group, coverage_bin_name(c, i, name), json_integer((json_int_t)bin.hits));
  }
  json_t *root = json_pack("{s:s, s:I, s:o, s:o}", "format", format, "transactions",
                           (json_int_t)coverage_transactions(c), "tlb", geometry_of(&config), "groups", groups);
  bool ok = root && json_write(path, root, error, error_bytes);
  if (!root) snprintf(error, error_bytes, "%s: no memory for the coverage", path);
  json_decref(root);
  return ok;
}

/* Loads a file and looks at its head. Returns NULL and one line in error. */
static json_t *load(const char *path, char *error, unsigned error_bytes) {
  json_error_t why;
  FILE *file = fopen(path, "r");
  if (!file) {
    snprintf(error, error_bytes, "%s: cannot read the coverage: %s", path, strerror(errno));
    return NULL;
  }
  json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
  fclose(file);
  if (!root) {
    snprintf(error, error_bytes, "%s: line %d: not a coverage file: %s", path, why.line, why.text);
    output_plain(error);
    return NULL;
  }
  const char *is = json_string_value(json_object_get(root, "format"));
  if (is && strcmp(is, format) == 0 && json_is_object(json_object_get(root, "groups"))) return root;
  snprintf(error, error_bytes, "%s: not a coverage file of this version (\"%s\")", path, format);
  json_decref(root);
  return NULL;
}

/* The number of the bin of that name among those of a group; coverage_bins if there is none. */
static unsigned bin_named(const coverage_t *c, unsigned group, const char *name, unsigned from) {
  char buf[COVERAGE_NAME];
  unsigned n = coverage_bins(c);
  for (unsigned i = from; i < n; i++)
    if (coverage_bin(c, i).group == group && strcmp(coverage_bin_name(c, i, buf), name) == 0) return i;
  return n;
}

/* Adds one group's hits, or only checks them. The bins of a file that this program wrote are in order: from each one's
 * place the next is looked for. */
static bool add_group(coverage_t *c, const char *path, const char *group_name, json_t *hits, bool check, char *error,
                      unsigned error_bytes) {
  unsigned group = coverage_find(c, group_name), n = coverage_bins(c), at = 0;
  const char *name;
  json_t *value;
  if (group == coverage_n_groups(c) || !json_is_object(hits)) {
    snprintf(error, error_bytes, "%s: \"%s\" is no group of this coverage model", path, group_name);
    output_plain(error);
    return false;
  }
  json_object_foreach(hits, name, value) {
    unsigned bin = bin_named(c, group, name, at);
    if (bin == n && at > 0) bin = bin_named(c, group, name, 0);
    if (bin == n || !json_is_integer(value) || json_integer_value(value) <= 0) {
      snprintf(error, error_bytes, "%s: group \"%s\": \"%s\" is no bin of this coverage model, or has no count", path,
               group_name, name);
      output_plain(error);
      return false;
    }
    at = bin;
    if (!check) coverage_add(c, bin, (uint64_t)json_integer_value(value));
  }
  return true;
}

bool coverage_merge_file(coverage_t *c, const char *path, char *error, unsigned error_bytes) {
  mmu_config_t config = coverage_config(c);
  json_t *root = load(path, error, error_bytes), *geometry = geometry_of(&config), *hits;
  const char *name;
  bool ok = root != NULL;
  if (ok && !json_equal(json_object_get(root, "tlb"), geometry)) {
    snprintf(error, error_bytes, "%s: sampled with a TLB of another geometry", path);
    ok = false;
  }
  for (unsigned check = 1; ok && check <= 1; check--) {
    json_object_foreach(json_object_get(root, "groups"), name, hits) {
      ok = ok && add_group(c, path, name, hits, check, error, error_bytes);
    }
  }
  if (ok) coverage_add_transactions(c, (uint64_t)json_integer_value(json_object_get(root, "transactions")));
  json_decref(geometry);
  json_decref(root);
  return ok;
}

coverage_t *coverage_create_for(const char *path, char *error, unsigned error_bytes) {
  json_t *root = load(path, error, error_bytes);
  if (!root) return NULL;
  mmu_config_t config = mmu_default_config();
  int sets = 0, ways = 0, large = 0;
  json_unpack(json_object_get(root, "tlb"), "{s:i, s:i, s:i}", "sets", &sets, "ways", &ways, "large", &large);
  json_decref(root);
  bool ok = sets >= 1 && sets <= MMU_TLB_SETS_MAX && ways >= 1 && ways <= MMU_TLB_WAYS_MAX && large >= 1 &&
            large <= MMU_TLB_LARGE_MAX;
  if (!ok) {
    snprintf(error, error_bytes, "%s: no TLB has %d sets, %d ways, %d large entries", path, sets, ways, large);
    return NULL;
  }
  config.tlb_sets = (uint8_t)sets, config.tlb_ways = (uint8_t)ways, config.tlb_large = (uint8_t)large;
  coverage_t *c = coverage_create(coverage_groups, coverage_group_count, &config);
  if (!c) snprintf(error, error_bytes, "no memory for the coverage");
  return c;
}
