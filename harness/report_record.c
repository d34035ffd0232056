/*
 * The parts of a result that are made for pictures: time, clock cycles, page tables.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_data.h"

/* --- time --- */

/* The values of one key; NULL: it is not there. All lists have the same length. */
static bool read_column(const json_t *object, const char *key, unsigned *n, json_t **list, char error[REPORT_ERROR]) {
  if (!report_part(object, key, JSON_ARRAY, REPORT_POINTS, list, error)) return false;
  if (!*list) return true;
  if (*n && *n != json_array_size(*list)) return report_refuse(error, key, "is longer or shorter than the others");
  *n = (unsigned)json_array_size(*list);
  for (unsigned i = 0; i < *n; i++) {
    const json_t *value = json_array_get(*list, i);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
      return report_refuse(error, key, "has an element that is not a count");
  }
  return true;
}

static uint64_t element(const json_t *list, unsigned i) {
  return (uint64_t)json_integer_value(json_array_get(list, i));
}

static bool read_timeline(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  report_timeline_t *t = &d->timeline;
  json_t *object, *hits, *misses, *walks, *faults, *cycles, *small, *large;
  if (!report_part(root, "timeline", JSON_OBJECT, 64, &object, error)) return false;
  if (!object) return true;
  if (!report_number(object, "transactions_per_point", INT64_MAX / REPORT_POINTS, &t->every, error) ||
      !read_column(object, "tlb_hits", &t->n, &hits, error) ||
      !read_column(object, "tlb_misses", &t->n, &misses, error) ||
      !read_column(object, "walks", &t->n, &walks, error) || !read_column(object, "faults", &t->n, &faults, error) ||
      !read_column(object, "dut_cycles", &t->n, &cycles, error) ||
      !read_column(object, "entries_4k", &t->n, &small, error) ||
      !read_column(object, "entries_4m", &t->n, &large, error))
    return false;
  t->has_misses = hits && misses;
  t->has_walks = walks;
  t->has_cycles = cycles;
  t->has_entries = small && large;
  t->there = t->n > 0 && t->every > 0 && (t->has_misses || t->has_walks || t->has_cycles || t->has_entries);
  for (unsigned i = 0; i < t->n; i++) {
    uint64_t last = (i + 1) * t->every;
    t->point[i] = (report_point_t){.last = i + 1 == t->n && d->transactions.n < last ? d->transactions.n : last,
                                   .hits = element(hits, i),
                                   .misses = element(misses, i),
                                   .walks = element(walks, i),
                                   .faults = element(faults, i),
                                   .cycles = element(cycles, i),
                                   .entries_4k = (uint32_t)element(small, i),
                                   .entries_4m = (uint32_t)element(large, i)};
    if (i && t->point[i].last <= t->point[i - 1].last)
      return report_refuse(error, "timeline", "is longer than the transactions");
  }
  return true;
}

/* --- clock cycles --- */

/* "5" or "64-71". */
static bool parse_bin(const char *text, report_bin_t *bin) {
  char *end;
  if (*text < '0' || *text > '9') return false;
  errno = 0;
  unsigned long long first = strtoull(text, &end, 10), last = first;
  if (*end == '-' && end[1] >= '0' && end[1] <= '9') last = strtoull(end + 1, &end, 10);
  if (*end || errno || last < first || last > UINT32_MAX) return false;
  bin->first = (uint32_t)first;
  bin->last = (uint32_t)last;
  return true;
}

static int ascending(const void *a, const void *b) {
  const report_bin_t *x = a, *y = b;
  return x->first < y->first ? -1 : x->first > y->first;
}

static bool read_class(report_class_t *class, const json_t *object, char error[REPORT_ERROR]) {
  json_t *counts, *value;
  const char *name;
  if (!json_is_object(object)) return report_refuse(error, "cycle_histogram", "has a member that is not an object");
  if (!report_number(object, "transactions", INT64_MAX, &class->transactions, error) ||
      !report_number(object, "cycles", INT64_MAX, &class->cycles, error) ||
      !report_part(object, "counts", JSON_OBJECT, REPORT_BINS, &counts, error))
    return false;
  json_object_foreach(counts, name, value) {
    report_bin_t *bin = &class->bin[class->n++];
    if (!parse_bin(name, bin)) return report_refuse(error, name, "is not a number of clock cycles");
    if (!report_number(counts, name, INT64_MAX, &bin->n, error)) return false;
  }
  qsort(class->bin, class->n, sizeof *class->bin, ascending);
  for (unsigned i = 1; i < class->n; i++)
    if (class->bin[i].first <= class->bin[i - 1].last) return report_refuse(error, "counts", "has bins that overlap");
  return true;
}

static bool read_classes(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *object, *value;
  const char *name;
  if (!report_part(root, "cycle_histogram", JSON_OBJECT, REPORT_CLASSES, &object, error)) return false;
  d->has_classes = object;
  json_object_foreach(object, name, value) {
    report_class_t *class = &d->class[d->n_classes++];
    class->name = name;
    if (!read_class(class, value, error)) return false;
  }
  return true;
}

/* --- page tables --- */

static bool read_address(const json_t *object, const char *key, uint32_t *address, char error[REPORT_ERROR]) {
  const char *text;
  *address = 0;
  if (!report_text(object, key, &text, error)) return false;
  if (!text) return true;
  if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
    return report_refuse(error, key, "is not an address of 8 hexadecimal digits");
  *address = (uint32_t)strtoul(text, NULL, 16);
  return true;
}

static bool read_run(report_run_t *run, const json_t *object, char error[REPORT_ERROR]) {
  const char *size;
  uint64_t pages, pieces;
  if (!json_is_object(object)) return report_refuse(error, "runs", "has an element that is not an object");
  if (!read_address(object, "laddr", &run->laddr, error) || !read_address(object, "paddr", &run->paddr, error) ||
      !read_address(object, "table", &run->table, error) || !report_text(object, "page_size", &size, error) ||
      !report_number(object, "pieces", UINT32_MAX, &pieces, error) || !report_flag(object, "user", &run->user, error) ||
      !report_flag(object, "writable", &run->writable, error) || !report_flag(object, "global", &run->global, error))
    return false;
  run->large = size && strcmp(size, "4M") == 0;
  unsigned shift = run->large ? 22 : 12;
  if (!report_number(object, "pages", (1u << (32 - shift)) - (run->laddr >> shift), &pages, error)) return false;
  run->pages = (uint32_t)pages;
  run->pieces = (uint32_t)pieces;
  return run->pages > 0 || report_refuse(error, "pages", "is zero");
}

static bool read_mapping(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  report_mapping_t *m = &d->mapping;
  json_t *object, *runs;
  if (!report_part(root, "page_tables", JSON_OBJECT, 64, &object, error)) return false;
  m->there = object;
  if (!report_flag(object, "paging", &m->paging, error) || !read_address(object, "directory", &m->directory, error) ||
      !report_number(object, "tables", 1024, &m->tables, error) ||
      !report_number(object, "pages_4k", 1 << 20, &m->pages_4k, error) ||
      !report_number(object, "pages_4m", 1024, &m->pages_4m, error) ||
      !report_number(object, "runs_left_out", 1 << 20, &m->left_out, error) ||
      !report_part(object, "runs", JSON_ARRAY, REPORT_RUNS, &runs, error))
    return false;
  for (m->n = 0; m->n < json_array_size(runs); m->n++) {
    report_run_t *run = &m->run[m->n];
    if (!read_run(run, json_array_get(runs, m->n), error)) return false;
    if (m->n == 0) continue;
    const report_run_t *before = run - 1;
    if (run->laddr <= before->laddr || run->laddr - before->laddr < (uint64_t)before->pages
                                                                        << (before->large ? 22 : 12))
      return report_refuse(error, "runs", "are not in ascending order");
  }
  return true;
}

bool report_record_read(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  return read_timeline(d, root, error) && read_classes(d, root, error) && read_mapping(d, root, error);
}
