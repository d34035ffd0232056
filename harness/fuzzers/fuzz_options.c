/*
 * Command lines. The input: a byte for the command, then the arguments, each with a NUL behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "options.h"

enum { ARGUMENTS_MAX = 64 };

static unsigned lines_in(const char *bytes, size_t n) {
  unsigned lines = 0;
  for (size_t i = 0; i < n; i++)
    lines += bytes[i] == '\n';
  return lines;
}

static void check(const options_t *o, unsigned command) {
  fuzz_demand(o->ram_mb >= 1 && o->ram_mb <= 3072, "RAM is possible");
  fuzz_demand(o->max_insns >= 1 && o->count >= 1 && o->wave_window.count >= 1, "nothing of nothing is asked for");
  fuzz_demand(o->mem_latency <= 1000, "the latency is possible");
  fuzz_demand(o->n_modules <= OPTIONS_MODULES && o->n_log_ports <= OPTIONS_PORTS, "lists end where they must");
  fuzz_demand(o->wave_window.low <= o->wave_window.high, "a window of addresses is none that is turned round");
  fuzz_demand(o->wave || (o->wave_kind != WAVE_TRANSLATIONS && !o->wave_window_text), "a window has a waveform");
  fuzz_demand(o->dut && o->dut_args && o->cmdline, "what has a default is there");
  fuzz_demand(command == FOR_FUZZ || command == FOR_SWEEP || o->input || o->bios, "there is an input");
  fuzz_demand((command == FOR_DIFF) == (o->other != NULL), "diff has two inputs, and nobody else has");
  fuzz_demand(command == FOR_REPORT || (!o->output && !o->baseline), "a page is made by report alone");
  fuzz_demand(memchr(o->reproduce, 0, sizeof o->reproduce), "the command to reproduce ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const unsigned commands[] = {FOR_RUN,    FOR_REPLAY,  FOR_FUZZ,  FOR_BENCH, FOR_GDB,
                                      FOR_SHRINK, FOR_EXPLAIN, FOR_SWEEP, FOR_DIFF,  FOR_REPORT};
  if (size < 1) return 0;
  char *text = malloc(size); /* the arguments, and a NUL behind the last in any case */
  if (!text) return 0;
  size_t n = size - 1;
  memcpy(text, data + 1, n);
  text[n] = 0;
  char *argv[ARGUMENTS_MAX + 2] = {"mmu86"};
  int argc = 1;
  for (size_t at = 0; at < n && argc <= ARGUMENTS_MAX; at += strlen(text + at) + 1)
    argv[argc++] = text + at;

  static options_t options;
  unsigned command = commands[data[0] % (sizeof commands / sizeof *commands)];
  int status = -1;
  fuzz_listen();
  bool ok = options_parse(&options, command, argc, argv, &status);
  const char *said = fuzz_heard();
  /* What the user wrote is shown to him as it is, but once. */
  fuzz_demand(lines_in(said, strlen(said)) <= 1 + lines_in(text, n), "a refusal is one line");
  fuzz_demand(strlen(said) <= n + strlen(options.kernel) + 200, "a refusal is short");
  if (ok)
    check(&options, command);
  else
    fuzz_demand(status == EXIT_PASS ? !said[0] : status == EXIT_BAD_INPUT && said[0], "a refusal says why");
  free(text);
  return 0;
}
