#include <string.h>

#include "dut_load.h"
#include "options_priv.h"

/* Appends text as far as there is room. */
static void append(char *out, size_t room, const char *text) {
  size_t n = strlen(out);
  snprintf(out + n, room - n, "%s", text);
}

void options_quote(char *out, size_t room, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+%@";
  if (out[0]) append(out, room, " ");
  if (word[0] && strspn(word, plain) == strlen(word)) {
    append(out, room, word);
    return;
  }
  append(out, room, "'");
  for (; *word; word++) {
    char letter[2] = {*word, 0};
    append(out, room, *word == '\'' ? "'\\''" : letter);
  }
  append(out, room, "'");
}

const char *options_command_name(unsigned command) {
  if (command == FOR_GDB) return "gdb";
  if (command == FOR_SHRINK) return "shrink";
  if (command == FOR_SWEEP) return "sweep";
  if (command == FOR_DIFF) return "diff";
  if (command == FOR_REPORT) return "report";
  if (command == FOR_EXPLAIN) return "explain";
  return command == FOR_RUN ? "run" : command == FOR_REPLAY ? "replay" : command == FOR_FUZZ ? "fuzz" : "bench";
}

/* An option with an argument that the same run is repeated without: waveforms, the DUT's coverage, GDB. */
static bool is_onlooker(const char *word) {
  static const char *const names[] = {"--wave",           "--wave-kind",    "--wave-window", "--failure-wave",
                                      "--snapshot-every", "--dut-coverage", "--gdb",         "--port"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    size_t n = strlen(names[i]);
    if (strncmp(word, names[i], n) == 0 && (word[n] == 0 || word[n] == '=')) return true;
  }
  return false;
}

void options_set_reproduce(options_t *o, const char *name, int argc, char **argv) {
  options_quote(o->reproduce, sizeof o->reproduce, argv[0]);
  options_quote(o->reproduce, sizeof o->reproduce, name);
  for (int i = 1; i < argc; i++) {
    if (is_onlooker(argv[i])) {
      i += strchr(argv[i], '=') == NULL;
      continue;
    }
    options_quote(o->reproduce, sizeof o->reproduce, argv[i]);
  }
}

/* What a DUT does depends on these: the command has to have them too. */
void options_set_explain(options_t *o, unsigned command, const char *program) {
  const char *trace = command == FOR_REPLAY ? o->input : o->trace;
  char number[24];
  if (!trace || o->overlap) return; /* explain shows one transaction after another */
  const char *const words[] = {program, "explain", trace};
  for (unsigned i = 0; i < 3; i++)
    options_quote(o->explain, sizeof o->explain, words[i]);
  if (dut_load_is_file(o->dut)) {
    options_quote(o->explain, sizeof o->explain, "--dut");
    options_quote(o->explain, sizeof o->explain, o->dut);
  }
  if (o->dut_args[0]) {
    options_quote(o->explain, sizeof o->explain, "--dut-args");
    options_quote(o->explain, sizeof o->explain, o->dut_args);
  }
  if (o->architectural) options_quote(o->explain, sizeof o->explain, "--check=architectural");
  if (o->mem_latency) {
    snprintf(number, sizeof number, "%u", o->mem_latency);
    options_quote(o->explain, sizeof o->explain, "--mem-latency");
    options_quote(o->explain, sizeof o->explain, number);
  }
  if (o->seed == OPTIONS_SEED) return;
  snprintf(number, sizeof number, "%llu", (unsigned long long)o->seed);
  options_quote(o->explain, sizeof o->explain, "--seed");
  options_quote(o->explain, sizeof o->explain, number);
}
