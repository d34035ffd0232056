/*
 * mmu86 fuzz: random stimulus straight at the MMU port, in lockstep.
 */
#include <stdio.h>

#include "commands.h"
#include "interrupt.h"
#include "overlap.h"
#include "progress.h"
#include "report.h"
#include "stimulus_steer.h"
#include "summary.h"

/* Random requests between two looks at the holes, how many holes are steered at then, and how often all that remain are
 * tried in the end: a recipe is directed, but what it meets in memory may have been changed by random stores. */
enum { STEER_EVERY = 20000, STEER_HOLES = 200, STEER_ROUNDS = 3 };

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
static void other_agent(void *stimulus) {
  stimulus_change_entry(stimulus);
}

/* Makes count requests, and those that steer. Returns why it ended. */
static const char *drive(rig_t *rig, const options_t *options, progress_t *progress) {
  stimulus_t stimulus;
  lockstep_t *ls = rig->ls;
  overlap_t overlap;
  unsigned next = 0;
  uint64_t steered = 0;
  if (options->overlap) {
    overlap_init(&overlap, ls, options->seed);
    overlap.between_ctx = &stimulus;
    overlap.between = other_agent;
    ls->overlap = &overlap;
  }
  bool agree = stimulus_start(&stimulus, rig, options->seed);
  while (agree && stimulus.done < options->count && !interrupt_pending()) {
    agree = stimulus_step(&stimulus);
    if (agree && options->steer && stimulus.done / STEER_EVERY != steered) {
      agree = stimulus_steer(&stimulus, &next, STEER_HOLES);
      steered = stimulus.done / STEER_EVERY;
    }
    if (stimulus.done % 4096 == 0) progress_show(progress, stimulus.done, ls->stats.references);
    if (ls->wave_failed || (ls->trace && trace_failed(ls->trace))) return "an output failed";
  }
  if (agree && options->steer) agree = steer_rest(&stimulus, &next);
  if (agree && ls->overlap) agree = overlap_drain(&overlap);
  ls->overlap = NULL;
  return agree ? "all transactions done" : "mismatch";
}

static int execute(rig_t *rig, cosim_t *cosim, const options_t *options, char *error, unsigned error_bytes) {
  uint64_t ram_bytes = options->ram_mb << 20;
  if (ram_bytes < STIMULUS_RAM_MIN) {
    snprintf(error, error_bytes, "--ram %llu: the stimulus needs at least %d", (unsigned long long)options->ram_mb,
             STIMULUS_RAM_MIN >> 20);
    return EXIT_BAD_INPUT;
  }
  if (options->steer && !options->coverage) {
    snprintf(error, error_bytes, "--steer: towards what? --coverage FILE is missing");
    return EXIT_BAD_INPUT;
  }
  if (!cosim_open(cosim, options, ram_bytes, error, error_bytes)) return EXIT_BAD_INPUT;
  if (!rig_create(rig, &cosim->ls, &cosim->mmu, ram_bytes)) {
    snprintf(error, error_bytes, "no memory for the reference's world");
    return EXIT_BAD_INPUT;
  }
  if (options->overlap && (!cosim->dut || !cosim->dut->clock)) {
    snprintf(error, error_bytes, "--overlap: the DUT %s has no clock", options->dut);
    return EXIT_BAD_INPUT;
  }
  if (!cosim_judge(cosim, rig->mmu, &rig->world, error, error_bytes)) return EXIT_BAD_INPUT;
  if (cosim->ls.coverage) coverage_set_world(cosim->ls.coverage, &rig->world);
  progress_t progress;
  progress_start(&progress, "transactions", options->count);
  double started = progress_clock();
  outcome_t outcome = {.command = "fuzz", .verdict = VERDICT_PASS};
  outcome.stop = drive(rig, options, &progress);
  if (interrupt_pending()) {
    outcome.verdict = VERDICT_LIMIT;
    outcome.stop = "interrupted";
  }
  outcome.seconds = progress_clock() - started;
  progress_clear(&progress);
  summary_judge(&outcome, cosim, &rig->world);
  if (cosim->ls.state != LOCKSTEP_AGREE) {
    const report_context_t context = {.reproduce = options->reproduce, .seed = options->seed};
    cosim_report(cosim, stderr, rig->mmu, context);
  }
  bool whole = cosim_finish(cosim, error, error_bytes);
  if (whole && options->json) whole = summary_json(options->json, &outcome, cosim, error, error_bytes);
  if (!options->quiet) summary_print(stdout, &outcome, cosim);
  return whole ? cosim_status(cosim, summary_status(outcome.verdict)) : EXIT_BAD_INPUT;
}

int cmd_fuzz(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_FUZZ, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_fuzz_help();
    return status;
  }
  interrupt_catch();
  rig_t rig = {0};
  cosim_t cosim = {0};
  char error[512] = "";
  status = execute(&rig, &cosim, &options, error, sizeof error);
  if (error[0]) fprintf(stderr, "mmu86 fuzz: %s\n", error);
  rig_destroy(&rig);
  cosim_close(&cosim);
  return status;
}

void cmd_fuzz_help(void) {
  printf("mmu86 fuzz [OPTION ...]\n\n"
         "Random page tables, segments, accesses, control-register writes and invalidations, straight at the MMU port\n"
         "and in lockstep. The stream follows from the seed.\n\n");
  options_help(stdout, FOR_FUZZ);
  printf("\nExamples:\n"
         "  mmu86 fuzz --seed 7 --count 1000000\n"
         "  mmu86 fuzz --seed 7 --mem-latency 12\n"
         "  mmu86 fuzz --count 5000 --trace fuzz.trace\n");
}
