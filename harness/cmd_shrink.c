/*
 * mmu86 shrink: a failing trace becomes the few steps that make it fail, as a trace, as a test and as guest code.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "dut_load.h"
#include "interrupt.h"
#include "json_file.h"
#include "output.h"
#include "progress.h"
#include "report.h"
#include "shrink_steps.h"
#include "summary.h"

enum { TRACE, CHECK, GUEST, OUTPUTS };

static const char *const suffixes[OUTPUTS] = {".trace", "_test.c", ".c"};

typedef struct {
  const options_t *options;
  shrink_config_t config;
  shrink_result_t result;
  bool shown; /* a line of progress is there */
  double started, last;
  char name[OUTPUT_PATH]; /* of the outputs, without suffix */
  char target[OUTPUTS][OUTPUT_PATH], partial[OUTPUTS][OUTPUT_PATH];
  char reproduce[OUTPUT_PATH + 1024]; /* the command that replays the result */
} command_t;

static bool stop(void *ctx) {
  (void)ctx;
  return interrupt_pending();
}

static void show(void *ctx, uint64_t candidates, size_t records) {
  command_t *c = ctx;
  double now = progress_clock();
  if (!isatty(STDERR_FILENO) || now - c->last < 0.2) return;
  c->last = now;
  c->shown = true;
  fprintf(stderr, "\r\033[K%zu records, %llu candidates, %.0f s", records, (unsigned long long)candidates,
          now - c->started);
  fflush(stderr);
}

/* --- outputs --- */

/* NAME of --out; else the trace's, so that NAME.trace is not the trace itself. */
static bool choose_name(command_t *c, char *error, unsigned error_bytes) {
  const char *input = c->options->input, *out = c->options->out;
  size_t n = strlen(input), tail = strlen(suffixes[TRACE]);
  if (n > tail && strcmp(input + n - tail, suffixes[TRACE]) == 0) n -= tail;
  int length = out ? snprintf(c->name, sizeof c->name, "%s", out)
                   : snprintf(c->name, sizeof c->name, "%.*s-min", (int)(n > OUTPUT_PATH ? OUTPUT_PATH : n), input);
  if (length >= 1 && length < OUTPUT_PATH - 16 && c->name[length - 1] != '/') return true;
  snprintf(error, error_bytes, "--out %.200s: is no name for files", out ? out : c->name);
  return false;
}

/* Found out now rather than after minutes. */
static bool check_outputs(command_t *c, char *error, unsigned error_bytes) {
  for (unsigned i = 0; i < OUTPUTS; i++) {
    char path[OUTPUT_PATH + 16];
    snprintf(path, sizeof path, "%s%s", c->name, suffixes[i]);
    if (output_same_file(path, c->options->input)) {
      snprintf(error, error_bytes, "%.300s: is the input; it cannot be an output as well", path);
      return false;
    }
    if (!output_places(path, c->target[i], c->partial[i])) {
      snprintf(error, error_bytes, "%.300s: cannot write the result: not a file", path);
      return false;
    }
    FILE *file = fopen(c->partial[i], "wb");
    if (file && fclose(file) == 0 && remove(c->partial[i]) == 0) continue;
    snprintf(error, error_bytes, "%.300s: cannot write the result: %s", path, strerror(errno));
    return false;
  }
  return true;
}

/* The last part of the name as an identifier of C. */
static void identifier(const char *name, char *out, size_t room) {
  const char *slash = strrchr(name, '/');
  size_t n = 0;
  if (slash) name = slash + 1;
  if (!isalpha((unsigned char)*name)) n = (size_t)snprintf(out, room, "shrunk_");
  for (; *name && n + 1 < room; name++)
    out[n++] = isalnum((unsigned char)*name) ? *name : '_';
  out[n] = 0;
}

static bool write_trace(command_t *c, char *error, unsigned error_bytes) {
  trace_header_t header = c->result.header;
  snprintf(header.origin, sizeof header.origin, "%s", c->options->reproduce);
  trace_writer_t *writer = trace_create(c->partial[TRACE], &header, error, error_bytes);
  if (!writer) return false;
  records_write(writer, &c->result.records);
  return trace_finish(writer, error, error_bytes);
}

static bool write_text(command_t *c, unsigned which, const shrink_text_t *text, char *error, unsigned error_bytes) {
  FILE *file = fopen(c->partial[which], "w");
  errno = 0;
  if (file) (which == CHECK ? shrink_write_check : shrink_write_guest)(file, text);
  bool ok = file && fflush(file) == 0 && !ferror(file);
  if (file && fclose(file) != 0) ok = false;
  if (!ok)
    snprintf(error, error_bytes, "%.300s: cannot write the result: %s", c->target[which],
             strerror(errno ? errno : EIO));
  return ok;
}

/* All three files or none. */
static bool write_outputs(command_t *c, const shrink_step_t *steps, char *error, unsigned error_bytes) {
  char name[128], failure[512], title[sizeof failure + DECODE_LINE], request[DECODE_LINE];
  identifier(c->name, name, sizeof name);
  snprintf(title, sizeof title, "%s; %s", decode_request(&c->result.failure.req, request),
           failure_text(&c->result.failure, failure, sizeof failure));
  shrink_text_t text = {name, title, &c->result.env, &c->result.records, steps};
  bool ok = write_trace(c, error, error_bytes) && write_text(c, CHECK, &text, error, error_bytes) &&
            write_text(c, GUEST, &text, error, error_bytes);
  for (unsigned i = 0; i < OUTPUTS && ok; i++) {
    ok = rename(c->partial[i], c->target[i]) == 0;
    if (!ok) snprintf(error, error_bytes, "%.300s: cannot write the result: %s", c->target[i], strerror(errno));
  }
  for (unsigned i = 0; i < OUTPUTS && !ok; i++)
    remove(c->partial[i]);
  return ok;
}

/* --- what is told --- */

static void print_steps(const command_t *c, const shrink_step_t *steps) {
  enum { MOST = 200 }; /* lines, should it be stopped early */
  const records_t *list = &c->result.records;
  size_t skip = list->n > MOST ? list->n - MOST : 0;
  if (skip) printf("  ... %zu more records\n", skip);
  for (size_t i = skip; i < list->n; i++)
    printf("  %3zu  %-58s %s\n", i + 1, steps[i].what, steps[i].note);
}

/* What the result does, as a replay of it reports it. */
static void print_failure(const command_t *c) {
  subject_t subject;
  mmu_rsp_t rsp;
  failure_t failure = {0};
  char error[256];
  if (c->result.failure.kind == FAILURE_IMAGES || !subject_open(&subject, &c->result.env, NULL, error, sizeof error)) {
    printf("\nReproduce:\n  %s\n", c->reproduce);
    return;
  }
  for (size_t i = 0; i < c->result.records.n; i++)
    if (!subject_step(&subject, &c->result.records.at[i], &rsp, &failure)) break;
  if (subject.ls.state == LOCKSTEP_AGREE) subject_end(&subject, &failure);
  report_context_t context = {.reproduce = c->reproduce, .seed = c->options->seed};
  if (subject.ls.state != LOCKSTEP_AGREE) {
    report_mismatch(stdout, &subject.ls, subject.rig.mmu, &context);
    report_waveform(stdout, &subject.ls, &context);
  }
  subject_close(&subject);
}

static void print_count(const char *what, uint64_t before, uint64_t after) {
  if (before || after) printf("  %-24s %10llu -> %llu\n", what, (unsigned long long)before, (unsigned long long)after);
}

static void print_result(const command_t *c, const shrink_step_t *steps, bool stopped, double seconds) {
  const shrink_result_t *r = &c->result;
  char failure[512];
  print_steps(c, steps);
  print_failure(c);
  printf("mmu86 shrink: %s\n", failure_text(&r->failure, failure, sizeof failure));
  print_count("transactions", r->before.requests, r->after.requests);
  print_count("stores", r->before.stores, r->after.stores);
  print_count("loads", r->before.loads, r->after.loads);
  print_count("other records", r->before.others, r->after.others);
  printf("  %-24s %10llu%s\n", "candidates tried", (unsigned long long)r->candidates,
         stopped ? ", interrupted: it may be reduced further" : "");
  printf("  %-24s %10.2f s\n", "wall time", seconds);
  for (unsigned i = 0; i < OUTPUTS; i++)
    printf("  %-24s %s%s\n", i == 0 ? "written" : "", c->name, suffixes[i]);
}

static json_t *counts_json(const records_count_t *count) {
  return json_pack("{s:I, s:I, s:I, s:I}", "transactions", (json_int_t)count->requests, "stores",
                   (json_int_t)count->stores, "loads", (json_int_t)count->loads, "others", (json_int_t)count->others);
}

static bool write_json(const command_t *c, bool stopped, double seconds, char *error, unsigned error_bytes) {
  const shrink_result_t *r = &c->result;
  char failure[512];
  json_t *files = json_array(), *root = json_object();
  for (unsigned i = 0; i < OUTPUTS; i++)
    json_array_append_new(files, json_string(c->target[i]));
  json_object_set_new(root, "command", json_string(c->options->reproduce));
  json_object_set_new(root, "reproduce", json_string(c->reproduce));
  json_object_set_new(root, "verdict", json_string(stopped ? "interrupted" : "shrunk"));
  json_object_set_new(root, "failure", json_string(failure_text(&r->failure, failure, sizeof failure)));
  json_object_set_new(root, "before", counts_json(&r->before));
  json_object_set_new(root, "after", counts_json(&r->after));
  json_object_set_new(root, "candidates", json_integer((json_int_t)r->candidates));
  json_object_set_new(root, "seconds", json_real(seconds));
  json_object_set_new(root, "files", files);
  bool ok = json_write(c->options->json, root, error, error_bytes);
  json_decref(root);
  return ok;
}

static void set_reproduce(command_t *c, const char *program) {
  const options_t *o = c->options;
  char word[OUTPUT_PATH + 16];
  options_quote(c->reproduce, sizeof c->reproduce, program);
  options_quote(c->reproduce, sizeof c->reproduce, "replay");
  snprintf(word, sizeof word, "%s%s", c->name, suffixes[TRACE]);
  options_quote(c->reproduce, sizeof c->reproduce, word);
  if (dut_load_is_file(o->dut)) {
    options_quote(c->reproduce, sizeof c->reproduce, "--dut");
    options_quote(c->reproduce, sizeof c->reproduce, o->dut);
  }
  if (o->dut_args[0]) {
    options_quote(c->reproduce, sizeof c->reproduce, "--dut-args");
    options_quote(c->reproduce, sizeof c->reproduce, o->dut_args);
  }
  if (c->result.env.architectural && !c->result.env.overlapped)
    options_quote(c->reproduce, sizeof c->reproduce, "--check=architectural");
  if (c->result.env.mem_latency) {
    snprintf(word, sizeof word, "--mem-latency=%u", c->result.env.mem_latency);
    options_quote(c->reproduce, sizeof c->reproduce, word);
  }
  if (c->result.env.seed == OPTIONS_SEED) return;
  snprintf(word, sizeof word, "--seed=%llu", (unsigned long long)c->result.env.seed);
  options_quote(c->reproduce, sizeof c->reproduce, word);
}

/* Returns the exit status; with EXIT_BAD_INPUT and EXIT_LIMIT there may be a line in error. */
static int execute(command_t *c, const char *program, char *error, unsigned error_bytes) {
  const options_t *o = c->options;
  c->config.env.dut = cosim_find_dut(o, error, error_bytes);
  if (!c->config.env.dut || !cosim_check_paths(o, error, error_bytes)) return EXIT_BAD_INPUT;
  if (dut_load_is_file(o->dut)) c->config.env.dut_file = o->dut;
  if (c->config.env.dut->traits.own_caching) c->config.env.architectural = true;
  FILE *there = fopen(o->input, "rb"); /* a missing trace is to be told before an output that cannot be */
  if (there) {
    fclose(there);
    if (!check_outputs(c, error, error_bytes)) return EXIT_BAD_INPUT;
  }
  shrink_status_t status = shrink_trace(o->input, &c->config, &c->result, error, error_bytes);
  if (c->shown) fputs("\r\033[K", stderr);
  if (status == SHRINK_BAD) return interrupt_pending() ? EXIT_LIMIT : EXIT_BAD_INPUT;
  if (status == SHRINK_AGREES) {
    snprintf(error, error_bytes, "%s: nothing to shrink: the replay agrees to its end", o->input);
    return EXIT_BAD_INPUT;
  }
  bool stopped = status == SHRINK_STOPPED;
  double seconds = progress_clock() - c->started;
  set_reproduce(c, program);
  shrink_step_t *steps = shrink_steps(&c->result.env, &c->result.records);
  if (!steps) {
    snprintf(error, error_bytes, "no memory for the steps");
    return EXIT_BAD_INPUT;
  }
  bool ok =
      write_outputs(c, steps, error, error_bytes) && (!o->json || write_json(c, stopped, seconds, error, error_bytes));
  if (ok && !o->quiet) print_result(c, steps, stopped, seconds);
  free(steps);
  return !ok ? EXIT_BAD_INPUT : stopped ? EXIT_LIMIT : EXIT_PASS;
}

int cmd_shrink(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_SHRINK, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_shrink_help();
    return status;
  }
  interrupt_catch();
  static command_t c;
  c.options = &options;
  c.config = (shrink_config_t){.env = {.cycle_limit = COSIM_CYCLE_LIMIT,
                                       .mem_latency = options.mem_latency,
                                       .architectural = options.architectural,
                                       .seed = options.seed,
                                       .arguments = options.dut_args},
                               .any_failure = options.any_failure,
                               .ctx = &c,
                               .stop = stop,
                               .show = show};
  c.started = progress_clock();
  char error[512] = "";
  status = choose_name(&c, error, sizeof error) ? EXIT_PASS : EXIT_BAD_INPUT;
  if (status == EXIT_PASS) status = execute(&c, argv[0], error, sizeof error);
  if (error[0]) fprintf(stderr, "mmu86 shrink: %s\n", error);
  shrink_free(&c.result);
  return status;
}

void cmd_shrink_help(void) {
  printf(
      "mmu86 shrink FILE [OPTION ...]\n\n"
      "Reduces a trace whose replay ends in a mismatch, a hang or a protocol error to the few steps that make it end\n"
      "so. The failure stays the same: its kind, the operation that fails, the most telling field that differs and,\n"
      "if it is about a fault, which side raises which. Writes NAME.trace for mmu86 replay, NAME_test.c, a Check test\n"
      "for this repository, and NAME.c, code for a 32-bit guest. Requests that overlapped are done one after another "
      "if\n"
      "that fails too, and memory gets less latency or another seed: the command that is printed has them.\n"
      "Ctrl-C ends it with the best result so far.\n\n");
  options_help(stdout, FOR_SHRINK);
  printf(
      "\nExit status: 0 shrunk; 2 the replay agrees, or bad input or output; 4 interrupted, the result is written.\n\n"
      "Examples:\n"
      "  mmu86 fuzz --seed 7 --trace fuzz.trace || mmu86 shrink fuzz.trace\n"
      "  mmu86 shrink fuzz.trace --mem-latency 9 --seed 3 --out bug42\n"
      "  mmu86 fuzz --overlap --trace race.trace || mmu86 shrink race.trace\n"
      "  mmu86 shrink boot.trace --any-failure\n");
}
