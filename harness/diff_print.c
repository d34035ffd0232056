/*
 * A comparison of two results as tables and as JSON.
 */
#include <math.h>
#include <string.h>

#include "diff.h"

enum { VALUE_WIDTH = 18, PATH_WIDTH = 52 };

static const char *const group_names[DIFF_GROUPS] = {"function", "performance", "other", "time", "context"};

/* Text of a file as something that any terminal may show: ASCII without control characters, at most room - 1 bytes. */
static void printable(char *out, size_t room, const char *text) {
  size_t n = 0;
  for (; text[n] && n < room - 1; n++)
    out[n] = text[n] < ' ' || text[n] > '~' ? '?' : text[n];
  out[n] = 0;
  if (text[n] && room > 3) memcpy(out + room - 4, "...", 4);
}

static void value_text(char out[VALUE_WIDTH + 1], const json_t *value) {
  size_t room = VALUE_WIDTH + 1;
  if (!value)
    snprintf(out, room, "-");
  else if (json_is_integer(value))
    snprintf(out, room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
  else if (json_is_real(value))
    snprintf(out, room, "%.6g", json_real_value(value));
  else if (json_is_string(value))
    printable(out, room, json_string_value(value));
  else
    snprintf(out, room, "%s",
             json_is_true(value)     ? "true"
             : json_is_false(value)  ? "false"
             : json_is_object(value) ? "{...}"
             : json_is_array(value)  ? "[...]"
                                     : "null");
}

static void row(FILE *out, const diff_entry_t *e) {
  char path[512], a[VALUE_WIDTH + 1], b[VALUE_WIDTH + 1], change[32] = "";
  printable(path, sizeof path, e->path);
  value_text(a, e->a);
  value_text(b, e->b);
  if (e->has_percent && e->percent < 1000)
    snprintf(change, sizeof change, "%+.*f %%", fabs(e->percent) < 0.1 ? 4 : 2, e->percent);
  if (e->has_percent && e->percent >= 1000) snprintf(change, sizeof change, "x %.1f", e->percent / 100 + 1);
  if (!e->a) snprintf(change, sizeof change, "new");
  if (!e->b) snprintf(change, sizeof change, "gone");
  fprintf(out, "  %-*s %*s %*s %12s\n", PATH_WIDTH, path, VALUE_WIDTH, a, VALUE_WIDTH, b, change);
}

/* The rows of one group, those of the whole or those by origin. */
static void rows(FILE *out, const diff_t *d, diff_group_t group, bool by_origin, const char *title) {
  bool headed = false;
  for (size_t i = 0; i < d->count; i++) {
    const diff_entry_t *e = &d->entries[i];
    if (e->group != group || e->by_origin != by_origin) continue;
    if (!headed)
      fprintf(out, "\n  %-*s %*s %*s %12s\n", PATH_WIDTH, title, VALUE_WIDTH, "A", VALUE_WIDTH, "B", "change");
    headed = true;
    row(out, e);
  }
}

static void table(FILE *out, const diff_t *d, diff_group_t group, const char *title) {
  char shares[64];
  snprintf(shares, sizeof shares, "%s, by origin", title);
  rows(out, d, group, false, title);
  rows(out, d, group, true, shares);
}

/* What the two results come from, if that is not the same command. */
static void commands(FILE *out, const diff_t *d) {
  for (size_t i = 0; i < d->count; i++) {
    const diff_entry_t *e = &d->entries[i];
    if (strcmp(e->path, "command") != 0) continue;
    char a[160] = "-", b[160] = "-";
    if (json_is_string(e->a)) printable(a, sizeof a, json_string_value(e->a));
    if (json_is_string(e->b)) printable(b, sizeof b, json_string_value(e->b));
    fprintf(out, "\n  A ran %s\n  B ran %s\n", a, b);
  }
}

void diff_print(FILE *out, const diff_t *d, const char *name_a, const char *name_b) {
  size_t differ = d->differ[DIFF_FUNCTION] + d->differ[DIFF_PERFORMANCE] + d->differ[DIFF_OTHER];
  fprintf(out, "A  %s\nB  %s\n", name_a, name_b);
  commands(out, d);
  table(out, d, DIFF_FUNCTION, "function");
  table(out, d, DIFF_PERFORMANCE, "performance");
  table(out, d, DIFF_OTHER, "other");
  table(out, d, DIFF_TIME, "wall time (noise)");
  fprintf(out, "\nmmu86 diff: %s (%zu of %zu values: %zu of function, %zu of performance, %zu other",
          differ ? "DIFFERENT" : "SAME", differ, d->compared - d->differ[DIFF_TIME], d->differ[DIFF_FUNCTION],
          d->differ[DIFF_PERFORMANCE], d->differ[DIFF_OTHER]);
  fprintf(out, "; time apart)\n");
}

json_t *diff_to_json(const diff_t *d, const char *name_a, const char *name_b) {
  json_t *root = json_object(), *changes = json_array();
  json_object_set_new(root, "a", json_string(name_a));
  json_object_set_new(root, "b", json_string(name_b));
  json_object_set_new(root, "same", json_boolean(!diff_matters(d)));
  json_object_set_new(root, "compared", json_integer((json_int_t)d->compared));
  for (size_t i = 0; i < d->count; i++) {
    const diff_entry_t *e = &d->entries[i];
    json_t *change = json_object();
    json_object_set_new(change, "metric", json_string(e->path));
    json_object_set_new(change, "group", json_string(group_names[e->group]));
    if (e->a) json_object_set(change, "a", e->a);
    if (e->b) json_object_set(change, "b", e->b);
    if (e->has_percent) json_object_set_new(change, "percent", json_real(e->percent));
    json_array_append_new(changes, change);
  }
  json_object_set_new(root, "changes", changes);
  return root;
}
