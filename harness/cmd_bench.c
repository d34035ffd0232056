/*
 * mmu86 bench: medians of several rounds, ratios within a round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_bochs.h"
#include "commands.h"
#include "json_file.h"
#include "options.h"
#include "progress.h"

enum { ROUNDS = 5 };

static const char *const names[BENCH_FIGURES] = {
    "emulator_mips",     "model_hits_per_s",    "lockstep_refs_per_s", "bare_rtl_refs_per_s", "lockstep_to_bare_ratio",
    "wave_cost_ratio",   "snapshot_cost_ratio", "fuzz_lockstep_per_s", "fuzz_bare_rtl_per_s", "fuzz_to_bare_ratio",
    "oracle_cost_ratio", "loop_mips",           "bochs_mips",          "bochs_ratio"};

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* One figure over all rounds, sorted. */
static void column(const bench_round_t *rounds, unsigned figure, double values[ROUNDS]) {
  for (unsigned i = 0; i < ROUNDS; i++) {
    const bench_round_t *r = &rounds[i];
    double all[BENCH_FIGURES] = {r->emulator_mips,
                                 r->model_hits_per_s,
                                 r->lockstep_refs_per_s,
                                 r->bare_rtl_refs_per_s,
                                 r->lockstep_to_bare_ratio,
                                 r->wave_cost_ratio,
                                 r->snapshot_cost_ratio,
                                 r->fuzz.lockstep_per_s,
                                 r->fuzz.bare_rtl_per_s,
                                 r->fuzz.to_bare_ratio,
                                 r->fuzz.oracle_cost_ratio,
                                 r->loop_mips,
                                 r->bochs_mips,
                                 r->bochs_ratio};
    values[i] = all[figure];
  }
  qsort(values, ROUNDS, sizeof *values, by_value);
}

/* Why the last figures may be missing; NULL if they are not. */
static const char *not_measured(const bench_setup_t *setup) {
  if (!setup->loop) return "loop_mips and bochs_mips are not measured: no --loop, and none comes with mmu86";
  return setup->bochs ? NULL : "bochs_mips is not measured: bochs or script is not installed";
}

static bool publish(const options_t *options, const bench_setup_t *setup, const bench_round_t *rounds, char *error,
                    unsigned error_bytes) {
  json_t *root = json_object();
  printf("\nmmu86 bench: median of %d rounds (min .. max)\n", ROUNDS);
  for (unsigned f = 0; f < BENCH_FIGURES; f++) {
    double values[ROUNDS];
    column(rounds, f, values);
    double median = values[ROUNDS / 2];
    if (median == 0) continue;
    const char *format = median < 1000 ? "  %-24s %14.3f   (%.3f .. %.3f)\n" : "  %-24s %14.0f   (%.0f .. %.0f)\n";
    printf(format, names[f], median, values[0], values[ROUNDS - 1]);
    json_object_set_new(root, names[f], json_real(median));
  }
  if (not_measured(setup)) printf("  %s\n", not_measured(setup));
  json_object_set_new(root, "rounds", json_integer(ROUNDS));
  bool ok = !options->json || json_write(options->json, root, error, error_bytes);
  json_decref(root);
  return ok;
}

int cmd_bench(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_BENCH, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_bench_help();
    return status;
  }
  char loop[DATA_FILE_PATH];
  if (!options.loop && data_file("loop.rom", loop)) options.loop = loop;
  char wave[1100], trace[1100], error[512] = "";
  snprintf(wave, sizeof wave, "%s.bench.fst", options.json ? options.json : "mmu86");
  snprintf(trace, sizeof trace, "%s.bench.mmut", options.json ? options.json : "mmu86");
  bench_setup_t setup = {.image = options.input,
                         .cmdline = options.cmdline,
                         .ram_bytes = options.ram_mb << 20,
                         .emulator_insns = 20000000,
                         .lockstep_insns = 1500000,
                         .wave_insns = 60000,
                         .snapshot_insns = 3000000,
                         .snapshot_every = options.snapshot_every,
                         .fuzz_count = 200000,
                         .wave_path = wave,
                         .trace_path = trace,
                         .loop = options.loop,
                         .loop_insns = 40000000,
                         .bochs = bench_bochs_there()};
  bench_round_t rounds[ROUNDS];
  bool ok = true;
  progress_t progress;
  progress_start(&progress, "rounds", 0);
  for (unsigned i = 0; ok && i < ROUNDS; i++) {
    if (progress.on) fprintf(stderr, "\r\033[Kround %u of %d", i + 1, ROUNDS);
    ok = bench_round(&setup, &rounds[i], error, sizeof error);
  }
  if (progress.on) fputs("\r\033[K", stderr);
  ok = ok && publish(&options, &setup, rounds, error, sizeof error);
  if (!ok) fprintf(stderr, "mmu86 bench: %s\n", error);
  return ok ? EXIT_PASS : EXIT_BAD_INPUT;
}

void cmd_bench_help(void) {
  printf("mmu86 bench [IMAGE] [OPTION ...]\n\n"
         "Boots the image several times and prints the median speed of each part. Without IMAGE it is the kernel that\n"
         "comes with mmu86.\n\n");
  options_help(stdout, FOR_BENCH);
  printf("\nExit status: 0; 2 bad input or an output that cannot be written.\n\n"
         "Examples:\n"
         "  mmu86 bench --json bench.json\n"
         "  mmu86 bench kernel.elf --snapshot-every 20000\n");
}
