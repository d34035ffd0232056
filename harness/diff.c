#include "diff.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void compare(diff_t *d, const char *path, json_t *a, json_t *b);

static char *join(const char *path, const char *name) {
  size_t bytes = strlen(path) + strlen(name) + 2;
  char *joined = malloc(bytes);
  assert(joined);
  snprintf(joined, bytes, "%s%s%s", path, *path ? "/" : "", name);
  return joined;
}

static void compare_member(diff_t *d, const char *path, const char *name, json_t *a, json_t *b) {
  char *joined = join(path, name);
  compare(d, joined, a, b);
  free(joined);
}

static void compare_objects(diff_t *d, const char *path, const json_t *a, const json_t *b) {
  json_t *with_a = diff_derive(a), *with_b = diff_derive(b), *value;
  const char *key;
  json_object_foreach(with_a, key, value) compare_member(d, path, key, value, json_object_get(with_b, key));
  json_object_foreach(with_b, key, value) if (!json_object_get(with_a, key)) compare_member(d, path, key, NULL, value);
  json_decref(with_a);
  json_decref(with_b);
}

/* What an element of an array is called; NULL: nothing. */
static const char *name_of(const json_t *element) {
  static const char *const keys[] = {"name", "workload", "origin", "id"};
  for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
    const char *name = json_string_value(json_object_get(element, keys[i]));
    if (name) return name;
  }
  return NULL;
}

/* An array as an object: by the elements' names if each has one of its own, else by number. */
static json_t *named(const json_t *array, bool by_name) {
  json_t *object = json_object(), *element;
  size_t i;
  json_array_foreach(array, i, element) {
    char number[24];
    snprintf(number, sizeof number, "%zu", i);
    json_object_set(object, by_name ? name_of(element) : number, element);
  }
  return object;
}

static bool has_names(const json_t *array) {
  json_t *element;
  size_t i;
  json_array_foreach(array, i, element) if (!name_of(element)) return false;
  json_t *object = named(array, true);
  bool distinct = json_object_size(object) == json_array_size(array);
  json_decref(object);
  return distinct;
}

static void compare_arrays(diff_t *d, const char *path, const json_t *a, const json_t *b) {
  bool by_name = has_names(a) && has_names(b);
  json_t *of_a = named(a, by_name), *of_b = named(b, by_name);
  compare_objects(d, path, of_a, of_b);
  json_decref(of_a);
  json_decref(of_b);
}

/* Numbers by value, whatever their kind. */
static bool equal(const json_t *a, const json_t *b) {
  if (!a || !b) return false;
  if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
    return json_number_value(a) == json_number_value(b);
  return json_equal(a, b);
}

static void note(diff_t *d, const char *path, json_t *a, json_t *b) {
  diff_entry_t entry = {.a = json_incref(a), .b = json_incref(b)};
  entry.group = diff_classify(path, &entry.rank);
  if (entry.group != DIFF_CONTEXT) d->compared++;
  if (equal(a, b)) {
    json_decref(a);
    json_decref(b);
    return;
  }
  if (json_is_number(a) && json_is_number(b)) {
    double x = json_number_value(a), y = json_number_value(b);
    entry.has_percent = x != 0;
    if (entry.has_percent) entry.percent = 100 * (y - x) / fabs(x);
  }
  if (d->count == d->room) {
    d->room = d->room ? 2 * d->room : 64;
    d->entries = realloc(d->entries, d->room * sizeof *d->entries);
    assert(d->entries);
  }
  entry.path = join("", path);
  entry.by_origin = strncmp(path, "origins/", 8) == 0 || strstr(path, "/origins/");
  d->differ[entry.group]++;
  d->entries[d->count++] = entry;
}

/* Something short that is the same for the same value, to be told in its place. NULL for NULL. */
static json_t *digest(const json_t *value) {
  if (!value) return NULL;
  char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
  assert(text);
  uint64_t hash = 0xCBF29CE484222325; /* FNV-1a */
  for (const char *c = text; *c; c++)
    hash = (hash ^ (uint8_t)*c) * 0x100000001B3;
  free(text);
  return json_sprintf("digest %08x", (unsigned)(hash ^ hash >> 32));
}

static void compare_digests(diff_t *d, const char *path, const json_t *a, const json_t *b) {
  json_t *of_a = digest(a), *of_b = digest(b);
  note(d, path, of_a, of_b);
  json_decref(of_a);
  json_decref(of_b);
}

/* One side NULL: it is not there. What is only on one side is listed value by value, too. */
static void compare(diff_t *d, const char *path, json_t *a, json_t *b) {
  const json_t *there = a ? a : b;
  bool alike = !a || !b || (json_is_object(a) && json_is_object(b)) || (json_is_array(a) && json_is_array(b));
  if (alike && (json_is_object(there) || json_is_array(there)) && diff_is_picture(path))
    compare_digests(d, path, a, b);
  else if (alike && json_is_object(there) && (json_object_size(a) || json_object_size(b)))
    compare_objects(d, path, a, b);
  else if (alike && json_is_array(there) && (json_array_size(a) || json_array_size(b)))
    compare_arrays(d, path, a, b);
  else
    note(d, path, a, b);
}

/* How large a change is: what is no ratio of two numbers counts as the largest. */
static double size_of(const diff_entry_t *e) {
  return e->has_percent ? fabs(e->percent) : INFINITY;
}

static int most_telling_first(const void *left, const void *right) {
  const diff_entry_t *x = left, *y = right;
  if (x->group != y->group) return x->group < y->group ? -1 : 1;
  if (x->by_origin != y->by_origin) return x->by_origin ? 1 : -1;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  if (size_of(x) != size_of(y)) return size_of(x) > size_of(y) ? -1 : 1;
  return strcmp(x->path, y->path);
}

void diff_compare(diff_t *d, const json_t *a, const json_t *b) {
  assert(json_is_object(a) && json_is_object(b));
  *d = (diff_t){0};
  compare_objects(d, "", a, b);
  if (d->count) qsort(d->entries, d->count, sizeof *d->entries, most_telling_first);
}

bool diff_matters(const diff_t *d) {
  return d->differ[DIFF_FUNCTION] || d->differ[DIFF_PERFORMANCE] || d->differ[DIFF_OTHER];
}

void diff_free(diff_t *d) {
  for (size_t i = 0; i < d->count; i++) {
    free(d->entries[i].path);
    json_decref(d->entries[i].a);
    json_decref(d->entries[i].b);
  }
  free(d->entries);
  *d = (diff_t){0};
}
