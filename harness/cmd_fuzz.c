/*
 * mmu86 fuzz: stimulus straight at the MMU port, in lockstep: random, or a suite's combinations, or batches whose
 * answers must not depend on what is cached.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "data_file.h"
#include "interrupt.h"
#include "metamorphic.h"
#include "overlap.h"
#include "progress.h"
#include "report.h"
#include "stimulus_steer.h"
#include "suite.h"
#include "summary.h"

/* Random requests between two looks at the holes, how many holes are steered at then, and how often all that remain are
 * tried in the end: a recipe is directed, but what it meets in memory may have been changed by random stores. */
enum { STEER_EVERY = 20000, STEER_HOLES = 200, STEER_ROUNDS = 3 };

/* One run. */
typedef struct {
  const options_t *options;
  stimulus_knobs_t knobs;
  progress_t progress;
  rig_t rig;
  overlap_t overlap;
  stimulus_t stimulus;
  metamorphic_t metamorphic;
  suite_t suite;
} fuzz_t;

/* Whether the run goes on after done transactions. */
static bool goes_on(void *ctx, uint64_t done) {
  fuzz_t *f = ctx;
  const lockstep_t *ls = f->rig.ls;
  if (done % 4096 == 0) progress_show(&f->progress, done, ls->stats.references);
  return !interrupt_pending() && !ls->wave_failed && !(ls->trace && trace_failed(ls->trace));
}

/* Steers at all holes until a round closes none. */
static bool steer_rest(stimulus_t *stimulus, unsigned *next) {
  const coverage_t *c = stimulus->rig->ls->coverage;
  for (unsigned round = 0; round < STEER_ROUNDS && !interrupt_pending(); round++) {
    coverage_count_t count = coverage_count(c, coverage_n_groups(c));
    if (count.hit == count.bins) break;
    if (!stimulus_steer(stimulus, next, count.bins - count.hit)) return false;
  }
  return true;
}

/* Another agent stores to the tables. */
static void other_agent(void *ctx) {
  stimulus_t *stimulus = ctx;
  if (rng_chance(&stimulus->rng, 25))
    stimulus_change_descriptor(stimulus);
  else
    stimulus_change_entry(stimulus);
}

/* Makes count requests, and those that steer. */
static bool drive_random(fuzz_t *f) {
  stimulus_t *s = &f->stimulus;
  const bool steer = f->options->steer;
  unsigned next = 0;
  uint64_t steered = 0;
  f->overlap.between_ctx = s;
  f->overlap.between = other_agent;
  bool agree = stimulus_start_with(s, &f->rig, f->options->seed, &f->knobs);
  while (agree && s->done < f->options->count && goes_on(f, s->done)) {
    agree = stimulus_step(s);
    if (!agree || !steer || s->done / STEER_EVERY == steered) continue;
    agree = stimulus_steer(s, &next, STEER_HOLES);
    steered = s->done / STEER_EVERY;
  }
  return agree && (!steer || steer_rest(s, &next));
}

static bool drive_metamorphic(fuzz_t *f) {
  metamorphic_t *m = &f->metamorphic;
  bool agree = metamorphic_start(m, &f->rig, f->options->seed, &f->knobs);
  while (agree && m->stimulus.done < f->options->count && goes_on(f, 1)) {
    agree = metamorphic_batch(m);
    progress_show(&f->progress, m->stimulus.done, f->rig.ls->stats.references);
  }
  return agree;
}

/* Does it all. Fills in why it ended. */
static void drive(fuzz_t *f, outcome_t *outcome) {
  lockstep_t *ls = f->rig.ls;
  if (f->options->overlap) {
    overlap_init(&f->overlap, ls, f->options->seed);
    ls->overlap = &f->overlap;
  }
  bool agree = f->options->suite         ? suite_run(&f->suite, f->options->suite)
               : f->options->metamorphic ? drive_metamorphic(f)
                                         : drive_random(f);
  if (agree && ls->overlap) agree = overlap_drain(&f->overlap);
  ls->overlap = NULL;
  outcome->stop = agree ? "all transactions done" : "mismatch";
  if (!goes_on(f, 1)) outcome->stop = "an output failed";
  outcome->has_combinations = f->options->suite;
  outcome->combinations = f->suite.combinations;
  outcome->lacks_bits = f->suite.lacks;
  outcome->self_judged = f->suite.wrong || f->metamorphic.contradicts;
  if (!outcome->self_judged) return;
  outcome->verdict = VERDICT_MISMATCH;
  outcome->stop = f->suite.wrong ? "not as the manual says" : "the device contradicts itself";
}

/* The knobs of a file, or of a profile that comes with the program. */
static bool read_knobs(fuzz_t *f, char *error, unsigned error_bytes) {
  const char *name = f->options->knobs;
  char profile[DATA_FILE_PATH], path[DATA_FILE_PATH];
  if (strchr(name, '/') || access(name, F_OK) == 0) return stimulus_knobs_read(name, &f->knobs, error, error_bytes);
  snprintf(profile, sizeof profile, "knobs/%s.json", name);
  if (data_file(profile, path)) return stimulus_knobs_read(path, &f->knobs, error, error_bytes);
  snprintf(error, error_bytes, "--knobs %.200s: neither a file nor a profile that comes with mmu86", name);
  return false;
}

/* What options do not go together, or cannot be read. */
static bool check(fuzz_t *f, char *error, unsigned error_bytes) {
  const options_t *o = f->options;
  uint64_t ram_bytes = o->ram_mb << 20;
  f->knobs = stimulus_default_knobs();
  if (ram_bytes < STIMULUS_RAM_MIN)
    snprintf(error, error_bytes, "--ram %llu: the stimulus needs at least %d", (unsigned long long)o->ram_mb,
             STIMULUS_RAM_MIN >> 20);
  else if (o->suite && o->metamorphic)
    snprintf(error, error_bytes, "--suite %s: not with --metamorphic", o->suite);
  else if (o->suite && !suite_known(o->suite))
    snprintf(error, error_bytes, "--suite %s: no such suite; see mmu86 fuzz --help", o->suite);
  else if (o->suite && o->knobs)
    snprintf(error, error_bytes, "--knobs %s: a suite has no knobs", o->knobs);
  else if (o->overlap && o->exact)
    snprintf(error, error_bytes, "--check exact: requests that overlap are judged architecturally; not with --overlap");
  else if (o->every > 1 && !o->suite)
    snprintf(error, error_bytes, "--every %llu: of what? --suite NAME is missing", (unsigned long long)o->every);
  else if (o->metamorphic && o->overlap)
    snprintf(error, error_bytes, "--metamorphic: its requests cannot overlap; not with --overlap");
  else if (o->steer && !o->coverage)
    snprintf(error, error_bytes, "--steer: towards what? --coverage FILE is missing");
  else if (o->steer && (o->suite || o->metamorphic))
    snprintf(error, error_bytes, "--steer: only random requests are steered; not with %s",
             o->suite ? "--suite" : "--metamorphic");
  else if (!o->knobs || read_knobs(f, error, error_bytes))
    return true;
  return false;
}

static void report(const fuzz_t *f, cosim_t *cosim) {
  const options_t *o = f->options;
  const report_context_t context = {.reproduce = o->reproduce, .seed = o->seed};
  if (cosim->ls.state != LOCKSTEP_AGREE) cosim_report(cosim, stderr, f->rig.mmu, context);
  if (f->metamorphic.contradicts) metamorphic_report(stderr, &f->metamorphic, o->reproduce);
  if (f->suite.wrong) suite_report(stderr, &f->suite, o->reproduce);
}

static int execute(fuzz_t *f, cosim_t *cosim, char *error, unsigned error_bytes) {
  const options_t *options = f->options;
  uint64_t ram_bytes = options->ram_mb << 20;
  if (!cosim_check_paths(options, error, error_bytes) || !check(f, error, error_bytes) ||
      !cosim_open(cosim, options, ram_bytes, error, error_bytes))
    return EXIT_BAD_INPUT;
  if (!rig_create(&f->rig, &cosim->ls, &cosim->mmu, ram_bytes)) {
    snprintf(error, error_bytes, "no memory for the reference's world");
    return EXIT_BAD_INPUT;
  }
  if (options->overlap && (!cosim->dut || !cosim->dut->clock)) {
    snprintf(error, error_bytes, "--overlap: the DUT %s has no clock", options->dut);
    return EXIT_BAD_INPUT;
  }
  if (options->suite && cosim->dut && !suite_applies(options->suite, &cosim->dut->traits)) {
    snprintf(error, error_bytes, "--suite %s: is about segmentation, which the DUT %s has not", options->suite,
             cosim->dut->name);
    return EXIT_BAD_INPUT;
  }
  if (!cosim_judge(cosim, f->rig.mmu, &f->rig.world, error, error_bytes)) return EXIT_BAD_INPUT;
  if (cosim->ls.coverage) coverage_set_world(cosim->ls.coverage, &f->rig.world);
  f->suite = (suite_t){.rig = &f->rig, .seed = options->seed, .every = options->every, .ctx = f, .goes_on = goes_on};
  progress_start(&f->progress, "transactions", options->suite ? 0 : options->count);
  double started = progress_clock();
  outcome_t outcome = {.command = "fuzz", .verdict = VERDICT_PASS};
  drive(f, &outcome);
  if (interrupt_pending() && !outcome.self_judged) {
    outcome.verdict = VERDICT_LIMIT;
    outcome.stop = "interrupted";
  }
  outcome.seconds = progress_clock() - started;
  progress_clear(&f->progress);
  summary_judge(&outcome, cosim, f->rig.mmu, &f->rig.world);
  report(f, cosim);
  bool whole = cosim_finish(cosim, error, error_bytes);
  if (options->json &&
      !summary_json(options->json, &outcome, cosim, whole ? error : (char[512]){0}, whole ? error_bytes : 512))
    whole = false;
  if (!options->quiet) summary_print(stdout, &outcome, cosim);
  return cosim_status(cosim, summary_status(outcome.verdict), whole);
}

int cmd_fuzz(int argc, char **argv) {
  static fuzz_t f; /* large: a batch's answers */
  int status;
  options_t options;
  if (!options_parse(&options, FOR_FUZZ, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_fuzz_help();
    return status;
  }
  if (options.knobs_help) {
    stimulus_knobs_help(stdout);
    return EXIT_PASS;
  }
  interrupt_catch();
  f = (fuzz_t){.options = &options};
  cosim_t cosim = {0};
  char error[512] = "";
  status = execute(&f, &cosim, error, sizeof error);
  if (error[0]) fprintf(stderr, "mmu86 fuzz: %s\n", error);
  rig_destroy(&f.rig);
  return cosim_close(&cosim, status);
}

void cmd_fuzz_help(void) {
  printf("mmu86 fuzz [OPTION ...]\n\n"
         "Random page tables, segments, accesses, control-register writes and invalidations, straight at the MMU port\n"
         "and in lockstep. The stream follows from the seed.\n\n");
  options_help(stdout, FOR_FUZZ);
  printf("\nSuites (--suite):\n");
  suite_list(stdout);
  printf("\nProfiles (--knobs):\n");
  data_file_list(stdout, "knobs");
  printf("\nExit status: 0 nothing differs; 1 a mismatch; 2 bad input or an output that cannot be written; 4 "
         "interrupted.\n"
         "\nExamples:\n"
         "  mmu86 fuzz --seed 7 --count 1000000\n"
         "  mmu86 fuzz --seed 7 --mem-latency 12\n"
         "  mmu86 fuzz --count 5000 --trace fuzz.trace\n"
         "  mmu86 fuzz --overlap --mem-latency 5 --trace race.trace\n"
         "  mmu86 fuzz --knobs recursive --overlap\n"
         "  mmu86 fuzz --suite flags --every 101\n"
         "  mmu86 fuzz --metamorphic --check none\n");
}
