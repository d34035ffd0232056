/*
 * mmu86 replay: feeds a recorded transaction stream to the reference and a DUT.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "overlap.h"
#include "progress.h"
#include "replay.h"
#include "report.h"
#include "summary.h"

typedef struct {
  options_t options;
  rig_t rig;
  cosim_t cosim;
  overlap_t overlap; /* if the trace's requests do */
  trace_reader_t *reader;
  progress_t progress;
} replay_t;

/* Feeds the stream. Returns TRACE_OK if the two sides differ, or a signal comes, before its end. */
static trace_status_t feed(replay_t *r, char *error, unsigned error_bytes) {
  trace_record_t record;
  mmu_rsp_t rsp;
  lockstep_t *ls = &r->cosim.ls;
  while (!interrupt_pending()) {
    trace_status_t status = trace_read(r->reader, &record);
    if (status == TRACE_CORRUPT) snprintf(error, error_bytes, "%s", trace_error(r->reader));
    if (status != TRACE_OK) {
      if (ls->overlap) overlap_drain(ls->overlap);
      return status;
    }
    replay_status_t done = replay_record(&r->rig, &record, &rsp, error, error_bytes);
    if (done == REPLAY_REFUSED) return TRACE_CORRUPT;
    if (done == REPLAY_DIFFERS) return TRACE_OK;
    if (ls->sequence % 65536 == 0) progress_show(&r->progress, ls->sequence, ls->stats.references);
  }
  return TRACE_OK;
}

static outcome_t judge(replay_t *r, trace_status_t status, double seconds) {
  outcome_t o = {.command = "replay", .verdict = VERDICT_PASS, .seconds = seconds};
  o.stop = status == TRACE_END ? "end of the trace" : "the trace was cut off; all complete blocks were replayed";
  if (interrupt_pending()) {
    o.verdict = VERDICT_LIMIT;
    o.stop = "interrupted";
  }
  summary_judge(&o, &r->cosim, r->rig.mmu, &r->rig.world);
  return o;
}

/* The trace's requests overlap. */
static bool begin_overlap(replay_t *r, char *error, unsigned error_bytes) {
  if (!r->cosim.dut || !r->cosim.dut->clock) {
    snprintf(error, error_bytes, "%s: its requests overlap; the DUT %s has no clock", r->options.input, r->options.dut);
    return false;
  }
  overlap_init(&r->overlap, &r->cosim.ls, r->options.seed);
  r->cosim.ls.overlap = &r->overlap;
  return true;
}

static int execute(replay_t *r, const char **failure, char *error, unsigned error_bytes) {
  options_t *options = &r->options;
  trace_header_t header;
  if (!cosim_check_paths(options, error, error_bytes)) {
    *failure = error;
    return EXIT_BAD_INPUT;
  }
  r->reader = trace_open(options->input, &header, error, error_bytes);
  if (r->reader && header.overlapped) {
    options->overlap = options->architectural = true;
    options->explain[0] = 0; /* transaction by transaction */
  }
  if (!r->reader || !cosim_open(&r->cosim, options, header.ram_bytes, error, error_bytes)) {
    *failure = error;
    return EXIT_BAD_INPUT;
  }
  if (!rig_create(&r->rig, &r->cosim.ls, &r->cosim.mmu, header.ram_bytes)) {
    *failure = "no memory for the reference's world";
    return EXIT_BAD_INPUT;
  }
  if (!cosim_judge(&r->cosim, r->rig.mmu, &r->rig.world, error, error_bytes) ||
      (header.overlapped && !begin_overlap(r, error, error_bytes))) {
    *failure = error;
    return EXIT_BAD_INPUT;
  }
  if (r->cosim.ls.coverage) coverage_set_world(r->cosim.ls.coverage, &r->rig.world);
  progress_start(&r->progress, "transactions", 0);
  double started = progress_clock();
  trace_status_t status = feed(r, error, error_bytes);
  outcome_t outcome = judge(r, status, progress_clock() - started);
  progress_clear(&r->progress);
  if (status == TRACE_CORRUPT) *failure = error;
  if (status == TRACE_CUT) fprintf(stderr, "mmu86 replay: %s: the trace was cut off\n", options->input);
  if (r->cosim.ls.state != LOCKSTEP_AGREE) {
    const report_context_t context = {.reproduce = options->reproduce, .seed = options->seed};
    cosim_report(&r->cosim, stderr, r->rig.mmu, context);
  }
  char other[512] = "";
  bool whole = cosim_finish(&r->cosim, other, sizeof other);
  if (options->json && !summary_json(options->json, &outcome, &r->cosim, whole ? other : (char[512]){0}, sizeof other))
    whole = false;
  if (!whole) {
    snprintf(error, error_bytes, "%s", other);
    *failure = error;
  }
  if (!options->quiet) summary_print(stdout, &outcome, &r->cosim);
  return cosim_status(&r->cosim, summary_status(outcome.verdict), !*failure);
}

int cmd_replay(int argc, char **argv) {
  int status;
  static replay_t replay;
  if (!options_parse(&replay.options, FOR_REPLAY, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_replay_help();
    return status;
  }
  interrupt_catch();
  const char *failure = NULL;
  char error[512] = "";
  status = execute(&replay, &failure, error, sizeof error);
  if (failure) fprintf(stderr, "mmu86 replay: %s\n", failure);
  rig_destroy(&replay.rig);
  status = cosim_close(&replay.cosim, status);
  trace_close(replay.reader);
  return status;
}

void cmd_replay_help(void) {
  printf("mmu86 replay FILE [OPTION ...]\n\n"
         "Feeds a transaction stream that \"run --trace\" or \"fuzz --trace\" recorded to the reference and the DUT.\n"
         "A stream that was cut off is replayed up to its last complete block.\n\n");
  options_help(stdout, FOR_REPLAY);
  printf("\nExit status: 0 nothing differs; 1 a mismatch; 2 bad input or an output that cannot be written; 4 "
         "interrupted.\n"
         "\nExamples:\n"
         "  mmu86 replay boot.trace\n"
         "  mmu86 replay boot.trace --mem-latency 9 --seed 3\n"
         "  mmu86 replay boot.trace --wave tail.fst --wave-window 123400:200\n");
}
