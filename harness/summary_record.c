/*
 * The part of a JSON result that pages are made of: a mismatch in a few words, the run over time, clock cycles by
 * class, what is mapped at the end, and what its coverage file holds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coverage_report.h"
#include "decode.h"
#include "mapping.h"
#include "report.h"
#include "summary.h"

static void set(json_t *object, const char *key, uint64_t n) {
  json_object_set_new(object, key, json_integer((json_int_t)n));
}

static void set_address(json_t *object, const char *key, uint32_t address) {
  json_object_set_new(object, key, json_sprintf("%08" PRIx32, address));
}

static void append(json_t *object, const char *key, uint64_t n) {
  json_t *list = json_object_get(object, key);
  if (!list) json_object_set_new(object, key, list = json_array());
  json_array_append_new(list, json_integer((json_int_t)n));
}

/* The same of what is the device's to tell: null in the list's place if it does not. */
static void append_told(json_t *object, const char *key, bool told, uint64_t n) {
  if (told)
    append(object, key, n);
  else
    json_object_set_new(object, key, json_null());
}

/* What has happened between two points. */
static void append_point(json_t *object, const cosim_t *c, const timeline_point_t *before,
                         const timeline_point_t *point) {
  const recorder_t *r = &c->recorder;
  bool told = lockstep_tells_tlb(&c->ls);
  append_told(object, "tlb_hits", told, point->tlb_hits - before->tlb_hits);
  append_told(object, "tlb_misses", told, point->tlb_misses - before->tlb_misses);
  append_told(object, "walks", lockstep_tells_walks(&c->ls), point->walks - before->walks);
  append(object, "faults", point->faults - before->faults);
  if (c->dut) append(object, "dut_cycles", point->cycles - before->cycles);
  if (!r->has_entries) return;
  append(object, "entries_4k", point->entries_4k);
  append(object, "entries_4m", point->entries_4m);
}

static json_t *timeline_json(const outcome_t *o, const cosim_t *c) {
  const timeline_t *t = &c->recorder.timeline;
  const timeline_point_t end = recorder_now(&c->recorder, &c->ls, o->mmu), *before = &(timeline_point_t){0};
  json_t *object = json_object();
  set(object, "transactions_per_point", t->every);
  for (unsigned i = 0; i < t->n; before = &t->point[i++])
    append_point(object, c, before, &t->point[i]);
  /* The last one is shorter than the others. */
  if (c->ls.sequence > t->n * t->every) append_point(object, c, before, &end);
  return object;
}

static json_t *share_json(const cycles_share_t *share) {
  json_t *object = json_object(), *counts = json_object();
  set(object, "transactions", share->transactions);
  set(object, "cycles", share->cycles);
  for (unsigned bin = 0; bin < CYCLES_BINS; bin++) {
    char name[48];
    uint64_t first = cycles_first(bin), last = cycles_last(bin);
    snprintf(name, sizeof name, first == last ? "%" PRIu64 : "%" PRIu64 "-%" PRIu64, first, last);
    if (share->bin[bin]) set(counts, name, share->bin[bin]);
  }
  json_object_set_new(object, "counts", counts);
  return object;
}

static json_t *cycles_json(const cycle_counts_t *counts, bool told) {
  json_t *object = json_object();
  for (unsigned class = 0; class < CYCLES_CLASSES; class ++)
    if (counts->share[class].transactions)
      json_object_set_new(object, cycles_class_name(class, told), share_json(&counts->share[class]));
  return object;
}

static json_t *run_json(const mapping_run_t *run) {
  json_t *object = json_object();
  set_address(object, "laddr", run->laddr);
  set_address(object, "paddr", run->paddr);
  if (!run->large) set_address(object, "table", run->table);
  set(object, "pages", run->pages);
  set(object, "pieces", run->pieces);
  json_object_set_new(object, "page_size", json_string(run->large ? "4M" : "4K"));
  json_object_set_new(object, "user", json_boolean(run->user));
  json_object_set_new(object, "writable", json_boolean(run->writable));
  json_object_set_new(object, "global", json_boolean(run->global));
  return object;
}

static json_t *mapping_json(const mapping_t *m) {
  json_t *object = json_object(), *runs = json_array();
  json_object_set_new(object, "paging", json_boolean(m->paging));
  if (m->paging) set_address(object, "directory", m->directory);
  set(object, "tables", m->tables);
  set(object, "pages_4k", m->pages_4k);
  set(object, "pages_4m", m->pages_4m);
  for (uint32_t i = 0; i < m->n; i++)
    json_array_append_new(runs, run_json(&m->run[i]));
  json_object_set_new(object, "runs", runs);
  set(object, "runs_left_out", m->left_out);
  return object;
}

/* The groups of the coverage, without their holes. */
static json_t *coverage_summary(const coverage_t *coverage) {
  json_t *root = json_object(), *groups = json_array();
  set(root, "transactions", coverage_transactions(coverage));
  for (unsigned i = 0; i < coverage_n_groups(coverage); i++) {
    coverage_count_t n = coverage_count(coverage, i);
    json_t *group = json_object();
    json_object_set_new(group, "name", json_string(coverage_group(coverage, i)->name));
    set(group, "bins", n.bins);
    set(group, "hit", n.hit);
    set(group, "unreachable_bins", n.unreachable);
    json_array_append_new(groups, group);
  }
  json_object_set_new(root, "groups", groups);
  return root;
}

/* own: the device's is of another kind; then this is what stimulus is made for. */
static json_t *tlb_json(const mmu_config_t *config, bool own) {
  json_t *object = json_object();
  set(object, "sets", config->tlb_sets);
  set(object, "ways", config->tlb_ways);
  set(object, "large", config->tlb_large);
  if (own) json_object_set_new(object, "own_caching", json_true());
  return object;
}

static json_t *answer_json(const mmu_req_t *req, const mmu_rsp_t *rsp) {
  char line[DECODE_LINE];
  if (rsp->fault) return json_string(decode_fault(true, rsp->vector, rsp->error_code, rsp->cr2, line));
  if (req->op > MMU_OP_SYSTEM) return json_string("done");
  return json_sprintf("%08" PRIx64 " -> %08" PRIx64, rsp->laddr, rsp->paddr[0]);
}

/* The report in a few words. Both answers, if more than their references differs. */
static json_t *mismatch_json(const lockstep_t *ls) {
  char line[DECODE_LINE], what[sizeof ls->dut_error];
  json_t *object = json_object();
  bool answered = ls->state == LOCKSTEP_MISMATCH && ls->differences & ~(unsigned)(DIFF_TLB | DIFF_MEM);
  set(object, "transaction", ls->sequence);
  json_object_set_new(object, "report",
                      json_sprintf("transaction %" PRIu64 ": %s", ls->sequence, report_what(ls, what, sizeof what)));
  json_object_set_new(object, "request", json_string(decode_request(&ls->bad_req, line)));
  if (answered) json_object_set_new(object, "model", answer_json(&ls->bad_req, &ls->model_rsp));
  if (answered) json_object_set_new(object, "dut", answer_json(&ls->bad_req, &ls->dut_rsp));
  if (ls->oracle && ls->state == LOCKSTEP_MISMATCH)
    json_object_set_new(object, "verdict", json_string(oracle_verdict_name(ls->verdict)));
  return object;
}

void summary_record(json_t *root, const outcome_t *o, const cosim_t *c) {
  const char *image = c->options->bios ? c->options->bios : c->options->input;
  if (o->has_guest && image) json_object_set_new(root, "image", json_string(image));
  json_object_set_new(root, "tlb", tlb_json(&c->mmu, c->dut && c->dut->traits.own_caching));
  if (c->ls.state != LOCKSTEP_AGREE) json_object_set_new(root, "mismatch", mismatch_json(&c->ls));
  if (c->ls.coverage) json_object_set_new(root, "coverage", coverage_summary(c->ls.coverage));
  if (!c->ls.recorder) return;
  json_object_set_new(root, "timeline", timeline_json(o, c));
  if (c->recorder.has_cycles)
    json_object_set_new(root, "cycle_histogram", cycles_json(&c->recorder.counts, lockstep_tells_tlb(&c->ls)));
  mapping_t *mapping = malloc(sizeof *mapping);
  if (!mapping) return;
  mapping_read(mapping, o->mmu, o->world);
  json_object_set_new(root, "page_tables", mapping_json(mapping));
  free(mapping);
}
