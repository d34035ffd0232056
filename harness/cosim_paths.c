/*
 * The files of a co-simulation: which there will be, and that no two are one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cosim.h"
#include "output.h"

typedef struct {
  const char *what; /* for messages */
  const char *path; /* NULL: there is none */
} place_t;

bool cosim_failure_path(const options_t *o, char path[OUTPUT_PATH]) {
  const char *other = o->json ? o->json : o->trace;
  char target[OUTPUT_PATH], partial[OUTPUT_PATH];
  if (o->failure_wave) {
    snprintf(path, OUTPUT_PATH, "%s", o->failure_wave);
  } else if (other && output_places(other, target, partial)) {
    const char *slash = strrchr(other, '/'), *dot = strrchr(slash ? slash : other, '.');
    int stem = dot ? (int)(dot - other) : (int)strlen(other);
    if (stem > OUTPUT_PATH - 16) stem = OUTPUT_PATH - 16;
    snprintf(path, OUTPUT_PATH, "%.*s.failure.fst", stem, other);
  } else {
    snprintf(path, OUTPUT_PATH, "mmu86-failure.fst");
  }
  return !o->no_failure_wave && strcmp(o->dut, "none") != 0;
}

/* Whether a name stands for a file, or for what is not there yet; not for a stream or a device, which may have several
 * writers. */
static bool is_file(const char *path) {
  struct stat there;
  return path && strcmp(path, "-") != 0 && (stat(path, &there) != 0 || S_ISREG(there.st_mode));
}

static bool apart_from_inputs(const options_t *o, const place_t *output, char *error, unsigned error_bytes) {
  const char *input = o->bios ? o->bios : o->input;
  const place_t inputs[] = {
      {"--initrd", o->initrd}, {"--serial-input", o->serial_input}, {"--knobs", o->knobs}, {"--dut", o->dut}};
  if (input && output_same_file(output->path, input)) {
    snprintf(error, error_bytes, "%s: is the input; it cannot be an output as well", output->path);
    return false;
  }
  for (unsigned i = 0; i < sizeof inputs / sizeof *inputs + o->n_modules; i++) {
    const bool module = i >= sizeof inputs / sizeof *inputs;
    const place_t in = module ? (place_t){"--module", o->modules[i - sizeof inputs / sizeof *inputs]} : inputs[i];
    if (!in.path || !output_same_file(output->path, in.path)) continue;
    snprintf(error, error_bytes, "%s: is %s; it cannot be an output as well", output->path, in.what);
    return false;
  }
  return true;
}

bool cosim_check_paths(const options_t *o, char *error, unsigned error_bytes) {
  char failure[OUTPUT_PATH], failure_setup[OUTPUT_PATH + 8], wave_setup[OUTPUT_PATH + 8];
  const bool fails = cosim_failure_path(o, failure), viewed = o->wave && o->wave_kind == WAVE_TRANSLATIONS;
  snprintf(failure_setup, sizeof failure_setup, "%s.gtkw", failure);
  if (viewed) snprintf(wave_setup, sizeof wave_setup, "%s.gtkw", o->wave);
  const place_t outputs[] = {{"--wave", o->wave},
                             {"the set-up for gtkwave beside --wave", viewed ? wave_setup : NULL},
                             {"--trace", o->trace},
                             {"--json", o->json},
                             {"--coverage", o->coverage},
                             {"--dut-coverage", o->dut_coverage},
                             {"--serial", o->serial},
                             {"--debugcon", o->debugcon},
                             {"--vga", o->vga},
                             {"--html", o->html},
                             {o->failure_wave ? "--failure-wave" : "a failure's waveform", fails ? failure : NULL},
                             {"the set-up for gtkwave beside a failure's waveform", fails ? failure_setup : NULL}};
  for (unsigned i = 0; i < sizeof outputs / sizeof *outputs; i++) {
    if (!is_file(outputs[i].path)) continue;
    if (!apart_from_inputs(o, &outputs[i], error, error_bytes)) return false;
    for (unsigned j = 0; j < i; j++) {
      if (!is_file(outputs[j].path) || !output_same_place(outputs[i].path, outputs[j].path)) continue;
      snprintf(error, error_bytes, "%.200s: would be both %s and %s", outputs[i].path, outputs[j].what,
               outputs[i].what);
      return false;
    }
  }
  return true;
}
