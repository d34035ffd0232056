#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options_priv.h"
#include "snapshot.h"

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
  char why[256];
  o->wave_window_text = text;
  if (wave_window_parse(text, &o->wave_window, why, sizeof why)) return true;
  fprintf(stderr, "mmu86: --wave-window %s: %s\n", text, why);
  return false;
}

static bool wave_kind(const char *text, options_t *o) {
  static const char *const names[] = {"rtl", "translations", "failure"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i], text) != 0) continue;
    o->wave_kind = (wave_kind_t)i;
    return true;
  }
  fprintf(stderr, "mmu86: --wave-kind %s: neither rtl, translations nor failure\n", text);
  return false;
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
  case OPT_WAVE_KIND:
    return wave_kind(text, o);
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
  case OPT_DUT_COVERAGE:
    o->dut_coverage = text;
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
  case OPT_OUTPUT:
    o->output = text;
    return true;
  case OPT_BASELINE:
    o->baseline = text;
    return true;
  case OPT_CPU:
    return processor(text, o);
  case OPT_CHECK:
    o->architectural = strcmp(text, "architectural") == 0;
    o->unjudged = false;
    o->exact = strcmp(text, "exact") == 0;
    if (o->architectural || o->exact) return true;
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

/* Says what getopt_long has stopped at: word, or one of the letters behind a single dash. */
static void refuse(const char *command, int id, const char *word) {
  char letter[3] = {'-', (char)optopt, 0};
  bool is_letter = optopt > 0 && optopt < OPT_RAM;
  const char *why = id == ':' ? "needs an argument" : optopt >= OPT_RAM ? "takes no argument" : "no such option";
  fprintf(stderr, "mmu86 %s: %s: %s; see mmu86 %s --help\n", command, is_letter ? letter : word, why, command);
}

static bool takes_image(unsigned command) {
  return command & (FOR_RUN | FOR_GDB | FOR_BENCH);
}

static const char *input_name(unsigned command) {
  if (command & (FOR_DIFF | FOR_REPORT)) return "a result FILE";
  return command & (FOR_REPLAY | FOR_SHRINK | FOR_EXPLAIN) ? "a trace FILE"
         : command & (FOR_FUZZ | FOR_SWEEP)                ? NULL
                                                           : "an IMAGE";
}

/* What --wave-kind makes of --wave. */
static bool choose_wave(options_t *o, const char *name) {
  enum { RTL_COUNT = 20000 };
  if ((o->wave_kind != WAVE_RTL || o->wave_window_text) && !o->wave) {
    const char *option = o->wave_kind == WAVE_RTL ? "window" : "kind";
    fprintf(stderr, "mmu86 %s: --wave-%s: of which waveform? --wave FILE is missing\n", name, option);
    return false;
  }
  if (o->wave_kind == WAVE_FAILURE) {
    if (o->wave_window_text) {
      fprintf(stderr, "mmu86 %s: --wave-window %s: a failure's waveform ends with it; see --snapshot-every\n", name,
              o->wave_window_text);
      return false;
    }
    o->failure_wave = o->wave;
    o->no_failure_wave = false;
    o->wave = NULL;
  }
  if (o->wave_window.count == UINT64_MAX && o->wave_kind == WAVE_RTL) o->wave_window.count = RTL_COUNT;
  return true;
}

bool options_parse(options_t *o, unsigned command, int argc, char **argv, int *status) {
  *o = (options_t){.dut = "rtl",
                   .dut_args = "",
                   .cmdline = "",
                   .wave_window.count = UINT64_MAX,
                   .snapshot_every = 5000,
                   .ram_mb = 128,
                   .max_insns = UINT64_MAX,
                   .seed = OPTIONS_SEED,
                   .cpu = CPU_PPRO,
                   .count = 1000000,
                   .transaction = UINT64_MAX,
                   .every = 1,
                   .gdb = command == FOR_GDB,
                   .gdb_port = 1234};
  *status = EXIT_BAD_INPUT;
  const char *name = options_command_name(command);
  options_set_reproduce(o, command == FOR_GDB ? "run" : name, argc, argv);
  struct option longs[OPT_HELP - OPT_RAM + 2]; /* each once */
  unsigned n = 0;
  for (unsigned i = 0; i < options_count; i++)
    if (options_takes(command, &options_table[i]))
      longs[n++] =
          (struct option){options_table[i].name, options_table[i].argument != NULL, NULL, (int)options_table[i].id};
  longs[n] = (struct option){0};
  optind = 0; /* getopt forgets where an earlier command line ended */
  opterr = 0;
  for (int id; (id = getopt_long(argc, argv, command == FOR_REPORT ? ":o:" : ":", longs, NULL)) != -1;) {
    if (id == OPT_HELP) {
      *status = EXIT_PASS;
      return false;
    }
    if (id == '?' || id == ':') {
      refuse(name, id, argv[optind - 1]);
      return false;
    }
    if (!take(o, id == 'o' ? OPT_OUTPUT : (option_id_t)id, optarg)) return false;
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
  if (takes_image(command) && !o->input && !o->bios) {
    if (!data_file("kernel.elf", o->kernel)) {
      fprintf(stderr, "mmu86 %s: an IMAGE is missing, and there is no default kernel: %s\n", name, o->kernel);
      return false;
    }
    o->input = o->kernel;
  }
  if (wanted && !o->input && !o->bios) {
    fprintf(stderr, "mmu86 %s: %s is missing; see mmu86 %s --help\n", name, wanted, name);
    return false;
  }
  if (command == FOR_DIFF && !o->other) {
    fprintf(stderr, "mmu86 diff: a second result FILE is missing; see mmu86 diff --help\n");
    return false;
  }
  if (!choose_wave(o, name)) return false;
  options_set_explain(o, command, argv[0]);
  return true;
}
