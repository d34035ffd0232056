/*
 * mmu86 sweep: each event slid over every cycle of each kind of walk, on both ports.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "json_file.h"
#include "progress.h"
#include "report.h"
#include "summary.h"
#include "sweep.h"

/* Cycles after the answer at which an event still comes. */
enum { BEYOND = 4 };

typedef struct {
  const options_t *options;
  cosim_t cosim;
  rig_t rig;
  overlap_t overlap;
  sweep_scene_t scene; /* the one that runs */
  unsigned scenes[SWEEP_EVENTS][SWEEP_WALKS];
  uint64_t n, total; /* scenes so far; as far as is known beforehand */
  progress_t progress;
} command_t;

static void name_scene(const sweep_scene_t *s, char *text, unsigned bytes) {
  snprintf(text, bytes, "%s/%s/%s/%s/%u", sweep_walk_name(s->walk), s->port == DUT_FETCH ? "fetch" : "data",
           sweep_event_name(s->event), s->held ? "held" : "taken", s->cycle);
}

static bool run_scene(command_t *c, unsigned *span) {
  if (++c->n % 64 == 0) progress_show(&c->progress, c->n, c->cosim.ls.stats.references);
  c->scenes[c->scene.event][c->scene.walk]++;
  return sweep_run(&c->rig, &c->overlap, &c->scene, span);
}

/* One walk, port and way of taking: without an event first, to see how long it lasts. Returns false if it is wrong. */
static bool sweep_walk(command_t *c) {
  unsigned calm, span;
  c->scene.event = SWEEP_NOTHING;
  c->scene.cycle = 0;
  if (!run_scene(c, &calm)) return false;
  for (unsigned event = SWEEP_NOTHING + 1; event < SWEEP_EVENTS; event++)
    for (unsigned cycle = 0; cycle <= calm + BEYOND && !interrupt_pending(); cycle++) {
      c->scene.event = (sweep_event_t)event;
      c->scene.cycle = cycle;
      if (!run_scene(c, &span)) return false;
    }
  return true;
}

static bool sweep_all(command_t *c) {
  for (unsigned walk = 0; walk < SWEEP_WALKS; walk++)
    for (unsigned i = 0; i < 4 && !interrupt_pending(); i++) {
      c->scene = (sweep_scene_t){.walk = (sweep_walk_t)walk, .port = (dut_port_t)(i & 1), .held = i & 2};
      if (sweep_possible(c->scene.walk, c->scene.port) && !sweep_walk(c)) return false;
    }
  return true;
}

/* Finds the scene of a name. Returns false if it is none. */
static bool parse_scene(const char *text, sweep_scene_t *scene) {
  const char *slash = strrchr(text, '/');
  char *end;
  if (!slash || slash[1] < '0' || slash[1] > '9') return false;
  scene->cycle = (unsigned)strtoul(slash + 1, &end, 10);
  if (*end || scene->cycle > 100000) return false;
  for (unsigned walk = 0; walk < SWEEP_WALKS; walk++)
    for (unsigned event = 0; event < SWEEP_EVENTS; event++)
      for (unsigned i = 0; i < 4; i++) {
        char name[128];
        unsigned cycle = scene->cycle;
        *scene = (sweep_scene_t){(sweep_walk_t)walk, (dut_port_t)(i & 1), (sweep_event_t)event, i & 2, cycle};
        name_scene(scene, name, sizeof name);
        if (strcmp(name, text) == 0) return sweep_possible(scene->walk, scene->port);
      }
  return false;
}

static void print_table(FILE *out, const command_t *c) {
  fprintf(out, "\n  %-14s", "scenes");
  for (unsigned walk = 0; walk < SWEEP_WALKS; walk++)
    fprintf(out, "%10s", sweep_walk_name((sweep_walk_t)walk));
  fprintf(out, "\n");
  for (unsigned event = 0; event < SWEEP_EVENTS; event++) {
    fprintf(out, "  %-14s", sweep_event_name((sweep_event_t)event));
    for (unsigned walk = 0; walk < SWEEP_WALKS; walk++)
      fprintf(out, "%10u", c->scenes[event][walk]);
    fprintf(out, "\n");
  }
  fprintf(out, "  %-14s%10" PRIu64 "\n", "all", c->n);
}

static void report(command_t *c) {
  char name[128], reproduce[4400];
  name_scene(&c->scene, name, sizeof name);
  snprintf(reproduce, sizeof reproduce, "%s%s%s", c->options->reproduce, c->options->scene ? "" : " --scene ",
           c->options->scene ? "" : name);
  fprintf(stderr, "\nmmu86 sweep: scene %s: %s\n", name,
          "walk / port / event / when responses are taken / cycle of the event after the offer");
  const report_context_t context = {.reproduce = reproduce, .seed = c->options->seed};
  cosim_report(&c->cosim, stderr, c->rig.mmu, context);
}

static bool set_up(command_t *c, char *error, unsigned error_bytes) {
  const options_t *o = c->options;
  sweep_scene_t scene;
  if (o->scene && !parse_scene(o->scene, &scene)) {
    snprintf(error, error_bytes, "--scene %s: no such scene; one is small/fetch/invlpg/taken/3", o->scene);
    return false;
  }
  if (!cosim_check_paths(o, error, error_bytes) || !cosim_open(&c->cosim, o, SWEEP_RAM, error, error_bytes))
    return false;
  if (!c->cosim.dut || !c->cosim.dut->clock || !c->cosim.dut->reset) {
    snprintf(error, error_bytes, "--dut %s: a sweep needs a DUT with clock and reset", o->dut);
    return false;
  }
  if (!rig_create(&c->rig, &c->cosim.ls, &c->cosim.mmu, SWEEP_RAM)) {
    snprintf(error, error_bytes, "no memory for the reference's world");
    return false;
  }
  overlap_init(&c->overlap, &c->cosim.ls, o->seed);
  c->cosim.ls.overlap = &c->overlap;
  return cosim_judge(&c->cosim, c->rig.mmu, &c->rig.world, error, error_bytes);
}

static int execute(command_t *c, char *error, unsigned error_bytes) {
  if (!set_up(c, error, error_bytes)) return EXIT_BAD_INPUT;
  outcome_t outcome = {.command = "sweep", .verdict = VERDICT_PASS, .stop = "all scenes done"};
  progress_start(&c->progress, "scenes", 0);
  double started = progress_clock();
  unsigned span;
  bool agree = c->options->scene ? parse_scene(c->options->scene, &c->scene) && run_scene(c, &span) : sweep_all(c);
  c->cosim.ls.overlap = NULL;
  if (interrupt_pending()) {
    outcome.verdict = VERDICT_LIMIT;
    outcome.stop = "interrupted";
  }
  outcome.seconds = progress_clock() - started;
  progress_clear(&c->progress);
  summary_judge(&outcome, &c->cosim, c->rig.mmu, &c->rig.world);
  if (!agree) report(c);
  bool whole = cosim_finish(&c->cosim, error, error_bytes);
  if (c->options->json &&
      !summary_json(c->options->json, &outcome, &c->cosim, whole ? error : (char[512]){0}, whole ? error_bytes : 512))
    whole = false;
  if (!c->options->quiet) {
    summary_print(stdout, &outcome, &c->cosim);
    print_table(stdout, c);
  }
  return cosim_status(&c->cosim, summary_status(outcome.verdict), whole);
}

int cmd_sweep(int argc, char **argv) {
  int status;
  options_t options;
  if (!options_parse(&options, FOR_SWEEP, argc, argv, &status)) {
    if (status == EXIT_PASS) cmd_sweep_help();
    return status;
  }
  options.architectural = options.overlap = true;
  interrupt_catch();
  static command_t c;
  c.options = &options;
  char error[512] = "";
  status = execute(&c, error, sizeof error);
  if (error[0]) fprintf(stderr, "mmu86 sweep: %s\n", error);
  rig_destroy(&c.rig);
  return cosim_close(&c.cosim, status);
}

void cmd_sweep_help(void) {
  printf("mmu86 sweep [OPTION ...]\n\n"
         "The races: each invalidation, control-register write, table store, kill and access of the other port, slid\n"
         "over every cycle of each kind of walk on either port. Every answer is judged by what was legal.\n\n");
  options_help(stdout, FOR_SWEEP);
  printf("\nExit status: 0 nothing differs; 1 a mismatch; 2 bad input or an output that cannot be written; 4 "
         "interrupted.\n"
         "\nExamples:\n"
         "  mmu86 sweep\n"
         "  mmu86 sweep --mem-latency 3 --seed 2\n"
         "  mmu86 sweep --scene small-new/fetch/moves-invlpg/taken/4 --wave race.fst\n");
}
