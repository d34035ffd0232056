#include "report_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool report_refuse(char error[REPORT_ERROR], const char *key, const char *why) {
  snprintf(error, REPORT_ERROR, "\"%.64s\": %s", key, why);
  return false;
}

bool report_count(const json_t *object, const char *key, report_count_t *count, char error[REPORT_ERROR]) {
  const json_t *value = json_object_get(object, key);
  *count = (report_count_t){.untold = json_is_null(value)};
  if (!value || count->untold) return true;
  if (!json_is_integer(value) || json_integer_value(value) < 0) return report_refuse(error, key, "is not a count");
  *count = (report_count_t){.there = true, .n = (uint64_t)json_integer_value(value)};
  return true;
}

bool report_number(const json_t *object, const char *key, uint64_t max, uint64_t *number, char error[REPORT_ERROR]) {
  report_count_t count;
  if (!report_count(object, key, &count, error)) return false;
  *number = count.n;
  return count.n <= max || report_refuse(error, key, "is too large");
}

bool report_text(const json_t *object, const char *key, const char **text, char error[REPORT_ERROR]) {
  const json_t *value = json_object_get(object, key);
  *text = json_string_value(value);
  return !value || json_is_null(value) || *text || report_refuse(error, key, "is not text");
}

bool report_flag(const json_t *object, const char *key, bool *flag, char error[REPORT_ERROR]) {
  const json_t *value = json_object_get(object, key);
  *flag = json_is_true(value);
  return !value || json_is_boolean(value) || report_refuse(error, key, "is neither true nor false");
}

bool report_part(const json_t *object, const char *key, json_type type, size_t max, json_t **value,
                 char error[REPORT_ERROR]) {
  json_t *part = json_object_get(object, key);
  *value = NULL;
  if (!part || json_is_null(part)) return true;
  if (json_typeof(part) != type)
    return report_refuse(error, key, type == JSON_ARRAY ? "is not a list" : "is not an object");
  size_t n = type == JSON_ARRAY ? json_array_size(part) : json_object_size(part);
  if (n > max) return report_refuse(error, key, "has too many elements");
  *value = part;
  return true;
}

static bool read_head(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *tlb;
  return report_text(root, "command", &d->command, error) && report_text(root, "verdict", &d->verdict, error) &&
         report_text(root, "stop", &d->stop, error) && report_text(root, "dut", &d->dut, error) &&
         report_text(root, "image", &d->image, error) && report_text(root, "check", &d->check, error) &&
         report_count(root, "instructions", &d->instructions, error) &&
         report_count(root, "transactions", &d->transactions, error) &&
         report_count(root, "references", &d->references, error) &&
         report_count(root, "tlb_hits", &d->tlb_hits, error) &&
         report_count(root, "tlb_misses", &d->tlb_misses, error) && report_count(root, "walks", &d->walks, error) &&
         report_count(root, "faults", &d->faults, error) && report_count(root, "mismatches", &d->mismatches, error) &&
         report_count(root, "dut_cycles", &d->dut_cycles, error) &&
         report_count(root, "dut_translations", &d->dut_translations, error) &&
         report_part(root, "tlb", JSON_OBJECT, 16, &tlb, error) && report_count(tlb, "sets", &d->tlb_sets, error) &&
         report_count(tlb, "ways", &d->tlb_ways, error) && report_count(tlb, "large", &d->tlb_large, error) &&
         report_flag(tlb, "own_caching", &d->own_caching, error);
}

/* What a mismatch was in, and where it can be looked at. */
static bool read_failure(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *list, *mismatch;
  const char *failure;
  if (!report_text(root, "wave", &d->wave, error) || !report_text(root, "failure_wave", &failure, error) ||
      !report_text(root, "trace", &d->trace, error) ||
      !report_part(root, "mismatch", JSON_OBJECT, 64, &mismatch, error) ||
      !report_text(mismatch, "report", &d->report, error) || !report_text(mismatch, "request", &d->request, error) ||
      !report_text(mismatch, "model", &d->answer_model, error) ||
      !report_text(mismatch, "dut", &d->answer_dut, error) || !report_text(mismatch, "verdict", &d->judgement, error) ||
      !report_part(root, "differences", JSON_ARRAY, REPORT_DIFFERENCES, &list, error))
    return false;
  if (failure) d->wave = failure;
  for (; d->n_differences < json_array_size(list); d->n_differences++) {
    const char *name = json_string_value(json_array_get(list, d->n_differences));
    if (!name) return report_refuse(error, "differences", "has an element that is not text");
    d->difference[d->n_differences] = name;
  }
  return true;
}

static bool read_skipped(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *list;
  if (!report_part(root, "skipped", JSON_ARRAY, REPORT_SKIPPED, &list, error)) return false;
  for (; d->n_skipped < json_array_size(list); d->n_skipped++) {
    const json_t *element = json_array_get(list, d->n_skipped);
    report_gap_t *gap = &d->skipped[d->n_skipped];
    if (!json_is_object(element)) return report_refuse(error, "skipped", "has an element that is not an object");
    if (!report_text(element, "name", &gap->name, error) || !report_text(element, "reason", &gap->reason, error))
      return false;
    if (!gap->name) return report_refuse(error, "skipped", "has an element without a name");
  }
  return true;
}

static bool read_origins(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *origins, *value;
  const char *name;
  if (!report_part(root, "origins", JSON_OBJECT, REPORT_SHARES, &origins, error)) return false;
  d->has_origins = origins;
  json_object_foreach(origins, name, value) {
    report_origin_t *origin = &d->origin[d->n_origins++];
    origin->name = name;
    if (!json_is_object(value)) return report_refuse(error, "origins", "has a member that is not an object");
    if (!report_number(value, "references", INT64_MAX, &origin->references, error) ||
        !report_count(value, "tlb_misses", &origin->tlb_misses, error) ||
        !report_count(value, "walks", &origin->walks, error) ||
        !report_number(value, "faults", INT64_MAX, &origin->faults, error))
      return false;
  }
  return true;
}

static bool read_vectors(report_data_t *d, const json_t *root, char error[REPORT_ERROR]) {
  json_t *vectors, *value;
  const char *name;
  if (!report_part(root, "faults_by_vector", JSON_OBJECT, REPORT_SHARES, &vectors, error)) return false;
  json_object_foreach(vectors, name, value) {
    report_share_t *share = &d->vector[d->n_vectors++];
    share->name = name;
    if (!report_number(vectors, name, INT64_MAX, &share->n, error)) return false;
  }
  return true;
}

report_data_t *report_data_read(const json_t *root, char error[REPORT_ERROR]) {
  report_data_t *d = calloc(1, sizeof *d);
  if (!d) {
    snprintf(error, REPORT_ERROR, "no memory");
    return NULL;
  }
  json_t *coverage;
  bool ok = read_head(d, root, error) && read_failure(d, root, error) && read_skipped(d, root, error) &&
            read_origins(d, root, error) && read_vectors(d, root, error) && report_record_read(d, root, error) &&
            report_part(root, "coverage", JSON_OBJECT, SIZE_MAX, &coverage, error) &&
            (!coverage || report_coverage_read(&d->coverage, coverage, error));
  if (ok && !(d->verdict && d->transactions.there)) {
    snprintf(error, REPORT_ERROR, "is no result of run, replay, fuzz or sweep: it has no \"%s\"",
             d->verdict ? "transactions" : "verdict");
    ok = false;
  }
  if (ok) return d;
  free(d);
  return NULL;
}
