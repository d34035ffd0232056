/*
 * mmu86 explain: one transaction of a recorded stream, check by check.
 *
 * The trace is gone through up to three times: with the DUT, to find the transaction and what both sides answer; by the
 * reference alone up to the transaction, whose state and memory are then explained; and once more, when it is known
 * what the transaction is about, to see since when things are so. At the architectural check level the reference
 * follows the DUT, which is there each time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cosim.h"
#include "explain_pen.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"
#include "replay.h"

enum { MESSAGE = 512, NAME_MAX_SHOWN = 2048 };

typedef struct {
  const options_t *options;
  trace_header_t header;
  mmu_config_t config; /* what the DUT declares */
  uint64_t number;     /* of the transaction; UINT64_MAX: not known yet */
  mmu_rsp_t model, dut;
  bool has_dut;
  unsigned differences;
  char dut_error[256]; /* it has hung or broken its protocol; else "" */
  explanation_t explanation;
  explain_follow_t follow;
  bool judged; /* the check level is architectural */
  explain_legal_t legal;
  explain_since_t since;
  char note[160];
  int status; /* of the exit, if something stops the work */
  char error[MESSAGE];
} job_t;

/* Ends the work. Returns false. */
__attribute__((format(printf, 3, 4))) static bool stop(job_t *job, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(job->error, sizeof job->error, format, args);
  va_end(args);
  job->status = status;
  return false;
}

/* --- going through the trace --- */

/* What is done with what passes by; either may be NULL. next: number of the next transaction. */
typedef struct {
  void (*record)(job_t *job, rig_t *rig, const trace_record_t *record);
  void (*transaction)(job_t *job, rig_t *rig, const mmu_req_t *req, const mmu_rsp_t *rsp);
} visitor_t;

typedef enum {
  FEED_REACHED, /* the transaction is next: its request is in *record */
  FEED_ENDED,   /* the trace has no more */
  FEED_DIFFERS, /* the two sides do */
  FEED_STOPPED, /* the work is */
} feed_t;

/* Does a record. Returns FEED_REACHED if the work goes on. */
static feed_t do_record(job_t *job, rig_t *rig, const trace_record_t *record, const visitor_t *visitor) {
  char why[MESSAGE];
  mmu_rsp_t rsp;
  switch (replay_record(rig, record, &rsp, why, sizeof why)) {
  case REPLAY_REFUSED:
    stop(job, EXIT_BAD_INPUT, "%s", why);
    return FEED_STOPPED;
  case REPLAY_DIFFERS:
    return FEED_DIFFERS;
  case REPLAY_AGREE:
    break;
  }
  if (record->kind != TRACE_REQUEST) {
    if (visitor->record) visitor->record(job, rig, record);
    return FEED_REACHED;
  }
  if (visitor->transaction) visitor->transaction(job, rig, &record->req, &rsp);
  job->model = rsp;
  return FEED_REACHED;
}

/* Reads the next record. Returns FEED_REACHED if there is one. */
static feed_t next_record(job_t *job, trace_reader_t *reader, trace_record_t *record) {
  trace_status_t status = trace_read(reader, record);
  if (interrupt_pending()) {
    stop(job, EXIT_LIMIT, "interrupted");
    return FEED_STOPPED;
  }
  if (status == TRACE_CORRUPT) {
    stop(job, EXIT_BAD_INPUT, "%s", trace_error(reader));
    return FEED_STOPPED;
  }
  if (status == TRACE_OK) return FEED_REACHED;
  if (status == TRACE_CUT) snprintf(job->note, sizeof job->note, "the trace was cut off after this transaction");
  return FEED_ENDED;
}

/* Does what comes before transaction `until`. */
static feed_t feed(job_t *job, rig_t *rig, trace_reader_t *reader, uint64_t until, const visitor_t *visitor,
                   trace_record_t *record) {
  progress_t progress;
  feed_t result;
  progress_start(&progress, "transactions", until == UINT64_MAX ? 0 : until);
  while ((result = next_record(job, reader, record)) == FEED_REACHED) {
    if (record->kind == TRACE_REQUEST && rig->ls->sequence == until) break;
    result = do_record(job, rig, record, visitor);
    if (result != FEED_REACHED) break;
    if (rig->ls->sequence % 65536 == 0) progress_show(&progress, rig->ls->sequence, rig->ls->stats.references);
  }
  progress_clear(&progress);
  return result;
}

/* --- with the DUT --- */

static void keep_sides(job_t *job, const cosim_t *cosim) {
  const lockstep_t *ls = &cosim->ls;
  job->has_dut = cosim->dut;
  job->model = ls->model_rsp;
  job->dut = ls->dut_rsp;
  job->differences = ls->differences;
  if (ls->oracle && ls->state != LOCKSTEP_HANG && ls->state != LOCKSTEP_PROTOCOL)
    explain_legal_judged(&job->legal, ls->oracle, ls->verdict);
  if (ls->state == LOCKSTEP_HANG || ls->state == LOCKSTEP_PROTOCOL)
    snprintf(job->dut_error, sizeof job->dut_error, "%s", ls->dut_error);
}

/* No transaction differs: the last one is explained. What both memories hold may differ all the same. */
static bool take_last(job_t *job, cosim_t *cosim, rig_t *rig) {
  uint64_t paddr;
  if (cosim->ls.sequence == 0)
    return stop(job, EXIT_BAD_INPUT, "%s: there is no transaction in it", job->options->input);
  job->number = cosim->ls.sequence - 1;
  job->has_dut = cosim->dut;
  job->dut = cosim->ls.dut_rsp;
  if (cosim->ls.oracle) explain_legal_judged(&job->legal, cosim->ls.oracle, cosim->ls.verdict);
  if (cosim->dut && !world_equal(&rig->world, &cosim->dut_world, &paddr)) {
    snprintf(job->note, sizeof job->note,
             "no transaction differs, but in the end the two memories do, first at physical address %08" PRIx64, paddr);
    job->status = EXIT_MISMATCH;
  }
  return true;
}

static bool judge_sides(job_t *job, cosim_t *cosim, rig_t *rig, feed_t fed, const trace_record_t *record) {
  mmu_rsp_t rsp;
  uint64_t at = cosim->ls.sequence, wanted = job->number;
  switch (fed) {
  case FEED_STOPPED:
    return false;
  case FEED_DIFFERS:
    if (wanted != UINT64_MAX)
      return stop(
          job, EXIT_MISMATCH,
          "the two sides differ at transaction %" PRIu64 " already: explain that one, or this one with --dut none", at);
    job->number = at;
    keep_sides(job, cosim);
    return true;
  case FEED_ENDED:
    if (wanted == UINT64_MAX) return take_last(job, cosim, rig);
    return stop(job, EXIT_BAD_INPUT, "--transaction %" PRIu64 ": %s ends after %" PRIu64 " transactions", wanted,
                job->options->input, at);
  default:
    job->note[0] = 0;
    if (rig_transact(rig, &record->req, &rsp)) cosim->ls.model_rsp = rsp;
    keep_sides(job, cosim);
    return true;
  }
}

/* The reference, and the DUT if it is to be there. */
typedef struct {
  cosim_t cosim;
  rig_t rig;
} sides_t;

static bool open_sides(job_t *job, sides_t *sides, bool with_dut) {
  memset(sides, 0, sizeof *sides);
  lockstep_init(&sides->cosim.ls);
  if (with_dut && !cosim_open(&sides->cosim, job->options, job->header.ram_bytes, job->error, sizeof job->error)) {
    job->status = EXIT_BAD_INPUT;
    return false;
  }
  if (with_dut) job->config = sides->cosim.mmu;
  if (!rig_create(&sides->rig, &sides->cosim.ls, &job->config, job->header.ram_bytes)) {
    if (with_dut) cosim_close(&sides->cosim, EXIT_PASS);
    return stop(job, EXIT_BAD_INPUT, "no memory for the reference's world");
  }
  if (!with_dut || cosim_judge(&sides->cosim, sides->rig.mmu, &sides->rig.world, job->error, sizeof job->error))
    return true;
  job->status = EXIT_BAD_INPUT;
  rig_destroy(&sides->rig);
  cosim_close(&sides->cosim, EXIT_PASS);
  return false;
}

static void close_sides(sides_t *sides) {
  rig_destroy(&sides->rig);
  if (sides->cosim.options) cosim_close(&sides->cosim, EXIT_PASS);
}

static bool find_sides(job_t *job, trace_reader_t *reader) {
  static const visitor_t nothing = {NULL, NULL};
  sides_t sides;
  trace_record_t record;
  if (!open_sides(job, &sides, true)) return false;
  job->judged = sides.cosim.ls.oracle;
  feed_t fed = feed(job, &sides.rig, reader, job->number, &nothing, &record);
  bool ok = judge_sides(job, &sides.cosim, &sides.rig, fed, &record);
  close_sides(&sides);
  return ok;
}

/* --- up to the transaction --- */

static void follow_record(job_t *job, rig_t *rig, const trace_record_t *record) {
  (void)rig;
  if (record->kind == TRACE_RESET) explain_follow_reset(&job->follow, &job->config);
}

static void follow_transaction(job_t *job, rig_t *rig, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  (void)rig;
  explain_follow(&job->follow, req, rsp);
}

static void explain_here(job_t *job, rig_t *rig, const mmu_req_t *req) {
  explain_state_t before;
  explain_state_read(&before, rig->mmu, &job->follow);
  if (job->judged) explain_legal_recall(&job->legal, &before.cache);
  explain(&before, &rig->world, req, &job->explanation);
  if (job->judged) explain_legal_choices(&job->legal, oracle_history(rig->ls->oracle), &job->explanation);
}

static void since_record(job_t *job, rig_t *rig, const trace_record_t *record) {
  explain_since_record(&job->since, rig->ls->sequence, record);
}

static void since_transaction(job_t *job, rig_t *rig, const mmu_req_t *req, const mmu_rsp_t *rsp) {
  explain_since_transaction(&job->since, rig->ls->sequence - 1, req, rsp, rig->mmu);
}

/* Goes through the trace up to the transaction; then `there`, if not NULL. */
static bool pass(job_t *job, const visitor_t *visitor, void (*there)(job_t *job, rig_t *rig, const mmu_req_t *req)) {
  sides_t sides;
  trace_record_t record;
  trace_reader_t *reader = trace_open(job->options->input, &job->header, job->error, sizeof job->error);
  if (!reader) {
    job->status = EXIT_BAD_INPUT;
    return false;
  }
  bool ok = open_sides(job, &sides, job->judged);
  if (ok) {
    feed_t fed = feed(job, &sides.rig, reader, job->number, visitor, &record);
    ok = fed == FEED_REACHED;
    if (fed == FEED_ENDED) stop(job, EXIT_BAD_INPUT, "%s: has changed meanwhile", job->options->input);
    if (fed == FEED_DIFFERS)
      stop(job, EXIT_MISMATCH, "the DUT's answers are not the same again: it does not follow from its inputs alone");
    if (ok && there) there(job, &sides.rig, &record.req);
    close_sides(&sides);
  }
  trace_close(reader);
  return ok;
}

static bool work(job_t *job) {
  static const visitor_t follow = {follow_record, follow_transaction}, since = {since_record, since_transaction};
  job->number = job->options->transaction;
  if (!cosim_check_paths(job->options, job->error, sizeof job->error)) {
    job->status = EXIT_BAD_INPUT;
    return false;
  }
  trace_reader_t *reader = trace_open(job->options->input, &job->header, job->error, sizeof job->error);
  if (!reader) job->status = EXIT_BAD_INPUT;
  if (reader && job->header.overlapped)
    stop(job, EXIT_BAD_INPUT,
         "%s: its requests overlap; mmu86 replay with --wave shows them, mmu86 shrink reduces them",
         job->options->input);
  bool ok = reader && !job->header.overlapped && find_sides(job, reader);
  trace_close(reader);
  if (!ok) return false;
  char note[sizeof job->note];
  memcpy(note, job->note, sizeof note);
  mmu_rsp_t model = job->model;
  explain_follow_reset(&job->follow, &job->config);
  if (!pass(job, &follow, explain_here)) return false;
  explain_since_begin(&job->since, &job->explanation);
  if (!pass(job, &since, NULL)) return false;
  memcpy(job->note, note, sizeof note);
  job->model = model;
  /* What is not legal has no counterpart: what memory says stands beside it. */
  if (job->judged && !explain_legal_is(&job->legal)) job->model = job->explanation.rsp;
  return true;
}

/* --- output --- */

typedef struct {
  FILE *file;
  bool beside; /* it is written beside its place and renamed */
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
} page_file_t;

/* Found out now rather than after minutes whether the page can be written. */
static bool open_page(job_t *job, page_file_t *page) {
  const char *path = job->options->html;
  if (!path) return true;
  if (strcmp(path, "-") == 0) {
    page->file = stdout;
    return true;
  }
  page->beside = output_places(path, page->target, page->partial);
  page->file = fopen(page->beside ? page->partial : path, "w");
  if (page->file) return true;
  return stop(job, EXIT_BAD_INPUT, "%s: cannot write the page: %s", path, strerror(errno));
}

static void close_page(page_file_t *page) {
  if (!page->file || page->file == stdout) return;
  fclose(page->file);
  if (page->beside) remove(page->partial);
}

static bool write_page(job_t *job, page_file_t *page, const explain_report_t *report) {
  if (!page->file) return true;
  explain_html(page->file, report);
  if (page->file == stdout) return true;
  errno = 0;
  bool ok = fflush(page->file) == 0 && !ferror(page->file);
  int failure = ok ? 0 : errno ? errno : EIO;
  if (fclose(page->file) != 0 && !failure) failure = errno;
  page->file = NULL;
  if (!failure && page->beside && rename(page->partial, page->target) != 0) failure = errno;
  if (!failure) return true;
  if (page->beside) remove(page->partial);
  return stop(job, EXIT_BAD_INPUT, "%s: cannot write the page: %s", job->options->html, strerror(failure));
}

/* How the explanation differs from the reference: not at all, if neither is wrong. */
static unsigned self_difference(const job_t *job) {
  if (job->judged) return explain_legal_differs(&job->legal, &job->explanation, &job->model);
  return explain_differs(&job->explanation, &job->model);
}

static int show(job_t *job, page_file_t *page) {
  char trace[NAME_MAX_SHOWN], recorded[NAME_MAX_SHOWN], dut_error[MESSAGE];
  explain_report_t report = {.explanation = &job->explanation,
                             .since = &job->since,
                             .legal = job->judged ? &job->legal : NULL,
                             .number = job->number,
                             .trace = explain_printable(job->options->input, trace, sizeof trace),
                             .recorded = explain_printable(job->header.origin, recorded, sizeof recorded),
                             .model = &job->model,
                             .dut = job->has_dut ? &job->dut : NULL,
                             .dut_name = job->has_dut ? job->options->dut : "",
                             .differences = job->differences,
                             .self_difference = self_difference(job),
                             .note = job->note};
  if (job->dut_error[0]) report.dut_error = explain_printable(job->dut_error, dut_error, sizeof dut_error);
  if (page->file != stdout) explain_text(stdout, &report);
  if (!write_page(job, page, &report)) return job->status;
  bool differs = report.differences || report.dut_error || report.self_difference;
  return differs ? EXIT_MISMATCH : job->status;
}

int cmd_explain(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_EXPLAIN, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_explain_help();
    return status;
  }
  interrupt_catch();
  page_file_t page = {0};
  job_t *job = calloc(1, sizeof *job);
  if (!job) {
    fprintf(stderr, "mmu86 explain: no memory\n");
    return EXIT_BAD_INPUT;
  }
  options.no_failure_wave = true; /* nothing is left behind but the page */
  job->options = &options;
  job->status = EXIT_PASS;
  status = open_page(job, &page) && work(job) ? show(job, &page) : job->status;
  close_page(&page);
  if (job->error[0]) fprintf(stderr, "mmu86 explain: %s\n", job->error);
  free(job);
  return status;
}

void cmd_explain_help(void) {
  printf(
      "mmu86 explain FILE [OPTION ...]\n\n"
      "Shows one transaction of a stream that \"run --trace\" or \"fuzz --trace\" recorded as a person would draw it: "
      "the\n"
      "descriptor, every check with its values, TLB, walk and physical address, what each side did, and which earlier\n"
      "transactions made things so.\n\n");
  options_help(stdout, FOR_EXPLAIN);
  printf("\nExit status: 0 both sides agree on it; 1 they differ; 2 bad input or an output that cannot be written; 4 "
         "interrupted.\n"
         "\nExamples:\n"
         "  mmu86 explain boot.trace\n"
         "  mmu86 explain boot.trace --transaction 123456 --html why.html\n"
         "  mmu86 explain boot.trace --transaction 123456 --dut none\n");
}
