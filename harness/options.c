#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

typedef enum {
  OPT_RAM = 256,
  OPT_DUT,
  OPT_DUT_ARGS,
  OPT_APPEND,
  OPT_BIOS,
  OPT_ON_RESET,
  OPT_LOOP,
  OPT_MODULE,
  OPT_INITRD,
  OPT_MAX_INSNS,
  OPT_SEED,
  OPT_COUNT,
  OPT_WAVE,
  OPT_WAVE_WINDOW,
  OPT_FAILURE_WAVE,
  OPT_NO_FAILURE_WAVE,
  OPT_SNAPSHOT_EVERY,
  OPT_TRACE,
  OPT_COVERAGE,
  OPT_STEER,
  OPT_JSON,
  OPT_SERIAL,
  OPT_DEBUGCON,
  OPT_SERIAL_INPUT,
  OPT_LOG_PORT,
  OPT_VGA,
  OPT_MEM_LATENCY,
  OPT_CPU,
  OPT_CHECK,
  OPT_OVERLAP,
  OPT_SCENE,
  OPT_KNOBS,
  OPT_KNOBS_HELP,
  OPT_SUITE,
  OPT_EVERY,
  OPT_METAMORPHIC,
  OPT_QUIET,
  OPT_GDB,
  OPT_PORT,
  OPT_OUT,
  OPT_ANY_FAILURE,
  OPT_TRANSACTION,
  OPT_HTML,
  OPT_HELP,
} option_id_t;

typedef struct {
  option_id_t id;
  const char *name, *argument, *help;
  unsigned commands;
} option_t;

static const option_t table[] = {
    {OPT_RAM, "ram", "MB", "guest memory in MiB (default 128; 1..3072)", FOR_RUN | FOR_FUZZ},
    {OPT_DUT, "dut", "NAME", "rtl: the Verilated RTL (default); none: the reference alone",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_DUT_ARGS, "dut-args", "TEXT", "arguments for the DUT itself (the RTL's: plusargs)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_BIOS, "bios", "FILE", "a BIOS image (64..256 KiB), started at the reset vector instead of an IMAGE", FOR_RUN},
    {OPT_ON_RESET, "on-reset", "WHAT", "what a reset or triple fault does: stop (default) or restart", FOR_RUN},
    {OPT_APPEND, "append", "TEXT", "the guest's command line", FOR_RUN | FOR_BENCH},
    {OPT_LOOP, "loop", "FILE", "measure this BIOS image's loop too (build/sw/loop.rom), and Bochs on it", FOR_BENCH},
    {OPT_MODULE, "module", "FILE", "a Multiboot module; may be repeated", FOR_RUN},
    {OPT_INITRD, "initrd", "FILE", "a Linux kernel's initial RAM disk", FOR_RUN},
    {OPT_CPU, "cpu", "NAME", "the processor: 386, 486, pentium, ppro (default)", FOR_RUN},
    {OPT_MAX_INSNS, "max-insns", "N", "stop after N instructions, verdict \"limit\" (default: no limit)", FOR_RUN},
    {OPT_COUNT, "count", "N", "transactions to generate (default 1000000)", FOR_FUZZ},
    {OPT_SEED, "seed", "S", "seed of everything random (default 1)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_WAVE, "wave", "FILE", "write an FST waveform of the DUT, with the reference's results beside it",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_WAVE_WINDOW, "wave-window", "FIRST:COUNT", "transactions shown in the waveform (default 0:20000)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_FAILURE_WAVE, "failure-wave", "FILE",
     "write the last transactions before a mismatch as a waveform (default: beside --json or --trace, else "
     "mmu86-failure.fst)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ},
    {OPT_NO_FAILURE_WAVE, "no-failure-wave", NULL, "do not", FOR_RUN | FOR_REPLAY | FOR_FUZZ},
    {OPT_SNAPSHOT_EVERY, "snapshot-every", "N", "that waveform has N to 2N transactions (default 5000)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_BENCH},
    {OPT_TRACE, "trace", "FILE", "record the transaction stream, for mmu86 replay", FOR_RUN | FOR_FUZZ},
    {OPT_COVERAGE, "coverage", "FILE", "sample functional coverage, add it to FILE",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SWEEP},
    {OPT_STEER, "steer", NULL, "drive at the holes of --coverage as well", FOR_FUZZ},
    {OPT_SERIAL, "serial", "FILE", "the guest's serial output (default: standard output, -)", FOR_RUN},
    {OPT_SERIAL_INPUT, "serial-input", "FILE", "what is sent to the guest's serial port (-: standard input)", FOR_RUN},
    {OPT_DEBUGCON, "debugcon", "FILE", "what the guest writes to ports 0xe9 and 0x402 (-: standard output)", FOR_RUN},
    {OPT_LOG_PORT, "log-port", "PORT", "note each write to an I/O port on standard error; may be repeated", FOR_RUN},
    {OPT_VGA, "vga", "FILE", "write the text screen after the run (-: standard output)", FOR_RUN},
    {OPT_MEM_LATENCY, "mem-latency", "N", "the DUT's memory takes 0..N extra cycles, at random (default 0)",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_SWEEP | FOR_EXPLAIN},
    {OPT_CHECK, "check", "LEVEL",
     "exact (default): as the reference with the DUT's TLB; architectural: any TLB, if what it says is legal",
     FOR_RUN | FOR_REPLAY | FOR_FUZZ | FOR_SHRINK | FOR_EXPLAIN},
    {OPT_OVERLAP, "overlap", NULL,
     "requests of both ports at once, kills, back-pressure, other agents' stores; --check architectural", FOR_FUZZ},
    {OPT_SCENE, "scene", "NAME", "this scene alone: WALK/PORT/EVENT/TAKEN/CYCLE, as a mismatch names it", FOR_SWEEP},
    {OPT_KNOBS, "knobs", "FILE", "how the stimulus is drawn, as JSON (harness/knobs has some); see --knobs-help",
     FOR_FUZZ},
    {OPT_KNOBS_HELP, "knobs-help", NULL, "the knobs: name, default, range, meaning", FOR_FUZZ},
    {OPT_SUITE, "suite", "NAME", "a directed suite instead of random stimulus, or all of them; see below", FOR_FUZZ},
    {OPT_EVERY, "every", "N", "of a suite's combinations run one in N, the seed says which (default 1: all)", FOR_FUZZ},
    {OPT_METAMORPHIC, "metamorphic", NULL,
     "the device against itself: a request's answer must not depend on what is cached; allows --check none", FOR_FUZZ},
    {OPT_GDB, "gdb", "PORT", "wait for GDB at this port, as mmu86 gdb does", FOR_RUN},
    {OPT_PORT, "port", "N", "wait for GDB at 127.0.0.1:N (default 1234; 0: a free port, which is printed)", FOR_GDB},
    {OPT_OUT, "out", "NAME", "write NAME.trace, NAME_test.c and NAME.c (default: the trace's name and -min)",
     FOR_SHRINK},
    {OPT_ANY_FAILURE, "any-failure", NULL, "what is left may fail in another way than the trace", FOR_SHRINK},
    {OPT_TRANSACTION, "transaction", "N", "the transaction to explain (default: the one that differs, or the last)",
     FOR_EXPLAIN},
    {OPT_HTML, "html", "FILE", "write a page with the picture as well (-: to standard output, instead of the text)",
     FOR_EXPLAIN},
    {OPT_JSON, "json", "FILE", "write the result as JSON", FOR_ALL & ~FOR_EXPLAIN},
    {OPT_QUIET, "quiet", NULL, "no table at the end", FOR_ALL & ~FOR_EXPLAIN},
    {OPT_HELP, "help", NULL, "this text", FOR_ALL},
};

enum { TABLE_SIZE = sizeof table / sizeof *table };

/* Whether a command takes the option. */
static bool takes(unsigned command, const option_t *option) {
  if (command == FOR_GDB && option->id != OPT_GDB) command |= FOR_RUN;
  return option->commands & command;
}

void options_help(FILE *out, unsigned command) {
  for (unsigned i = 0; i < TABLE_SIZE; i++) {
    if (!takes(command, &table[i])) continue;
    char left[40];
    snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].argument ? " " : "",
             table[i].argument ? table[i].argument : "");
    fprintf(out, "  %-26s %s\n", left, table[i].help);
  }
}

/* Parses a whole number. Returns false and prints one line if text is none or outside min..max. */
static bool number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value) {
  char *end;
  bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  errno = 0;
  *value = strtoull(text, &end, hexadecimal ? 16 : 10);
  if (text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == 0 && *value >= min && *value <= max) return true;
  fprintf(stderr, "mmu86: --%s %s: not a whole number from %llu to %llu\n", option, text, (unsigned long long)min,
          (unsigned long long)max);
  return false;
}

static bool window(const char *text, options_t *o) {
  char *colon = strchr(text, ':');
  char first[32];
  if (!colon || (size_t)(colon - text) >= sizeof first) {
    fprintf(stderr, "mmu86: --wave-window %s: not FIRST:COUNT, such as 1000:200\n", text);
    return false;
  }
  memcpy(first, text, (size_t)(colon - text));
  first[colon - text] = 0;
  return number("wave-window", first, 0, UINT64_MAX, &o->wave_first) &&
         number("wave-window", colon + 1, 1, UINT64_MAX, &o->wave_count);
}

static bool module(const char *text, options_t *o) {
  if (o->n_modules == OPTIONS_MODULES) {
    fprintf(stderr, "mmu86: --module %s: more than %d modules\n", text, OPTIONS_MODULES);
    return false;
  }
  o->modules[o->n_modules++] = text;
  return true;
}

static bool log_port(const char *text, options_t *o) {
  uint64_t port;
  if (o->n_log_ports == OPTIONS_PORTS) {
    fprintf(stderr, "mmu86: --log-port %s: more than %d ports\n", text, OPTIONS_PORTS);
    return false;
  }
  if (!number("log-port", text, 0, 0xFFFF, &port)) return false;
  o->log_ports[o->n_log_ports++] = (uint16_t)port;
  return true;
}

static bool processor(const char *text, options_t *o) {
  if (cpu_profile_by_name(text, &o->cpu)) return true;
  fprintf(stderr, "mmu86: --cpu %s: not one of 386, 486, pentium, ppro\n", text);
  return false;
}

static bool take(options_t *o, option_id_t id, const char *text) {
  uint64_t value = 0;
  switch (id) {
  case OPT_RAM:
    return number("ram", text, 1, 3072, &o->ram_mb);
  case OPT_MAX_INSNS:
    return number("max-insns", text, 1, UINT64_MAX, &o->max_insns);
  case OPT_SEED:
    return number("seed", text, 0, UINT64_MAX, &o->seed);
  case OPT_COUNT:
    return number("count", text, 1, UINT64_MAX, &o->count);
  case OPT_MEM_LATENCY:
    if (!number("mem-latency", text, 0, 1000, &value)) return false;
    o->mem_latency = (uint32_t)value;
    return true;
  case OPT_WAVE_WINDOW:
    return window(text, o);
  case OPT_MODULE:
    return module(text, o);
  case OPT_DUT:
    o->dut = text;
    return true;
  case OPT_DUT_ARGS:
    o->dut_args = text;
    return true;
  case OPT_BIOS:
    o->bios = text;
    return true;
  case OPT_ON_RESET:
    o->restart = strcmp(text, "restart") == 0;
    if (o->restart || strcmp(text, "stop") == 0) return true;
    fprintf(stderr, "mmu86: --on-reset %s: neither stop nor restart\n", text);
    return false;
  case OPT_APPEND:
    o->cmdline = text;
    return true;
  case OPT_LOOP:
    o->loop = text;
    return true;
  case OPT_INITRD:
    o->initrd = text;
    return true;
  case OPT_WAVE:
    o->wave = text;
    return true;
  case OPT_FAILURE_WAVE:
    o->failure_wave = text;
    o->no_failure_wave = false;
    return true;
  case OPT_NO_FAILURE_WAVE:
    o->failure_wave = NULL;
    o->no_failure_wave = true;
    return true;
  case OPT_SNAPSHOT_EVERY:
    return number("snapshot-every", text, 1, SNAPSHOT_EVERY_MAX, &o->snapshot_every);
  case OPT_TRACE:
    o->trace = text;
    return true;
  case OPT_COVERAGE:
    o->coverage = text;
    return true;
  case OPT_STEER:
    o->steer = true;
    return true;
  case OPT_JSON:
    o->json = text;
    return true;
  case OPT_SERIAL:
    o->serial = text;
    return true;
  case OPT_SERIAL_INPUT:
    o->serial_input = text;
    return true;
  case OPT_VGA:
    o->vga = text;
    return true;
  case OPT_LOG_PORT:
    return log_port(text, o);
  case OPT_DEBUGCON:
    o->debugcon = text;
    return true;
  case OPT_GDB:
  case OPT_PORT:
    if (!number(id == OPT_GDB ? "gdb" : "port", text, 0, UINT16_MAX, &value)) return false;
    o->gdb = true;
    o->gdb_port = (uint16_t)value;
    return true;
  case OPT_TRANSACTION:
    return number("transaction", text, 0, UINT64_MAX - 1, &o->transaction);
  case OPT_HTML:
    o->html = text;
    return true;
  case OPT_CPU:
    return processor(text, o);
  case OPT_CHECK:
    o->architectural = strcmp(text, "architectural") == 0;
    o->unjudged = false;
    if (o->architectural || strcmp(text, "exact") == 0) return true;
    o->unjudged = strcmp(text, "none") == 0;
    if (o->unjudged) return true;
    fprintf(stderr, "mmu86: --check %s: neither exact nor architectural\n", text);
    return false;
  case OPT_OVERLAP:
    o->overlap = o->architectural = true;
    return true;
  case OPT_KNOBS:
    o->knobs = text;
    return true;
  case OPT_KNOBS_HELP:
    o->knobs_help = true;
    return true;
  case OPT_SUITE:
    o->suite = text;
    return true;
  case OPT_EVERY:
    return number("every", text, 1, UINT32_MAX, &o->every);
  case OPT_METAMORPHIC:
    o->metamorphic = true;
    return true;
  case OPT_OUT:
    o->out = text;
    return true;
  case OPT_ANY_FAILURE:
    o->any_failure = true;
    return true;
  case OPT_SCENE:
    o->scene = text;
    return true;
  case OPT_QUIET:
    o->quiet = true;
    return true;
  default:
    return false;
  }
}

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

static const char *command_name(unsigned command) {
  if (command == FOR_GDB) return "gdb";
  if (command == FOR_SHRINK) return "shrink";
  if (command == FOR_SWEEP) return "sweep";
  if (command == FOR_DIFF) return "diff";
  if (command == FOR_EXPLAIN) return "explain";
  return command == FOR_RUN ? "run" : command == FOR_REPLAY ? "replay" : command == FOR_FUZZ ? "fuzz" : "bench";
}

/* An option with an argument that the same run is repeated without: waveforms and GDB. */
static bool is_onlooker(const char *word) {
  static const char *const names[] = {"--wave",           "--wave-window", "--failure-wave",
                                      "--snapshot-every", "--gdb",         "--port"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    size_t n = strlen(names[i]);
    if (strncmp(word, names[i], n) == 0 && (word[n] == 0 || word[n] == '=')) return true;
  }
  return false;
}

static void set_reproduce(options_t *o, const char *name, int argc, char **argv) {
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

/* Says what getopt_long has stopped at: word, or one of the letters behind a single dash. */
static void refuse(const char *command, int id, const char *word) {
  char letter[3] = {'-', (char)optopt, 0};
  bool is_letter = optopt > 0 && optopt < OPT_RAM;
  const char *why = id == ':' ? "needs an argument" : optopt >= OPT_RAM ? "takes no argument" : "no such option";
  fprintf(stderr, "mmu86 %s: %s: %s; see mmu86 %s --help\n", command, is_letter ? letter : word, why, command);
}

/* What a DUT does depends on these: the command has to have them too. */
static void set_explain(options_t *o, unsigned command, const char *program) {
  const char *trace = command == FOR_REPLAY ? o->input : o->trace;
  char number[24];
  if (!trace || o->overlap) return; /* explain shows one transaction after another */
  const char *const words[] = {program, "explain", trace};
  for (unsigned i = 0; i < 3; i++)
    options_quote(o->explain, sizeof o->explain, words[i]);
  if (o->dut_args[0]) {
    options_quote(o->explain, sizeof o->explain, "--dut-args");
    options_quote(o->explain, sizeof o->explain, o->dut_args);
  }
  if (o->architectural) options_quote(o->explain, sizeof o->explain, "--check=architectural");
  if (o->mem_latency == 0) return;
  snprintf(number, sizeof number, "%u", o->mem_latency);
  options_quote(o->explain, sizeof o->explain, "--mem-latency");
  options_quote(o->explain, sizeof o->explain, number);
  snprintf(number, sizeof number, "%llu", (unsigned long long)o->seed);
  options_quote(o->explain, sizeof o->explain, "--seed");
  options_quote(o->explain, sizeof o->explain, number);
}

static const char *input_name(unsigned command) {
  if (command == FOR_DIFF) return "a result FILE";
  return command & (FOR_REPLAY | FOR_SHRINK | FOR_EXPLAIN) ? "a trace FILE"
         : command & (FOR_FUZZ | FOR_SWEEP)                ? NULL
                                                           : "an IMAGE";
}

bool options_parse(options_t *o, unsigned command, int argc, char **argv, int *status) {
  *o = (options_t){.dut = "rtl",
                   .dut_args = "",
                   .cmdline = "",
                   .wave_count = 20000,
                   .snapshot_every = 5000,
                   .ram_mb = 128,
                   .max_insns = UINT64_MAX,
                   .seed = 1,
                   .cpu = CPU_PPRO,
                   .count = 1000000,
                   .transaction = UINT64_MAX,
                   .every = 1,
                   .gdb = command == FOR_GDB,
                   .gdb_port = 1234};
  *status = EXIT_BAD_INPUT;
  const char *name = command_name(command);
  set_reproduce(o, command == FOR_GDB ? "run" : name, argc, argv);
  struct option longs[TABLE_SIZE + 1];
  unsigned n = 0;
  for (unsigned i = 0; i < TABLE_SIZE; i++)
    if (takes(command, &table[i]))
      longs[n++] = (struct option){table[i].name, table[i].argument != NULL, NULL, (int)table[i].id};
  longs[n] = (struct option){0};
  optind = 0; /* getopt forgets where an earlier command line ended */
  opterr = 0;
  for (int id; (id = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
    if (id == OPT_HELP) {
      *status = EXIT_PASS;
      return false;
    }
    if (id == '?' || id == ':') {
      refuse(name, id, argv[optind - 1]);
      return false;
    }
    if (!take(o, (option_id_t)id, optarg)) return false;
  }
  const char *wanted = input_name(command);
  if (wanted && optind < argc) o->input = argv[optind++];
  if (command == FOR_DIFF && optind < argc) o->other = argv[optind++];
  if (optind < argc) {
    fprintf(stderr, "mmu86 %s: %s: unexpected argument; see mmu86 %s --help\n", name, argv[optind], name);
    return false;
  }
  if (o->unjudged && !o->metamorphic) {
    fprintf(stderr, "mmu86 %s: --check none: nobody would judge; only with mmu86 fuzz --metamorphic\n", name);
    return false;
  }
  if (o->bios && o->input) {
    fprintf(stderr, "mmu86 %s: --bios %s: starts instead of an IMAGE, not with %s\n", name, o->bios, o->input);
    return false;
  }
  if (wanted && !o->input && !o->bios) {
    fprintf(stderr, "mmu86 %s: %s is missing; see mmu86 %s --help\n", name, wanted, name);
    return false;
  }
  if (command == FOR_DIFF && !o->other) {
    fprintf(stderr, "mmu86 diff: a second result FILE is missing; see mmu86 diff --help\n");
    return false;
  }
  set_explain(o, command, argv[0]);
  return true;
}
