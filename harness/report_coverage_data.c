/*
 * Coverage in any of its forms, as groups of bins and as shares of code.
 */
#include <string.h>

#include "report_data.h"

static bool read_group(report_group_t *group, const json_t *object, const char *unreachable, char error[REPORT_ERROR]) {
  if (!report_number(object, "bins", UINT32_MAX, &group->bins, error) ||
      !report_number(object, "hit", UINT32_MAX, &group->hit, error) ||
      !report_number(object, unreachable, UINT32_MAX, &group->unreachable, error))
    return false;
  return group->hit <= group->bins || report_refuse(error, "hit", "is more than there are bins");
}

static bool read_groups(report_coverage_t *c, const json_t *groups, char error[REPORT_ERROR]) {
  size_t i;
  json_t *value;
  json_array_foreach(groups, i, value) {
    report_group_t *group = &c->group[c->n++];
    if (!json_is_object(value)) return report_refuse(error, "groups", "has an element that is not an object");
    if (!report_text(value, "name", &group->name, error) || !read_group(group, value, "unreachable_bins", error))
      return false;
    if (!group->name) return report_refuse(error, "groups", "has an element without a name");
  }
  return true;
}

/* A share of the code: {"hit", "total"}. */
static bool read_code(report_coverage_t *c, const json_t *root, const char *key, const char *name,
                      char error[REPORT_ERROR]) {
  json_t *object;
  if (!report_part(root, key, JSON_OBJECT, 16, &object, error)) return false;
  if (!object) return true;
  report_group_t *code = &c->code[c->n_code++];
  code->name = name;
  if (!report_number(object, "total", UINT32_MAX, &code->bins, error) ||
      !report_number(object, "hit", UINT32_MAX, &code->hit, error))
    return false;
  return code->hit <= code->bins || report_refuse(error, key, "has more hits than there are");
}

bool report_coverage_read(report_coverage_t *c, const json_t *root, char error[REPORT_ERROR]) {
  json_t *groups, *functional;
  memset(c, 0, sizeof *c);
  if (!report_part(root, "functional", JSON_OBJECT, 64, &functional, error) ||
      !report_part(functional ? functional : root, "groups", JSON_ARRAY, REPORT_GROUPS, &groups, error) ||
      !read_groups(c, groups, error) || !read_code(c, root, "rtl_line", "RTL, lines", error) ||
      !read_code(c, root, "rtl_branch", "RTL, branches", error) ||
      !read_code(c, root, "rtl_toggle", "RTL, toggles", error) ||
      !read_code(c, root, "model_line", "model, lines", error))
    return false;
  if (functional && !groups) {
    report_group_t *all = &c->group[c->n++];
    all->name = "all groups";
    if (!read_group(all, functional, "unreachable", error)) return false;
  }
  c->there = c->n + c->n_code > 0;
  return c->there || report_refuse(error, "groups", "is missing: this is no coverage");
}
