#include "summary.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "decode.h"
#include "dut_paging.h"
#include "json_file.h"
#include "report.h"
#include "x86.h"

static const char *verdict_name(verdict_t v) {
  static const char *const names[] = {"pass", "mismatch", "guest-failure", "limit"};
  return names[v];
}

int summary_status(verdict_t verdict) {
  static const int status[] = {EXIT_PASS, EXIT_MISMATCH, EXIT_GUEST, EXIT_LIMIT};
  return status[verdict];
}

void summary_judge(outcome_t *o, const cosim_t *c, const mmu_t *mmu, const world_t *model_world) {
  o->mmu = mmu;
  o->world = model_world;
  o->unmapped = model_world->unmapped;
  if (!c->dut) return;
  if (c->ls.state != LOCKSTEP_AGREE) {
    o->verdict = VERDICT_MISMATCH;
    o->stop = c->ls.state == LOCKSTEP_HANG       ? "DUT hangs"
              : c->ls.state == LOCKSTEP_PROTOCOL ? "DUT breaks protocol"
                                                 : "mismatch";
  }
  if (c->ls.unjudged) return;
  uint64_t paddr = 0;
  o->images_compared = true;
  o->images_identical = world_equal(model_world, &c->dut_world, &paddr);
  if (o->images_identical || c->ls.state != LOCKSTEP_AGREE) return;
  o->verdict = VERDICT_MISMATCH;
  o->stop = "images differ";
  report_images(stderr, model_world, &c->dut_world, paddr);
}

/* A number with commas between thousands. */
static const char *grouped(uint64_t n, char buf[32]) {
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
  char *p = buf;
  for (int i = 0; i < len; i++) {
    if (i && (len - i) % 3 == 0) *p++ = ',';
    *p++ = digits[i];
  }
  *p = 0;
  return buf;
}

static void row(FILE *out, const char *name, uint64_t n) {
  char buf[32];
  fprintf(out, "  %-24s %16s\n", name, grouped(n, buf));
}

/* A number that is the device's to tell. */
static void row_told(FILE *out, const char *name, bool told, uint64_t n) {
  if (told)
    row(out, name, n);
  else
    fprintf(out, "  %-24s %16s\n", name, "not told");
}

static void faults(FILE *out, const stats_t *s) {
  row(out, "faults", stats_faults(s));
  for (unsigned v = 0; v < STATS_VECTORS; v++) {
    char name[32];
    snprintf(name, sizeof name, "  %s", decode_vector_name(v));
    if (s->faults[v]) row(out, name, s->faults[v]);
  }
}

static void references(FILE *out, const lockstep_t *ls) {
  const stats_t *s = &ls->stats;
  bool told = lockstep_tells_tlb(ls);
  row(out, "references", s->references);
  row(out, "  fetch", s->fetches);
  row(out, "  read", s->reads);
  row(out, "  write", s->writes);
  row(out, "  system table", s->system);
  row(out, "  descriptor load", s->descriptor_loads);
  row(out, "control operations", s->control);
  row_told(out, "TLB hits", told, s->tlb_hits);
  row_told(out, "TLB misses", told, s->tlb_misses);
  row_told(out, "TLB evictions", told, s->tlb_evictions);
  row_told(out, "walks", lockstep_tells_walks(ls), s->walks);
}

/* What each origin had, if the guest told its origins. */
static void origins(FILE *out, const lockstep_t *ls) {
  const stats_t *s = &ls->stats;
  bool told = lockstep_tells_tlb(ls), walks = lockstep_tells_walks(ls);
  if (!s->tagged) return;
  fprintf(out, "\n  %-12s %16s %7s %14s %9s %14s %11s\n", "by origin", "references", "share", "TLB misses", "per 1000",
          "walks", "faults");
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    stats_share_t o = stats_share(s, i);
    if (o.references == 0) continue;
    char a[32], b[32], c[32], d[32], rate[32] = "not told";
    if (told) snprintf(rate, sizeof rate, "%.2f", 1000.0 * (double)o.tlb_misses / (double)o.references);
    fprintf(out, "    %-10s %16s %6.2f%% %14s %9s %14s %11s\n", origin_name(i), grouped(o.references, a),
            100.0 * (double)o.references / (double)s->references, told ? grouped(o.tlb_misses, b) : "not told", rate,
            walks ? grouped(o.walks, c) : "not told", grouped(o.faults, d));
  }
}

static void verdicts(FILE *out, const oracle_t *oracle) {
  for (unsigned v = 0; v < ORACLE_VERDICTS; v++) {
    char name[32];
    snprintf(name, sizeof name, "  %s", oracle_verdict_name((oracle_verdict_t)v));
    row(out, name, oracle_count(oracle, (oracle_verdict_t)v));
  }
}

/* --- what the device lacks: skipped, and said so --- */

typedef struct {
  unsigned n;
  struct {
    char what[40], reason[100];
  } item[16];
} skipped_t;

static void skip(skipped_t *list, const char *kind, const char *what, const char *reason) {
  assert(list->n < sizeof list->item / sizeof *list->item);
  snprintf(list->item[list->n].what, sizeof list->item->what, "%s%s", kind, what);
  snprintf(list->item[list->n++].reason, sizeof list->item->reason, "%s", reason);
}

static void skip_combinations(skipped_t *list, const suite_lacks_t *lacks) {
  char reason[sizeof list->item->reason], n[32];
  if (!lacks->without && !lacks->left_out) return;
  grouped(lacks->left_out, n);
  if (lacks->left_out)
    snprintf(reason, sizeof reason, "%s left out, %s bits of CR4 that the device has not", n,
             lacks->without ? "others run without" : "which need");
  else
    snprintf(reason, sizeof reason, "run without bits of CR4 that the device has not");
  skip(list, "", "combinations of the suite", reason);
}

static skipped_t skipped(const outcome_t *o, const cosim_t *c) {
  static const struct {
    uint32_t bit;
    const char *what;
  } features[] = {
      {X86_CR4_PSE, "large pages"}, {X86_CR4_PGE, "global pages"}, {X86_CR4_SMEP, "SMEP"}, {X86_CR4_SMAP, "SMAP"}};
  static const dut_traits_t none;
  const dut_traits_t *t = c->dut ? &c->dut->traits : &none;
  skipped_t list = {0};
  if (t->paging_only) skip(&list, "", "segmentation", "the device translates linear addresses only");
  const char *suite = c->options->suite, *left_out;
  for (unsigned i = 0; suite && (left_out = suite_left_out(suite, t, i)); i++)
    skip(&list, "suite ", left_out, "it is about segmentation, which the device has not");
  for (unsigned i = 0; i < sizeof features / sizeof *features; i++)
    if (c->mmu.cr4_absent & features[i].bit) skip(&list, "", features[i].what, "the device has no such bit of CR4");
  if (t->flushes) skip(&list, "", "INVLPG", "the device has none; it gets MOV CR3");
  if (t->own_caching) skip(&list, "", "TLB events", "the device caches in a way of its own");
  if (t->no_page_size) skip(&list, "", "page size", "the device does not tell it");
  if (t->no_memory_type) skip(&list, "", "memory type", "the device does not tell it");
  skip_combinations(&list, &o->lacks_bits);
  return list;
}

static void print_skipped(FILE *out, const outcome_t *o, const cosim_t *c) {
  const skipped_t list = skipped(o, c);
  for (unsigned i = 0; i < list.n; i++)
    fprintf(out, "  %-24s %s: %s\n", i ? "" : "not compared", list.item[i].what, list.item[i].reason);
}

static json_t *skipped_json(const outcome_t *o, const cosim_t *c) {
  const skipped_t list = skipped(o, c);
  json_t *array = json_array();
  for (unsigned i = 0; i < list.n; i++)
    json_array_append_new(array, json_pack("{s:s, s:s}", "name", list.item[i].what, "reason", list.item[i].reason));
  return array;
}

static double rate(const outcome_t *o, const cosim_t *c) {
  return o->seconds > 0 ? (double)c->ls.stats.references / o->seconds : 0;
}

void summary_print(FILE *out, const outcome_t *o, const cosim_t *c) {
  char verdict[24];
  snprintf(verdict, sizeof verdict, "%s", verdict_name(o->verdict));
  for (char *p = verdict; *p; p++)
    if (*p >= 'a') *p = (char)(*p - 'a' + 'A');
  fprintf(out, "\nmmu86 %s: %s (%s)\n", o->command, verdict, o->stop);
  if (o->has_combinations) row(out, "combinations", o->combinations);
  if (o->has_guest) row(out, "instructions", o->instructions);
  if (o->resets) row(out, "resets", o->resets);
  if (o->exited) row(out, "guest's exit code", o->guest_exit_code);
  references(out, &c->ls);
  faults(out, &c->ls.stats);
  row(out, "unmapped addresses", o->unmapped);
  if (o->has_guest) row(out, "unmapped ports", o->unmapped_ports);
  if (c->dut) {
    row(out, "mismatches", c->ls.state != LOCKSTEP_AGREE || o->self_judged);
    if (c->ls.oracle) verdicts(out, c->ls.oracle);
    const char *images = !o->images_compared ? "not compared" : o->images_identical ? "identical" : "DIFFERENT";
    fprintf(out, "  %-24s %16s\n", "memory images", images);
    row(out, "DUT clock cycles", c->dut->cycles(c->ls.handle));
    if (c->dut->traits.paging_only) row(out, "DUT translations", dut_paging_pieces(c->ls.handle));
    print_skipped(out, o, c);
  } else {
    fprintf(out, "  %-24s %16s\n", "DUT", "none");
  }
  fprintf(out, "  %-24s %16.2f s\n", "wall time", o->seconds);
  fprintf(out, "  %-24s %16.0f /s\n", "references", rate(o, c));
  if (c->options->wave) fprintf(out, "  %-24s %s\n", "waveform", c->options->wave);
  if (c->wave_setup[0])
    fprintf(out, "  %-24s %s%s\n", "set-up for gtkwave", c->wave_setup, c->wave_setup_kept ? " (kept)" : "");
  if (c->failure.written) fprintf(out, "  %-24s %s\n", "waveform of the failure", c->failure_path);
  if (c->options->trace) fprintf(out, "  %-24s %s\n", "trace", c->options->trace);
  if (c->dut_covered) fprintf(out, "  %-24s %s\n", "coverage of the DUT", c->options->dut_coverage);
  origins(out, &c->ls);
}

static json_t *faults_json(const stats_t *s) {
  json_t *object = json_object();
  for (unsigned v = 0; v < STATS_VECTORS; v++)
    if (s->faults[v]) json_object_set_new(object, decode_vector_name(v), json_integer((json_int_t)s->faults[v]));
  return object;
}

static void set(json_t *root, const char *key, uint64_t n) {
  json_object_set_new(root, key, json_integer((json_int_t)n));
}

/* A number that is the device's to tell. */
static void set_told(json_t *root, const char *key, bool told, uint64_t n) {
  json_object_set_new(root, key, told ? json_integer((json_int_t)n) : json_null());
}

static json_t *origins_json(const lockstep_t *ls) {
  const stats_t *s = &ls->stats;
  bool told = lockstep_tells_tlb(ls);
  json_t *object = json_object();
  for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
    stats_share_t o = stats_share(s, i);
    if (o.references == 0) continue;
    json_t *share = json_object();
    set(share, "references", o.references);
    set_told(share, "tlb_hits", told, o.tlb_hits);
    set_told(share, "tlb_misses", told, o.tlb_misses);
    set_told(share, "walks", lockstep_tells_walks(ls), o.walks);
    set(share, "faults", o.faults);
    json_object_set_new(object, origin_name(i), share);
  }
  return object;
}

static json_t *verdicts_json(const oracle_t *oracle) {
  static const char *const keys[] = {"fresh", "stale_legal", "stale_illegal", "wrong"};
  json_t *object = json_object();
  for (unsigned v = 0; v < ORACLE_VERDICTS; v++)
    set(object, keys[v], oracle_count(oracle, (oracle_verdict_t)v));
  return object;
}

static json_t *to_json(const outcome_t *o, const cosim_t *c) {
  const stats_t *s = &c->ls.stats;
  json_t *root = json_object();
  json_object_set_new(root, "command", json_string(c->options->reproduce));
  json_object_set_new(root, "verdict", json_string(verdict_name(o->verdict)));
  json_object_set_new(root, "stop", json_string(o->stop));
  json_object_set_new(root, "dut", json_string(c->dut ? c->dut->name : "none"));
  set(root, "seed", c->options->seed);
  json_object_set_new(root, "instructions", o->has_guest ? json_integer((json_int_t)o->instructions) : json_null());
  json_object_set_new(root, "guest_exit_code", o->exited ? json_integer(o->guest_exit_code) : json_null());
  json_object_set_new(root, "resets", o->has_guest ? json_integer((json_int_t)o->resets) : json_null());
  if (o->has_combinations) set(root, "combinations", o->combinations);
  if (o->port_log) json_object_set_new(root, "port_log", port_log_json(o->port_log));
  set(root, "transactions", c->ls.sequence);
  set(root, "references", s->references);
  set(root, "fetches", s->fetches);
  set(root, "reads", s->reads);
  set(root, "writes", s->writes);
  set(root, "system_references", s->system);
  set(root, "descriptor_loads", s->descriptor_loads);
  set(root, "control_operations", s->control);
  bool told = lockstep_tells_tlb(&c->ls);
  set_told(root, "tlb_hits", told, s->tlb_hits);
  set_told(root, "tlb_misses", told, s->tlb_misses);
  set_told(root, "tlb_evictions", told, s->tlb_evictions);
  set_told(root, "walks", lockstep_tells_walks(&c->ls), s->walks);
  set(root, "unmapped_references", o->unmapped);
  if (o->has_guest) set(root, "unmapped_ports", o->unmapped_ports);
  set(root, "faults", stats_faults(s));
  json_object_set_new(root, "faults_by_vector", faults_json(s));
  if (s->tagged) json_object_set_new(root, "origins", origins_json(&c->ls));
  set(root, "mismatches",
      (c->ls.state != LOCKSTEP_AGREE || o->self_judged) +
          (uint64_t)(o->images_compared && !o->images_identical && c->ls.state == LOCKSTEP_AGREE));
  json_object_set_new(root, "check", json_string(c->ls.unjudged ? "none" : c->ls.oracle ? "architectural" : "exact"));
  if (c->ls.oracle) json_object_set_new(root, "verdicts", verdicts_json(c->ls.oracle));
  json_t *differences = json_array();
  for (unsigned i = 0; i < LOCKSTEP_DIFFS; i++)
    if (c->ls.differences >> i & 1) json_array_append_new(differences, json_string(lockstep_diff_name(i)));
  json_object_set_new(root, "differences", differences);
  json_object_set_new(root, "images_identical", o->images_compared ? json_boolean(o->images_identical) : json_null());
  json_object_set_new(root, "dut_cycles",
                      c->dut ? json_integer((json_int_t)c->dut->cycles(c->ls.handle)) : json_null());
  if (c->dut && c->dut->traits.paging_only) set(root, "dut_translations", dut_paging_pieces(c->ls.handle));
  json_object_set_new(root, "skipped", skipped_json(o, c));
  json_object_set_new(root, "wave", c->options->wave ? json_string(c->options->wave) : json_null());
  json_object_set_new(root, "failure_wave", c->failure.written ? json_string(c->failure_path) : json_null());
  json_object_set_new(root, "failure_time",
                      c->failure.written ? json_integer((json_int_t)c->failure.marker) : json_null());
  json_object_set_new(root, "trace", c->options->trace ? json_string(c->options->trace) : json_null());
  json_object_set_new(root, "dut_coverage", c->dut_covered ? json_string(c->options->dut_coverage) : json_null());
  json_object_set_new(root, "seconds", json_real(o->seconds));
  json_object_set_new(root, "references_per_second", json_real(rate(o, c)));
  summary_record(root, o, c);
  return root;
}

bool summary_json(const char *path, const outcome_t *o, const cosim_t *c, char *error, unsigned error_bytes) {
  json_t *root = to_json(o, c);
  bool ok = json_write(path, root, error, error_bytes);
  json_decref(root);
  return ok;
}
